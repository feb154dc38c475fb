"""Mixed trees under switching: readers parse on and on while releases come, go and take turns several times a second.

Real agents follow a real ledger's pointer (moto's), on a clock that runs faster, and copy what a real publisher has put
into a folder; real processes of Airflow parse what the bundle shows. Every DAG file and each of the three modules that
it imports carries the stamp of its release: a parse whose parts differ, or whose stamp is not the one of the version
that the bundle reports, has seen a mixed tree.

The same readers then parse a folder into which the same trees are copied file by file, and must see mixed ones: a
detector that cannot fail proves nothing.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from images.airflow.platform_runtime.releases import state
from images.airflow.platform_runtime.releases.agent import Agent
from images.airflow.platform_runtime.releases.copies import Copies
from images.airflow.platform_runtime.releases.identity import Identity
from images.airflow.platform_runtime.releases.ledger import Ledger
from images.airflow.platform_runtime.releases.publisher import Publisher
from images.airflow.platform_runtime.releases.source import FolderSource
from sandbox.twin.image import Image, installed
from tests.releases import ledger_table
from tests.releases.publishing import store
from tests.releases.trees import Item
from tests.twin.drills import report
from tests.twin.drills.place import place as temporary_place

PARSES: Final = 20_000
CONTROL_PARSES: Final = 500
FILES: Final = 8
CONTAINERS: Final = 2
JOBS: Final = 2
"""Processes that parse at once, in each container."""
TOGETHER: Final = 4
"""Files that such a process parses."""
SPEED: Final = 25
"""The agents' time against ours: they look for the pointer every 5 seconds of theirs."""
SWITCH_SECONDS: Final = 0.25
SWITCHES_EACH: Final = 6
"""From one new release to the next one."""
KEPT: Final = 4
"""Releases that take turns, the last one among them."""
SCRATCH_RELEASES: Final = 7
"""How many copies fit on a container's scratch: the others have to go while somebody reads."""
PATIENCE_SECONDS: Final = 1_500
READING: Final = Path(__file__).with_name("releases_reading.py")

DAG: Final = """
import time
from airflow.sdk import dag, task

from parts.a{number} import STAMP as A
time.sleep(0.002)
from parts.b{number} import STAMP as B
time.sleep(0.002)
from parts.c{number} import STAMP as C


@dag(dag_id="dag{number}", schedule=None, tags=["file {stamp}", f"a {{A}}", f"b {{B}}", f"c {{C}}"])
def make():
    @task
    def nothing():
        return None

    nothing()


make()
"""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What readers have seen."""

    parses: int
    mixed: int
    """Parts of several releases, or another release than the bundle's version."""
    failed: int
    """Files that could not be parsed: a part was missing, or half of it was there."""
    switches: int
    """How often a reader came to another release."""
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the drill found."""

    releases: Seen
    copied: Seen
    """The control."""
    moves: int
    """Of the pointer."""
    published: int
    collected: int
    problems: tuple[str, ...]
    """What agents have complained of."""

    @property
    def good(self) -> bool:
        """Whether releases were never mixed, and the control was."""
        clean = self.releases.mixed == self.releases.failed == 0
        return clean and self.copied.mixed > 0 and not self.problems


def main(results: Path, parses: int = PARSES) -> bool:
    """Run the drill, show a table, and say whether it is as it should be."""
    with temporary_place() as folder:
        found = drill(folder, parses)
    rows = [("releases", found.releases), ("the same trees, copied", found.copied)]
    report.show(
        "Mixed trees under switching",
        [{"readers of": name, **asdict(seen)} for name, seen in rows],
    )
    report.say(
        f"pointer moved {found.moves} times, {found.published} releases published, {found.collected} collected;"
        f" {CONTAINERS} containers, {JOBS} processes each; problems: {', '.join(found.problems) or 'none'}"
    )
    report.write(results, "releases", asdict(found))
    return found.good and found.releases.parses >= parses


def drill(folder: Path, parses: int, control: int = CONTROL_PARSES) -> Found:
    """Let readers parse so many files of releases, and then so many of the control."""
    image = installed(report.say)
    platform = Platform(folder / "platform")
    with platform.running(), ExitStack() as stack:
        readers = [
            stack.enter_context(parsing(image, folder / each.name, local=each.local, requests=each.requests))
            for each in platform.containers
        ]
        chance = random.Random(1)
        until(parses, readers, lambda: platform.move(chance))
        releases = seen(readers, platform.stamps)
    return Found(
        releases=releases,
        copied=copied(image, folder / "copied", control),
        moves=platform.moves,
        published=len(platform.stamps),
        collected=platform.collected,
        problems=tuple(sorted(platform.problems)),
    )


def copied(image: Image, folder: Path, parses: int) -> Seen:
    """Let a reader parse a folder into which trees are copied file by file."""
    live = folder / "live"
    live.mkdir(parents=True)
    copy_into(live, tree(0))
    with ExitStack() as stack:
        readers = [
            stack.enter_context(parsing(image, folder / f"reader{number}", folder=live))
            for number in range(CONTAINERS)
        ]
        numbers = iter(range(1, 10**6))
        until(parses, readers, lambda: copy_into(live, tree(next(numbers))))
        return seen(readers, {})


def tree(stamp: int) -> tuple[Item, ...]:
    """Return a release; those of one length differ in no file's size."""
    items: list[Item] = [("parts/__init__.py", b"", False)]
    for number in range(FILES):
        dag = DAG.format(number=number, stamp=f"{stamp:06d}")
        items.append((f"dag{number}.py", dag.encode(), False))
        items += [(f"parts/{part}{number}.py", f"STAMP = '{stamp:06d}'\n".encode(), False) for part in "abc"]
    return tuple(items)


