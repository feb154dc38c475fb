"""Containers start as they are rendered, but for the table: every other difference turns this red.

The image here is made up. Not proved here: that Airflow works with what is started; the twin's own tests do that.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.twin import root_files
from sandbox.twin.isolation import Mode
from sandbox.twin.model import Booted, Container, Mount, Overrides, SecretSource
from sandbox.twin.rewrites import Context, Facts, Kind, Place, Sizes
from sandbox.twin.rewriting import (
    TABLE,
    Difference,
    balancer,
    boot,
    certificate_host,
    described,
    differences,
    explanation,
    overridden,
    service,
)
from tests.twin.rendered import BUNDLE, IMAGE, TASK_ID, container, facts, read, task

pytestmark = pytest.mark.filterwarnings(r"ignore::DeprecationWarning:pulumi_(aws|awsx)\..*")

ROLES = ("api-server", "scheduler", "dag-processor", "triggerer", "worker", "flower", "bootstrap")
Found = dict[str, tuple[str | None, str | None]]
"""Rendered and started values, by place."""
HEARTBEAT = "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT"


def resolve(source: SecretSource) -> str:
    """Stand in for Secrets Manager."""
    return f"value of {source.arn} {source.key}"


def started(rendered: Container, known: Facts, folder: Path) -> Booted:
    return boot(rendered, known, task(folder), resolve)


def found(rendered: Container, known: Facts, folder: Path) -> Found:
    """Return the differences of a container, by place; secrets count once."""
    return {
        each.place: (each.rendered, each.booted)
        for each in differences(started(rendered, known, folder), IMAGE)
    }


def unnamed(rendered: Container, known: Facts, folder: Path) -> Iterator[Difference]:
    context = Context(known, rendered, task(folder))
    for difference in differences(started(rendered, known, folder), IMAGE):
        if explanation(difference, context) is None:
            yield difference


@pytest.mark.parametrize("timers", [False, True], ids=["rendered timers", "drill timers"])
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_table_names_every_difference(stack: str, mode: Mode, timers: bool, tmp_path: Path) -> None:
    known = facts(stack, mode, timers=timers, folder=tmp_path)
    containers = [each for definition in read(stack).definitions for each in definition.containers]
    # One of each service, bootstrap and publisher, and an agent beside those that read DAGs.
    agents = len([each for each in containers if each.name == "release-agent"])
    assert (len(containers) - agents, agents) == (8, {"dev": 3, "prod": 4}[stack])
    assert [list(unnamed(each, known, tmp_path)) for each in containers] == [[]] * len(containers)


WORKER_ID = f"{TASK_ID}-{zlib.crc32(b'worker'):010d}"
AGENT: Found = {
    "AWS_ACCESS_KEY_ID": (None, "simulated"),
    "AWS_ENDPOINT_URL": (None, "http://10.20.0.2:5000"),
    "AWS_EXECUTION_ENV": (None, "AWS_ECS_FARGATE"),
    "AWS_REGION": (None, "eu-west-1"),
    "AWS_SECRET_ACCESS_KEY": (None, "simulated"),
    "ECS_CONTAINER_METADATA_URI_V4": (None, f"http://10.20.0.2:5000/v4/{WORKER_ID}"),
}
SECRETS: Found = {Place.SECRETS: ("(a secret's ARN)", "(a secret's value)")}
PROGRAMS = "/root/bin:/home/airflow/.local/bin:/usr/python/bin"


def test_the_differences_of_a_worker_in_namespaces(tmp_path: Path) -> None:
    """Neither a host nor a port, and no file root but the image's own."""
    assert found(container("dev", "worker"), facts("dev", folder=tmp_path), tmp_path) == {
        **AGENT,
        **SECRETS,
        "HOSTNAME": (None, "ip-10-20-0-11.compute.internal"),
        "SSL_CERT_FILE": (None, BUNDLE),
        "PATH": (f"/opt/platform/bin:{PROGRAMS}:/usr/bin", "/opt/platform/bin:/venv/bin:/usr/bin"),
        "AIRFLOW__API__BASE_URL": ("https://airflow.dev.nonprod.example.com", "http://localhost:8080"),
        Place.MOUNT: (BUNDLE, str(tmp_path / "authority.pem")),
    }


