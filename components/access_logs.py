"""The bucket of a stack's access logs: who asked its load balancer and its other buckets for what.

AWS writes them and only people read them; nobody gets rights here. Objects are encrypted with keys of S3 itself:
neither a load balancer nor S3 delivers logs into a bucket that encrypts with KMS. The bucket keeps no log of its own,
which would grow by being written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from components import iam
from components.iam import log_delivery
from components.private_bucket import LOG_PREFIX, PrivateBucketArgs

REQUESTS: Final = "load-balancer/requests"
"""Where a load balancer's access log begins. Neither may hold the text AWSLogs, which comes next in each key."""
CONNECTIONS: Final = "load-balancer/connections"
"""Where its log of connections begins: TLS of each client, also of those that never made a request."""
NONCURRENT_DAYS: Final = 30
"""A log is written once: an older version is one that somebody overwrote or deleted, and it can be brought back."""


def log_bucket(
    *,
    account_id: str,
    region: str,
    buckets: Sequence[str],
    load_balancer: bool,
    retention_days: int,
    protect: bool,
) -> PrivateBucketArgs:
    """Return the arguments of a bucket for access logs.

    Args:
        account_id: The account of the bucket and of what logs into it.
        region: The region of all of them.
        buckets: Names, or patterns of names, of the buckets that log into it.
        load_balancer: Whether a load balancer does.
        retention_days: Days after which a log is deleted.
        protect: Refuse to delete the bucket; otherwise it goes with all logs in it.

    """
    partition = iam.partition_of(region)

    def grants(bucket: str) -> list[iam.Statement]:
        of_buckets = log_delivery.bucket_logs(
            partition, bucket, account_id=account_id, prefix=LOG_PREFIX, sources=buckets
        )
        of_balancers = log_delivery.balancer_logs(
            partition, bucket, account_id=account_id, prefixes=(REQUESTS, CONNECTIONS)
        )
        return [of_balancers, of_buckets] if load_balancer else [of_buckets]

    return PrivateBucketArgs(
        partition=partition,
        key_arn=None,
        access_logs=None,
        noncurrent_days=NONCURRENT_DAYS,
        expiration_days=retention_days,
        protect=protect,
        force_destroy=not protect,
        grants=grants,
    )
