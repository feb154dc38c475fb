"""Policy documents, compared whole: a wider statement must show."""

from __future__ import annotations

from typing import Any

import pytest

from components import iam
from tests.unit.documents import KEY_STATEMENTS, trust

ACCOUNT = "111111111111"
REGION = "eu-west-1"
OWN_IDENTITIES = {
    "Sid": "OwnIdentitiesOnly",
    "Effect": "Allow",
    "Principal": "*",
    "Action": "*",
    "Resource": "*",
    "Condition": {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}},
}
DOCUMENTS: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "tls only bucket": (
        iam.tls_only_bucket("aws", "releases"),
        [
            {
                "Sid": "DenyWithoutTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": ["arn:aws:s3:::releases", "arn:aws:s3:::releases/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    ),
    "bucket that grants": (
        iam.tls_only_bucket("aws", "releases", {"Sid": "First"}, {"Sid": "Second"}),
        [
            {
                "Sid": "DenyWithoutTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": ["arn:aws:s3:::releases", "arn:aws:s3:::releases/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
            {"Sid": "First"},
            {"Sid": "Second"},
        ],
    ),
    "shared key": (
        iam.shared_key(REGION, ACCOUNT),
        KEY_STATEMENTS,
    ),
    "key with more grants": (
        iam.shared_key(REGION, ACCOUNT, {"Sid": "First"}, {"Sid": "Second"}),
        [*KEY_STATEMENTS, {"Sid": "First"}, {"Sid": "Second"}],
    ),
    "service trust": (
        iam.service_trust("vpc-flow-logs.amazonaws.com", account_id=ACCOUNT, source_arn="arn:aws:ec2:*"),
        [trust("vpc-flow-logs.amazonaws.com", "arn:aws:ec2:*")],
    ),
    "flow log writer": (
        iam.flow_log_writer(REGION, ACCOUNT, "traffic"),
        [
            {
                "Sid": "WriteStreams",
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
                "Resource": "arn:aws:logs:eu-west-1:111111111111:log-group:traffic:*",
            },
            {
                "Sid": "FindTheGroup",
                "Effect": "Allow",
                "Action": "logs:DescribeLogGroups",
                "Resource": "*",
            },
        ],
    ),
    "endpoint": (iam.account_endpoint(ACCOUNT), [OWN_IDENTITIES]),
    "S3 endpoint": (
        iam.s3_endpoint(REGION, ACCOUNT),
        [
            OWN_IDENTITIES,
            {
                "Sid": "ImageLayersOfEcr",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*",
            },
        ],
    ),
}


@pytest.mark.parametrize(("document", "statements"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_document(document: dict[str, Any], statements: list[dict[str, Any]]) -> None:
    """Whether AWS accepts it is proved by the engine tests, through the sandbox's linter."""
    assert document == {"Version": "2012-10-17", "Statement": statements}


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_partition(region: str, partition: str) -> None:
    assert iam.partition_of(region) == partition


def test_arns_are_of_the_partition() -> None:
    document = iam.flow_log_writer("us-gov-west-1", ACCOUNT, "traffic")
    assert document["Statement"][0]["Resource"].startswith("arn:aws-us-gov:logs:us-gov-west-1:")
