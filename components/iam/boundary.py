"""The boundary of every role that an environment makes: what none of them may ever do, whatever its policy says.

It lives in the shared stack, so that who deploys an environment can neither widen it nor make a role without it.
"""

from __future__ import annotations

from typing import Final

from components.iam.base import Document, bucket_arn, document, partition_of

NAME: Final = "airflow-platform-boundary"
"""Fixed: roles that deploy environments may make roles with this boundary only."""
PATH: Final = "/boundaries/"
"""What is there limits and is never attached: policies judge it by other rules than what grants."""
OF_THE_REGION: Final[dict[str, tuple[str, ...]]] = {
    "backup": ("CopyIntoBackupVault", "DescribeBackupVault", "TagResource"),
    "dynamodb": (
        *("ConditionCheckItem", "CreateBackup", "DeleteBackup", "DescribeBackup", "DescribeTable", "GetItem"),
        *("ListTagsOfResource", "PutItem", "Query", "StartAwsBackupJob", "UpdateItem"),
    ),
    "ecr": ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer"),
    "ecs": ("DescribeServices", "DescribeTasks", "GetTaskProtection", "RunTask", "UpdateTaskProtection"),
    "elasticache": ("DescribeUsers", "ModifyUser"),
    "elasticfilesystem": ("Backup", "ClientMount", "ClientWrite", "DescribeTags"),
    "kms": ("Decrypt", "DescribeKey", "GenerateDataKey"),
    "logs": (
        *("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "GetLogEvents", "PutLogEvents"),
        "PutRetentionPolicy",
    ),
    "rds": (
        *("AddTagsToResource", "CreateDBSnapshot", "DeleteDBSnapshot", "DescribeDBInstances"),
        *("DescribeDBSnapshots", "ListTagsForResource"),
    ),
    "secretsmanager": ("DescribeSecret", "GetSecretValue", "PutSecretValue"),
    "sns": ("Publish",),
}
"""Actions by service, on what is in our account and region."""
OF_OUR_BUCKETS: Final = ("GetObject", "ListBucket", "PutObject")
OF_OUR_ROLES: Final = ("iam:PassRole", "sts:AssumeRole", "sts:TagSession")
WITHOUT_RESOURCE: Final = (
    "cloudwatch:PutMetricData",
    "ecr:GetAuthorizationToken",
    "ecs:ListServices",
    "ecs:ListTasks",
    "logs:DescribeLogGroups",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
    "tag:GetResources",
)
"""What AWS knows no resource for, or none that is known before it exists."""


def permissions_boundary(region: str, account_id: str) -> Document:
    """Return the boundary: the actions of all our roles together, in this account and region."""
    partition = partition_of(region)
    services = (
        {
            "Sid": f"Our{service.title()}",
            "Effect": "Allow",
            "Action": [f"{service}:{action}" for action in actions],
            "Resource": f"arn:{partition}:{service}:{region}:{account_id}:*",
        }
        for service, actions in OF_THE_REGION.items()
    )
    buckets = bucket_arn(partition, "airflow-*")
    return document(
        *services,
        {
            "Sid": "OurBuckets",
            "Effect": "Allow",
            "Action": [f"s3:{action}" for action in OF_OUR_BUCKETS],
            "Resource": [buckets, f"{buckets}/*"],
        },
        {
            "Sid": "OurRoles",
            "Effect": "Allow",
            "Action": list(OF_OUR_ROLES),
            "Resource": f"arn:{partition}:iam::{account_id}:role/airflow/*",
        },
        {
            "Sid": "WithoutResource",
            "Effect": "Allow",
            "Action": list(WITHOUT_RESOURCE),
            # AWS knows no resource to limit them to; the roles' own policies have conditions.
            "Resource": "*",
        },
    )
