"""The same changes by two other ways to bring DAGs to containers: copying what has changed, and Airflow's Git bundle.

Each says how long a change took and how much of the result is not what was released, counted file by file.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

from sandbox.twin import packages
from sandbox.twin.image import FOLDER, LOCK, Image
from tests.releases.trees import Item, manifest_of, write
from tests.twin.drills import report
from tests.twin.drills.releases_trees import STAMPED, Looks, release, wrong

GIT_PROVIDER: Final = "apache-airflow-providers-git==1.0.1"
PROGRAM: Final = Path(__file__).with_name("releases_git.py")
WHILE_COPYING: Final = 5
"""Every so many releases, the next one is uploaded while the one before is being copied."""


@dataclass(kw_only=True)
class Tried:
    """What one way did."""

    way: str
    seconds: list[float] = field(default_factory=list)
    """From the change, made where it is published, to the content where it is read."""
    looks: int = 0
    mixed: int = 0
    """Looks that saw files of two releases."""
    missing: int = 0
    """Looks at which a file was not there."""
    wrong: Counter[str] = field(default_factory=Counter)
    """Files that were not as released when all was done, by kind."""
    wrong_releases: int = 0
    notes: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return it for programs."""
        return vars(self) | {"wrong": dict(self.wrong)}

    def note(self, looks: Looks, counts: Counter[str]) -> None:
        """Add what was seen of one release."""
        self.looks += looks.looks
        self.mixed += looks.mixed
        self.missing += looks.missing
        self.wrong += counts
        self.wrong_releases += bool(counts)


Rule = Literal["size and time", "size only"]


class Copying:
    """`aws s3 sync --delete`, and what compares as it does: what has another size, or is older here, is copied.

    Objects have a content, a size and a time; they have no mode, and a link is uploaded as the file that it leads to.
    """

    def __init__(self, folder: Path, rule: Rule) -> None:
        """Copy into a folder."""
        self._folder, self._rule = folder, rule
        self._objects: dict[str, tuple[bytes, float]] = {}

    def upload(self, items: tuple[Item, ...]) -> None:
        """Make the bucket what the tree is; only what has changed gets a new time."""
        content = {path: given for path, given, _ in items if isinstance(given, bytes)}
        links = {path: content[given] for path, given, _ in items if isinstance(given, str)}
        for path in self._objects.keys() - content.keys() - links.keys():
            del self._objects[path]
        for path, given in (content | links).items():
            if path not in self._objects or self._objects[path][0] != given:
                self._objects[path] = given, time.time()

    def copy(self, meanwhile: tuple[Item, ...] | None = None) -> None:
        """Bring the folder to what the bucket has; something else may be uploaded meanwhile."""
        listed = {path: (len(content), at) for path, (content, at) in self._objects.items()}
        for number, (path, (size, at)) in enumerate(sorted(listed.items())):
            content = self._objects.get(path, (None, at))[0]
            if meanwhile and path == STAMPED[0]:
                self.upload(meanwhile)
                meanwhile = None
            # What was removed from the bucket since it was listed is an error of one file only.
            if content is not None and self._differs(self._folder / path, size, at):
                (self._folder / path).parent.mkdir(parents=True, exist_ok=True)
                fresh = self._folder / f".new{number}"
                fresh.write_bytes(content)
                fresh.rename(self._folder / path)
        for place in [each for each in self._folder.rglob("*") if each.is_file()]:
            if str(place.relative_to(self._folder)) not in listed:
                place.unlink()

    def _differs(self, place: Path, size: int, at: float) -> bool:
        try:
            about = place.stat()
        except FileNotFoundError:
            return True
        return about.st_size != size or (self._rule == "size and time" and about.st_mtime < at)


def by_copying(folder: Path, files: int, rounds: int, rule: Rule) -> Tried:
    """Release so many times, and count."""
    live = folder / rule.replace(" ", "-")
    live.mkdir(parents=True)
    tried, copying = Tried(way=f"copying, by {rule}"), Copying(live, rule)
    copying.upload(release(files, 0))
    copying.copy()
    for number in range(1, rounds + 1):
        items = release(files, number)
        manifest = manifest_of(items)
        with Looks(lambda: live) as looks:
            began = time.monotonic()
            if number % WHILE_COPYING:
                copying.upload(items)
                copying.copy()
            else:
                # A release that never ends: the next one comes while it is copied, and then its own turn.
                copying.upload(release(files, number + 10**5))
                copying.copy(meanwhile=items)
                copying.copy()
            tried.seconds.append(time.monotonic() - began)
        tried.note(looks, wrong(live, items, manifest))
    tried.notes = _damaged(live, copying)
    return tried


def _damaged(live: Path, copying: Copying) -> dict[str, Any]:
    """Change a byte of a copy, and copy once more."""
    place = live / STAMPED[0]
    before = place.read_bytes()
    place.write_bytes(bytes([before[0] ^ 1]) + before[1:])
    copying.copy()
    return {"damaged byte": "noticed" if place.read_bytes() == before else "not noticed"}


