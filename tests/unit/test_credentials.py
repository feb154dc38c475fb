"""The secrets: which there are, and that they come without values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.credentials import DESCRIPTIONS, Credentials, CredentialsArgs
from functions.platform_gate.kinds import SecretKind
from tests.harness import Deployment, RecordingMonitor
from tests.unit.programs import KEY_ARN, built, run, value

SECRET = "aws:secretsmanager/secret:Secret"
ARGS = CredentialsArgs(key_arn=KEY_ARN, recovery_days=7, flower=False)
WITH_FLOWER = replace(ARGS, flower=True)
KINDS = {
    "fernet-key": "Encrypts connections and variables in the metastore",
    "jwt-secret": "Signs the tokens of the APIs",
    "api-secret-key": "Signs the sessions of the user interface",
    "metastore-user": "Login of Airflow to the metastore",
    "broker-user": "Login of Airflow to the broker",
    "admin-user": "Login of the first administrator of Airflow",
    "api-server-private-key": "Private key of the api-server's certificate",
    "api-server-certificate": "Certificate of the api-server that workers trust",
}
FLOWER = {"flower-user": "Login to Flower"}


def credentials(deploy: Deployment, args: CredentialsArgs = ARGS) -> RecordingMonitor:
    return run(deploy, lambda opts: Credentials("dev", args, opts))


@pytest.mark.parametrize(
    ("args", "kinds"), [(ARGS, KINDS), (WITH_FLOWER, KINDS | FLOWER)], ids=["no Flower", "Flower"]
)
def test_secrets(deploy: Deployment, args: CredentialsArgs, kinds: dict[str, str]) -> None:
    assert credentials(deploy, args).inputs(SECRET) == {
        f"dev-{kind}": {"description": description, "kmsKeyId": KEY_ARN, "recoveryWindowInDays": 7}
        for kind, description in kinds.items()
    }


def test_every_kind_is_described() -> None:
    assert set(DESCRIPTIONS) == set(SecretKind)


def test_nothing_else_is_registered(deploy: Deployment) -> None:
    """Above all no version of a secret: that is where a value would be."""
    assert credentials(deploy, WITH_FLOWER).counts == {
        SECRET: 9,
        "airflow:data:Credentials": 1,
        "pulumi:providers:aws": 1,
    }


def test_names_are_made_by_pulumi(deploy: Deployment) -> None:
    state = credentials(deploy).state(SECRET, "dev-fernet-key")
    assert state["name"] != "dev-fernet-key"


def test_secrets_may_be_gone_at_once(deploy: Deployment) -> None:
    inputs = credentials(deploy, replace(ARGS, recovery_days=0)).inputs(SECRET)
    assert {secret["recoveryWindowInDays"] for secret in inputs.values()} == {0}


def test_children_belong_to_the_component(deploy: Deployment) -> None:
    assert {secret.parent for secret in credentials(deploy).by_type[SECRET]} == {"dev"}


@pytest.mark.parametrize("protect", [True, False])
def test_protection(deploy: Deployment, protect: bool) -> None:
    secrets = credentials(deploy, replace(ARGS, protect=protect)).by_type[SECRET]
    assert {secret.protect for secret in secrets} == {protect}


def test_secrets_are_protected_unless_told_otherwise() -> None:
    assert ARGS.protect


@pytest.mark.parametrize("args", [ARGS, WITH_FLOWER], ids=["no Flower", "Flower"])
def test_arns(deploy: Deployment, args: CredentialsArgs) -> None:
    monitor, component = built(deploy, lambda opts: Credentials("dev", args, opts))
    wanted = set(SecretKind) if args.flower else set(SecretKind) - {SecretKind.FLOWER_USER}
    assert {kind: value(deploy, arn) for kind, arn in component.arns.items()} == {
        kind: monitor.state(SECRET, f"dev-{kind}")["arn"] for kind in wanted
    }


def test_outputs(deploy: Deployment) -> None:
    monitor = credentials(deploy)
    assert monitor.outputs["dev"] == {
        "arns": {kind: monitor.state(SECRET, f"dev-{kind}")["arn"] for kind in KINDS}
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recovery_days": 6}, "recovery_days: want 7 to 30, got 6"),
        ({"recovery_days": 31}, "recovery_days: want 7 to 30, got 31"),
    ],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(ARGS, **changes)
