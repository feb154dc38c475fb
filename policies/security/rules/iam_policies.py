"""What policies give to identities: inline ones of roles, those of users and groups, and managed ones.

An action is of one kind (`policies.security.actions`), and each kind is one rule's matter. What is refused as an
action, such as a whole service, is judged there alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from policies.crossguard.checks import all_of, each, is_absent, when
from policies.crossguard.findings import Check, Finding, Undecided, Violation, judged
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View
from policies.security.actions import (
    Kind,
    is_bounded,
    is_never,
    is_wild,
    kind_of,
    names_roles,
    reaches_everything,
    reaches_whole_kind,
    unavoidable,
)
from policies.security.documents import Statement, each_grant, each_value, has_wildcard

POLICY: Final = "aws:iam/policy:Policy"
ROLE_POLICY: Final = "aws:iam/rolePolicy:RolePolicy"
USER_POLICY: Final = "aws:iam/userPolicy:UserPolicy"
GROUP_POLICY: Final = "aws:iam/groupPolicy:GroupPolicy"
ROLE: Final = "aws:iam/role:Role"
ON: Final = (POLICY, ROLE_POLICY, USER_POLICY, GROUP_POLICY, ROLE)

BOUNDARIES: Final = "/boundaries/"
"""Path of managed policies that only limit roles; another rule sees to it that they are attached to nobody."""
SERVICE: Final = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?")
SAME: Final = ("StringEquals", "StringLike", "ArnEquals", "ArnLike")
"""Operators that need the key to be there; those with IfExists do not."""


def grants(*checks: Check) -> Check:
    """Return a check of every statement that grants something to an identity, wherever it stands."""
    document = each_grant("policy", *checks)
    return all_of(document, each("inlinePolicies", document))


def grants_rights(*checks: Check) -> Check:
    """Return such a check of what really gives rights; a boundary cannot name what does not exist yet."""
    return when(lambda view: not _is_boundary(view), grants(*checks))


def _is_boundary(policy: View) -> bool:
    # A role has a path as well, and its inline policies give rights wherever it is.
    return policy["assumeRolePolicy"].absent and policy["path"].text("/") == BOUNDARIES


def resources(kind: Kind, want: str, good: Callable[[Statement, str, str], bool]) -> Check:
    """Return a check of the resources of all actions of a kind.

    Args:
        kind: Kind of the actions.
        want: What is wanted instead, in words.
        good: Whether a resource is as wanted, for a statement and an action.

    """

    def check(view: View) -> Iterator[Finding]:
        statement = Statement(view)
        for resource in statement.each("Resource"):
            yield from judged(partial(one, statement), resource)

    def one(statement: Statement, resource: View) -> Iterator[Finding]:
        open_ones: list[View] = []
        for action in statement.each("Action"):
            if action.unknown:
                open_ones.append(action)
            elif kind_of(action.text()) is kind and not good(statement, action.text(), resource.text()):
                yield Violation(f"{resource.path} is {resource.shown()} for {action.text()}, want {want}")
                return
        if open_ones and (resource.unknown or reaches_whole_kind(resource.text())):
            yield Undecided(open_ones[0].path)

    return check


def _everything_needed(statement: Statement, action: str, resource: str) -> bool:
    why = unavoidable(action)
    if not reaches_everything(resource):
        return True
    return why is not None and (not why.condition or bool(statement.condition(why.condition, *SAME)))


def _one_of_its_kind(_: Statement, __: str, resource: str) -> bool:
    return not reaches_whole_kind(resource)


def _roles(_: Statement, action: str, resource: str) -> bool:
    return names_roles(resource) if action.lower().startswith("sts:") else not reaches_whole_kind(resource)


def _no_wild_action(action: View) -> Iterator[Finding]:
    if is_wild(action.text()):
        yield Violation(f"{action.path} is {action.shown()}, want actions by name")


def _no_action_of(kind: Kind) -> Check:
    """Return a check that there is none of the actions of a kind that nothing needs."""

    def check(action: View) -> Iterator[Finding]:
        if kind_of(action.text()) is kind and is_never(action.text()):
            yield Violation(f"{action.path} is {action.shown()}, which no policy of ours may allow")

    return each_value("Action", check)


def _bounded(view: View) -> Iterator[Finding]:
    statement = Statement(view)
    for action in statement.each("Action"):
        yield from judged(partial(_within_boundary, statement), action)


def _within_boundary(statement: Statement, action: View) -> Iterator[Finding]:
    if kind_of(action.text()) is not Kind.ESCALATES or not is_bounded(action.text()):
        return
    boundaries = statement.condition("iam:PermissionsBoundary", *SAME)
    if not boundaries or any(has_wildcard(each) for each in boundaries):
        yield Violation(
            f"{statement.view.path} allows {action.text()}, want the condition iam:PermissionsBoundary with the ARN "
            "of a boundary"
        )


def _passed_to_services(view: View) -> Iterator[Finding]:
    statement = Statement(view)
    for action in statement.each("Action"):
        yield from judged(partial(_names_services, statement), action)


def _names_services(statement: Statement, action: View) -> Iterator[Finding]:
    if kind_of(action.text()) is not Kind.PASSES_ROLE:
        return
    services = statement.condition("iam:PassedToService", "StringEquals", "StringLike")
    if not services or not all(SERVICE.fullmatch(each) for each in services):
        yield Violation(
            f"{statement.view.path} allows {action.text()}, want the condition iam:PassedToService with the names of "
            "services"
        )


RULES: Final = (
    Rule(
        name="iam-actions-named",
        why="A wildcard allows what nobody thought of, and whatever AWS adds to the service later.",
        fix="List the actions that are needed, in Action; a pattern has to begin with a verb, such as ec2:Describe*.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("104",),
        references=(
            "IAM.1",
            "IAM.21",
            "2.14",
            "CKV_AWS_62",
            "CKV_AWS_63",
            "CKV2_AWS_40",
            "AWS-0345",
            "iam_policy_no_statements_with_admin_access",
            "iam_policy_no_statements_with_full_access",
            "iam_managedpolicy_no_statements_with_full_access",
        ),
        on=ON,
        check=grants(is_absent("NotAction"), each_value("Action", _no_wild_action)),
        # A whole service on every resource is wrong twice, and in an execution role it reads secrets as well.
        implies=frozenset({"iam-resources-named", "execution-role-secrets"}),
    ),
    Rule(
        name="iam-resources-named",
        why="Who takes over the role reaches every resource of the account, not only its own.",
        fix="Name the resources; an action that takes none belongs into the table of those, with the reason.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("104",),
        references=("CKV_AWS_355", "CKV_AWS_290", "CKV_AWS_111", "iam_policydocument_no_wildcard_resource"),
        on=ON,
        check=grants_rights(
            is_absent("NotResource"),
            resources(Kind.OTHER, "the ARNs that it needs", _everything_needed),
        ),
    ),
    Rule(
        name="iam-no-privilege-escalation",
        why="Who may change rights, and is not held by a boundary, gives every right to itself.",
        fix="Name the roles, and limit what makes or changes them by iam:PermissionsBoundary; users and groups "
        "are nobody's to change.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("104",),
        references=("CKV_AWS_286", "CKV_AWS_110"),
        on=ON,
        check=grants(
            resources(Kind.ESCALATES, "resources of our own path", _one_of_its_kind),
            _no_action_of(Kind.ESCALATES),
            _bounded,
        ),
    ),
    Rule(
        name="iam-no-credentials",
        why="Keys that do not expire leave with whoever copies them; a foreign role brings foreign rights.",
        fix="Let identities assume certain roles of certain accounts; make no static keys.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("104",),
        references=("CKV_AWS_287", "CKV_AWS_107"),
        on=ON,
        check=grants(
            resources(Kind.MAKES_CREDENTIALS, "roles of one account, by ARN or by path", _roles),
            _no_action_of(Kind.MAKES_CREDENTIALS),
        ),
    ),
    Rule(
        name="iam-data-named",
        why="One role that reads all secrets or all data is enough to carry everything away.",
        fix="Name the secrets, objects or tables that it reads, or a prefix of them.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("104",),
        references=("CKV_AWS_288", "CKV_AWS_108"),
        implies=frozenset({"execution-role-secrets"}),
        on=ON,
        check=grants_rights(resources(Kind.READS_DATA, "the ARNs that it reads", _one_of_its_kind)),
    ),
    Rule(
        name="iam-access-management-named",
        why="Who may change the policy of any resource opens it to other accounts.",
        fix="Name the resources whose access it manages.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("104",),
        references=("CKV_AWS_289", "CKV_AWS_109"),
        on=ON,
        check=grants_rights(resources(Kind.MANAGES_ACCESS, "the ARNs that it manages", _one_of_its_kind)),
    ),
    Rule(
        name="iam-pass-role-limited",
        why="Who passes any role to a service has all rights of that role.",
        fix="Name the roles by ARN or by a path of their own, and the services in the condition iam:PassedToService.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("105",),
        references=("AWS-0342", "iam_policy_no_wildcard_resource_on_passrole"),
        on=ON,
        check=grants_rights(
            resources(Kind.PASSES_ROLE, "roles by ARN or by path", lambda _, __, role: names_roles(role)),
            _passed_to_services,
        ),
    ),
    Rule(
        name="iam-decrypt-named",
        why="A right to decrypt with every key opens all that the account encrypts.",
        fix="Name the keys by ARN.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("106",),
        references=("KMS.1", "KMS.2"),
        on=ON,
        check=grants_rights(resources(Kind.DECRYPTS, "the ARNs of the keys", _one_of_its_kind)),
    ),
)
