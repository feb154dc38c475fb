"""What the environments of one account share: the shared stack's own settings, and the reference to it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from settings.section import Section, allowed

DomainName = Annotated[
    str,
    Field(
        pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$",
        max_length=40,  # with hostLabel and environment 64: the most that a certificate's name may have
        json_schema_extra=allowed(
            "a lower-case DNS name of at most 40 characters without a final dot, such as nonprod.example.com"
        ),
    ),
]


class SharedStack(StrEnum):
    """The shared stacks, one for each account."""

    NONPROD = "nonprod-shared"
    PROD = "prod-shared"


class ServiceLinkedRole(StrEnum):
    """Services of AWS that act in the account with a role of their own.

    AWS would make each role at the first use of its service, if the deploying role may do that, and that first
    use can fail while the role is new.
    """

    ECS = "ecs"
    """AWSServiceRoleForECS: network interfaces, load balancer targets and private names of tasks."""
    ECS_SCALING = "ecs.application-autoscaling"
    """AWSServiceRoleForApplicationAutoScaling_ECSService: the number of workers of a pool."""
    RDS = "rds"
    """AWSServiceRoleForRDS: the metastore."""
    ELASTICACHE = "elasticache"
    """AWSServiceRoleForElastiCache: the broker."""
    ELASTICLOADBALANCING = "elasticloadbalancing"
    """AWSServiceRoleForElasticLoadBalancing: the load balancer of the web entry."""
    BACKUP = "backup"
    """AWSServiceRoleForBackup: the file system's own backups, and the removal of old ones."""


class SharedServicesSettings(Section):
    """The shared services of an account.

    State bucket, key, image registry, release bucket, their access logs, DNS zone and service-linked roles.
    """

    domain_name: DomainName
    """Name of the DNS zone; the environments of the account live below it."""
    protect: bool
    """Refuse to delete buckets, key, registry, zone and service-linked roles until this is changed to false and
    applied."""
    noncurrent_version_days: Annotated[int, Field(ge=1, le=3650)] = 90
    """Days that an overwritten or deleted object of a bucket can be brought back."""
    access_log_retention_days: Annotated[int, Field(ge=1, le=3650)] = 365
    """Days that the access logs of the buckets are kept."""
    image_retention_count: Annotated[int, Field(ge=5, le=1000)] = 50
    """Images that the registry keeps of the platform, and as many with DAGs; rollback reaches only what is kept."""
    key_deletion_days: Annotated[int, Field(ge=7, le=30)] = 30
    """Waiting period, in days, before a deleted encryption key is gone for good."""
    service_linked_roles: tuple[ServiceLinkedRole, ...] = tuple(ServiceLinkedRole)
    """Service-linked roles that the stack makes. An account that has one already refuses a second: before the
    first `pulumi up`, list only those it lacks (`aws iam get-role --role-name AWSServiceRoleForECS`)."""


class SharedReference(Section):
    """Where an environment finds the shared services of its account."""

    stack: SharedStack
    """Name of the shared stack of the same account."""
