"""Buckets that AWS writes logs into: it refuses to begin while the policy of the bucket does not let it write.

What is not judged: buckets that the simulated account does not hold (a load balancer may log into another account's),
statements that deny, and the conditions of a grant to load balancers: AWS does not say what such a request carries.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from sandbox.behaviour.existing_view import View
from sandbox.behaviour.invokes import ELB_ACCOUNTS
from sandbox.behaviour.model import AwsError, Properties
from sandbox.behaviour.rules.policy_document import statements_of, texts

BALANCER: Final = "aws:lb/loadBalancer:LoadBalancer"
LOGGING: Final = "aws:s3/bucketLogging:BucketLogging"
BUCKET: Final = "aws:s3/bucket:Bucket"
POLICY: Final = "aws:s3/bucketPolicy:BucketPolicy"
ENCRYPTION: Final = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
BLOCKS: Final = {
    "accessLogs": "ELBAccessLogTestFile",
    "connectionLogs": "ELBConnectionLogTestFile",
    "healthCheckLogs": "ELBHealthCheckLogTestFile",
}
"""Inputs of a load balancer that name a bucket, and the file with which it tries to write."""
BALANCER_SERVICE: Final = "logdelivery.elasticloadbalancing.amazonaws.com"
BUCKET_SERVICE: Final = "logging.s3.amazonaws.com"
WRITE: Final = "s3:PutObject"
COMPARED: Final = ("StringEquals", "StringLike", "ArnEquals", "ArnLike")


def errors(token: str, view: View, old: Properties | None = None) -> Iterator[AwsError]:
    """Yield why AWS refuses to log into a bucket; of a changed resource only what is new is looked at."""
    if token == BALANCER and view.inputs.get("loadBalancerType", "application") == "application":
        for key, test_file in BLOCKS.items():
            logs = view.inputs.get(key) or {}
            if logs.get("enabled") and logs != (old or {}).get(key):
                yield from _of_balancer(view, f"{key}.bucket", logs, test_file)
    if token == LOGGING:
        yield from _of_bucket(view)


def _of_balancer(view: View, where: str, logs: Properties, test_file: str) -> Iterator[AwsError]:
    account, bucket = view.session.account_id, str(logs.get("bucket"))
    prefix = f"{logs['prefix']}/" if logs.get("prefix") else ""
    object_arn = f"{_arn(view, bucket)}/{prefix}AWSLogs/{account}/{test_file}"
    writers = {("Service", BALANCER_SERVICE)}
    if regional := ELB_ACCOUNTS.get(view.session.region):
        root = f"arn:{view.session.partition}:iam::{regional}:root"
        writers |= {("AWS", regional), ("AWS", root)}
    if view.world.find(BUCKET, bucket) is None:
        return
    refused = f"Access Denied for bucket: {bucket}. Please check S3bucket permission"
    if _uses_kms(view, bucket):
        message = f"{refused}: only SSE-S3 is supported, the bucket encrypts with KMS"
        yield AwsError("InvalidConfigurationRequest", message, where)
    elif not _lets_write(view, bucket, writers, object_arn):
        message = f"{refused}: its policy does not let {BALANCER_SERVICE} put {object_arn}"
        yield AwsError("InvalidConfigurationRequest", message, where)


def _of_bucket(view: View) -> Iterator[AwsError]:
    target, source = str(view.inputs.get("targetBucket")), str(view.inputs.get("bucket"))
    if view.world.find(BUCKET, target) is None:
        return
    sent = {"aws:sourceaccount": view.session.account_id, "aws:sourcearn": _arn(view, source)}
    object_arn = f"{_arn(view, target)}/{view.inputs.get('targetPrefix')}log"
    if not _lets_write(view, target, {("Service", BUCKET_SERVICE)}, object_arn, sent):
        message = (
            "You must give the log-delivery group WRITE and READ_ACP permissions to the target bucket: "
            f"the policy of {target} does not let {BUCKET_SERVICE} put {object_arn} for {source}"
        )
        yield AwsError("InvalidTargetBucketForLogging", message, "targetBucket")


def _arn(view: View, bucket: str) -> str:
    return f"arn:{view.session.partition}:s3:::{bucket}"


def _lets_write(
    view: View,
    bucket: str,
    writers: Iterable[tuple[str, str]],
    object_arn: str,
    sent: Mapping[str, str] | None = None,
) -> bool:
    """Say whether the policy of a bucket lets a service put an object.

    Args:
        view: The account.
        bucket: Name of the bucket.
        writers: Kinds and names of the principals that may be meant.
        object_arn: The object.
        sent: What the service's request carries, by lower-case key; None leaves conditions unjudged.

    """
    return any(
        statement.get("Effect") == "Allow"
        and not {("*", "*"), ("AWS", "*"), *writers}.isdisjoint(_principals(statement.get("Principal")))
        and _matches(texts(statement.get("Action", [])), WRITE)
        and _matches(texts(statement.get("Resource", [])), object_arn)
        and (sent is None or _holds(statement.get("Condition", {}), sent))
        for text in _policies(view, bucket)
        for statement in statements_of(json.loads(text))
    )


def _policies(view: View, bucket: str) -> Iterator[str]:
    inline = (view.world.find(BUCKET, bucket) or {}).get("policy")
    attached = (outputs for _, outputs in view.world.all(POLICY) if outputs.get("bucket") == bucket)
    yield from filter(None, (inline, *(outputs.get("policy") for outputs in attached)))


def _principals(principal: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(principal, dict):
        yield "*", str(principal)
        return
    for kind, names in principal.items():
        yield from ((kind, str(name)) for name in texts(names))


def _matches(patterns: Iterable[Any], value: str) -> bool:
    # Brackets are nothing special in a policy.
    return any(fnmatchcase(value.lower(), str(pattern).lower().replace("[", "[[]")) for pattern in patterns)


def _holds(conditions: Mapping[str, Mapping[str, Any]], sent: Mapping[str, str]) -> bool:
    """Say whether the conditions on what is sent are met; others are not known here."""
    return all(
        _matches(texts(wanted), sent[key.lower()])
        for operator, keys in conditions.items()
        if operator.removesuffix("IfExists") in COMPARED
        for key, wanted in keys.items()
        if key.lower() in sent
    )


def _uses_kms(view: View, bucket: str) -> bool:
    return any(
        str((rule.get("applyServerSideEncryptionByDefault") or {}).get("sseAlgorithm", "")).startswith(
            "aws:kms"
        )
        for _, outputs in view.world.all(ENCRYPTION)
        if outputs.get("bucket") == bucket
        for rule in outputs.get("rules") or []
    )
