"""Makes an image with DAGs: the platform's image and one release, in the layout of the DAG storage.

The build context has everything: a Dockerfile of two instructions, and the release as a tree with its manifest. A
command builds and pushes it, and says in a file which digest the registry knows it by.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from images.airflow.platform_runtime.releases.layout import MANIFEST, TREE
from images.airflow.platform_runtime.releases.manifest import Entry, Kind, Manifest
from operations.errors import OperationError
from operations.proofs import SHORT

PATIENCE_SECONDS: Final = 900.0
TAG: Final = "dags-"
"""Begins the tags; the registry's lifecycle policy knows it."""
BAKED: Final = "/opt/airflow/baked"
"""Where the release agent looks."""
RELEASES: Final = "releases"
DIGEST_KEY: Final = "containerimage.digest"
"""What BuildKit calls the digest in its metadata file."""
DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
PLATFORMS: Final = {"arm64": "linux/arm64", "x86_64": "linux/amd64"}
LAST_LINES: Final = 20
FILE, PROGRAM, FOLDER = 0o644, 0o755, 0o755
BUILD: Final = (
    # Without times and attestations the same release on the same base is the same image.
    'SOURCE_DATE_EPOCH=0 docker buildx build --provenance=false --sbom=false --platform "$PLATFORM"'
    ' --tag "$DAG_IMAGE" --output type=image,push=true,rewrite-timestamp=true'
    ' --metadata-file "$METADATA_FILE" "$CONTEXT"'
)
"""The command unless another is given; the variables are those that every command gets."""

Say = Callable[[str], None]


class Tree(Protocol):
    """A release's content."""

    @property
    def manifest(self) -> Manifest:
        """What it consists of."""

    def read(self, entry: Entry) -> bytes:
        """Return the content of a file."""


@dataclass(frozen=True, kw_only=True)
class Base:
    """What an image with DAGs is made from and for."""

    repository: str
    """Where it is pushed, and where the platform's image lies."""
    digest: str
    """Of the platform's image."""
    architecture: str
    """As the settings name it."""


@dataclass(frozen=True, kw_only=True)
class Builder:
    """Builds and pushes."""

    base: Base
    command: str = ""
    """For a shell; it finds CONTEXT, METADATA_FILE, DAG_IMAGE (repository and tag) and PLATFORM in its environment."""
    patience_seconds: float = PATIENCE_SECONDS

    def build(self, tree: Tree, now: datetime, say: Say) -> str:
        """Build and push an image; return its digest.

        Args:
            tree: The release.
            now: The date; it is in the tag, because the registry's tags never move.
            say: Is told the tag.

        Raises:
            OperationError: there is no image, and why.

        """
        tag = f"{TAG}{tree.manifest.release_id[:SHORT]}-{now:%Y%m%d%H%M%S}"
        reference = f"{self.base.repository}:{tag}"
        say(tag)
        with tempfile.TemporaryDirectory(prefix="dag-image-") as name:
            context, metadata = Path(name) / "context", Path(name) / "metadata.json"
            lay_out(context, tree, f"{self.base.repository}@{self.base.digest}")
            variables = {
                "CONTEXT": str(context),
                "METADATA_FILE": str(metadata),
                "DAG_IMAGE": reference,
                "PLATFORM": PLATFORMS[self.base.architecture],
            }
            self._run(variables)
            return _digest(metadata)

    def _run(self, variables: dict[str, str]) -> None:
        command = self.command or BUILD
        try:
            done = subprocess.run(
                ["/bin/sh", "-c", command],
                env={**os.environ, **variables},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=self.patience_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise OperationError(
                f"the image is not built within {self.patience_seconds:.0f} s: `{command}`"
            ) from error
        if done.returncode:
            lines = done.stdout.decode(errors="replace").splitlines()[-LAST_LINES:]
            said = "\n".join(f"  {line}" for line in lines) or "  it said nothing"
            raise OperationError(
                f"the image is not built: `{command}` ended with {done.returncode}:\n{said}\n"
                "see whether a builder is installed and logged in to the registry, or give another command"
                " (--build-command)"
            )


def lay_out(context: Path, tree: Tree, base: str) -> None:
    """Write a build context.

    Args:
        context: Where; it is made.
        tree: The release.
        base: The platform's image, with its digest.

    Raises:
        OperationError: the repository changes meanwhile, or the disk does not take it.

    """
    manifest = tree.manifest
    release = context / RELEASES / manifest.release_id
    try:
        (release / TREE).mkdir(parents=True)
        for folder in manifest.folders:
            (release / TREE / folder).mkdir(parents=True)
        for entry in manifest.entries:
            _write(release / TREE / entry.path, entry, tree)
        for path, content in (
            (release / MANIFEST, manifest.to_json()),
            (context / "Dockerfile", dockerfile(base)),
        ):
            path.write_bytes(content)
            path.chmod(FILE)
        # What does not depend on when and where it was written.
        for path in context.rglob("*"):
            if path.is_dir() and not path.is_symlink():
                path.chmod(FOLDER)
        for path in sorted(context.rglob("*"), reverse=True):
            os.utime(path, (0, 0), follow_symlinks=False)
    except OSError as error:
        raise OperationError(f"the image's files cannot be written to {context}: {error}") from error


def dockerfile(base: str) -> bytes:
    """Return the Dockerfile of an image with DAGs.

    Modes are those of the context, which `COPY` keeps: one mode for all would make every file a program.
    """
    return f"FROM {base}\nCOPY --chown=0:0 {RELEASES} {BAKED}\n".encode()


def _write(place: Path, entry: Entry, tree: Tree) -> None:
    if entry.kind is Kind.LINK:
        place.symlink_to(entry.target)
        return
    content = tree.read(entry)
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise OperationError(f"the repository changes while it is read: {entry.path}: release again")
    place.write_bytes(content)
    place.chmod(PROGRAM if entry.mode & 0o100 else FILE)


def _digest(metadata: Path) -> str:
    try:
        found = json.loads(metadata.read_text())[DIGEST_KEY]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OperationError(
            f"the image was built, but its digest ({DIGEST_KEY}) is not in the command's METADATA_FILE: {error!r}"
        ) from error
    if not isinstance(found, str) or not DIGEST.fullmatch(found):
        raise OperationError(f"the image was built, but {found!r} is no digest: want sha256: and 64 digits")
    return found
