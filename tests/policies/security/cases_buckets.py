"""Cases of the rules about buckets: settings beside the bucket, and inside of it."""

from __future__ import annotations

from typing import Any, Final

from policies.security.rules.bucket_lifecycles import LIFECYCLE, VERSIONING
from policies.security.rules.buckets import (
    ACCESS_BLOCK,
    ACCOUNT_ACCESS_BLOCK,
    ACL,
    BUCKET,
    ENCRYPTION,
    OWNERSHIP,
    POLICY,
)
from tests.policies.cases import REMOVED, Case, Change

KEY: Final = "arn:aws:kms:eu-west-1:111122223333:key/1"
DOCUMENT: Final[dict[str, Any]] = {
    "Statement": [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": ["arn:aws:s3:::logs", "arn:aws:s3:::logs/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::logs/*",
        },
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::logs/*",
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
        },
    ]
}
DEFAULT: Final[dict[str, Any]] = {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY}
SSE_RULE: Final[dict[str, Any]] = {
    "applyServerSideEncryptionByDefault": DEFAULT,
    "bucketKeyEnabled": True,
}
BLOCK: Final[dict[str, Any]] = {
    "blockPublicAcls": True,
    "blockPublicPolicy": True,
    "ignorePublicAcls": True,
    "restrictPublicBuckets": True,
}
RULES_BESIDE: Final[dict[str, Any]] = {
    "rules": [
        {
            "status": "Enabled",
            "filter": {"prefix": ""},
            "expiration": {"expiredObjectDeleteMarker": True},
            "noncurrentVersionExpiration": {"noncurrentDays": 30},
        },
        {
            "status": "Enabled",
            "filter": {"prefix": ""},
            "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
        },
    ]
}
INSIDE: Final[dict[str, Any]] = {
    "policy": DOCUMENT,
    "serverSideEncryptionConfiguration": {"rule": SSE_RULE},
    "versioning": {"enabled": True},
    "lifecycleRules": [
        {"enabled": True, "expiration": {"days": 90}, "noncurrentVersionExpiration": {"days": 30}},
        {"enabled": True, "abortIncompleteMultipartUploadDays": 7},
    ],
}
OLDER: Final[dict[str, Any]] = {
    "serverSideEncryptionConfigurations": [
        {"rules": [{"applyServerSideEncryptionByDefaults": [DEFAULT], "bucketKeyEnabled": True}]}
    ],
    "versionings": [{"enabled": True}],
    "lifecycleRules": [
        {
            "enabled": True,
            "expirations": [{"days": 90}],
            "noncurrentVersionExpirations": [{"days": 30}],
        }
    ],
}
"""As `aws.s3.BucketV2` has it."""


def _beside(rule: str, token: str, good: dict[str, Any], *changes: Change, golden: str | None = "") -> Case:
    return Case(rule=rule, type=token, good=good, changes=changes, golden=golden)


def _inside(rule: str, *changes: Change, good: dict[str, Any] = INSIDE) -> Case:
    return Case(rule=rule, type=BUCKET, good=good, changes=changes, golden=None)


def _plain_http() -> tuple[Change, ...]:
    first = "policy.Statement[0]"
    return (
        Change(path=first, bad=REMOVED, typed=True),
        Change(path=f"{first}.Effect", bad="Allow"),
        Change(path=f"{first}.Action", bad="s3:GetObject"),
        Change(path=f"{first}.Principal", bad={"AWS": "111122223333"}),
        Change(path=f"{first}.Resource", bad="arn:aws:s3:::logs/*"),
        Change(path=f"{first}.Resource", bad="arn:aws:s3:::logs"),
        Change(path=f"{first}.Condition.Bool.aws:SecureTransport", bad="true"),
        Change(path=f"{first}.Condition.StringEquals", bad={"aws:SourceVpc": "vpc-1"}, absent=False),
    )


def _open() -> tuple[Change, ...]:
    return (
        Change(path="policy.Statement[1].Principal", bad="*", absent=False),
        Change(path="policy.Statement[1].Principal.AWS", bad="*", absent=False),
        Change(path="policy.Statement[1].NotPrincipal", bad={"AWS": "111122223333"}, absent=False),
        Change(path="policy.Statement[2].Condition", bad=REMOVED),
        Change(path="policy.Statement[2].Condition.StringEquals.aws:PrincipalOrgID", bad="*"),
    )


CASES: Final = (
    *(
        _beside(
            "s3-blocks-public-access",
            token,
            BLOCK,
            *(Change(path=name, bad=False) for name in BLOCK),
        )
        for token in (ACCESS_BLOCK, ACCOUNT_ACCESS_BLOCK)
    ),
    _beside(
        "s3-own-key",
        ENCRYPTION,
        {"rules": [SSE_RULE]},
        Change(path="rules[0].applyServerSideEncryptionByDefault.kmsMasterKeyId", bad=""),
        Change(path="rules[0].applyServerSideEncryptionByDefault.kmsMasterKeyId", bad="alias/aws/s3"),
        golden="task-logs",
    ),
    _inside(
        "s3-own-key",
        Change(
            path="serverSideEncryptionConfiguration.rule.applyServerSideEncryptionByDefault.kmsMasterKeyId",
            bad="alias/aws/s3",
        ),
    ),
    _beside(
        "s3-bucket-key",
        ENCRYPTION,
        {"rules": [SSE_RULE]},
        Change(path="rules[0].bucketKeyEnabled", bad=False),
        golden="task-logs",
    ),
    _inside(
        "s3-bucket-key", Change(path="serverSideEncryptionConfiguration.rule.bucketKeyEnabled", bad=False)
    ),
    _beside("s3-tls-only", POLICY, {"policy": DOCUMENT}, *_plain_http()),
    _inside("s3-tls-only", *_plain_http()),
    _beside("s3-not-for-everybody", POLICY, {"policy": DOCUMENT}, *_open(), golden=None),
    _inside("s3-not-for-everybody", *_open()),
    _beside(
        "s3-versions",
        VERSIONING,
        {"versioningConfiguration": {"status": "Enabled"}},
        Change(path="versioningConfiguration.status", bad="Suspended"),
    ),
    _inside("s3-versions", Change(path="versioning.enabled", bad=False)),
    _beside(
        "s3-expires",
        LIFECYCLE,
        RULES_BESIDE,
        Change(path="rules[0].expiration", bad=REMOVED),
        Change(path="rules[0].expiration.expiredObjectDeleteMarker", bad=False),
        # The life of this bucket's objects has no other end.
        golden="state-lifecycle",
    ),
    _inside("s3-expires", Change(path="lifecycleRules[0].expiration", bad=REMOVED)),
    _beside(
        "s3-forgets-versions",
        LIFECYCLE,
        RULES_BESIDE,
        Change(path="rules[0].noncurrentVersionExpiration", bad=REMOVED),
        Change(path="rules[0].filter.prefix", bad="logs/", absent=False, typed=True),
        golden="state-lifecycle",
    ),
    _inside("s3-forgets-versions", Change(path="lifecycleRules[0].noncurrentVersionExpiration", bad=REMOVED)),
    _beside(
        "s3-aborts-uploads",
        LIFECYCLE,
        RULES_BESIDE,
        Change(path="rules[1].abortIncompleteMultipartUpload", bad=REMOVED),
        Change(path="rules[1].status", bad="Disabled"),
        Change(path="rules[1].filter.tag", bad={"key": "a", "value": "b"}, absent=False),
    ),
    _inside(
        "s3-aborts-uploads",
        Change(path="lifecycleRules[1].abortIncompleteMultipartUploadDays", bad=REMOVED),
        Change(path="lifecycleRules[1].enabled", bad=False),
        Change(path="lifecycleRules[1].prefix", bad="logs/", absent=False),
    ),
    _beside(
        "s3-owner-enforced",
        OWNERSHIP,
        {"rule": {"objectOwnership": "BucketOwnerEnforced"}},
        Change(path="rule.objectOwnership", bad="BucketOwnerPreferred"),
        Change(path="rule.objectOwnership", bad="ObjectWriter"),
    ),
    _beside(
        "s3-no-acl",
        ACL,
        {"acl": "private"},
        Change(path="acl", bad="public-read", absent=False),
        Change(path="acl", bad="log-delivery-write", absent=False),
        Change(path="accessControlPolicy", bad={"grants": [{"permission": "READ"}]}, absent=False),
    ),
    _inside(
        "s3-no-acl",
        Change(path="acl", bad="public-read", absent=False),
        Change(path="grants", bad=[{"permissions": ["READ"], "type": "Group"}], absent=False),
    ),
)
