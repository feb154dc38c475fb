"""The gate before publishing: the image's Airflow reads the tree, and what the platform would trip over is said.

It refuses import errors, DAG ids that are there twice, and DAGs that are other ones each time they are read, since
Airflow keeps each as a new version. For the last it asks Airflow's own check, which looks at the source, and reads
everything twice: what differs varies, whatever its source looks like. What varies from day to day only, behind a name
that Airflow's check does not know, is not found.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from images.airflow.lock import FOLDER, LOCK, PINNED, python_version
from images.airflow.platform_runtime.releases.archive import remove
from images.airflow.platform_runtime.releases.entries import Entry, Kind, shown
from images.airflow.platform_runtime.releases.manifest import Manifest
from operations.dag_report import Changes, Dag, Report, compare, some
from operations.gate_findings import Fault, Finding, GateRefusal, judge

__all__ = [
    "AirflowGate",
    "Changes",
    "Dag",
    "Fault",
    "Finding",
    "Gate",
    "GateError",
    "GateRefusal",
    "Report",
    "Tree",
    "compare",
    "image_python",
]

PROGRAM: Final = Path(__file__).with_name("gate_reading.py")
TIME_LIMIT_SECONDS: Final = 600.0
FILE_SECONDS: Final = 50
"""What the dag-processor gives a file by default (`dag_file_processor_timeout`)."""
PAUSE_SECONDS: Final = 0.05
TIDYING_SECONDS: Final = 5.0
LOG_LINES: Final = 5
READINGS: Final = ("1", "2")
"""Seeds of Python's hashes: the order of a set is another one in each of them."""
IMAGE: Final[Mapping[str, str]] = {
    # As in the containers that read DAGs, where it changes what is read.
    "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
    "AIRFLOW__CORE__DEFAULT_TASK_RETRIES": "1",
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__DAGS_FOLDER": "/opt/airflow/dags",
    # By default the trace of an error ends before it comes to the DAG's own line.
    "AIRFLOW__CORE__DAGBAG_IMPORT_ERROR_TRACEBACK_DEPTH": "50",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    # A release is read-only.
    "PYTHONDONTWRITEBYTECODE": "1",
    # The machine of a pipeline may have a role of its own; no DAG gets at it.
    "AWS_EC2_METADATA_DISABLED": "true",
}

Say = Callable[[str], None]


class Tree(Protocol):
    """A release's content, as `git_tree.read` gives it."""

    @property
    def manifest(self) -> Manifest:
        """What it consists of."""

    def read(self, entry: Entry) -> bytes:
        """Return the content of a file."""


class GateError(Exception):
    """The DAGs could not be read at all, so nothing is known of them; the message says why."""


class Gate(Protocol):
    """Whoever decides whether a tree may become a release."""

    def check(self, tree: Tree) -> Report:
        """Return the DAGs of the tree.

        Raises:
            GateRefusal: They must not be released.
            GateError: They cannot be read.

        """


