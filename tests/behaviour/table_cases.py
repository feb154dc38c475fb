"""Wrong inputs of DynamoDB tables: more rows for `cases.py`."""

from __future__ import annotations

from typing import Any, Final

from tests.behaviour.case import REMOVE, Case
from tests.behaviour.values import KEY

TABLE: Final = "aws:dynamodb/table:Table"
TIME: Final = "globalSecondaryIndexes[0]"
LATE: Final = "localSecondaryIndexes[0]"
HASH: Final = {"attributeName": "pk", "keyType": "HASH"}
RANGE: Final = {"attributeName": "at", "keyType": "RANGE"}
WITH_CAPACITY: Final[dict[str, Any]] = {
    "billingMode": "PROVISIONED", "readCapacity": 5, "writeCapacity": 5, f"{TIME}.readCapacity": 5, f"{TIME}.writeCapacity": 5,
}  # fmt: skip


def indexes(name: str, count: int, index: dict[str, Any]) -> dict[str, Any]:
    """Return a change to that many indexes."""
    return {name: [{**index, "name": f"index-{number}"} for number in range(count)]}


TABLES: Final = [
    Case("short name", TABLE, {"name": "ab"}, "name", "3 to 255 characters"),
    Case("letters of the name", TABLE, {"name": "release ledger"}, "name", "letters, digits, _, . and - only"),
    Case("no partition key", TABLE, {"hashKey": REMOVE}, "hashKey", "is required"),
    Case("unused attribute", TABLE, {"attributes[3]": {"name": "release", "type": "S"}}, "attributes", "Unused attributes: release"),
    Case("undefined key", TABLE, {"attributes[1]": {"name": "at", "type": "N"}, "attributes[2]": REMOVE}, "attributes", "Unmatched indexes: sk"),
    Case("undefined index key", TABLE, {f"{TIME}.keySchemas[1].attributeName": "by"}, "attributes", "Unmatched indexes: by"),
    Case("attribute type", TABLE, {"attributes[0].type": "string"}, "attributes[0].type", "allowed: B, N, S"),
    Case("billing mode", TABLE, {"billingMode": "ON_DEMAND"}, "billingMode", "allowed: PROVISIONED, PAY_PER_REQUEST"),
    Case("capacity on demand", TABLE, {"readCapacity": 5}, "readCapacity", "must not be given with billingMode PAY_PER_REQUEST"),
    Case("no read capacity", TABLE, {**WITH_CAPACITY, "readCapacity": 0}, "readCapacity", "at least 1 with billingMode PROVISIONED, got 0"),
    Case("no index capacity", TABLE, {**WITH_CAPACITY, f"{TIME}.writeCapacity": 0}, f"{TIME}.writeCapacity", "at least 1"),
    Case("limits with capacity", TABLE, {"billingMode": "PROVISIONED", "onDemandThroughput": {"maxReadRequestUnits": 9}}, "onDemandThroughput", "needs billingMode PAY_PER_REQUEST"),
    Case("stream without view", TABLE, {"streamEnabled": True}, "streamViewType", "is required with streamEnabled true"),
    Case("view without stream", TABLE, {"streamViewType": "KEYS_ONLY"}, "streamViewType", "needs streamEnabled true"),
    Case("view", TABLE, {"streamEnabled": True, "streamViewType": "ALL"}, "streamViewType", "allowed: NEW_IMAGE"),
    Case("expiry of nothing", TABLE, {"ttl.attributeName": REMOVE}, "ttl.attributeName", "is required with ttl.enabled true"),
    Case("recovery period", TABLE, {"pointInTimeRecovery.recoveryPeriodInDays": 36}, "pointInTimeRecovery.recoveryPeriodInDays", "must be at most 35"),
    Case("table key", TABLE, {"serverSideEncryption.kmsKeyArn": KEY.rpartition("/")[2]}, "serverSideEncryption.kmsKeyArn", "expected an ARN"),
    Case("table class", TABLE, {"tableClass": "COLD"}, "tableClass", "allowed: STANDARD, STANDARD_INFREQUENT_ACCESS"),
    Case("projection of nothing", TABLE, {f"{LATE}.nonKeyAttributes": REMOVE}, f"{LATE}.nonKeyAttributes", "is required with projectionType INCLUDE"),
    Case("needless projection", TABLE, {f"{TIME}.nonKeyAttributes": ["release"]}, f"{TIME}.nonKeyAttributes", "must not be given with projectionType KEYS_ONLY"),
    Case("two key forms", TABLE, {f"{TIME}.hashKey": "pk"}, TIME, "exactly one of hashKey and keySchemas"),
    Case("no index key", TABLE, {f"{TIME}.keySchemas": REMOVE}, TIME, "exactly one of hashKey and keySchemas"),
    Case("range key beside schemas", TABLE, {f"{TIME}.rangeKey": "at"}, f"{TIME}.rangeKey", "conflicts with keySchemas"),
    Case("order of keys", TABLE, {f"{TIME}.keySchemas": [RANGE, HASH]}, f"{TIME}.keySchemas", "HASH elements before its RANGE elements"),
    Case("no hash element", TABLE, {f"{TIME}.keySchemas": [RANGE]}, f"{TIME}.keySchemas", "got 0 and 1"),
    Case("many global indexes", TABLE, indexes("globalSecondaryIndexes", 21, {"keySchemas": [HASH], "projectionType": "ALL"}), "globalSecondaryIndexes", "at most 20, got 21"),
    Case("many local indexes", TABLE, indexes("localSecondaryIndexes", 6, {"rangeKey": "at", "projectionType": "ALL"}), "localSecondaryIndexes", "at most 5, got 6"),
    Case("local without range", TABLE, {"rangeKey": REMOVE, "attributes[1]": {"name": "at", "type": "N"}, "attributes[2]": REMOVE}, "localSecondaryIndexes", "need a table with a rangeKey"),
    Case("two sources", TABLE, {"restoreSourceName": "ledger", "restoreSourceTableArn": f"{KEY}"}, "restoreSourceName", "conflicts with"),
]  # fmt: skip
