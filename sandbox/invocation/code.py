"""The code of a function, laid out in a folder as Lambda unpacks it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from sandbox.behaviour.model import AwsError
from sandbox.behaviour.values import Archive, Asset

UNSUPPORTED = "UnsupportedCode"


def lay_out(code: Any, folder: Path, program: Path) -> None:
    """Write an archive into a folder; files and folders on this machine are linked, not copied.

    Args:
        code: The function's `code`.
        folder: An empty folder.
        program: The program's folder, from which relative paths start.

    Raises:
        AwsError: the code is somewhere else than on this machine.

    """
    if not isinstance(code, Archive) or code.uri:
        raise AwsError(UNSUPPORTED, "the sandbox runs code from archives on this machine only")
    if code.assets is not None:
        for name, member in code.assets:
            _member(member, folder / name, program)
    elif code.path:
        _unpack(program / code.path, folder)


def _member(member: Any, target: Path, program: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(member, Asset) and member.text is not None:
        target.write_text(member.text, encoding="utf-8")
    elif isinstance(member, Asset) and member.path:
        target.symlink_to((program / member.path).resolve())
    else:
        target.mkdir()
        lay_out(member, target, program)


def _unpack(source: Path, folder: Path) -> None:
    if source.is_dir():
        for path in source.iterdir():
            (folder / path.name).symlink_to(path.resolve())
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as file:
            file.extractall(folder)
    else:
        raise AwsError(
            UNSUPPORTED, f"the sandbox runs code from folders and zip files, not from {source.name}"
        )
