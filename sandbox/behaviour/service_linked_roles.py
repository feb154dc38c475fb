"""The names of IAM's service-linked roles: AWS makes them up, and no rule leads from a service to its role.

Source: each service's user guide ("Using service-linked roles"), 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sandbox.behaviour.model import Properties

TOKEN: Final = "aws:iam/serviceLinkedRole:ServiceLinkedRole"

NAMES: Final[Mapping[str, str]] = {
    "autoscaling.amazonaws.com": "AWSServiceRoleForAutoScaling",
    "backup.amazonaws.com": "AWSServiceRoleForBackup",
    "dynamodb.application-autoscaling.amazonaws.com": "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable",
    "ecs.amazonaws.com": "AWSServiceRoleForECS",
    "ecs.application-autoscaling.amazonaws.com": "AWSServiceRoleForApplicationAutoScaling_ECSService",
    "elasticache.amazonaws.com": "AWSServiceRoleForElastiCache",
    "elasticbeanstalk.amazonaws.com": "AWSServiceRoleForElasticBeanstalk",
    "elasticfilesystem.amazonaws.com": "AWSServiceRoleForAmazonElasticFileSystem",
    "elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
    "mq.amazonaws.com": "AWSServiceRoleForAmazonMQ",
    "opensearchservice.amazonaws.com": "AWSServiceRoleForAmazonOpenSearchService",
    "rds.amazonaws.com": "AWSServiceRoleForRDS",
    "spot.amazonaws.com": "AWSServiceRoleForEC2Spot",
}
"""Service principal: name of its role."""

WITH_SUFFIX: Final = frozenset({"autoscaling.amazonaws.com"})
"""Services of these that may have several roles in an account, told apart by a suffix."""


def role_name(inputs: Properties) -> str:
    """Return the name of a role; an empty text for a service that is not in the table."""
    name, suffix = NAMES.get(inputs.get("awsServiceName", ""), ""), inputs.get("customSuffix")
    return f"{name}_{suffix}" if name and suffix else name
