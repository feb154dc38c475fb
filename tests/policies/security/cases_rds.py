"""Cases of the rules about who reaches databases, and what is encrypted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from policies.security.rules.rds import CLUSTER, CLUSTER_INSTANCE, INSTANCE, PROXY
from tests.policies.cases import REMOVED, Case, Change

KEY: Final = "arn:aws:kms:eu-west-1:111111111111:key/48eb0b1f-4265-4031-91f8-7e9f86151011"
AWS_KEY: Final = "arn:aws:kms:eu-west-1:111111111111:alias/aws/rds"
INSTANCE_PROPERTIES: Final[dict[str, Any]] = {
    "engine": "postgres",
    "username": "airflow_owner",
    "manageMasterUserPassword": True,
    "iamDatabaseAuthenticationEnabled": True,
    "port": 6432,
    "publiclyAccessible": False,
    "dbSubnetGroupName": "data",
    "storageEncrypted": True,
    "kmsKeyId": KEY,
    "autoMinorVersionUpgrade": True,
    "caCertIdentifier": "rds-ca-rsa2048-g1",
    "engineLifecycleSupport": "open-source-rds-extended-support-disabled",
}
CLUSTER_PROPERTIES: Final[dict[str, Any]] = {
    "engine": "aurora-postgresql",
    "masterUsername": "airflow_owner",
    "dbSubnetGroupName": "data",
    "caCertificateIdentifier": "rds-ca-rsa2048-g1",
    "engineLifecycleSupport": "open-source-rds-extended-support-disabled",
}
MEMBER_PROPERTIES: Final[dict[str, Any]] = {"engine": "aurora-postgresql", "publiclyAccessible": False}
GOOD: Final[Mapping[str, Mapping[str, Any]]] = {
    INSTANCE: INSTANCE_PROPERTIES,
    CLUSTER: CLUSTER_PROPERTIES,
    CLUSTER_INSTANCE: MEMBER_PROPERTIES,
}


def _case(rule: str, *changes: Change, on: str = INSTANCE) -> Case:
    return Case(rule=rule, type=on, good=GOOD[on], changes=changes, golden="" if on == INSTANCE else None)


CASES: Final = (
    *(
        _case("rds-instance-private", Change(path="publiclyAccessible", bad=True, absent=False), on=on)
        for on in (INSTANCE, CLUSTER_INSTANCE)
    ),
    _case("rds-instance-encrypted", Change(path="storageEncrypted", bad=False)),
    _case(
        "rds-instance-own-key",
        Change(path="kmsKeyId", bad=REMOVED),
        Change(path="kmsKeyId", bad=""),
        Change(path="kmsKeyId", bad=AWS_KEY),
    ),
    *(
        _case(
            "rds-instance-minor-upgrades",
            Change(path="autoMinorVersionUpgrade", bad=False, absent=False),
            on=on,
        )
        for on in (INSTANCE, CLUSTER_INSTANCE)
    ),
    _case("rds-instance-iam-authentication", Change(path="iamDatabaseAuthenticationEnabled", bad=False)),
    _case(
        "rds-owner-name",
        Change(path="username", bad="postgres", absent=False),
        Change(path="username", bad="Admin", absent=False),
    ),
    _case("rds-owner-name", Change(path="masterUsername", bad="root", absent=False), on=CLUSTER),
    _case("rds-port", Change(path="port", bad=5432), Change(path="port", bad=3306)),
    _case(
        "rds-instance-managed-password",
        Change(path="manageMasterUserPassword", bad=False),
        Change(path="password", bad="Tr0ub4dor and 3", absent=False),
    ),
    _case("rds-current-certificate", Change(path="caCertIdentifier", bad="rds-ca-2019", absent=False)),
    _case(
        "rds-current-certificate",
        Change(path="caCertIdentifier", bad="rds-ca-2019", absent=False),
        on=CLUSTER_INSTANCE,
    ),
    _case(
        "rds-current-certificate",
        Change(path="caCertificateIdentifier", bad="rds-ca-2019", absent=False),
        on=CLUSTER,
    ),
    *(
        _case(
            "rds-no-extended-support",
            Change(path="engineLifecycleSupport", bad="open-source-rds-extended-support"),
            on=on,
        )
        for on in (INSTANCE, CLUSTER)
    ),
    *(
        _case("rds-own-subnets", Change(path="dbSubnetGroupName", bad="default"), on=on)
        for on in (INSTANCE, CLUSTER)
    ),
    Case(
        rule="rds-proxy-tls",
        type=PROXY,
        good={"engineFamily": "POSTGRESQL", "requireTls": True},
        changes=(Change(path="requireTls", bad=False),),
        golden=None,
    ),
)
