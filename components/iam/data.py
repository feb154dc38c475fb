"""The policy documents of the data stores: who may not use the DAG storage, and what RDS monitoring writes."""

from __future__ import annotations

from typing import Final

import pulumi

from components.iam.base import Document, document, log_group_arn

MONITORING_LOG_GROUP: Final = "RDSOSMetrics"
"""Where RDS puts operating system metrics; one group an account and region, made and named by RDS."""

_ACCESS_POINT: Final = "elasticfilesystem:AccessPointArn"
_MOUNT: Final = "elasticfilesystem:ClientMount"
_WRITE: Final = "elasticfilesystem:ClientWrite"
_ROOT: Final = "elasticfilesystem:ClientRootAccess"


def efs_policy(
    file_system_arn: pulumi.Input[str],
    *,
    reader_access_point_arn: pulumi.Input[str],
    writer_access_point_arn: pulumi.Input[str],
) -> Document:
    """Return the policy of the DAG storage: only refusals, so that it gives nobody anything.

    The rights to mount and to write come from the roles' own policies. Without a policy EFS would let every
    client mount that reaches it, with or without an identity.
    """

    def deny(sid: str, actions: list[str], condition: dict[str, object] | None = None) -> dict[str, object]:
        statement = {
            "Sid": sid,
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": actions,
            "Resource": file_system_arn,
        }
        return statement | ({"Condition": condition} if condition else {})

    # Who mounts without an access point sends no such key; StringNotEquals holds then, too.
    return document(
        deny("DenyWithoutTls", [_MOUNT, _WRITE, _ROOT], {"Bool": {"aws:SecureTransport": "false"}}),
        deny(
            "DenyMountOutsideAccessPoints",
            [_MOUNT],
            {"StringNotEquals": {_ACCESS_POINT: [reader_access_point_arn, writer_access_point_arn]}},
        ),
        deny(
            "DenyWriteOutsideWriterAccessPoint",
            [_WRITE],
            {"StringNotEquals": {_ACCESS_POINT: writer_access_point_arn}},
        ),
        deny("DenyRootAccess", [_ROOT]),
    )


def enhanced_monitoring(region: str, account_id: str) -> Document:
    """Return what RDS needs to write operating system metrics.

    The managed policy AmazonRDSEnhancedMonitoringRole has the same actions, on every log group that begins
    with RDS, of every region.
    """
    group = log_group_arn(region, account_id, MONITORING_LOG_GROUP)
    return document(
        {
            "Sid": "MakeTheLogGroup",
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:PutRetentionPolicy"],
            "Resource": group,
        },
        {
            "Sid": "WriteStreams",
            "Effect": "Allow",
            "Action": [
                "logs:CreateLogStream",
                "logs:PutLogEvents",
                "logs:DescribeLogStreams",
                "logs:GetLogEvents",
            ],
            "Resource": f"{group}:log-stream:*",
        },
    )
