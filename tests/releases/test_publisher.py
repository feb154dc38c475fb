"""The publisher and its command: what readers get, what is refused and how that is said, and what is cleaned up.

S3 and DynamoDB are moto's. Not proved here: rights on EFS, which has its access points in between.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.response import StreamingBody
from hypothesis import given, settings
from hypothesis import strategies as st

from images.airflow.platform_runtime.releases import publisher_command, source
from images.airflow.platform_runtime.releases.ledger import LedgerBusy
from images.airflow.platform_runtime.releases.manifest import genesis
from images.airflow.platform_runtime.releases.publisher import (
    DEAD,
    LOCK,
    STAGING,
    TRASH_SECONDS,
    BrokenContent,
    Collected,
    Published,
    Publisher,
    PublishError,
)
from images.airflow.platform_runtime.releases.publisher_command import BROKEN, DONE, FAILED
from images.airflow.platform_runtime.releases.source import S3Source, SourceError, archive_key, manifest_key
from images.airflow.platform_runtime.releases.tree import differences
from images.airflow.platform_runtime.variables import BAD_CONFIGURATION
from tests.releases.ledger_table import REGION, TABLE, empty, refused, simulation
from tests.releases.publishing import (
    DAY,
    OTHER,
    SMALL,
    Clock,
    Command,
    NoSource,
    Shelf,
    expected,
    in_process,
    store,
)
from tests.releases.trees import archive_of, manifest_of, snapshot, trees

FIRST, SECOND, GENESIS = manifest_of(SMALL).release_id, manifest_of(OTHER).release_id, genesis().release_id
ALONE = Published(files=5, size_bytes=34, already=False)
AGAIN = Published(files=5, size_bytes=34, already=True)
RELEASES = "images.airflow.platform_runtime.releases"
BUCKET = "airflow-dev-releases"
IMAGE = Path(__file__).parents[2] / "images" / "airflow"
READER, WRITER = 50000, 50001
REPLACE = (
    "a published release is never repaired in place, as containers may be reading it: point to another release, take"
    " this one away with `operations collect --only` and its id, then release it again"
)
AGAIN_FROM_THE_START = "remove the release's folder from the release bucket, then release again"


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No machine goes down here, so nobody has to wait for its disk."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path, SMALL, OTHER)


def refusal(publisher: Publisher, release_id: str = FIRST) -> str:
    """Publish what cannot be published; return what was said."""
    with pytest.raises(PublishError) as error:
        publisher.publish(release_id)
    return str(error.value)


# What readers get


def test_a_release(shelf: Shelf) -> None:
    assert shelf.publisher().publish(FIRST) == ALONE
    assert snapshot(shelf.root / FIRST) == expected(SMALL)
    assert (shelf.visible(), shelf.beside()) == ({FIRST}, [])


def test_what_is_being_written_and_the_lock_are_the_publishers_alone(shelf: Shelf) -> None:
    """Who can open the lock can hold it, and every clean-up would wait."""
    modes: list[str] = []

    def look(step: str) -> None:
        if step == "write the manifest":
            modes.extend(oct(path.stat().st_mode & 0o777) for path in sorted(shelf.root.iterdir()))

    shelf.publisher(steps=look).publish(FIRST)
    assert modes == ["0o600", "0o700"]


@settings(max_examples=25)
@given(items=trees())
def test_any_release(tmp_path_factory: pytest.TempPathFactory, items: tuple[Any, ...]) -> None:
    shelf = Shelf(tmp_path_factory.mktemp("any"), items)
    (release_id,) = shelf.releases
    assert shelf.publisher().publish(release_id).files == len(items)
    assert shelf.visible() == {release_id}


def test_once_more_reads_what_is_there_and_fetches_nothing(shelf: Shelf) -> None:
    shelf.publisher().publish(FIRST)
    assert Publisher(shelf.root, NoSource()).publish(FIRST) == AGAIN


def test_the_empty_release_needs_no_archive(shelf: Shelf) -> None:
    publisher = Publisher(shelf.root, NoSource())
    assert publisher.publish(GENESIS) == Published(files=0, size_bytes=0, already=False)
    assert publisher.publish(GENESIS) == Published(files=0, size_bytes=0, already=True)
    assert snapshot(shelf.root / GENESIS) == expected(())


def test_rights_do_not_depend_on_the_process(shelf: Shelf) -> None:
    before = os.umask(0o077)
    try:
        shelf.publisher().publish(FIRST)
    finally:
        os.umask(before)
    assert shelf.visible() == {FIRST}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be others")
def test_one_user_writes_and_another_reads(shelf: Shelf) -> None:
    """As in the platform: not even the owner of all files needs root's rights to rename and remove them."""
    for folder in (shelf.root, *shelf.root.parents[: len(shelf.root.parents) - 2]):
        folder.chmod(0o755)
    os.chown(shelf.root, WRITER, 0)

    def become(uid: int) -> None:
        os.setgroups([])
        os.setgid(0)
        os.setuid(uid)

    def write() -> None:
        become(WRITER)
        clock = Clock()
        shelf.publisher().publish(SECOND)
        shelf.publisher().collect(set(), 0)
        clock.ahead = TRASH_SECONDS + 1
        assert shelf.publisher(now=clock).collect(set(), 0).emptied == (SECOND,)
        shelf.publisher().publish(FIRST)

    def read() -> None:
        become(READER)
        assert snapshot(shelf.root / FIRST) == expected(SMALL)
        said = refusal(shelf.publisher(), SECOND)
        assert said == (
            f"the release {SECOND} is not published: {shelf.root / LOCK}: Permission denied; only the publisher may"
            f" write to {shelf.root}, and this process is user 50000: run the publisher's task definition"
        )
        for path in (shelf.root / FIRST / "tree" / "new.py", shelf.root / "new"):
            with pytest.raises(PermissionError):
                path.touch()
        with pytest.raises(PermissionError):
            (shelf.root / FIRST / "tree" / "daily.py").open("ab")

    assert in_process(write)() == 0
    assert in_process(read)() == 0


