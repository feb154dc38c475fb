"""EFS: file systems, access points, mount targets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import Case, known, rule

MAX_ID: Final = 4294967295
_PERMISSIONS: Final = re.compile(r"[0-7]{3,4}")


@rule("aws:efs/fileSystem:FileSystem")
def file_system(case: Case) -> Iterator[Failure]:
    """Check encryption and throughput."""
    if case.has("kmsKeyId") and case.inputs.get("encrypted") in (None, False):
        yield Failure("encrypted", "must be set to true when kmsKeyId is specified")
    mode, provisioned = (
        case.inputs.get("throughputMode", "bursting"),
        case.known("provisionedThroughputInMibps"),
    )
    if mode == "provisioned" and not case.has("provisionedThroughputInMibps"):
        yield Failure("provisionedThroughputInMibps", "is required with throughputMode provisioned")
    if mode in ("bursting", "elastic") and case.has("provisionedThroughputInMibps"):
        yield Failure("provisionedThroughputInMibps", f"needs throughputMode provisioned, got {mode}")
    if provisioned is not None and not 1 <= provisioned <= 3414:
        yield Failure("provisionedThroughputInMibps", f"must be 1 to 3414, got {provisioned}")
    if case.known("performanceMode") == "maxIO" and (mode == "elastic" or case.has("availabilityZoneName")):
        yield Failure("performanceMode", "maxIO does not go with elastic throughput or One Zone storage")


@rule("aws:efs/accessPoint:AccessPoint")
def access_point(case: Case) -> Iterator[Failure]:
    """Check ids, path and permissions."""
    user = case.known("posixUser")
    for key in ("uid", "gid"):
        value = known(user, key)
        if value is not None and not 0 <= value <= MAX_ID:
            yield Failure(f"posixUser.{key}", f"must be 0 to {MAX_ID}, got {value}")
    if len(known(user, "secondaryGids") or ()) > 16:
        yield Failure("posixUser.secondaryGids", "takes at most 16 groups")
    root = case.known("rootDirectory")
    path = known(root, "path")
    if path is not None and (
        not path.startswith("/") or len(path) > 100 or len(path.strip("/").split("/")) > 4
    ):
        yield Failure("rootDirectory.path", f'must be a path from / with up to 4 levels, got "{path}"')
    info = known(root, "creationInfo")
    permissions = known(info, "permissions")
    if permissions is not None and not _PERMISSIONS.fullmatch(permissions):
        yield Failure(
            "rootDirectory.creationInfo.permissions", f'expected octal such as "0755", got "{permissions}"'
        )


@rule("aws:efs/mountTarget:MountTarget")
def mount_target(case: Case) -> Iterator[Failure]:
    """Check security groups and addresses."""
    groups = case.known("securityGroups") or []
    if len(groups) > 5:
        yield Failure("securityGroups", f"takes at most 5, got {len(groups)}")
    if case.has("ipv6Address") and case.inputs.get("ipAddressType") in (None, "IPV4_ONLY"):
        yield Failure("ipv6Address", "needs ipAddressType IPV6_ONLY or DUAL_STACK")