def test_the_differences_of_a_worker_as_a_plain_process(tmp_path: Path) -> None:
    rendered = container("dev", "worker")
    state = tmp_path / "volumes" / "state"
    assert found(rendered, facts("dev", Mode.PLAIN, folder=tmp_path), tmp_path) == {
        **AGENT,
        **SECRETS,
        "SSL_CERT_FILE": (None, str(tmp_path / "authority.pem")),
        "PLATFORM_METASTORE_CA_BUNDLE": (BUNDLE, str(tmp_path / "authority.pem")),
        "PATH": (f"/opt/platform/bin:{PROGRAMS}:/usr/bin", "/repository/bin:/venv/bin:/usr/bin"),
        "PYTHONPATH": ("/opt/platform/lib", "/repository"),
        "HOME": ("/opt/airflow/state", str(state)),
        "TMPDIR": (None, str(tmp_path / "volumes" / "tmp")),
        "AIRFLOW_HOME": ("/opt/airflow/state", str(state)),
        "AIRFLOW__API__SSL_CA_FILE": ("/opt/airflow/state/api-server.pem", str(state / "api-server.pem")),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": (
            "/opt/airflow/state/bundles",
            str(state / "bundles"),
        ),
        "PLATFORM_RELEASES_PATH": ("/opt/airflow/releases", str(tmp_path / "volumes" / "releases")),
        "AIRFLOW__API__BASE_URL": ("https://airflow.dev.nonprod.example.com", "http://localhost:8080"),
        "PLATFORM_BROKER_HOST": (rendered.environment["PLATFORM_BROKER_HOST"], "localhost"),
        "PLATFORM_BROKER_PORT": ("6379", "16379"),
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": ("8793", "18793"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": (
            "https://api-server.dev.airflow.internal:8080/execution/",
            "https://localhost:28080/execution/",
        ),
    }


def test_a_task_listens_on_its_own_port_and_is_asked_there(tmp_path: Path) -> None:
    known = facts("dev", Mode.PLAIN, folder=tmp_path)
    differing = found(container("dev", "api-server"), known, tmp_path)
    assert differing["AIRFLOW__API__PORT"] == ("8080", "28080")
    assert differing["AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT"] == ("8793", "18793")
    assert differing["FORWARDED_ALLOW_IPS"] == ("10.20.0.0/16", "127.0.0.1")
    assert differing[Place.HEALTH] == (
        "CMD curl -fsSk --max-time 4 https://localhost:8080/api/v2/version",
        "CMD curl -fsSk --max-time 4 https://localhost:28080/api/v2/version",
    )


def test_cookies_stay_secure_since_browsers_take_localhost_for_encrypted(tmp_path: Path) -> None:
    started_api = started(container("dev", "api-server"), facts("dev", folder=tmp_path), tmp_path)
    assert started_api.environment["AIRFLOW__FAB__COOKIE_SECURE"] == "True"


def test_the_drill_timers_of_a_scheduler(tmp_path: Path) -> None:
    rendered = container("dev", "scheduler")
    without = found(rendered, facts("dev", folder=tmp_path), tmp_path)
    with_timers = found(rendered, facts("dev", timers=True, folder=tmp_path), tmp_path)
    assert {name: with_timers[name] for name in with_timers.keys() - without.keys()} == {
        HEARTBEAT: ("600", "30"),
        "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": (
            rendered.environment["AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT"],
            "40",
        ),
        "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": (None, "10"),
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": (None, "30"),
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": (None, "15"),
    }


