"""ElastiCache: replication groups, users, groups."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import Case, known, rule

GROUP: Final = "aws:elasticache/replicationGroup:ReplicationGroup"
_ID: Final = re.compile(r"[A-Za-z](?!.*--)[A-Za-z0-9-]{0,39}(?<!-)")
_PARAMETER_GROUP: Final = re.compile(r"[A-Za-z](?!.*--)[A-Za-z0-9-]{0,254}(?<!-)")


@rule(GROUP)
def availability(case: Case) -> Iterator[Failure]:
    """Check fail-over and the number of nodes."""
    failover = case.inputs.get("automaticFailoverEnabled")
    if case.known("multiAzEnabled") and failover in (None, False):
        yield Failure("automaticFailoverEnabled", "must be true if multiAzEnabled is true")
    count = case.known("numCacheClusters")
    if failover is True and count is not None and count < 2:
        yield Failure(
            "numCacheClusters", f"must be at least 2 if automaticFailoverEnabled is true, got {count}"
        )
    if not case.has("nodeType") and not case.has("globalReplicationGroupId"):
        yield Failure("nodeType", "is required unless globalReplicationGroupId is given")
    tiering, node = case.inputs.get("dataTieringEnabled"), case.known("nodeType")
    if node is not None and ".r6gd." in node and tiering in (None, False):
        yield Failure("dataTieringEnabled", f"must be true for {node}")
    if tiering is True and node is not None and ".r6gd." not in node:
        yield Failure("dataTieringEnabled", f"is for r6gd nodes only, got {node}")


@rule(GROUP)
def authentication(case: Case) -> Iterator[Failure]:
    """Check tokens and user groups, which need encryption in transit."""
    encrypted = case.inputs.get("transitEncryptionEnabled")
    strategy = case.known("authTokenUpdateStrategy")
    if strategy == "DELETE" and case.has("authToken"):
        yield Failure("authTokenUpdateStrategy", "DELETE needs authToken to be left out")
    elif strategy in ("SET", "ROTATE") and not case.has("authToken") and not case.has("authTokenWo"):
        yield Failure("authTokenUpdateStrategy", f"{strategy} needs authToken")
    # Valkey encrypts in transit by default, Redis does not.
    if encrypted is False or (encrypted is None and case.inputs.get("engine", "redis") == "redis"):
        for key in ("authToken", "userGroupIds"):
            if case.inputs.get(key):
                yield Failure(key, "needs transitEncryptionEnabled true")


@rule("aws:elasticache/parameterGroup:ParameterGroup", "aws:elasticache/subnetGroup:SubnetGroup")
def group_name(case: Case) -> Iterator[Failure]:
    """Check the characters of a name."""
    name = case.known("name")
    if name is not None and not _PARAMETER_GROUP.fullmatch(name):
        yield Failure(
            "name", f'"{name}" must begin with a letter and hold letters, digits and single hyphens'
        )


@rule("aws:elasticache/user:User")
def user(case: Case) -> Iterator[Failure]:
    """Check how a user signs in."""
    mode = known(case.known("authenticationMode"), "type")
    if case.inputs.get("passwords") and case.inputs.get("noPasswordRequired") is True:
        yield Failure("passwords", "conflicts with noPasswordRequired")
    user_id, name = case.known("userId"), case.known("userName")
    if user_id is not None and not _ID.fullmatch(user_id):
        yield Failure(
            "userId", f'"{user_id}" must be 1 to 40 letters, digits and hyphens, beginning with a letter'
        )
    if mode == "iam" and user_id is not None and name is not None and user_id != name:
        yield Failure("userName", f'must equal userId "{user_id}" with IAM authentication, got "{name}"')
    open_to_all = case.inputs.get("noPasswordRequired") is True or mode == "no-password-required"
    if case.known("engine") == "valkey" and open_to_all:
        yield Failure(
            "authenticationMode", "No-password-required is not allowed for a user with engine Valkey"
        )
    if name == "default" and user_id == "default":
        yield Failure("userId", 'must not be "default": AWS has that user already')


@rule("aws:elasticache/userGroup:UserGroup")
def user_group(case: Case) -> Iterator[Failure]:
    """Check the id of a user group."""
    group_id = case.known("userGroupId")
    if group_id is not None and not _ID.fullmatch(group_id):
        yield Failure("userGroupId", f'"{group_id}" must be 1 to 40 letters, digits and hyphens')
