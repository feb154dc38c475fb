"""Databases: who reaches them, what proves who they are, and what is encrypted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.crossguard.checks import (
    all_of,
    any_of,
    is_false,
    is_set,
    is_true,
    none_of,
    one_of,
    wanted,
    when,
)
from policies.crossguard.findings import Finding, Violation
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View
from policies.security.keys import own_key

INSTANCE: Final = "aws:rds/instance:Instance"
CLUSTER: Final = "aws:rds/cluster:Cluster"
CLUSTER_INSTANCE: Final = "aws:rds/clusterInstance:ClusterInstance"
PROXY: Final = "aws:rds/proxy:Proxy"

DEFAULT_PORTS: Final = frozenset({5432, 3306, 1521, 1433})
"""Of PostgreSQL, MySQL and MariaDB, Oracle, SQL Server."""
GUESSED_NAMES: Final = frozenset({"admin", "postgres", "root"})
CERTIFICATES: Final = frozenset({"rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"})
"""Authorities that have not expired; rds-ca-2019 has, in August 2024."""
DEFAULT_CERTIFICATE: Final = "rds-ca-rsa2048-g1"
EXTENDED: Final = frozenset({"postgres", "mysql", "aurora-postgresql", "aurora-mysql", ""})
"""Engines that have extended support; a copy of another database does not name its engine."""


def is_primary(database: View) -> bool:
    """Say whether a database is no copy that follows another one, and takes from it what it does not say."""
    return database["replicateSourceDb"].empty and database["replicationSourceIdentifier"].empty


def no_password(path: str) -> Iterator[Finding]:
    """Yield the violation of a password in the program; it must not be shown, secret or not."""
    yield Violation(f"{path} is set, want a password that RDS makes and keeps")


def _no_plain_password(database: View) -> Iterator[Finding]:
    if not database["password"].empty:
        yield from no_password("password")


def _has_own_subnets(database: View) -> Iterator[Finding]:
    group = database["dbSubnetGroupName"]
    if group.text("default") == "default":
        yield Violation(f"{group.path} is {group.shown()}, want a subnet group of data subnets")


RULES: Final = (
    Rule(
        name="rds-instance-private",
        why="A database with a public address is attacked from everywhere, and one weak rule opens it.",
        fix="Set `publiclyAccessible` to false.",
        severity=Severity.CRITICAL,
        tier=Tier.EVERYWHERE,
        controls=("25",),
        references=(
            "RDS.2",
            "3.2.3",
            "CKV_AWS_17",
            "AWS-0180",
            "rds_instance_public_access_check",
            "rds/Instance/disallowPublicAccess",
        ),
        on=(INSTANCE, CLUSTER_INSTANCE),
        check=is_false("publiclyAccessible"),
    ),
    Rule(
        name="rds-instance-encrypted",
        why="Storage, snapshots and backups that are not encrypted are read by whoever gets hold of them.",
        fix="Set `storageEncrypted` to true; a database that exists has to be restored from an encrypted copy.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("26",),
        references=("RDS.3", "3.2.1", "CKV_AWS_16", "AWS-0080", "rds_storage_encrypted"),
        on=(INSTANCE,),
        check=is_true("storageEncrypted"),
    ),
    Rule(
        name="rds-instance-own-key",
        why="Who may use the key that AWS keeps for RDS cannot be decided, and it cannot be taken away.",
        fix="Set `kmsKeyId` to a key of this account.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("26",),
        references=("rds/Instance/configureCustomerManagedKey",),
        on=(INSTANCE,),
        check=when(is_primary, own_key("kmsKeyId")),
    ),
    Rule(
        name="rds-instance-minor-upgrades",
        why="Holes that the engine's makers have closed stay open.",
        fix="Set `autoMinorVersionUpgrade` to true.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("31",),
        references=("RDS.13", "3.2.2", "CKV_AWS_226", "rds_automatic_minor_version_upgrade_enabled"),
        on=(INSTANCE, CLUSTER_INSTANCE),
        check=is_true("autoMinorVersionUpgrade", default=True),
    ),
    Rule(
        name="rds-instance-iam-authentication",
        why="A password can be passed on and stays valid; a token of IAM ends by itself.",
        fix="Set `iamDatabaseAuthenticationEnabled` to true, and let nobody connect who need not.",
        severity=Severity.MEDIUM,
        tier=Tier.NOWHERE,
        controls=("34",),
        references=("RDS.10", "CKV_AWS_161", "AWS-0176"),
        on=(INSTANCE,),
        check=is_true("iamDatabaseAuthenticationEnabled"),
    ),
    Rule(
        name="rds-owner-name",
        why="A name that everybody tries first is half of a sign-in.",
        fix="Set `username` or `masterUsername` to a name of your own; RDS makes a new database for it.",
        severity=Severity.MEDIUM,
        tier=Tier.NOWHERE,
        controls=("35",),
        references=("RDS.25",),
        on=(INSTANCE, CLUSTER),
        check=all_of(none_of("username", GUESSED_NAMES), none_of("masterUsername", GUESSED_NAMES)),
    ),
    Rule(
        name="rds-port",
        why="Who looks for databases tries the default ports first.",
        fix="Set `port` to another number.",
        severity=Severity.LOW,
        tier=Tier.NOWHERE,
        controls=("35",),
        references=("RDS.23",),
        implies=frozenset({"data-reached-by-callers-only"}),
        on=(INSTANCE,),
        check=wanted(
            "port", "a port that is no default", lambda port: port.number(default=5432) not in DEFAULT_PORTS
        ),
    ),
    Rule(
        name="rds-instance-managed-password",
        why="A password in the program is in the state, in plans and in logs, and is never changed.",
        fix="Set `manageMasterUserPassword` to true, and remove `password`.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("36",),
        references=("rds_master_user_password_no_plaintext_password",),
        on=(INSTANCE,),
        check=all_of(
            _no_plain_password,
            when(is_primary, any_of(is_true("manageMasterUserPassword"), is_set("passwordWo"))),
        ),
    ),
    Rule(
        name="rds-current-certificate",
        why="When the authority of its certificate has expired, clients that check it cannot connect.",
        fix="Set `caCertIdentifier` (of a cluster, `caCertificateIdentifier`) to a current authority.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("37",),
        references=("CKV_AWS_211", "rds_instance_certificate_expiration"),
        on=(INSTANCE, CLUSTER_INSTANCE, CLUSTER),
        check=all_of(
            one_of("caCertIdentifier", CERTIFICATES, default=DEFAULT_CERTIFICATE),
            one_of("caCertificateIdentifier", CERTIFICATES, default=DEFAULT_CERTIFICATE),
        ),
    ),
    Rule(
        name="rds-no-extended-support",
        why="A version that its makers have given up stays, at several times the price, and nobody notices.",
        fix="Set `engineLifecycleSupport` to open-source-rds-extended-support-disabled.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("37",),
        references=("rds_instance_extended_support",),
        on=(INSTANCE, CLUSTER),
        check=when(
            lambda database: database["engine"].text().lower() in EXTENDED,
            one_of("engineLifecycleSupport", {"open-source-rds-extended-support-disabled"}),
        ),
    ),
    Rule(
        name="rds-own-subnets",
        why="Without a subnet group RDS takes the default VPC, whose subnets are all public.",
        fix="Set `dbSubnetGroupName` to a group of data subnets.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("39",),
        on=(INSTANCE, CLUSTER),
        check=when(is_primary, _has_own_subnets),
    ),
    Rule(
        name="rds-proxy-tls",
        why="Who listens on the network reads passwords and rows.",
        fix="Set `requireTls` to true.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("41",),
        references=("RDS.43",),
        on=(PROXY,),
        check=is_true("requireTls"),
    ),
)
