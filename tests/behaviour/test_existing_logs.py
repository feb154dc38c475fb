"""Load balancers and buckets that log into a bucket: what AWS refuses because of that bucket's policy."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.behaviour import cloud
from sandbox.behaviour.existing import check_changed, check_existing
from sandbox.behaviour.existing_logs import BALANCER, BUCKET, ENCRYPTION, LOGGING, POLICY
from sandbox.behaviour.model import AwsError, EmptyWorld, Session
from tests.behaviour.test_existing import Account
from tests.behaviour.values import ACCOUNT, REGION

SESSION = Session(ACCOUNT, REGION)
SERVICE = {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
S3 = {"Service": "logging.s3.amazonaws.com"}
OBJECTS = f"arn:aws:s3:::access/web/AWSLogs/{ACCOUNT}/*"
ON = {"bucket": "access", "prefix": "web", "enabled": True}
WEB: dict[str, Any] = {"loadBalancerType": "application", "accessLogs": ON}
LOGGED: dict[str, Any] = {"bucket": "state", "targetBucket": "access", "targetPrefix": "buckets/"}


def grant(**changes: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": SERVICE, "Action": "s3:PutObject", "Resource": OBJECTS, **changes}


def account(*statements: dict[str, Any], algorithm: str = "AES256", inline: bool = False) -> Account:
    """Return an account with a bucket for logs that has these statements."""
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)}) if statements else None
    default = {"applyServerSideEncryptionByDefault": {"sseAlgorithm": algorithm}}
    resources: dict[tuple[str, str], dict[str, Any]] = {
        (BUCKET, "access"): {"bucket": "access", **({"policy": text} if inline else {})},
        (BUCKET, "state"): {"bucket": "state"},
        (ENCRYPTION, "access"): {"bucket": "access", "rules": [default]},
    }
    if text and not inline:
        resources[POLICY, "access"] = {"bucket": "access", "policy": text}
    return Account(resources)


def refused(token: str, inputs: dict[str, Any], world: Account) -> tuple[str, str, str]:
    with pytest.raises(AwsError) as raised:
        check_existing(token, inputs, SESSION, world)
    return raised.value.code, raised.value.property, str(raised.value)


OF_BALANCERS = {
    "the service": grant(),
    "one text in lists": grant(
        Action=["s3:GetObject", "s3:PutObject"], Resource=["arn:aws:s3:::a/*", OBJECTS]
    ),
    "wider": grant(Action="s3:Put*", Resource="arn:aws:s3:::access/*"),
    "the account of the region": grant(Principal={"AWS": "arn:aws:iam::156460612806:root"}),
    "its number": grant(Principal={"AWS": "156460612806"}),
    "everybody": grant(Principal="*"),
    "a condition, which is not judged": grant(Condition={"StringEquals": {"aws:SourceAccount": "9"}}),
}


@pytest.mark.parametrize("statement", OF_BALANCERS.values(), ids=OF_BALANCERS)
def test_a_load_balancer_may_log(statement: dict[str, Any]) -> None:
    check_existing(BALANCER, WEB, SESSION, account(statement))


def test_a_policy_inside_of_the_bucket_counts() -> None:
    check_existing(BALANCER, WEB, SESSION, account(grant(), inline=True))


NOT_OF_BALANCERS = {
    "refusal": grant(Effect="Deny"),
    "another service": grant(Principal={"Service": "delivery.logs.amazonaws.com"}),
    "the account of another region": grant(Principal={"AWS": "127311923021"}),
    "another action": grant(Action="s3:GetObject"),
    "another prefix": grant(Resource=f"arn:aws:s3:::access/api/AWSLogs/{ACCOUNT}/*"),
    "another account": grant(Resource="arn:aws:s3:::access/web/AWSLogs/999999999999/*"),
    "the bucket alone": grant(Resource="arn:aws:s3:::access"),
}


@pytest.mark.parametrize("statement", NOT_OF_BALANCERS.values(), ids=NOT_OF_BALANCERS)
@pytest.mark.parametrize(
    ("key", "test_file"),
    [("accessLogs", "ELBAccessLogTestFile"), ("connectionLogs", "ELBConnectionLogTestFile")],
    ids=["requests", "connections"],
)
def test_a_load_balancer_may_not_log(key: str, test_file: str, statement: dict[str, Any]) -> None:
    inputs = {"loadBalancerType": "application", key: ON}
    assert refused(BALANCER, inputs, account(statement)) == (
        "InvalidConfigurationRequest",
        f"{key}.bucket",
        (
            "InvalidConfigurationRequest: Access Denied for bucket: access. Please check S3bucket permission: its "
            "policy does not let logdelivery.elasticloadbalancing.amazonaws.com put "
            f"arn:aws:s3:::access/web/AWSLogs/{ACCOUNT}/{test_file} ({key}.bucket)"
        ),
    )


def test_a_load_balancer_may_not_log_before_there_is_a_policy() -> None:
    assert refused(BALANCER, WEB, account())[0] == "InvalidConfigurationRequest"


def test_a_load_balancer_may_not_log_into_a_bucket_of_kms() -> None:
    _, _, text = refused(BALANCER, WEB, account(grant(), algorithm="aws:kms"))
    assert "only SSE-S3 is supported, the bucket encrypts with KMS" in text


def test_without_a_prefix_keys_begin_with_awslogs() -> None:
    inputs = {**WEB, "accessLogs": {"bucket": "access", "enabled": True}}
    check_existing(
        BALANCER, inputs, SESSION, account(grant(Resource=f"arn:aws:s3:::access/AWSLogs/{ACCOUNT}/*"))
    )
    assert refused(BALANCER, inputs, account(grant()))[0] == "InvalidConfigurationRequest"


UNJUDGED = {
    "logs that are off": {**WEB, "accessLogs": {**ON, "enabled": False}},
    "a network load balancer": {**WEB, "loadBalancerType": "network"},
    "a bucket that is not known": {**WEB, "accessLogs": {**ON, "bucket": "elsewhere"}},
    "no logs": {"loadBalancerType": "application"},
}


@pytest.mark.parametrize("inputs", UNJUDGED.values(), ids=UNJUDGED)
def test_what_is_not_judged(inputs: dict[str, Any]) -> None:
    check_existing(BALANCER, inputs, SESSION, account())


def s3_grant(**changes: Any) -> dict[str, Any]:
    return grant(**{"Principal": S3, "Resource": "arn:aws:s3:::access/buckets/*", **changes})


OF_BUCKETS = {
    "any": s3_grant(),
    "this bucket": s3_grant(
        Condition={
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnLike": {"AWS:sourcearn": ["arn:aws:s3:::other", "arn:aws:s3:::sta*"]},
        }
    ),
    "a condition that nobody knows here": s3_grant(Condition={"StringEquals": {"aws:SourceOrgID": "o-a"}}),
}


@pytest.mark.parametrize("statement", OF_BUCKETS.values(), ids=OF_BUCKETS)
def test_a_bucket_may_log(statement: dict[str, Any]) -> None:
    check_existing(LOGGING, LOGGED, SESSION, account(statement))


NOT_OF_BUCKETS = {
    "no policy": (),
    "the service of load balancers": (s3_grant(Principal=SERVICE),),
    "another prefix": (s3_grant(Resource="arn:aws:s3:::access/logs/*"),),
    "another account": (s3_grant(Condition={"StringEquals": {"aws:SourceAccount": "999999999999"}}),),
    "another bucket": (s3_grant(Condition={"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::other"}}),),
}


@pytest.mark.parametrize("statements", NOT_OF_BUCKETS.values(), ids=NOT_OF_BUCKETS)
def test_a_bucket_may_not_log(statements: tuple[dict[str, Any], ...]) -> None:
    assert refused(LOGGING, LOGGED, account(*statements)) == (
        "InvalidTargetBucketForLogging",
        "targetBucket",
        (
            "InvalidTargetBucketForLogging: You must give the log-delivery group WRITE and READ_ACP permissions to the "
            "target bucket: the policy of access does not let logging.s3.amazonaws.com put "
            "arn:aws:s3:::access/buckets/log for state (targetBucket)"
        ),
    )


@pytest.mark.parametrize(("token", "inputs"), [(BALANCER, WEB), (LOGGING, LOGGED)])
def test_nothing_is_refused_in_an_empty_account(token: str, inputs: dict[str, Any]) -> None:
    check_existing(token, inputs, SESSION, EmptyWorld())


def test_logs_that_a_change_switches_on_are_judged() -> None:
    old = {**WEB, "accessLogs": {**ON, "enabled": False}}
    with pytest.raises(AwsError, match="InvalidConfigurationRequest"):
        check_changed(BALANCER, old, WEB, SESSION, account())


def test_logs_that_a_change_leaves_alone_are_not_judged_again() -> None:
    check_changed(BALANCER, {**WEB, "idleTimeout": 60}, {**WEB, "idleTimeout": 90}, SESSION, account())


def test_an_update_is_refused_as_well() -> None:
    with pytest.raises(AwsError, match="InvalidTargetBucketForLogging"):
        cloud.update(LOGGING, "state", {**LOGGED, "targetBucket": "old"}, LOGGED, SESSION, account())
