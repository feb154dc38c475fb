"""What the rules about buckets, registries and certificates accept and refuse, beyond their cases."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policies.security.rules.bucket_lifecycles import LIFECYCLE
from policies.security.rules.buckets import BUCKET, ENCRYPTION, POLICY
from policies.security.rules.dns import CERTIFICATE
from tests.policies.cases import changed
from tests.policies.security.cases_buckets import DOCUMENT, OLDER
from tests.policies.security.test_rules import judged, violated

OLDER_RULES = ("s3-own-key", "s3-bucket-key", "s3-versions", "s3-expires", "s3-forgets-versions")
DEFAULTS = "serverSideEncryptionConfigurations[0].rules[0]"


@pytest.mark.parametrize("rule", OLDER_RULES)
def test_the_older_form_of_a_bucket_is_read(rule: str) -> None:
    assert judged(rule, BUCKET, OLDER) == []


@pytest.mark.parametrize(
    ("rule", "path", "bad"),
    [
        ("s3-own-key", f"{DEFAULTS}.applyServerSideEncryptionByDefaults[0].kmsMasterKeyId", ""),
        ("s3-bucket-key", f"{DEFAULTS}.bucketKeyEnabled", False),
        ("s3-versions", "versionings[0].enabled", False),
        ("s3-expires", "lifecycleRules[0].expirations", []),
        ("s3-forgets-versions", "lifecycleRules[0].noncurrentVersionExpirations", []),
    ],
)
def test_the_older_form_of_a_bucket_is_judged(rule: str, path: str, bad: Any) -> None:
    assert violated(judged(rule, BUCKET, changed(OLDER, path, bad)))


@pytest.mark.parametrize(
    "rule",
    [
        "s3-own-key",
        "s3-bucket-key",
        "s3-tls-only",
        "s3-not-for-everybody",
        "s3-versions",
        "s3-expires",
        "s3-no-acl",
    ],
)
def test_a_bucket_may_have_its_settings_elsewhere(rule: str) -> None:
    assert judged(rule, BUCKET, {"bucket": "logs", "policy": ""}) == []


@pytest.mark.parametrize("rule", ["s3-own-key", "s3-bucket-key"])
def test_keys_of_s3_itself_need_no_key_of_ours(rule: str) -> None:
    rules = [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]
    assert judged(rule, ENCRYPTION, {"rules": rules}) == []


def test_double_encryption_has_no_bucket_key() -> None:
    rules = [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms:dsse"}}]
    assert judged("s3-bucket-key", ENCRYPTION, {"rules": rules}) == []


@pytest.mark.parametrize(
    "statement",
    [
        {"Action": "*", "Resource": "*"},
        {"Principal": {"AWS": "*"}},
        {"Principal": {"AWS": ["111122223333", "*"]}},
        {"Condition": {"Bool": {"aws:SecureTransport": False}}},
        {"Condition": {"BoolIfExists": {"AWS:secureTransport": ["false"]}}},
    ],
)
def test_plain_http_can_be_denied_in_several_forms(statement: dict[str, Any]) -> None:
    policy = {"Statement": [DOCUMENT["Statement"][0] | statement]}
    assert judged("s3-tls-only", POLICY, {"policy": json.dumps(policy)}) == []


def test_a_single_statement_is_read_as_a_list_of_one() -> None:
    assert judged("s3-tls-only", POLICY, {"policy": {"Statement": DOCUMENT["Statement"][0]}}) == []


def test_everything_but_some_actions_is_not_everything() -> None:
    statement = {**DOCUMENT["Statement"][0], "NotAction": "s3:GetObject"}
    assert violated(judged("s3-tls-only", POLICY, {"policy": {"Statement": [statement]}}))


@pytest.mark.parametrize("rule", ["s3-expires", "s3-forgets-versions", "s3-aborts-uploads"])
def test_a_lifecycle_without_rules_does_nothing(rule: str) -> None:
    assert violated(judged(rule, LIFECYCLE, {"rules": []}))


@pytest.mark.parametrize(
    "expiration", [{"days": 30}, {"date": "2030-01-01"}, {"expiredObjectDeleteMarker": True}]
)
def test_objects_expire_in_several_ways(expiration: dict[str, Any]) -> None:
    rules = [{"status": "Enabled", "filter": {"prefix": "logs/"}, "expiration": expiration}]
    assert judged("s3-expires", LIFECYCLE, {"rules": rules}) == []


def test_a_certificate_of_a_private_authority_is_proved_by_nothing() -> None:
    certificate = {"domainName": "x.example.com", "certificateAuthorityArn": "arn:aws:acm-pca:eu-west-1:1:x"}
    assert judged("acm-renewed", CERTIFICATE, certificate) == []


def test_a_private_key_is_not_shown() -> None:
    (finding,) = judged("acm-renewed", CERTIFICATE, {"privateKey": "-----BEGIN PRIVATE KEY-----"})
    assert "BEGIN" not in str(finding)
