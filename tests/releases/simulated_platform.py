"""A platform for tests of the operations: bucket and ledger in moto, tasks that behave as told, a clock of its own.

The publisher is the real one on a folder; it runs when a task is started.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import boto3
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters
from rich.console import Console

from images.airflow.platform_runtime.releases import publisher_command
from images.airflow.platform_runtime.releases.collecting import Tools
from images.airflow.platform_runtime.releases.ledger import (
    GENESIS,
    Ledger,
    NotPublished,
    Pointer,
    PointerMoved,
    Proof,
    Release,
    Status,
    Target,
    following,
)
from images.airflow.platform_runtime.releases.manifest import Entry, Manifest, genesis
from images.airflow.platform_runtime.releases.publisher import Published, Publisher, PublishError
from images.airflow.platform_runtime.releases.source import S3Source
from images.airflow.platform_runtime.releases.usage import Usage
from operations.clock import Clock
from operations.dag_report import Dag, Report
from operations.fleet import Fleet
from operations.interrupts import Interrupts
from operations.publisher_task import PublisherPlace, PublisherTask
from operations.release import Released, Releasing, Who
from operations.rollback import RollingBack
from operations.screen import Screen
from operations.switch import Switch
from operations.uploads import ReleaseBucket, Uploaded
from operations.verify import Verifying
from tests.releases.ledger_table import REGION, START, TABLE, empty, refused
from tests.releases.trees import Item, manifest_of

BUCKET: Final = "releases"
CLUSTER: Final = "airflow-dev"
ACCOUNT: Final = "123456789012"
DEFINITION: Final = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/airflow-dev-release-publisher:3"
WHO: Final = Who(publisher="arn:aws:sts::123456789012:assumed-role/dags/ada", image_digest="sha256:1")
PLACE: Final = PublisherPlace(
    cluster=CLUSTER,
    task_definition=DEFINITION,
    subnets=("subnet-1", "subnet-2"),
    security_groups=("sg-1",),
)
SERVICES: Final = ("dag-processor", "worker")
OLD: Final[tuple[Item, ...]] = (("daily.py", b"print('daily')\n", False),)
NEW: Final[tuple[Item, ...]] = (("daily.py", b"print('DAILY')\n", False), ("new/one.py", b"1\n", False))
OLD_ID, NEW_ID = manifest_of(OLD).release_id, manifest_of(NEW).release_id
AGENT_SECONDS: Final = 5
"""From a move of the pointer to an agent's proof."""

Hook = Callable[[str], None]


class SimulatedClock(Clock):
    """Time passes when somebody sleeps."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.woken: list[Callable[[], object]] = []

    def now(self) -> datetime:
        return START + timedelta(days=1, seconds=self.passed)

    def seconds(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.passed += max(seconds, 0)
        for wake in self.woken:
            wake()


class GitCommit:
    """A commit's tree, as git_tree reads it."""

    def __init__(self, items: tuple[Item, ...], commit: str = "c" * 40) -> None:
        self.commit, self.manifest = commit, manifest_of(items)
        self._content = {path: content for path, content, _ in items}

    def read(self, entry: Entry) -> bytes:
        content = self._content[entry.path]
        assert isinstance(content, bytes)
        return content


@dataclass
class Gate:
    """Finds one DAG in every tree, unless it is told to raise."""

    error: Exception | None = None

    def check(self, tree: Any) -> Report:
        if self.error:
            raise self.error
        dags = {path.path: Dag(path.path, path.sha256) for path in tree.manifest.entries}
        return Report(airflow="3.3.2", dags=dags)


@dataclass
class Agent:
    """The release agent of a task, and how it behaves."""

    service: str
    task_id: str
    started_at: datetime = START
    behaviour: str = "follows"
    """`follows`, `silent`, `mismatch`, `lies` (verified, and yet something else), `waits`, or is `deaf` to requests."""
    status: str = "RUNNING"
    desired: str = "RUNNING"
    usage: Usage | None = None
    """What was counted beside it."""
    _seen: tuple[int, str, float] = (-1, "", 0.0)
    _said: tuple[int, str, float] = (-1, "", 0.0)

    @property
    def arn(self) -> str:
        return f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/{CLUSTER}/{self.task_id}"

    def told(self, sequence: int) -> bool:
        """Say whether it has said something on a pointer."""
        return self._said[0] == sequence

    def work(self, ledger: Ledger, pointer: Pointer | None, request: str, clock: Clock) -> None:
        """Do what an agent does when time has passed; what it has said already it does not say again."""
        if self.behaviour == "silent" or self.status != "RUNNING":
            return
        sequence = pointer.sequence if pointer else 0
        if self._seen[:2] != (sequence, request):
            self._seen = (sequence, request, clock.seconds())
        if self._said != self._seen and clock.seconds() - self._seen[2] >= AGENT_SECONDS:
            ledger.write_proof(self._proof(pointer, request, clock))
            self._said = self._seen

    def _proof(self, pointer: Pointer | None, request: str, clock: Clock) -> Proof:
        wanted = pointer.release_id if pointer else genesis().release_id
        statuses: dict[str, Status] = {"mismatch": "mismatch", "waits": "waiting"}
        wrong = self.behaviour in {"mismatch", "lies"}
        return Proof(
            service=self.service,
            task_id=self.task_id,
            release_id=wanted,
            computed_id="e" * 64 if wrong else wanted,
            sequence=pointer.sequence if pointer else 0,
            files=2,
            status=statuses.get(self.behaviour, "verified"),
            detail="daily.py: another content" if self.behaviour == "mismatch" else "",
            verified_at=clock.now(),
            image_digest="sha256:1",
            versions=(wanted,),
            request="" if self.behaviour == "deaf" else request,
            usage=self.usage,
        )