@pytest.mark.parametrize("timers", [False, True], ids=["rendered timers", "drill timers"])
def test_a_worker_gives_up_before_the_scheduler_does(timers: bool, tmp_path: Path) -> None:
    """Every attempt meets two addresses that do not answer; waits are the longest of exponential ones."""
    known = facts("dev", timers=timers, folder=tmp_path)
    worker = started(container("dev", "worker"), known, tmp_path).environment
    scheduler = started(container("dev", "scheduler"), known, tmp_path).environment
    heartbeats, attempts, timeout, longest = (
        int(worker[f"AIRFLOW__WORKERS__{name}"])
        for name in (
            "MAX_FAILED_HEARTBEATS",
            "EXECUTION_API_RETRIES",
            "EXECUTION_API_TIMEOUT",
            "EXECUTION_API_RETRY_WAIT_MAX",
        )
    )
    waits = sum(min(2**number, longest) for number in range(attempts - 1))
    seconds = heartbeats * (attempts * 2 * timeout + waits)
    assert seconds < int(scheduler[HEARTBEAT])
    assert worker[HEARTBEAT] == scheduler[HEARTBEAT]


def test_prod_is_scaled_down(tmp_path: Path) -> None:
    differing = found(container("prod", "worker"), facts("prod", folder=tmp_path), tmp_path)
    assert differing[Place.COMMAND] == (
        "platform-entrypoint airflow celery worker --queues default --concurrency 16",
        "platform-entrypoint airflow celery worker --queues default --concurrency 8",
    )


def test_dev_runs_in_its_own_size(tmp_path: Path) -> None:
    known = facts("dev", folder=tmp_path)
    for role in ROLES:
        differing = found(container("dev", role), known, tmp_path)
        assert Place.COMMAND not in differing
        assert "AIRFLOW__API__WORKERS" not in differing
    assert [service(each, known).desired_count for each in read("dev").services] == [1] * 6


def test_other_sizes(tmp_path: Path) -> None:
    known = facts("dev", sizes=Sizes(tasks=1, concurrency=4, api_server_processes=1), folder=tmp_path)
    worker = started(container("dev", "worker"), known, tmp_path)
    api_server = started(
        overridden(container("dev", "api-server"), Overrides(environment={"AIRFLOW__API__WORKERS": "3"})),
        known,
        tmp_path,
    )
    assert worker.command[-2:] == ("--concurrency", "4")
    assert api_server.environment["AIRFLOW__API__WORKERS"] == "1"
    assert {service(each, known).desired_count for each in read("prod").services} == {1}


def test_what_run_task_overrides_is_rendered_then(tmp_path: Path) -> None:
    command = ("platform-publisher", "verify", "all")
    overrides = Overrides(environment={"PLATFORM_SERVICES_RUNNING": "true"}, command=command)
    rendered = overridden(container("dev", "bootstrap"), overrides)
    known = facts("dev", folder=tmp_path)
    booted = started(rendered, known, tmp_path)
    assert booted.environment["PLATFORM_SERVICES_RUNNING"] == "true"
    assert booted.command == ("platform-entrypoint", *command)
    assert list(unnamed(rendered, known, tmp_path)) == []


def test_an_entry_point_of_the_definition_wins(tmp_path: Path) -> None:
    rendered = replace(container("dev", "worker"), entry_point=("sh", "-c"), command=("true",))
    assert started(rendered, facts("dev", folder=tmp_path), tmp_path).command == ("sh", "-c", "true")


def test_secrets_come_from_their_source(tmp_path: Path) -> None:
    booted = started(container("dev", "scheduler"), facts("dev", folder=tmp_path), tmp_path)
    arn = read("dev").secrets["metastore-user"]
    assert booted.environment["PLATFORM_METASTORE_PASSWORD"] == f"value of {arn} password"


def test_mounts_in_namespaces(tmp_path: Path) -> None:
    """What is scratch is not named: whoever starts the container makes it."""
    known = facts("dev", folder=tmp_path)
    of_image = {**IMAGE.files, BUNDLE: tmp_path / "authority.pem"}
    worker = started(container("dev", "worker"), known, tmp_path)
    agent = started(container("dev", "release-agent"), known, tmp_path)
    assert worker.mounts == of_image
    assert agent.mounts == {"/mnt/dags": tmp_path / "efs", **of_image}
    assert worker.root_mounts == IMAGE.root_mounts


