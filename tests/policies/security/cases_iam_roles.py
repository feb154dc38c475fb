"""Cases of the rules about roles: trust, boundaries, managed policies."""

from __future__ import annotations

from typing import Any, Final

from policies.security.rules.iam_roles import ATTACHMENTS, ROLE
from tests.policies.cases import REMOVED, Case, Change

OF_THE_ACCOUNT: Final = "arn:aws:iam::111122223333:policy"
BOUNDARY: Final = f"{OF_THE_ACCOUNT}/airflow-boundary"
ISSUER: Final = "token.actions.githubusercontent.com"
SUBJECT: Final = "repo:octo-org@123456/octo-repo@456789:environment:prod"
SERVICE: Final = {
    "Effect": "Allow",
    "Principal": {"Service": "ecs-tasks.amazonaws.com"},
    "Action": "sts:AssumeRole",
    "Condition": {
        "StringEquals": {"aws:SourceAccount": "111122223333"},
        "ArnLike": {"aws:SourceArn": "arn:aws:ecs:eu-west-1:111122223333:*"},
    },
}
INSTANCE: Final = {
    "Effect": "Allow",
    "Principal": {"Service": "ec2.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
ANOTHER_ROLE: Final = {
    "Effect": "Allow",
    "Principal": {"AWS": ["arn:aws:iam::111122223333:role/jenkins"]},
    "Action": "sts:AssumeRole",
}
REPOSITORY: Final[dict[str, Any]] = {
    "Effect": "Allow",
    "Principal": {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"},
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Condition": {
        "StringEquals": {
            f"{ISSUER}:aud": "sts.amazonaws.com",
            f"{ISSUER}:sub": ["repo:octo-org/octo-repo:environment:prod", SUBJECT],
        }
    },
}


def _good(*statements: dict[str, Any]) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return {"assumeRolePolicy": document, "permissionsBoundary": BOUNDARY}


def _case(rule: str, good: dict[str, Any], *changes: Change, golden: str | None = "") -> Case:
    return Case(rule=rule, type=ROLE, good=good, changes=changes, golden=golden)


FIRST: Final = "assumeRolePolicy.Statement[0]"
EQUALS: Final = f"{FIRST}.Condition.StringEquals"


def _compared(**values: str) -> dict[str, str]:
    return {f"{ISSUER}:{name}": value for name, value in values.items()}


CASES: Final = (
    _case(
        "iam-trust-named",
        _good(SERVICE, INSTANCE, ANOTHER_ROLE, REPOSITORY),
        Change(path=f"{FIRST}.Principal", bad="*", absent=False),
        Change(path=f"{FIRST}.Principal", bad={"AWS": "*"}, absent=False),
        Change(path=f"{FIRST}.Principal.Service", bad="*", absent=False),
        Change(path=f"{FIRST}.NotPrincipal", bad={"AWS": "111122223333"}, absent=False),
        Change(path=f"{FIRST}.NotAction", bad="sts:TagSession", absent=False),
    ),
    _case(
        "iam-trust-named",
        _good(ANOTHER_ROLE),
        Change(path=f"{FIRST}.Principal.AWS[0]", bad="arn:aws:iam::444455556666:root", absent=False),
        Change(path=f"{FIRST}.Principal.AWS[0]", bad="444455556666", absent=False),
        Change(path=f"{FIRST}.Principal.AWS", bad="*", absent=False),
        golden=None,
    ),
    _case(
        "iam-trust-own-account",
        _good(SERVICE, INSTANCE, ANOTHER_ROLE),
        Change(path=f"{FIRST}.Condition", bad=REMOVED),
        Change(path=f"{FIRST}.Condition.StringEquals", bad={"aws:SourceArn": "arn:aws:ecs:eu-west-1:1:*"}),
        Change(path=f"{FIRST}.Condition.StringEquals.aws:SourceAccount", bad="*"),
        Change(path=f"{FIRST}.Condition.StringEquals.aws:SourceAccount", bad=["111122223333", "1111*"]),
    ),
    _case(
        "iam-trust-github-subject",
        _good(REPOSITORY, SERVICE),
        Change(path=f"{FIRST}.Condition", bad=REMOVED),
        Change(path=EQUALS, bad=_compared(aud="sts.amazonaws.com")),
        Change(path=EQUALS, bad=_compared(sub=SUBJECT)),
        Change(path=EQUALS, bad=_compared(aud="sts.amazonaws.com", sub="repo:octo-org/*")),
        Change(path=f"{FIRST}.Condition", bad={"StringLike": REPOSITORY["Condition"]["StringEquals"]}),
        golden=None,
    ),
    _case(
        "iam-role-bounded",
        _good(SERVICE),
        Change(path="permissionsBoundary", bad=""),
        Change(path="permissionsBoundary", bad="arn:aws:iam::aws:policy/AdministratorAccess"),
    ),
    _case(
        "iam-no-administrators",
        _good(SERVICE) | {"managedPolicyArns": ["arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess"]},
        Change(path="managedPolicyArns[0]", bad="arn:aws:iam::aws:policy/AdministratorAccess", absent=False),
        Change(path="managedPolicyArns[0]", bad="arn:aws:iam::aws:policy/PowerUserAccess", absent=False),
        Change(path="managedPolicyArns[0]", bad="arn:aws-cn:iam::aws:policy/IAMFullAccess", absent=False),
        golden=None,
    ),
    *(
        Case(
            rule="iam-no-administrators",
            type=token,
            good={"role": "airflow", "policyArn": BOUNDARY, "policyArns": [BOUNDARY]},
            changes=(
                Change(
                    path="policyArns[0]" if token.endswith("Exclusive") else "policyArn",
                    bad="arn:aws:iam::aws:policy/IAMFullAccess",
                    absent=False,
                ),
            ),
            golden=None,
        )
        for token in ATTACHMENTS
    ),
    _case(
        "iam-boundary-not-attached",
        _good(SERVICE) | {"managedPolicyArns": ["arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess"]},
        Change(path="managedPolicyArns[0]", bad=f"{OF_THE_ACCOUNT}/boundaries/airflow", absent=False),
        golden=None,
    ),
    *(
        Case(
            rule="iam-boundary-not-attached",
            type=token,
            good={"role": "airflow", "policyArn": BOUNDARY, "policyArns": [BOUNDARY]},
            changes=(
                Change(
                    path="policyArns[0]" if token.endswith("Exclusive") else "policyArn",
                    bad=f"{OF_THE_ACCOUNT}/boundaries/airflow",
                    absent=False,
                ),
            ),
            golden=None,
        )
        for token in ATTACHMENTS
    ),
)