@dataclass
class Ecs:
    """ECS as the operations use it; requests are checked against its own model."""

    agents: list[Agent]
    publish: Callable[[list[str]], tuple[int | None, list[str]]]
    """Runs the publisher's command; returns exit code and log."""
    failures: list[str] = field(default_factory=list)
    """Reasons why the next calls of RunTask place nothing."""
    errors: dict[str, list[Exception]] = field(default_factory=dict)
    """What the next calls raise, by operation."""
    polls: int = 2
    """How often the publisher is looked at until it has stopped; negative for never."""
    stopped: dict[str, Any] = field(default_factory=dict)
    """What ECS says of its end besides."""
    unknown: int = 0
    """How often it is not known yet."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._model = _model()
        self.exceptions = self._model.exceptions
        self._code: int | None = None
        self._left = 0

    def describe_task_definition(self, **asked: Any) -> dict[str, Any]:
        self._asked("DescribeTaskDefinition", asked)
        options = {"awslogs-group": "/airflow/publisher", "awslogs-stream-prefix": "release"}
        containers = [
            {"name": "helper", "essential": False},
            {"name": "release-publisher", "essential": True, "logConfiguration": {"options": options}},
        ]
        return {"taskDefinition": {"containerDefinitions": containers}}

    def run_task(self, **asked: Any) -> dict[str, Any]:
        self._asked("RunTask", asked)
        self.requests.append(asked)
        if self.failures:
            return {"tasks": [], "failures": [{"arn": "x", "reason": self.failures.pop(0)}]}
        (override,) = asked["overrides"]["containerOverrides"]
        self._left = self.polls
        self._code, self.lines = self.publish(override["command"])
        return {"tasks": [{"taskArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/{CLUSTER}/publisher-1"}]}

    def describe_tasks(self, **asked: Any) -> dict[str, Any]:
        self._asked("DescribeTasks", asked)
        if asked["tasks"][0].endswith("/publisher-1"):
            return {"tasks": self._publisher(asked["tasks"][0])}
        by_arn = {agent.arn: agent for agent in self.agents}
        found = [by_arn[arn] for arn in asked["tasks"] if arn in by_arn]
        started = {"startedAt": START}
        return {
            "tasks": [
                {"taskArn": agent.arn, "lastStatus": agent.status}
                | (started if agent.status != "PENDING" else {})
                for agent in found
            ]
        }

    def get_paginator(self, name: str) -> Any:
        assert name == "list_tasks"
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        self._asked("ListTasks", asked)
        arns = [
            agent.arn
            for agent in self.agents
            if (agent.service, agent.desired) == (asked["serviceName"], asked["desiredStatus"])
        ]
        # At least two pages, the way long lists come.
        yield {"taskArns": arns[:1]}
        yield {"taskArns": arns[1:]}

    def _publisher(self, arn: str) -> list[dict[str, Any]]:
        if self.unknown:
            self.unknown -= 1
            return []
        self._left -= 1
        if self._left:
            return [{"taskArn": arn, "lastStatus": "RUNNING"}]
        exit_code = {} if self._code is None else {"exitCode": self._code}
        containers = [{"name": "helper", "exitCode": 0}, {"name": "release-publisher", **exit_code}]
        return [{"taskArn": arn, "lastStatus": "STOPPED", "containers": containers, **self.stopped}]

    def _asked(self, operation: str, asked: dict[str, Any]) -> None:
        shape = self._model.meta.service_model.operation_model(operation).input_shape
        validate_parameters(asked, shape)
        if self.errors.get(operation):
            raise self.errors[operation].pop(0)


@cache
def _model() -> Any:
    """Return a client that is asked for what it knows only."""
    return boto3.client("ecs", region_name=REGION)


@dataclass
class Logs:
    """CloudWatch Logs with the publisher's stream."""

    ecs: Ecs
    error: Exception | None = None
    late: int = 0
    """How often the last lines are not there yet."""

    def get_log_events(self, **asked: Any) -> dict[str, Any]:
        assert (asked["logGroupName"], asked["logStreamName"]) == (
            "/airflow/publisher",
            "release/release-publisher/publisher-1",
        )
        if self.error:
            raise self.error
        self.late -= 1
        lines = self.ecs.lines if self.late < 0 else self.ecs.lines[:-1]
        return {"events": [{"message": line} for line in lines[-asked["limit"] :]]}


