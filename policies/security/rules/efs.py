"""File systems: encryption, the ways in, and what their policies refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from policies.crossguard.checks import at_least, is_absent, is_true, wanted
from policies.crossguard.findings import Check, Finding, Violation
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View
from policies.security.documents import Statement, each_statement, like, statements
from policies.security.existence import exists, one_item
from policies.security.keys import own_key
from policies.security.principals import EQUAL, EVERYBODY, is_open

FILE_SYSTEM: Final = "aws:efs/fileSystem:FileSystem"
ACCESS_POINT: Final = "aws:efs/accessPoint:AccessPoint"
FILE_SYSTEM_POLICY: Final = "aws:efs/fileSystemPolicy:FileSystemPolicy"

MOUNT: Final = "elasticfilesystem:ClientMount"
ROOT: Final = "elasticfilesystem:ClientRootAccess"
_THROUGH: Final = "elasticfilesystem:AccessPointArn"
_ENCRYPTED: Final = "aws:SecureTransport"
_UNEQUAL: Final = frozenset({"stringnotequals", "stringnotlike", "arnnotequals", "arnnotlike"})
"""Operators that hold, too, where the key has no value, as it has none for who comes past the access points."""

Test = Callable[[Statement], bool]


def _refuses(statement: Statement, action: str) -> bool:
    """Say whether a statement refuses an action to everybody, under its conditions."""
    return (
        not statement.allows
        and not statement.inverted
        and any(principal == EVERYBODY for _, principal in statement.principals)
        and any(like(action.lower(), pattern) for pattern in statement.actions)
    )


def _refuses_plain(statement: Statement) -> bool:
    conditions = [(operator.lower(), key, values) for operator, key, values in statement.conditions()]
    return _refuses(statement, MOUNT) and conditions == [("bool", _ENCRYPTED.lower(), ["false"])]


def _refuses_past_access_points(statement: Statement) -> bool:
    conditions = [*statement.conditions()]
    return (
        _refuses(statement, MOUNT)
        and len(conditions) == 1
        and all(
            operator.lower().removesuffix("ifexists") in _UNEQUAL
            and key == _THROUGH.lower()
            and all(value.startswith("arn:") for value in values)
            for operator, key, values in conditions
        )
    )


def _refuses_root(statement: Statement) -> bool:
    return _refuses(statement, ROOT) and not [*statement.conditions()]


def _some(test: Test, message: str) -> Check:
    """Return a check that a policy has a certain statement."""
    is_good = _statement(test)

    def check(policy: View) -> Iterator[Finding]:
        yield from one_item(message, (each.view for each in statements(policy["policy"])), is_good)

    return check


def _statement(test: Test) -> Check:
    def check(view: View) -> Iterator[Finding]:
        if not test(Statement(view)):
            yield Violation(f"{view.path} is another statement")

    return check


def _allows_through_access_points(policy: View) -> Iterator[Finding]:
    """Judge what is allowed, which alone decides where nothing is refused."""
    granting = [each for each in statements(policy["policy"]) if each.grants(MOUNT)]
    if not granting or not all(each.condition(_THROUGH, *EQUAL) for each in granting):
        yield Violation("policy lets clients mount past the access points")


def _no_root(view: View) -> Iterator[Finding]:
    if Statement(view).grants(ROOT):
        yield Violation(f"{view.path} allows {ROOT}, want nobody to be root")


def _not_open(view: View) -> Iterator[Finding]:
    if is_open(Statement(view)):
        yield Violation(f"{view.path} lets everybody in, want roles by name")


RULES: Final = (
    Rule(
        name="efs-encrypted",
        why="Files and backups that are not encrypted are read by whoever gets hold of them.",
        fix="Set `encrypted` to true; the file system is replaced.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("43",),
        references=(
            "EFS.1",
            "EFS.8",
            "3.3.1",
            "CKV_AWS_42",
            "AWS-0037",
            "efs_encrypted_check",
            "efs/FileSystem/disallowUnencryptedFileSystem",
        ),
        on=(FILE_SYSTEM,),
        check=is_true("encrypted"),
    ),
    Rule(
        name="efs-own-key",
        why="Who may use the key that AWS keeps for EFS cannot be decided, and it cannot be taken away.",
        fix="Set `kmsKeyId` to a key of this account; the file system is replaced.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("43",),
        references=("CKV_AWS_184", "efs/FileSystem/configureCustomerManagedKey"),
        on=(FILE_SYSTEM,),
        check=own_key("kmsKeyId"),
    ),
    Rule(
        name="efs-regional",
        why="When its one zone fails, nobody reaches the files; when the zone is lost, so are they.",
        fix="Remove `availabilityZoneName`; the file system is replaced.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("44",),
        references=("efs/FileSystem/disallowSingleAvailabilityZone", "efs_multi_az_enabled"),
        on=(FILE_SYSTEM,),
        check=is_absent("availabilityZoneName"),
    ),
    Rule(
        name="efs-access-point-own-directory",
        why="Whoever comes in through it sees the files of all others.",
        fix="Set `rootDirectory.path` to a directory of its own.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("46",),
        references=("EFS.3", "CKV_AWS_329", "efs_access_point_enforce_root_directory"),
        implies=frozenset({"dags-written-by-nobody"}),
        on=(ACCESS_POINT,),
        check=wanted(
            "rootDirectory.path", "a directory of its own", lambda path: bool(path.text("/").strip("/"))
        ),
    ),
    Rule(
        name="efs-access-point-user",
        why="Clients say themselves who they are, and may say root.",
        fix="Set `posixUser` with a uid other than 0.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("47",),
        references=("EFS.4", "CKV_AWS_330", "efs_access_point_enforce_user_identity"),
        implies=frozenset({"dags-written-by-nobody"}),
        on=(ACCESS_POINT,),
        check=at_least("posixUser.uid", 1),
    ),
    Rule(
        name="efs-policy-tls",
        why="Who listens on the network reads the files.",
        fix="Refuse ClientMount to everybody where aws:SecureTransport is false.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("49",),
        on=(FILE_SYSTEM_POLICY,),
        check=_some(_refuses_plain, "policy lacks a statement that refuses to mount without TLS"),
    ),
    Rule(
        name="efs-policy-access-points",
        why="Who mounts past the access points chooses directory and user, and can write what others run.",
        fix="Refuse ClientMount to everybody where elasticfilesystem:AccessPointArn is none of your access points.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("49",),
        on=(FILE_SYSTEM_POLICY,),
        check=exists(
            "policy lacks a statement that refuses to mount past the access points",
            _some(_refuses_past_access_points, "policy refuses nobody"),
            _allows_through_access_points,
        ),
    ),
    Rule(
        name="efs-policy-no-root",
        why="A client that is root reads and changes the files of all others.",
        fix="Allow no ClientRootAccess, or refuse it to everybody.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("49",),
        on=(FILE_SYSTEM_POLICY,),
        check=exists(
            "policy allows ClientRootAccess, want nobody to be root",
            _some(_refuses_root, "policy refuses it to nobody"),
            each_statement("policy", _no_root),
        ),
    ),
    Rule(
        name="efs-policy-not-open",
        why="Everybody who reaches the network mounts the file system, without any identity.",
        fix="Name the roles as principals, or allow nothing here and everything in the roles' own policies.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("49",),
        references=("efs_not_publicly_accessible",),
        on=(FILE_SYSTEM_POLICY,),
        check=each_statement("policy", _not_open),
    ),
)