# What is refused


def test_no_id(shelf: Shelf) -> None:
    assert refusal(shelf.publisher(), "../etc") == (
        "the release ../etc is not published: '../etc' is no release id: want 64 hexadecimal characters, as"
        " `operations releases` shows them"
    )


def test_no_storage(shelf: Shelf) -> None:
    shutil.rmtree(shelf.root)
    assert refusal(shelf.publisher()) == (
        f"the release {FIRST} is not published: {shelf.root} is no folder: see whether the DAG storage is mounted"
        " there, then try again"
    )
    assert not shelf.root.exists()


@pytest.mark.parametrize("key", [manifest_key, archive_key])
def test_something_is_missing(shelf: Shelf, key: Callable[[str], str]) -> None:
    path = shelf.bucket / key(FIRST)
    path.unlink()
    assert refusal(shelf.publisher()) == f"the release {FIRST} is not published: {path} is not there"
    assert (shelf.visible(), shelf.beside()) == (set(), [])


def test_a_manifest_of_another_release(shelf: Shelf) -> None:
    shutil.copy(shelf.bucket / manifest_key(SECOND), shelf.bucket / manifest_key(FIRST))
    with pytest.raises(BrokenContent) as error:
        shelf.publisher().publish(FIRST)
    assert str(error.value) == (
        f"the release {FIRST} is not published: what is stored as its manifest has the id {SECOND}: cut off or"
        f" exchanged; {AGAIN_FROM_THE_START}"
    )
    assert (shelf.visible(), shelf.beside()) == (set(), [])


def test_a_manifest_that_no_release_can_have(shelf: Shelf) -> None:
    """Its hash is right, its content is not: somebody has made it by hand."""
    content = b'{"entries":[],"format":2}\n'
    release_id = hashlib.sha256(content).hexdigest()
    path = shelf.bucket / manifest_key(release_id)
    path.parent.mkdir()
    path.write_bytes(content)
    assert refusal(shelf.publisher(), release_id).startswith(
        f"the release {release_id} is not published: its manifest breaks the rules for releases:\n"
        "manifest.json: its format is 2"
    )
    assert (shelf.visible(), shelf.beside()) == (set(), [])


