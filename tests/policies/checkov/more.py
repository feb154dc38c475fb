"""Cases beyond those of our rules: what some checks of checkov need to see before they refuse anything."""

from __future__ import annotations

from typing import Any, Final

from policies.security.rules.iam_policies import ROLE, ROLE_POLICY
from policies.security.rules.instances import GROUP
from policies.security.rules.networks import ACL_RULE
from tests.policies.cases import Case, Change
from tests.policies.security.cases_iam_policies import DEPLOY, EXECUTION, ROLES
from tests.policies.security.cases_iam_roles import REPOSITORY, SUBJECT
from tests.policies.security.cases_networks import ACL_RULE as LOW_PORTS

ISSUER: Final = "token.actions.githubusercontent.com"


def _allow(action: str | list[str], resource: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def _policy(rule: str, statements: tuple[dict[str, Any], ...], *bad: dict[str, Any]) -> Case:
    return Case(
        rule=rule,
        type=ROLE_POLICY,
        good={"role": "airflow", "policy": {"Version": "2012-10-17", "Statement": list(statements)}},
        changes=tuple(Change(path="policy.Statement[1]", bad=statement) for statement in bad),
    )


MORE: Final = (
    _policy("iam-resources-named", EXECUTION, _allow("ecr:PutImage")),
    _policy(
        "iam-no-privilege-escalation",
        DEPLOY,
        _allow("iam:AttachUserPolicy"),
        _allow(["iam:PutRolePolicy", "sts:AssumeRole"]),
    ),
    _policy(
        "iam-no-credentials",
        DEPLOY,
        _allow("iam:CreateAccessKey"),
        _allow("iam:CreateAccessKey", f"{ROLES}/*"),
    ),
    Case(
        rule="iam-trust-github-subject",
        type=ROLE,
        good={
            "assumeRolePolicy": {
                "Version": "2012-10-17",
                "Statement": [
                    REPOSITORY
                    | {
                        "Condition": {
                            "StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com", f"{ISSUER}:sub": SUBJECT}
                        }
                    }
                ],
            }
        },
        changes=(),
    ),
    Case(
        rule="autoscaling-group-launch-template",
        type=GROUP,
        good={"vpcZoneIdentifiers": ["subnet-1", "subnet-2"]},
        changes=(Change(path="launchConfiguration", bad="old"),),
    ),
    Case(
        rule="nacl-no-administration",
        type=ACL_RULE,
        good=LOW_PORTS | {"fromPort": 22, "toPort": 22},
        changes=(Change(path="cidrBlock", bad="0.0.0.0/0"),),
    ),
)
