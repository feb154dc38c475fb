"""The building blocks of policy documents, and the documents of network, buckets and the shared key."""

from __future__ import annotations

from typing import Any

import pulumi

Document = dict[str, Any]
Statement = dict[str, Any]

VERSION = "2012-10-17"


def partition_of(region: str) -> str:
    """Return the AWS partition of a region: aws, aws-cn or aws-us-gov."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def document(*statements: Statement) -> Document:
    """Return a policy document of the statements."""
    return {"Version": VERSION, "Statement": list(statements)}


def bucket_arn(partition: str, bucket: str) -> str:
    """Return the ARN of a bucket."""
    return f"arn:{partition}:s3:::{bucket}"


def log_group_arn(region: str, account_id: str, log_group: str) -> str:
    """Return the ARN of a log group, without the `:*` of its streams.

    Built from the name, which is known in a preview, so that a policy on it can be checked there.
    """
    return f"arn:{partition_of(region)}:logs:{region}:{account_id}:log-group:{log_group}"


def tls_only_bucket(partition: str, bucket: str, *grants: Statement) -> Document:
    """Return the bucket policy that refuses every request without TLS; it grants nothing but what is given."""
    arn = bucket_arn(partition, bucket)
    return document(
        {
            "Sid": "DenyWithoutTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        *grants,
    )


def shared_key(region: str, account_id: str, *grants: Statement) -> Document:
    """Return the policy of the account's shared key, or with more grants that of an environment's key.

    S3 and ECR use the key with the rights of whoever calls them, so IAM policies of the account decide there.
    CloudWatch Logs uses it on its own account, for log groups of this account and region.
    """
    partition = partition_of(region)
    return document(
        {
            "Sid": "AccountDecidesByIam",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{partition}:iam::{account_id}:root"},
            "Action": "kms:*",
            # In a key policy "*" means this key, and nothing else can be written.
            "Resource": "*",
        },
        {
            "Sid": "LogGroupsOfThisAccount",
            "Effect": "Allow",
            # kms:DescribeKey is not among the actions: it has no encryption context, so the condition never holds.
            "Principal": {"Service": f"logs.{region}.amazonaws.com"},
            "Action": [
                "kms:Encrypt",
                "kms:Decrypt",
                "kms:ReEncrypt*",
                "kms:GenerateDataKey*",
            ],
            # In a key policy "*" means this key, and nothing else can be written.
            "Resource": "*",
            "Condition": {
                "ArnLike": {"kms:EncryptionContext:aws:logs:arn": log_group_arn(region, account_id, "*")}
            },
        },
        *grants,
    )


def service_trust(service: str, *, account_id: str, source_arn: pulumi.Input[str] | None = None) -> Document:
    """Return the trust policy for an AWS service acting for our own resources only (confused deputy).

    Args:
        service: Service principal, such as vpc-flow-logs.amazonaws.com.
        account_id: The account the calling resource must belong to.
        source_arn: Pattern of the calling resource's ARN; None for a service that is not known to send one.

    """
    condition: dict[str, Any] = {"StringEquals": {"aws:SourceAccount": account_id}}
    if source_arn is not None:
        condition["ArnLike"] = {"aws:SourceArn": source_arn}
    return document(
        {
            "Sid": "ServiceForOwnResources",
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sts:AssumeRole",
            "Condition": condition,
        }
    )


def flow_log_writer(region: str, account_id: str, log_group: str) -> Document:
    """Return what VPC flow logs need to write into one existing log group; they may not create groups."""
    arn = log_group_arn(region, account_id, log_group)
    return document(
        {
            "Sid": "WriteStreams",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
            "Resource": f"{arn}:*",
        },
        {
            "Sid": "FindTheGroup",
            "Effect": "Allow",
            "Action": "logs:DescribeLogGroups",
            # logs:DescribeLogGroups lists, so AWS knows no resource to limit it to.
            "Resource": "*",
        },
    )


def account_endpoint(account_id: str) -> Document:
    """Return the policy of a VPC endpoint: only identities of our account may use it.

    It keeps somebody inside the network from carrying data away with keys of another account. What our
    identities may do is decided by their own policies, and an endpoint carries one service only.
    """
    return document(_own_identities(account_id))


def s3_endpoint(region: str, account_id: str) -> Document:
    """Return the policy of the S3 endpoint: our identities, and the bucket that ECR keeps image layers in.

    Image layers are fetched with requests that ECR signed, so that statement cannot name our account.
    """
    layers = bucket_arn(partition_of(region), f"prod-{region}-starport-layer-bucket")
    return document(
        _own_identities(account_id),
        {
            "Sid": "ImageLayersOfEcr",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"{layers}/*",
        },
    )


def _own_identities(account_id: str) -> Statement:
    return {
        "Sid": "OwnIdentitiesOnly",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "*",
        # The identities' own policies name the resources; a DAG may read a bucket that another account shares
        # with us.
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalAccount": account_id}},
    }
