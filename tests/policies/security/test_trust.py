"""Which workflows of GitHub may assume a role, by the subjects that its trust policy compares with."""

from __future__ import annotations

from typing import Any

import pytest

from policies.crossguard.findings import Violation
from policies.crossguard.resources import Resource
from policies.crossguard.values import View
from policies.security.pack import RULES

ISSUER = "token.actions.githubusercontent.com"
ROLE = "aws:iam/role:Role"


def violations(rule: str, *statements: dict[str, Any]) -> list[str]:
    found = next(each for each in RULES if each.name == rule)
    role = Resource(
        urn="urn",
        type=ROLE,
        token=ROLE,
        name="x",
        props=View.of({"assumeRolePolicy": {"Statement": statements}}),
    )
    return [finding.message for finding in found.judge(role) if isinstance(finding, Violation)]


def workflow(issuer: str = ISSUER, **compared: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{issuer}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{issuer}:{name}": value for name, value in compared.items()}},
    }


@pytest.mark.parametrize(
    "subject",
    [
        "repo:octo-org/octo-repo:environment:prod",
        "repo:octo-org@123456/octo-repo@456789:environment:prod",
        "repo:octo-org/octo-repo:environment:prod%3Aeu",
        "repo:octo-org/octo.repo_1:ref:refs/heads/main",
        "repo:octo-org/octo-repo:ref:refs/tags/v1",
        "repo:octo-org/octo-repo:pull_request",
        "repo:octo-org/octo-repo:environment:prod:job_workflow_ref:octo-org/octo-repo/.github/workflows/a.yml@refs/heads/main",
    ],
)
def test_a_whole_subject_is_accepted(subject: str) -> None:
    assert violations("iam-trust-github-subject", workflow(aud="sts.amazonaws.com", sub=subject)) == []


@pytest.mark.parametrize(
    "subject",
    [
        "*",
        "repo:*",
        "repo:octo-org/*",
        "repo:octo-org/octo-repo",
        "repo:octo-org/octo-repo:*",
        "repo:octo-org/octo-repo*:environment:prod",
        "repo:octo-org/octo-repo:environment:*",
        "repo:octo-org/octo-repo:environment:prod?",
        "repo:octo-org/octo-repo:environment:",
        "repo:octo-org/octo-repo:ref:refs/heads/*",
        "repo:octo-org/octo-repo:ref:main",
        "repo:octo-org@123456/octo-repo:environment:prod",
        "repo:octo-org/octo-repo@456789:environment:prod",
        "repo:octo-org@x/octo-repo@y:environment:prod",
        "octo-org/octo-repo:environment:prod",
        "",
    ],
)
def test_a_subject_that_others_may_have_is_refused(subject: str) -> None:
    statement = workflow(aud="sts.amazonaws.com", sub=["repo:octo-org/octo-repo:environment:prod", subject])
    message = (
        f"assumeRolePolicy.Statement[0] wants StringEquals {ISSUER}:sub with whole subjects, such as "
        "repo:owner@1/name@2:environment:prod"
    )
    assert violations("iam-trust-github-subject", statement) == [message]


@pytest.mark.parametrize("audience", ["https://github.com/octo-org", ["sts.amazonaws.com", "x"], "*"])
def test_another_audience_is_refused(audience: Any) -> None:
    statement = workflow(aud=audience, sub="repo:octo-org/octo-repo:environment:prod")
    assert violations("iam-trust-github-subject", statement) == [
        f"assumeRolePolicy.Statement[0] wants StringEquals {ISSUER}:aud to be sts.amazonaws.com"
    ]


def test_an_enterprise_has_an_issuer_of_its_own() -> None:
    issuer = f"{ISSUER}/octo-enterprise"
    good = workflow(issuer, aud="sts.amazonaws.com", sub="repo:octo-org/octo-repo:environment:prod")
    bad = workflow(issuer, aud="sts.amazonaws.com", sub="repo:octo-org/octo-repo:*")
    assert violations("iam-trust-github-subject", good) == []
    assert len(violations("iam-trust-github-subject", bad)) == 1


def test_other_providers_are_no_matter_of_it() -> None:
    other = workflow("oidc.eks.eu-west-1.amazonaws.com/id/1", sub="system:serviceaccount:*")
    assert violations("iam-trust-github-subject", other) == []


def test_every_service_of_a_statement_needs_the_account() -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com", "ecs-tasks.amazonaws.com"]},
        "Action": "sts:AssumeRole",
    }
    assert violations("iam-trust-own-account", statement) == [
        f"assumeRolePolicy.Statement[0] trusts {service} for every account, want StringEquals aws:SourceAccount"
        for service in ("lambda.amazonaws.com", "ecs-tasks.amazonaws.com")
    ]
