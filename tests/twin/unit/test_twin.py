"""The running platform, its containers replaced by processes that only exist here: names, targets, updates, changes."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.twin.aws_endpoint import TaskRequest
from sandbox.twin.model import Booted, Overrides, SecretSource
from sandbox.twin.twin import ONE_OFF, Twin, TwinError
from tests.twin.rendered import facts

GATEWAY = "10.20.0.2"


@dataclass
class FakeProcess:
    """Runs until it gets a signal."""

    booted: Booted
    pid: int = 1
    code: int | None = None

    def poll(self) -> int | None:
        return self.code

    def signal(self, number: int) -> None:
        self.code = 128 + number

    def kill(self) -> None:
        self.code = 128 + signal.SIGKILL

    def memory_bytes(self) -> int:
        return 1024 * 1024

    def exec(self, command: Any, environment: Mapping[str, str], **_: Any) -> Any:
        return SimpleNamespace(poll=lambda: 0, kill=lambda: None)


@dataclass
class FakeIsolation:
    """Keeps what was started."""

    name: str = "fake"
    started: list[FakeProcess] = field(default_factory=list)
    _hosts: Any = field(default_factory=lambda: itertools.count(10))

    def address(self) -> str:
        return f"10.20.0.{next(self._hosts)}"

    def release(self, address: str) -> None:
        """Nothing is kept."""

    def start(self, booted: Booted, log: Path) -> FakeProcess:
        self.started.append(FakeProcess(booted))
        return self.started[-1]

    def close(self) -> None:
        """Nothing is kept."""


@dataclass
class FakeBalancer:
    """Finds every target healthy that it was told of."""

    targets: Mapping[str, Any] = field(default_factory=dict)

    def register(self, targets: Mapping[str, Any]) -> None:
        self.targets = targets

    def state(self, target: str) -> str | None:
        return "healthy" if any(target in group for group in self.targets.values()) else None


@dataclass
class Stage:
    """A twin with a clock."""

    twin: Twin
    isolation: FakeIsolation
    balancer: FakeBalancer
    users: list[tuple[Any, ...]]
    now: list[float]

    def go(self, seconds: float) -> None:
        for _ in range(int(seconds * 2)):
            self.now[0] += 0.5
            self.twin.tick()

    def booted(self, role: str) -> Booted:
        """Return the youngest container of a role."""
        return [each.booted for each in self.isolation.started if each.booted.container.name == role][-1]

    def steady(self) -> Stage:
        self.twin.start_services(self.balancer)  # type: ignore[arg-type]
        self.go(30)
        assert self.twin.ready()
        return self


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    users: list[tuple[Any, ...]] = []
    servers = SimpleNamespace(
        endpoint=SimpleNamespace(resolve=lambda source: f"value of {source.key or 'all'}"),
        redis=SimpleNamespace(set_user=lambda *given: users.append(given)),
    )
    isolation, now = FakeIsolation(), [0.0]
    twin = Twin(
        facts=replace(facts("dev", folder=tmp_path), ports={}),
        servers=servers,  # type: ignore[arg-type]
        isolation=isolation,  # type: ignore[arg-type]
        gateway=GATEWAY,
        folder=tmp_path,
        clock=lambda: now[0],
    )
    return Stage(twin, isolation, FakeBalancer(), users, now)


def test_it_is_ready_when_every_service_is_steady(stage: Stage) -> None:
    stage.twin.start_services(stage.balancer)  # type: ignore[arg-type]
    stage.go(1)
    early = stage.twin.ready()
    stage.go(30)

    assert (early, stage.twin.ready()) == (False, True)


def test_containers_find_database_broker_and_healthy_api_servers_by_their_names(stage: Stage) -> None:
    stage.steady()
    platform = stage.twin.facts.platform
    address = stage.booted("api-server").address

    lines = stage.booted("worker").hosts_file.read_text().splitlines()

    assert f"{GATEWAY} {platform.metastore.host}" in lines
    assert f"{GATEWAY} {platform.broker.host}" in lines
    assert f"{address} api-server.dev.airflow.internal" in lines


def test_a_lost_api_server_leaves_the_names_at_once(stage: Stage) -> None:
    stage.steady()
    task = stage.twin.status()[0]["tasks"][0]
    stage.twin.destroy("api-server", task["id"])
    stage.go(1)

    assert f"{task['address']} api-server" not in stage.booted("worker").hosts_file.read_text()


def test_targets_are_running_tasks_with_the_port_of_the_container(stage: Stage) -> None:
    stage.steady()

    assert sorted(target for group in stage.balancer.targets.values() for target in group) == sorted(
        [f"{stage.booted('api-server').address}:8080", f"{stage.booted('flower').address}:5555"]
    )


def test_a_change_is_deployed_with_other_variables_and_without_the_secret_of_that_name(stage: Stage) -> None:
    stage.steady()
    stage.twin.change(
        "worker", {"PLATFORM_BROKER_PASSWORD": "other", "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": None}
    )
    stage.go(60)

    environment = stage.booted("worker").environment

    assert environment["PLATFORM_BROKER_PASSWORD"] == "other"
    assert "AIRFLOW__CORE__EXECUTION_API_SERVER_URL" not in environment


def test_a_change_of_nothing_deploys_what_is_rendered(stage: Stage) -> None:
    stage.steady()
    rendered = dict(stage.booted("worker").environment)
    stage.twin.change("worker", {"AIRFLOW__CORE__EXECUTOR": "LocalExecutor"})
    stage.twin.change("worker", {})
    stage.go(60)

    own = {"HOSTNAME": "", "ECS_CONTAINER_METADATA_URI_V4": ""}
    assert {**stage.booted("worker").environment, **own} == {**rendered, **own}


def test_a_change_is_one_of_the_container_that_the_service_is_about_or_of_the_one_that_is_named(
    stage: Stage,
) -> None:
    stage.steady()
    stage.twin.change("worker", {"ADDED": "1"}, ["--more"])
    stage.go(60)
    assert stage.booted("worker").environment["ADDED"] == "1"
    assert "ADDED" not in stage.booted("release-agent").environment
    assert stage.booted("release-agent").command[-1] == "run"

    stage.twin.change("worker", {"ADDED": "1"}, container="release-agent")
    stage.go(60)
    assert "ADDED" not in stage.booted("worker").environment
    assert stage.booted("release-agent").environment["ADDED"] == "1"


def test_what_ecs_tells_of_the_tasks_of_services(stage: Stage) -> None:
    stage.steady()
    (task,) = [each for each in stage.twin.service_tasks() if "triggerer" in each.service]

    assert (task.state.status, task.definition.family) == ("RUNNING", "airflow-dev-triggerer")
    assert task.state.started_at is not None
    assert abs(time.time() - task.state.started_at) < 120
    (row,) = [row for row in stage.twin.status() if row["role"] == "triggerer"]
    assert task.id == row["tasks"][0]["id"]


def test_a_container_is_told_about_its_task(stage: Stage) -> None:
    stage.steady()
    url = stage.booted("release-agent").environment["ECS_CONTAINER_METADATA_URI_V4"]
    own = url.rpartition("/v4/")[2]
    found = stage.twin.metadata(own)
    assert found is not None

    (container,) = [each for each in found["Containers"] if each["DockerId"] == own]
    assert container["Name"] == "release-agent"
    assert found["TaskARN"].endswith(f"/{own.partition('-')[0]}")
    assert found["ServiceName"] in stage.twin.services
    assert stage.twin.metadata(own.partition("-")[0] + "-1") is None


def test_a_log_is_found_by_its_group_and_stream(stage: Stage) -> None:
    request = TaskRequest(
        id="b" * 32, definition=stage.twin.facts.platform.publisher.arn, overrides={}, started_by=""
    )
    stage.twin.run_task(request)
    stage.go(1)
    (container,) = stage.twin.facts.platform.publisher.containers
    assert container.log is not None
    (file,) = stage.twin.logs_path(ONE_OFF)
    Path(file["path"]).write_text("one\ntwo\n")

    stream = f"task/release-publisher/{request.id}"
    assert stage.twin.log_lines(container.log.group, stream) == ["one", "two"]
    assert stage.twin.log_lines("other", stream) is None
    assert stage.twin.log_lines(container.log.group, "task/release-publisher/other") is None


def test_an_update_replaces_only_what_has_another_definition(stage: Stage) -> None:
    stage.steady()
    platform = stage.twin.facts.platform
    services = tuple(
        replace(each, definition=replace(each.definition, revision=2)) if each.role == "scheduler" else each
        for each in platform.services
    )
    before = {row["role"]: row["tasks"][0]["id"] for row in stage.twin.status()}
    stage.twin.update(replace(stage.twin.facts, platform=replace(platform, services=services)))
    stage.go(120)
    after = {row["role"]: row["tasks"][0]["id"] for row in stage.twin.status()}

    assert [role for role in before if before[role] != after[role]] == ["scheduler"]


def test_an_update_ends_a_service_that_the_stack_no_longer_has(stage: Stage) -> None:
    stage.steady()
    platform = stage.twin.facts.platform
    services = tuple(each for each in platform.services if each.role != "flower")
    stage.twin.update(replace(stage.twin.facts, platform=replace(platform, services=services)))
    stage.go(60)

    assert "flower" not in [row["role"] for row in stage.twin.status()]
    assert stage.twin.ready()


def test_a_one_off_task_gets_the_variables_of_its_request(stage: Stage) -> None:
    request = TaskRequest(
        id="a" * 32,
        definition=stage.twin.facts.platform.bootstrap.arn,
        overrides={
            "bootstrap": Overrides(
                environment={"PLATFORM_SERVICES_RUNNING": "false"}, command=("platform-bootstrap", "--now")
            )
        },
        started_by="gate",
    )
    state = stage.twin.run_task(request)
    stage.go(1)
    stage.isolation.started[-1].code = 64
    stage.go(1)

    assert stage.booted("bootstrap").environment["PLATFORM_SERVICES_RUNNING"] == "false"
    assert stage.booted("bootstrap").command[-2:] == ("platform-bootstrap", "--now")
    assert (state().status, state().exit_codes) == ("STOPPED", {"bootstrap": 64})
    assert [file["container"] for file in stage.twin.logs_path(ONE_OFF)] == ["bootstrap"]


def test_a_definition_that_the_stack_does_not_have_is_refused(stage: Stage) -> None:
    request = TaskRequest(id="a" * 32, definition="other:1", overrides={}, started_by="")

    with pytest.raises(TwinError, match="the stack has no task definition other:1"):
        stage.twin.run_task(request)


def test_the_brokers_user_gets_what_modify_user_asks_for(stage: Stage) -> None:
    broker = stage.twin.facts.platform.broker
    asked = {
        "UserId": broker.user_id,
        "AccessString": "on ~* +@all",
        "AuthenticationMode": {"Passwords": ["p"]},
    }

    stage.twin.modify_user(asked)

    assert stage.users == [(broker.user_name, "on ~* +@all", ["p"])]


def test_another_user_is_refused(stage: Stage) -> None:
    with pytest.raises(TwinError, match="the broker has no user other"):
        stage.twin.modify_user({"UserId": "other", "AccessString": ""})


def test_a_service_is_found_by_its_role_or_name_and_nothing_else(stage: Stage) -> None:
    stage.steady()

    with pytest.raises(TwinError, match=r"no services 'web'; there are: airflow-dev-api-server"):
        stage.twin.deploy("web")


def test_everything_ends(stage: Stage) -> None:
    stage.steady()
    stage.twin.stop()
    stage.go(5)
    assert stage.twin.over

    assert [each.code for each in stage.isolation.started if each.code is None] == []


def test_secrets_are_asked_by_their_arn_and_key(stage: Stage) -> None:
    asked: list[SecretSource] = []
    stage.twin.servers.endpoint.resolve = lambda source: asked.append(source) or "x"  # type: ignore[method-assign,func-returns-value]
    stage.steady()

    assert {source.key for source in asked} == {None, "username", "password"}