class Hooked:
    """Something whose every call is told of, before and after."""

    def __init__(self, inner: Any, hook: Hook) -> None:
        self._inner, self._hook = inner, hook

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **more: Any) -> Any:
            self._hook(f"before {name}")
            answer = found(*arguments, **more)
            self._hook(f"after {name}")
            return answer

        return call


class Clients:
    """Clients that moto answers, in place of a session: making them is slow, so each is made once."""

    def __init__(self, session: Any) -> None:
        self._session, self._made = session, dict[str, Any]()

    def client(self, service: str, **_: Any) -> Any:
        if service not in self._made:
            self._made[service] = self._session.client(service)
        return self._made[service]


class MemoryLedger(Ledger):
    """A ledger that only one writer has; nothing is removed from it."""

    def __init__(self) -> None:
        self._moves: list[Pointer] = []
        self._releases: dict[str, Release] = {}
        self._proofs: dict[tuple[str, str], Proof] = {}
        self._request = ""

    def pointer(self) -> Pointer | None:
        return self._moves[-1] if self._moves else None

    def move(self, target: Target, *, expected: Pointer | None, now: datetime) -> Pointer:
        if self.pointer() != expected:
            raise PointerMoved(self.pointer())
        if target.release_id not in {GENESIS, *self._releases}:
            raise NotPublished(f"the release {target.release_id} is not published")
        self._moves.append(following(expected, target, now))
        return self._moves[-1]

    def history(self, limit: int) -> list[Pointer]:
        return self._moves[::-1][:limit]

    def record_release(self, release: Release) -> None:
        self._releases.setdefault(release.release_id, release)

    def releases(self) -> list[Release]:
        return list(self._releases.values())

    def write_proof(self, proof: Proof) -> None:
        self._proofs[proof.service, proof.task_id] = proof

    def proofs(self, services: Iterable[str]) -> list[Proof]:
        return [proof for proof in self._proofs.values() if proof.service in set(services)]

    def request_verify(self, now: datetime) -> str:
        self._request = f"asked at {now.isoformat()}"
        return self._request

    def verify_request(self) -> str:
        return self._request


class MemoryBucket:
    """A bucket."""

    def __init__(self) -> None:
        self.manifests: dict[str, Manifest] = {}
        self.reports: dict[str, bytes] = {}
        self.replaced: tuple[str, ...] = ()

    def upload(self, manifest: Manifest, read: Any, report: bytes) -> Uploaded:
        self.reports[manifest.release_id] = report
        new = self.manifests.setdefault(manifest.release_id, manifest) is manifest
        return Uploaded(archive_bytes=155, written=2 * new, replaced=self.replaced)

    def manifest(self, release_id: str) -> Manifest | None:
        return self.manifests.get(release_id)

    def report(self, release_id: str) -> bytes | None:
        return self.reports.get(release_id)


