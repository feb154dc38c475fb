"""What AWS answers for RDS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sandbox.behaviour import regions
from sandbox.behaviour.model import Properties
from sandbox.behaviour.outputs_base import LOWER, MIXED, Ids, New, Pending, Shape, known_text, stamp
from sandbox.behaviour.outputs_network import default_group, vpc_of, zone_of

SUBNET_GROUP: Final = "aws:rds/subnetGroup:SubnetGroup"
DATABASE: Final = "aws:rds/instance:Instance"
PROXY: Final = "aws:rds/proxy:Proxy"
PORTS: Final = {
    "postgres": 5432,
    "mysql": 3306,
    "mariadb": 3306,
    "sqlserver": 1433,
    "oracle": 1521,
    "db2": 50000,
}
LICENSES: Final = {"postgres": "postgresql-license", "mysql": "general-public-license"}
NEWEST_MINOR: Final = {
    "17": "17.6",
    "16": "16.10",
    "15": "15.14",
    "14": "14.19",
    "13": "13.22",
    "8.0": "8.0.43",
}
"""RDS versions that a major version alone stands for."""


def account_code(new: New, service: str, length: int) -> str:
    """Give the part of endpoints that is the same for all of a service in an account and region."""
    return Ids(service, new.account, new.region).text(LOWER, length)


def subnet_group(new: New) -> Properties:
    """Give the VPC of a subnet group."""
    return {"vpcId": vpc_of(new, new.items("subnetIds"))}


def _of_engine(table: Mapping[str, Any], engine: str, default: Any) -> Any:
    return next((value for key, value in table.items() if engine.startswith(key)), default)


def _database_names(new: New) -> Properties:
    host = f"{new.text('identifier')}.{account_code(new, 'rds', 12)}.{new.region}.rds.{new.dns}"
    port = new.outputs.get("port", 0)
    return {
        "address": host,
        "endpoint": f"{host}:{port}",
        "arn": new.local("rds", f"db:{new.text('identifier')}"),
    }


def _version(text: str) -> str:
    return NEWEST_MINOR.get(text, text)


def _master_secret(new: New) -> list[Properties]:
    key = new.text("masterUserSecretKmsKeyId") or new.local(
        "kms", f"key/{_default_key(new, 'secretsmanager')}"
    )
    secret = f"secret:rds!db-{new.ids.uuid('secret')}-{new.ids.text(MIXED, 6, 'secret')}"
    return [{"kmsKeyId": key, "secretArn": new.local("secretsmanager", secret), "secretStatus": "active"}]


def _default_key(new: New, service: str) -> str:
    return Ids(new.account, new.region, f"aws/{service}").uuid()


def _database(new: New) -> Properties:
    engine, version = new.text("engine"), new.text("engineVersion")
    family = f"default.{engine}{_version(version).split('.')[0]}"
    new.outputs.setdefault("port", _of_engine(PORTS, engine, 3306))
    group = new.text("dbSubnetGroupName", "default")
    vpc = known_text(new.search(SUBNET_GROUP, "name", group).get("vpcId")) or vpc_of(new, [])
    subnets = new.search(SUBNET_GROUP, "name", group).get("subnetIds", [])
    kind = new.text("storageType") or ("io1" if "iops" in new.inputs else "gp2")
    encrypted = new.outputs.get("storageEncrypted") is True
    insights = new.outputs.get("performanceInsightsEnabled") is True
    managed = new.outputs.get("manageMasterUserPassword") is True
    return {
        **_database_names(new),
        "availabilityZone": zone_of(new, subnets),
        "backupRetentionPeriod": 0,
        "backupTarget": "region",
        "backupWindow": "22:30-23:00",
        "caCertIdentifier": "rds-ca-rsa2048-g1",
        "databaseInsightsMode": "standard",
        "dbName": "",
        "dbSubnetGroupName": group,
        "engineLifecycleSupport": "open-source-rds-extended-support",
        "engineVersion": _version(version) or "17.6",
        "engineVersionActual": _version(version) or "17.6",
        "hostedZoneId": regions.hosted_zone(regions.RDS_ZONES, new.region),
        "iops": 3000 if kind == "gp3" else 0,
        "kmsKeyId": new.local("kms", f"key/{_default_key(new, 'rds')}") if encrypted else "",
        "latestRestorableTime": stamp(new.ids.moment()) if new.outputs.get("backupRetentionPeriod") else "",
        "licenseModel": _of_engine(LICENSES, engine, "general-public-license"),
        "listenerEndpoints": [],
        "maintenanceWindow": "sun:04:30-sun:05:00",
        "masterUserSecrets": _master_secret(new) if managed else [],
        "masterUserSecretKmsKeyId": new.local("kms", f"key/{_default_key(new, 'secretsmanager')}")
        if managed
        else "",
        "multiAz": False,
        "networkType": "IPV4",
        "optionGroupName": f"default:{engine}-{_version(version).split('.')[0]}",
        "parameterGroupName": family,
        "performanceInsightsKmsKeyId": new.local("kms", f"key/{_default_key(new, 'rds')}")
        if insights
        else "",
        "performanceInsightsRetentionPeriod": 7 if insights else 0,
        "replicas": [],
        "resourceId": new.id,
        "status": "available",
        "storageThroughput": 125 if kind == "gp3" else 0,
        "storageType": kind,
        "upgradeRolloutOrder": "second",
        "vpcSecurityGroupIds": [default_group(new, vpc)],
    }


def _database_refresh(new: New, _old: Properties, changed: frozenset[str]) -> Properties:
    answer: Properties = {}
    if "engineVersion" in changed:
        answer["engineVersionActual"] = _version(new.text("engineVersion"))
    if changed & {"identifier", "port"}:
        answer |= _database_names(new)
    if "manageMasterUserPassword" in changed:
        managed = new.inputs.get("manageMasterUserPassword") is True
        answer["masterUserSecrets"] = _master_secret(new) if managed else []
    return answer


def _proxy(new: New) -> Properties:
    vpc = vpc_of(new, new.items("vpcSubnetIds"))
    return {
        "endpoint": f"{new.text('name')}.proxy-{account_code(new, 'rds', 12)}.{new.region}.rds.{new.dns}",
        "defaultAuthScheme": "NONE",
        "endpointNetworkType": "IPV4",
        "targetConnectionNetworkType": "IPV4",
        "idleClientTimeout": 1800,
        "vpcSecurityGroupIds": [default_group(new, vpc)],
    }


def _proxy_target_id(new: New) -> str:
    kind = "RDS_INSTANCE" if "dbInstanceIdentifier" in new.outputs else "TRACKED_CLUSTER"
    resource = new.text("dbInstanceIdentifier") or new.text("dbClusterIdentifier")
    return f"{new.text('dbProxyName')}/{new.text('targetGroupName')}/{kind}/{resource}"


def _proxy_target(new: New) -> Properties:
    instance = new.search(DATABASE, "identifier", new.outputs.get("dbInstanceIdentifier"))
    _, _, kind, resource = new.id.split("/")
    return {
        "endpoint": known_text(instance.get("address")),
        "port": instance.get("port", 5432),
        "rdsResourceId": resource,
        "targetArn": known_text(instance.get("arn")),
        "trackedClusterId": "",
        "type": kind,
    }


def _pool(_new: New) -> Properties:
    pool = {"connectionBorrowTimeout": 120, "maxConnectionsPercent": 100, "maxIdleConnectionsPercent": 50}
    return {"connectionPoolConfig": {**pool, "initQuery": "", "sessionPinningFilters": []}}


SHAPES: Final[Mapping[str, Shape]] = {
    DATABASE: Shape(
        id="db-{upper26}",
        fill=_database,
        refresh=_database_refresh,
        pending=(
            Pending(("engineVersionActual",), "RDS picks the minor version", when=("engineVersion",)),
            Pending(
                ("address", "arn", "endpoint"),
                "renamed in place, with another host name",
                when=("identifier",),
            ),
            Pending(("endpoint",), "it holds the port", when=("port",)),
            Pending(
                ("masterUserSecrets",), "RDS makes or drops the secret", when=("manageMasterUserPassword",)
            ),
        ),
    ),
    SUBNET_GROUP: Shape(
        id="{name}",
        arn="rds:{region}:{account}:subgrp:{name}",
        values={"supportedNetworkTypes": ["IPV4"]},
        fill=subnet_group,
    ),
    "aws:rds/parameterGroup:ParameterGroup": Shape(id="{name}", arn="rds:{region}:{account}:pg:{name}"),
    "aws:rds/eventSubscription:EventSubscription": Shape(
        id="{name}", arn="rds:{region}:{account}:es:{name}", values={"customerAwsId": "{account}"}
    ),
    PROXY: Shape(id="{name}", arn="rds:{region}:{account}:db-proxy:prx-{hex17}", fill=_proxy),
    "aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup": Shape(
        id="{dbProxyName}",
        arn="rds:{region}:{account}:target-group:prx-tg-{hex17}",
        values={"name": "default"},
        fill=_pool,
    ),
    "aws:rds/proxyTarget:ProxyTarget": Shape(id=_proxy_target_id, fill=_proxy_target),
}
