"""Pulumi's property encoding in protobuf `Struct`s, to and from plain Python values.

Secrets and output values are unwrapped on the way in; their secretness and their dependencies are kept apart, by
top-level property, because no simulated behaviour depends on them. Source of the signatures: Pulumi's wire protocol
(`pulumi.runtime.rpc` holds the same constants).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf import struct_pb2

from sandbox.behaviour.values import UNKNOWN, Archive, Asset, ResourceReference

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"
ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
RESOURCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"

UNKNOWN_STRING: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
UNKNOWNS: Final = frozenset(
    {
        UNKNOWN_STRING,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)


@dataclass
class Decoded:
    """Plain properties, which of them were secret, and which resources each came from."""

    values: dict[str, Any] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    dependencies: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class _Marks:
    secret: bool = False
    dependencies: list[str] = field(default_factory=list)


def decode(struct: struct_pb2.Struct) -> Decoded:
    """Read a Struct; null properties are dropped, as the bridged providers do."""
    decoded = Decoded()
    for key, value in struct.fields.items():
        marks = _Marks()
        plain = _plain(value, marks)
        if plain is None:
            continue
        decoded.values[key] = plain
        if marks.secret:
            decoded.secrets.add(key)
        if marks.dependencies:
            decoded.dependencies[key] = list(dict.fromkeys(marks.dependencies))
    return decoded


def _plain(value: struct_pb2.Value, marks: _Marks) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        text = value.string_value
        return UNKNOWN if text in UNKNOWNS else text
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_plain(item, marks) for item in value.list_value.values]
    if kind == "struct_value":
        fields = value.struct_value.fields
        if SIGNATURE in fields:
            return _special(fields, marks)
        plain = {key: _plain(item, marks) for key, item in fields.items()}
        return {key: item for key, item in plain.items() if item is not None}
    return None


def _special(fields: Mapping[str, struct_pb2.Value], marks: _Marks) -> Any:
    signature = fields[SIGNATURE].string_value
    if signature == SECRET:
        marks.secret = True
        return _plain(fields["value"], marks)
    if signature == OUTPUT:
        marks.secret = marks.secret or ("secret" in fields and fields["secret"].bool_value)
        if "dependencies" in fields:
            marks.dependencies += [item.string_value for item in fields["dependencies"].list_value.values]
        return _plain(fields["value"], marks) if "value" in fields else UNKNOWN
    text = {
        key: item.string_value for key, item in fields.items() if item.WhichOneof("kind") == "string_value"
    }
    if signature == ASSET:
        return Asset(text.get("hash", ""), text.get("text"), text.get("path"), text.get("uri"))
    if signature == ARCHIVE:
        assets = fields["assets"].struct_value.fields.items() if "assets" in fields else None
        members = None if assets is None else tuple((name, _plain(item, marks)) for name, item in assets)
        return Archive(text.get("hash", ""), members, text.get("path"), text.get("uri"))
    if signature == RESOURCE:
        identity = _plain(fields["id"], marks) if "id" in fields else None
        return ResourceReference(text["urn"], identity)
    raise ValueError(f"unknown value signature {signature}")


def encode(values: Mapping[str, Any], secrets: Collection[str] = ()) -> struct_pb2.Struct:
    """Write a Struct; the properties named in `secrets` are wrapped as secret."""
    struct = struct_pb2.Struct()
    for key, value in values.items():
        target = struct.fields[key]
        if key in secrets:
            fields = target.struct_value.fields
            fields[SIGNATURE].string_value = SECRET
            target = fields["value"]
        _write(value, target)
    return struct


def _write(value: Any, target: struct_pb2.Value) -> None:
    if value is UNKNOWN:
        target.string_value = UNKNOWN_STRING
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, int | float):
        target.number_value = value
    elif isinstance(value, Mapping):
        target.struct_value.SetInParent()
        for key, item in value.items():
            _write(item, target.struct_value.fields[key])
    elif isinstance(value, list | tuple):
        target.list_value.SetInParent()
        for item in value:
            _write(item, target.list_value.values.add())
    elif value is None:
        target.null_value = struct_pb2.NULL_VALUE
    else:
        _write(_tagged(value), target)


def _tagged(value: Any) -> dict[str, Any]:
    if isinstance(value, ResourceReference):
        return {SIGNATURE: RESOURCE, "urn": value.urn, "id": "" if value.id is UNKNOWN else value.id}
    if isinstance(value, Asset):
        fields: dict[str, Any] = {SIGNATURE: ASSET, "hash": value.hash, "text": value.text}
    elif isinstance(value, Archive):
        members = None if value.assets is None else dict(value.assets)
        fields = {SIGNATURE: ARCHIVE, "hash": value.hash, "assets": members}
    else:
        raise TypeError(f"a value of type {type(value).__name__} cannot be sent to the engine")
    fields |= {"path": value.path, "uri": value.uri}
    return {key: item for key, item in fields.items() if item is not None}
