"""The bundle: what a task, the dag-processor and everybody else read, with a stand-in for Airflow's base class.

The tests marked `twin` run it in the real Airflow: its dag-processor while releases switch, its task runner, its
clean-up. Not proved here: what a scheduler does with a task that comes back later; the twin's tests run one.
"""

from __future__ import annotations

import fcntl
import importlib
import inspect
import json
import os
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from images.airflow.platform_runtime.releases import state, usage
from images.airflow.platform_runtime.releases.copies import FRESH_SECONDS, Copies
from images.airflow.platform_runtime.releases.manifest import genesis
from images.airflow.platform_runtime.releases.state import State, Status
from tests.engine.support import ROOT

A, B, C = (letter * 64 for letter in "abc")
EMPTY = genesis().release_id
MODULE = "images.airflow.platform_runtime.releases.bundle"


# What stands in for Airflow


class BaseDagBundle:
    """As airflow.dag_processing.bundles.base has it."""

    supports_versioning = False

    def __init__(
        self,
        *,
        name: str,
        refresh_interval: int = 300,
        version: str | None = None,
        view_url_template: str | None = None,
    ) -> None:
        self.name, self.refresh_interval, self.version = name, refresh_interval, version
        self._view_url_template = view_url_template
        self.is_initialized = False

    def initialize(self) -> None:
        self.is_initialized = True


@dataclass(frozen=True)
class BundleVersion:
    """As airflow.dag_processing.bundles.base has it."""

    version: str
    data: dict[str, Any] | None = None


