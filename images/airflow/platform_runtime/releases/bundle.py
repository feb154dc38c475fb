"""The DAG bundle of releases: Airflow reads the copies that the release agent holds, each under its version.

A run stays on the version it began with. The dag-processor follows the agent. A task whose version is not here waits
and then comes back later; one whose version is not what its id says fails. Nothing here talks to AWS.
"""

from __future__ import annotations

import functools
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NoReturn

from airflow.dag_processing.bundles.base import BaseDagBundle, BundleVersion, BundleVersionLock

from . import state, usage
from .manifest import is_release_id
from .runs import RunCounter
from .state import Status

log = logging.getLogger(__name__)

REFRESH_SECONDS: Final = 1
"""Airflow asks at each of its checks, which come every `bundle_refresh_check_interval` seconds; a file is read then."""
WAIT_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.2
LATER_SECONDS: Final = 30
NOTHING: Final = "none"
"""Name of a folder that is never there."""
WORKER: Final = "worker"
MANAGER: Final = "airflow.dag_processing.manager"


class ReleaseBundle(BaseDagBundle):  # type: ignore[misc]  # Airflow is in the image only
    """One release, or with no version the one that the agent serves."""

    supports_versioning = True

    def __init__(self, *, releases_path: str, requests_path: str, **given: Any) -> None:
        """Look at nothing yet: the api-server and the scheduler make bundles, too, and have no copies.

        Args:
            releases_path: Folder of the copies.
            requests_path: Folder in which a version is asked for.
            given: What Airflow gives: name, version and other options of the bundle's configuration.

        """
        super().__init__(**{"refresh_interval": REFRESH_SECONDS} | given)
        self._releases = Path(releases_path)
        self._requests = Path(requests_path)
        self._followed: str | None = None
        self._lock: BundleVersionLock | None = None
        self._counter = RunCounter(usage.path_beside(self._requests))
        self.withheld: set[Any] | None = None
        """What the dag-processor knows of files and must not parse, because the copy is wrong."""

    @property
    def path(self) -> Path:
        """The copy; it changes in `initialize` and `refresh` only."""
        return self._releases / (self._release or NOTHING)

    @property
    def _release(self) -> str | None:
        if self.version or self._followed:
            return str(self.version or self._followed)
        served = state.read(self._releases)
        return served.serving if served else None

    def get_current_version(self) -> BundleVersion | None:
        """Return the release that `path` shows."""
        release = self._release
        return BundleVersion(release) if release else None

    def initialize(self) -> None:
        """Make sure that the copy is here, and that it stays as long as this process runs."""
        self._mind_trouble()
        if self.version:
            self._get(str(self.version))
        else:
            self._follow()
            _mind_switches()
        super().initialize()

    def refresh(self) -> None:
        """Follow the agent; while it says anything but "verified", the last release stays.

        Whoever refreshes in a dag-processor is its manager, which alone may ask the database: it also counts the runs.
        """
        if not self.version:
            self._follow()
            if hasattr(_manager(), "minds_switches"):
                self._counter.turn()

    # A version

    def _get(self, version: str) -> None:
        if not is_release_id(version):
            self._fail(f"{version} is no release of this platform: clear the run with its latest version")
        # First the lock, then the look: a copy that is being removed is gone once the lock is here.
        self._hold(version)
        if not self._there(version):
            try:
                state.request(self._requests, version)
            except OSError as error:
                self._come_back(f"release {version[:12]} cannot be asked for: {error}")
            self._wait(version)

    def _wait(self, version: str) -> None:
        until = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < until and (self._requests / version).exists():
            time.sleep(POLL_SECONDS)
            if self._there(version):
                return
        if not self._there(version):
            reason = state.problem(self._releases, version) or "the release agent has not brought it yet"
            self._come_back(f"release {version[:12]}: {reason}")

    def _there(self, version: str) -> bool:
        reason = state.problem(self._releases, version)
        if reason and state.is_final(reason):
            self._fail(f"release {version[:12]} must not be used: {reason}")
        return (self._releases / version).is_dir()

    # The served release

    def _follow(self) -> None:
        served = state.read(self._releases)
        if served is None or not served.serving:
            self._come_back(f"the release agent serves nothing yet ({self._releases / state.CURRENT})")
        if self._followed and served.status is not Status.VERIFIED:
            return
        if served.serving != self._followed:
            self._hold(served.serving)
            self._followed = served.serving

    def _mind_trouble(self) -> None:
        """Start no task while nobody can say what is current, or while a copy is wrong; what runs goes on."""
        if _in_worker() and (reason := state.trouble(self._releases)):
            self._come_back(reason)

    # Both

    def _hold(self, release: str) -> None:
        """Keep a copy from being removed, as long as this process and those it has forked live."""
        lock = BundleVersionLock(bundle_name=self.name, bundle_version=release)
        try:
            lock.acquire()
        except OSError as error:
            self._come_back(f"the use of release {release[:12]} cannot be noted: {error}")
        if self._lock and self._lock.lock_file:
            # Closed and not unlocked: a process that parses the old release shares the lock, and keeps it.
            self._lock.lock_file.close()
        self._lock = lock

    def _come_back(self, reason: str) -> NoReturn:
        log.warning("%s", reason)
        if not _in_worker():
            raise RuntimeError(reason)
        from airflow.sdk.exceptions import AirflowRescheduleException

        raise AirflowRescheduleException(datetime.now(UTC) + timedelta(seconds=LATER_SECONDS))

    def _fail(self, reason: str) -> NoReturn:
        from airflow.sdk.exceptions import AirflowFailException

        raise AirflowFailException(reason)


