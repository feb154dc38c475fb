"""What a release's tree consists of, and what is said about that which must not be in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SHOWN_PROBLEMS: Final = 50


PLAIN_MODE: Final = 0o644
EXECUTABLE_MODE: Final = 0o755
LINK_MODE: Final = 0o777
"""Git knows these modes only: whether a file is executable is content, who may read it is not."""


class Kind(StrEnum):
    """What an entry is. Folders are no entries: they are there because something lies in them."""

    FILE = "file"
    LINK = "link"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file or a link of the tree."""

    path: str
    """Relative, parts separated by "/"."""
    kind: Kind
    mode: int
    size: int
    sha256: str
    """Of the content; for a link of its target."""
    target: str = ""
    """Of a link only."""


def file_entry(path: str, content: bytes, *, executable: bool = False) -> Entry:
    """Return the entry of a file with this content."""
    mode = EXECUTABLE_MODE if executable else PLAIN_MODE
    digest = hashlib.sha256(content).hexdigest()
    return Entry(path=path, kind=Kind.FILE, mode=mode, size=len(content), sha256=digest)


def link_entry(path: str, target: str) -> Entry:
    """Return the entry of a link."""
    content = raw(target)
    digest = hashlib.sha256(content).hexdigest()
    return Entry(path=path, kind=Kind.LINK, mode=LINK_MODE, size=len(content), sha256=digest, target=target)


@dataclass(frozen=True)
class Problem:
    """One thing that must not be in a release."""

    path: str
    wrong: str
    """What is wrong."""
    allowed: str
    """What is allowed instead, or what to do."""

    def __str__(self) -> str:
        """Say it in one line; what cannot be printed is escaped."""
        return f"{shown(self.path) or '(the tree)'}: {self.wrong}; {self.allowed}"


class Refusal(ValueError):
    """The tree cannot be a release; `problems` is the complete list of reasons."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep the reasons, in the order of their paths."""
        self.problems = tuple(sorted(set(problems), key=lambda problem: (problem.path, problem.wrong)))
        lines = [str(problem) for problem in self.problems[:SHOWN_PROBLEMS]]
        if more := len(self.problems) - len(lines):
            lines.append(f"and {more} more")
        super().__init__("\n".join(lines))


def parents(path: str) -> Iterator[str]:
    """Return the folders around a path, the innermost first, without the root."""
    while (cut := path.rfind("/")) > 0:
        path = path[:cut]
        yield path


def raw(text: str) -> bytes:
    """Return a name as the file system has it; bytes that are not UTF-8 came in as surrogates."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def name(content: bytes) -> str:
    """Return a name of the file system as text; `raw` gives its bytes back."""
    return content.decode("utf-8", "surrogateescape")


def shown(text: str) -> str:
    """Return text that can be printed in one line and in any place: what is invisible is escaped."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text
    )
