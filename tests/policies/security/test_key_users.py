"""Key policies fit those who use the keys."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policies.crossguard.findings import Violation
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.values import UNKNOWN
from policies.security.relations.key_users import RELATIONS
from policies.security.rules.iam_policies import ROLE, ROLE_POLICY
from policies.security.rules.observability import LOG_GROUP, METRIC_ALARM
from policies.security.rules.secrets_and_keys import KEY, KEY_POLICY
from policies.security.rules.services import EVENT_TARGET
from policies.security.rules.topics import TOPIC
from tests.policies.made import BAD, GOOD, OPEN, left_open, made, verdict

(RELATION,) = RELATIONS
ARN = "arn:aws:kms:eu-west-1:111122223333:key/1"
ROOT = {"AWS": "arn:aws:iam::111122223333:root"}


def named(*names: str) -> dict[str, Any]:
    return {"AWS": [f"arn:aws:iam::111122223333:role/{name}" for name in names]}


def document(*principals: Any, action: str = "kms:*", effect: str = "Allow", resource: str = "*") -> str:
    statements = [
        {"Effect": effect, "Principal": principal, "Action": action, "Resource": resource}
        for principal in principals or (None,)
    ]
    return json.dumps({"Statement": statements})


def key(*principals: Any, **more: Any) -> Resource:
    given = {"policy": document(*principals)} if principals else {}
    return made(KEY, "key", arn=ARN, **{**given, **more})


def role(name: str, resource: Any = None) -> list[Resource]:
    """Return a role, and a policy that lets it decrypt with a key."""
    found = [made(ROLE, name, name=name, arn=f"arn:aws:iam::111122223333:role/{name}")]
    if resource is not None:
        text = document(action="kms:Decrypt", resource=resource)
        found.append(made(ROLE_POLICY, f"{name}-policy", role=name, policy=text))
    return found


USER, STRANGER = role("user", ARN), role("stranger", "arn:aws:kms:eu-west-1:111122223333:key/2")


@pytest.mark.parametrize(
    ("principals", "found"),
    [
        ((ROOT,), GOOD),
        (({"AWS": "111122223333"},), GOOD),
        ((), GOOD),
        ((named("user"),), GOOD),
        ((ROOT, named("user")), GOOD),
        ((named("user", "stranger"),), BAD),
        ((ROOT, named("stranger")), BAD),
        ((named("other"),), BAD),
        (({"Service": "logs.eu-west-1.amazonaws.com"},), BAD),
    ],
)
def test_who_is_named_uses_it_and_who_uses_it_is_named(principals: tuple[Any, ...], found: str) -> None:
    assert verdict(RELATION, "key", key(*principals), *USER, *STRANGER) == found


def test_an_account_that_may_only_look_decides_nothing() -> None:
    looking = made(KEY, "key", arn=ARN, policy=document(ROOT, action="kms:DescribeKey"))
    assert verdict(RELATION, "key", looking, *USER) == BAD


def test_a_policy_beside_the_key_counts() -> None:
    beside = made(KEY_POLICY, "beside", keyId=ARN, policy=document(named("user", "stranger")))
    assert verdict(RELATION, "key", key(), *USER, *STRANGER) == GOOD
    assert verdict(RELATION, "key", key(), beside, *USER, *STRANGER) == BAD
    other = made(KEY_POLICY, "beside", keyId="2", policy=document(named("stranger")))
    assert verdict(RELATION, "key", key(), other, *USER, *STRANGER) == GOOD


@pytest.mark.parametrize(
    "policy", [left_open(key(policy=UNKNOWN), "x"), made(KEY, "key", arn=ARN, policy={"Statement": UNKNOWN})]
)
def test_an_unknown_policy_leaves_it_open(policy: Resource) -> None:
    assert verdict(RELATION, "key", policy, *USER) == OPEN


def test_a_policy_of_an_unknown_key_leaves_it_open() -> None:
    beside = made(KEY_POLICY, "beside", keyId=UNKNOWN, policy=document(ROOT))
    assert verdict(RELATION, "key", key(), beside, *USER) == OPEN


def test_what_is_no_policy_is_wrong() -> None:
    assert verdict(RELATION, "key", made(KEY, "key", arn=ARN, policy="no document"), *USER) == BAD


@pytest.mark.parametrize(("made_of", "found"), [(["used"], GOOD), (["other"], BAD), ([], BAD)])
def test_a_preview_follows_what_policies_were_made_of(made_of: list[str], found: str) -> None:
    """The role of the stack is named by what the key's policy was made of."""
    stack = [
        made(KEY, "used", {"policy": ["role"]}, policy=UNKNOWN),
        made(KEY, "other"),
        made(ROLE, "role"),
        made(ROLE_POLICY, "policy", {"role": ["role"], "policy": made_of}, role=UNKNOWN, policy=UNKNOWN),
    ]
    assert verdict(RELATION, "used", *stack) == found


