"""A bucket for our own use: encrypted, versioned, reached over TLS only and never public.

Roles of the account get access by their own policies; the bucket grants nothing but to AWS services that write into it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import checks, iam, naming
from components.rendering import as_json

INCOMPLETE_UPLOAD_DAYS = 7
"""Days until the parts of an upload that never finished are removed."""
MAX_DAYS = 3650
LOG_PREFIX = "buckets"
"""Where the access logs of buckets begin in the bucket that takes them; S3 adds account, region, bucket and day."""

Grants = Callable[[str], Sequence[iam.Statement]]
"""The statements of a bucket's policy that grant something, for its name."""


@dataclass(frozen=True, kw_only=True)
class LogTarget:
    """A bucket that takes the access logs of others."""

    bucket_name: pulumi.Input[str]
    ready: tuple[pulumi.Resource, ...]
    """Its policy: AWS refuses to log into a bucket that it may not write into yet."""


@dataclass(frozen=True, kw_only=True)
class PrivateBucketArgs:
    """Inputs of a PrivateBucket."""

    partition: str
    """AWS partition of the account, for ARNs."""
    key_arn: pulumi.Input[str] | None
    """Key that encrypts every object; readers and writers need rights on it as well. None: S3's own keys, for what
    services of AWS write that know no KMS."""
    access_logs: LogTarget | None
    """Where S3 writes who asked for what; None for the bucket that takes these logs, which would log its own log."""
    noncurrent_days: int
    """Days that overwritten and deleted objects can be brought back."""
    expiration_days: int | None = None
    """Days after which objects are deleted; None keeps them."""
    bucket_name: str | None = None
    """Physical name, only where something outside must know it beforehand; None lets Pulumi make one."""
    protect: bool = True
    """Refuse to delete the bucket."""
    force_destroy: bool = False
    """Delete the bucket with everything in it; else S3 refuses to delete one that is not empty."""
    grants: Grants | None = None
    """What services of AWS may do with the bucket; None: nothing."""

    def __post_init__(self) -> None:
        """Refuse what S3 would refuse, or would take for "never"."""
        if self.protect and self.force_destroy:
            raise ValueError("force_destroy: want False for a protected bucket, got True")
        checks.between("noncurrent_days", self.noncurrent_days, 1, MAX_DAYS)
        if self.expiration_days is not None:
            checks.between("expiration_days", self.expiration_days, 1, MAX_DAYS)
        if self.bucket_name is not None:
            checks.between("bucket_name (its length)", len(self.bucket_name), 3, naming.BUCKET_NAME_LIMIT)


class PrivateBucket(pulumi.ComponentResource):
    """One hardened bucket.

    All settings are resources of their own, as AWS models them. `ready` lists those that must be in force
    before anything is stored.
    """

    bucket_name: pulumi.Output[str]
    bucket_arn: pulumi.Output[str]
    ready: tuple[pulumi.Resource, ...]
    log_target: LogTarget
    """For those that log into this bucket; its `grants` must let them."""

    def __init__(
        self, name: str, args: PrivateBucketArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Register the bucket and its settings."""
        super().__init__("airflow:data:PrivateBucket", name, {}, opts)
        bucket = aws.s3.Bucket(
            f"{name}-bucket",
            bucket=args.bucket_name,
            force_destroy=args.force_destroy or None,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self.bucket_name, self.bucket_arn = bucket.bucket, bucket.arn
        policy = self._make_access(name, args)
        self.ready = (self._make_versioning(name, args), self._make_encryption(name, args), policy)
        self.log_target = LogTarget(bucket_name=self.bucket_name, ready=(policy,))
        if args.access_logs is not None:
            self._log(name, args.access_logs)
        self.register_outputs({"bucketName": self.bucket_name, "bucketArn": self.bucket_arn})

    def _make_versioning(self, name: str, args: PrivateBucketArgs) -> pulumi.Resource:
        versioning = aws.s3.BucketVersioning(
            f"{name}-versioning",
            bucket=self.bucket_name,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            bucket=self.bucket_name,
            rules=_lifecycle_rules(args),
            # S3 refuses rules for noncurrent versions while the bucket has no versions.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versioning]),
        )
        return versioning

    def _make_encryption(self, name: str, args: PrivateBucketArgs) -> pulumi.Resource:
        own_key = args.key_arn is not None
        default = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="aws:kms" if own_key else "AES256", kms_master_key_id=args.key_arn
        )
        return aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=self.bucket_name,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=default,
                    # One data key for many objects: without it every request is a paid call to KMS.
                    bucket_key_enabled=True if own_key else None,
                )
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _make_access(self, name: str, args: PrivateBucketArgs) -> pulumi.Resource:
        aws.s3.BucketOwnershipControls(
            f"{name}-ownership",
            bucket=self.bucket_name,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        block = aws.s3.BucketPublicAccessBlock(
            f"{name}-public-access",
            bucket=self.bucket_name,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return aws.s3.BucketPolicy(
            f"{name}-policy",
            bucket=self.bucket_name,
            policy=as_json(self.bucket_name.apply(lambda bucket: _policy(args, bucket))),
            # S3 answers OperationAborted when both change at the same time.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[block]),
        )

    def _log(self, name: str, target: LogTarget) -> None:
        by_day = aws.s3.BucketLoggingTargetObjectKeyFormatPartitionedPrefixArgs(
            partition_date_source="EventTime"
        )
        aws.s3.BucketLogging(
            f"{name}-logging",
            bucket=self.bucket_name,
            target_bucket=target.bucket_name,
            target_prefix=f"{LOG_PREFIX}/",
            target_object_key_format=aws.s3.BucketLoggingTargetObjectKeyFormatArgs(partitioned_prefix=by_day),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(target.ready)),
        )


def name_pattern(name: str) -> str:
    """Return what the name of the bucket of a component looks like, before it exists and its end is known."""
    return f"{name}-bucket-*"


def _policy(args: PrivateBucketArgs, bucket: str) -> iam.Document:
    grants = args.grants(bucket) if args.grants is not None else ()
    return iam.tls_only_bucket(args.partition, bucket, *grants)


def _lifecycle_rules(args: PrivateBucketArgs) -> list[aws.s3.BucketLifecycleConfigurationRuleArgs]:
    everything = aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix="")
    rules = [
        aws.s3.BucketLifecycleConfigurationRuleArgs(
            id="noncurrent-versions",
            status="Enabled",
            filter=everything,
            # A deleted object leaves a marker; without this, markers with nothing behind them stay for ever.
            expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(
                expired_object_delete_marker=True
            ),
            noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                noncurrent_days=args.noncurrent_days
            ),
        ),
        aws.s3.BucketLifecycleConfigurationRuleArgs(
            id="incomplete-uploads",
            status="Enabled",
            filter=everything,
            abort_incomplete_multipart_upload=(
                aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                    days_after_initiation=INCOMPLETE_UPLOAD_DAYS
                )
            ),
        ),
    ]
    if args.expiration_days is not None:
        rules.append(
            aws.s3.BucketLifecycleConfigurationRuleArgs(
                id="expired-objects",
                status="Enabled",
                filter=everything,
                expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=args.expiration_days),
            )
        )
    return rules
