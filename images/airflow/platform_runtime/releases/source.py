"""Where the publisher takes a release from: its manifest and its archive, in the release bucket.

A source only fetches. What it gives may be cut off or another's: whoever uses it compares it with the release's id.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

from .manifest import MAX_JSON_BYTES, MAX_TREE_BYTES

MAX_ARCHIVE_BYTES: Final = MAX_TREE_BYTES + 64 * 2**20
"""A tree that cannot be compressed at all, with its headers. What is larger would only fill the scratch."""
ATTEMPTS: Final = 3
"""The client repeats a request by itself, but not one whose answer breaks off in the middle."""
CHUNK_BYTES: Final = 2**20

_MISSING: Final = frozenset({"NoSuchKey", "404"})
_DENIED: Final = frozenset({"AccessDenied", "403"})


def manifest_key(release_id: str) -> str:
    """Return where a release's manifest is, in a bucket or a folder."""
    return f"dags/{release_id}/manifest.json"


def archive_key(release_id: str) -> str:
    """Return where a release's archive is, in a bucket or a folder."""
    return f"dags/{release_id}/archive.tar.gz"


class SourceError(Exception):
    """Something cannot be fetched; the message says what, from where, and what to do."""


class Source(Protocol):
    """Gives the parts of a release."""

    def manifest(self, release_id: str) -> bytes:
        """Return the manifest.

        Raises:
            SourceError: It is not there, or cannot be fetched.

        """

    def archive(self, release_id: str) -> BinaryIO:
        """Return the archive, for the caller to read from its beginning and to close.

        Raises:
            SourceError: It is not there, or cannot be fetched.

        """


class S3Source:
    """The release bucket."""

    def __init__(self, bucket: str, client: Any) -> None:
        """Read from a bucket with a boto3 client of S3."""
        self._bucket = bucket
        self._client = client

    def manifest(self, release_id: str) -> bytes:
        """Return the manifest."""
        with self._fetched(manifest_key(release_id), MAX_JSON_BYTES) as file:
            return file.read()

    def archive(self, release_id: str) -> BinaryIO:
        """Return the archive, fetched in full: unpacking it is slower than S3 keeps a connection open."""
        return self._fetched(archive_key(release_id), MAX_ARCHIVE_BYTES)

    def _fetched(self, key: str, most_bytes: int) -> BinaryIO:
        where = f"s3://{self._bucket}/{key}"
        file = self._temporary(where)
        try:
            self._fetch(key, where, most_bytes, file)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return file

    def _temporary(self, where: str) -> BinaryIO:
        try:
            return tempfile.TemporaryFile()
        except OSError as error:
            raise _no_room(where, error) from error

    def _fetch(self, key: str, where: str, most_bytes: int, file: BinaryIO) -> None:
        # Slow to import, and the agent of each container has no bucket.
        from botocore.exceptions import BotoCoreError, ClientError

        for left in reversed(range(ATTEMPTS)):
            file.seek(0)
            file.truncate()
            try:
                return self._copy(key, where, most_bytes, file)
            except ClientError as error:
                raise self._refused(where, error.response.get("Error", {})) from error
            # Some of these are OSErrors as well, which are not the scratch's.
            except BotoCoreError as error:
                if not left:
                    raise SourceError(f"{where} cannot be fetched: {error}; try again") from error
            except OSError as error:
                raise _no_room(where, error) from error
        raise AssertionError("the last attempt returns or raises")

    def _copy(self, key: str, where: str, most_bytes: int, file: BinaryIO) -> None:
        answer = self._client.get_object(Bucket=self._bucket, Key=key)
        if (size := answer["ContentLength"]) > most_bytes:
            raise SourceError(
                f"{where} has {size} bytes, and at most {most_bytes} are possible: it is no part of a release;"
                " remove it from the bucket and release again"
            )
        file.writelines(answer["Body"].iter_chunks(CHUNK_BYTES))
        file.flush()

    def _refused(self, where: str, error: dict[str, str]) -> SourceError:
        code, message = error.get("Code", "no code"), error.get("Message", "no message")
        if code in _MISSING:
            return SourceError(f"{where} is not there: upload the release with `operations release`")
        if code == "NoSuchBucket":
            return SourceError(f"the bucket {self._bucket} is not there: look at PLATFORM_RELEASE_BUCKET")
        if code in _DENIED:
            # Without the right to list, S3 says the same of what does not exist.
            return SourceError(
                f"{where} is not there, or this task's role may not read it ({message}): upload the release with"
                " `operations release`, or look at the role's rights to the bucket and its key"
            )
        return SourceError(f"{where} cannot be fetched: {code}: {message}; try again")


class FolderSource:
    """A folder with the keys of a bucket as paths."""

    def __init__(self, folder: Path) -> None:
        """Read from a folder."""
        self._folder = folder

    def manifest(self, release_id: str) -> bytes:
        """Return the manifest."""
        with self._open(manifest_key(release_id)) as file:
            return file.read()

    def archive(self, release_id: str) -> BinaryIO:
        """Return the archive."""
        return self._open(archive_key(release_id))

    def _open(self, key: str) -> BinaryIO:
        path = self._folder / key
        try:
            return path.open("rb")
        except FileNotFoundError as error:
            raise SourceError(f"{path} is not there") from error
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}") from error


def _no_room(where: str, error: OSError) -> SourceError:
    return SourceError(
        f"{where} cannot be kept in {tempfile.gettempdir()}, the task's scratch: {error.strerror or error};"
        " give the task more scratch, then try again"
    )
