"""Roles of tasks: each is one service's own, and reads the secrets that the task definition names, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from policies.crossguard.checks import parsed
from policies.crossguard.findings import Finding, Undecided, Violation
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import About, Relation, Severity, Tier
from policies.crossguard.values import View
from policies.security.documents import like, statements, values
from policies.security.references import Verdict, each_of, either, names_of, refers
from policies.security.role_documents import RoleDocument, its_documents, role_of
from policies.security.rules.containers import TASK_DEFINITION
from policies.security.rules.functions import FUNCTION
from policies.security.rules.iam_policies import ROLE
from policies.security.rules.secrets_and_keys import SECRET
from policies.security.rules.services import SERVICE

ROLES_OF: Final = {TASK_DEFINITION: ("taskRoleArn", "executionRoleArn"), FUNCTION: ("role",)}
"""Where things that run code name their roles."""
READING: Final = ("secretsmanager:GetSecretValue", "ssm:GetParameters")
"""What ECS does with the execution role before a container starts."""
ARN_PARTS: Final = 7
"""Of the ARN of a secret; behind them a definition may name a key, a stage and a version."""


def _own_roles(stack: Stack, owner: Resource) -> Iterator[Finding]:
    others = [each for each in stack.of(*ROLES_OF) if each is not owner]
    for property in ROLES_OF[owner.type]:
        same = [
            (other, either(_is_same(stack, owner, property, other, each) for each in ROLES_OF[other.type]))
            for other in others
        ]
        shared = [other.name for other, is_same in same if is_same]
        if shared:
            yield Violation(
                f"{property} is a role of {', '.join(sorted(shared))} as well, want one of its own"
            )
        elif any(is_same is None for _, is_same in same):
            yield Undecided(property)


def _is_same(stack: Stack, one: Resource, property: str, other: Resource, others: str) -> Verdict:
    """Say whether two properties name one role."""
    first, second = one.props[property], other.props[others]
    if first.absent or second.absent:
        return False
    if not first.unknown and not second.unknown:
        return first.text() == second.text()
    left, right = stack.behind(one, property, ROLE), stack.behind(other, others, ROLE)
    if not left or not right:
        return None
    if not set(left) & set(right):
        return False
    return True if len(left) == len(right) == 1 else None


def _own_definition(stack: Stack, service: Resource) -> Iterator[Finding]:
    def uses(each: Resource, definition: Resource) -> Verdict:
        return refers(stack, each, "taskDefinition", each.props["taskDefinition"], definition)

    for definition in stack.of(TASK_DEFINITION):
        if uses(service, definition):
            others = [each for each in stack.of(SERVICE) if each is not service]
            shared = [each.name for each in others if uses(each, definition)]
            if shared:
                yield Violation(
                    f"taskDefinition is that of {', '.join(sorted(shared))} as well, and so is its role"
                )


@dataclass(frozen=True)
class Secrets:
    """Secrets that something names."""

    names: frozenset[str]
    """ARNs or patterns."""
    urns: frozenset[str] | None
    """Where not all of the ARNs are known, secrets of the stack that it was made of; None when that is not recorded."""
    known: bool


def _in_definition(stack: Stack, definition: Resource) -> Secrets:
    """Return the secrets that a task definition names."""
    text = definition.props["containerDefinitions"]
    named = [] if text.unknown else [*_in_containers(parsed(text))]
    known = not text.unknown and not any(each.unknown for each in named)
    arns = frozenset(":".join(each.text().split(":")[:ARN_PARTS]) for each in named if not each.unknown)
    recorded = "containerDefinitions" in definition.property_dependencies
    made_of = stack.behind(definition, "containerDefinitions", SECRET) if recorded else None
    return Secrets(arns, _urns(stack, arns, made_of, known), known)


def _in_containers(containers: View) -> Iterator[View]:
    for container in containers.items():
        log = container["logConfiguration"]["secretOptions"]
        for secret in (*values(container["secrets"]), *values(log)):
            yield secret["valueFrom"]
        if not container["repositoryCredentials"].absent:
            yield container["repositoryCredentials"]["credentialsParameter"]


def _in_documents(stack: Stack, documents: list[RoleDocument]) -> Secrets:
    """Return the secrets that policies allow to read."""
    names: set[str] = set()
    made_of: list[Resource] | None = []
    known = True
    for document in documents:
        readable = [*_readable(document)]
        names |= {each.text() for each in readable if not each.unknown}
        if any(each.unknown for each in readable):
            known = False
            behind = document.made_of(stack, SECRET)
            made_of = None if made_of is None or behind is None else made_of + behind
    matched = _urns(stack, frozenset(names), None, True) or frozenset()
    urns = None if made_of is None else matched | {each.urn for each in made_of}
    return Secrets(frozenset(names), urns, known)


def _readable(document: RoleDocument) -> Iterator[View]:
    """Iterate over what a policy lets read; all of it can be unknown."""
    if document.view.unknown:
        yield document.view
        return
    for statement in statements(document.view):
        if any(statement.grants(action) for action in READING):
            yield from statement.each("Resource")


def _urns(
    stack: Stack, names: frozenset[str], made_of: list[Resource] | None, known: bool
) -> frozenset[str] | None:
    """Return the secrets of the stack that are meant: by name, or when not all names are known, what it was made of."""
    if not known:
        return None if made_of is None else frozenset(each.urn for each in made_of)
    return frozenset(
        secret.urn
        for secret in stack.of(SECRET)
        if any(like(own, name) for own in names_of(secret) for name in names)
    )


def _own_secrets(stack: Stack, definition: Resource) -> Iterator[Finding]:
    role, is_known = role_of(stack, definition, "executionRoleArn")
    named = _in_definition(stack, definition)
    if role is None:
        if is_known is None:
            yield Undecided("executionRoleArn")
        elif named.names or named.urns:
            yield Violation("executionRoleArn is no role of this stack, so nobody sees what it may read")
        return
    documents = its_documents(stack, role)
    for document in documents:
        if document.is_its is None:
            yield Undecided(f"{document.property} of {document.owner.name}")
    allowed = _in_documents(stack, [document for document in documents if document.is_its])
    yield from _differences(stack, role, named, allowed)


def _differences(stack: Stack, role: Resource, named: Secrets, allowed: Secrets) -> Iterator[Finding]:
    if named.known and allowed.known:
        missing = {each for each in named.names if not any(like(each, pattern) for pattern in allowed.names)}
        more = {
            each for each in allowed.names if "*" in each or not any(like(one, each) for one in named.names)
        }
    elif named.urns is None or allowed.urns is None:
        yield Undecided("containerDefinitions" if named.urns is None else f"policies of {role.name}")
        return
    else:
        missing = {stack.by_urn[urn].name for urn in named.urns - allowed.urns}
        more = {stack.by_urn[urn].name for urn in allowed.urns - named.urns}
    if missing:
        yield Violation(f"it names {_listed(missing)}, which {role.name} may not read")
    if more:
        yield Violation(f"{role.name} may read {_listed(more)}, which it does not name")


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))


def _never_shared(stack: Stack) -> Iterator[About]:
    yield from each_of(_own_roles, *ROLES_OF)(stack)
    yield from each_of(_own_definition, SERVICE)(stack)


RELATIONS: Final = (
    Relation(
        name="task-role-own",
        why="What one process may do, every process with the same role may do.",
        fix="Give each task definition roles of its own, and each service a task definition of its own.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("R3", "10"),
        check=_never_shared,
    ),
    Relation(
        name="execution-role-secrets",
        why="A secret that is named and cannot be read keeps the task from starting; any other is one too many.",
        fix="Make the policy of the execution role from the secrets that the task definition names.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("R4", "R3"),
        check=each_of(_own_secrets, TASK_DEFINITION),
    ),
)