class Platform:
    """Everything together, in an account that is empty before. `hook` hears of every call that a procedure makes."""

    def __init__(self, clients: Clients | None = None, folder: Path | None = None) -> None:
        """Begin.

        Args:
            clients: None keeps everything in memory, which is a hundred times faster.
            folder: Where the publisher writes; None if it writes nothing.

        """
        self.hook: Hook = lambda _: None
        self.ledger: Ledger = MemoryLedger()
        self.bucket: Any = MemoryBucket()
        self.root = folder
        if clients:
            self.s3, self.dynamodb = clients.client("s3"), clients.client("dynamodb")
            self.ledger = Ledger(TABLE, empty(self.dynamodb), pause=lambda _: None)
            self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
            self.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
            self.bucket = ReleaseBucket(self.s3, BUCKET)
        self.clock = SimulatedClock()
        self.agents = [Agent("dag-processor", "p1"), Agent("worker", "w1"), Agent("worker", "w2")]
        self.ecs = Ecs(self.agents, self._publish)
        self.logs = Logs(self.ecs)
        self.gate = Gate()
        self.interrupts = Interrupts()
        self.printed = io.StringIO()
        self.screen = Screen(Console(file=self.printed, width=120))
        self.clock.woken.append(self._agents_work)
        self.uploaded: Callable[[], object] = lambda: None
        """Called between the upload and the publisher."""

    def released_before(self, items: tuple[Item, ...] = OLD) -> Pointer:
        """Make a release the current one, without the procedure."""
        manifest = manifest_of(items)
        self.bucket.upload(manifest, GitCommit(items).read, Gate().check(GitCommit(items)).to_json())
        self._run_publisher(manifest.release_id, "0" * 40)
        return self.ledger.move(
            Target(
                release_id=manifest.release_id,
                git_commit="0" * 40,
                image_digest="sha256:0",
                publisher="grace",
                reason="release",
            ),
            expected=self.ledger.pointer(),
            now=START,
        )

    def hooked(self, part: Any) -> Any:
        """Return a part that tells the hook of its calls."""
        return Hooked(part, self._hear)

    def switch(self, timeout_seconds: float = 60) -> Switch:
        fleet = Fleet(self.ecs, CLUSTER, SERVICES)
        return Switch(
            self.hooked(self.ledger),
            self.hooked(fleet),
            self.screen,
            self.hooked(self.clock),
            self.interrupts,
            timeout_seconds,
        )

    def releasing(self, timeout_seconds: float = 60) -> Releasing:
        publisher = PublisherTask(
            self.hooked(self.ecs),
            self.hooked(self.logs),
            PLACE,
            self.clock,
            readers=SERVICES,
            patience_seconds=120,
        )
        return Releasing(
            ledger=self.hooked(self.ledger),
            bucket=self.hooked(self.bucket),
            publisher=publisher,
            switch=self.switch(timeout_seconds),
            gate=self.hooked(self.gate),
            screen=self.screen,
        )

    def release(self, items: tuple[Item, ...] = NEW, **options: Any) -> Released:
        with self.interrupts:
            return self.releasing(options.pop("timeout_seconds", 60)).run(GitCommit(items), WHO, **options)

    def rolling_back(self, timeout_seconds: float = 60) -> RollingBack:
        return RollingBack(
            ledger=self.hooked(self.ledger), switch=self.switch(timeout_seconds), screen=self.screen
        )

    def verifying(self, timeout_seconds: float = 60) -> Verifying:
        return Verifying(
            self.hooked(self.ledger),
            Fleet(self.ecs, CLUSTER, SERVICES),
            self.screen,
            self.clock,
            self.interrupts,
            timeout_seconds,
        )

    @property
    def current(self) -> tuple[int, str]:
        """Number and release of the pointer."""
        pointer = self.ledger.pointer()
        return (pointer.sequence, pointer.release_id) if pointer else (0, genesis().release_id)

    def _hear(self, step: str) -> None:
        # Tests change the hook later.
        self.hook(step)

    def _agents_work(self) -> None:
        pointer, request = self.ledger.pointer(), self.ledger.verify_request()
        for agent in self.agents:
            agent.work(self.ledger, pointer, request, self.clock)

    def _publish(self, command: list[str]) -> tuple[int | None, list[str]]:
        program, verb, *words = command
        assert program == "platform-publisher"
        if verb == "collect":
            return self._collect(words)
        release_id, *more = words
        assert (verb, more[::2][:3]) == ("publish", ["--git-commit", "--published-by", "--readers"])
        assert more[5:] == list(SERVICES)
        self.uploaded()
        try:
            self._run_publisher(release_id, more[1], more[3])
        except PublishError as error:
            return 1, ["publishing", json.dumps({"command": "publish", "ok": False, "error": str(error)})]
        return 0, [json.dumps({"command": "publish", "ok": True})]

    def _collect(self, words: list[str]) -> tuple[int, list[str]]:
        """Run the real command."""
        assert self.root
        publisher = Publisher(self.root, S3Source(BUCKET, self.s3), self._timestamp)
        tools = Tools(publisher=publisher, ledger=self.ledger, now=self._timestamp)
        said = io.StringIO()
        with patch("sys.argv", ["platform-publisher", "collect", *words]), redirect_stdout(said):
            code = publisher_command.main(lambda _: tools)
        return code, said.getvalue().splitlines()

    def _timestamp(self) -> float:
        return self.clock.now().timestamp()

    def _run_publisher(self, release_id: str, commit: str, by: str = "grace") -> None:
        published = Published(files=2, size_bytes=17, already=False)
        if self.root:
            source = S3Source(BUCKET, self.s3)
            published = Publisher(self.root, source, self._timestamp).publish(release_id)
        self.ledger.record_release(
            Release(
                release_id=release_id,
                git_commit=commit,
                files=published.files,
                size_bytes=published.size_bytes,
                published_at=self.clock.now(),
                published_by=by,
            )
        )


def throttled(operation: str = "ListTasks") -> ClientError:
    """Return AWS's error for too many calls."""
    return refused("ThrottlingException", operation)
