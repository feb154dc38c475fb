"""Service-linked roles of an account: with them AWS services act on what the platform builds.

AWS makes each at the first use of its service, if the deploying role may do that, and fails that first use when it may
not or when the new role is not known everywhere yet. So they are there before any environment is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

SERVICE_PRINCIPALS: Mapping[str, str] = {
    "ecs": "ecs.amazonaws.com",
    "ecs.application-autoscaling": "ecs.application-autoscaling.amazonaws.com",
    "rds": "rds.amazonaws.com",
    "elasticache": "elasticache.amazonaws.com",
    "elasticloadbalancing": "elasticloadbalancing.amazonaws.com",
    "backup": "backup.amazonaws.com",
}
"""Short name of a service: the principal that its role trusts."""


def make_service_linked_roles(name: str, services: Sequence[str], opts: pulumi.ResourceOptions) -> None:
    """Register the role of each service, given by short name; AWS names the roles, one in an account each."""
    for service in services:
        principal = SERVICE_PRINCIPALS[service]
        aws.iam.ServiceLinkedRole(
            f"{name}-{service}-service-role",
            aws_service_name=principal,
            description=f"Lets {principal} work in this account",
            opts=opts,
        )
