"""The release bucket: what is there stays, unless it is something else. S3 is moto's.

Not proved here: that S3 compares the checksum with what it received; moto does not.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto.core.base_backend import BackendDict

from images.airflow.platform_runtime.releases.archive import unpack
from images.airflow.platform_runtime.releases.manifest import Entry, Manifest, genesis
from images.airflow.platform_runtime.releases.source import S3Source, archive_key, manifest_key
from operations.aws import SIGN_IN
from operations.errors import AwsBusy, OperationError
from operations.uploads import ReleaseBucket, Uploaded, report_key
from tests.releases.ledger_table import NO_PATIENCE, REGION, refused, simulation
from tests.releases.simulated_platform import BUCKET, NEW, NEW_ID, GitCommit
from tests.releases.trees import manifest_of, snapshot

COMMIT = GitCommit(NEW)


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    with simulation() as found:
        yield found.client("s3", config=NO_PATIENCE)


@pytest.fixture
def s3(session: Any) -> Any:
    BackendDict.reset()
    session.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    session.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return session


class Failing:
    """A client whose next calls fail; None lets one through."""

    def __init__(self, client: Any, **failures: list[Exception | None]) -> None:
        self._client, self._failures = client, failures
        self.puts: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)

        def call(**request: Any) -> Any:
            if name == "put_object":
                self.puts.append(request)
            if self._failures.get(name) and (failure := self._failures[name].pop(0)):
                raise failure
            return found(**request)

        return call


def upload(s3: Any, report: bytes = b"report") -> Uploaded:
    return ReleaseBucket(s3, BUCKET).upload(COMMIT.manifest, COMMIT.read, report)


def versions(s3: Any, key: str) -> int:
    return len(s3.list_object_versions(Bucket=BUCKET, Prefix=key)["Versions"])


def test_what_goes_up_comes_down(s3: Any, tmp_path: Path) -> None:
    uploaded = upload(s3)
    source = S3Source(BUCKET, s3)
    manifest = Manifest.from_json(source.manifest(NEW_ID))
    assert manifest == COMMIT.manifest
    with source.archive(NEW_ID) as archive:
        content = archive.read()
    assert uploaded == Uploaded(archive_bytes=len(content), written=2, replaced=())
    unpack(io.BytesIO(content), manifest, tmp_path / "tree")
    assert set(snapshot(tmp_path / "tree")) == {"daily.py", "new", "new/one.py"}


def test_the_manifest_goes_last(s3: Any) -> None:
    """Whoever finds it finds the rest; and S3 is told what it must receive."""
    watched = Failing(s3)
    upload(watched)
    assert [each["Key"] for each in watched.puts] == [
        f"dags/{NEW_ID}/archive.tar.gz",
        f"dags/{NEW_ID}/report.json",
        f"dags/{NEW_ID}/manifest.json",
    ]
    assert all(each["IfNoneMatch"] == "*" and len(each["ChecksumSHA256"]) == 44 for each in watched.puts)


def test_twice_writes_once(s3: Any) -> None:
    upload(s3)
    assert upload(s3).written == 0
    assert [versions(s3, key(NEW_ID)) for key in (archive_key, manifest_key, report_key)] == [1, 1, 1]


def test_half_an_upload_is_finished(s3: Any) -> None:
    broken = Failing(s3, put_object=[None, None, EndpointConnectionError(endpoint_url="https://s3")])
    with pytest.raises(AwsBusy, match="AWS does not answer"):
        upload(broken)
    assert upload(s3).written == 1
    assert [versions(s3, key(NEW_ID)) for key in (archive_key, manifest_key)] == [1, 1]


@pytest.mark.parametrize("key", [archive_key(NEW_ID), manifest_key(NEW_ID)])
@pytest.mark.parametrize("content", [b"", b"another"], ids=["truncated", "tampered"])
def test_something_else_is_replaced_and_said(s3: Any, key: str, content: bytes) -> None:
    """The bucket keeps what was there."""
    s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    assert upload(s3).replaced == (key,)
    assert upload(s3).replaced == ()
    assert versions(s3, key) == 2


def test_a_new_report_is_no_surprise(s3: Any) -> None:
    upload(s3)
    assert upload(s3, b"of another Airflow") == Uploaded(
        archive_bytes=upload(s3).archive_bytes, written=0, replaced=()
    )


@pytest.mark.parametrize("code", ["PreconditionFailed", "ConditionalRequestConflict"])
def test_somebody_uploads_the_same_meanwhile(s3: Any, code: str) -> None:
    class Meanwhile(Failing):
        def __getattr__(self, name: str) -> Any:
            call = super().__getattr__(name)
            if name != "put_object":
                return call

            def put(**request: Any) -> Any:
                if request["Key"] == archive_key(NEW_ID) and not self.puts:
                    self.puts.append(request)
                    s3.put_object(
                        **{name: value for name, value in request.items() if not name.startswith("If")}
                    )
                    raise refused(code, "PutObject")
                return call(**request)

            return put

    assert upload(Meanwhile(s3)).written == 1
    assert versions(s3, archive_key(NEW_ID)) == 1


def test_a_conflict_that_does_not_end(s3: Any) -> None:
    with pytest.raises(OperationError) as caught:
        upload(Failing(s3, put_object=[refused("PreconditionFailed", "PutObject", "somebody")] * 3))
    assert str(caught.value) == (
        f"cannot upload to s3://{BUCKET}/dags/{NEW_ID}/archive.tar.gz: AWS refuses it (PreconditionFailed: somebody)"
    )


def test_without_the_right_to_list(s3: Any) -> None:
    """S3 says "forbidden" of what is not there, so the upload itself finds out."""
    forbidden: list[Exception | None] = [refused("403", "HeadObject", "Forbidden")] * 3
    assert upload(Failing(s3, head_object=forbidden)).written == 2


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            refused("AccessDenied", "PutObject", "no such right"),
            "AWS does not allow it (no such right): use a role that may do it, or extend its policy",
        ),
        (refused("NoSuchBucket", "PutObject", "none"), "AWS refuses it (NoSuchBucket: none)"),
        (refused("SlowDown", "PutObject"), "AWS is busy (SlowDown): try again in a minute"),
        (
            refused("ExpiredToken", "PutObject"),
            f"AWS does not accept the credentials (ExpiredToken): {SIGN_IN}",
        ),
    ],
)
def test_refusals(s3: Any, error: ClientError, says: str) -> None:
    with pytest.raises(OperationError) as caught:
        upload(Failing(s3, put_object=[error]))
    assert str(caught.value) == f"cannot upload to s3://{BUCKET}/dags/{NEW_ID}/archive.tar.gz: {says}"


def test_a_repository_that_changes(s3: Any) -> None:
    def changed(_: Entry) -> bytes:
        return b"something else"

    with pytest.raises(OperationError, match=r"the repository changes while it is read: .*: release again"):
        ReleaseBucket(s3, BUCKET).upload(COMMIT.manifest, changed, b"")


def test_manifests_of_earlier_releases(s3: Any) -> None:
    bucket = ReleaseBucket(s3, BUCKET)
    upload(s3)
    assert bucket.manifest(NEW_ID) == COMMIT.manifest
    assert bucket.manifest(genesis().release_id) == genesis()
    assert (bucket.report(NEW_ID), bucket.report("a" * 64), bucket.manifest("a" * 64)) == (
        b"report",
        None,
        None,
    )


def test_a_manifest_of_something_else_is_none(s3: Any) -> None:
    other = manifest_of((("a.py", b"", False),)).to_json()
    s3.put_object(Bucket=BUCKET, Key=manifest_key(NEW_ID), Body=other)
    assert ReleaseBucket(s3, BUCKET).manifest(NEW_ID) is None


def test_a_manifest_of_another_kind_is_none(s3: Any) -> None:
    """Such as one that a later version has written."""
    release_id = hashlib.sha256(b"{}").hexdigest()
    s3.put_object(Bucket=BUCKET, Key=manifest_key(release_id), Body=b"{}")
    assert ReleaseBucket(s3, BUCKET).manifest(release_id) is None


def test_looking_that_fails(s3: Any) -> None:
    with pytest.raises(
        AwsBusy, match=f"^cannot upload to s3://{BUCKET}/dags/{NEW_ID}/archive.tar.gz: AWS is busy"
    ):
        upload(Failing(s3, head_object=[refused("SlowDown", "HeadObject")]))


def test_reading_that_fails(s3: Any) -> None:
    broken = ReleaseBucket(Failing(s3, get_object=[refused("SlowDown", "GetObject")]), BUCKET)
    with pytest.raises(AwsBusy, match=f"^cannot read s3://{BUCKET}/dags/{NEW_ID}/manifest.json: AWS is busy"):
        broken.manifest(NEW_ID)
