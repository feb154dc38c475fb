"""RDS: instances, groups, proxies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sandbox.behaviour.formats import is_arn
from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import Case, known, objects, rule

INSTANCE: Final = "aws:rds/instance:Instance"
SOURCES: Final = ("replicateSourceDb", "snapshotIdentifier", "restoreToPointInTime")
STORAGE_TYPES: Final = ("standard", "gp2", "gp3", "io1", "io2")
MONITORING: Final = (0, 1, 5, 10, 15, 30, 60)
_PASSWORD: Final = re.compile(r'[^/"@ \x00-\x1f\x7f-\uffff]+')
_PASSWORD_LIMITS: Final = {"mysql": (8, 41), "mariadb": (8, 41)}


@rule(INSTANCE)
def created(case: Case) -> Iterator[Failure]:
    """Check what a new database needs."""
    if not any(case.has(key) for key in SOURCES):
        for key in ("allocatedStorage", "engine", "username"):
            if not case.has(key):
                yield Failure(key, f"is required unless one of {', '.join(SOURCES)} is given")
        secrets = [key for key in ("password", "passwordWo") if case.has(key)]
        if not secrets and not case.inputs.get("manageMasterUserPassword"):
            yield Failure(
                "password", "one of password, passwordWo, manageMasterUserPassword is required, got none"
            )
    if case.known("engine", "").startswith("aurora"):
        yield Failure("engine", "Aurora instances belong to aws:rds/clusterInstance:ClusterInstance")
    password, engine = case.known("password"), case.known("engine", "")
    low, high = _PASSWORD_LIMITS.get(engine, (8, 128))
    if password is not None and not (low <= len(password) <= high and _PASSWORD.fullmatch(password)):
        yield Failure("password", f'needs {low} to {high} printable characters without / " @ and space')


@rule(INSTANCE)
def storage(case: Case) -> Iterator[Failure]:
    """Check storage type, size and performance."""
    kind = case.known("storageType")
    if kind is not None and kind not in STORAGE_TYPES:
        yield Failure("storageType", f'got "{kind}", allowed: {", ".join(STORAGE_TYPES)}')
    if kind in ("io1", "io2") and not case.has("iops"):
        yield Failure("iops", f"is required with storageType {kind}")
    if case.has("storageThroughput") and kind not in (None, "gp3"):
        yield Failure("storageThroughput", "is for storageType gp3 only")
    size, most = case.known("allocatedStorage"), case.known("maxAllocatedStorage")
    engine = case.known("engine", "")
    if (
        kind == "gp3"
        and case.has("iops")
        and size is not None
        and size < 400
        and engine in ("postgres", "mysql")
    ):
        yield Failure("iops", f"needs at least 400 GiB of gp3 storage, got {size}")
    if size is not None and most and most <= size:
        yield Failure("maxAllocatedStorage", f"must be above allocatedStorage {size}, got {most}")


@rule(INSTANCE)
def operations(case: Case) -> Iterator[Failure]:
    """Check monitoring, backups and the end of an instance."""
    interval = case.known("monitoringInterval")
    if interval and not case.has("monitoringRoleArn"):
        yield Failure("monitoringRoleArn", "is required with monitoringInterval above 0")
    if case.has("performanceInsightsRetentionPeriod") and not case.inputs.get("performanceInsightsEnabled"):
        yield Failure("performanceInsightsRetentionPeriod", "needs performanceInsightsEnabled true")
    if case.known("databaseInsightsMode") == "advanced":
        days = case.inputs.get("performanceInsightsRetentionPeriod", 0)
        if isinstance(days, int) and days < 465:
            yield Failure(
                "databaseInsightsMode", "advanced needs performanceInsightsRetentionPeriod of 465 or more"
            )
    green = known(case.known("blueGreenUpdate"), "enabled")
    if green and case.known("engine") not in (None, "mariadb", "mysql", "postgres"):
        yield Failure("blueGreenUpdate.enabled", f'cannot be set with engine "{case.known("engine")}"')
    if green and case.has("replicateSourceDb"):
        yield Failure("blueGreenUpdate.enabled", "cannot be combined with replicateSourceDb")
    source = case.known("replicateSourceDb")
    if source and case.has("dbSubnetGroupName") and not is_arn(source):
        yield Failure("replicateSourceDb", "must be an ARN when dbSubnetGroupName is set")


@rule("aws:rds/subnetGroup:SubnetGroup")
def subnet_group(case: Case) -> Iterator[Failure]:
    """Check that a group can cover two zones."""
    subnets = case.known("subnetIds")
    if subnets is not None and len(subnets) < 2:
        yield Failure("subnetIds", f"needs subnets in at least 2 zones, got {len(subnets)} subnet(s)")


@rule("aws:rds/parameterGroup:ParameterGroup")
def parameters(case: Case) -> Iterator[Failure]:
    """Check that no parameter is given twice."""
    seen: set[str] = set()
    for path, item in objects(case.known("parameters"), "parameters"):
        name = known(item, "name")
        if name in seen:
            yield Failure(f"{path}.name", f'parameter "{name}" is given twice')
        seen.add(name)


@rule("aws:rds/proxy:Proxy")
def proxy(case: Case) -> Iterator[Failure]:
    """Check authentication and subnets of a proxy."""
    if not case.inputs.get("auths") and case.inputs.get("defaultAuthScheme") in (None, "NONE"):
        yield Failure("auths", "is required unless defaultAuthScheme is IAM_AUTH")
    subnets = case.known("vpcSubnetIds")
    if subnets is not None and len(subnets) < 2:
        yield Failure("vpcSubnetIds", f"needs subnets in at least 2 zones, got {len(subnets)} subnet(s)")
    name = case.known("name")
    if name is not None and len(name) > 63:
        yield Failure("name", f"cannot be longer than 63 characters, got {len(name)}")
    timeout = case.known("idleClientTimeout")
    if timeout is not None and not 1 <= timeout <= 28800:
        yield Failure("idleClientTimeout", f"must be 1 to 28800 seconds, got {timeout}")
    for path, item in objects(case.known("auths"), "auths"):
        if known(item, "iamAuth") == "REQUIRED" and case.inputs.get("requireTls") in (None, False):
            yield Failure(f"{path}.iamAuth", "REQUIRED needs requireTls true")


@rule("aws:rds/eventSubscription:EventSubscription")
def subscription(case: Case) -> Iterator[Failure]:
    """Check that sources have a type."""
    if case.inputs.get("sourceIds") and not case.has("sourceType"):
        yield Failure("sourceType", "is required with sourceIds")
