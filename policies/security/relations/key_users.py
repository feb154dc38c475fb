"""Who may use a key, and who does.

A key policy either names roles, or leaves it to the account, whose policies of identities then decide: that is what
AWS does with a key without a policy, too. Services that use a key on their own account always have to be named.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from policies.crossguard.findings import Finding, Undecided, Violation, judged
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import Relation, Severity, Tier
from policies.crossguard.values import UNKNOWN, View
from policies.security.documents import Statement, like, statements, values
from policies.security.references import Verdict, each_of, either, every, given, names_of, refers
from policies.security.role_documents import RoleDocument, its_documents
from policies.security.rules.iam_policies import ROLE
from policies.security.rules.iam_roles import WHOLE_ACCOUNT
from policies.security.rules.observability import COMPOSITE_ALARM, LOG_GROUP, METRIC_ALARM
from policies.security.rules.secrets_and_keys import KEY, KEY_POLICY
from policies.security.rules.services import EVENT_TARGET
from policies.security.rules.topics import TOPIC

LOGS: Final = "logs.*amazonaws.com*"
ALARMS: Final = "cloudwatch.amazonaws.com"
EVENTS: Final = "events.amazonaws.com"
PUBLISHERS: Final = {
    METRIC_ALARM: (ALARMS, "alarmActions"),
    COMPOSITE_ALARM: (ALARMS, "alarmActions"),
    EVENT_TARGET: (EVENTS, "arn"),
}
"""What sends messages to topics: the service that does it, and where the topic is named."""


@dataclass(frozen=True)
class KeyPolicy:
    """A policy of a key."""

    document: RoleDocument
    statements: tuple[Statement, ...]
    """What it grants; empty while it is not known."""

    def delegates(self) -> Verdict:
        """Say whether it leaves the decision to the account."""
        if self.document.view.unknown:
            return None
        return any(
            kind == "AWS" and WHOLE_ACCOUNT.fullmatch(name) is not None
            for statement in self.statements
            if statement.grants("kms:Decrypt")
            for kind, name in statement.principals
        )

    def names(self, stack: Stack, role: Resource) -> Verdict:
        """Say whether it names a role."""
        if self.document.view.unknown:
            made_of = self.document.made_of(stack, ROLE)
            return None if made_of is None else role in made_of
        principals = (name for statement in self.statements for _, name in statement.principals)
        return bool(names_of(role) & set(principals))

    def serves(self, service: str) -> Verdict:
        """Say whether it names a service, given as a pattern."""
        if self.document.view.unknown:
            return None
        return any(
            kind == "Service" and like(name, service)
            for statement in self.statements
            for kind, name in statement.principals
        )


def _policies(stack: Stack, key: Resource) -> Iterator[KeyPolicy]:
    """Iterate over the policies of a key, inside of it and beside it."""
    inside = given(key, "policy")
    if not inside.absent:
        yield _policy(RoleDocument(key, inside, True))
    for beside in stack.of(KEY_POLICY):
        is_its = refers(stack, beside, "keyId", beside.props["keyId"], key)
        if is_its:
            yield _policy(RoleDocument(beside, beside.props["policy"], True))
        elif is_its is None:
            # Whoever it is about, nothing is recorded of what it says about this key.
            yield _policy(RoleDocument(beside, View(UNKNOWN, "keyId of a policy"), None))


def _policy(document: RoleDocument) -> KeyPolicy:
    if document.view.unknown:
        return KeyPolicy(document, ())
    return KeyPolicy(document, tuple(each for each in statements(document.view) if each.allows))


def _uses(stack: Stack, role: Resource, key: Resource) -> Verdict:
    """Say whether a policy of a role gives it rights on a key."""
    return either(every([each.is_its, _in_document(stack, each, key)]) for each in its_documents(stack, role))


def _in_document(stack: Stack, document: RoleDocument, key: Resource) -> Verdict:
    found = False
    if not document.view.unknown:
        granting = [each for each in statements(document.view) if each.allows and _is_about_keys(each)]
        resources = [resource for statement in granting for resource in statement.each("Resource")]
        if any(like(name, each.text()) for each in resources if not each.unknown for name in names_of(key)):
            return True
        found = not any(each.unknown for each in resources)
    made_of = document.made_of(stack, KEY)
    return False if found else None if made_of is None else key in made_of


def _is_about_keys(statement: Statement) -> bool:
    return any(action.startswith("kms:") for action in statement.actions)


def _roles(stack: Stack, key: Resource, policies: list[KeyPolicy]) -> Iterator[Finding]:
    # Without any policy AWS makes one that leaves it to the account.
    delegated = either(each.delegates() for each in policies) if policies else True
    for role in stack.of(ROLE):
        named, uses = either(each.names(stack, role) for each in policies), _uses(stack, role, key)
        allowed = either([named, delegated])
        if named and uses is False:
            yield Violation(f"the policy names {role.name}, which does not use the key")
        elif uses and allowed is False:
            yield Violation(f"{role.name} uses the key, and its policy does not name it")
        elif (named is not False and uses is not True) or (uses is not False and allowed is not True):
            yield Undecided(f"policy and {role.name}")


def _services(stack: Stack, key: Resource, policies: list[KeyPolicy]) -> Iterator[Finding]:
    for service, user, uses in _users(stack, key):
        served = either(each.serves(service) for each in policies)
        if uses and served is False:
            yield Violation(
                f"{user.name} needs the key for {service.replace('*', '')}, which its policy does not name"
            )
        elif uses is not False and served is not True:
            yield Undecided(f"policy and {user.name}")


def _users(stack: Stack, key: Resource) -> Iterator[tuple[str, Resource, Verdict]]:
    """Iterate over what a service of AWS uses the key for on its own account: the service, what for, and whether."""
    for group in stack.of(LOG_GROUP):
        yield LOGS, group, refers(stack, group, "kmsKeyId", group.props["kmsKeyId"], key)
    for topic in stack.of(TOPIC):
        encrypted = refers(stack, topic, "kmsMasterKeyId", topic.props["kmsMasterKeyId"], key)
        for kind, (service, property) in PUBLISHERS.items():
            # What comes with a role asks as that role, not as the service.
            named = (
                _sends(stack, each, property, topic)
                for each in stack.of(kind)
                if each.props["roleArn"].absent
            )
            yield service, topic, every([encrypted, either(named)])


def _sends(stack: Stack, sender: Resource, property: str, topic: Resource) -> Verdict:
    """Say whether something sends to a topic; it could be another thing, too, which what it was made of tells."""
    kinds = {TOPIC, *(each.type for each in stack.behind(sender, property))}
    return either(
        refers(stack, sender, property, one, topic, sorted(kinds)) for one in values(sender.props[property])
    )


def _fits(stack: Stack, key: Resource) -> Iterator[Finding]:
    policies = [*_policies(stack, key)]
    yield from judged(lambda _: _roles(stack, key, policies), key.props)
    yield from judged(lambda _: _services(stack, key, policies), key.props)


RELATIONS: Final = (
    Relation(
        name="key-policy-fits",
        why="A role that is named for nothing keeps a right that nobody looks at; one that is missing cannot work.",
        fix="Name the roles and services that use the key, or leave the roles to the account.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("R9",),
        check=each_of(_fits, KEY),
    ),
)
