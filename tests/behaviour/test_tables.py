"""What the simulated AWS answers for DynamoDB tables."""

from __future__ import annotations

import pytest

from sandbox.behaviour import cloud
from sandbox.behaviour.check import check
from sandbox.behaviour.existing import check_existing
from sandbox.behaviour.model import AwsError, EmptyWorld, Properties, Session
from sandbox.behaviour.values import UNKNOWN
from tests.behaviour.changes import ACCOUNT, KEY_ARN, REGION
from tests.behaviour.changes_tables import BARE, LEDGER, STREAM, TABLE
from tests.behaviour.test_outputs import World, made

SESSION = Session(ACCOUNT, REGION)
ARN = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/ledger"


def outputs(inputs: Properties) -> Properties:
    found: Properties = made(TABLE, inputs).outputs
    return found


def test_the_id_is_the_name() -> None:
    assert (made(TABLE, LEDGER).id, outputs(LEDGER)["arn"]) == ("ledger", ARN)


def test_a_logical_name_becomes_the_name() -> None:
    inputs = {key: value for key, value in LEDGER.items() if key != "name"}
    name = check(TABLE, "ledger", inputs, None, SESSION, b"seed").inputs["name"]
    assert (name[:7], len(name)) == ("ledger-", 14)


def test_a_table_on_demand_has_no_capacity() -> None:
    answer = outputs(LEDGER)
    assert [answer[key] for key in ("readCapacity", "writeCapacity")] == [0, 0]
    assert answer["warmThroughput"] == {"readUnitsPerSecond": 12000, "writeUnitsPerSecond": 4000}


def test_a_provisioned_table_is_not_warm() -> None:
    provisioned = {**BARE, "billingMode": "PROVISIONED", "readCapacity": 1, "writeCapacity": 1}
    assert outputs(provisioned)["warmThroughput"] == {"readUnitsPerSecond": 1, "writeUnitsPerSecond": 1}


@pytest.mark.parametrize(
    ("inputs", "days"),
    [
        (LEDGER, 35),
        ({**BARE, "pointInTimeRecovery": {"enabled": False}}, 0),
        (BARE, 0),
        ({**BARE, "pointInTimeRecovery": {"enabled": True, "recoveryPeriodInDays": 7}}, 7),
    ],
    ids=["on", "off", "left out", "given"],
)
def test_recovery_goes_back_35_days_by_default(inputs: Properties, days: int) -> None:
    assert outputs(inputs)["pointInTimeRecovery"]["recoveryPeriodInDays"] == days


def test_encryption_shows_the_key_of_the_program_only() -> None:
    assert outputs(LEDGER)["serverSideEncryption"] == {"enabled": True, "kmsKeyArn": KEY_ARN}
    plain = outputs({**BARE, "serverSideEncryption": {"enabled": True}})
    assert plain["serverSideEncryption"] == {"enabled": True, "kmsKeyArn": ""}


def test_a_stream_is_named_by_its_time() -> None:
    answer = outputs(STREAM)
    assert answer["streamArn"] == f"{ARN}/stream/{answer['streamLabel']}"


def test_another_view_is_another_stream() -> None:
    old, new = outputs(STREAM), {**STREAM, "streamViewType": "NEW_IMAGE"}
    updated = cloud.update(TABLE, "ledger", old, new, SESSION, EmptyWorld())
    assert updated["streamArn"] not in ("", old["streamArn"])
    assert cloud.plan_update(TABLE, "ledger", old, new, SESSION)["streamArn"] is UNKNOWN


def test_other_changes_keep_the_stream() -> None:
    old = outputs(STREAM)
    new = {**STREAM, "deletionProtectionEnabled": True}
    assert cloud.update(TABLE, "ledger", old, new, SESSION, EmptyWorld())["streamArn"] == old["streamArn"]


def test_the_name_is_taken_once() -> None:
    world = World((TABLE, "ledger", {"name": "ledger", "region": REGION}))
    with pytest.raises(AwsError, match="ResourceInUseException: Table already exists: ledger"):
        check_existing(TABLE, {**LEDGER, "region": REGION}, SESSION, world)
    check_existing(TABLE, {**LEDGER, "name": "releases", "region": REGION}, SESSION, world)
