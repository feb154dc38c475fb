"""A burst of tasks that count their own executions, and what became of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from sandbox.twin.airflow_api import Run, TaskInstance, Unavailable
from tests.twin.running import RunningTwin

DAG = "drill_faults"
MAPPED = "sleep"
POLL_SECONDS = 0.5
FAILED = frozenset({"failed", "upstream_failed"})
PAGES = """
import os, re, sys, urllib.parse, urllib.request
bucket = sys.argv[1]
query = {"list-type": 2, "prefix": sys.argv[2]}
while True:
    url = f"{os.environ['AWS_ENDPOINT_URL']}/{bucket}?{urllib.parse.urlencode(query)}"
    page = urllib.request.urlopen(url, timeout=30).read().decode()
    print(*re.findall("<Key>(.*?)</Key>", page), sep="\\n")
    token = re.search("<NextContinuationToken>(.*?)</NextContinuationToken>", page)
    if not token:
        break
    query["continuation-token"] = token[1]
"""
"""Runs in a container, which finds the endpoint; prints the keys of all objects under a prefix of a bucket."""


@dataclass(frozen=True)
class Mark:
    """What a task has left in S3."""

    number: int
    """The task's index."""
    attempt: int
    execution: str
    what: str
    """began or ended."""
    time: float

    @classmethod
    def of(cls, key: str) -> Mark:
        """Read the key of an object."""
        number, attempt, execution, what, when = unquote(key).rsplit("/", 5)[1:]
        return cls(int(number), int(attempt), execution, what, float(when))


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What became of tasks."""

    submitted: int
    finished: int
    """Ended with success."""
    retried: int
    """Finished, but not at the first attempt."""
    failed: int
    lost: int
    """Did not finish, failed ones included."""
    unseen: int
    """Attempts that were executed more than once: Airflow knows of one execution."""
    overlapping: int
    """Executions that went on although a later one of the same task had begun."""

    @property
    def good(self) -> bool:
        """Whether nothing was lost and nothing ran twice."""
        return self.lost == self.unseen == self.overlapping == 0


@dataclass
class Burst:
    """Tasks that were submitted."""

    twin: RunningTwin
    run: Run
    count: int
    bucket: str
    """Where its tasks leave their marks: the one of the task logs."""

    @classmethod
    def submit(
        cls, twin: RunningTwin, count: int, seconds: float, *, long: int = 0, long_seconds: float = 0
    ) -> Burst:
        """Start `long` tasks of `long_seconds`, and `count` of `seconds` after them."""
        twin.airflow.pause(DAG, paused=False)
        conf = {"count": count, "seconds": seconds, "long_count": long, "long_seconds": long_seconds}
        folder = twin.environment("worker")["AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER"]
        return cls(twin, twin.airflow.trigger(DAG, conf), count + long, urlsplit(folder).netloc)

    def until_begun(self, least: int, seconds: float = 120) -> None:
        """Wait until so many executions have begun; before that a task that Airflow calls running only starts."""
        self._until(
            lambda: sum(mark.what == "began" for mark in self.marks()) >= least, seconds, f"{least} tasks run"
        )

    def until_finished(self, least: int, seconds: float = 90) -> None:
        """Wait until so many of its tasks have finished."""
        self._until(lambda: self._count("success") >= least, seconds, f"{least} tasks have finished")

    def wait(self, seconds: float) -> None:
        """Wait until it is over, at most so long."""
        self.twin.airflow.wait(DAG, [self.run.id], seconds)

    def marks(self) -> list[Mark]:
        """Return what its tasks have left, in order of time."""
        # No fault of a drill ends Flower.
        code, text = self.twin.exec("flower", "python3", "-c", PAGES, self.bucket, f"drill/{self.run.id}/")
        assert code == 0, f"the marks cannot be read: {text}"
        return sorted((Mark.of(key) for key in text.split()), key=lambda mark: mark.time)

    def instances(self) -> list[TaskInstance]:
        """Return its tasks as Airflow knows them."""
        return self.twin.airflow.task_instances(DAG, self.run.id)

    def _count(self, state: str) -> int:
        return self.twin.airflow.count(state, DAG, self.run.id)

    def _until(self, done: Callable[[], bool], seconds: float, what: str) -> None:
        def known() -> bool:
            try:
                return done()
            except Unavailable:
                return False

        self.twin.until(known, seconds, what, POLL_SECONDS)


def count(bursts: Sequence[Burst], marks: Mapping[str, Sequence[Mark]]) -> Counts:
    """Count what became of bursts that are over.

    Args:
        bursts: All of them.
        marks: What each has left, by the id of its run.

    """
    tasks = [each for burst in bursts for each in burst.instances() if each.task_id == MAPPED]
    finished = [each for each in tasks if each.state == "success"]
    submitted = sum(burst.count for burst in bursts)
    return Counts(
        submitted=submitted,
        finished=len(finished),
        retried=sum(each.try_number > 1 for each in finished),
        failed=sum(each.state in FAILED for each in tasks),
        lost=submitted - len(finished),
        unseen=sum(unseen(each) for each in marks.values()),
        overlapping=sum(overlapping(each) for each in marks.values()),
    )


def unseen(marks: Iterable[Mark]) -> int:
    """Return how many attempts were executed more than once."""
    executions = defaultdict(set)
    for mark in marks:
        executions[mark.number, mark.attempt].add(mark.execution)
    return sum(len(found) > 1 for found in executions.values())


def overlapping(marks: Iterable[Mark]) -> int:
    """Return how many executions ended after a later one of the same task had begun."""
    began: dict[tuple[int, str], float] = {}
    ended: dict[tuple[int, str], float] = {}
    for mark in marks:
        (began if mark.what == "began" else ended)[mark.number, mark.execution] = mark.time
    return sum(
        any(
            other[0] == each[0] and began[each] < start < end
            for other, start in began.items()
            if other != each
        )
        for each, end in ended.items()
    )
