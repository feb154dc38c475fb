"""Cases of the rules about secrets and keys."""

from __future__ import annotations

from typing import Any, Final

from policies.security.rules.secrets_and_keys import (
    EXTERNAL,
    EXTERNAL_REPLICA,
    KEY,
    KEY_POLICY,
    REPLICA,
    ROTATION,
    SECRET,
    SECRET_POLICY,
)
from tests.policies.cases import REMOVED, Case, Change

KEY_ARN: Final = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
FIRST: Final = "policy.Statement[0]"
SECOND: Final = "policy.Statement[1]"


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(principal: Any, action: str, **condition: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": principal,
        "Action": action,
        "Resource": "*",
        "Condition": {"StringEquals": condition},
    }


READERS: Final = _document(
    _allow({"AWS": "arn:aws:iam::111122223333:role/reader"}, "secretsmanager:GetSecretValue"),
    {"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*"},
)
ROOT: Final = {"AWS": "arn:aws:iam::111122223333:root"}
USERS: Final = _document(
    _allow(ROOT, "kms:*"),
    _allow(
        "*",
        "kms:Decrypt",
        **{"kms:ViaService": "s3.eu-west-1.amazonaws.com", "kms:CallerAccount": "111122223333"},
    ),
)
A_SECRET: Final = {"kmsKeyId": KEY_ARN, "recoveryWindowInDays": 30, "policy": READERS}
A_KEY: Final = {
    "enableKeyRotation": True,
    "deletionWindowInDays": 30,
    "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
    "isEnabled": True,
    "policy": USERS,
}
EVERYBODY: Final = (
    Change(path=f"{FIRST}.Principal", bad="*", absent=False),
    Change(path=f"{FIRST}.Principal", bad={"AWS": ["*"]}, absent=False),
    Change(path=f"{FIRST}.Principal.AWS", bad="*", absent=False),
    Change(path=f"{FIRST}.NotPrincipal", bad={"AWS": "111122223333"}, absent=False),
)


def _case(rule: str, token: str, good: dict[str, Any], *changes: Change, golden: str | None = "") -> Case:
    return Case(rule=rule, type=token, good=good, changes=changes, golden=golden)


CASES: Final = (
    _case(
        "secret-customer-key",
        SECRET,
        A_SECRET,
        Change(path="kmsKeyId", bad=""),
        Change(path="kmsKeyId", bad="alias/aws/secretsmanager"),
    ),
    _case("secret-recoverable", SECRET, A_SECRET, Change(path="recoveryWindowInDays", bad=0, absent=False)),
    _case(
        "secret-rotation-often",
        ROTATION,
        {"rotationRules": {"automaticallyAfterDays": 30}},
        Change(path="rotationRules.automaticallyAfterDays", bad=91),
        Change(path="rotationRules", bad={"scheduleExpression": "rate(91 days)"}),
        Change(path="rotationRules", bad={"scheduleExpression": "rate(900 days)"}),
        golden=None,
    ),
    _case("secret-policy-named", SECRET_POLICY, {"policy": READERS}, *EVERYBODY, golden=None),
    _case("secret-policy-named", SECRET, A_SECRET, *EVERYBODY, golden=None),
    _case("key-rotates", KEY, A_KEY, Change(path="enableKeyRotation", bad=False)),
    *(
        _case(
            "key-recoverable",
            token,
            A_KEY,
            Change(path="deletionWindowInDays", bad=29, absent=False),
            golden="" if token == KEY else None,
        )
        for token in (KEY, REPLICA, EXTERNAL, EXTERNAL_REPLICA)
    ),
    _case("key-enabled", KEY, A_KEY, Change(path="isEnabled", bad=False, absent=False)),
    *(
        _case(
            "key-policy-named",
            token,
            A_KEY,
            *EVERYBODY,
            Change(path=f"{SECOND}.Condition", bad={"StringEquals": {"aws:SourceAccount": "111122223333"}}),
            Change(path=f"{SECOND}.Condition", bad={"StringLike": {"kms:CallerAccount": "111122223333"}}),
            Change(path=f"{SECOND}.Condition.StringEquals.kms:ViaService", bad="*", absent=False),
            golden=None,
        )
        for token in (KEY_POLICY, REPLICA, EXTERNAL, EXTERNAL_REPLICA)
    ),
    _case("key-policy-named", KEY, A_KEY, *EVERYBODY),
    *(
        _case(
            "key-policy-set",
            token,
            A_KEY,
            Change(path="policy", bad=REMOVED, typed=False),
            golden="" if token == KEY else None,
        )
        for token in (KEY, KEY_POLICY, REPLICA, EXTERNAL, EXTERNAL_REPLICA)
    ),
)