def test_containers_of_a_task_share_their_scratch_volumes_which_belong_to_the_images_user(
    tmp_path: Path,
) -> None:
    known = facts("dev", folder=tmp_path)
    worker, agent, publisher = (
        started(container("dev", name), known, tmp_path)
        for name in ("worker", "release-agent", "release-publisher")
    )
    place = tmp_path / "volumes" / "releases"
    assert root_files.scratch_volumes(worker)["/opt/airflow/releases"] == place
    assert root_files.scratch_volumes(agent)["/opt/airflow/releases"] == place
    assert ("bind", "/opt/airflow/releases", str(place), False) in root_files.steps(worker)
    assert ("bind", "/opt/airflow/releases", str(place), True) in root_files.steps(agent)
    assert root_files.volume_user_of(publisher) == (50000, 0)


def test_the_publisher_is_a_user_of_its_own_who_writes_the_file_system(tmp_path: Path) -> None:
    booted = started(container("dev", "release-publisher"), facts("dev", folder=tmp_path), tmp_path)
    assert root_files.user_of(booted) == (50001, 0)
    assert ("bind", "/mnt/dags", str(tmp_path / "efs"), True) in root_files.steps(booted)


def test_without_root_all_containers_have_the_one_user_that_there_is(tmp_path: Path) -> None:
    known = replace(facts("dev", folder=tmp_path), user="50000:0")
    rendered = container("dev", "release-publisher")
    assert found(rendered, known, tmp_path)[Place.USER] == ("50001:0", "50000:0")
    assert list(unnamed(rendered, known, tmp_path)) == []
    assert Place.USER not in found(rendered, facts("dev", folder=tmp_path), tmp_path)


def test_a_plain_process_finds_its_folders(tmp_path: Path) -> None:
    known = facts("dev", Mode.PLAIN, folder=tmp_path)
    booted = started(container("dev", "worker"), known, tmp_path)
    agent = started(container("dev", "release-agent"), known, tmp_path)
    assert Path(booted.environment["AIRFLOW_HOME"]).is_dir()
    assert Path(booted.environment["TMPDIR"]).is_dir()
    assert booted.environment["PLATFORM_RELEASES_PATH"] == agent.environment["PLATFORM_RELEASES_PATH"]
    assert agent.environment["PLATFORM_DAG_STORAGE_PATH"] == str(tmp_path / "efs")


def test_a_home_of_the_image_is_the_containers_folder(tmp_path: Path) -> None:
    worker = container("dev", "worker")
    environment = {name: value for name, value in worker.environment.items() if name != "HOME"}
    known = facts("dev", Mode.PLAIN, folder=tmp_path)
    booted = started(replace(worker, environment=environment), known, tmp_path)
    assert booted.environment["HOME"] == str(tmp_path / "scratch")


def test_the_balancer_answers_to_its_name_here() -> None:
    rules = {rule.priority: rule for rule in balancer(facts("dev")).rules}
    assert (rules[10].hosts, rules[20].hosts, rules[30].hosts) == ((), ("localhost",), ("localhost",))
    assert rules[20].paths == ("/flower", "/flower/*")
    assert balancer(facts("dev")).forwarded_proto == "http"


@pytest.mark.parametrize(("mode", "host"), [(Mode.NAMESPACES, "api.internal"), (Mode.PLAIN, "localhost")])
def test_the_host_of_the_certificate(mode: Mode, host: str) -> None:
    assert certificate_host("api.internal", facts("dev", mode)) == host


# What a difference that nobody decided on looks like.
def changed(booted: Booted, **changes: str) -> Booted:
    return replace(booted, environment={**booted.environment, **changes})


def problems(booted: Booted, known: Facts, folder: Path) -> list[str]:
    context = Context(known, booted.container, task(folder))
    return [each.place for each in differences(booted, IMAGE) if explanation(each, context) is None]


def test_a_variable_that_nobody_rendered_is_found(tmp_path: Path) -> None:
    known = facts("dev", folder=tmp_path)
    booted = started(container("dev", "worker"), known, tmp_path)
    assert problems(changed(booted, AIRFLOW__CORE__EXECUTOR="LocalExecutor"), known, tmp_path) == [
        "AIRFLOW__CORE__EXECUTOR"
    ]
    assert problems(changed(booted, DEBUG="1"), known, tmp_path) == ["DEBUG"]


