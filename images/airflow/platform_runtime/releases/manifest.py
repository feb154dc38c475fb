"""The manifest: the canonical list of a release's files and links; its hash is the release's id.

The same tree always gives the same bytes, and a manifest that exists keeps all rules: whoever has one has a good tree.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from .entries import Entry, Kind, Problem, Refusal, parents, raw, shown
from .rules import MAX_TREE_BYTES, SHA256, check

__all__ = [
    "FORMAT",
    "MAX_JSON_BYTES",
    "MAX_TREE_BYTES",
    "Entry",
    "Kind",
    "Manifest",
    "Refusal",
    "canonical",
    "genesis",
    "is_release_id",
    "parents",
    "shown",
]

FORMAT: Final = 1
"""Version of the manifest's form. Another form is another number, and other ids."""

MAX_JSON_BYTES: Final = 64 * 2**20
"""More than the manifest of the largest tree with the longest paths: what is larger is not read."""
_FIELDS: Final = {"kind": str, "mode": str, "path": str, "sha256": str, "size": int}


@dataclass(frozen=True)
class Manifest:
    """The content of a release. One that exists is valid: every rule holds.

    Raises:
        Refusal: The tree breaks a rule.

    """

    entries: tuple[Entry, ...]
    """In the order of their paths' bytes, whatever order was given."""

    def __post_init__(self) -> None:
        """Bring the entries into their order and refuse what breaks a rule."""
        # UTF-8 keeps the order of code points, so this is the order of the bytes.
        object.__setattr__(self, "entries", tuple(sorted(self.entries, key=lambda entry: entry.path)))
        if problems := check(self.entries):
            raise Refusal(problems)

    @cached_property
    def release_id(self) -> str:
        """Hash of the canonical bytes: 64 hexadecimal characters."""
        return hashlib.sha256(self.to_json()).hexdigest()

    @cached_property
    def size_bytes(self) -> int:
        """Content of all files."""
        return sum(entry.size for entry in self.entries if entry.kind is Kind.FILE)

    @property
    def files(self) -> int:
        """Number of files and links."""
        return len(self.entries)

    @cached_property
    def folders(self) -> tuple[str, ...]:
        """Every folder that something lies in, a folder before what it holds; the root is not among them."""
        return tuple(sorted({folder for entry in self.entries for folder in parents(entry.path)}))

    @cached_property
    def by_path(self) -> Mapping[str, Entry]:
        """The entries by their paths."""
        return {entry.path: entry for entry in self.entries}

    def to_json(self) -> bytes:
        """Return the canonical bytes."""
        return canonical(self.entries)

    @classmethod
    def from_json(cls, content: bytes) -> Manifest:
        """Read canonical bytes.

        Raises:
            Refusal: They are no manifest, not canonical, or what they list breaks a rule.

        """
        manifest = cls(tuple(_entries(content)))
        if manifest.to_json() != content:
            raise _unreadable("it is not written in the canonical form, so its hash is not a release's id")
        return manifest


def genesis() -> Manifest:
    """Return the empty release, on which a new platform starts."""
    return Manifest(())


def is_release_id(text: str) -> bool:
    """Say whether this can be a release's id; an id is a folder's name, so nothing else is used as one."""
    return SHA256.fullmatch(text) is not None


def canonical(entries: Iterable[Entry], **more: list[str]) -> bytes:
    """Return the canonical bytes of entries in their order.

    Args:
        entries: Sorted by path.
        more: What no manifest can have, so that a tree with it has an id of its own.

    """
    document = {"entries": [_document(entry) for entry in entries], "format": FORMAT, **more}
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return raw(text + "\n")


def _document(entry: Entry) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "kind": entry.kind.value,
        "mode": f"{entry.mode:04o}",
        "path": entry.path,
        "sha256": entry.sha256,
        "size": entry.size,
    }
    if entry.kind is Kind.LINK:
        fields["target"] = entry.target
    return fields


def _unreadable(wrong: str) -> Refusal:
    return Refusal(
        [Problem("manifest.json", wrong, "take the manifest that `operations release` wrote, unchanged")]
    )


def _entries(content: bytes) -> Iterator[Entry]:
    if len(content) > MAX_JSON_BYTES:
        raise _unreadable(f"it has {len(content)} bytes, and at most {MAX_JSON_BYTES} are possible")
    try:
        document = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _unreadable("it is not JSON in UTF-8: cut off or something else") from error
    if not isinstance(document, dict) or type(document.get("format")) is not int:
        raise _unreadable("it has no format number")
    if document["format"] != FORMAT:
        raise _unreadable(f"its format is {document['format']}, and only {FORMAT} is known here")
    if set(document) != {"entries", "format"} or not isinstance(document["entries"], list):
        raise _unreadable("want a list `entries` and the format, and nothing else")
    for number, fields in enumerate(document["entries"]):
        try:
            yield _entry(fields)
        except (KeyError, TypeError, ValueError) as error:
            raise _unreadable(
                f"entry {number} lacks a field, has one too many or one of another type"
            ) from error


def _entry(fields: Any) -> Entry:
    """Return an entry of the document; what is wrong with its values is said with all others, later."""
    expected = _FIELDS | ({"target": str} if fields["kind"] == Kind.LINK else {})
    # By the exact type: True is an int as well.
    if {key: type(value) for key, value in fields.items()} != expected:
        raise TypeError
    if not re.fullmatch("0[0-7]{3}", fields["mode"]):
        raise ValueError
    return Entry(
        path=fields["path"],
        kind=Kind(fields["kind"]),
        mode=int(fields["mode"], 8),
        size=fields["size"],
        sha256=fields["sha256"],
        target=fields.get("target", ""),
    )
