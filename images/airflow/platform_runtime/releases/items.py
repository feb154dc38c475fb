"""The ledger's records in the form of DynamoDB, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, get_args

from .records import LedgerError, Pointer, Proof, Reason, Release, State, Status
from .usage import Usage

Item = dict[str, dict[str, Any]]


def key_of(partition: str, sort: str) -> Item:
    """Return the key of an item."""
    return item_of({"pk": partition, "sk": sort})


def item_of(row: Mapping[str, Any]) -> Item:
    """Return an item with these attributes."""
    return {name: _value(content) for name, content in row.items()}


def _value(content: Any) -> dict[str, Any]:
    match content:
        case bool():
            return {"BOOL": content}
        case int():
            return {"N": str(content)}
        case tuple():
            return {"L": [_value(each) for each in content]}
        case dict():
            return {"M": item_of(content)}
        case datetime():
            return {"S": text_of(content)}
        case Usage():
            return {"M": item_of(row_of(content))}
        case _:
            return {"S": content}


def row_of(record: Pointer | Release | Proof | Usage) -> dict[str, Any]:
    """Return the attributes of a record, named as JSON names them; what is not known has none."""
    return {_camel(name): content for name, content in vars(record).items() if content is not None}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def in_utc(moment: datetime) -> datetime:
    """Return a moment in UTC; one without a time zone is refused."""
    if moment.tzinfo is None:
        raise ValueError(f"want a moment with a time zone, got {moment!r}")
    return moment.astimezone(UTC)


def text_of(moment: datetime) -> str:
    """Return a moment as the ledger has it: such texts have the order of their moments."""
    return in_utc(moment).isoformat(timespec="microseconds")


class _Reader:
    """Typed reading of one item; what does not fit is said with its place."""

    def __init__(self, item: Item) -> None:
        self._item = item

    def text(self, name: str) -> str:
        return str(self._raw(name, "S"))

    def number(self, name: str) -> int:
        return int(self._raw(name, "N"))

    def moment(self, name: str) -> datetime:
        return datetime.fromisoformat(self.text(name)).astimezone(UTC)

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(str(each["S"]) for each in self._raw(name, "L"))

    def flag(self, name: str) -> bool:
        return bool(self._raw(name, "BOOL"))

    def counts(self, name: str) -> dict[str, int]:
        return {key: int(each["N"]) for key, each in self._raw(name, "M").items()}

    def part(self, name: str) -> _Reader | None:
        """Return the reader of an attribute with attributes of its own; None if there is none."""
        if name not in self._item:
            return None
        # An error names the item.
        return _Reader({**self._raw(name, "M"), **{key: self._item.get(key, {}) for key in ("pk", "sk")}})

    def one_of(self, name: str, choices: Any) -> Any:
        value = self.text(name)
        if value not in get_args(choices):
            raise self._unreadable(name)
        return value

    def _raw(self, name: str, kind: str) -> Any:
        try:
            return self._item[name][kind]
        except KeyError:
            raise self._unreadable(name) from None

    def _unreadable(self, name: str) -> LedgerError:
        place = "/".join(str(self._item.get(key, {}).get("S", "?")) for key in ("pk", "sk"))
        return LedgerError(
            f"the ledger's item {place} has no proper {name}: it was not written by this version; restore it from the"
            " history"
        )


def pointer_of(item: Item) -> Pointer:
    """Return the pointer, or a move, that an item has."""
    read = _Reader(item)
    return Pointer(
        sequence=read.number("sequence"),
        release_id=read.text("releaseId"),
        git_commit=read.text("gitCommit"),
        image_digest=read.text("imageDigest"),
        publisher=read.text("publisher"),
        moved_at=read.moment("movedAt"),
        reason=read.one_of("reason", Reason),
        previous_release_id=read.text("previousReleaseId"),
    )


def release_of(item: Item) -> Release:
    """Return the release that an item has."""
    read = _Reader(item)
    return Release(
        release_id=read.text("releaseId"),
        git_commit=read.text("gitCommit"),
        files=read.number("files"),
        size_bytes=read.number("sizeBytes"),
        published_at=read.moment("publishedAt"),
        published_by=read.text("publishedBy"),
        state=read.one_of("state", State),
    )


def proof_of(item: Item) -> Proof:
    """Return the proof that an item has."""
    read = _Reader(item)
    return Proof(
        service=read.text("service"),
        task_id=read.text("taskId"),
        release_id=read.text("releaseId"),
        computed_id=read.text("computedId"),
        sequence=read.number("sequence"),
        files=read.number("files"),
        status=read.one_of("status", Status),
        detail=read.text("detail"),
        verified_at=read.moment("verifiedAt"),
        image_digest=read.text("imageDigest"),
        versions=read.texts("versions"),
        request=read.text("request"),
        usage=_usage(read.part("usage")),
    )


def _usage(read: _Reader | None) -> Usage | None:
    if read is None:
        return None
    return Usage(
        counted_at=read.moment("countedAt"), runs=read.counts("runs"), complete=read.flag("complete")
    )
