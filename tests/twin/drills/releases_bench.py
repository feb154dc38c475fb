"""How long a release takes, from the tree to the proof of every container, and from the pointer to a parsed DAG.

Bucket and ledger are moto's, asked over HTTP on this machine; the DAG storage is a folder. The publisher is the real
one, in this process; six containers run the real release agent, each a process of its own with the interval that it has
in ECS, and one of them a reader that parses with Airflow. All share this machine's processors; in ECS each has its own.
The same changes are then made by copying what has changed, and by Airflow's Git bundle.

Starting a publisher's task in ECS, which takes half a minute, and a file system in a network are not in these times.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from botocore.config import Config

from images.airflow.platform_runtime.releases import state
from images.airflow.platform_runtime.releases.entries import Entry
from images.airflow.platform_runtime.releases.ledger import Ledger, Pointer, Proof
from images.airflow.platform_runtime.releases.publisher import Publisher
from images.airflow.platform_runtime.releases.source import S3Source
from operations.uploads import ReleaseBucket
from sandbox.twin import aws_endpoint
from sandbox.twin.aws_endpoint import StandIns, TaskState
from sandbox.twin.image import FOLDER, Image, installed
from sandbox.twin.rewrites import METADATA_PATH
from tests.releases import ledger_table
from tests.releases.trees import Item, manifest_of
from tests.twin.drills import releases, report
from tests.twin.drills.place import place
from tests.twin.drills.releases_others import Tried, by_copying, by_git
from tests.twin.drills.releases_trees import STAMPED, Looks, release, wrong

SIZES: Final = (1_000, 10_000)
CONTAINERS: Final = 6
SERVICE: Final = "worker"
BUCKET: Final = "releases"
ROLLBACKS: Final = 5
PATIENCE_SECONDS: Final = 180.0
POLL_SECONDS: Final = 0.05
PARSE_SECONDS: Final = 0.2
"""Between two parses of the reader, which shall not take the processors for itself."""


@dataclass(kw_only=True)
class Ours(Tried):
    """What releases did, and how long each part took."""

    upload: list[float] = field(default_factory=list)
    publish: list[float] = field(default_factory=list)
    prove: list[float] = field(default_factory=list)
    """From the move of the pointer to the last proof; the agents ask for it every 4 to 5 s."""
    rollback: list[float] = field(default_factory=list)
    parsed: list[float] = field(default_factory=list)
    """From the move of the pointer to the end of the first parse of that release."""


def main(results: Path, rounds: int, large_rounds: int) -> bool:
    """Measure, show tables, and say whether no release was ever seen in parts, or other than it was published."""
    image = installed(report.say)
    rows: list[dict[str, Any]] = []
    found: dict[str, Any] = {"load before": os.getloadavg()[0]}
    good = True
    for size in SIZES:
        times = rounds if size == min(SIZES) else large_rounds
        report.say(f"{size} files, {times} releases ...")
        with place() as folder:
            ours = by_releases(image, folder / "ours", size, times)
            others = [
                by_copying(folder, size, times, "size and time"),
                by_copying(folder, size, times, "size only"),
                by_git(image, folder / "git", size, times),
            ]
        report.show(f"Releases of {size} files, in seconds", steps(ours))
        rows += [row(size, each) for each in (ours, *others)]
        found[str(size)] = [each.document() for each in (ours, *others)]
        good = good and ours.mixed == ours.missing == ours.wrong_releases == 0
    report.show("The same changes by each way", rows)
    report.say(f"load of the machine: {found['load before']:.1f} before, {os.getloadavg()[0]:.1f} after")
    report.write(results, "release-bench", found)
    return good


def by_releases(image: Image, folder: Path, files: int, rounds: int) -> Ours:
    """Release so many times, roll back some times, and damage a copy."""
    folder.mkdir(parents=True)
    ours = Ours(way="releases")
    with ExitStack() as stack:
        platform = stack.enter_context(running(folder))
        platform.release(release(files, 0))
        reader = stack.enter_context(
            releases.parsing(
                image,
                folder / "reader",
                {"jobs": 1, "together": 1, "pause": PARSE_SECONDS},
                local=platform.local(0),
                requests=platform.home(0) / state.REQUESTS,
            )
        )
        platform.wait(lambda: reader.count() > 0, "the reader parses nothing")
        for number in range(1, rounds + 1):
            _measure(platform, reader, release(files, number), ours)
        for _ in range(min(ROLLBACKS, rounds)):
            began = time.monotonic()
            platform.point(platform.pointer().previous_release_id, "rollback")
            platform.wait_for_proofs()
            ours.rollback.append(time.monotonic() - began)
        ours.notes = {"damaged byte": platform.damage()}
    return ours


def _measure(platform: Platform, reader: releases.Reader, items: tuple[Item, ...], ours: Ours) -> None:
    manifest = manifest_of(items)
    with Looks(platform.served) as looks:
        began = time.monotonic()
        spent = platform.release(items)
        ours.seconds.append(time.monotonic() - began)
        moved_at = spent.moved_at
        platform.wait(lambda: _parsed(reader, manifest.release_id) > 0, "the release is not parsed")
    ours.upload.append(spent.upload)
    ours.publish.append(spent.publish)
    ours.prove.append(spent.prove)
    ours.parsed.append(_parsed(reader, manifest.release_id) - moved_at)
    counts = wrong(platform.served(), items, manifest)
    ours.note(looks, counts)


def _parsed(reader: releases.Reader, release_id: str) -> float:
    """Return when a release was first parsed, in seconds since 1970; 0 if it was not yet."""
    times = [line["until"] for line in reader.lines if line["version"] == release_id]
    return float(min(times, default=0.0))


@dataclass(frozen=True, kw_only=True)
class Spent:
    """How long the parts of a release took."""

    upload: float
    publish: float
    prove: float
    moved_at: float


class Platform:
    """Bucket, ledger, storage and containers."""

    def __init__(self, folder: Path, url: str, processes: list[subprocess.Popen[bytes]]) -> None:
        """Use what serves there."""
        self._folder, self._processes = folder, processes
        self._s3, dynamodb = client("s3", url), client("dynamodb", url)
        ledger_table.create(dynamodb)
        place = {"LocationConstraint": ledger_table.REGION}
        self._s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
        self._ledger = Ledger(ledger_table.TABLE, dynamodb)
        self.storage = folder / "storage"
        self.storage.mkdir()

    def local(self, number: int) -> Path:
        """Return where a container's copies are."""
        return self._folder / f"container{number}" / "releases"

    def home(self, number: int) -> Path:
        """Return a container's AIRFLOW_HOME."""
        return self._folder / f"container{number}" / "home"

    def served(self) -> Path:
        """Return what readers of the first container find."""
        found = state.read(self.local(0))
        return self.local(0) / (found.serving if found else "")

    def pointer(self) -> Pointer:
        """Return the pointer."""
        found = self._ledger.pointer()
        assert found
        return found

    def release(self, items: tuple[Item, ...]) -> Spent:
        """Release a tree: from its content to the proofs of all containers."""
        content = {path: given for path, given, _ in items}

        def read(entry: Entry) -> bytes:
            found = content[entry.path]
            assert isinstance(found, bytes)
            return found

        laps = [time.monotonic()]
        manifest = manifest_of(items)
        ReleaseBucket(self._s3, BUCKET).upload(manifest, read, b"{}")
        laps.append(time.monotonic())
        published = Publisher(self.storage, S3Source(BUCKET, self._s3)).publish(manifest.release_id)
        self._ledger.record_release(
            ledger_table.release(manifest.release_id, files=published.files, size_bytes=published.size_bytes)
        )
        laps.append(time.monotonic())
        moved_at = time.time()
        self.point(manifest.release_id, "release")
        self.wait_for_proofs()
        laps.append(time.monotonic())
        upload, publish, prove = (after - before for before, after in pairwise(laps))
        return Spent(upload=upload, publish=publish, prove=prove, moved_at=moved_at)

    def point(self, release_id: str, reason: str) -> None:
        """Move the pointer."""
        ledger_table.moved(
            self._ledger, self._ledger.pointer(), release_id, reason=reason, now=datetime.now(UTC)
        )

    def wait_for_proofs(self) -> None:
        """Wait until every container has proved what the pointer names."""
        pointer = self.pointer()

        def proved(proof: Proof) -> bool:
            right = proof.release_id == proof.computed_id == pointer.release_id
            return right and proof.status == "verified" and proof.sequence == pointer.sequence

        self.wait(
            lambda: sum(map(proved, self._ledger.proofs([SERVICE]))) == CONTAINERS, "a proof is missing"
        )

    def wait(self, ready: Callable[[], bool], otherwise: str) -> None:
        """Wait for something."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while not ready():
            assert time.monotonic() < give_up_at, otherwise
            assert all(each.poll() is None for each in self._processes), "an agent has ended"
            time.sleep(POLL_SECONDS)

    def damage(self) -> str:
        """Change a byte of a container's copy and ask the fleet to verify; say what comes of it."""
        place = self.served() / STAMPED[0]
        before = place.read_bytes()
        place.chmod(0o600)
        place.write_bytes(bytes([before[0] ^ 1]) + before[1:])
        place.chmod(0o444)
        began = time.monotonic()
        token = self._ledger.request_verify(datetime.now(UTC))

        def answers() -> list[Proof]:
            return [each for each in self._ledger.proofs([SERVICE]) if each.request == token]

        self.wait(lambda: len(answers()) == CONTAINERS, "a container does not answer")
        noticed = sum(each.status == "mismatch" for each in answers())
        return f"noticed by {noticed} of 1 container after {time.monotonic() - began:.1f} s"


