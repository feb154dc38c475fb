"""Cases of the rules about file systems."""

from __future__ import annotations

from typing import Any, Final

from policies.security.rules.efs import ACCESS_POINT, FILE_SYSTEM, FILE_SYSTEM_POLICY, MOUNT, ROOT
from tests.policies.cases import REMOVED, Case, Change
from tests.policies.security.cases_rds import KEY

WRITE: Final = "elasticfilesystem:ClientWrite"
ROLE: Final = "arn:aws:iam::111111111111:role/airflow/dev/worker"
READER: Final = "arn:aws:elasticfilesystem:eu-west-1:111111111111:access-point/fsap-97d1f2664c6472216"
FILES: Final[dict[str, Any]] = {"encrypted": True, "kmsKeyId": KEY}
WAY_IN: Final[dict[str, Any]] = {
    "posixUser": {"uid": 50000, "gid": 0},
    "rootDirectory": {"path": "/releases"},
}


def _deny(*actions: str, **conditions: dict[str, Any]) -> dict[str, Any]:
    statement = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": [*actions], "Resource": "*"}
    return statement | ({"Condition": conditions} if conditions else {})


def _allow(action: str | list[str], principal: Any, **conditions: dict[str, Any]) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"}
    return statement | ({"Condition": conditions} if conditions else {})


PLAIN: Final = _deny(MOUNT, WRITE, ROOT, Bool={"aws:SecureTransport": "false"})
PAST: Final = _deny(MOUNT, StringNotEquals={"elasticfilesystem:AccessPointArn": [READER]})
WRITES: Final = _deny(WRITE, StringNotEquals={"elasticfilesystem:AccessPointArn": READER})
REFUSALS: Final[dict[str, Any]] = {"policy": {"Statement": [PLAIN, PAST, WRITES, _deny(ROOT)]}}
"""As the platform has them: nothing is allowed here, so that roles alone decide."""
THROUGH: Final[dict[str, Any]] = {"elasticfilesystem:AccessPointArn": READER}
GRANTS: Final[dict[str, Any]] = {
    "policy": {"Statement": [PLAIN, _allow(MOUNT, {"AWS": ROLE}, StringEquals=THROUGH)]}
}
"""As others do it: what is not allowed here, and by no role, is refused."""


def _policy(rule: str, *changes: Change, good: dict[str, Any] = REFUSALS) -> Case:
    golden = "" if good is REFUSALS else None
    return Case(rule=rule, type=FILE_SYSTEM_POLICY, good=good, changes=changes, golden=golden)


CASES: Final = (
    Case(
        rule="efs-encrypted",
        type=FILE_SYSTEM,
        good=FILES,
        changes=(Change(path="encrypted", bad=False),),
    ),
    Case(
        rule="efs-own-key",
        type=FILE_SYSTEM,
        good=FILES,
        changes=(
            Change(path="kmsKeyId", bad=REMOVED),
            Change(path="kmsKeyId", bad="alias/aws/elasticfilesystem"),
        ),
    ),
    Case(
        rule="efs-regional",
        type=FILE_SYSTEM,
        good=FILES,
        changes=(Change(path="availabilityZoneName", bad="eu-west-1a", absent=False),),
    ),
    Case(
        rule="efs-access-point-own-directory",
        type=ACCESS_POINT,
        good=WAY_IN,
        changes=(
            Change(path="rootDirectory.path", bad="/"),
            Change(path="rootDirectory", bad=REMOVED),
        ),
    ),
    Case(
        rule="efs-access-point-user",
        type=ACCESS_POINT,
        good=WAY_IN,
        changes=(Change(path="posixUser.uid", bad=0), Change(path="posixUser", bad=REMOVED)),
    ),
    _policy(
        "efs-policy-tls",
        Change(path="policy.Statement[0]", bad=REMOVED),
        Change(path="policy.Statement[0].Condition.Bool.aws:SecureTransport", bad="true"),
        Change(path="policy.Statement[0].Condition.StringEquals.aws:PrincipalArn", bad=ROLE, absent=False),
        Change(path="policy.Statement[0].Principal.AWS", bad=ROLE),
        Change(path="policy.Statement[0].Action", bad=[WRITE]),
    ),
    _policy(
        "efs-policy-access-points",
        Change(path="policy.Statement[1]", bad=REMOVED),
        Change(path="policy.Statement[1].Principal.AWS", bad=ROLE),
        Change(path="policy.Statement[1].Action", bad=WRITE),
        Change(
            path="policy.Statement[1].Condition.StringNotEquals.elasticfilesystem:AccessPointArn",
            bad="fsap-97d1f2664c6472216",
        ),
    ),
    _policy(
        "efs-policy-access-points",
        Change(path="policy.Statement[1].Condition", bad=REMOVED),
        good=GRANTS,
    ),
    _policy(
        "efs-policy-no-root",
        Change(path="policy.Statement[3]", bad=_allow(ROOT, {"AWS": ROLE}), absent=False),
        Change(
            path="policy.Statement[3]",
            bad=_allow("elasticfilesystem:Client*", {"AWS": ROLE}),
            absent=False,
        ),
    ),
    _policy(
        "efs-policy-no-root",
        Change(
            path="policy.Statement[1]",
            bad=_allow([MOUNT, ROOT], {"AWS": ROLE}, StringEquals=THROUGH),
            absent=False,
        ),
        good=GRANTS,
    ),
    _policy(
        "efs-policy-not-open",
        Change(path="policy.Statement[3]", bad=_allow(MOUNT, "*"), absent=False),
        Change(path="policy.Statement[3]", bad=_allow(MOUNT, {"AWS": "*"}), absent=False),
    ),
)
