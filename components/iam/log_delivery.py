"""What lets AWS write access logs into a bucket: statements of the bucket's policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from components.iam.base import Statement, bucket_arn

BALANCER_LOGS: Final = "logdelivery.elasticloadbalancing.amazonaws.com"
"""In all regions; the accounts of Elastic Load Balancing that older regions had in its place are no longer needed."""
BUCKET_LOGS: Final = "logging.s3.amazonaws.com"


def balancer_logs(partition: str, bucket: str, *, account_id: str, prefixes: Sequence[str]) -> Statement:
    """Return what application load balancers of the account need to write their logs.

    Without a condition, as AWS documents it: load balancers have been refused for one on aws:SourceArn. The service
    puts the account's id into every key, so the resource holds other accounts off.

    Args:
        partition: AWS partition of the account.
        bucket: Name of the bucket.
        account_id: The account of the load balancers.
        prefixes: Where their logs begin, without a slash at the end.

    """
    arn = bucket_arn(partition, bucket)
    return {
        "Sid": "LogsOfLoadBalancers",
        "Effect": "Allow",
        "Principal": {"Service": BALANCER_LOGS},
        "Action": "s3:PutObject",
        "Resource": [f"{arn}/{prefix}/AWSLogs/{account_id}/*" for prefix in prefixes],
    }


def bucket_logs(
    partition: str, bucket: str, *, account_id: str, prefix: str, sources: Sequence[str]
) -> Statement:
    """Return what S3 needs to write the access logs of other buckets of the account.

    Args:
        partition: AWS partition of the account.
        bucket: Name of the bucket that takes the logs.
        account_id: The account of both.
        prefix: Where the logs begin, without a slash at the end.
        sources: Names, or patterns of names, of the buckets that log.

    """
    return {
        "Sid": "LogsOfBuckets",
        "Effect": "Allow",
        "Principal": {"Service": BUCKET_LOGS},
        "Action": "s3:PutObject",
        "Resource": f"{bucket_arn(partition, bucket)}/{prefix}/*",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account_id},
            "ArnLike": {"aws:SourceArn": [bucket_arn(partition, source) for source in sources]},
        },
    }