@dataclass(frozen=True, kw_only=True)
class AirflowGate:
    """Reads the DAGs with the image's Airflow, in processes that know nothing of this one's secrets."""

    python: Path | None = None
    """Python that has the packages of the image's lock; without it an environment is made once, in the user's cache."""
    lock: Path = FOLDER / LOCK
    variables: Mapping[str, str] = field(default_factory=dict)
    """What the DAGs need of a container's variables while they are read, such as AIRFLOW_VAR_NAME."""
    time_limit_seconds: float = TIME_LIMIT_SECONDS
    file_seconds: float = FILE_SECONDS
    say: Say = lambda _: None

    @property
    def fingerprint(self) -> str:
        """Return what is another text as soon as the same tree might be judged otherwise."""
        parts = {
            "lock": self.lock.read_text(),
            "program": PROGRAM.read_text(),
            "python": str(self.python),
            "variables": {**IMAGE, **self.variables},
            "file_seconds": self.file_seconds,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def check(self, tree: Tree) -> Report:
        """Read the tree twice and return its DAGs.

        Raises:
            GateRefusal: With all that must be changed.
            GateError: Airflow is not there, is another one, or does not come to an end.

        """
        # Not resolved: a virtual environment's Python is a link, and only under its own name it has the packages.
        python = (self.python or image_python(self.say)).absolute()
        work = Path(tempfile.mkdtemp(prefix="dag-gate-")).resolve()
        try:
            root = _materialise(tree, work / "tree")
            self.say(f"reading the DAGs of {tree.manifest.files} files")
            readings = [_Reading(work / seed, python, root, self) for seed in READINGS]
            _run(readings, self.time_limit_seconds)
            for reading in readings:
                reading.refuse_a_failure(self.lock)
            return judge(*readings)
        except OSError as error:
            raise GateError(f"the tree cannot be laid out for reading: {error}") from error
        finally:
            _tidy_up(work, self.say)


def _tidy_up(work: Path, say: Say) -> None:
    """Remove the work folder; a process that was killed a moment ago may still write into it."""
    give_up_at = time.monotonic() + TIDYING_SECONDS
    while True:
        try:
            remove(work)
        except OSError as error:
            if time.monotonic() >= give_up_at:
                say(f"{work} cannot be removed: {error}")
                return
            time.sleep(PAUSE_SECONDS)
        else:
            return


def image_python(say: Say) -> Path:
    """Return the Python of the environment with the image's packages, which is made when there is none.

    Raises:
        GateError: The packages cannot be installed.

    """
    from sandbox.twin.packages import PackagesError, environment

    try:
        return environment(FOLDER / LOCK, python_version(), say) / "bin" / "python"
    except (PackagesError, ImportError) as error:
        raise GateError(f"{error}; give a Python that has them by --python") from error


def _materialise(tree: Tree, root: Path) -> Path:
    """Write the tree as a container has it; a manifest has good paths only."""
    root.mkdir()
    for folder in tree.manifest.folders:
        (root / folder).mkdir()
    for entry in tree.manifest.entries:
        place = root / entry.path
        if entry.kind is Kind.LINK:
            place.symlink_to(entry.target)
            continue
        content = tree.read(entry)
        if hashlib.sha256(content).hexdigest() != entry.sha256:
            raise GateError(f"{shown(entry.path)}: its content is not the one that was listed")
        place.write_bytes(content)
        place.chmod(0o555 if entry.mode & 0o100 else 0o444)
    for folder in [*reversed(tree.manifest.folders), ""]:
        (root / folder).chmod(0o555)
    return root


class _Reading:
    """One reading of the whole tree, by a process of its own."""

    def __init__(self, work: Path, python: Path, root: Path, gate: AirflowGate) -> None:
        self.work = work
        self.out = work / "out"
        self.root = root
        self._python = python
        self._gate = gate
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, jobs: int) -> None:
        for name in ("out", "home", "tmp"):
            (self.work / name).mkdir(parents=True)
        request = {
            "tree": str(self.root),
            "out": str(self.out),
            "jobs": jobs,
            "file_seconds": self._gate.file_seconds,
        }
        (self.work / "request.json").write_text(json.dumps(request))
        with (self.work / "log").open("wb") as log:
            try:
                self.process = subprocess.Popen(
                    # Neither this program's folder nor the user's packages are importable.
                    [str(self._python), "-P", "-s", str(PROGRAM), str(self.work / "request.json")],
                    env=self._environment(),
                    cwd=self.work / "home",
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise GateError(f"{self._python} cannot be run: {error.strerror}") from error

    def _environment(self) -> dict[str, str]:
        """Return all variables; nothing comes from this process."""
        home = str(self.work / "home")
        path = os.pathsep.join((str(self._python.parent), "/usr/local/bin", "/usr/bin", "/bin"))
        own = {"PATH": path, "HOME": home, "AIRFLOW_HOME": home, "TMPDIR": str(self.work / "tmp")}
        return {**IMAGE, **own, **self._gate.variables, "PYTHONHASHSEED": self.work.name}

    def stop(self) -> None:
        """End the process and all that it or a DAG has started."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def refuse_a_failure(self, lock: Path) -> None:
        """Raise GateError unless the right packages have read everything."""
        packages = self._result("packages")
        if packages is not None and (wrong := _other_packages(packages, lock.read_text())):
            raise GateError(
                f"{self._python} does not have the packages of the image: {some(wrong)};"
                " install them from its lock, or leave out --python"
            )
        code = self.process.returncode if self.process else None
        if code or self._result("files") is None:
            log = (self.work / "log").read_text(errors="replace").splitlines()[-LOG_LINES:]
            raise GateError(
                "\n".join([f"the program that reads the DAGs ended with {code}; it said last:", *log])
            )

    @property
    def airflow(self) -> str:
        """Version of the Airflow that read."""
        return str((self._result("packages") or {}).get("apache-airflow-core", "unknown"))

    @property
    def no_walk(self) -> str:
        """Why Airflow could not list the tree's files; empty when it could."""
        return str((self._result("files") or {}).get("error", ""))

    def files(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Return each file's path and what reading it gave, nothing if it was not read."""
        for number, path in enumerate((self._result("files") or {}).get("files", [])):
            yield path, self._result(str(number)) or {}

    def _result(self, name: str) -> dict[str, Any] | None:
        try:
            result = json.loads((self.out / f"{name}.json").read_bytes())
        except FileNotFoundError:
            return None
        return dict(result)


def _run(readings: list[_Reading], limit_seconds: float) -> None:
    """Let the readings run side by side to their end.

    Raises:
        GateError: They take too long.

    """
    give_up_at = time.monotonic() + limit_seconds
    jobs = max(1, (os.cpu_count() or 1) // len(readings))
    with _ended(readings):
        for reading in readings:
            reading.start(jobs)
        while any(reading.process and reading.process.poll() is None for reading in readings):
            if time.monotonic() > give_up_at:
                left = tuple(path for path, result in readings[0].files() if not result)
                where = f"; not read by then: {some(left)}" if left else ""
                raise GateError(f"reading the DAGs takes longer than {limit_seconds:g} s{where}")
            time.sleep(PAUSE_SECONDS)


@contextmanager
def _ended(readings: list[_Reading]) -> Iterator[None]:
    try:
        yield
    finally:
        for reading in readings:
            reading.stop()


def _other_packages(installed: Mapping[str, str], lock: str) -> tuple[str, ...]:
    """Return which packages of the lock are not there, or in another version."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for name, version in PINNED.findall(lock):
        wanted[_normal(name)].add(version)
    # With a marker a package may rightly be absent.
    anywhere = {_normal(name) for name in re.findall(r"^([\w.-]+)==[^\s;]+ \\$", lock, re.MULTILINE)}
    there = {_normal(name): version for name, version in installed.items()}
    return tuple(
        f"{name}: want {' or '.join(sorted(versions))}, got {there.get(name, 'none')}"
        for name, versions in sorted(wanted.items())
        if (there[name] not in versions if name in there else name in anywhere)
    )


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
