"""The hardened bucket."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.private_bucket import LogTarget, PrivateBucket, PrivateBucketArgs, name_pattern
from tests.harness import Deployment, RecordingMonitor
from tests.unit.programs import KEY_ARN, built, run, value

NAME = "airflow-test-logs-bucket-name"
BUCKET = "aws:s3/bucket:Bucket"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
INPUTS: dict[str, dict[str, dict[str, Any]]] = {
    BUCKET: {"logs-bucket": {"bucket": NAME}},
    "aws:s3/bucketVersioning:BucketVersioning": {
        "logs-versioning": {"bucket": NAME, "versioningConfiguration": {"status": "Enabled"}}
    },
    ENCRYPTION: {
        "logs-encryption": {
            "bucket": NAME,
            "rules": [
                {
                    "applyServerSideEncryptionByDefault": {
                        "sseAlgorithm": "aws:kms",
                        "kmsMasterKeyId": KEY_ARN,
                    },
                    "bucketKeyEnabled": True,
                }
            ],
        }
    },
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": {
        "logs-ownership": {"bucket": NAME, "rule": {"objectOwnership": "BucketOwnerEnforced"}}
    },
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": {
        "logs-public-access": {
            "bucket": NAME,
            "blockPublicAcls": True,
            "blockPublicPolicy": True,
            "ignorePublicAcls": True,
            "restrictPublicBuckets": True,
        }
    },
    POLICY: {
        "logs-policy": {
            "bucket": NAME,
            "policy": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "DenyWithoutTls",
                        "Effect": "Deny",
                        "Principal": "*",
                        "Action": "s3:*",
                        "Resource": [f"arn:aws:s3:::{NAME}", f"arn:aws:s3:::{NAME}/*"],
                        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                    }
                ],
            },
        }
    },
}
LOGGING = "aws:s3/bucketLogging:BucketLogging"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
NONCURRENT = {
    "id": "noncurrent-versions",
    "status": "Enabled",
    "filter": {"prefix": ""},
    "expiration": {"expiredObjectDeleteMarker": True},
    "noncurrentVersionExpiration": {"noncurrentDays": 90},
}
UPLOADS = {
    "id": "incomplete-uploads",
    "status": "Enabled",
    "filter": {"prefix": ""},
    "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
}
EXPIRED = {"id": "expired-objects", "status": "Enabled", "filter": {"prefix": ""}, "expiration": {"days": 30}}


def args(**changes: Any) -> PrivateBucketArgs:
    given: dict[str, Any] = {
        "partition": "aws",
        "key_arn": KEY_ARN,
        "access_logs": None,
        "noncurrent_days": 90,
        "bucket_name": NAME,
    }
    return PrivateBucketArgs(**(given | changes))


def bucket(deploy: Deployment, **changes: Any) -> RecordingMonitor:
    return run(deploy, lambda opts: PrivateBucket("logs", args(**changes), opts))


@pytest.mark.parametrize(("token", "inputs"), INPUTS.items(), ids=INPUTS)
def test_inputs(deploy: Deployment, token: str, inputs: dict[str, Any]) -> None:
    assert bucket(deploy).inputs(token) == inputs


@pytest.mark.parametrize(
    ("days", "rules"),
    [(None, [NONCURRENT, UPLOADS]), (30, [NONCURRENT, UPLOADS, EXPIRED])],
    ids=["objects stay", "objects expire"],
)
def test_lifecycle(deploy: Deployment, days: int | None, rules: list[dict[str, Any]]) -> None:
    assert bucket(deploy, expiration_days=days).inputs(LIFECYCLE) == {
        "logs-lifecycle": {"bucket": NAME, "rules": rules}
    }


def test_nothing_else_is_registered(deploy: Deployment) -> None:
    types = {*INPUTS, LIFECYCLE, "airflow:data:PrivateBucket", "pulumi:providers:aws"}
    assert bucket(deploy).counts == dict.fromkeys(types, 1)


def test_children_belong_to_the_component(deploy: Deployment) -> None:
    children = [child for child in bucket(deploy).registered if child.type.startswith("aws:")]
    assert {child.parent for child in children} == {"logs"}


@pytest.mark.parametrize("protect", [True, False])
def test_protection_is_of_the_bucket_alone(deploy: Deployment, protect: bool) -> None:
    protected = {child.type for child in bucket(deploy, protect=protect).registered if child.protect}
    assert protected == ({BUCKET} if protect else set())


def test_bucket_is_protected_unless_told_otherwise() -> None:
    assert args().protect


def test_a_bucket_may_be_deleted_with_its_content(deploy: Deployment) -> None:
    assert bucket(deploy, protect=False, force_destroy=True).one(BUCKET).inputs["forceDestroy"] is True


def test_name_is_made_when_none_is_given(deploy: Deployment) -> None:
    assert "bucket" not in bucket(deploy, bucket_name=None).one(BUCKET).inputs


def test_keys_of_s3_itself(deploy: Deployment) -> None:
    """For what services of AWS write that know no KMS."""
    assert bucket(deploy, key_arn=None).inputs(ENCRYPTION) == {
        "logs-encryption": {
            "bucket": NAME,
            "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}],
        }
    }


def test_grants_follow_the_refusal(deploy: Deployment) -> None:
    grant = {
        "Sid": "Write",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
    }
    monitor = bucket(deploy, grants=lambda name: [grant | {"Resource": f"arn:aws:s3:::{name}/a/*"}])
    refusal, granted = monitor.inputs(POLICY)["logs-policy"]["policy"]["Statement"]
    assert refusal == INPUTS[POLICY]["logs-policy"]["policy"]["Statement"][0]
    assert granted == grant | {"Resource": f"arn:aws:s3:::{NAME}/a/*"}


TARGET_NAME = "airflow-test-access"


def logged(deploy: Deployment) -> RecordingMonitor:
    """Make a bucket for access logs and one that logs into it."""

    def build(opts: pulumi.ResourceOptions) -> None:
        grant = {
            "Sid": "Write",
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{TARGET_NAME}/buckets/*",
        }
        target = PrivateBucket("access", args(bucket_name=TARGET_NAME, grants=lambda _: [grant]), opts)
        PrivateBucket("logs", args(access_logs=target.log_target), opts)

    return run(deploy, build)


def test_access_log(deploy: Deployment) -> None:
    """Only of the bucket that has a target: the target itself keeps none."""
    assert logged(deploy).inputs(LOGGING) == {
        "logs-logging": {
            "bucket": NAME,
            "targetBucket": TARGET_NAME,
            "targetPrefix": "buckets/",
            "targetObjectKeyFormat": {"partitionedPrefix": {"partitionDateSource": "EventTime"}},
        }
    }


def test_access_log_waits_for_the_rights_to_write_it(deploy: Deployment) -> None:
    assert "access-policy" in logged(deploy).one(LOGGING).depends_on


def test_target_of_logs_is_the_bucket_once_its_policy_is_in_force(deploy: Deployment) -> None:
    _, component = built(deploy, lambda opts: PrivateBucket("logs", args(), opts))
    target: LogTarget = component.log_target
    names = [resource.pulumi_resource_name for resource in target.ready]
    assert (value(deploy, pulumi.Output.from_input(target.bucket_name)), names) == (NAME, ["logs-policy"])


def test_pattern_of_names_fits_the_name_that_is_made(deploy: Deployment) -> None:
    made = bucket(deploy, bucket_name=None).state(BUCKET)["bucket"]
    assert name_pattern("logs") == "logs-bucket-*"
    assert made.startswith("logs-bucket-")


@pytest.mark.parametrize(
    ("token", "waits_for"),
    [(LIFECYCLE, "logs-versioning"), (POLICY, "logs-public-access")],
    ids=["rules for versions after versions", "policy after the public access block"],
)
def test_order_that_s3_needs(deploy: Deployment, token: str, waits_for: str) -> None:
    assert waits_for in bucket(deploy).one(token).depends_on


def test_caller_options_do_not_reach_children(deploy: Deployment) -> None:
    monitor = run(
        deploy,
        lambda opts: PrivateBucket(
            "logs",
            args(),
            pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(ignore_changes=["bucket"])),
        ),
    )
    assert {child.ignore_changes for child in monitor.registered if child.type.startswith("aws:")} == {()}


def test_outputs(deploy: Deployment) -> None:
    assert bucket(deploy).outputs["logs"] == {"bucketName": NAME, "bucketArn": f"arn:aws:s3:::{NAME}"}


def test_ready_waits_for_what_must_be_in_force(deploy: Deployment) -> None:
    _, component = built(deploy, lambda opts: PrivateBucket("logs", args(), opts))
    names = {value(deploy, resource.urn).rpartition("::")[2] for resource in component.ready}
    assert names == {"logs-versioning", "logs-encryption", "logs-policy"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"noncurrent_days": 0}, "noncurrent_days: want 1 to 3650, got 0"),
        ({"expiration_days": 0}, "expiration_days: want 1 to 3650, got 0"),
        ({"bucket_name": "x" * 64}, r"bucket_name \(its length\): want 3 to 63, got 64"),
        ({"force_destroy": True}, "force_destroy: want False for a protected bucket, got True"),
    ],
    ids=["noncurrent", "expiration", "name", "force"],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        args(**changes)