def copy_into(folder: Path, items: Sequence[Item]) -> None:
    """Bring a folder to a tree as a copying program does: each file at once or not at all, one after the other."""
    for path, content, _ in items:
        fresh = folder / "parts" / ".new"
        fresh.parent.mkdir(parents=True, exist_ok=True)
        assert isinstance(content, bytes)
        fresh.write_bytes(content)
        fresh.rename(folder / path)


# The platform


class Clock:
    """A clock that runs faster, and ends whoever waits by it."""

    def __init__(self) -> None:
        """Begin now."""
        self._began, self._monotonic = time.time(), time.monotonic()
        self.ended = threading.Event()

    def seconds(self) -> float:
        """Return seconds."""
        return (time.monotonic() - self._monotonic) * SPEED

    def since_1970(self) -> float:
        """Return the same, counted as file systems count."""
        return self._began + self.seconds()

    def utc(self) -> datetime:
        """Return the time of day."""
        return datetime.fromtimestamp(self._began, UTC) + timedelta(seconds=self.seconds())

    def wait(self, seconds: float) -> None:
        """Wait."""
        if self.ended.wait(seconds / SPEED):
            raise SystemExit


@dataclass
class Container:
    """A task that reads DAGs: its agent works in a thread of this process."""

    name: str
    folder: Path
    problems: set[str] = field(default_factory=set)

    @property
    def local(self) -> Path:
        """Where the copies are."""
        return self.folder / "releases"

    @property
    def requests(self) -> Path:
        """Where versions are asked for."""
        return self.folder / "home" / state.REQUESTS

    def agent(self, storage: Path, ledger: Ledger, clock: Clock) -> Agent:
        """Return its agent."""
        tracking = self.folder / "bundles" / "_tracking" / "dags"
        # Every file and every entry takes a block.
        budget = SCRATCH_RELEASES * (2 * (4 * FILES + 1) + 3) * 4096
        return Agent(
            ledger=ledger,
            copies=Copies(storage, self.local, budget, tracking=tracking, now=clock.since_1970),
            identity=Identity(service="dag-processor", task_id=self.name, image_digest="sha256:1"),
            local=self.local,
            requests=self.requests,
            say=self._say,
            clock=clock,
            verify_seconds=60,
        )

    def _say(self, line: dict[str, Any]) -> None:
        if line["event"] == "release_problem":
            self.problems.add(f"{self.name}: {line['detail']}")


def _run(agent: Agent) -> None:
    with suppress(SystemExit):
        agent.run()


