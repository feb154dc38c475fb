"""Every bucket has its settings, beside it or inside of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from policies.crossguard.resources import Provider, Resource
from policies.crossguard.rules import Relation
from policies.crossguard.values import UNKNOWN, View
from policies.security.relations.bucket_settings import LOGGING, RELATIONS
from policies.security.rules.bucket_lifecycles import LIFECYCLE, VERSIONING
from policies.security.rules.buckets import ACCESS_BLOCK, BUCKET, ENCRYPTION, OWNERSHIP, POLICY
from policies.security.rules.load_balancers import LOAD_BALANCER
from tests.policies.made import BAD, GOOD, OPEN, left_open, made, verdict

BY_NAME: dict[str, Relation] = {relation.name: relation for relation in RELATIONS}
EXISTENCE = {
    "s3-has-access-block": ACCESS_BLOCK,
    "s3-has-policy": POLICY,
    "s3-has-versions": VERSIONING,
    "s3-has-lifecycle": LIFECYCLE,
    "s3-has-ownership": OWNERSHIP,
    "s3-has-access-log": LOGGING,
}
LOG_SERVICE = "logdelivery.elasticloadbalancing.amazonaws.com"
OWN, OTHER = "111122223333", "444455556666"
KMS_RULES = [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms"}}]
S3_RULES = [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]


def bucket(name: str = "logs", **props: Any) -> Resource:
    return made(BUCKET, name, None, **({"bucket": name} | props))


def setting(kind: str, of: Any = "logs", *behind: str, **props: Any) -> Resource:
    return made(kind, "setting", {"bucket": behind}, bucket=of, **props)


def allow(**principal: Any) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "s3:PutObject"}]}


@pytest.mark.parametrize(("name", "kind"), EXISTENCE.items())
def test_a_bucket_without_the_setting_lacks_it(name: str, kind: str) -> None:
    assert verdict(BY_NAME[name], "logs", bucket()) == BAD


@pytest.mark.parametrize(("name", "kind"), EXISTENCE.items())
@pytest.mark.parametrize(
    ("of", "behind", "expected"),
    [
        ("logs", (), GOOD),
        ("releases", (), BAD),
        (UNKNOWN, ("logs",), GOOD),
        (UNKNOWN, ("releases",), BAD),
        (UNKNOWN, (), OPEN),
        (7, (), BAD),
    ],
)
def test_a_setting_counts_for_the_bucket_that_it_names(
    name: str, kind: str, of: Any, behind: tuple[str, ...], expected: str
) -> None:
    found = (bucket(), bucket("releases"), setting(kind, of, *behind))
    assert verdict(BY_NAME[name], "logs", *found) == expected


def test_a_bucket_without_a_known_name_has_what_was_made_of_it() -> None:
    found = setting(VERSIONING, UNKNOWN, "logs")
    assert verdict(BY_NAME["s3-has-versions"], "logs", bucket(bucket=UNKNOWN), found) == GOOD


@pytest.mark.parametrize(
    ("name", "inside", "expected"),
    [
        ("s3-has-policy", {"policy": "{}"}, GOOD),
        ("s3-has-policy", {"policy": ""}, BAD),
        ("s3-has-policy", {"policy": UNKNOWN}, OPEN),
        ("s3-has-versions", {"versioning": {"enabled": True}}, GOOD),
        ("s3-has-versions", {"versioning": {"enabled": False}}, BAD),
        ("s3-has-versions", {"versionings": [{"enabled": True}]}, GOOD),
        ("s3-has-versions", {"versioning": UNKNOWN}, OPEN),
        ("s3-has-lifecycle", {"lifecycleRules": [{"enabled": True}]}, GOOD),
        ("s3-has-lifecycle", {"lifecycleRules": []}, BAD),
        ("s3-has-access-log", {"logging": {"targetBucket": "other"}}, GOOD),
        ("s3-has-access-log", {"loggings": [{"targetBucket": "other"}]}, GOOD),
        ("s3-has-access-log", {"loggings": []}, BAD),
    ],
)
def test_a_property_of_the_bucket_is_a_setting_as_well(
    name: str, inside: dict[str, Any], expected: str
) -> None:
    assert verdict(BY_NAME[name], "logs", bucket(**inside)) == expected


def test_what_a_preview_leaves_open_is_no_setting() -> None:
    found = left_open(bucket(versioning=UNKNOWN), "versioning")
    assert verdict(BY_NAME["s3-has-versions"], "logs", found) == BAD


def test_what_aws_filled_in_is_no_setting() -> None:
    found = left_open(bucket(policy="{}"), "policy")
    assert verdict(BY_NAME["s3-has-policy"], "logs", found) == BAD


def test_an_imported_bucket_is_judged_by_what_is_known_of_it() -> None:
    found = replace(bucket(policy="{}"), property_dependencies={})
    assert verdict(BY_NAME["s3-has-policy"], "logs", found) == GOOD


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (KMS_RULES, GOOD),
        (S3_RULES, BAD),
        ([*KMS_RULES, *S3_RULES], BAD),
        ([], BAD),
        (UNKNOWN, OPEN),
        ([{"applyServerSideEncryptionByDefault": {"sseAlgorithm": UNKNOWN}}], OPEN),
        ([{"applyServerSideEncryptionByDefault": {"sseAlgorithm": 7}}], BAD),
    ],
)
def test_a_bucket_is_encrypted_with_kms(rules: Any, expected: str) -> None:
    found = setting(ENCRYPTION, rules=rules)
    assert verdict(BY_NAME["s3-has-encryption"], "logs", bucket(), found) == expected


def test_the_encryption_of_another_bucket_does_not_count() -> None:
    found = (bucket(), bucket("releases"), setting(ENCRYPTION, UNKNOWN, "releases", rules=KMS_RULES))
    assert verdict(BY_NAME["s3-has-encryption"], "logs", *found) == BAD


@pytest.mark.parametrize(
    "inside",
    [
        {"serverSideEncryptionConfiguration": {"rule": KMS_RULES[0]}},
        {
            "serverSideEncryptionConfigurations": [
                {"rules": [{"applyServerSideEncryptionByDefaults": [{"sseAlgorithm": "aws:kms:dsse"}]}]}
            ]
        },
    ],
)
def test_the_encryption_may_be_inside_of_the_bucket(inside: dict[str, Any]) -> None:
    assert verdict(BY_NAME["s3-has-encryption"], "logs", bucket(**inside)) == GOOD


def test_what_aws_encrypts_with_by_itself_is_not_enough() -> None:
    found = left_open(
        bucket(serverSideEncryptionConfiguration={"rule": S3_RULES[0]}), "serverSideEncryptionConfiguration"
    )
    assert verdict(BY_NAME["s3-has-encryption"], "logs", found) == BAD


@pytest.mark.parametrize("name", ["s3-has-encryption", "s3-has-access-log"])
@pytest.mark.parametrize(
    ("taking", "expected"),
    [
        (made(LOAD_BALANCER, "alb", accessLogs={"bucket": "logs"}), GOOD),
        (made(LOAD_BALANCER, "alb", connectionLogs={"bucket": "logs"}), GOOD),
        (made(LOAD_BALANCER, "alb", {"accessLogs": ("logs",)}, accessLogs={"bucket": UNKNOWN}), GOOD),
        (made(LOAD_BALANCER, "alb", {"accessLogs": ("logs",)}, accessLogs=UNKNOWN), GOOD),
        (made(LOAD_BALANCER, "alb", accessLogs={"bucket": "releases"}), BAD),
        (made(LOAD_BALANCER, "nlb", loadBalancerType="network", accessLogs={"bucket": "logs"}), BAD),
        (setting(POLICY, policy=allow(Service=LOG_SERVICE)), GOOD),
        (setting(POLICY, policy=allow(Service="logging.s3.amazonaws.com")), GOOD),
        (setting(POLICY, policy=allow(Service="lambda.amazonaws.com")), BAD),
        (setting(POLICY, policy=UNKNOWN), OPEN),
        (setting(POLICY, "releases", policy=allow(Service=LOG_SERVICE)), BAD),
        (made(LOGGING, "log", bucket="releases", targetBucket="logs"), GOOD),
    ],
)
def test_what_takes_logs_is_encrypted_by_s3_and_not_logged(
    name: str, taking: Resource, expected: str
) -> None:
    assert verdict(BY_NAME[name], "logs", bucket(), bucket("releases"), taking) == expected


def test_a_policy_inside_of_the_bucket_lets_the_log_service_in_as_well() -> None:
    found = bucket(policy=allow(Service=LOG_SERVICE))
    assert verdict(BY_NAME["s3-has-encryption"], "logs", found) == GOOD


def provider(accounts: Any) -> Provider:
    return Provider(urn="aws", name="aws", props=View.of({"allowedAccountIds": accounts}))


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (allow(AWS=OWN), GOOD),
        (allow(AWS=f"arn:aws:iam::{OWN}:role/x"), GOOD),
        (allow(AWS=OTHER), BAD),
        (allow(AWS=f"arn:aws:iam::{OTHER}:root"), BAD),
        (allow(AWS=UNKNOWN), OPEN),
        (UNKNOWN, OPEN),
        ("{", BAD),
        ({"Statement": [{"Effect": "Deny", "Principal": {"AWS": OTHER}}]}, GOOD),
        (
            {
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": "*",
                        "Condition": {"StringEquals": {"aws:PrincipalAccount": OTHER}},
                    }
                ]
            },
            BAD,
        ),
    ],
)
def test_a_policy_lets_in_accounts_of_the_provider_only(policy: Any, expected: str) -> None:
    found = replace(setting(POLICY, policy=policy), provider=provider(f'["{OWN}"]'))
    assert verdict(BY_NAME["s3-listed-accounts"], "setting", found) == expected


def test_a_policy_inside_of_a_bucket_lets_in_the_same() -> None:
    found = replace(bucket(policy=allow(AWS=OTHER)), provider=provider([OWN]))
    assert verdict(BY_NAME["s3-listed-accounts"], "logs", found) == BAD


@pytest.mark.parametrize(("accounts", "expected"), [(None, BAD), (UNKNOWN, OPEN)])
def test_without_a_list_no_account_is_listed(accounts: Any, expected: str) -> None:
    found = replace(setting(POLICY, policy=allow(AWS=OWN)), provider=provider(accounts))
    assert verdict(BY_NAME["s3-listed-accounts"], "setting", found) == expected


def test_one_undecided_statement_does_not_hide_another() -> None:
    policy = {"Statement": [*allow(AWS=UNKNOWN)["Statement"], *allow(AWS=OTHER)["Statement"]]}
    found = replace(setting(POLICY, policy=policy), provider=provider([OWN]))
    assert verdict(BY_NAME["s3-listed-accounts"], "setting", found) == BAD
