"""Policy documents of the data stores, compared whole: a missing refusal or a wider right must show."""

from __future__ import annotations

from components.iam import data

FILE_SYSTEM = "arn:aws:elasticfilesystem:eu-west-1:111111111111:file-system/fs-0123456789abcdef0"
READER = "arn:aws:elasticfilesystem:eu-west-1:111111111111:access-point/fsap-0123456789abcdef0"
WRITER = "arn:aws:elasticfilesystem:eu-west-1:111111111111:access-point/fsap-0123456789abcdef1"
MOUNT = "elasticfilesystem:ClientMount"
WRITE = "elasticfilesystem:ClientWrite"
ROOT = "elasticfilesystem:ClientRootAccess"
METRICS = "arn:aws:logs:eu-west-1:111111111111:log-group:RDSOSMetrics"


def test_efs_policy() -> None:
    policy = data.efs_policy(FILE_SYSTEM, reader_access_point_arn=READER, writer_access_point_arn=WRITER)
    everybody = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Resource": FILE_SYSTEM}
    assert policy == {
        "Version": "2012-10-17",
        "Statement": [
            {
                **everybody,
                "Sid": "DenyWithoutTls",
                "Action": [MOUNT, WRITE, ROOT],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
            {
                **everybody,
                "Sid": "DenyMountOutsideAccessPoints",
                "Action": [MOUNT],
                "Condition": {"StringNotEquals": {"elasticfilesystem:AccessPointArn": [READER, WRITER]}},
            },
            {
                **everybody,
                "Sid": "DenyWriteOutsideWriterAccessPoint",
                "Action": [WRITE],
                "Condition": {"StringNotEquals": {"elasticfilesystem:AccessPointArn": WRITER}},
            },
            {**everybody, "Sid": "DenyRootAccess", "Action": [ROOT]},
        ],
    }


def test_efs_policy_gives_nobody_anything() -> None:
    policy = data.efs_policy(FILE_SYSTEM, reader_access_point_arn=READER, writer_access_point_arn=WRITER)
    assert {statement["Effect"] for statement in policy["Statement"]} == {"Deny"}


def test_enhanced_monitoring() -> None:
    assert data.enhanced_monitoring("eu-west-1", "111111111111") == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "MakeTheLogGroup",
                "Effect": "Allow",
                "Action": ["logs:CreateLogGroup", "logs:PutRetentionPolicy"],
                "Resource": METRICS,
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
                "Resource": f"{METRICS}:log-stream:*",
            },
        ],
    }


def test_enhanced_monitoring_in_another_partition() -> None:
    statements = data.enhanced_monitoring("cn-north-1", "111111111111")["Statement"]
    assert statements[0]["Resource"] == "arn:aws-cn:logs:cn-north-1:111111111111:log-group:RDSOSMetrics"