def test_an_archive_of_another_release(shelf: Shelf) -> None:
    shutil.copy(shelf.bucket / archive_key(SECOND), shelf.bucket / archive_key(FIRST))
    with pytest.raises(BrokenContent) as error:
        shelf.publisher().publish(FIRST)
    assert str(error.value).startswith(
        f"the release {FIRST} is not published: daily.py: the content is not what the manifest says"
    )
    assert str(error.value).endswith(f"; {AGAIN_FROM_THE_START}")
    assert (shelf.visible(), shelf.beside()) == (set(), [])


ARCHIVE = archive_of(SMALL)


@settings(max_examples=25)
@given(size=st.integers(0, len(ARCHIVE) - 1))
def test_an_archive_that_is_cut_off(tmp_path_factory: pytest.TempPathFactory, size: int) -> None:
    shelf = Shelf(tmp_path_factory.mktemp("cut"), SMALL)
    (shelf.bucket / archive_key(FIRST)).write_bytes(ARCHIVE[:size])
    with pytest.raises(BrokenContent, match=r"is not published: .*release again"):
        shelf.publisher().publish(FIRST)
    assert (shelf.visible(), shelf.beside()) == (set(), [])


@settings(max_examples=50)
@given(at=st.integers(0, len(ARCHIVE) - 1), flip=st.integers(1, 255))
def test_an_archive_with_another_byte(tmp_path_factory: pytest.TempPathFactory, at: int, flip: int) -> None:
    """It is refused, or the byte means nothing: the release is whole, or not there."""
    shelf = Shelf(tmp_path_factory.mktemp("flip"), SMALL)
    content = bytearray(ARCHIVE)
    content[at] ^= flip
    (shelf.bucket / archive_key(FIRST)).write_bytes(content)
    try:
        shelf.publisher().publish(FIRST)
    except BrokenContent:
        assert shelf.visible() == set()
    else:
        assert shelf.visible() == {FIRST}
    assert shelf.beside() == []


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """In a file system of 128 KiB, which only this process sees."""
    folder = tmp_path / "storage"
    folder.mkdir()
    items = tuple((f"{number}.py", os.urandom(40_000), False) for number in range(9))
    release_id = store(tmp_path / "bucket", items)
    code = f"""
import os
from pathlib import Path
from images.airflow.platform_runtime.releases.publisher import Publisher, PublishError
from images.airflow.platform_runtime.releases.source import FolderSource
root = Path({str(folder)!r})
try:
    Publisher(root, FolderSource(Path({str(tmp_path / "bucket")!r}))).publish({release_id!r})
except PublishError as error:
    print(error)
print(os.listdir(root))
"""
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "none", str(folder)]
    inside = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*inside, *mount], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount")
    answer = subprocess.run(
        [*inside, "sh", "-c", '"$@" && exec "$0" -c "$CODE"', sys.executable, *mount],
        env={**os.environ, "CODE": code, "PYTHONPATH": str(IMAGE.parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    said, left = answer.stdout.splitlines()
    assert said.startswith(f"the release {release_id} is not published: ")
    assert said.endswith(f": No space left on device; make room in {folder}, then try again")
    assert left == "['.lock']"


# What was damaged


def edit(path: Path) -> None:
    """Exchange a byte and nothing that can be seen from outside."""
    before = path.stat()
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"daily", b"weeky"))
    path.chmod(0o444)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def link(path: Path) -> None:
    """Put a link in place of something, to where that is now."""
    elsewhere = path.parents[1] / f"moved-{path.name}"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "edited": (
        lambda folder: edit(folder / "tree/daily.py"),
        "tree is not the release: 1 changed (daily.py)",
    ),
    "deleted": (
        lambda folder: (folder / "tree/latest.py").unlink(),
        "tree is not the release: 1 missing (latest.py)",
    ),
    "added": (lambda folder: (folder / "tree/x.py").touch(), "tree is not the release: 1 extra (x.py)"),
    "mode": (
        lambda folder: (folder / "tree/daily.py").chmod(0o555),
        "tree is not the release: 1 changed (daily.py)",
    ),
    "beside": (
        lambda folder: (folder / "x").touch(),
        "has manifest.json, tree, x, want manifest.json and tree",
    ),
    "no manifest": (
        lambda folder: (folder / "manifest.json").unlink(),
        "has tree, want manifest.json and tree",
    ),
    "manifest": (
        lambda folder: (folder / "manifest.json").write_bytes(manifest_of(OTHER).to_json()),
        "manifest.json is not the manifest of this id",
    ),
    "linked manifest": (
        lambda folder: link(folder / "manifest.json"),
        "manifest.json is not the manifest of this id",
    ),
    "linked tree": (lambda folder: link(folder / "tree"), "tree is no folder"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_release_is_refused_and_left_alone(shelf: Shelf, damage: str) -> None:
    shelf.publisher().publish(FIRST)
    folder = shelf.root / FIRST
    for path in (folder, folder / "tree", folder / "manifest.json"):
        path.chmod(0o755)
    do, words = DAMAGES[damage]
    do(folder)
    before = snapshot(folder)
    for act in (shelf.publisher().publish, shelf.publisher().verify):
        with pytest.raises(BrokenContent) as error:
            act(FIRST)
        assert words in str(error.value)
        assert str(error.value).endswith(f"; {REPLACE}")
    assert snapshot(folder) == before


@pytest.mark.parametrize("kind", ["file", "link"])
def test_something_else_has_the_releases_name(shelf: Shelf, kind: str) -> None:
    place = shelf.root / FIRST
    if kind == "file":
        place.touch()
    else:
        shelf.publisher().publish(SECOND)
        place.symlink_to(SECOND)
    assert refusal(shelf.publisher()) == (
        f"the release {FIRST} is not published: {place} is no folder; {REPLACE}"
    )


def test_what_is_refused_can_be_replaced_as_the_message_says(shelf: Shelf) -> None:
    publisher = shelf.publisher()
    publisher.publish(FIRST)
    edit(shelf.root / FIRST / "tree" / "daily.py")
    refusal(publisher)
    assert publisher.collect({SECOND}, 0).collected == (FIRST,)
    assert publisher.publish(FIRST) == ALONE
    assert shelf.visible() == {FIRST}


def test_a_verification_says_what_is_not_there(shelf: Shelf) -> None:
    with pytest.raises(PublishError) as error:
        shelf.publisher().verify(FIRST)
    assert str(error.value) == f"the release {FIRST} is not verified: it is not in {shelf.root}: publish it"


def test_what_does_not_read_back_is_not_published(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file system has taken every byte and gives others."""

    def spoiled(tree: Path, manifest: Any) -> Any:
        edit(tree / "daily.py")
        return differences(tree, manifest)

    monkeypatch.setattr(f"{RELEASES}.publisher.differences", spoiled)
    assert refusal(shelf.publisher()) == (
        f"the release {FIRST} is not published: what was written to {shelf.root} reads back with differences: 1 changed"
        " (daily.py); see whether the file system is well, then try again"
    )
    assert (shelf.visible(), shelf.beside()) == (set(), [])


# The network file system


def test_nobody_looks_for_a_name_before_it_is_there(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client of a network file system would remember that there was nothing."""
    looked = []
    for name in ("stat", "lstat", "open"):
        honest = getattr(os, name)

        def look(path: Any, *more: Any, honest: Any = honest, **others: Any) -> Any:
            if isinstance(path, str | Path) and FIRST in Path(path).parts:
                looked.append((path, (shelf.root / FIRST) in list(shelf.root.iterdir())))
            return honest(path, *more, **others)

        monkeypatch.setattr(os, name, look)
    shelf.publisher().publish(FIRST)
    assert looked == []
    shelf.publisher().publish(FIRST)
    assert looked
    assert all(there for _, there in looked)


class Late(Publisher):
    """Sees what others publish only after some looks."""

    looks = 3

    def _is_there(self, release_id: str) -> bool:
        self.looks -= 1
        return self.looks < 0 and super()._is_there(release_id)


def test_what_another_has_published_shows_up_late(shelf: Shelf) -> None:
    waited: list[float] = []
    shelf.publisher().publish(FIRST)
    late = Late(shelf.root, source.FolderSource(shelf.bucket), pause=waited.append)
    assert late.publish(FIRST) == AGAIN
    assert (waited, shelf.beside()) == ([1.0, 1.0], [])


def test_what_another_has_published_does_not_show_up(shelf: Shelf) -> None:
    waited: list[float] = []
    shelf.publisher().publish(FIRST)
    late = Late(shelf.root, source.FolderSource(shelf.bucket), pause=waited.append)
    late.looks = 1000
    assert refusal(late) == (
        f"the release {FIRST} is not published: another publisher has published it, and {shelf.root} has not shown"
        " it for 90 s; try again"
    )
    assert (len(waited), shelf.visible(), shelf.beside()) == (91, {FIRST}, [])


# Cleaning up


class Register:
    """Lets everything go but what it is told to keep."""

    def __init__(self, *kept: str) -> None:
        self.kept, self.said = kept, list[str]()

    def unfinished(self) -> list[str]:
        return []

    def begin(self, release_id: str) -> bool:
        self.said.append(f"begin {release_id}")
        return release_id not in self.kept

    def finish(self, release_id: str) -> None:
        self.said.append(f"finish {release_id}")


def test_what_is_kept_what_is_young_and_what_the_register_refuses_stays(shelf: Shelf) -> None:
    third = store(shelf.bucket, (("third.py", b"3", False),))
    shelf.releases[third] = (("third.py", b"3", False),)
    clock = Clock()
    publisher = shelf.publisher(now=clock)
    for release_id in (FIRST, SECOND, third):
        publisher.publish(release_id)
    assert publisher.collect(set(), 30 * DAY) == Collected(collected=(), refused=(), emptied=())
    clock.ahead = 31 * DAY
    publisher.publish(third)
    register = Register(SECOND)
    assert publisher.collect(set(), 30 * DAY, register) == Collected(
        collected=(FIRST,), refused=(SECOND,), emptied=()
    )
    assert sorted(register.said) == sorted([f"begin {FIRST}", f"finish {FIRST}", f"begin {SECOND}"])
    assert publisher.collect({SECOND}, 30 * DAY) == Collected(collected=(), refused=(), emptied=())
    assert shelf.visible() == {SECOND, third}


def test_files_stay_for_a_day_after_their_release(shelf: Shelf) -> None:
    """Whoever reads a release that is taken away, reads on."""
    clock = Clock()
    publisher = shelf.publisher(now=clock)
    publisher.publish(FIRST)
    reader = os.open(shelf.root / FIRST / "tree", os.O_RDONLY)
    publisher.collect(set(), 0)
    clock.ahead = TRASH_SECONDS - 60
    assert publisher.collect(set(), 0).emptied == ()
    (trash,) = shelf.root.glob(f".trash-{FIRST}-*")
    assert snapshot(trash) == expected(SMALL)
    assert os.read(os.open("daily.py", os.O_RDONLY, dir_fd=reader), 99) == b"print('daily')\n"
    clock.ahead = TRASH_SECONDS + 60
    assert publisher.collect(set(), 0).emptied == (FIRST,)
    assert shelf.beside() == []
    os.close(reader)


def test_collected_twice_within_a_second(shelf: Shelf) -> None:
    publisher = shelf.publisher(now=lambda: 1_800_000_000.5)
    for _ in range(2):
        publisher.publish(FIRST)
        publisher.collect(set(), 0)
    names = sorted(path.name for path in shelf.root.glob(".trash-*"))
    assert names == [f".trash-{FIRST}-180000000{second}" for second in (0, 1)]


@pytest.mark.parametrize("keep", ["", "current", "a" * 63, "../x"])
def test_a_mistyped_id_removes_nothing(shelf: Shelf, keep: str) -> None:
    shelf.publisher().publish(FIRST)
    with pytest.raises(PublishError, match=r"the clean-up has not come to its end: .* is no release id"):
        shelf.publisher().collect({keep}, 0)
    assert shelf.visible() == {FIRST}


def test_what_others_keep_beside_releases_is_left_alone(shelf: Shelf) -> None:
    names = ["lost+found", ".snapshot", FIRST[:63], f".trash-{FIRST}", ".trash-old-1"]
    for name in names:
        (shelf.root / name).mkdir()
    clock = Clock()
    clock.ahead = 365 * DAY
    shelf.publisher(now=clock).publish(FIRST)
    shelf.publisher(now=clock).collect(set(), 0)
    assert {path.name for path in shelf.root.iterdir()} >= set(names)


def test_a_leftover_that_cannot_be_removed_is_no_obstacle(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    (shelf.root / f"{STAGING}{SECOND}-1").mkdir()
    monkeypatch.setattr(f"{RELEASES}.publisher.remove", refuse)
    assert shelf.publisher().publish(FIRST) == ALONE
    assert shelf.beside() == [DEAD]


# The bucket


@dataclass
class Aws:
    """Clients of moto's account; making one takes long."""

    s3: Any
    dynamodb: Any

    def upload(self, shelf: Shelf) -> None:
        """Put everything that is stored for a shelf into the bucket."""
        for path in shelf.bucket.rglob("*.*"):
            self.s3.put_object(Bucket=BUCKET, Key=str(path.relative_to(shelf.bucket)), Body=path.read_bytes())


@pytest.fixture(scope="module")
def clients() -> Iterator[Aws]:
    with simulation() as session:
        yield Aws(s3=session.client("s3"), dynamodb=session.client("dynamodb"))


@pytest.fixture
def aws(clients: Aws) -> Aws:
    """Give an account with an empty bucket and an empty ledger."""
    empty(clients.dynamodb)
    clients.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return clients


def test_from_a_bucket(shelf: Shelf, aws: Aws) -> None:
    aws.upload(shelf)
    publisher = Publisher(shelf.root, S3Source(BUCKET, aws.s3))
    assert publisher.publish(FIRST) == ALONE
    assert shelf.visible() == {FIRST}


class Client:
    """S3 that answers what it is told, one after the other; the last answer for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.calls = list(answers), 0

    def get_object(self, **asked: str) -> Any:
        assert asked == {"Bucket": BUCKET, "Key": archive_key(FIRST)}
        self.calls += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer()


def body(content: bytes, size: int | None = None) -> Callable[[], dict[str, Any]]:
    """Return an answer that promises so many bytes."""
    size = len(content) if size is None else size
    return lambda: {"ContentLength": size, "Body": StreamingBody(io.BytesIO(content), size)}


WHERE = f"s3://{BUCKET}/dags/{FIRST}/archive.tar.gz"


@pytest.mark.parametrize(
    "broken", [body(b"abc", 6), ReadTimeoutError(endpoint_url="https://s3")], ids=["cut", "slow"]
)
def test_an_answer_that_breaks_off_is_asked_for_again(broken: Any) -> None:
    client = Client(broken, broken, body(b"abcdef"))
    with S3Source(BUCKET, client).archive(FIRST) as file:
        assert file.read() == b"abcdef"
    assert client.calls == 3


REFUSALS: dict[str, tuple[Any, str]] = {
    "breaks off": (
        body(b"abc", 6),
        f"{WHERE} cannot be fetched: 3 read, but total bytes expected is 6.; try again",
    ),
    "no way": (
        EndpointConnectionError(endpoint_url="https://s3"),
        f'{WHERE} cannot be fetched: Could not connect to the endpoint URL: "https://s3"; try again',
    ),
    "missing": (refused("NoSuchKey"), f"{WHERE} is not there: upload the release with `operations release`"),
    "denied": (
        refused("AccessDenied", message="no kms:Decrypt"),
        (
            f"{WHERE} is not there, or this task's role may not read it (no kms:Decrypt): upload the release with"
            " `operations release`, or look at the role's rights to the bucket and its key"
        ),
    ),
    "no bucket": (
        refused("NoSuchBucket"),
        f"the bucket {BUCKET} is not there: look at PLATFORM_RELEASE_BUCKET",
    ),
    "slow down": (
        refused("SlowDown", message="later"),
        f"{WHERE} cannot be fetched: SlowDown: later; try again",
    ),
    "huge": (
        body(b"", source.MAX_ARCHIVE_BYTES + 1),
        (
            f"{WHERE} has {source.MAX_ARCHIVE_BYTES + 1} bytes, and at most {source.MAX_ARCHIVE_BYTES} are possible: it"
            " is no part of a release; remove it from the bucket and release again"
        ),
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_the_bucket_does_not_give(case: str) -> None:
    answer, words = REFUSALS[case]
    with pytest.raises(SourceError) as error:
        S3Source(BUCKET, Client(answer)).archive(FIRST)
    assert str(error.value) == words


def test_a_missing_object_of_a_real_bucket(shelf: Shelf, aws: Aws) -> None:
    publisher = Publisher(shelf.root, S3Source(BUCKET, aws.s3))
    assert refusal(publisher) == (
        f"the release {FIRST} is not published: s3://{BUCKET}/dags/{FIRST}/manifest.json is not there: upload the"
        " release with `operations release`"
    )


def test_a_full_scratch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file system of the releases is another one, and not full."""

    class Full(io.BytesIO):
        def writelines(self, lines: Any) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", Full)
    monkeypatch.setattr("tempfile.gettempdir", lambda: "/tmp")
    with pytest.raises(SourceError) as error:
        S3Source(BUCKET, Client(body(b"abc"))).archive(FIRST)
    assert str(error.value) == (
        f"{WHERE} cannot be kept in /tmp, the task's scratch: No space left on device; give the task more scratch, then"
        " try again"
    )


def test_no_scratch_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(SourceError, match="the task's scratch: Read-only file system"):
        S3Source(BUCKET, Client(body(b""))).archive(FIRST)


def test_a_folder_that_cannot_be_read(shelf: Shelf) -> None:
    path = shelf.bucket / archive_key(FIRST)
    path.unlink()
    path.mkdir()
    assert refusal(shelf.publisher()) == (
        f"the release {FIRST} is not published: {path} cannot be read: Is a directory"
    )


# The command


NOT_CLEANED = {"skipped": "nobody has named the services that know the runs (--readers)"}


@pytest.fixture
def command(shelf: Shelf, aws: Aws, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> Command:
    return Command(shelf, aws.dynamodb, capsys, monkeypatch)


def test_publish(command: Command) -> None:
    facts = {"command": "publish", "release_id": FIRST, "files": 5, "size_bytes": 34, "ok": True}
    assert command("publish", FIRST, "--git-commit", "abc", "--published-by", "ada") == (
        DONE,
        {**facts, "already": False, "collection": NOT_CLEANED},
    )
    (noted,) = command.ledger.releases()
    assert (noted.release_id, noted.git_commit, noted.published_by, noted.files, noted.size_bytes, noted.state) == (
        FIRST, "abc", "ada", 5, 34, "published",
    )  # fmt: skip
    assert command("publish", FIRST) == (
        DONE,
        {**facts, "already": True, "collection": NOT_CLEANED},
    )
    assert command.ledger.releases() == [noted]


def test_the_empty_release_is_not_recorded(command: Command) -> None:
    assert command("publish", GENESIS)[0] == DONE
    assert command.ledger.releases() == []


def test_a_release_that_the_ledger_does_not_know_yet(command: Command) -> None:
    """Its publisher died before it could record it; the next one does."""
    command.shelf.publisher().publish(FIRST)
    assert command("publish", FIRST)[1]["already"]
    assert [noted.release_id for noted in command.ledger.releases()] == [FIRST]


def test_the_ledger_is_out_of_reach(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def throttle(_release: object) -> None:
        raise LedgerBusy("cannot record a release: busy")

    monkeypatch.setattr(command.ledger, "record_release", throttle)
    assert command("publish", FIRST) == (
        FAILED,
        {"command": "publish", "ok": False, "error": "cannot record a release: busy"},
    )


def test_what_is_broken_has_an_exit_code_of_its_own(command: Command) -> None:
    (command.shelf.bucket / archive_key(FIRST)).write_bytes(b"")
    code, answer = command("publish", FIRST)
    assert (code, answer["ok"], answer["command"]) == (BROKEN, False, "publish")
    assert answer["error"].startswith(f"the release {FIRST} is not published: the archive ")
    assert command.ledger.releases() == []


def test_what_nobody_thought_of(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command.shelf, "publisher", lambda **_: None)
    code, answer = command("publish", FIRST)
    assert (code, answer["ok"]) == (FAILED, False)
    assert answer["error"] == "AttributeError: 'NoneType' object has no attribute 'publish'"


def test_verify(command: Command) -> None:
    command("publish", FIRST)
    command("publish", SECOND)
    assert command("verify") == (
        DONE,
        {"command": "verify", "ok": True, "verified": sorted([FIRST, SECOND]), "problems": {}},
    )
    assert command("verify", FIRST)[1]["files"] == 5
    edit(command.shelf.root / FIRST / "tree" / "daily.py")
    code, answer = command("verify")
    assert (code, answer["ok"], answer["verified"], set(answer["problems"])) == (
        BROKEN,
        False,
        [SECOND],
        {FIRST},
    )
    assert answer["error"] == "1 of 2 releases are not verified"
    assert command("verify", FIRST)[0] == BROKEN


def test_a_release_that_goes_while_all_are_verified(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said, and nothing is broken."""
    monkeypatch.setattr(Publisher, "releases", lambda _: [FIRST])
    problem = f"the release {FIRST} is not verified: it is not in {command.shelf.root}: publish it"
    code, answer = command("verify")
    assert (code, answer["problems"]) == (FAILED, {FIRST: problem})


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["publish"], "the following arguments are required: ID"),
        (["collect"], "the following arguments are required: --readers"),
        (["collect", "--readers"], "argument --readers: expected at least one argument"),
        (
            ["collect", "--readers", "worker", "--older-than-days", "-1"],
            "argument --older-than-days: want a whole number of days, 0 or more, got '-1'",
        ),
    ],
)
def test_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], problem: str
) -> None:
    monkeypatch.setattr("sys.argv", ["platform-publisher", *words])
    with pytest.raises(SystemExit) as end:
        publisher_command.main()
    assert end.value.code == 2
    assert capsys.readouterr().err.endswith(f"error: {problem}\n")


def test_exit_codes_are_documented() -> None:
    for code in (DONE, FAILED, 2, BROKEN, BAD_CONFIGURATION):
        assert f"\n    {code}: " in (publisher_command.__doc__ or "")


def test_the_script_without_its_variables() -> None:
    answer = run_script({})
    assert answer.returncode == BAD_CONFIGURATION
    assert json.loads(answer.stdout.splitlines()[-1]) == {
        "command": "verify",
        "ok": False,
        "error": (
            "PLATFORM_DAG_STORAGE_PATH is missing; PLATFORM_RELEASE_BUCKET is missing; PLATFORM_LEDGER_TABLE is missing"
        ),
    }


def test_the_script_with_its_variables(tmp_path: Path) -> None:
    """Verifying an empty storage asks nobody."""
    answer = run_script(
        {
            "PLATFORM_DAG_STORAGE_PATH": str(tmp_path),
            "PLATFORM_RELEASE_BUCKET": BUCKET,
            "PLATFORM_LEDGER_TABLE": TABLE,
            "AWS_DEFAULT_REGION": REGION,
        }
    )
    assert (answer.returncode, answer.stdout) == (
        DONE,
        '{"command": "verify", "ok": true, "problems": {}, "verified": []}\n',
    )


def run_script(variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the image's script as the container does, with nothing of this machine but Python."""
    return subprocess.run(
        [sys.executable, IMAGE / "bin" / "platform-publisher", "verify"],
        env={"PYTHONPATH": str(IMAGE), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_connects_as_the_variables_say(shelf: Shelf, aws: Aws) -> None:
    aws.upload(shelf)
    tools = publisher_command.tools_from(
        {
            "PLATFORM_DAG_STORAGE_PATH": str(shelf.root),
            "PLATFORM_RELEASE_BUCKET": BUCKET,
            "PLATFORM_LEDGER_TABLE": TABLE,
        }
    )
    assert tools.publisher.publish(FIRST) == ALONE
    assert tools.ledger.releases() == []
    assert abs(tools.now() - time.time()) < 60