# Git


def git_python(image: Image) -> Path:
    """Return the Python of an environment like the image's that has Airflow's Git provider as well, made once."""
    version = ".".join(image.site_packages.parent.name.removeprefix("python").split(".")[:2])
    folder = packages.cache_folder(FOLDER / LOCK, version)
    folder = folder.with_name(f"{folder.name}-{GIT_PROVIDER.rpartition('-')[2].replace('==', '')}")
    if not (folder / packages.READY).exists():
        report.say(f"installing {GIT_PROVIDER} beside the image's packages, once")
        shutil.rmtree(folder, ignore_errors=True)
        _uv("venv", "--no-python-downloads", "--python", str(image.python.resolve()), str(folder))
        _uv(
            "pip", "install", "--compile-bytecode", "--python", str(folder / "bin" / "python"),
            "--requirement", str(FOLDER / LOCK), GIT_PROVIDER,
        )  # fmt: skip
        (folder / packages.READY).touch()
    return folder / "bin" / "python"


def _uv(*arguments: str) -> None:
    from uv import find_uv_bin

    clean = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    subprocess.run([find_uv_bin(), *arguments, "--quiet"], env=clean, check=True)


class Repository:
    """A work tree, and the bare repository that its commits are pushed to."""

    def __init__(self, folder: Path) -> None:
        """Make both."""
        self.bare, self._work = folder / "bare.git", folder / "work"
        self._git("init", "--quiet", "--bare", "--initial-branch=main", str(self.bare), at=folder)
        self._git("clone", "--quiet", str(self.bare), str(self._work), at=folder)
        self._git("checkout", "--quiet", "-b", "main")

    def push(self, items: tuple[Item, ...]) -> str:
        """Commit a tree and push it; return the commit."""
        for path in self._work.iterdir():
            if path.name != ".git":
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        write(self._work, items)
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", "release")
        self._git("push", "--quiet", "origin", "main")
        return self._git("rev-parse", "HEAD").strip()

    def _git(self, *words: str, at: Path | None = None) -> str:
        names = {
            f"GIT_{who}_{what}": "drill@example.com"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        done = subprocess.run(
            ["git", *words],
            cwd=at or self._work,
            env=os.environ | names | {"GIT_CONFIG_GLOBAL": os.devnull},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout


class Bundle:
    """The program with the bundle."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Wait until it is ready."""
        self._process = process
        self.path = Path(self._answer()["path"])

    def ask(self, words: str) -> dict[str, Any]:
        """Let it do something."""
        assert self._process.stdin
        self._process.stdin.write(f"{words}\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        for line in self._process.stdout:
            # Airflow writes there, too.
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
        raise AssertionError("the bundle's program has ended")


@contextmanager
def bundle(image: Image, repository: Repository, folder: Path) -> Iterator[Bundle]:
    """Run the bundle as a container does, which has a clone of its own."""
    home = folder / "home"
    home.mkdir()
    environment = {
        **image.environment_in_place,
        "HOME": str(home),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(home / "bundles"),
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [git_python(image), "-P", PROGRAM, str(repository.bare)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        yield Bundle(process)
    finally:
        process.kill()
        process.communicate()


def by_git(image: Image, folder: Path, files: int, rounds: int) -> Tried:
    """Release so many times, and count; every release is also taken as the version of a run."""
    folder.mkdir(parents=True)
    tried, repository = Tried(way="GitDagBundle"), Repository(folder)
    repository.push(release(files, 0))
    versions: list[float] = []
    wrong_versions: Counter[str] = Counter()
    with bundle(image, repository, folder) as found:
        for number in range(1, rounds + 1):
            items = release(files, number)
            manifest = manifest_of(items)
            with Looks(partial(Path, found.path)) as looks:
                began = time.monotonic()
                commit = repository.push(items)
                assert found.ask("refresh")["version"] == commit
                tried.seconds.append(time.monotonic() - began)
            tried.note(looks, wrong(found.path, items, manifest))
            pinned = found.ask(f"version {commit}")
            versions.append(pinned["seconds"])
            wrong_versions += wrong(Path(pinned["path"]), items, manifest)
        tried.notes = {
            "version ready after, s": round(sorted(versions)[len(versions) // 2], 2),
            "files wrong in versions": wrong_versions.total(),
            "damaged byte": _damaged_version(found, commit),
        }
    return tried


def _damaged_version(found: Bundle, commit: str) -> str:
    """Change a byte of a version's folder, and take that version once more, as the next task does."""
    place = Path(found.ask(f"version {commit}")["path"]) / STAMPED[0]
    before = place.read_bytes()
    place.write_bytes(bytes([before[0] ^ 1]) + before[1:])
    found.ask(f"version {commit}")
    return "noticed" if place.read_bytes() == before else "not noticed"
