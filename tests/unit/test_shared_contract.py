"""What an environment accepts of a shared stack."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.shared_contract import CONTRACT_VERSION, SharedContract, accept

OUTPUTS: dict[str, Any] = {
    "contractVersion": float(CONTRACT_VERSION),
    "accountId": "111111111111",
    "region": "eu-west-1",
    "stateBucketName": "state",
    "keyArn": "arn:aws:kms:eu-west-1:111111111111:key/k",
    "permissionsBoundaryArn": "arn:aws:iam::111111111111:policy/boundaries/airflow-platform-boundary",
    "repositoryUrl": "111111111111.dkr.ecr.eu-west-1.amazonaws.com/airflow-platform/airflow",
    "repositoryArn": "arn:aws:ecr:eu-west-1:111111111111:repository/airflow-platform/airflow",
    "releaseBucketName": "releases",
    "releaseBucketArn": "arn:aws:s3:::releases",
    "zoneId": "Z1",
    "zoneName": "nonprod.example.com",
}


def accepted(**changes: Any) -> SharedContract:
    return accept("nonprod-shared", OUTPUTS | changes, account_id="111111111111", region="eu-west-1")


def test_outputs_become_typed() -> None:
    assert accepted() == SharedContract(
        account_id="111111111111",
        region="eu-west-1",
        state_bucket_name="state",
        key_arn="arn:aws:kms:eu-west-1:111111111111:key/k",
        permissions_boundary_arn="arn:aws:iam::111111111111:policy/boundaries/airflow-platform-boundary",
        repository_url="111111111111.dkr.ecr.eu-west-1.amazonaws.com/airflow-platform/airflow",
        repository_arn="arn:aws:ecr:eu-west-1:111111111111:repository/airflow-platform/airflow",
        release_bucket_name="releases",
        release_bucket_arn="arn:aws:s3:::releases",
        zone_id="Z1",
        zone_name="nonprod.example.com",
    )


def test_newer_stack_is_accepted() -> None:
    assert accepted(contractVersion=float(CONTRACT_VERSION + 1)) == accepted()


def test_more_outputs_are_accepted() -> None:
    assert accepted(nameServers=["ns-1"]) == accepted()


REMEDY = "bring it up to date first: pulumi up --stack nonprod-shared"
OWN = "this environment of account 111111111111 in eu-west-1; name the shared stack of the same account"
REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "older": (
        {"contractVersion": 0.0},
        f"shared.stack: the stack nonprod-shared has contractVersion 0, this program needs 2; {REMEDY}",
    ),
    "never applied": (
        dict.fromkeys(OUTPUTS),
        f"shared.stack: the stack nonprod-shared exports no contractVersion, this program needs 2; {REMEDY}",
    ),
    "version is no number": (
        {"contractVersion": "1"},
        f"shared.stack: the stack nonprod-shared exports no contractVersion, this program needs 2; {REMEDY}",
    ),
    "incomplete": (
        {"keyArn": None, "zoneId": 7},
        f"shared.stack: the stack nonprod-shared does not export keyArn, zoneId; {REMEDY}",
    ),
    "other account": (
        {"accountId": "222222222222"},
        f"shared.stack: the stack nonprod-shared is of account 222222222222 in eu-west-1, {OWN}",
    ),
    "other region": (
        {"region": "eu-central-1"},
        f"shared.stack: the stack nonprod-shared is of account 111111111111 in eu-central-1, {OWN}",
    ),
}


@pytest.mark.parametrize(("changes", "message"), REFUSALS.values(), ids=REFUSALS)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(pulumi.RunError) as refusal:
        accepted(**changes)
    assert str(refusal.value) == message
