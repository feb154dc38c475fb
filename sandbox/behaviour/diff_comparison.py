"""What the rules of single types see and edit: a resource before and after, and its changes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.behaviour.model import Change, ChangeKind, Failure, Properties


@dataclass
class Comparison:
    """One resource before and after, and the changes found so far; rules edit `changes` and `refused`."""

    old: Properties
    new: Properties
    outputs: Properties
    changes: list[Change]
    refused: list[Failure] = field(default_factory=list)

    def changed(self, *paths: str) -> bool:
        """Say whether one of these properties, or a part of one, changed."""
        return any(_inside(change.path, path) for change in self.changes for path in paths)

    def replace(self, *paths: str) -> None:
        """Make changes of these properties replace the resource."""
        self.changes = [
            replace(change, replace=True) if any(_inside(change.path, path) for path in paths) else change
            for change in self.changes
        ]

    def in_place(self, *paths: str) -> None:
        """Make changes of these properties an update."""
        self.changes = [
            replace(change, replace=False) if any(_inside(change.path, path) for path in paths) else change
            for change in self.changes
        ]

    def add(self, path: str, kind: ChangeKind, *, replace: bool = False) -> None:
        """Report a change that is not one of inputs: the provider makes it when the program drops a value."""
        self.changes = [*self.changes, Change(path, kind, replace)]

    def drop(self, *paths: str) -> None:
        """Forget changes of these properties."""
        kept = [change for change in self.changes if not any(_inside(change.path, path) for path in paths)]
        self.changes = kept

    def refuse(self, property_path: str, reason: str) -> None:
        """Fail the plan, as the provider does."""
        self.refused.append(Failure(property_path, reason))

    def before(self, path: str) -> Any:
        """Read an old value by dotted path; None when it is missing."""
        return _at(self.old, path)

    def after(self, path: str) -> Any:
        """Read a new value by dotted path; None when it is missing."""
        return _at(self.new, path)


def _inside(path: str, parent: str) -> bool:
    bare = re.sub(r"\[[^]]*]", "", path)
    return bare == parent or bare.startswith(f"{parent}.")


def _at(value: Any, path: str) -> Any:
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def version(text: Any) -> tuple[int, ...]:
    """Read the numbers of a version; `6.x` counts as 6, anything unreadable as nothing."""
    return tuple(int(part) for part in re.findall(r"\d+", text)) if isinstance(text, str) else ()
