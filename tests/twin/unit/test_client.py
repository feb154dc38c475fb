"""Starting, finding and ending a twin, with a program that plays its daemon."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from sandbox.cli import InterruptedRunError, SandboxError
from sandbox.twin import client
from sandbox.twin.client import Twin
from sandbox.twin.control import NoTwinError, Server
from tests.twin.unit.statuses import make_service, make_status, make_task


class FakeRelease:
    """A release that has ended when it is looked at for the second time."""

    begun: ClassVar[list[FakeRelease]] = []
    problem = ""

    def __init__(self, project: Path, folder: Path, variables: Mapping[str, str]) -> None:
        self.given, self.looks, self.stopped = (project, folder, variables), 0, False
        self.begun.append(self)

    @property
    def over(self) -> bool:
        self.looks += 1
        return self.looks > 1

    def stop(self) -> None:
        self.stopped = True

    def tell(self, told: Callable[[str], None]) -> None:
        if self.problem:
            raise SandboxError(self.problem)
        told("DAGs are released")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "DAEMON", "tests.twin.unit.fake_daemon")
    monkeypatch.setattr(client, "POLL_SECONDS", 0.02)
    # Whether the image's packages are here already must not matter.
    monkeypatch.setattr(client, "installed", lambda _told: None)
    monkeypatch.setattr(client, "Release", FakeRelease)
    FakeRelease.begun = []


def ignore(_line: str) -> None:
    pass


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[Twin]:
    """Give a twin that runs."""
    found = client.start(tmp_path, "dev", "--port", "0", told=ignore)
    yield found
    found.stop()


def test_a_start_tells_its_progress_until_the_twin_is_ready(tmp_path: Path) -> None:
    told: list[str] = []

    twin = client.start(tmp_path, "dev", "--port", "8081", "--plain", told=told.append)

    folder = tmp_path / ".sandbox/twin/dev"
    assert told == ["services start", "DAGs are released", "worker: 1 healthy, 8.9 s after its start"]
    assert json.loads((folder / "arguments.json").read_text()) == [
        "--project", str(tmp_path), "--stack", "dev", "--port", "8081", "--plain",
    ]  # fmt: skip
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    twin.stop()


def test_a_twin_outlives_the_start_and_ends_when_asked_to(tmp_path: Path) -> None:
    twin = client.start(tmp_path, "dev", "--port", "0", told=ignore)
    assert Twin.find(tmp_path).status()["ready"]

    twin.stop()

    with pytest.raises(NoTwinError):
        twin.status()


def test_a_second_start_brings_the_first_ones_twin_up_to_date(tmp_path: Path, twin: Twin) -> None:
    told: list[str] = []
    updated = tmp_path / ".sandbox/twin/dev/updated"
    assert not updated.exists()

    client.start(tmp_path, "dev", told=told.append)

    assert told[0] == "the twin of dev runs already: bringing it up to date; port and mode stay as they are"
    assert updated.exists()


def test_dags_are_released_once_as_soon_as_the_twins_aws_answers(tmp_path: Path, twin: Twin) -> None:
    (release,) = FakeRelease.begun
    aws = {"AWS_ENDPOINT_URL": "http://127.0.0.1:5000"}
    assert release.given == (tmp_path, tmp_path / ".sandbox/twin/dev", aws)

    client.start(tmp_path, "dev", told=ignore)

    assert len(FakeRelease.begun) == 2


def test_dags_are_released_after_their_check(tmp_path: Path) -> None:
    """Which takes processors until then, and saves the release the same work."""

    class Check:
        looks = 0

        @property
        def over(self) -> bool:
            self.looks += 1
            assert self.looks == 1 or not FakeRelease.begun
            return self.looks > 3

    client.start(tmp_path, "dev", "--port", "0", told=ignore, check=cast("Any", Check()))

    assert len(FakeRelease.begun) == 1
    Twin.find(tmp_path).stop()


def test_dags_that_cannot_be_released_end_the_start_and_not_the_twin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeRelease, "problem", "the DAGs are not released: etl.py:3")

    with pytest.raises(SandboxError, match=r"^the DAGs are not released: etl\.py:3$"):
        client.start(tmp_path, "dev", "--port", "0", told=ignore)

    assert FakeRelease.begun[0].stopped
    Twin.find(tmp_path).stop()


def test_a_daemon_that_ends_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_DAEMON", "broken")

    with pytest.raises(SandboxError) as ended:
        client.start(tmp_path, "dev", "--port", "0", told=ignore)

    log = tmp_path / ".sandbox/twin/dev/daemon.log"
    assert str(ended.value) == f"the twin ended with 1; the end of {log}:\nno PostgreSQL for this machine"


def test_a_twin_that_is_slow_goes_on_and_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_DAEMON", "slow")
    monkeypatch.setattr(client, "START_SECONDS", 1.0)

    with pytest.raises(SandboxError, match=r"not healthy after 1 s \(worker 0/1\) and goes on"):
        client.start(tmp_path, "dev", "--port", "0", told=ignore)

    Twin.find(tmp_path).stop()


def test_a_start_that_is_interrupted_ends_its_twin(tmp_path: Path) -> None:
    def interrupt(line: str) -> None:
        if line == "DAGs are released":
            raise InterruptedRunError

    with pytest.raises(InterruptedRunError):
        client.start(tmp_path, "dev", "--port", "0", told=interrupt)

    assert (tmp_path / ".sandbox/twin/dev/ended").exists()
    assert FakeRelease.begun[0].stopped


def test_a_twin_that_does_not_end_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "STOP_SECONDS", 0.1)
    server = Server(tmp_path, {"status": lambda **_: None, "shutdown": lambda: None})
    server.start()

    with pytest.raises(SandboxError, match=r"still runs after 0\.1 s"):
        Twin(tmp_path).stop()
    server.close()


def test_the_only_twin_is_found_without_its_name(tmp_path: Path, twin: Twin) -> None:
    assert Twin.find(tmp_path).stack == "dev"


def test_with_two_twins_one_must_be_chosen(tmp_path: Path, twin: Twin) -> None:
    other = client.start(tmp_path, "prod", "--port", "0", told=ignore)

    with pytest.raises(SandboxError, match=r"^several twins run, choose one with --stack: dev, prod$"):
        Twin.find(tmp_path)
    assert Twin.find(tmp_path, "prod").stack == "prod"
    other.stop()


def test_without_a_twin_the_way_to_start_one_is_said(tmp_path: Path) -> None:
    folders = tmp_path / ".sandbox/twin"
    with pytest.raises(
        SandboxError, match=f"^no twin runs in {folders}; start one: python -m sandbox twin start STACK$"
    ):
        Twin.find(tmp_path)
    with pytest.raises(NoTwinError, match=f"^no twin runs in {folders}/dev; start one: .* start dev$"):
        Twin.find(tmp_path, "dev").status()


def test_its_airflow_is_asked_as_the_admin(twin: Twin) -> None:
    airflow = twin.airflow()

    assert (airflow.url, airflow.username, airflow.password) == ("http://localhost:8080", "admin", "made up")


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Twin]:
    """Give a twin with two worker services."""
    worker = make_service(
        "worker", make_task("abc1"), make_task("abd2", status="STOPPING"), make_task("abd3"), desired=2
    )
    other = {**make_service("worker"), "name": "dev-worker-large"}
    found = make_status(make_service("scheduler", make_task("x")), worker, other)  # type: ignore[arg-type]
    server = Server(tmp_path, {"status": lambda: found})
    server.start()
    yield Twin(tmp_path)
    server.close()


def test_a_service_is_found_by_role_or_name(two: Twin) -> None:
    assert [two.service(wanted)["name"] for wanted in ("scheduler", "dev-worker")] == [
        "dev-scheduler",
        "dev-worker",
    ]


def test_an_unknown_service_is_answered_with_the_known_ones(two: Twin) -> None:
    with pytest.raises(SandboxError, match=r"^no service 'web'; there are: scheduler, worker, worker$"):
        two.service("web")


def test_a_role_of_several_services_is_not_enough(two: Twin) -> None:
    with pytest.raises(
        SandboxError, match=r"^several services are 'worker', choose one: dev-worker, dev-worker-large$"
    ):
        two.service("worker")


def test_a_task_is_found_by_the_beginning_of_its_id(two: Twin) -> None:
    assert two.tasks("dev-worker", "abc") == ["abc1"]


def test_without_a_beginning_every_running_task_is_meant(two: Twin) -> None:
    assert two.tasks("dev-worker") == ["abc1", "abd3"]


@pytest.mark.parametrize(("beginning", "count"), [("abd", "2"), ("z", "no")])
def test_a_beginning_that_is_not_of_one_task_is_refused(two: Twin, beginning: str, count: str) -> None:
    with pytest.raises(
        SandboxError,
        match=f"^{count} tasks of dev-worker begin with '{beginning}'; there are: abc1, abd2, abd3$",
    ):
        two.task("dev-worker", beginning)
