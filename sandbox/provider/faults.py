"""Planted failures: a resource whose creation, update or deletion fails once or always."""

from __future__ import annotations

import fnmatch
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field


class PlantedFailureError(Exception):
    """The failure that a run asked for; its text says that it is planted."""


@dataclass
class Faults:
    """Parsed `PATTERN[=once|always]` specifications; a pattern is a glob over `type::name`."""

    specifications: Sequence[str] = ()
    _left: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        for specification in self.specifications:
            pattern, _, times = specification.partition("=")
            if times not in ("", "once", "always") or not pattern:
                raise ValueError(f"--fail {specification!r}: want TYPE::NAME[=once|always], globs allowed")
            self._left[pattern] = float("inf") if times == "always" else 1

    def strike(self, token: str, name: str) -> None:
        """Raise PlantedFailureError when a failure is planted for the resource and not used up."""
        with self._lock:
            for pattern, left in self._left.items():
                if left > 0 and fnmatch.fnmatchcase(f"{token}::{name}", pattern):
                    self._left[pattern] = left - 1
                    raise PlantedFailureError(f"planted failure of {token}::{name} (--fail {pattern})")