class BundleVersionLock:
    """As airflow.dag_processing.bundles.base has it: the file stays the same one, its text is the last use."""

    tracking = Path()

    def __init__(self, bundle_name: str, bundle_version: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lock_file: Any = None
        self.lock_file_path = self.tracking / bundle_name / str(bundle_version)

    def acquire(self) -> None:
        self.lock_file_path.parent.mkdir(parents=True, exist_ok=True)
        self.lock_file_path.write_text(datetime.now(UTC).isoformat())
        self.lock_file = self.lock_file_path.open()
        fcntl.flock(self.lock_file, fcntl.LOCK_SH)


class AirflowRescheduleException(Exception):
    """As airflow.sdk.exceptions has it."""

    def __init__(self, reschedule_date: datetime) -> None:
        super().__init__()
        self.reschedule_date = reschedule_date


class AirflowFailException(Exception):
    """As airflow.sdk.exceptions has it."""


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Return the bundle's module, imported with the stand-in."""
    base, exceptions = ModuleType("base"), ModuleType("exceptions")
    monkeypatch.setattr(BundleVersionLock, "tracking", tmp_path / "bundles" / "_tracking")
    for each in (BaseDagBundle, BundleVersion, BundleVersionLock):
        setattr(base, each.__name__, each)
    for failure in (AirflowRescheduleException, AirflowFailException):
        setattr(exceptions, failure.__name__, failure)
    for name in ("airflow", "airflow.dag_processing", "airflow.dag_processing.bundles", "airflow.sdk"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "airflow.dag_processing.bundles.base", base)
    monkeypatch.setitem(sys.modules, "airflow.sdk.exceptions", exceptions)
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    found = importlib.import_module(MODULE)
    monkeypatch.setattr(found, "WAIT_SECONDS", 0.5)
    monkeypatch.setattr(found, "POLL_SECONDS", 0.01)
    yield found
    sys.modules.pop(MODULE, None)


class Task:
    """The folders that a bundle sees, and what the agent says."""

    def __init__(self, module: Any, root: Path) -> None:
        self.module = module
        self.local, self.home = root / "local", root / "home"
        self.tracking = root / "bundles" / "_tracking" / "dags"
        self.local.mkdir()
        for release in (A, B):
            self.copy(release)
        self.serve(A)

    @property
    def requests(self) -> Path:
        return self.home / state.REQUESTS

    def copy(self, release: str) -> None:
        (self.local / release).mkdir()
        (self.local / release / "dag.py").write_text(release)

    def serve(self, release: str, status: Status = Status.VERIFIED, detail: str = "") -> None:
        told = State(
            sequence=1,
            release_id=release,
            serving=release,
            status=status,
            verified_at=None,
            detail=detail,
        )
        state.write(self.local, told)
        state.Pulse(self.local).beat()

    def bundle(self, version: str | None = None, **given: Any) -> Any:
        return self.module.ReleaseBundle(
            name="dags",
            version=version,
            releases_path=str(self.local),
            requests_path=str(self.requests),
            **given,
        )

    def begun(self, version: str | None = None) -> Any:
        found = self.bundle(version)
        found.initialize()
        return found

    def locked(self, release: str) -> bool:
        try:
            with (self.tracking / release).open("r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False


@pytest.fixture
def task(module: Any, tmp_path: Path) -> Task:
    return Task(module, tmp_path)


@pytest.fixture
def in_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATFORM_ROLE", "worker")


# Following


def test_it_has_versions(task: Task) -> None:
    assert task.module.ReleaseBundle.supports_versioning is True


def test_without_a_version_it_shows_what_is_served(task: Task) -> None:
    bundle = task.begun()
    assert (bundle.path, bundle.get_current_version()) == (task.local / A, BundleVersion(A))
    assert bundle.is_initialized


def test_it_changes_when_it_is_refreshed_and_at_no_other_time(task: Task) -> None:
    """The dag-processor puts paths together at its own times."""
    bundle = task.begun()
    task.serve(B)
    assert (bundle.path, bundle.get_current_version()) == (task.local / A, BundleVersion(A))
    bundle.refresh()
    assert (bundle.path, bundle.get_current_version()) == (task.local / B, BundleVersion(B))


@pytest.mark.parametrize("status", [Status.MISMATCH, Status.WAITING, Status.NO_LEDGER])
def test_only_what_is_verified_is_followed(task: Task, status: Status) -> None:
    bundle = task.begun()
    task.serve(B, status)
    bundle.refresh()
    assert bundle.path == task.local / A
    task.serve(B)
    bundle.refresh()
    assert bundle.path == task.local / B


@pytest.mark.parametrize("status", Status)
def test_a_dag_processor_that_begins_takes_what_was_verified_last(task: Task, status: Status) -> None:
    task.serve(B, status)
    assert task.begun().path == task.local / B


def test_before_there_is_anything_it_is_an_error_that_goes_away(task: Task) -> None:
    """The dag-processor tries again at its next check."""
    (task.local / state.CURRENT).unlink()
    bundle = task.bundle()
    with pytest.raises(RuntimeError) as raised:
        bundle.initialize()
    assert str(raised.value) == f"the release agent serves nothing yet ({task.local}/current.json)"
    assert not bundle.is_initialized
    task.serve(A)
    bundle.initialize()
    assert bundle.path == task.local / A


def test_an_agent_that_says_nothing_changes_nothing(task: Task) -> None:
    bundle = task.begun()
    (task.local / state.CURRENT).write_text("{")
    with pytest.raises(RuntimeError):
        bundle.refresh()
    assert bundle.path == task.local / A


def test_it_is_asked_at_each_check_unless_somebody_says_otherwise(task: Task) -> None:
    assert task.bundle().refresh_interval == 1
    assert task.bundle(refresh_interval=60).refresh_interval == 60


def test_who_has_no_copies_can_make_one(task: Task, tmp_path: Path) -> None:
    """The api-server and the scheduler."""
    bundle = task.module.ReleaseBundle(
        name="dags", releases_path=str(tmp_path / "nowhere"), requests_path=str(tmp_path / "nothing")
    )
    assert bundle.path == tmp_path / "nowhere" / "none"
    assert bundle.get_current_version() is None
    assert not (tmp_path / "nothing").exists()


# A version


def test_a_version_is_its_copy(task: Task) -> None:
    """Whatever is served, and however often it is refreshed."""
    bundle = task.begun(B)
    bundle.refresh()
    assert (bundle.path, bundle.get_current_version()) == (task.local / B, BundleVersion(B))
    assert state.requested(task.requests) == []


def test_a_version_that_comes_while_somebody_waits(task: Task, in_worker: None) -> None:
    def agent() -> None:
        while C not in state.requested(task.requests):
            time.sleep(0.01)
        task.copy(C)
        state.answer(task.requests, C)

    thread = threading.Thread(target=agent)
    thread.start()
    assert task.begun(C).path == task.local / C
    thread.join()


def test_a_version_that_does_not_come_brings_the_task_back_later(
    task: Task, in_worker: None, caplog: pytest.LogCaptureFixture
) -> None:
    before, begun = datetime.now(UTC), time.monotonic()
    with pytest.raises(AirflowRescheduleException) as raised:
        task.begun(C)
    assert 0.5 <= time.monotonic() - begun < 5
    assert timedelta(seconds=29) < raised.value.reschedule_date - before < timedelta(seconds=40)
    assert caplog.messages == [f"release {C[:12]}: the release agent has not brought it yet"]
    # The agent goes on: next time it is here.
    assert state.requested(task.requests) == [C]


def test_nobody_waits_once_the_agent_has_given_up(
    task: Task, in_worker: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(task.module, "WAIT_SECONDS", 60)

    def agent() -> None:
        while C not in state.requested(task.requests):
            time.sleep(0.01)
        state.set_problem(task.local, C, "unknown: the ledger has no such release")
        state.answer(task.requests, C)

    thread = threading.Thread(target=agent)
    begun = time.monotonic()
    thread.start()
    with pytest.raises(AirflowRescheduleException):
        task.begun(C)
    thread.join()
    assert time.monotonic() - begun < 30
    assert caplog.messages == [f"release {C[:12]}: unknown: the ledger has no such release"]


@pytest.mark.parametrize("reason", ["mismatch: 1 changed (dag.py)", "gone: the release was collected"])
@pytest.mark.parametrize("version", [B, C], ids=["here", "not here"])
def test_a_version_that_is_wrong_fails_the_task(
    task: Task, in_worker: None, version: str, reason: str
) -> None:
    """At once, and although there may be a copy."""
    state.set_problem(task.local, version, reason)
    with pytest.raises(AirflowFailException) as raised:
        task.begun(version)
    assert str(raised.value) == f"release {version[:12]} must not be used: {reason}"


def test_a_version_that_turns_out_to_be_wrong_fails_the_task_that_waits(task: Task, in_worker: None) -> None:
    def agent() -> None:
        while C not in state.requested(task.requests):
            time.sleep(0.01)
        state.set_problem(task.local, C, "mismatch: x")
        state.answer(task.requests, C)

    thread = threading.Thread(target=agent)
    thread.start()
    with pytest.raises(AirflowFailException):
        task.begun(C)
    thread.join()


@pytest.mark.parametrize("version", ["main", "../../etc", "A" * 64])
def test_what_is_no_release_fails_the_task(task: Task, in_worker: None, version: str) -> None:
    with pytest.raises(AirflowFailException) as raised:
        task.begun(version)
    assert str(raised.value) == (
        f"{version} is no release of this platform: clear the run with its latest version"
    )


# Trouble


@pytest.mark.parametrize(
    ("status", "told"),
    [(Status.MISMATCH, "mismatch: 1 changed (x.py)"), (Status.NO_LEDGER, "no ledger: 1 changed (x.py)")],
)
@pytest.mark.parametrize("version", [None, B], ids=["served", "a version"])
def test_a_worker_starts_nothing_in_trouble(
    task: Task,
    in_worker: None,
    caplog: pytest.LogCaptureFixture,
    status: Status,
    told: str,
    version: str | None,
) -> None:
    task.serve(A, status, "1 changed (x.py)")
    with pytest.raises(AirflowRescheduleException):
        task.begun(version)
    assert caplog.messages == [told]


@pytest.mark.parametrize("missing", [state.CURRENT, state.HEARTBEAT])
def test_a_worker_starts_nothing_without_an_agent(task: Task, in_worker: None, missing: str) -> None:
    (task.local / missing).unlink()
    with pytest.raises(AirflowRescheduleException):
        task.begun(B)


def test_a_worker_goes_on_while_a_release_is_on_its_way(task: Task, in_worker: None) -> None:
    task.serve(A, Status.WAITING)
    assert task.begun().path == task.local / A


def test_a_callback_of_the_dag_processor_is_run_in_trouble_as_well(task: Task) -> None:
    """It would be lost: nobody asks for it again."""
    task.serve(A, Status.MISMATCH)
    assert task.begun(B).path == task.local / B


def test_a_use_that_cannot_be_noted_is_no_use(
    task: Task, in_worker: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_self: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(BundleVersionLock, "acquire", full)
    with pytest.raises(AirflowRescheduleException):
        task.begun(B)
    assert caplog.messages == [
        f"the use of release {B[:12]} cannot be noted: [Errno 28] No space left on device"
    ]


def test_a_request_that_cannot_be_made_brings_the_task_back_later(
    task: Task, in_worker: None, caplog: pytest.LogCaptureFixture
) -> None:
    task.home.write_text("no folder")
    with pytest.raises(AirflowRescheduleException):
        task.begun(C)
    (message,) = caplog.messages
    assert message.startswith(f"release {C[:12]} cannot be asked for: [Errno 20] Not a directory")


# Locks


def test_what_is_used_is_locked(task: Task) -> None:
    """From the choice of the version on: Airflow itself locks after it has parsed."""
    bundle = task.begun(B)
    assert task.locked(B)
    del bundle
    assert not task.locked(B)


def test_the_lock_follows_what_is_followed(task: Task) -> None:
    bundle = task.begun()
    assert (task.locked(A), task.locked(B)) == (True, False)
    task.serve(B)
    bundle.refresh()
    assert (task.locked(A), task.locked(B)) == (False, True)


def test_a_process_that_parses_the_old_release_keeps_it(task: Task) -> None:
    """It was forked before the switch, and shares the lock."""
    bundle = task.begun()
    out, into = os.pipe()
    child = os.fork()
    if not child:
        os.close(into)
        os.read(out, 1)
        os._exit(0)
    os.close(out)
    try:
        task.serve(B)
        bundle.refresh()
        assert (task.locked(A), task.locked(B)) == (True, True)
    finally:
        os.close(into)
        os.waitpid(child, 0)
    assert (task.locked(A), task.locked(B)) == (False, True)


def test_the_agent_and_the_bundle_mean_the_same_lock(task: Task) -> None:
    """A clean-up never takes a copy that a bundle has chosen."""
    later = iter(range(int(time.time()) + 2 * FRESH_SECONDS, 2**40, 2 * FRESH_SECONDS))
    copies = Copies(task.local, task.local, 4 * 4096, tracking=task.tracking, now=lambda: next(later))
    copies.adopt()
    copies.ensure(EMPTY)
    task.serve(EMPTY)
    bundle = task.begun()
    copies._budget = 0
    assert copies.prune(()) == []
    assert bundle.path.is_dir()
    del bundle
    assert copies.prune(()) == [EMPTY]


def test_one_hundred_bundles_show_one_release_each_while_the_pointer_moves(task: Task) -> None:
    """What a task takes at its start is what it reads to its end."""
    seen: list[tuple[str, set[str]]] = []
    done = threading.Event()
    for release in (A, B):
        for number in range(5):
            (task.local / release / f"{number}.py").write_text(release)

    def read() -> None:
        # Not all the time: they would keep the pointer from moving.
        while not done.wait(0.1):
            bundle = task.begun()
            version = bundle.get_current_version().version
            seen.append((version, {path.read_text() for path in bundle.path.iterdir()}))

    readers = [threading.Thread(target=read) for _ in range(100)]
    for reader in readers:
        reader.start()
    for number in range(60):
        task.serve((A, B)[number % 2])
        time.sleep(0.01)
    done.set()
    for reader in readers:
        reader.join()
    assert {version for version, _ in seen} == {A, B}
    assert [each for each in seen if each[1] != {each[0]}] == []


# The dag-processor, played


@dataclass(frozen=True)
class File:
    """As airflow.dag_processing.manager.DagFileInfo: where it lies is not compared."""

    rel_path: Path
    bundle_name: str = "dags"
    bundle_path: Path = field(compare=False, default=Path())
    bundle_version: str | None = None


class Parse:
    """A process that parses."""

    def __init__(self, had_callbacks: bool = False) -> None:
        self.had_callbacks = had_callbacks
        self.parsing_result: object = object()
        self.ended: list[object] = []

    def kill(self, signal_sent: object) -> None:
        self.ended.append(signal_sent)

    def close(self) -> None:
        self.ended.append("closed")


class Manager:
    """The parts of the dag-processor that are touched."""

    def __init__(self) -> None:
        self._dag_bundles: list[Any] = []
        self._bundle_versions: dict[str, str] = {}
        self._file_queue: OrderedDict[File, None] = OrderedDict()
        self._processors: dict[File, Parse] = {}
        self._file_stats: dict[File, str] = {}
        self.taken: list[File] = []
        self.known: list[dict[str, set[File]]] = []

    def handle_removed_files(self, known_files: dict[str, set[File]]) -> None:
        self.known.append({name: set(files) for name, files in known_files.items()})

    def handle_parsing_result(self, file: File, proc: Parse) -> None:
        self.taken.append(file)


@pytest.fixture
def manager(task: Task, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a dag-processor that follows the served release."""
    home = ModuleType("manager")
    kind = type("DagFileProcessorManager", (Manager,), {})
    home.DagFileProcessorManager = kind  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "airflow.dag_processing.manager", home)
    found: Any = kind()
    bundle = task.begun()
    found._dag_bundles = [bundle, BaseDagBundle(name="other")]
    found._bundle_versions = {"dags": A, "other": "1"}
    return found


def file_of(task: Task, release: str, name: str, version: str | None = None) -> File:
    return File(Path(name), bundle_path=task.local / release, bundle_version=version)


def test_a_switch_forgets_what_belongs_to_the_other_release(task: Task, manager: Any) -> None:
    """Airflow compares files by name: it would go on with the old ones."""
    queued, running, done = (file_of(task, A, name) for name in ("queued.py", "running.py", "done.py"))
    called, versioned = file_of(task, A, "called.py"), file_of(task, A, "versioned.py", version=A)
    other = File(Path("queued.py"), "other", Path("/elsewhere"))
    parse, callback = Parse(), Parse(had_callbacks=True)
    manager._file_queue = OrderedDict.fromkeys([queued, versioned, other])
    manager._processors = {running: parse, called: callback}
    manager._file_stats = dict.fromkeys([done, queued, other], "parsed")
    manager.handle_removed_files({"dags": set()})
    assert len(manager._file_queue) == 3
    task.serve(B)
    manager._dag_bundles[0].refresh()
    manager.handle_removed_files({"dags": set()})
    assert list(manager._file_queue) == [versioned, other]
    assert (manager._processors, callback.ended) == ({called: callback}, [])
    assert [str(each) for each in parse.ended] == ["9", "closed"]
    assert manager._file_stats == {other: "parsed"}


@pytest.mark.parametrize(
    ("parsed", "written", "taken"),
    [(A, A, True), (A, B, False), (B, A, False)],
    ids=["same", "late", "early"],
)
def test_a_result_gets_the_version_of_its_file_or_none(
    task: Task, manager: Any, parsed: str, written: str, taken: bool
) -> None:
    """Late: it was parsed before the switch. Early: the database did not take the switch."""
    file = file_of(task, parsed, "x.py")
    manager._bundle_versions["dags"] = written
    manager._file_stats = {file: "parsed"}
    manager.handle_parsing_result(file, Parse())
    assert (manager.taken, manager._file_stats) == (([file], {file: "parsed"}) if taken else ([], {}))


def test_callbacks_and_other_bundles_are_left_alone(task: Task, manager: Any) -> None:
    called, parse = file_of(task, B, "x.py", version=B), Parse(had_callbacks=True)
    parse.parsing_result = None
    other = File(Path("x.py"), "other", Path("/elsewhere"))
    manager.handle_parsing_result(called, parse)
    manager.handle_parsing_result(other, Parse())
    assert manager.taken == [called, other]


def test_nothing_of_a_wrong_copy_is_parsed_or_taken(task: Task, manager: Any) -> None:
    """And nothing is forgotten: its DAGs stay as they were, until the copy is right again or another is served."""
    file, other = file_of(task, A, "x.py"), File(Path("x.py"), "other", Path("/elsewhere"))
    known = {"dags": {file}, "other": {other}}
    state.set_problem(task.local, A, "mismatch: x")
    manager.handle_parsing_result(file, Parse())
    manager.handle_removed_files(known)
    manager.handle_removed_files(known)
    state.set_problem(task.local, A, None)
    manager.handle_removed_files(known)
    assert manager.taken == []
    assert manager.known == [{"other": {other}}, {"other": {other}}, {"dags": {file}, "other": {other}}]


def test_what_was_withheld_does_not_replace_another_release(task: Task, manager: Any) -> None:
    known = {"dags": {file_of(task, A, "x.py")}}
    state.set_problem(task.local, A, "mismatch: x")
    manager.handle_removed_files(known)
    task.serve(B)
    manager._dag_bundles[0].refresh()
    new = file_of(task, B, "y.py")
    known["dags"] = {new}
    manager.handle_removed_files(known)
    assert known == {"dags": {new}}


def test_a_dag_processor_is_taught_once(task: Task, manager: Any) -> None:
    taught = type(manager).handle_removed_files
    task.begun()
    assert type(manager).handle_removed_files is taught


def counted_in(task: Task) -> usage.Usage | None:
    return usage.read(task.home / usage.FILE)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that has an entry for each question to the database."""
    asked: list[int] = []

    def count() -> dict[str, int]:
        asked.append(1)
        return {A: len(asked)}

    monkeypatch.setattr("images.airflow.platform_runtime.releases.runs.unfinished_runs", count)
    return asked


def test_a_dag_processor_counts_the_runs_when_it_refreshes(task: Task, runs: list[int], manager: Any) -> None:
    task.home.mkdir()
    (bundle, _) = manager._dag_bundles
    assert counted_in(task) is None
    bundle.refresh()
    bundle.refresh()
    counted = counted_in(task)
    assert counted
    assert (counted.runs, runs) == ({A: 1}, [1])


def test_nobody_else_counts_runs(task: Task, runs: list[int]) -> None:
    """Neither workers nor the triggerer nor the api-server may ask the database."""
    task.home.mkdir()
    bundle = task.begun()
    bundle.refresh()
    assert (runs, counted_in(task)) == ([], None)


def test_a_version_counts_nothing(task: Task, runs: list[int], manager: Any) -> None:
    """As a dag-processor makes it for a callback."""
    task.begun(B).refresh()
    assert runs == []


# The real Airflow


def airflow(command: str, folder: Path) -> dict[str, Any]:
    """Run a command of `in_airflow.py` in the image's environment."""
    from sandbox.twin.image import installed

    image = installed(lambda line: print(line, file=sys.stderr))  # noqa: T201  the first time takes half a minute
    home, local = folder / "home", folder / "local"
    home.mkdir()
    local.mkdir()
    bundle = {
        "name": "dags",
        "classpath": "platform_runtime.releases.bundle.ReleaseBundle",
        "kwargs": {"releases_path": str(local), "requests_path": str(home / state.REQUESTS)},
    }
    done = subprocess.run(
        # -P: what lies beside the script is not for Airflow to import.
        [image.python, "-P", ROOT / "tests" / "releases" / "in_airflow.py", command, local],
        env={
            **image.environment_in_place,
            "HOME": str(home),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(home / "bundles"),
            "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "2" if command == "withholding" else "600",
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
            "PLATFORM_ROLE": "dag-processor",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.twin
def test_airflow_never_takes_one_release_for_another(tmp_path: Path) -> None:
    """Its dag-processor, switched while half of each release is queued or being parsed."""
    found = airflow("switching", tmp_path)
    assert (found["mixed"], found["wrong"]) == (0, 0)
    assert found["written"] >= 20
    # Long before a file is due by its age.
    assert max(found["latencies"]) < 60


@pytest.mark.twin
def test_airflow_parses_nothing_of_a_wrong_copy(tmp_path: Path) -> None:
    assert airflow("withholding", tmp_path) == {"while it is wrong": 0, "active": 8, "afterwards": 8}


@pytest.mark.twin
def test_airflow_runs_tasks_on_their_version(tmp_path: Path) -> None:
    """What is reported to the API, and whether the version was locked meanwhile.

    A wrong version with retries left is reported by nobody but the executor: the process ends with an error.
    """
    back = ["up_for_reschedule", False]
    found = airflow("tasks", tmp_path)
    # Too short for whoever looks twenty times a second.
    found |= {name: found[name][0] for name in ("wrong, with retries", "wrong, without")}
    assert found == {
        "here": ["success", True],
        "unlocked afterwards": False,
        "no version": ["success", True],
        "not here": back,
        "asked for": ["f" * 64],
        "wrong, with retries": "",
        "wrong, without": "failed",
        "no release": ["failed", False],
        "mismatch": back,
        "no ledger": back,
        "waiting": ["success", True],
        "no state": back,
    }


@pytest.mark.twin
def test_airflows_dag_processor_counts_the_runs_by_release(tmp_path: Path) -> None:
    """The file that its loop writes; then what is counted of runs in all states, and how the database finds them."""
    found = airflow("counting", tmp_path)
    assert found == {
        # Nobody runs them yet; the next run begins on this one.
        "written": {A: 0},
        "complete": True,
        "counted": {A: 4, B: 1},
        "indexes": ["idx_dag_run_queued_dags", "idx_dag_run_running_dags"],
        "not asked for": [],
    }


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return airflow("elsewhere", tmp_path_factory.mktemp("elsewhere"))


@pytest.mark.twin
def test_airflow_makes_bundles_where_nothing_is(elsewhere: dict[str, Any]) -> None:
    assert [Path(elsewhere[name]).name for name in ("path", "versioned")] == [B, A]
    assert (elsewhere["current"], elsewhere["refresh"], elsewhere["url"]) == (B, 1, None)
    assert (Path(elsewhere["nothing"][0]).name, elsewhere["nothing"][1]) == ("none", None)


@pytest.mark.twin
def test_airflows_own_clean_up_never_touches_copies(elsewhere: dict[str, Any]) -> None:
    """It looks for versions in a folder of its own, and breaks off because there is none."""
    assert elsewhere["copies"] == ["a", "b", "c"]
    assert Path(elsewhere["clean-up"]).parts[-4:-1] == ("bundles", "dags", "versions")


@pytest.mark.twin
def test_the_stand_in_is_like_airflow(elsewhere: dict[str, Any]) -> None:
    def names(call: Callable[..., Any]) -> list[str]:
        return list(inspect.signature(call).parameters)

    assert elsewhere["shape"] == {
        "bundle": names(BaseDagBundle.__init__),
        "version": names(BundleVersion),
        "lock": names(BundleVersionLock.__init__),
        "reschedule": names(AirflowRescheduleException.__init__),
    }