def _in_worker() -> bool:
    """Say whether somebody understands that a task shall come back: outside of a worker nobody does."""
    return os.environ.get("PLATFORM_ROLE") == WORKER


# The dag-processor keeps the path of each file and of each running parse, and writes every result down under the
# version that the bundle has when it arrives. After a switch that would give the new release what is in the old one's
# files. Two of its methods are wrapped, in this process only: the one that forgets removed files also forgets those of
# other releases, so the new ones are parsed at once; and no result gets a version that is not its file's. Neither is
# anything parsed of a copy that is not what its id says; what is known of its DAGs stays as it is.


def _manager() -> Any:
    """Return the class of a dag-processor's manager; None in a process that is no dag-processor."""
    return getattr(sys.modules.get(MANAGER), "DagFileProcessorManager", None)


def _mind_switches() -> None:
    """Wrap the methods, if this process is a dag-processor and they are not wrapped yet."""
    manager = _manager()
    if manager is None or hasattr(manager, "minds_switches"):
        return
    manager.handle_removed_files = _forgetting(manager.handle_removed_files)
    manager.handle_parsing_result = _checking(manager.handle_parsing_result)
    manager.minds_switches = True


def _forgetting(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def handle_removed_files(self: Any, known_files: dict[str, set[Any]]) -> None:
        for bundle in self._dag_bundles:
            if isinstance(bundle, ReleaseBundle):
                _withhold(bundle, known_files)
                _forget_others(self, bundle.name, bundle.path)
        original(self, known_files)

    return handle_removed_files


def _withhold(bundle: ReleaseBundle, known_files: dict[str, set[Any]]) -> None:
    """Take the files of a wrong copy from those to parse, and give them back when it is right again."""
    if _problem(bundle.path):
        bundle.withheld = known_files.pop(bundle.name, bundle.withheld)
    elif bundle.withheld is not None:
        known_files.setdefault(bundle.name, bundle.withheld)
        bundle.withheld = None


def _forget_others(manager: Any, bundle: str, place: Path) -> None:
    """Forget queued files, running parses and results of releases that are not followed any more."""

    def left(file: Any) -> bool:
        # A callback may have a version of its own.
        return bool(file.bundle_name == bundle and not file.bundle_version and file.bundle_path != place)

    for file in [each for each in manager._file_queue if left(each)]:
        del manager._file_queue[file]
    for file, process in [(each, manager._processors[each]) for each in manager._processors if left(each)]:
        # What was called back must be done, and has no result.
        if not process.had_callbacks:
            del manager._processors[file]
            process.kill(signal.SIGKILL)
            process.close()
    for file in [each for each in manager._file_stats if left(each)]:
        del manager._file_stats[file]


def _checking(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def handle_parsing_result(self: Any, file: Any, proc: Any, **more: Any) -> None:
        bundles = (each for each in self._dag_bundles if each.name == file.bundle_name)
        ours = next((each for each in bundles if isinstance(each, ReleaseBundle)), None)
        if ours is not None and proc.parsing_result is not None:
            parsed, written = file.bundle_path.name, self._bundle_versions.get(file.bundle_name)
            # A bundle without versions has one release for ever, and nothing is written down under it.
            if (ours.supports_versioning and parsed != written) or _problem(file.bundle_path):
                log.warning("%s of release %s is not taken for %s", file.rel_path, parsed[:12], written)
                self._file_stats.pop(file, None)
                return
        original(self, file, proc, **more)

    return handle_parsing_result


def _problem(copy: Path) -> str | None:
    return state.problem(copy.parent, copy.name)
