"""The release bucket: where a release's archive and manifest go before the publisher takes them.

The archive goes first: whoever finds a manifest finds an archive. Nothing that is there is written again, unless it is
something else than what belongs there.
"""

from __future__ import annotations

import base64
import hashlib
import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from botocore.exceptions import ClientError

from images.airflow.platform_runtime.releases.archive import ArchiveError, pack
from images.airflow.platform_runtime.releases.manifest import Entry, Manifest, Refusal, genesis
from images.airflow.platform_runtime.releases.source import archive_key, manifest_key
from operations.aws import code_of, explained
from operations.errors import OperationError

CHUNK_BYTES: Final = 2**20
TRIES: Final = 3
"""Somebody may upload the same release at the same time."""
_ABSENT: Final = frozenset({"404", "NoSuchKey", "NotFound"})
_UNSEEN: Final = frozenset({"403", "AccessDenied"})
"""Without the right to list, S3 says this of what is not there."""
_MEANWHILE: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})

Read = Callable[[Entry], bytes]


@dataclass(frozen=True, kw_only=True)
class Uploaded:
    """What was done."""

    archive_bytes: int
    written: int
    """Of archive and manifest; what is missing here was there already."""
    replaced: tuple[str, ...]
    """Keys under which there was something else."""


def report_key(release_id: str) -> str:
    """Return where the gate's report on a release is."""
    return f"dags/{release_id}/report.json"


class ReleaseBucket:
    """The bucket."""

    def __init__(self, s3: Any, bucket: str) -> None:
        """Keep the client and the bucket's name."""
        self._s3, self._bucket = s3, bucket

    def upload(self, manifest: Manifest, read: Read, report: bytes) -> Uploaded:
        """Put a release there.

        Args:
            manifest: What it consists of.
            read: Returns the content of a file.
            report: What the gate has found, for the comparison with the next release.

        Raises:
            OperationError: S3 does not take it.

        """
        release_id = manifest.release_id
        replaced: list[str] = []
        with tempfile.TemporaryFile() as archive:
            try:
                pack(manifest, read, archive)
            except ArchiveError as error:
                raise OperationError(
                    f"the repository changes while it is read: {error}: release again"
                ) from error
            size = archive.tell()
            written = self._put(archive_key(release_id), archive, replaced)
        # Another Airflow may have read the same files before, so this one may rightly be another.
        self._put(report_key(release_id), io.BytesIO(report), [])
        written += self._put(manifest_key(release_id), io.BytesIO(manifest.to_json()), replaced)
        return Uploaded(archive_bytes=size, written=written, replaced=tuple(replaced))

    def manifest(self, release_id: str) -> Manifest | None:
        """Return the manifest of an earlier release; None if it is not there or is not the one of this id."""
        if release_id == genesis().release_id:
            return genesis()
        content = self._get(manifest_key(release_id))
        if content is None or hashlib.sha256(content).hexdigest() != release_id:
            return None
        try:
            return Manifest.from_json(content)
        except Refusal:
            return None

    def report(self, release_id: str) -> bytes | None:
        """Return what the gate has found in an earlier release; None if nobody has kept it."""
        return self._get(report_key(release_id))

    def _get(self, key: str) -> bytes | None:
        with explained(f"read s3://{self._bucket}/{key}"):
            try:
                content: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            except ClientError as error:
                if code_of(error) in _ABSENT | _UNSEEN:
                    return None
                raise
        return content

    def _put(self, key: str, body: BinaryIO, replaced: list[str]) -> int:
        """Write an object; return 0 if it is there already, else 1."""
        what = f"upload to s3://{self._bucket}/{key}"
        checksum = _checksum(body)
        for left in reversed(range(TRIES)):
            with explained(what):
                there = self._head(key)
                if there and there.get("ChecksumSHA256") == checksum:
                    return 0
                condition = {"IfMatch": there["ETag"]} if there else {"IfNoneMatch": "*"}
                body.seek(0)
                try:
                    self._s3.put_object(
                        Bucket=self._bucket,
                        Key=key,
                        Body=body,
                        # S3 refuses what arrives as something else, and keeps the checksum with the object.
                        ChecksumAlgorithm="SHA256",
                        ChecksumSHA256=checksum,
                        **condition,
                    )
                except ClientError as error:
                    if code_of(error) in _MEANWHILE and left:
                        continue
                    raise
            if there:
                replaced.append(key)
            return 1
        raise AssertionError("the last try returns or raises")

    def _head(self, key: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._s3.head_object(Bucket=self._bucket, Key=key, ChecksumMode="ENABLED")
        except ClientError as error:
            if code_of(error) in _ABSENT | _UNSEEN:
                return None
            raise
        return found


def _checksum(body: BinaryIO) -> str:
    digest = hashlib.sha256()
    body.seek(0)
    while chunk := body.read(CHUNK_BYTES):
        digest.update(chunk)
    return base64.b64encode(digest.digest()).decode("ascii")
