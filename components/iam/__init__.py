"""Policy documents as plain data: nothing here registers a resource or asks AWS.

Every statement has a Sid. `Resource: "*"` stands only where a comment names what forces it.
"""

from components.iam.base import (
    VERSION,
    Document,
    Statement,
    account_endpoint,
    bucket_arn,
    document,
    flow_log_writer,
    log_group_arn,
    partition_of,
    s3_endpoint,
    service_trust,
    shared_key,
    tls_only_bucket,
)

__all__ = [
    "VERSION",
    "Document",
    "Statement",
    "account_endpoint",
    "bucket_arn",
    "document",
    "flow_log_writer",
    "log_group_arn",
    "partition_of",
    "s3_endpoint",
    "service_trust",
    "shared_key",
    "tls_only_bucket",
]
