"""Nothing of Airflow writes DAG files: what services mount cannot be written by them, and their roles may not either.

A service stands for a process of Airflow; the publisher, which writes, is a task that is run when a release is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from policies.crossguard.findings import Finding, Undecided, Violation, judged
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import Relation, Severity, Tier
from policies.crossguard.values import View, WrongTypeError
from policies.security.documents import statements, values
from policies.security.references import Verdict, each_of, either, every, refers
from policies.security.role_documents import RoleDocument, its_documents, role_of
from policies.security.rules.containers import TASK_DEFINITION
from policies.security.rules.efs import ACCESS_POINT, FILE_SYSTEM
from policies.security.rules.services import SERVICE

WRITING: Final = ("elasticfilesystem:ClientWrite", "elasticfilesystem:ClientRootAccess")
_MODE: Final = re.compile(r"[0-7]{3,4}")
_GROUP_WRITES, _OTHERS_WRITE = 0o020, 0o002


def _is_writable(point: Resource) -> Verdict:
    """Say whether who comes through an access point can write into its directory."""
    user, owner = point.props["posixUser"], point.props["rootDirectory"]["creationInfo"]
    needed = [user["uid"], user["gid"], owner["ownerUid"], owner["ownerGid"], owner["permissions"]]
    if any(each.unknown for each in needed):
        return None
    if any(each.absent for each in needed):
        # Each client says itself who it is, or the directory is whoever's.
        return True
    uid, gid, owner_uid, owner_gid = (each.number() for each in needed[:4])
    mode = _mode(needed[4])
    return (
        uid in (0, owner_uid)
        or bool(mode & _OTHERS_WRITE)
        or (gid == owner_gid and bool(mode & _GROUP_WRITES))
    )


def _mode(permissions: View) -> int:
    if not _MODE.fullmatch(permissions.text()):
        raise WrongTypeError(permissions, "a mode such as 0755")
    return int(permissions.text(), 8)


def _never_writes(stack: Stack, definition: Resource) -> Iterator[Finding]:
    deployed = either(
        refers(stack, service, "taskDefinition", service.props["taskDefinition"], definition)
        for service in stack.of(SERVICE)
    )
    if deployed is False:
        return
    for finding in (
        *judged(lambda _: _mounts(stack, definition), definition.props),
        *judged(lambda _: _rights(stack, definition), definition.props),
    ):
        yield finding if deployed else Undecided("taskDefinition")


def _mounts(stack: Stack, definition: Resource) -> Iterator[Finding]:
    for volume in values(definition.props["volumes"]):
        named = volume["efsVolumeConfiguration"]["authorizationConfig"]["accessPointId"]
        if not named.absent:
            yield from judged(partial(_mounted, stack, definition), named)


def _mounted(stack: Stack, definition: Resource, named: View) -> Iterator[Finding]:
    points = [(point, refers(stack, definition, "volumes", named, point)) for point in stack.of(ACCESS_POINT)]
    mounted = [(point, is_it) for point, is_it in points if is_it is not False]
    writable = either(every([is_it, _is_writable(point)]) for point, is_it in mounted)
    if writable:
        names = ", ".join(point.name for point, _ in mounted)
        yield Violation(f"{named.path} is {names}, whose user may write, want one that only reads")
    elif writable is None or (named.unknown and not stack.behind(definition, "volumes", ACCESS_POINT)):
        yield Undecided(named.path)
    elif not mounted:
        yield Violation(f"{named.path} is no access point of this stack, so nobody sees who may write")


def _rights(stack: Stack, definition: Resource) -> Iterator[Finding]:
    role, is_known = role_of(stack, definition, "taskRoleArn")
    if role is None:
        if is_known is None:
            yield Undecided("taskRoleArn")
        return
    for document in its_documents(stack, role):
        writes = every([document.is_its, _writes(stack, document)])
        if writes:
            yield Violation(
                f"{document.owner.name} lets it write to the file system, want {WRITING[0]} of nothing"
            )
        elif writes is None:
            yield Undecided(f"policy of {role.name}")


def _writes(stack: Stack, document: RoleDocument) -> Verdict:
    """Say whether a policy lets write; of one that is not known, whether it was made of an access point for that."""
    if not document.view.unknown:
        return any(statement.grants(action) for statement in statements(document.view) for action in WRITING)
    made_of = document.made_of(stack, ACCESS_POINT, FILE_SYSTEM)
    if made_of is None:
        return None
    points = [each for each in made_of if each.type == ACCESS_POINT]
    # With a file system alone it could be any way into it.
    return either(map(_is_writable, points)) if points or not made_of else None


RELATIONS: Final = (
    Relation(
        name="dags-written-by-nobody",
        why="Who takes over one process of Airflow could change the code that all the others run.",
        fix="Mount the access point of readers, whose user does not own the files, and give no role of a service "
        "elasticfilesystem:ClientWrite or ClientRootAccess.",
        severity=Severity.CRITICAL,
        tier=Tier.EVERYWHERE,
        controls=("R10",),
        check=each_of(_never_writes, TASK_DEFINITION),
    ),
)
