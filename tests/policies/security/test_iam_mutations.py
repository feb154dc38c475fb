"""A grant that is too much is found wherever it stands, however it is written, and whatever is unknown beside it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from policies.crossguard.findings import Violation
from policies.crossguard.resources import Resource
from policies.crossguard.values import UNKNOWN, View
from policies.security.pack import RULES
from policies.security.rules.iam_policies import ROLE, ROLE_POLICY
from tests.policies.security.cases_iam_policies import DEPLOY, EXECUTION

ACCOUNT = "eu-west-1:111122223333"
TOO_MUCH = [
    ("iam-actions-named", "*", f"arn:aws:sqs:{ACCOUNT}:tasks"),
    ("iam-actions-named", "sqs:*", f"arn:aws:sqs:{ACCOUNT}:tasks"),
    ("iam-actions-named", "sqs:*Message", f"arn:aws:sqs:{ACCOUNT}:tasks"),
    ("iam-resources-named", "sqs:SendMessage", "*"),
    ("iam-resources-named", "sqs:SendMessage", f"arn:aws:sqs:{ACCOUNT}:*"),
    ("iam-resources-named", "ecs:ListTasks", "*"),
    ("iam-no-privilege-escalation", "iam:PutRolePolicy", "arn:aws:iam::111122223333:role/airflow/dev/etl"),
    ("iam-no-privilege-escalation", "iam:CreatePolicyVersion", "*"),
    ("iam-no-privilege-escalation", "iam:AttachUserPolicy", "arn:aws:iam::111122223333:user/etl"),
    ("iam-no-credentials", "iam:CreateAccessKey", "arn:aws:iam::111122223333:user/etl"),
    ("iam-no-credentials", "sts:AssumeRole", "*"),
    ("iam-data-named", "s3:GetObject", "*"),
    ("iam-data-named", "ssm:GetParametersByPath", f"arn:aws:ssm:{ACCOUNT}:parameter/*"),
    ("iam-access-management-named", "s3:PutBucketPolicy", "arn:aws:s3:::*"),
    ("iam-pass-role-limited", "iam:PassRole", "*"),
    ("iam-pass-role-limited", "iam:PassRole", "arn:aws:iam::111122223333:role/airflow/dev/etl"),
    ("iam-decrypt-named", "kms:ReEncryptFrom", f"arn:aws:kms:{ACCOUNT}:key/*"),
]
HARMLESS = "sqs:GetQueueUrl"


@st.composite
def spelled(draw: st.DrawFn, action: str) -> str:
    """Draw an action in any case of letters, as IAM takes it."""
    flips = draw(st.lists(st.booleans(), min_size=len(action), max_size=len(action)))
    return "".join(sign.swapcase() if flip else sign for sign, flip in zip(action, flips, strict=True))


@st.composite
def among(draw: st.DrawFn, value: str, others: list[Any]) -> Any:
    """Draw a value alone, or in a list with others, at any place."""
    if draw(st.booleans()):
        return value
    found = draw(st.lists(st.sampled_from(others), max_size=3))
    found.insert(draw(st.integers(0, len(found))), value)
    return found


def raised(properties: dict[str, Any], token: str) -> set[str]:
    resource = Resource(urn="urn", type=token, token=token, name="x", props=View.of(properties))
    return {
        rule.name
        for rule in RULES
        if rule.name.startswith("iam-")
        for finding in rule.judge(resource)
        if isinstance(finding, Violation)
    } - {"iam-role-bounded"}


@given(st.data(), st.sampled_from(TOO_MUCH), st.booleans(), st.booleans())
def test_too_much_is_found_in_every_form(
    data: st.DataObject, grant: tuple[str, str, str], inline: bool, text: bool
) -> None:
    rule, action, resource = grant
    bad = {
        "Effect": "Allow",
        "Action": data.draw(spelled(action).flatmap(lambda name: among(name, [HARMLESS]))),
        "Resource": data.draw(among(resource, [f"arn:aws:sqs:{ACCOUNT}:other"])),
    }
    statements = [*EXECUTION, *DEPLOY]
    statements.insert(data.draw(st.integers(0, len(statements))), bad)
    document: Any = {"Version": "2012-10-17", "Statement": statements}
    document = json.dumps(document) if text else document
    properties = {"inlinePolicies": [{"policy": document}]} if inline else {"policy": document}
    found = raised(properties, ROLE if inline else ROLE_POLICY)
    assert rule in found
    # Another action in the list may need a name for its resource as well.
    assert found <= {rule, "iam-resources-named"}


@given(st.data(), st.sampled_from(TOO_MUCH))
def test_what_is_unknown_beside_it_hides_nothing(data: st.DataObject, grant: tuple[str, str, str]) -> None:
    rule, action, resource = grant
    bad = {
        "Effect": "Allow",
        "Action": data.draw(among(action, [UNKNOWN])),
        "Resource": data.draw(among(resource, [UNKNOWN])),
    }
    unknown = {"Effect": "Allow", "Action": UNKNOWN, "Resource": UNKNOWN}
    statements = data.draw(st.permutations([bad, unknown, UNKNOWN]))
    assert rule in raised({"policy": {"Statement": statements}}, ROLE_POLICY)


@given(st.permutations([*EXECUTION, *DEPLOY]), st.booleans())
def test_what_is_needed_is_never_too_much(statements: list[dict[str, Any]], text: bool) -> None:
    document: Any = {"Version": "2012-10-17", "Statement": statements}
    assert raised({"policy": json.dumps(document) if text else document}, ROLE_POLICY) == set()


@given(st.sampled_from(TOO_MUCH))
def test_a_refusal_is_never_too_much(grant: tuple[str, str, str]) -> None:
    _, action, resource = grant
    refusal = {"Effect": "Deny", "Action": action, "Resource": resource}
    assert raised({"policy": {"Statement": refusal}}, ROLE_POLICY) == set()
