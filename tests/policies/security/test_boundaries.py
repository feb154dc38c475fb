"""Boundaries: they limit roles, so they may name what does not exist yet; nothing else gets this allowance."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.iam import boundary
from policies.security.rules.iam_policies import BOUNDARIES, POLICY, ROLE, ROLE_POLICY
from tests.policies.golden import judged_alone

LIMITS = json.dumps(boundary.permissions_boundary("eu-west-1", "111122223333"))
RIGHTS = {
    "iam-data-named",
    "iam-decrypt-named",
    "iam-pass-role-limited",
    "iam-resources-named",
}


def test_our_boundary_is_where_boundaries_are() -> None:
    assert boundary.PATH == BOUNDARIES


def test_our_boundary_is_good() -> None:
    assert judged_alone(POLICY, {"path": BOUNDARIES, "policy": LIMITS}) == set()


@pytest.mark.parametrize("path", [None, "/", "/airflow/", "/boundaries"])
def test_elsewhere_the_same_policy_gives_rights(path: str | None) -> None:
    assert judged_alone(POLICY, {"path": path, "policy": LIMITS}) == RIGHTS


def test_an_inline_policy_gives_rights() -> None:
    assert judged_alone(ROLE_POLICY, {"role": "x", "policy": LIMITS}) == RIGHTS


def test_a_role_among_the_boundaries_has_rights() -> None:
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}},
    }
    role: dict[str, Any] = {
        "path": BOUNDARIES,
        "permissionsBoundary": "arn:aws:iam::111122223333:policy/boundaries/airflow",
        "assumeRolePolicy": json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        "inlinePolicies": [{"name": "x", "policy": LIMITS}],
    }
    assert judged_alone(ROLE, role) == RIGHTS


def test_a_boundary_may_not_allow_everything() -> None:
    everything = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    assert judged_alone(POLICY, {"path": BOUNDARIES, "policy": json.dumps(everything)}) == {
        "iam-actions-named"
    }
