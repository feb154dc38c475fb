"""Property values as rules read them: each read is guarded, so that nothing unknown or secret slips through.

During a preview some values are not known yet, secrets must not be shown, and a program may give a value of another
type than the provider wants. A `View` is a value with its place; to decide on it is possible only through the methods
here, which raise `UndecidedError` for what is not known and `WrongTypeError` for what is of another type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

SHOWN_CHARACTERS: Final = 60
"""Of a value, in a message."""


class Missing(Enum):
    """Marks of values that are not there."""

    UNKNOWN = "not known before `pulumi up`"
    ABSENT = "not set"


UNKNOWN: Final = Missing.UNKNOWN
ABSENT: Final = Missing.ABSENT


@dataclass(frozen=True)
class Secret:
    """A value that must not be shown."""

    value: Any

    def __repr__(self) -> str:
        return "[secret]"


class UndecidedError(Exception):
    """A decision needs a value that is not known yet."""

    def __init__(self, path: str) -> None:
        """Remember where the value is."""
        super().__init__(path)
        self.path = path


class WrongTypeError(Exception):
    """A value has another type than it must have; the message says where, what it is, and what is wanted."""

    def __init__(self, view: View, want: str) -> None:
        """Name the value, unless it is secret."""
        super().__init__(f"{view.path} is {view.shown()}, want {want}")


@dataclass(frozen=True)
class View:
    """A value of a resource, and where it is."""

    raw: Any
    """Plain data, UNKNOWN or ABSENT; inside of it also Secret."""
    path: str = ""
    """As in `containerDefinitions[0].image`; empty for the whole resource."""
    secret: bool = False

    @classmethod
    def of(cls, value: Any, path: str = "", *, secret: bool = False) -> View:
        """Look at a value; what is null counts as absent, as it does for providers."""
        while isinstance(value, Secret):
            value, secret = value.value, True
        return cls(ABSENT if value is None else value, path, secret)

    def __getitem__(self, key: str) -> View:
        """Return a property of an object; the properties of what is absent are absent, of what is unknown, unknown.

        Raises:
            WrongTypeError: This is no object.

        """
        path = f"{self.path}.{key}" if self.path else key
        if isinstance(self.raw, Missing):
            return View(self.raw, path, self.secret)
        if not isinstance(self.raw, Mapping):
            raise WrongTypeError(self, "an object")
        return View.of(self.raw.get(key), path, secret=self.secret)

    def at(self, path: str) -> View:
        """Return the property at a path such as `rootDirectory.path`."""
        found = self
        for key in path.split("."):
            found = found[key]
        return found

    @property
    def absent(self) -> bool:
        """Whether nothing is set here; an unknown value is there."""
        return self.raw is ABSENT

    @property
    def unknown(self) -> bool:
        """Whether the value itself is not known; parts of a known one may still be unknown."""
        return self.raw is UNKNOWN

    @property
    def empty(self) -> bool:
        """Whether nothing is set, or an empty text, list or object.

        Raises:
            UndecidedError: Not known yet.

        """
        return self.absent or self.known() in ("", [], {})

    def known(self) -> Any:
        """Return the value, ABSENT included.

        Raises:
            UndecidedError: Not known yet.

        """
        if self.unknown:
            raise UndecidedError(self.path)
        return self.raw

    def items(self) -> Iterator[View]:
        """Iterate over a list; what is absent has no items.

        Raises:
            UndecidedError: Not known yet.
            WrongTypeError: This is no list.

        """
        value = self.known()
        if value is ABSENT:
            return
        if not isinstance(value, list | tuple):
            raise WrongTypeError(self, "a list")
        for index, item in enumerate(value):
            yield View.of(item, f"{self.path}[{index}]", secret=self.secret)

    def entries(self) -> Iterator[tuple[str, View]]:
        """Iterate over an object; what is absent has no entries.

        Raises:
            UndecidedError: Not known yet.
            WrongTypeError: This is no object.

        """
        value = self.known()
        if value is ABSENT:
            return
        if not isinstance(value, Mapping):
            raise WrongTypeError(self, "an object")
        for key in value:
            yield str(key), self[key]

    def text(self, default: str = "") -> str:
        """Return a text; `default` for what is absent.

        Raises:
            UndecidedError: Not known yet.
            WrongTypeError: Another type.

        """
        return str(self._typed(str, "a text", default))

    def flag(self, *, default: bool = False) -> bool:
        """Return true or false; `default` for what is absent.

        Raises:
            UndecidedError: Not known yet.
            WrongTypeError: Another type; the text "true" is one.

        """
        return bool(self._typed(bool, "true or false", default))

    def number(self, default: float = 0) -> float:
        """Return a number; `default` for what is absent.

        Raises:
            UndecidedError: Not known yet.
            WrongTypeError: Another type; true is one.

        """
        value = self.known()
        if isinstance(value, bool):
            raise WrongTypeError(self, "a number")
        return float(self._typed(int | float, "a number", default))

    def _typed(self, kind: Any, want: str, default: Any) -> Any:
        value = self.known()
        if value is ABSENT:
            return default
        if not isinstance(value, kind):
            raise WrongTypeError(self, want)
        return value

    def shown(self) -> str:
        """Return the value for a message: shortened, and nothing of a secret."""
        if isinstance(self.raw, Missing):
            return self.raw.value
        if self.secret:
            return "[secret]"
        text = repr(self.raw)
        return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 3]}..."
