"""The image's runtime against the installed Airflow, a real PostgreSQL and a real Redis, both behind TLS.

Not proved here: that the services work together; the twin's tests run them all.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components import wiring
from images.airflow.platform_runtime import bootstrap
from images.airflow.platform_runtime.addresses import ASYNC_DRIVER, SYNC_DRIVER, Broker, Login, Metastore
from sandbox.twin.image import Image, installed
from tests.image.real import BOOTSTRAP, PASSWORD, Servers, run, servers

pytestmark = pytest.mark.twin
ENTRY_POINT = "platform-entrypoint"
ALPHABET = "@/:%#?&$+ =~,;'\"\\!*()[]{}|<>^`-_.éü€中😀aZ09"


@pytest.fixture(scope="module")
def image() -> Image:
    return installed(lambda line: print(line, file=sys.stderr))  # noqa: T201  the first time takes half a minute


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with servers(tmp_path_factory.mktemp("servers")) as started:
        yield started


def asked(image: Image, home: Path, script: str, variables: dict[str, str] | None = None) -> Any:
    """Run Python with the installed Airflow; return what it prints last, as JSON."""
    environment = {**image.environment_in_place, "AIRFLOW_HOME": str(home), "HOME": str(home)}
    answer = run(("python", "-c", script), environment | (variables or {}))
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout.splitlines()[-1])


PRELOAD = """
import json, sys
from airflow.sdk.execution_time.supervisor import ActivitySubprocess
from platform_runtime import preload
print(json.dumps({
    "lacks": preload.preload(),
    "used": ActivitySubprocess._service_subprocess.__qualname__,
    "imported": [name in sys.modules for name in preload.MODULES],
}))
"""


def test_this_airflow_has_what_is_preloaded(image: Image, tmp_path: Path) -> None:
    """Another one may have it elsewhere: then tasks would start and end later, and only this says so."""
    assert asked(image, tmp_path, PRELOAD) == {
        "lacks": [],
        "used": "attentive.<locals>.look",
        "imported": [True, True],
    }


READ_BACK = """
import json, os
from airflow.configuration import conf
from kombu import Connection
from sqlalchemy import make_url
read = []
for sync, asynchronous, broker in json.loads(os.environ["URLS"]):
    os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = sync
    os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"] = asynchronous
    os.environ["AIRFLOW__CELERY__BROKER_URL"] = broker
    databases = [make_url(conf.get("database", name)) for name in ("sql_alchemy_conn", "sql_alchemy_conn_async")]
    queue = Connection(conf.get("celery", "broker_url"))
    logins = [[url.username, url.password, url.host] for url in databases]
    read.append([*logins, [queue.userid, queue.password, queue.hostname]])
print(json.dumps(read))
"""


def test_logins_reach_the_drivers_unchanged(image: Image, tmp_path: Path) -> None:
    """Through Airflow's configuration, which replaces $NAME, and the parsers of SQLAlchemy and kombu."""
    chance = random.Random(5)
    words = [PASSWORD, *("".join(chance.choices(ALPHABET, k=12)) for _ in range(60))]
    where = Metastore(host="m.example", port=1, database="d", ca_bundle="/c", options=())
    urls = [
        (
            where.url(SYNC_DRIVER, Login(word, word), "x"),
            where.url(ASYNC_DRIVER, Login(word, word), "x"),
            Broker("b.example", 1).url(Login(word, word), 0),
        )
        for word in words
    ]
    read = asked(image, tmp_path, READ_BACK, {"URLS": json.dumps(urls)})
    assert read == [[[word, word, "m.example"]] * 2 + [[word, word, "b.example"]] for word in words]


KNOWN = """
import json
from airflow.configuration import conf
from airflow.providers_manager import ProvidersManager
ProvidersManager().initialize_providers_configuration()
print(json.dumps({name: sorted(section["options"]) for name, section in conf.configuration_description.items()}))
"""
FREE_SECTIONS = {"celery_broker_transport_options"}
"""Whatever stands there is handed to kombu."""


def test_airflow_knows_every_option_that_it_is_told(image: Image, tmp_path: Path) -> None:
    """It ignores a misspelt one without a word."""
    known = asked(image, tmp_path, KNOWN)
    rows: tuple[wiring.Plain | wiring.Secret, ...] = (*wiring.PLAIN, *wiring.SECRETS)
    names = {row.name for row in rows if row.name.startswith("AIRFLOW__")}
    parts = {name: name.lower().split("__")[1:] for name in names}
    assert len(parts) > 30
    assert [
        name
        for name, (section, option) in parts.items()
        if section not in FREE_SECTIONS and option not in known.get(section, [])
    ] == []


HOST_NAMES = """
import json
from airflow.utils.net import get_host_ip_address
from platform_runtime.heartbeat import host_name
print(json.dumps([get_host_ip_address(), host_name()]))
"""


def test_health_check_knows_a_host_as_airflow_does(image: Image, tmp_path: Path) -> None:
    airflows, ours = asked(image, tmp_path, HOST_NAMES)
    assert airflows == ours


