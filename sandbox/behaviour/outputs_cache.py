"""What AWS answers for ElastiCache, Amazon MQ and OpenSearch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sandbox.behaviour import regions
from sandbox.behaviour.model import Properties
from sandbox.behaviour.outputs_base import HEX, LOWER, New, Pending, Shape, known_text
from sandbox.behaviour.outputs_network import default_group
from sandbox.behaviour.outputs_rds import account_code, subnet_group

CACHE_SUBNET_GROUP: Final = "aws:elasticache/subnetGroup:SubnetGroup"
CACHE_PATCH: Final = {
    "7.0": "7.0.7",
    "7.1": "7.1.0",
    "6.x": "6.2.6",
    "6.2": "6.2.6",
    "7.2": "7.2.6",
    "8.0": "8.0.1",
    "8.1": "8.1.0",
}
"""The patch versions that AWS runs for each version a program may ask for."""


def _cache_version(text: str) -> str:
    return CACHE_PATCH.get(text, text if text.count(".") > 1 else f"{text}.0")


def _cache_endpoints(new: New) -> Properties:
    name, code = new.text("replicationGroupId"), account_code(new, "elasticache", 6)
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
    name, shards = new.text("replicationGroupId"), int(new.outputs.get("numNodeGroups") or 1)
    if "numCacheClusters" in new.inputs:
        nodes = int(new.inputs["numCacheClusters"])
    else:
        nodes = int(new.outputs.get("replicasPerNodeGroup") or 0) + 1
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
        fill=subnet_group,
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
