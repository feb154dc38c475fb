"""What AWS answers for DynamoDB tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sandbox.behaviour.model import Properties
from sandbox.behaviour.outputs_base import New, Pending, Shape

TABLE: Final = "aws:dynamodb/table:Table"
STREAM: Final = ("streamEnabled", "streamViewType")
WARM: Final = {"readUnitsPerSecond": 12000, "writeUnitsPerSecond": 4000}
"""What a new on-demand table can take at once, in units per second."""
COLD: Final = {"readUnitsPerSecond": 1, "writeUnitsPerSecond": 1}
DEFAULT_RECOVERY_DAYS: Final = 35


def _stream(new: New) -> Properties:
    if new.outputs.get("streamEnabled") is not True:
        return {"streamArn": "", "streamLabel": ""}
    label = new.ids.moment().strftime("%Y-%m-%dT%H:%M:%S.000")
    return {"streamArn": f"{new.text('arn')}/stream/{label}", "streamLabel": label}


def _table(new: New) -> Properties:
    on_demand = new.text("billingMode") == "PAY_PER_REQUEST"
    recovery = new.outputs.get("pointInTimeRecovery")
    if isinstance(recovery, dict):
        days = DEFAULT_RECOVERY_DAYS if recovery.get("enabled") is True else 0
        recovery.setdefault("recoveryPeriodInDays", days)
    encryption = new.outputs.get("serverSideEncryption")
    if isinstance(encryption, dict):
        encryption.setdefault("kmsKeyArn", "")
    return {
        **_stream(new),
        "attributes": [],
        "globalSecondaryIndexes": [],
        "pointInTimeRecovery": {"enabled": False, "recoveryPeriodInDays": 0},
        "ttl": {"attributeName": "", "enabled": False},
        "warmThroughput": dict(WARM if on_demand else COLD),
    }


def _refresh(new: New, _old: Properties, changed: frozenset[str]) -> Properties:
    # A stream that is switched on again, or shows something else, is another stream.
    return _stream(new) if changed & set(STREAM) else {}


SHAPES: Final[Mapping[str, Shape]] = {
    TABLE: Shape(
        id="{name}",
        arn="dynamodb:{region}:{account}:table/{name}",
        fill=_table,
        refresh=_refresh,
        pending=(Pending(("streamArn",), "another stream has another ARN", when=STREAM),),
    ),
}