@contextmanager
def running(folder: Path) -> Iterator[Platform]:
    """Run the containers' agents."""
    with ExitStack() as stack:
        served = stack.enter_context(
            aws_endpoint.serving(
                StandIns(
                    run_task=lambda _: lambda: TaskState(status="STOPPED", exit_codes={}),
                    modify_user=lambda _: None,
                    metadata=metadata,
                ),
                region=ledger_table.REGION,
            )
        )
        processes: list[subprocess.Popen[bytes]] = []
        platform = Platform(folder, served.url, processes)
        processes += [
            stack.enter_context(agent(platform, folder, number, served.url)) for number in range(CONTAINERS)
        ]
        yield platform


@contextmanager
def agent(platform: Platform, folder: Path, number: int, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the release agent of a container."""
    home, local = platform.home(number), platform.local(number)
    home.mkdir(parents=True)
    local.mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        **ledger_table.CREDENTIALS,
        "PYTHONPATH": str(FOLDER),
        "AWS_ENDPOINT_URL": url,
        "ECS_CONTAINER_METADATA_URI_V4": f"{url}{METADATA_PATH}agent{number}",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(home.parent / "bundles"),
        "PLATFORM_DAG_STORAGE_PATH": str(platform.storage),
        "PLATFORM_RELEASES_PATH": str(local),
        "PLATFORM_LEDGER_TABLE": ledger_table.TABLE,
    }
    with (folder / f"agent{number}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, FOLDER / "bin" / "platform-release-agent", "run"],
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def metadata(own: str) -> dict[str, Any]:
    """Return what ECS tells a container about its task."""
    return {
        "TaskARN": f"arn:aws:ecs:{ledger_table.REGION}:123456789012:task/airflow/{own}",
        "ServiceName": SERVICE,
        "Family": SERVICE,
        "Containers": [{"DockerId": own, "Image": "airflow@sha256:1"}],
    }


def client(service: str, url: str) -> Any:
    """Return a client of the endpoint."""
    import boto3

    return boto3.client(
        service,
        endpoint_url=url,
        region_name=ledger_table.REGION,
        aws_access_key_id="simulated",
        aws_secret_access_key="simulated",
        config=Config(retries={"mode": "standard"}),
    )


# Tables


def steps(ours: Ours) -> list[dict[str, Any]]:
    """Return how long each step took."""
    times = {
        "archive, upload": ours.upload,
        "publish (unpack, sync, read back)": ours.publish,
        "pointer to last proof": ours.prove,
        "tree to last proof": ours.seconds,
        "rollback to last proof": ours.rollback,
        "pointer to parsed": ours.parsed,
    }
    return [{"step": name} | spread(seconds) for name, seconds in times.items()]


def row(size: int, tried: Tried) -> dict[str, Any]:
    """Return one way as people read it."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(tried.wrong.items()))
    return {
        "files": size,
        "way": tried.way,
        **spread(tried.seconds),
        "looks": tried.looks,
        "mixed": tried.mixed,
        "a file missing": tried.missing,
        "releases wrong": tried.wrong_releases,
        "files wrong": kinds or "none",
        "besides": json.dumps(tried.notes).strip("{}").replace('"', ""),
    }


def spread(seconds: Sequence[float]) -> dict[str, Any]:
    """Return number, median, the slowest of twenty and the slowest."""
    ordered = sorted(seconds)
    return {
        "times": len(ordered),
        "p50": _at(ordered, 0.50),
        "p95": _at(ordered, 0.95),
        "slowest": ordered[-1],
    }


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]
