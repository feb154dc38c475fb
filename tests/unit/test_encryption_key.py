"""The environment's key."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components import iam
from components.encryption_key import EncryptionKey, EncryptionKeyArgs
from components.iam import alerts
from tests.harness import Deployment, RecordingMonitor
from tests.unit.programs import ACCOUNT, REGION, built, run, value

KEY = "aws:kms/key:Key"
ALIAS = "aws:kms/alias:Alias"
ARGS = EncryptionKeyArgs(account_id=ACCOUNT, region=REGION, alias="alias/airflow-dev", deletion_days=14)


def key(deploy: Deployment, args: EncryptionKeyArgs = ARGS) -> RecordingMonitor:
    return run(deploy, lambda opts: EncryptionKey("dev", args, opts))


def test_key(deploy: Deployment) -> None:
    assert key(deploy).inputs(KEY) == {
        "dev-key": {
            "description": "Data, secrets and logs of dev",
            "enableKeyRotation": True,
            "deletionWindowInDays": 14,
            "policy": iam.shared_key(REGION, ACCOUNT, alerts.alarms_use_key(REGION, ACCOUNT)),
        }
    }


def test_alias(deploy: Deployment) -> None:
    monitor = key(deploy)
    assert monitor.inputs(ALIAS) == {
        "dev-alias": {"name": "alias/airflow-dev", "targetKeyId": monitor.state(KEY)["keyId"]}
    }


def test_nothing_else_is_registered(deploy: Deployment) -> None:
    types = (KEY, ALIAS, "airflow:data:EncryptionKey", "pulumi:providers:aws")
    assert key(deploy).counts == dict.fromkeys(types, 1)


def test_children_belong_to_the_component(deploy: Deployment) -> None:
    children = [child for child in key(deploy).registered if child.type.startswith("aws:")]
    assert {child.parent for child in children} == {"dev"}


@pytest.mark.parametrize("protect", [True, False])
def test_protection_is_of_the_key_alone(deploy: Deployment, protect: bool) -> None:
    protected = {
        child.type for child in key(deploy, replace(ARGS, protect=protect)).registered if child.protect
    }
    assert protected == ({KEY} if protect else set())


def test_key_is_protected_unless_told_otherwise() -> None:
    assert ARGS.protect


def test_outputs(deploy: Deployment) -> None:
    monitor = key(deploy)
    state = monitor.state(KEY)
    assert monitor.outputs["dev"] == {"keyArn": state["arn"], "keyId": state["keyId"]}


def test_fields(deploy: Deployment) -> None:
    monitor, component = built(deploy, lambda opts: EncryptionKey("dev", ARGS, opts))
    state = monitor.state(KEY)
    assert (value(deploy, component.key_arn), value(deploy, component.key_id)) == (
        state["arn"],
        state["keyId"],
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"account_id": "1"}, 'account_id: want 12 digits, got "1"'),
        (
            {"alias": "airflow"},
            'alias: want alias/ and a name that does not begin with aws/, got "airflow"',
        ),
        (
            {"alias": "alias/aws/rds"},
            'alias: want alias/ and a name that does not begin with aws/, got "alias/aws/rds"',
        ),
        ({"alias": "alias/" + "x" * 251}, r"alias \(its length\): want 1 to 256, got 257"),
        ({"deletion_days": 6}, "deletion_days: want 7 to 30, got 6"),
        ({"deletion_days": 31}, "deletion_days: want 7 to 30, got 31"),
    ],
    ids=["account", "no alias", "alias of AWS", "long alias", "too soon", "too late"],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(ARGS, **changes)
