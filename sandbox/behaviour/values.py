"""The values that properties hold: plain Python data, the unknown of a preview, assets and archives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final


class Unknown:
    """A value that AWS decides at apply time; there is one instance, `UNKNOWN`."""

    _instance: Unknown | None = None

    def __new__(cls) -> Unknown:
        """Return the one instance."""
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __repr__(self) -> str:
        return "<unknown>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Unknown:
        return self


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class Asset:
    """A file handed to a resource. Exactly one of `text`, `path`, `uri` is set; `hash` is sha256, hex."""

    hash: str = ""
    text: str | None = None
    path: str | None = None
    uri: str | None = None


@dataclass(frozen=True)
class Archive:
    """A set of files handed to a resource; `assets` maps names to `Asset` or `Archive`."""

    hash: str = ""
    assets: tuple[tuple[str, Any], ...] | None = None
    path: str | None = None
    uri: str | None = None


@dataclass(frozen=True)
class ResourceReference:
    """A pointer from one value to a registered resource; `id` is UNKNOWN before the resource exists."""

    urn: str
    id: Any


def has_unknown(value: Any) -> bool:
    """Say whether any part of a value is unknown."""
    if value is UNKNOWN:
        return True
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return False
