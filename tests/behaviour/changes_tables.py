"""Changes of DynamoDB tables: what replaces, what stays, what the provider does not see."""

from __future__ import annotations

from typing import Any, Final

from tests.behaviour.changes import DELETE, KEY_ARN, OTHER_KEY_ARN, ChangeRow

TABLE: Final = "aws:dynamodb/table:Table"
KEYS: Final = [{"name": "pk", "type": "S"}, {"name": "sk", "type": "S"}]
LEDGER: Final[dict[str, Any]] = {
    "name": "ledger",
    "billingMode": "PAY_PER_REQUEST",
    "hashKey": "pk",
    "rangeKey": "sk",
    "attributes": KEYS,
    "ttl": {"attributeName": "expiresAt", "enabled": True},
    "pointInTimeRecovery": {"enabled": True},
    "serverSideEncryption": {"enabled": True, "kmsKeyArn": KEY_ARN},
}
BARE: Final[dict[str, Any]] = {
    key: LEDGER[key] for key in ("name", "billingMode", "hashKey", "rangeKey", "attributes")
}
WARM: Final = {**BARE, "warmThroughput": {"readUnitsPerSecond": 20000, "writeUnitsPerSecond": 8000}}
STREAM: Final = {**BARE, "streamEnabled": True, "streamViewType": "KEYS_ONLY"}
INDEX: Final = {"name": "late", "rangeKey": "at", "projectionType": "ALL"}
BY_TIME: Final = {
    "name": "by-time",
    "keySchemas": [{"attributeName": "at", "keyType": "HASH"}],
    "projectionType": "ALL",
}
THREE: Final = [*KEYS, {"name": "at", "type": "N"}]

CHANGES: Final = (
    ChangeRow("table-name", TABLE, LEDGER, {"name": "releases"}, "replace", "name"),
    ChangeRow("table-range-key", TABLE, LEDGER, {"rangeKey": "at", "attributes.1.name": "at"}, "replace", "rangeKey"),
    ChangeRow("table-attribute-order", TABLE, LEDGER, {"attributes": KEYS[::-1]}, "none"),
    ChangeRow("table-attribute-type-alone", TABLE, LEDGER, {"attributes.1.type": "N"}, "none"),
    ChangeRow("table-new-index", TABLE, BARE, {"globalSecondaryIndexes": [BY_TIME], "attributes": THREE}, "update",
              "globalSecondaryIndexes"),
    ChangeRow("table-new-local-index", TABLE, BARE, {"localSecondaryIndexes": [INDEX], "attributes": THREE}, "replace",
              "localSecondaryIndexes"),
    ChangeRow("table-billing", TABLE, BARE, {"billingMode": "PROVISIONED", "readCapacity": 5, "writeCapacity": 5},
              "update", "billingMode"),
    ChangeRow("table-key", TABLE, LEDGER, {"serverSideEncryption.kmsKeyArn": OTHER_KEY_ARN}, "update",
              "serverSideEncryption.kmsKeyArn"),
    ChangeRow("table-encryption-off-as-before", TABLE, BARE, {"serverSideEncryption": {"enabled": False}}, "none"),
    ChangeRow("table-recovery-off", TABLE, LEDGER, {"pointInTimeRecovery.enabled": False}, "update",
              "pointInTimeRecovery.enabled"),
    ChangeRow("table-recovery-off-as-before", TABLE, BARE, {"pointInTimeRecovery": {"enabled": False}}, "none"),
    ChangeRow("table-recovery-days", TABLE, LEDGER, {"pointInTimeRecovery.recoveryPeriodInDays": 7}, "update",
              "pointInTimeRecovery.recoveryPeriodInDays"),
    ChangeRow("table-recovery-days-while-off", TABLE, BARE,
              {"pointInTimeRecovery": {"enabled": False, "recoveryPeriodInDays": 7}}, "none"),
    ChangeRow("table-expiry-off", TABLE, LEDGER, {"ttl.enabled": False}, "update", "ttl.enabled"),
    ChangeRow("table-expiry-attribute-while-off", TABLE, BARE, {"ttl": {"attributeName": "at", "enabled": False}},
              "none"),
    ChangeRow("table-expiry-left-out", TABLE, LEDGER, {"ttl": DELETE}, "none"),
    ChangeRow("table-protection", TABLE, LEDGER, {"deletionProtectionEnabled": True}, "update",
              "deletionProtectionEnabled"),
    ChangeRow("table-stream", TABLE, BARE, {"streamEnabled": True, "streamViewType": "KEYS_ONLY"}, "update",
              "streamEnabled"),
    ChangeRow("table-stream-view", TABLE, STREAM, {"streamViewType": "NEW_IMAGE"}, "update", "streamViewType"),
    ChangeRow("table-warmer", TABLE, WARM, {"warmThroughput.readUnitsPerSecond": 30000}, "update",
              "warmThroughput.readUnitsPerSecond"),
    ChangeRow("table-less-warm", TABLE, WARM, {"warmThroughput.readUnitsPerSecond": 12000}, "replace",
              "warmThroughput.readUnitsPerSecond"),
    ChangeRow("table-less-warm-writes", TABLE, WARM, {"warmThroughput.writeUnitsPerSecond": 4000}, "replace",
              "warmThroughput.writeUnitsPerSecond"),
    ChangeRow("table-other-source", TABLE, {**BARE, "restoreSourceName": "old"}, {"restoreSourceName": "older"},
              "replace", "restoreSourceName"),
    ChangeRow("table-source-forgotten", TABLE, {**BARE, "restoreSourceName": "old"}, {"restoreSourceName": DELETE},
              "update", "restoreSourceName"),
    ChangeRow("table-class", TABLE, BARE, {"tableClass": "STANDARD_INFREQUENT_ACCESS"}, "update", "tableClass"),
)  # fmt: skip
