"""Who may be a role, and what holds every role: trust policies, boundaries, and managed policies of AWS."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

from policies.crossguard.checks import each, is_absent, wanted
from policies.crossguard.findings import Check, Finding, Violation, judged
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View
from policies.security.documents import Statement, each_grant, each_principal, names_principals
from policies.security.rules.iam_policies import BOUNDARIES

ROLE: Final = "aws:iam/role:Role"
ATTACHMENTS: Final = (
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:iam/userPolicyAttachment:UserPolicyAttachment",
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
    "aws:iam/policyAttachment:PolicyAttachment",
    "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
    "aws:iam/userPolicyAttachmentsExclusive:UserPolicyAttachmentsExclusive",
    "aws:iam/groupPolicyAttachmentsExclusive:GroupPolicyAttachmentsExclusive",
)

WITHOUT_SOURCE: Final[Mapping[str, str]] = {
    "ec2.amazonaws.com": "An instance gets its role's credentials from the metadata service, for no other resource.",
}
"""Services that say nothing of the resource for which they assume a role, with the reason."""
GITHUB: Final = "token.actions.githubusercontent.com"
SUBJECT: Final = re.compile(
    r"repo:(?P<owner>[\w.-]+)(?P<owner_id>@\d+)?/(?P<name>[\w.-]+)(?P<name_id>@\d+)?"
    r":(environment:[^*?]+|ref:refs/(heads|tags)/[^*?]+|pull_request)"
)
ACCOUNT: Final = re.compile(r"\d{12}")
WHOLE_ACCOUNT: Final = re.compile(r"\d{12}|arn:[\w-]+:iam::\d{12}:root")
ADMINISTRATORS: Final = frozenset({"AdministratorAccess", "PowerUserAccess", "IAMFullAccess"})
OF_AWS: Final = re.compile(r"arn:[\w-]+:iam::aws:policy/.*")


def _no_whole_account(principal: View) -> Iterator[Finding]:
    if WHOLE_ACCOUNT.fullmatch(principal.text()):
        yield Violation(f"{principal.path} is {principal.shown()}, want roles by ARN")


def _where(about: Callable[[str, str], bool], check: Callable[[Statement, str], Iterator[Finding]]) -> Check:
    """Return a check of a statement that is made once for each principal of a certain kind and name."""

    def every(view: View) -> Iterator[Finding]:
        statement = Statement(view)
        for kind, principal in statement.each_principal():
            yield from judged(partial(one, statement, kind), principal)

    def one(statement: Statement, kind: str, principal: View) -> Iterator[Finding]:
        if about(kind, principal.text()):
            yield from check(statement, principal.text())

    return every


def _own_account(statement: Statement, service: str) -> Iterator[Finding]:
    accounts = statement.condition("aws:SourceAccount", "StringEquals")
    if not accounts or not all(ACCOUNT.fullmatch(each) for each in accounts):
        yield Violation(
            f"{statement.view.path} trusts {service} for every account, want StringEquals aws:SourceAccount"
        )


def _own_repository(statement: Statement, provider: str) -> Iterator[Finding]:
    issuer = provider.partition("oidc-provider/")[2] or GITHUB
    audiences = statement.condition(f"{issuer}:aud", "StringEquals")
    if audiences != ["sts.amazonaws.com"]:
        yield Violation(f"{statement.view.path} wants StringEquals {issuer}:aud to be sts.amazonaws.com")
    subjects = statement.condition(f"{issuer}:sub", "StringEquals")
    if not subjects or not all(_is_subject(each) for each in subjects):
        yield Violation(
            f"{statement.view.path} wants StringEquals {issuer}:sub with whole subjects, such as "
            "repo:owner@1/name@2:environment:prod"
        )


def _is_subject(subject: str) -> bool:
    """Say whether a subject names one repository and one place in it; ids stand in both names or in none."""
    found = SUBJECT.fullmatch(subject)
    return found is not None and (found["owner_id"] is None) == (found["name_id"] is None)


def _no_administrator(policy: View) -> Iterator[Finding]:
    if policy.text().rpartition("/")[2] in ADMINISTRATORS:
        yield Violation(f"{policy.path} is {policy.shown()}, want a policy with the rights that are needed")


def _attached(check: Check) -> Check:
    """Return a check of every policy that is attached, wherever it is named."""

    def attached(view: View) -> Iterator[Finding]:
        yield from judged(check, view["policyArn"])
        for name in ("managedPolicyArns", "policyArns"):
            yield from judged(each(name, check), view)

    return attached


def _no_boundary(policy: View) -> Iterator[Finding]:
    if f":policy{BOUNDARIES}" in policy.text():
        yield Violation(
            f"{policy.path} is {policy.shown()}, a boundary: it limits, and is no list of what is needed"
        )


RULES: Final = (
    Rule(
        name="iam-trust-named",
        why="A role that trusts everybody, or a whole account, is as safe as the weakest identity there.",
        fix="Name the services, roles or providers that may assume it.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("107",),
        references=(
            "CKV_AWS_60",
            "CKV_AWS_61",
            "iam_role_no_full_access_on_trust_policy",
            "iam_role_no_allow_plus_not_principal",
            "iam_role_no_allow_plus_not_action_on_trust_policy",
        ),
        on=(ROLE,),
        check=each_grant(
            "assumeRolePolicy", names_principals, each_principal(_no_whole_account), is_absent("NotAction")
        ),
    ),
    Rule(
        name="iam-trust-own-account",
        why="A service that works for another customer could be made to use the role (confused deputy).",
        fix="Add the condition StringEquals aws:SourceAccount with the account's id.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("107",),
        references=("iam_role_cross_service_confused_deputy_prevention",),
        on=(ROLE,),
        check=each_grant(
            "assumeRolePolicy",
            _where(lambda kind, name: kind == "Service" and name not in WITHOUT_SOURCE, _own_account),
        ),
    ),
    Rule(
        name="iam-trust-github-subject",
        why="Every repository of GitHub gets tokens of the same issuer; a pattern lets a copy of the repository in.",
        fix="Compare aud and the whole sub by StringEquals, with repository and environment.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("108",),
        references=("CKV_AWS_358", "CKV_AWS_393"),
        on=(ROLE,),
        check=each_grant(
            "assumeRolePolicy",
            _where(lambda kind, name: kind == "Federated" and GITHUB in name, _own_repository),
        ),
    ),
    Rule(
        name="iam-role-bounded",
        why="Without a boundary a wrong policy gives a role whatever it says.",
        fix="Set `permissionsBoundary` to a policy of the account, not to one of AWS.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("109",),
        on=(ROLE,),
        check=wanted(
            "permissionsBoundary",
            "the ARN of a boundary of the account",
            lambda boundary: boundary.text() != "" and OF_AWS.fullmatch(boundary.text()) is None,
        ),
    ),
    Rule(
        name="iam-no-administrators",
        why="Policies of AWS for administrators allow nearly everything, everywhere in the account.",
        fix="Attach a policy of our own with the rights that are needed.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("109",),
        references=("CKV_AWS_274", "CKV2_AWS_56"),
        on=(ROLE, *ATTACHMENTS),
        check=_attached(_no_administrator),
    ),
    Rule(
        name="iam-boundary-not-attached",
        why="A boundary names what all roles together may need; attached, it gives all of that to one.",
        fix="Attach a policy of our own with the rights that are needed; name the boundary in `permissionsBoundary`.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("109",),
        on=(ROLE, *ATTACHMENTS),
        check=_attached(_no_boundary),
    ),
)