def test_a_preview_of_a_key_that_is_left_to_the_account() -> None:
    stack = [
        made(KEY, "key", policy=document(ROOT)),
        made(ROLE, "role"),
        made(ROLE_POLICY, "policy", {"role": ["role"], "policy": ["key"]}, role=UNKNOWN, policy=UNKNOWN),
    ]
    assert verdict(RELATION, "key", *stack) == GOOD


LOG = made(LOG_GROUP, "log", kmsKeyId=ARN)
ALARMS = [
    made(TOPIC, "topic", arn="arn:topic", kmsMasterKeyId=ARN),
    made(METRIC_ALARM, "alarm", alarmActions=["arn:topic"]),
]
EVENTS = [ALARMS[0], made(EVENT_TARGET, "target", arn="arn:topic")]


@pytest.mark.parametrize(
    ("users", "service"),
    [
        ([LOG], "logs.eu-west-1.amazonaws.com"),
        (ALARMS, "cloudwatch.amazonaws.com"),
        (EVENTS, "events.amazonaws.com"),
    ],
)
def test_services_have_to_be_named(users: list[Resource], service: str) -> None:
    assert verdict(RELATION, "key", key(ROOT), *users) == BAD
    assert verdict(RELATION, "key", key(ROOT, {"Service": service}), *users) == GOOD
    assert verdict(RELATION, "key", key(ROOT, {"Service": "s3.amazonaws.com"}), *users) == BAD
    assert verdict(RELATION, "key", key(ROOT, {"Service": service}, policy=UNKNOWN), *users) == OPEN


def test_what_publishes_with_a_role_needs_no_service() -> None:
    target = made(EVENT_TARGET, "target", arn="arn:topic", roleArn="arn:role")
    assert verdict(RELATION, "key", key(ROOT), ALARMS[0], target) == GOOD


@pytest.mark.parametrize(("made_of", "found"), [(["key"], BAD), (["other"], GOOD), (None, OPEN)])
def test_a_policy_of_which_parts_are_known_follows_what_it_was_made_of(made_of: Any, found: str) -> None:
    """The key's policy names nobody, so that its users are wrong."""
    parts = {"Statement": {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": [UNKNOWN]}}
    policy = made(ROLE_POLICY, "policy", {"policy": made_of or ()}, role="user", policy=parts)
    stack = [key({"Service": "logs.amazonaws.com"}), made(KEY, "other"), USER[0]]
    assert (
        verdict(RELATION, "key", *stack, left_open(policy, "policy") if made_of is None else policy) == found
    )


@pytest.mark.parametrize(("made_of", "found"), [(["topic"], BAD), (["log"], GOOD), ([], OPEN)])
def test_a_preview_follows_where_events_go(made_of: list[str], found: str) -> None:
    target = made(EVENT_TARGET, "target", {"arn": made_of}, arn=UNKNOWN)
    assert verdict(RELATION, "key", key(ROOT), ALARMS[0], made(LOG_GROUP, "log"), target) == found


def test_users_of_another_key_need_nothing() -> None:
    other = made(LOG_GROUP, "log", kmsKeyId="arn:other")
    silent = [ALARMS[0], made(METRIC_ALARM, "alarm", alarmActions=["arn:other"])]
    assert verdict(RELATION, "key", key(ROOT), other, *silent) == GOOD


def test_the_messages_say_who() -> None:
    found = [
        about.finding for about in RELATION.judge(Stack([key(named("stranger")), *USER, *STRANGER, LOG]))
    ]
    assert found == [
        Violation("user uses the key, and its policy does not name it"),
        Violation("the policy names stranger, which does not use the key"),
        Violation("log needs the key for logs.amazonaws.com, which its policy does not name"),
    ]