@pytest.fixture(scope="module")
def bootstrapped(image: Image, running: Servers, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Run the bootstrap task on an empty metastore and return its variables."""
    home = tmp_path_factory.mktemp("bootstrap")
    environment = running.environment(image, "bootstrap", home) | BOOTSTRAP
    environment["PLATFORM_METASTORE_OWNER_PASSWORD"] = running.metastore.owner_password
    answer = run((ENTRY_POINT, "platform-bootstrap"), environment)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert PASSWORD not in answer.stdout + answer.stderr
    return environment


def sql(running: Servers, text: str) -> str:
    return running.metastore.sql(text, "airflow")


def test_the_user_owns_airflows_tables_and_may_do_nothing_else(
    running: Servers, bootstrapped: dict[str, str]
) -> None:
    rights = "rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolcanlogin"
    assert sql(running, f"SELECT {rights} FROM pg_roles WHERE rolname = 'airflow'") == "f|f|f|f|f|t"
    assert sql(running, "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'") == "airflow"
    assert sql(running, "SELECT count(*) > 60 FROM pg_tables WHERE schemaname = 'public'") == "t"


def test_the_password_is_not_in_the_servers_log(running: Servers, bootstrapped: dict[str, str]) -> None:
    assert PASSWORD not in running.metastore.log.read_text()


def test_administrator_and_pool(running: Servers, bootstrapped: dict[str, str]) -> None:
    users = (
        "SELECT u.username, r.name FROM ab_user u JOIN ab_user_role ur ON ur.user_id = u.id"
        " JOIN ab_role r ON r.id = ur.role_id"
    )
    assert sql(running, users) == "admin|Admin"
    assert sql(running, "SELECT slots FROM slot_pool WHERE pool = 'default_pool'") == "48"


def test_a_second_run_changes_nothing_that_somebody_changed(
    running: Servers, bootstrapped: dict[str, str]
) -> None:
    sql(running, "UPDATE ab_user SET password = 'mine'; UPDATE slot_pool SET slots = 64")
    sql(running, "ALTER ROLE airflow CREATEDB PASSWORD 'another'")
    answer = run((ENTRY_POINT, "platform-bootstrap"), bootstrapped | {"PLATFORM_SERVICES_RUNNING": "true"})
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert sql(running, "SELECT password FROM ab_user") == "mine"
    assert sql(running, "SELECT slots FROM slot_pool") == "64"
    assert [line for line in answer.stdout.splitlines() if line.startswith("platform-bootstrap")] == [
        "platform-bootstrap: took the right to make roles and databases from the database user airflow",
        "platform-bootstrap: set the password of the database user airflow to the one in its secret",
        "platform-bootstrap: the schema is the one of this image",
        "platform-bootstrap: there are users (1), so no administrator is made",
        "platform-bootstrap: done",
    ]


def test_it_goes_on_after_sigterm(running: Servers, bootstrapped: dict[str, str]) -> None:
    """Another one holds the lock for as long as it takes to see the signal."""
    program = shutil.which(ENTRY_POINT, path=bootstrapped["PATH"])
    assert program
    with Holding(running):
        process = subprocess.Popen(
            [program, "platform-bootstrap"], env=bootstrapped, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        said = [process.stdout.readline().strip()]
        process.terminate()
        said.append(process.stdout.readline().strip())
    said += process.communicate(timeout=120)[0].splitlines()
    assert process.returncode == 0
    ours = [line for line in said if line.startswith("platform-bootstrap")]
    waiting = "platform-bootstrap: waiting for another bootstrap of this metastore"
    assert [line for line in ours if line != waiting] == [
        "platform-bootstrap: SIGTERM: going on to the end",
        "platform-bootstrap: the schema is the one of this image",
        "platform-bootstrap: there are users (1), so no administrator is made",
        "platform-bootstrap: done",
    ]


class Holding:
    """Holds the bootstrap's lock in a session of its own."""

    def __init__(self, running: Servers) -> None:
        hold = (
            f"DO $$ BEGIN PERFORM pg_advisory_lock({bootstrap.LOCK}), pg_sleep(600);"
            " EXCEPTION WHEN query_canceled THEN NULL; END $$"
        )
        self.thread = threading.Thread(target=sql, args=(running, hold))
        self.running = running

    def __enter__(self) -> None:
        self.thread.start()
        while (
            sql(self.running, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted") == "0"
        ):
            time.sleep(0.1)

    def __exit__(self, *_: object) -> None:
        sql(
            self.running,
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
            " WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()",
        )
        self.thread.join()


def test_membership_in_a_strong_role(running: Servers, bootstrapped: dict[str, str]) -> None:
    """By way of another role, too."""
    sql(running, "CREATE ROLE helpers; GRANT pg_read_all_data TO helpers; GRANT helpers TO airflow")
    answer = run((ENTRY_POINT, "platform-bootstrap"), bootstrapped)
    sql(running, "DROP ROLE helpers")
    assert answer.returncode == 1
    assert "the database user airflow is a member of pg_read_all_data: take that away" in answer.stdout


def test_a_user_with_a_name_that_means_something_to_the_driver(
    running: Servers, bootstrapped: dict[str, str]
) -> None:
    environment = bootstrapped | {"PLATFORM_METASTORE_USERNAME": 'air%s"flow'}
    answer = run((ENTRY_POINT, "platform-bootstrap"), environment)
    assert 'platform-bootstrap: made the database user air%s"flow' in answer.stdout.splitlines()
    assert sql(running, "SELECT rolname FROM pg_roles WHERE rolname LIKE 'air_s%'") == 'air%s"flow'


def test_another_schema_while_services_run(running: Servers, bootstrapped: dict[str, str]) -> None:
    head = sql(running, "SELECT version_num FROM alembic_version")
    sql(running, "UPDATE alembic_version SET version_num = 'older'")
    answer = run((ENTRY_POINT, "platform-bootstrap"), bootstrapped | {"PLATFORM_SERVICES_RUNNING": "true"})
    sql(running, f"UPDATE alembic_version SET version_num = '{head}'")
    assert answer.returncode == 64
    assert "DB: {'older'}" in answer.stdout


def test_an_authority_that_nobody_trusts(
    image: Image, running: Servers, bootstrapped: dict[str, str], tmp_path: Path
) -> None:
    """RDS's own bundle has not signed this server."""
    environment = running.environment(image, "triggerer", tmp_path)
    environment["PLATFORM_METASTORE_CA_BUNDLE"] = image.environment_in_place["PLATFORM_METASTORE_CA_BUNDLE"]
    answer = run(("platform-health", "triggerer"), environment)
    assert answer.returncode == 1
    assert "certificate verify failed" in answer.stdout


SILENT = """
import json
from platform_runtime import health, notes
from platform_runtime.health import Check
notes.write("HOME", {"healthy": True})
health.CHECKS = {"triggerer": Check(health.CHECKS["triggerer"].judge, 1)}
first = health.check("triggerer", __import__("os").environ)
print(json.dumps([first, list(notes.read("HOME"))]))
"""


def test_a_metastore_that_says_nothing(image: Image, running: Servers, tmp_path: Path) -> None:
    """The connection stands, and no byte comes: libpq itself would wait on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        environment = running.environment(image, "triggerer", tmp_path)
        environment["PLATFORM_METASTORE_PORT"] = str(server.getsockname()[1])
        began = time.monotonic()
        said = asked(image, tmp_path, SILENT.replace("HOME", str(tmp_path)), environment)
    assert said == [None, ["healthy", "away_since"]]
    assert time.monotonic() - began < 8


def test_heartbeats_in_the_metastore(
    image: Image, running: Servers, bootstrapped: dict[str, str], tmp_path: Path
) -> None:
    environment = running.environment(image, "triggerer", tmp_path)

    def health() -> str:
        return run(("platform-health", "triggerer"), environment).stdout.strip()

    host = asked(image, tmp_path, HOST_NAMES)[1]
    row = "INSERT INTO job (job_type, hostname, state, latest_heartbeat) VALUES ('TriggererJob', '{}', 'running', {})"
    said = [health()]
    sql(running, row.format("10.9.9.9", "now()"))
    sql(running, row.format(host, "now() - interval '90 s'"))
    # 90 seconds, and what the check takes.
    said.append(health()[:25])
    sql(running, row.format(host, "now()"))
    said.append(health())
    assert said == ["no TriggererJob of this host has begun", "the newest heartbeat is 9", "healthy"]


WORKER = """
import os, sys
from celery import Celery
app = Celery("t", broker=sys.argv[1])
app.conf.worker_hijack_root_logger = False
app.worker_main(["worker", "--concurrency", "2", "--queues", "default,heavy", "--loglevel", "WARNING"])
"""


@pytest.fixture
def worker(image: Image, running: Servers, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Celery worker without Airflow on the broker."""
    environment = running.environment(image, "worker", tmp_path)
    url = Broker("localhost", running.ports["broker"]).url(Login("airflow-dev", PASSWORD), 0)
    process = subprocess.Popen(
        [image.python, "-c", WORKER, url],
        env=environment,
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    yield process
    # Its children as well; a stopped one would not hear anything else, and one without a broker would try for long.
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)


def test_a_workers_health(
    image: Image, running: Servers, worker: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    environment = running.environment(image, "worker", tmp_path)

    def health() -> str:
        return run(("platform-health", "worker"), environment).stdout.strip()

    end = time.monotonic() + 30
    while health() != "healthy" and time.monotonic() < end:
        time.sleep(0.5)
    assert json.loads((tmp_path / "platform-health.json").read_text()) == {
        "seen": {"waiting": 0, "free": 2, "taken": 0},
        "healthy": True,
    }
    os.kill(worker.pid, signal.SIGSTOP)
    assert health() == "the worker does not answer"
    running.broker.stop()
    assert health() == "healthy"
    assert json.loads((tmp_path / "platform-health.json").read_text()).keys() == {"healthy", "away_since"}
    running.broker.start()
