"""Cases of the rules about policies of identities."""

from __future__ import annotations

from typing import Any, Final

from policies.security.rules.iam_policies import GROUP_POLICY, POLICY, ROLE, ROLE_POLICY, USER_POLICY
from tests.policies.cases import Case, Change

REGION: Final = "eu-west-1:111122223333"
KEY: Final = f"arn:aws:kms:{REGION}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLES: Final = "arn:aws:iam::111122223333:role/airflow/dev"


def _allow(actions: Any, resources: Any, **condition: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources} | (
        {"Condition": condition} if condition else {}
    )


EXECUTION: Final = (
    _allow("ecr:GetAuthorizationToken", "*"),
    _allow(["ecr:BatchGetImage"], f"arn:aws:ecr:{REGION}:repository/airflow-platform/airflow"),
    _allow(["logs:CreateLogStream", "logs:PutLogEvents"], f"arn:aws:logs:{REGION}:log-group:airflow:*"),
    _allow("secretsmanager:GetSecretValue", [f"arn:aws:secretsmanager:{REGION}:secret:airflow-jwt-1uThhQ"]),
    _allow(["kms:Decrypt"], KEY, StringEquals={"kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com"}),
    _allow(["ecs:ListTasks"], "*", ArnEquals={"ecs:cluster": f"arn:aws:ecs:{REGION}:cluster/airflow"}),
)
"""As our execution policies; the last statement is the gate's."""
DEPLOY: Final = (
    _allow(
        ["iam:CreateRole", "iam:PutRolePolicy"],
        f"{ROLES}/*",
        StringEquals={"iam:PermissionsBoundary": "arn:aws:iam::111122223333:policy/airflow-boundary"},
    ),
    _allow("iam:UpdateAssumeRolePolicy", f"{ROLES}/*"),
    _allow("iam:PassRole", [f"{ROLES}/*"], StringEquals={"iam:PassedToService": "ecs-tasks.amazonaws.com"}),
    _allow("sts:AssumeRole", f"{ROLES}/jobs/*"),
    _allow("kms:PutKeyPolicy", KEY),
)


def _document(statements: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _case(
    rule: str,
    statements: tuple[dict[str, Any], ...],
    *changes: Change,
    token: str = ROLE_POLICY,
    golden: str | None = None,
) -> Case:
    document = _document(statements)
    good: dict[str, Any] = {"role": "airflow", "policy": document}
    if token == ROLE:
        good = {"inlinePolicies": [{"name": "inline", "policy": document}]}
    return Case(rule=rule, type=token, good=good, changes=changes, golden=golden)


def _resource(statement: int, bad: str, inside: str = "policy") -> Change:
    return Change(path=f"{inside}.Statement[{statement}].Resource", bad=bad, absent=False)


def _action(statement: int, bad: Any) -> Change:
    return Change(path=f"policy.Statement[{statement}].Action", bad=bad, absent=False)


NAMED: Final = (
    _action(1, "*"),
    _action(1, "ecr:*"),
    _action(1, "ecr:?*"),
    _action(1, ["ecr:BatchGetImage", "e*:BatchGetImage"]),
    _action(1, "ecr:*Image"),
    Change(path="policy.Statement[1].NotAction", bad="iam:*", absent=False),
)
CASES: Final = (
    _case("iam-actions-named", EXECUTION, *NAMED, golden="api-server-execution-policy"),
    *(
        _case("iam-actions-named", EXECUTION, *NAMED, token=token)
        for token in (POLICY, USER_POLICY, GROUP_POLICY)
    ),
    _case(
        "iam-actions-named",
        EXECUTION,
        Change(path="inlinePolicies[0].policy.Statement[1].Action", bad="ecr:*", absent=False),
        token=ROLE,
    ),
    _case(
        "iam-resources-named",
        EXECUTION,
        _resource(1, "*"),
        _resource(1, "arn:aws:ecr:*:*:*"),
        _resource(1, "arn:aws:*:eu-west-1:111122223333:repository/airflow"),
        _resource(2, "arn:*"),
        Change(path="policy.Statement[1].NotResource", bad=KEY, absent=False),
        golden="api-server-execution-policy",
    ),
    _case(
        "iam-resources-named",
        EXECUTION,
        Change(
            path="policy.Statement[5].Condition", bad={"StringEqualsIfExists": {"ecs:cluster": "airflow"}}
        ),
        Change(path="policy.Statement[5].Condition", bad={"ArnNotEquals": {"ecs:cluster": "airflow"}}),
        token=POLICY,
    ),
    _case(
        "iam-resources-named",
        EXECUTION,
        _resource(1, "*", "inlinePolicies[0].policy"),
        token=ROLE,
    ),
    _case(
        "iam-no-privilege-escalation",
        DEPLOY,
        Change(
            path="policy.Statement[0].Condition", bad={"StringNotEquals": {"iam:PermissionsBoundary": "x"}}
        ),
        Change(
            path="policy.Statement[0].Condition.StringEquals.iam:PermissionsBoundary",
            bad="arn:aws:iam::111122223333:policy/*",
        ),
        _resource(0, "*"),
        _resource(1, "arn:aws:iam::111122223333:role/*"),
        _action(1, "iam:AttachUserPolicy"),
        _action(1, ["iam:DeleteRolePermissionsBoundary"]),
        _action(1, "iam:Put*"),
    ),
    _case(
        "iam-no-credentials",
        DEPLOY,
        _resource(3, "*"),
        _resource(3, "arn:aws:iam::111122223333:role/*"),
        _resource(3, "arn:aws:iam::*:role/airflow/dev/jobs/etl"),
        _action(3, "iam:CreateAccessKey"),
        _action(3, "iam:CreateAccess*"),
    ),
    _case(
        "iam-data-named",
        EXECUTION,
        Change(path="policy.Statement[3].Resource[0]", bad="*", absent=False),
        Change(
            path="policy.Statement[3].Resource[0]",
            bad=f"arn:aws:secretsmanager:{REGION}:secret:*",
            absent=False,
        ),
        Change(
            path="policy.Statement[3].Resource[0]",
            bad="arn:aws:secretsmanager:eu-west-1:*:secret:airflow-jwt",
            absent=False,
        ),
        golden="api-server-execution-policy",
    ),
    _case("iam-data-named", EXECUTION, _resource(3, "*"), token=POLICY),
    _case(
        "iam-access-management-named", DEPLOY, _resource(4, "*"), _resource(4, f"arn:aws:kms:{REGION}:key/*")
    ),
    _case(
        "iam-pass-role-limited",
        DEPLOY,
        _resource(2, "*"),
        _resource(2, "arn:aws:iam::111122223333:role/*"),
        _resource(2, "arn:aws:iam::111122223333:role/airflow-*"),
        Change(
            path="policy.Statement[2].Condition", bad={"StringEqualsIfExists": {"iam:PassedToService": "x"}}
        ),
        Change(path="policy.Statement[2].Condition.StringEquals.iam:PassedToService", bad="*"),
    ),
    _case(
        "iam-pass-role-limited",
        DEPLOY,
        Change(path="policy.Statement[2].Condition.StringEquals.iam:PassedToService", bad="*.amazonaws.com"),
        token=POLICY,
    ),
    _case(
        "iam-decrypt-named",
        EXECUTION,
        _resource(4, "*"),
        _resource(4, f"arn:aws:kms:{REGION}:key/*"),
        _resource(4, "arn:aws:kms:*:*:key/*"),
        golden="api-server-execution-policy",
    ),
    _case("iam-decrypt-named", EXECUTION, _resource(4, "*", "inlinePolicies[0].policy"), token=ROLE),
)
