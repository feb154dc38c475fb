"""Roles of tasks are never shared, and execution roles read the secrets of their task definitions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policies.crossguard.findings import Violation
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.values import UNKNOWN
from policies.security.relations.roles import RELATIONS
from policies.security.role_documents import ATTACHMENT, EVERY_ATTACHMENT, EXCLUSIVE
from policies.security.rules.containers import TASK_DEFINITION
from policies.security.rules.functions import FUNCTION
from policies.security.rules.iam_policies import POLICY, ROLE, ROLE_POLICY
from policies.security.rules.secrets_and_keys import SECRET
from policies.security.rules.services import SERVICE
from tests.policies.made import BAD, GOOD, OPEN, left_open, made, verdict

OWN, SECRETS = RELATIONS
BASE = "arn:aws:secretsmanager:eu-west-1:111122223333:secret"
JWT, FERNET = f"{BASE}:jwt-1uThhQ", f"{BASE}:fernet-gZ7EBM"


def role(name: str) -> Resource:
    return made(ROLE, name, name=name, arn=f"arn:aws:iam::111122223333:role/{name}")


def arn(name: str) -> str:
    return f"arn:aws:iam::111122223333:role/{name}"


def definition(name: str, task: Any, execution: Any = None, *behind: str, containers: Any = "[]") -> Resource:
    return made(
        TASK_DEFINITION,
        name,
        {"containerDefinitions": behind},
        taskRoleArn=task,
        executionRoleArn=execution or arn(f"{name}-execution"),
        containerDefinitions=containers,
        arn=f"arn:{name}",
    )


A, B = definition("a", arn("a-task")), definition("b", arn("b-task"))


def test_roles_of_their_own_are_good() -> None:
    assert [*OWN.judge(Stack([A, B]))] == []


@pytest.mark.parametrize(
    "other",
    [
        definition("b", arn("a-task")),
        definition("b", arn("a-execution")),
        definition("b", arn("b-task"), arn("a-task")),
        made(FUNCTION, "b", role=arn("a-task")),
    ],
)
def test_a_shared_role_is_told_on_both_sides(other: Resource) -> None:
    assert verdict(OWN, "a", A, other) == BAD
    assert verdict(OWN, "b", A, other) == BAD


def test_one_task_with_one_role_twice_is_no_matter_of_it() -> None:
    assert verdict(OWN, "a", definition("a", arn("x"), arn("x"))) == GOOD


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        (["one"], ["one"], BAD),
        (["one"], ["two"], GOOD),
        (["one", "two"], ["one"], OPEN),
        ([], ["one"], OPEN),
    ],
)
def test_a_preview_compares_what_roles_were_made_of(first: list[str], second: list[str], found: str) -> None:
    stack = [
        made(ROLE, "one"),
        made(ROLE, "two"),
        made(TASK_DEFINITION, "a", {"taskRoleArn": first}, taskRoleArn=UNKNOWN),
        made(TASK_DEFINITION, "b", {"taskRoleArn": second}, taskRoleArn=UNKNOWN),
    ]
    assert verdict(OWN, "a", *stack) == found


def test_a_role_of_another_type_is_wrong() -> None:
    assert verdict(OWN, "a", definition("a", {"of": "another type"}), B) == BAD


def test_two_services_of_one_definition_share_its_role() -> None:
    services = [made(SERVICE, name, taskDefinition="arn:a") for name in ("one", "two")]
    assert verdict(OWN, "one", A, services[0]) == GOOD
    assert verdict(OWN, "one", A, *services) == BAD


def container(*secrets: Any, **more: Any) -> dict[str, Any]:
    return {"name": "x", "secrets": [{"name": "X", "valueFrom": each} for each in secrets], **more}


def allowed(*arns: Any, action: Any = "secretsmanager:GetSecretValue") -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": list(arns)}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def secrets(containers: Any, policy: Any, *more: Resource) -> str:
    """Judge a task definition whose execution role has a policy."""
    text = json.dumps(containers) if isinstance(containers, list) else containers
    task = definition("a", arn("a-task"), containers=text)
    beside = made(ROLE_POLICY, "policy", role="a-execution", policy=policy)
    stored = [made(SECRET, name, arn=value) for name, value in (("jwt", JWT), ("fernet", FERNET))]
    return verdict(SECRETS, "a", task, role("a-execution"), beside, *stored, *more)


@pytest.mark.parametrize(
    ("containers", "policy", "found"),
    [
        ([container(JWT)], allowed(JWT), GOOD),
        ([container(f"{JWT}:password::", f"{JWT}:username::")], allowed(JWT), GOOD),
        ([container(JWT), container(FERNET)], allowed(JWT, FERNET), GOOD),
        ([container()], allowed(), GOOD),
        ([container(JWT)], allowed(f"{BASE}:jwt-??????"), GOOD),
        ([container(JWT, FERNET)], allowed(JWT), BAD),
        ([container(JWT)], allowed(JWT, FERNET), BAD),
        ([container(JWT)], allowed(f"{BASE}:*"), BAD),
        ([container(JWT)], allowed("*", action="secretsmanager:*"), BAD),
        ([container(JWT)], allowed(JWT, action="secretsmanager:DescribeSecret"), BAD),
        ([container(logConfiguration={"secretOptions": [{"valueFrom": JWT}]})], allowed(JWT), GOOD),
        ([container(logConfiguration={"secretOptions": [{"valueFrom": JWT}]})], allowed(), BAD),
        ([container(repositoryCredentials={"credentialsParameter": JWT})], allowed(), BAD),
        ([container({"of": "another type"})], allowed(), BAD),
        ("no containers", allowed(), BAD),
        ([container(JWT)], "no document", BAD),
    ],
)
def test_named_and_allowed_are_the_same(containers: Any, policy: Any, found: str) -> None:
    assert secrets(containers, policy) == found


def test_parameters_count_as_secrets() -> None:
    parameter = "arn:aws:ssm:eu-west-1:111122223333:parameter/airflow/jwt"
    assert secrets([container(parameter)], allowed(parameter, action="ssm:GetParameters")) == GOOD
    assert secrets([container(parameter)], allowed(parameter, action="ssm:PutParameter")) == BAD


@pytest.mark.parametrize(
    "attached",
    [
        [made(ATTACHMENT, "attached", role="a-execution", policyArn="arn:more")],
        [made(EVERY_ATTACHMENT, "attached", roles=["x", "a-execution"], policyArn="arn:more")],
        [made(EXCLUSIVE, "attached", roleName="a-execution", policyArns=["arn:more"])],
    ],
)
def test_managed_policies_count(attached: list[Resource]) -> None:
    managed = made(POLICY, "more", arn="arn:more", policy=allowed(FERNET))
    assert secrets([container(JWT, FERNET)], allowed(JWT), managed, *attached) == GOOD
    assert secrets([container(JWT)], allowed(JWT), managed) == GOOD
    assert secrets([container(JWT)], allowed(JWT), managed, *attached) == BAD


@pytest.mark.parametrize(
    "inline",
    [
        {"inlinePolicies": [{"name": "x", "policy": allowed(FERNET)}]},
        {"managedPolicyArns": ["arn:more"]},
    ],
)
def test_policies_inside_of_the_role_count(inline: dict[str, Any]) -> None:
    holder = made(ROLE, "holder", name="holder", **inline)
    task = definition("a", arn("t"), "holder", containers=json.dumps([container(FERNET)]))
    stack = (task, made(POLICY, "more", arn="arn:more", policy=allowed(FERNET)))
    assert verdict(SECRETS, "a", *stack, holder) == GOOD
    assert verdict(SECRETS, "a", *stack, left_open(holder, *inline)) == BAD


def preview(named: list[str], read: list[str], *, recorded: bool = True) -> str:
    """Judge a task definition that is not there yet."""
    task = made(
        TASK_DEFINITION,
        "a",
        {"containerDefinitions": [*named, "log"], "executionRoleArn": ["role"]},
        containerDefinitions=UNKNOWN,
        executionRoleArn=UNKNOWN,
    )
    policy = made(
        ROLE_POLICY, "policy", {"policy": [*read, "key"], "role": ["role"]}, policy=UNKNOWN, role=UNKNOWN
    )
    return verdict(
        SECRETS,
        "a",
        task if recorded else left_open(task, "containerDefinitions"),
        policy,
        made(ROLE, "role"),
        made(SECRET, "jwt"),
        made(SECRET, "fernet"),
    )


def test_a_preview_compares_what_both_were_made_of() -> None:
    assert preview(["jwt"], ["jwt"]) == GOOD
    assert preview([], []) == GOOD
    assert preview(["jwt", "fernet"], ["jwt"]) == BAD
    assert preview(["jwt"], ["jwt", "fernet"]) == BAD
    assert preview(["jwt"], ["jwt"], recorded=False) == OPEN


def test_a_known_side_is_compared_with_an_unknown_one() -> None:
    stored = [made(SECRET, "jwt", arn=JWT), made(SECRET, "fernet", arn=UNKNOWN)]
    known = definition("a", arn("t"), arn("holder"), containers=json.dumps([container(JWT)]))
    for read, found in ((["jwt"], GOOD), (["jwt", "fernet"], BAD), ([], BAD)):
        policy = made(ROLE_POLICY, "policy", {"policy": read}, role="holder", policy=UNKNOWN)
        assert verdict(SECRETS, "a", known, role("holder"), policy, *stored) == found


def test_parts_of_a_text_are_compared_by_what_it_was_made_of() -> None:
    """As a component gives them before the text is known."""
    stored = [made(SECRET, "jwt"), made(SECRET, "fernet")]
    parts = [{"image": "x", "secrets": [{"valueFrom": UNKNOWN}]}]
    task = made(
        TASK_DEFINITION,
        "a",
        {"containerDefinitions": ["jwt"]},
        containerDefinitions=parts,
        executionRoleArn=arn("holder"),
    )
    statements = [
        {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": UNKNOWN},
        {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": [UNKNOWN]},
    ]
    for read, found in ((["jwt"], GOOD), (["fernet"], BAD), ([], BAD)):
        policy = made(
            ROLE_POLICY, "policy", {"policy": read}, role="holder", policy={"Statement": statements}
        )
        assert verdict(SECRETS, "a", task, role("holder"), policy, *stored) == found


def test_a_role_of_elsewhere_cannot_be_seen() -> None:
    with_secret = definition("a", arn("t"), arn("elsewhere"), containers=json.dumps([container(JWT)]))
    without = definition("a", arn("t"), arn("elsewhere"))
    assert verdict(SECRETS, "a", with_secret) == BAD
    assert verdict(SECRETS, "a", without) == GOOD


@pytest.mark.parametrize("property", ["role", "policy"])
def test_an_unknown_policy_leaves_it_open(property: str) -> None:
    known = {"role": "holder", "policy": allowed(JWT)}
    policy = left_open(made(ROLE_POLICY, "policy", **{**known, property: UNKNOWN}), property)
    task = definition("a", arn("t"), arn("holder"), containers=json.dumps([container(JWT)]))
    found = {about.finding for about in SECRETS.judge(Stack([task, role("holder"), policy]))}
    assert any("Undecided" in repr(finding) for finding in found)


def test_the_message_names_the_secrets() -> None:
    task = definition("a", arn("t"), arn("holder"), containers=json.dumps([container(JWT)]))
    policy = made(ROLE_POLICY, "policy", role="holder", policy=allowed(FERNET))
    found = [about.finding for about in SECRETS.judge(Stack([task, role("holder"), policy]))]
    assert found == [
        Violation(f"it names {JWT}, which holder may not read"),
        Violation(f"holder may read {FERNET}, which it does not name"),
    ]