class Platform:
    """Storage, ledger and containers."""

    def __init__(self, folder: Path) -> None:
        """Make the folders."""
        self.containers = [Container(f"container{n}", folder / f"container{n}") for n in range(CONTAINERS)]
        self.stamps: dict[str, str] = {}
        """By release."""
        self.moves = self.collected = 0
        self._bucket, self._storage = folder / "bucket", folder / "storage"
        self._storage.mkdir(parents=True)
        self._turns: deque[str] = deque(maxlen=KEPT)
        self._clock = Clock()
        self._pointer: Any = None
        self._ledger: Any = None

    @property
    def problems(self) -> set[str]:
        """What agents have complained of."""
        return {each for container in self.containers for each in container.problems}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let the agents work, and the first release be there."""
        with ledger_table.simulation() as session:
            client = ledger_table.Serial(ledger_table.empty(session.client("dynamodb")))
            self._ledger = Ledger(ledger_table.TABLE, client)
            for _ in range(KEPT):
                self._release()
            threads = [
                threading.Thread(target=_run, args=[each.agent(self._storage, self._ledger, self._clock)])
                for each in self.containers
            ]
            for thread in threads:
                thread.start()
            try:
                _wait(lambda: all(not state.unhealthy(each.local) for each in self.containers))
                yield
            finally:
                self._clock.ended.set()
                for thread in threads:
                    thread.join()

    def move(self, chance: random.Random) -> None:
        """Point to a new release, or to another one of those that take turns; and clean up now and then."""
        if self.moves % SWITCHES_EACH == 0:
            self._release()
            if len(self.stamps) % KEPT == 0:
                found = self._publisher.collect(list(self._turns), 0)
                self.collected += len(found.collected)
        else:
            self._point(chance.choice([each for each in self._turns if each != self._pointer.release_id]))

    @property
    def _publisher(self) -> Publisher:
        return Publisher(self._storage, FolderSource(self._bucket))

    def _release(self) -> None:
        stamp = len(self.stamps)
        release_id = store(self._bucket, tree(stamp))
        self._publisher.publish(release_id)
        self._ledger.record_release(ledger_table.release(release_id))
        self.stamps[release_id] = f"{stamp:06d}"
        self._turns.append(release_id)
        self._point(release_id)

    def _point(self, release_id: str) -> None:
        self._pointer = ledger_table.moved(self._ledger, self._pointer, release_id)
        self.moves += 1


# Readers


@dataclass(frozen=True)
class Reader:
    """A program that parses, and what it has written so far."""

    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Return a line for each parse."""
        with self.out.open() as file:
            return [json.loads(line) for line in file if line.endswith("\n")]

    @property
    def out(self) -> Path:
        """Where it writes."""
        return self.folder / "out"

    def count(self) -> int:
        """Return how many files it has parsed."""
        assert self.process.poll() is None, (self.folder / "log").read_text()[-3000:]
        return self.out.read_bytes().count(b"\n") if self.out.exists() else 0


@contextmanager
def parsing(
    image: Image, place: Path, how: Mapping[str, float] | None = None, /, **source: Path
) -> Iterator[Reader]:
    """Let a program parse, with a folder of its own, until the block ends.

    Args:
        image: The environment of Airflow.
        place: The program's own folder.
        how: Number of processes at once, of files that each of them parses, and seconds to pause after each.
        source: What is read: `local` and `requests` of a container, or a `folder`.

    """
    place.mkdir(parents=True)
    # A container's own folders are beside its copies.
    home = source["requests"].parent if "requests" in source else place / "home"
    home.mkdir(parents=True, exist_ok=True)
    request = {name: str(path) for name, path in source.items()} | {
        "scratch": str(place),
        "stop": str(place / "stop"),
        "out": str(place / "out"),
        "files": [f"dag{number}.py" for number in range(FILES)],
        **(how or {"jobs": JOBS, "together": TOGETHER}),
    }
    (place / "request.json").write_text(json.dumps(request))
    environment = {
        **image.environment_in_place,
        "HOME": str(home),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(home.parent / "bundles"),
        "PLATFORM_ROLE": "dag-processor",
    }
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(
            # -P: what lies beside the script is not for Airflow to import.
            [image.python, "-P", READING, place / "request.json"],
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        yield Reader(process, place)
        (place / "stop").touch()
        process.wait(PATIENCE_SECONDS)
    finally:
        process.kill()
        process.wait()


def until(parses: int, readers: Sequence[Reader], switch: Callable[[], None]) -> None:
    """Switch again and again until readers have parsed so many files."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    told = time.monotonic()
    while (count := sum(reader.count() for reader in readers)) < parses and time.monotonic() < give_up_at:
        next_at = time.monotonic() + SWITCH_SECONDS
        switch()
        if time.monotonic() - told > 30:
            told = time.monotonic()
            report.say(f"{count} of {parses} parses, load {os.getloadavg()[0]:.1f}")
        time.sleep(max(0.0, next_at - time.monotonic()))


def seen(readers: Sequence[Reader], stamps: dict[str, str]) -> Seen:
    """Judge what readers have written.

    Args:
        readers: The readers.
        stamps: The stamp of each version; empty where nobody reports a version.

    """
    lines = [line for reader in readers for line in reader.lines]
    good = [line for line in lines if "parts" in line]
    found = [{part.split()[1] for part in line["parts"]} for line in good]
    wanted = [{stamps[line["version"]]} if stamps else each for line, each in zip(good, found, strict=True)]
    return Seen(
        parses=len(lines),
        mixed=sum(len(each) != 1 or each != right for each, right in zip(found, wanted, strict=True)),
        failed=len(lines) - len(good),
        switches=sum(_switches(reader) for reader in readers),
        seconds=max((line["until"] for line in lines), default=0)
        - min((line["at"] for line in lines), default=0),
    )


def _switches(reader: Reader) -> int:
    order = [
        line["parts"][-1] for line in sorted(reader.lines, key=lambda line: line["at"]) if "parts" in line
    ]
    return sum(one != other for one, other in pairwise(order))


def _wait(ready: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < give_up_at, "the agents serve nothing"
        time.sleep(0.05)
