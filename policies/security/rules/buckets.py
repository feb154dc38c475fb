"""Buckets: what each setting of one must say.

A setting is a resource of its own, or a property inside of the bucket, which is the older way. Whether a bucket has
each of them, and whether it is encrypted with a key of our own, are relations.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.crossguard.checks import all_of, is_absent, is_true, one_of, when
from policies.crossguard.findings import Finding, Violation, judged
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View
from policies.security.documents import Statement, each_statement, statements
from policies.security.existence import one_item
from policies.security.principals import EVERYBODY, is_open

BUCKET: Final = "aws:s3/bucket:Bucket"
ACCESS_BLOCK: Final = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
ACCOUNT_ACCESS_BLOCK: Final = "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"
ENCRYPTION: Final = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
POLICY: Final = "aws:s3/bucketPolicy:BucketPolicy"
OWNERSHIP: Final = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
ACL: Final = "aws:s3/bucketAcl:BucketAcl"

KMS: Final = "aws:kms"
PLAIN_HTTP: Final = "aws:securetransport"
OWN_ACLS: Final = frozenset({"", "private", "bucket-owner-full-control"})
"""Those that name nobody but the owner."""


def one_or_many(view: View, name: str) -> Iterator[View]:
    """Iterate over a part that one version of the provider has once and another one in a list, under the plural."""
    if not view[name].absent:
        yield view[name]
    yield from view[f"{name}s"].items()


def applied(place: View) -> Iterator[tuple[View, View]]:
    """Iterate over the default encryptions of a setting: the rule, and what it applies."""
    for rule in one_or_many(place, "rule"):
        for default in one_or_many(rule, "applyServerSideEncryptionByDefault"):
            yield rule, default


def encryptions(settings: View) -> Iterator[tuple[View, View]]:
    """Iterate over the default encryptions of a setting, or of a bucket that has them inside."""
    for place in (settings, *one_or_many(settings, "serverSideEncryptionConfiguration")):
        yield from applied(place)


def _own_key(settings: View) -> Iterator[Finding]:
    for _, default in encryptions(settings):
        yield from judged(_has_own_key, default)


def _has_own_key(default: View) -> Iterator[Finding]:
    key = default["kmsMasterKeyId"]
    if default["sseAlgorithm"].text().startswith(KMS) and (key.empty or key.text().endswith("alias/aws/s3")):
        yield Violation(f"{key.path} is {key.shown()}, want a key of our own")


def _bucket_key(settings: View) -> Iterator[Finding]:
    for rule, default in encryptions(settings):
        if default["sseAlgorithm"].text() == KMS:
            yield from judged(is_true("bucketKeyEnabled"), rule)


def _plain_http_denied(settings: View) -> Iterator[Finding]:
    policy = settings["policy"]
    if not policy.empty:
        message = "policy has no statement that denies s3:* to everybody where aws:SecureTransport is false"
        yield from one_item(message, (each.view for each in statements(policy)), _denies_plain_http)


def _denies_plain_http(view: View) -> Iterator[Finding]:
    """Nothing may narrow it: no other condition, and no action, resource or principal that it leaves out."""
    statement = Statement(view)
    conditions = list(statement.conditions())
    plain_http = [[(operator, PLAIN_HTTP, ["false"])] for operator in ("Bool", "BoolIfExists")]
    if (
        statement.allows
        or statement.inverted
        or conditions not in plain_http
        or not any(principal == EVERYBODY for _, principal in statement.principals)
        or not any(action in ("*", "s3:*") for action in statement.actions)
        or not any(name == "*" or "/" not in name for name in statement.resources)
        or not any(name == "*" or name.endswith("/*") for name in statement.resources)
    ):
        yield Violation(f"{view.path} is about something else")


def _has_policy(settings: View) -> bool:
    return not settings["policy"].empty


def _closed(view: View) -> Iterator[Finding]:
    if is_open(Statement(view)):
        yield Violation(f"{view.path} lets everybody in, want accounts by their number")


RULES: Final = (
    Rule(
        name="s3-blocks-public-access",
        why="One careless policy or list of rights is enough to show everything to everybody.",
        fix="Set `blockPublicAcls`, `blockPublicPolicy`, `ignorePublicAcls` and `restrictPublicBuckets`.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("77",),
        references=(
            "S3.1",
            "S3.8",
            "3.1.4",
            "CKV_AWS_53",
            "CKV_AWS_54",
            "CKV_AWS_55",
            "CKV_AWS_56",
            "AWS-0086",
            "AWS-0087",
            "AWS-0091",
            "AWS-0093",
            "s3_bucket_level_public_access_prohibited",
        ),
        on=(ACCESS_BLOCK, ACCOUNT_ACCESS_BLOCK),
        check=all_of(
            is_true("blockPublicAcls"),
            is_true("blockPublicPolicy"),
            is_true("ignorePublicAcls"),
            is_true("restrictPublicBuckets"),
        ),
    ),
    Rule(
        name="s3-own-key",
        why="Only a key of our own can be taken away from who should not read the objects any more.",
        fix="Set `kmsMasterKeyId` to the ARN of a key of our own.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("78",),
        references=("s3/Bucket/configureServerSideEncryptionCustomerManagedKey",),
        on=(ENCRYPTION, BUCKET),
        check=_own_key,
    ),
    Rule(
        name="s3-bucket-key",
        why="Each object that is read or written is a paid call to KMS, which refuses them when they are too many.",
        fix="Set `bucketKeyEnabled`.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("78",),
        references=("s3/Bucket/enableServerSideEncryptionBucketKey",),
        on=(ENCRYPTION, BUCKET),
        check=_bucket_key,
    ),
    Rule(
        name="s3-tls-only",
        why="Objects and signed requests that travel over plain HTTP can be read and repeated by others.",
        fix="Add a statement that denies s3:* on the bucket and its objects where aws:SecureTransport is false.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("79",),
        references=("S3.5", "3.1.1", "s3_bucket_ssl_requests_only"),
        implies=frozenset({"s3-not-for-everybody"}),
        on=(POLICY, BUCKET),
        check=_plain_http_denied,
    ),
    Rule(
        name="s3-not-for-everybody",
        why="Whoever has an account of AWS, or none, may do what the statement says.",
        fix="Name accounts in `Principal`, or add a condition on aws:PrincipalOrgID or aws:SourceAccount.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("79",),
        references=("CKV_AWS_70",),
        on=(POLICY, BUCKET),
        check=when(_has_policy, each_statement("policy", _closed)),
    ),
    Rule(
        name="s3-owner-enforced",
        why="Who writes an object can keep its rights, also from the owner of the bucket.",
        fix="Set `rule.objectOwnership` to BucketOwnerEnforced.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("81",),
        references=("S3.12", "CKV2_AWS_65"),
        on=(OWNERSHIP,),
        check=one_of("rule.objectOwnership", {"BucketOwnerEnforced"}),
    ),
    Rule(
        name="s3-no-acl",
        why="Rights in lists of the bucket are seen by nobody who reads its policy.",
        fix="Remove `acl`, `grants` and `accessControlPolicy`, and say it in the policy of the bucket.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("81",),
        references=("S3.12",),
        on=(ACL, BUCKET),
        check=all_of(
            one_of("acl", OWN_ACLS, default="private"), is_absent("grants"), is_absent("accessControlPolicy")
        ),
    ),
)
