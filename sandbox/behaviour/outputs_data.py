"""What AWS answers for RDS, ElastiCache, Amazon MQ and OpenSearch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sandbox.behaviour import regions
from sandbox.behaviour.model import Properties
from sandbox.behaviour.outputs_base import HEX, LOWER, MIXED, Ids, New, Pending, Shape, known_text, stamp
from sandbox.behaviour.outputs_network import default_group, vpc_of, zone_of

SUBNET_GROUP: Final = "aws:rds/subnetGroup:SubnetGroup"
CACHE_SUBNET_GROUP: Final = "aws:elasticache/subnetGroup:SubnetGroup"
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
CACHE_PATCH: Final = {
    "7.0": "7.0.7",
    "7.1": "7.1.0",
    "6.x": "6.2.6",
    "6.2": "6.2.6",
    "7.2": "7.2.6",
    "8.0": "8.0.1",
    "8.1": "8.1.0",
}


def _account_code(new: New, service: str, length: int) -> str:
    """Give the part of endpoints that is the same for all of a service in an account and region."""
    return Ids(service, new.account, new.region).text(LOWER, length)


def _of_engine(table: Mapping[str, Any], engine: str, default: Any) -> Any:
    return next((value for key, value in table.items() if engine.startswith(key)), default)


def _database_names(new: New) -> Properties:
    host = f"{new.text('identifier')}.{_account_code(new, 'rds', 12)}.{new.region}.rds.{new.dns}"
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
        "endpoint": f"{new.text('name')}.proxy-{_account_code(new, 'rds', 12)}.{new.region}.rds.{new.dns}",
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


def _cache_version(text: str) -> str:
    return CACHE_PATCH.get(text, text if text.count(".") > 1 else f"{text}.0")


def _cache_endpoints(new: New) -> Properties:
    name, code = new.text("replicationGroupId"), _account_code(new, "elasticache", 6)
    tail = f"{code}.{regions.short_code(new.region)}.cache.{new.dns}"
    plain = f"{code}.ng.0001.{regions.short_code(new.region)}.cache.{new.dns}"
    tls = new.outputs.get("transitEncryptionEnabled") is True
    if _clustered(new):
        entry = f"clustercfg.{name}.{tail}" if tls else f"{name}.{code}.clustercfg.{tail.partition('.')[2]}"
        return {
            "configurationEndpointAddress": entry,
            "primaryEndpointAddress": "",
            "readerEndpointAddress": "",
        }
    return {
        "configurationEndpointAddress": "",
        "primaryEndpointAddress": f"master.{name}.{tail}" if tls else f"{name}.{plain}",
        "readerEndpointAddress": f"replica.{name}.{tail}" if tls else f"{name}-ro.{plain}",
    }


def _clustered(new: New) -> bool:
    shards = new.outputs.get("numNodeGroups", 1)
    mode = new.outputs.get("clusterMode") in ("enabled", "compatible")
    return mode or (isinstance(shards, int) and shards > 1) or "cluster.on" in new.text("parameterGroupName")


def _members(new: New) -> list[str]:
    name = new.text("replicationGroupId")
    shards = int(new.outputs.get("numNodeGroups") or 1)
    replicas = new.outputs.get("replicasPerNodeGroup")
    nodes = int(replicas) + 1 if replicas is not None else int(new.outputs.get("numCacheClusters") or 1)
    if _clustered(new):
        return [
            f"{name}-{shard:04}-{node:03}" for shard in range(1, shards + 1) for node in range(1, nodes + 1)
        ]
    return [f"{name}-{node:03}" for node in range(1, nodes + 1)]


def _cache(new: New) -> Properties:
    engine = new.outputs.setdefault("engine", "redis")
    version = new.outputs.setdefault("engineVersion", "8.1" if engine == "valkey" else "7.1")
    clustered, major = _clustered(new), str(version).split(".")[0]
    family = f"default.{engine}{major if engine == 'valkey' or major != '6' else '6.x'}"
    tls = new.outputs.get("transitEncryptionEnabled") is True
    replicas = new.outputs.get("replicasPerNodeGroup")
    nodes = int(replicas) + 1 if replicas is not None else 1
    new.outputs.setdefault("numNodeGroups", 1)
    new.outputs.setdefault("numCacheClusters", nodes * int(new.outputs["numNodeGroups"]))
    members = _members(new)
    vpc = known_text(new.search(CACHE_SUBNET_GROUP, "name", new.outputs.get("subnetGroupName")).get("vpcId"))
    return {
        **_cache_endpoints(new),
        "applyImmediately": False,
        "atRestEncryptionEnabled": engine == "valkey",
        "autoMinorVersionUpgrade": True,
        "clusterEnabled": clustered,
        "clusterMode": "enabled" if clustered else "disabled",
        "engineVersionActual": _cache_version(str(version)),
        "ipDiscovery": "ipv4",
        "networkType": "ipv4",
        "maintenanceWindow": "mon:03:00-mon:04:00",
        "snapshotWindow": "01:00-02:00",
        "memberClusters": members,
        "nodeType": "cache.r7g.large",
        "parameterGroupName": f"{family}.cluster.on" if clustered else family,
        "replicasPerNodeGroup": len(members) // int(new.outputs["numNodeGroups"]) - 1,
        "securityGroupIds": [default_group(new, vpc)] if vpc else [],
        "subnetGroupName": "default",
        "transitEncryptionEnabled": False,
        "transitEncryptionMode": "required" if tls else "",
    }


def _cache_refresh(new: New, _old: Properties, changed: frozenset[str]) -> Properties:
    answer: Properties = {}
    if changed & {"engineVersion", "engine"}:
        answer["engineVersionActual"] = _cache_version(new.text("engineVersion"))
    if changed & {"numCacheClusters", "numNodeGroups", "replicasPerNodeGroup"}:
        answer["memberClusters"] = _members(new)
    if "transitEncryptionEnabled" in changed:
        answer |= _cache_endpoints(new)
    return answer


def _subnet_group(new: New) -> Properties:
    return {"vpcId": vpc_of(new, new.items("subnetIds"))}


def _broker(new: New) -> Properties:
    rabbit = str(new.outputs.get("engineType", "")).lower() == "rabbitmq"
    hosts = 2 if new.outputs.get("deploymentMode") == "ACTIVE_STANDBY_MULTI_AZ" else 1
    scheme, port = ("amqps", 5671) if rabbit else ("ssl", 61617)
    instances = []
    for number in range(1, hosts + 1):
        host = f"{new.id}{'' if rabbit else f'-{number}'}.mq.{new.region}.on.aws"
        console = f"https://{host}" + ("" if rabbit else ":8162")
        address = "" if rabbit else f"10.0.{new.ids.number(0, 250, str(number))}.{new.ids.number(4, 250)}"
        instances.append(
            {"consoleUrl": console, "endpoints": [f"{scheme}://{host}:{port}"], "ipAddress": address}
        )
    return {
        "instances": instances,
        "authenticationStrategy": "simple",
        "configuration": {"id": f"c-{new.ids.uuid('configuration')}", "revision": 1},
        "maintenanceWindowStartTime": {"dayOfWeek": "SUNDAY", "timeOfDay": "02:00", "timeZone": "UTC"},
        "dataReplicationMode": "NONE",
        "pendingDataReplicationMode": "",
        "sharedResources": [],
        "storageType": "ebs" if rabbit else "efs",
    }


def _domain(new: New) -> Properties:
    inside = bool(new.outputs.get("vpcOptions"))
    name, code = new.text("domainName"), new.ids.text(LOWER, 26, "domain")
    host = f"{'vpc' if inside else 'search'}-{name}-{code}.{new.region}.es.{new.dns}"
    version = new.text("engineVersion", "OpenSearch_2.19")
    cluster = {"instanceCount": 1, "instanceType": "m7g.large.search", "dedicatedMasterEnabled": False}
    tls = {
        "enforceHttps": False,
        "tlsSecurityPolicy": "Policy-Min-TLS-1-2-2019-07",
        "customEndpointEnabled": False,
    }
    window = {"windowStartTime": {"hours": 22, "minutes": 0}}
    return {
        "domainId": f"{new.account}/{name}",
        "endpoint": host,
        "dashboardEndpoint": f"{host}/_dashboards",
        "endpointV2": f"{host.removesuffix(f'.es.{new.dns}')}.on.aws"
        if new.outputs.get("ipAddressType")
        else "",
        "dashboardEndpointV2": "",
        "domainEndpointV2HostedZoneId": f"Z{new.ids.text(HEX, 20, 'zone').upper()}",
        "engineVersion": version,
        "ipAddressType": "ipv4",
        "advancedOptions": {"rest.action.multi.allow_explicit_index": "true"},
        "advancedSecurityOptions": {"enabled": False, "internalUserDatabaseEnabled": False},
        "aimlOptions": {"s3VectorsEngine": {"enabled": False}},
        "autoTuneOptions": {"desiredState": "ENABLED", "rollbackOnDisable": "NO_ROLLBACK"},
        "clusterConfig": {**cluster, "warmEnabled": False, "zoneAwarenessEnabled": False},
        "domainEndpointOptions": tls,
        "ebsOptions": {"ebsEnabled": False},
        "encryptAtRest": {"enabled": False, "kmsKeyId": ""},
        "nodeToNodeEncryption": {"enabled": False},
        "offPeakWindowOptions": {"enabled": True, "offPeakWindow": window},
        "softwareUpdateOptions": {"autoSoftwareUpdateEnabled": False},
    }


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
        fill=_subnet_group,
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
    "aws:elasticache/replicationGroup:ReplicationGroup": Shape(
        id="{replicationGroupId}",
        arn="elasticache:{region}:{account}:replicationgroup:{replicationGroupId}",
        fill=_cache,
        refresh=_cache_refresh,
        pending=(
            Pending(("engineVersionActual",), "the patch is AWS's choice", when=("engineVersion", "engine")),
            Pending(
                ("memberClusters",),
                "nodes come or go",
                when=("numCacheClusters", "numNodeGroups", "replicasPerNodeGroup"),
            ),
            Pending(
                ("primaryEndpointAddress", "readerEndpointAddress", "configurationEndpointAddress"),
                "names with and without TLS differ",
                when=("transitEncryptionEnabled",),
            ),
        ),
    ),
    CACHE_SUBNET_GROUP: Shape(
        id=lambda new: new.text("name").lower(),
        arn="elasticache:{region}:{account}:subnetgroup:{name}",
        fill=_subnet_group,
    ),
    "aws:elasticache/parameterGroup:ParameterGroup": Shape(
        id="{name}", arn="elasticache:{region}:{account}:parametergroup:{name}"
    ),
    "aws:elasticache/user:User": Shape(
        id="{userId}",
        arn="elasticache:{region}:{account}:user:{userId}",
        fill=lambda new: {
            "authenticationMode": {
                "type": "no-password-required" if new.outputs.get("noPasswordRequired") else "password",
                "passwordCount": len(new.items("passwords")),
            }
        },
    ),
    "aws:elasticache/userGroup:UserGroup": Shape(
        id="{userGroupId}", arn="elasticache:{region}:{account}:usergroup:{userGroupId}"
    ),
    "aws:mq/broker:Broker": Shape(
        id="b-{uuid}", arn="mq:{region}:{account}:broker:{brokerName}:{id}", fill=_broker
    ),
    "aws:mq/configuration:Configuration": Shape(
        id="c-{uuid}",
        arn="mq:{region}:{account}:configuration:{id}",
        values={"authenticationStrategy": "simple", "latestRevision": 1},
        refresh=lambda _new, old, changed: (
            {"latestRevision": int(old.get("latestRevision", 1)) + 1}
            if changed & {"data", "description"}
            else {}
        ),
        pending=(Pending(("latestRevision",), "a new revision is stored", when=("data", "description")),),
    ),
    "aws:opensearch/domain:Domain": Shape(
        id="{arn}", arn="es:{region}:{account}:domain/{domainName}", fill=_domain
    ),
}
