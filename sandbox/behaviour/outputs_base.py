"""What the output tables are made of: deterministic ids, a resource under construction, a type's shape."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sandbox.behaviour import regions
from sandbox.behaviour.model import Properties, Session, World
from sandbox.behaviour.values import has_unknown

HEX: Final = "0123456789abcdef"
DIGITS: Final = "0123456789"
LOWER: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
UPPER: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
MIXED: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
EPOCH: Final = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
"""Simulated resources are born in the weeks after this moment, so that runs repeat exactly."""

_SIZED: Final = re.compile(r"(hex|digits|lower|upper|mixed)(\d+)$")
_ALPHABETS: Final = {"hex": HEX, "digits": DIGITS, "lower": LOWER, "upper": UPPER, "mixed": MIXED}


class Ids:
    """Endless deterministic identifiers: the same seed and label always give the same text."""

    def __init__(self, *seed: str | bytes) -> None:
        """Start from everything that tells this resource from others."""
        self._seed = b"\0".join(part.encode() if isinstance(part, str) else part for part in seed)

    def text(self, alphabet: str, length: int, label: str = "") -> str:
        """Give `length` characters of an alphabet."""
        digest = hashlib.shake_256(self._seed + b"\0" + label.encode()).digest(length + 8)
        number = int.from_bytes(digest)
        characters = []
        for _ in range(length):
            number, index = divmod(number, len(alphabet))
            characters.append(alphabet[index])
        return "".join(characters)

    def hex(self, length: int, label: str = "") -> str:
        """Give lower-case hexadecimal digits."""
        return self.text(HEX, length, label)

    def number(self, low: int, high: int, label: str = "") -> int:
        """Give a number from `low` to `high`, both included."""
        return low + int(self.hex(12, label), 16) % (high - low + 1)

    def uuid(self, label: str = "uuid") -> str:
        """Give a version 4 uuid."""
        digits = self.hex(32, label)
        variant = "89ab"[int(digits[16], 16) % 4]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"

    def moment(self) -> datetime:
        """Give the simulated time of creation, in UTC."""
        return EPOCH + timedelta(seconds=self.number(0, 14 * 86400, "moment"))


@dataclass
class New:
    """A resource on its way into the simulated cloud; `outputs` starts as its completed inputs."""

    token: str
    name: str
    inputs: Properties
    outputs: Properties
    session: Session
    world: World
    ids: Ids
    id: str = ""

    @property
    def region(self) -> str:
        """The region the resource lives in."""
        region = self.inputs.get("region")
        return region if isinstance(region, str) else self.session.region

    @property
    def account(self) -> str:
        """The account that owns the resource."""
        return self.session.account_id

    @property
    def dns(self) -> str:
        """The domain of the partition's endpoints."""
        return regions.dns_suffix(self.region)

    def arn(self, rest: str) -> str:
        """Build an ARN from everything after the partition."""
        return f"arn:{self.session.partition}:{rest}"

    def local(self, service: str, resource: str) -> str:
        """Build the ARN of a regional resource of this account."""
        return self.arn(f"{service}:{self.region}:{self.account}:{resource}")

    def text(self, key: str, default: str = "") -> str:
        """Read a known text of the outputs so far."""
        value = self.outputs.get(key)
        return value if isinstance(value, str) else default

    def items(self, key: str) -> list[Any]:
        """Read a known list of the outputs so far."""
        value = self.outputs.get(key)
        return value if isinstance(value, list) else []

    def lookup(self, token: str, resource_id: Any) -> Properties:
        """Find a resource by id; nothing known gives an empty dict."""
        return (self.world.find(token, resource_id) if isinstance(resource_id, str) else None) or {}

    def search(self, token: str, key: str, value: Any) -> Properties:
        """Find a resource by one of its outputs."""
        if not isinstance(value, str):
            return {}
        return next((found for _, found in self.world.all(token) if found.get(key) == value), {})

    def id_of(self, token: str, key: str, value: Any) -> str:
        """Find a resource's id by one of its outputs; nothing known gives an empty text."""
        if not isinstance(value, str):
            return ""
        return next(
            (resource_id for resource_id, found in self.world.all(token) if found.get(key) == value), ""
        )

    def format(self, template: str) -> str:
        """Fill a template: `{region}`, `{account}`, `{id}`, `{uuid}`, `{hex17}`, or the name of an input."""
        return template.format_map(_Fields(self))


class _Fields(dict[str, str]):
    def __init__(self, new: New) -> None:
        super().__init__()
        self._new = new

    def __missing__(self, key: str) -> str:
        new = self._new
        sized = _SIZED.fullmatch(key)
        if sized:
            return new.ids.text(_ALPHABETS[sized[1]], int(sized[2]), key)
        fixed = {
            "region": new.region,
            "account": new.account,
            "partition": new.session.partition,
            "dns": new.dns,
            "id": new.id,
            "uuid": new.ids.uuid() if key == "uuid" else "",
        }
        return fixed[key] if key in fixed else str(new.outputs.get(key, ""))


Fill = Callable[[New], Properties]
Refresh = Callable[[New, Properties, frozenset[str]], Properties]


@dataclass(frozen=True)
class Pending:
    """Outputs that a change makes unknown at preview; an empty `when` means any change."""

    outputs: tuple[str, ...]
    reason: str
    when: tuple[str, ...] = ()
    unless: tuple[str, ...] = ("tags", "tagsAll")
    only_if: str = ""
    """A boolean input that must be true."""

    def caused_by(self, changed: frozenset[str], inputs: Properties) -> bool:
        """Say whether one of the changed top-level properties makes the outputs unknown."""
        if self.only_if and inputs.get(self.only_if) is not True:
            return False
        return bool(changed & set(self.when)) if self.when else bool(changed - set(self.unless))


@dataclass(frozen=True)
class Shape:
    """How the simulated cloud completes one type.

    `id` and `arn` are templates (see `New.format`) or functions; `arn` leaves out `arn:{partition}:`, and
    the id `{arn}` is that ARN. `values` fill what the program left out, templates included. `fill` does the
    same with code and may look at the world. `refresh` gives the outputs that an update changes; `pending`
    names them, with the reason, for the preview.
    `planned` gives what is already known of computed outputs at preview.
    """

    id: str | Callable[[New], str]
    arn: str | Callable[[New], str] | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    fill: Fill | None = None
    refresh: Refresh | None = None
    pending: tuple[Pending, ...] = ()
    planned: Callable[[Properties], Properties] | None = None
    without_defaults: frozenset[str] = frozenset()
    framework: bool = False
    """Whether the provider leaves what AWS does not answer out instead of writing an empty text."""


def known_text(value: Any, default: str = "") -> str:
    """Give a text, or the default for anything else, unknown values included."""
    return value if isinstance(value, str) and not has_unknown(value) else default


def stamp(moment: datetime) -> str:
    """Write a time the way most AWS answers do: `2026-01-05T08:00:00Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
