"""Images with DAGs on a machine without a container engine: what a build context adds to the platform's image.

The stand-in for a builder reads the Dockerfile's FROM and COPY and keeps the copied files in a folder that is named by
a digest of them. A container whose image is not the platform's gets those files in addition. Nothing else of an image
can differ here: an instruction that would do more is refused.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shlex
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sandbox.cli import SandboxError

FOLDER: Final = "images"
"""Of the sandbox's folder: one folder for each image."""
ABOUT: Final = "image.json"
FILES: Final = "files"
DIGEST_KEY: Final = "containerimage.digest"
"""As BuildKit's metadata file has it."""
UNDERSTOOD: Final = frozenset({"FROM", "COPY", "COMMENT"})


class ImageBuildError(SandboxError):
    """The context cannot be built here; the message names what is wrong."""


class CannotPullContainerError(Exception):
    """ECS cannot have an image; the message is ECS's own."""


def build(context: Path, images: Path, metadata: Path | None = None) -> str:
    """Keep what an image adds to its base; return its digest.

    Args:
        context: The build context.
        images: Where images are kept.
        metadata: File for the digest, as BuildKit writes it.

    Raises:
        ImageBuildError: The context has no Dockerfile, or one that does more than to copy.

    """
    base, copies = _read(context)
    images.mkdir(parents=True, exist_ok=True)
    # Beside its place, which it takes by one rename.
    work = Path(tempfile.mkdtemp(prefix=".building-", dir=images))
    try:
        work.chmod(0o755)
        files: dict[str, str] = {}
        for number, (source, target) in enumerate(copies):
            try:
                shutil.copytree(context / source, work / FILES / str(number), symlinks=True)
            except OSError as error:
                raise ImageBuildError(f"COPY {source} {target}: {error}") from error
            files[target] = f"{FILES}/{number}"
        about = {"from": base, "files": files}
        (work / ABOUT).write_text(json.dumps(about, sort_keys=True), encoding="utf-8")
        digest = f"sha256:{_hash(work)}"
        if not (images / digest).exists():
            work.rename(images / digest)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if metadata is not None:
        metadata.write_text(json.dumps({DIGEST_KEY: digest}), encoding="utf-8")
    return digest


def added(image: str, platform: str, images: Path) -> dict[str, Path]:
    """Return the files that an image has beside the platform's: path in the container to the folder here.

    Args:
        image: As a task definition names it, with its digest.
        platform: The same of the platform's image, which adds nothing.
        images: Where images are kept.

    Raises:
        CannotPullContainerError: There is no such image.

    """
    if image == platform:
        return {}
    digest = image.partition("@")[2]
    place = images / digest
    try:
        files: dict[str, str] = json.loads((place / ABOUT).read_text(encoding="utf-8"))["files"]
    except FileNotFoundError as error:
        raise CannotPullContainerError(
            "pull image manifest has been retried 1 time(s): failed to resolve ref"
            f" {image}: {image}: not found"
        ) from error
    return {target: place / kept for target, kept in files.items()}


def _read(context: Path) -> tuple[str, list[tuple[str, str]]]:
    """Return the base and what is copied where."""
    from dockerfile_parse import DockerfileParser

    try:
        content = (context / "Dockerfile").read_bytes()
    except OSError as error:
        raise ImageBuildError(f"{context} is no build context: {error}") from error
    structure: list[dict[str, Any]] = DockerfileParser(fileobj=io.BytesIO(content)).structure
    base, copies = "", []
    for item in structure:
        instruction, value = item["instruction"], item["value"]
        if instruction not in UNDERSTOOD:
            raise ImageBuildError(
                f"the Dockerfile has {instruction}: without a container engine only FROM and COPY can be done"
            )
        if instruction == "FROM":
            base = value
        elif instruction == "COPY":
            copies.append(_copy(context, value))
    if "@sha256:" not in base:
        raise ImageBuildError(f"FROM {base or 'nothing'}: want an image with its digest")
    return base, copies


def _copy(context: Path, value: str) -> tuple[str, str]:
    words = [word for word in shlex.split(value) if not word.startswith("--")]
    if len(words) != 2 or not (context / words[0]).is_dir() or not words[1].startswith("/"):
        raise ImageBuildError(f"COPY {value}: want a folder of the context and an absolute path")
    return words[0], words[1].rstrip("/")


def _hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for line in _lines(folder, folder):
        digest.update(line.encode() + b"\0")
    return digest.hexdigest()


def _lines(folder: Path, root: Path) -> Iterator[str]:
    """Yield what each file is; times and owners do not count."""
    for path in sorted(folder.iterdir()):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            yield f"link {name} {os.readlink(path)}"  # noqa: PTH115
        elif path.is_dir():
            yield f"folder {name}"
            yield from _lines(path, root)
        else:
            mode = stat.S_IMODE(path.stat().st_mode)
            yield f"file {name} {mode:o} {hashlib.sha256(path.read_bytes()).hexdigest()}"
