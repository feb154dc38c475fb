"""Properties as the engine sends them to a policy pack, turned into plain data with marks for unknown and secret.

The signatures are those of Pulumi's property protocol (sdk/go/common/resource/properties.go).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from google.protobuf import struct_pb2

from policies.crossguard.values import UNKNOWN, Secret

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"
OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
REFERENCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
UNKNOWNS: Final = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
"""What stands for a value that is not known yet: boolean, number, text, list, asset, archive, object."""
BLANKED: Final = "[secret]"
"""What an exported state shows instead of a secret."""


def properties(message: struct_pb2.Struct) -> dict[str, Any]:
    """Return the properties of a resource."""
    return {key: _value(value) for key, value in message.fields.items()}


def _value(message: struct_pb2.Value) -> Any:
    kind = message.WhichOneof("kind")
    return None if kind is None else _KINDS[kind](message)


def _text(message: struct_pb2.Value) -> Any:
    text = message.string_value
    if text in UNKNOWNS:
        return UNKNOWN
    return Secret(UNKNOWN) if text == BLANKED else text


def _number(message: struct_pb2.Value) -> int | float:
    number = message.number_value
    return int(number) if number.is_integer() else number


def _list(message: struct_pb2.Value) -> list[Any]:
    return [_value(item) for item in message.list_value.values]


def _object(message: struct_pb2.Value) -> Any:
    fields = message.struct_value.fields
    if SIGNATURE not in fields:
        return properties(message.struct_value)
    return _signed(fields[SIGNATURE].string_value, fields)


def _signed(signature: str, fields: Mapping[str, struct_pb2.Value]) -> Any:
    inner = _value(fields["value"]) if "value" in fields else UNKNOWN
    if signature == SECRET:
        return Secret(inner)
    if signature == OUTPUT:
        hidden = "secret" in fields and fields["secret"].bool_value
        return Secret(inner) if hidden else inner
    if signature == REFERENCE:
        return {key: _value(fields[key]) for key in ("urn", "id") if key in fields}
    # Assets and archives are files: no rule is about their content.
    return {"kind": {ASSET: "asset", ARCHIVE: "archive"}.get(signature, signature)}


_KINDS: Final[Mapping[str, Callable[[struct_pb2.Value], Any]]] = {
    "null_value": lambda _: None,
    "bool_value": lambda message: message.bool_value,
    "number_value": _number,
    "string_value": _text,
    "list_value": _list,
    "struct_value": _object,
}