def test_another_value_than_the_tables_is_found(tmp_path: Path) -> None:
    known = facts("dev", folder=tmp_path)
    booted = started(container("dev", "api-server"), known, tmp_path)
    wrong = changed(booted, AIRFLOW__API__BASE_URL="http://example.com", AWS_REGION="us-east-1")
    assert problems(wrong, known, tmp_path) == ["AIRFLOW__API__BASE_URL", "AWS_REGION"]


def test_a_lost_variable_is_found(tmp_path: Path) -> None:
    known = facts("dev", folder=tmp_path)
    booted = started(container("dev", "worker"), known, tmp_path)
    kept = {name: value for name, value in booted.environment.items() if name != "PLATFORM_ROLE"}
    assert problems(replace(booted, environment=kept), known, tmp_path) == ["PLATFORM_ROLE"]


def test_an_empty_secret_is_found(tmp_path: Path) -> None:
    known = facts("dev", folder=tmp_path)
    booted = started(container("dev", "worker"), known, tmp_path)
    assert problems(changed(booted, PLATFORM_BROKER_PASSWORD=""), known, tmp_path) == [Place.SECRETS]


def test_another_command_health_check_or_file_is_found(tmp_path: Path) -> None:
    known = facts("dev", folder=tmp_path)
    booted = started(container("dev", "api-server"), known, tmp_path)
    assert booted.health is not None
    for wrong, place in (
        (replace(booted, command=("airflow", "standalone")), Place.COMMAND),
        (replace(booted, user="0:0"), Place.USER),
        (replace(booted, health=None), Place.HEALTH),
        (replace(booted, health=replace(booted.health, retries=99)), Place.HEALTH),
        (replace(booted, health=replace(booted.health, command=("CMD", "true"))), Place.HEALTH),
        (replace(booted, mounts={**booted.mounts, "/etc/extra": tmp_path}), Place.MOUNT),
    ):
        assert problems(wrong, known, tmp_path) == [place]


def test_drill_timers_are_no_explanation_without_a_drill(tmp_path: Path) -> None:
    known = facts("dev", folder=tmp_path)
    booted = started(container("dev", "scheduler"), known, tmp_path)
    wrong = changed(booted, **{HEARTBEAT: "30", "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "30"})
    assert problems(wrong, known, tmp_path) == [
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL",
        HEARTBEAT,
    ]


NAMES = st.sampled_from(["worker", "api-server", "other"])
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
WORDS = st.lists(TEXTS, max_size=5).map(tuple)


@given(
    name=NAMES,
    variables=st.dictionaries(st.from_regex(r"[A-Z][A-Z_]{0,12}", fullmatch=True), TEXTS, max_size=5),
    command=WORDS,
    mode=st.sampled_from(Mode),
    timers=st.booleans(),
)
def test_any_container_differs_by_the_table_only(
    name: str, variables: dict[str, str], command: tuple[str, ...], mode: Mode, timers: bool
) -> None:
    rendered = replace(
        container("dev", "worker"),
        name=name,
        environment=variables,
        command=command,
        mounts=(Mount(volume="dags", path="/mnt/dags", read_only=True),),
    )
    folder = Path("/tmp") / "twin-rewriting"  # the volume is a folder that is there
    known = replace(facts("dev", mode, timers=timers, folder=folder), volumes={"dags": Path("/tmp")})
    assert list(unnamed(rendered, known, folder)) == []


@given(st.lists(st.sampled_from(["--concurrency", "7", "12", "celery", "a b", "'"]), max_size=6).map(tuple))
def test_of_a_command_only_the_number_behind_concurrency_changes(command: tuple[str, ...]) -> None:
    rendered = replace(container("dev", "worker"), command=command)
    booted = boot(rendered, facts("dev"), task(), resolve)
    expected = [
        "8" if word == "12" and before == "--concurrency" else word
        for before, word in zip(("", *command), command, strict=False)
    ]
    assert booted.command == ("platform-entrypoint", *expected)


def test_the_table_is_readable() -> None:
    rows = list(described())
    assert len(rows) == len(TABLE)
    assert all(all(cell for cell in row) for row in rows)
    assert {row[0] for row in rows} == set(Kind)
    assert ("drill timer", HEARTBEAT, "30", "drill timers", "600 seconds as rendered") in rows
