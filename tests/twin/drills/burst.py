"""A burst of tasks that count their own executions, and what became of it."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from sandbox.twin.airflow_api import Run, TaskInstance, Unavailable
from tests.twin.running import RunningTwin

DAG = "drill_faults"
MAPPED = "sleep"
POLL_SECONDS = 0.3
PAGES = """
import os, re, sys, urllib.parse, urllib.request
bucket = urllib.parse.urlsplit(os.environ["AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER"]).netloc
query = {"list-type": 2, "prefix": sys.argv[1]}
while True:
    url = f"{os.environ['AWS_ENDPOINT_URL']}/{bucket}?{urllib.parse.urlencode(query)}"
    page = urllib.request.urlopen(url, timeout=30).read().decode()
    print(*re.findall("<Key>(.*?)</Key>", page), sep="\\n")
    token = re.search("<NextContinuationToken>(.*?)</NextContinuationToken>", page)
    if not token:
        break
    query["continuation-token"] = token[1]
"""
"""Runs in a container, which finds the endpoint; prints the keys of all objects under a prefix."""


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
class Outcome:
    """What became of a burst."""

    submitted: int
    finished: int
    """Ended with success."""
    retried: int
    """Finished at a later attempt than the first."""
    failed: int
    lost: int
    """Whatever did not finish, failed ones included."""
    unseen: int
    """Attempts that were executed more than once: Airflow knows of one."""
    overlapping: int
    """Executions of a task that began while an earlier one still ran, and ended."""
    seconds: float
    """From the trigger to the last end of a task."""
    states: dict[str, int]

    @property
    def good(self) -> bool:
        """Whether nothing was lost and nothing ran twice unseen."""
        return self.lost == self.unseen == self.overlapping == 0


@dataclass
class Burst:
    """Tasks that were submitted."""

    twin: RunningTwin
    run: Run
    count: int
    triggered: float

    @classmethod
    def submit(
        cls, twin: RunningTwin, count: int, seconds: float, *, long: int = 0, long_seconds: float = 0
    ) -> Burst:
        """Start `long` tasks of `long_seconds`, and `count` of `seconds` after them."""
        twin.airflow.pause(DAG, paused=False)
        conf = {"count": count, "seconds": seconds, "long_count": long, "long_seconds": long_seconds}
        began = time.time()
        return cls(twin, twin.airflow.trigger(DAG, conf), count + long, began)

    def until_running(self, least: int, seconds: float = 90) -> None:
        """Wait until so many of its tasks run at once."""
        self._until(lambda: len(self._executing()) >= least, seconds, f"{least} tasks run")

    def until_finished(self, least: int, seconds: float = 90) -> None:
        """Wait until so many of its tasks have finished."""
        self._until(lambda: self._count("success") >= least, seconds, f"{least} tasks have finished")

    def wait(self, seconds: float) -> None:
        """Wait until it is over, at most so long."""
        self.twin.airflow.wait(DAG, [self.run.id], seconds)

    def marks(self) -> list[Mark]:
        """Return what its tasks have left, in order of time."""
        code, text = self.twin.exec("triggerer", "python3", "-c", PAGES, f"drill/{self.run.id}/")
        assert code == 0, f"the marks cannot be read: {text}"
        return sorted((Mark.of(key) for key in text.split()), key=lambda mark: mark.time)

    def instances(self) -> list[TaskInstance]:
        """Return its tasks as Airflow knows them."""
        return self.twin.airflow.task_instances(DAG, self.run.id)

    def outcome(self) -> Outcome:
        """Count; for when it is over."""
        marks = self.marks()
        tasks = [each for each in self.instances() if each.task_id == MAPPED]
        finished = [each for each in tasks if each.state == "success"]
        return Outcome(
            submitted=self.count,
            finished=len(finished),
            retried=sum(each.try_number > 1 for each in finished),
            failed=sum(each.state in {"failed", "upstream_failed"} for each in tasks),
            lost=self.count - len(finished),
            unseen=unseen(marks),
            overlapping=overlapping(marks),
            seconds=max((mark.time for mark in marks), default=self.triggered) - self.triggered,
            states=dict(Counter(each.state for each in tasks)),
        )

    def _executing(self) -> list[TaskInstance]:
        return [each for each in self.instances() if each.task_id == MAPPED and each.state == "running"]

    def _count(self, state: str) -> int:
        return self.twin.airflow.count(state, DAG, self.run.id)

    def _until(self, done: Callable[[], bool], seconds: float, what: str) -> None:
        def known() -> bool:
            try:
                return done()
            except Unavailable:
                return False

        self.twin.until(known, seconds, what)


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
        any(other[0] == each[0] and began[each] < start < end for other, start in began.items() if other != each)
        for each, end in ended.items()
    )
