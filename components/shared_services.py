"""What the environments of one account share.

State bucket, key, boundary of roles, image registry, release bucket, access logs, DNS zone and service-linked roles.

It grants nothing to environments: their roles get rights of their own. It does not delegate the zone: the
parent domain's owner enters `name_servers` there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components import access_logs, checks, iam, naming
from components.iam import boundary
from components.private_bucket import PrivateBucket, PrivateBucketArgs, name_pattern
from components.rendering import as_json
from components.service_roles import SERVICE_PRINCIPALS, make_service_linked_roles
from components.shared_contract import CONTRACT_VERSION, VERSION_EXPORT
from components.tags import PROJECT

REPOSITORY_NAME = f"{PROJECT}/airflow"
"""Fixed: the other account's settings and the delivery pipelines name the repository."""
KEY_ALIAS = f"alias/{PROJECT}"
"""Fixed: stack files name the key as their secrets provider."""
DAG_IMAGE_TAG = "dags-"
"""Begins the tags of images with DAGs."""
UNTAGGED_IMAGE_DAYS = 14
"""Days until an image that lost its tag expires; images in use are never untagged, tags are immutable."""


def state_bucket_name(account_id: str, region: str) -> str:
    """Return the name of the account's state bucket.

    It is fixed because a backend must be known before any stack can be read.
    """
    return f"{PROJECT}-state-{account_id}-{region}"


@dataclass(frozen=True, kw_only=True)
class SharedServicesArgs:
    """Inputs of SharedServices."""

    account_id: str
    """The account it is built in."""
    region: str
    """The region it is built in; environments must be in the same."""
    domain_name: str
    """Name of the public DNS zone."""
    noncurrent_version_days: int
    """Days that overwritten and deleted objects of both buckets can be brought back."""
    access_log_retention_days: int
    """Days that the access logs of both buckets are kept."""
    image_retention_count: int
    """Images that the registry keeps of the platform, and as many with DAGs."""
    key_deletion_days: int
    """Days between the deletion of the key and its end, 7 to 30."""
    service_linked_roles: Sequence[str]
    """Short names of the services whose role the account lacks; of one that it has, AWS refuses a second."""
    protect: bool = True
    """Refuse to delete buckets, key, registry, zone and service-linked roles."""

    def __post_init__(self) -> None:
        """Refuse what AWS would refuse only when it is created."""
        checks.account_id(self.account_id)
        checks.between("key_deletion_days", self.key_deletion_days, 7, 30)
        checks.between("image_retention_count", self.image_retention_count, 1, 10_000)
        checks.distinct("service_linked_roles", self.service_linked_roles)
        for service in self.service_linked_roles:
            checks.one_of("service_linked_roles", service, SERVICE_PRINCIPALS)
        name = state_bucket_name(self.account_id, self.region)
        checks.between("region (length of the state bucket's name)", len(name), 3, naming.BUCKET_NAME_LIMIT)


class SharedServices(pulumi.ComponentResource):
    """The shared stack of one account."""

    state_bucket: PrivateBucket
    release_bucket: PrivateBucket
    key_arn: pulumi.Output[str]
    permissions_boundary_arn: pulumi.Output[str]
    """What no role of an environment can exceed."""
    repository_url: pulumi.Output[str]
    repository_arn: pulumi.Output[str]
    zone_id: pulumi.Output[str]
    zone_name: pulumi.Output[str]
    name_servers: pulumi.Output[list[str]]
    exports: dict[str, Any]
    """What the stack exports: the contract with the environments, and what people need."""

    def __init__(
        self, name: str, args: SharedServicesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Register everything, the key first: the buckets and the registry are encrypted with it."""
        super().__init__("airflow:shared:SharedServices", name, {}, opts)
        self._kept = pulumi.ResourceOptions(parent=self, protect=args.protect)
        self.key_arn = self._make_key(name, args)
        self.permissions_boundary_arn = self._make_boundary(name, args)
        self._access_logs = self._make_access_logs(name, args)
        self.state_bucket = self._make_bucket(
            f"{name}-state", args, bucket_name=state_bucket_name(args.account_id, args.region)
        )
        # No release expires by its age: the oldest one may be the one in use.
        self.release_bucket = self._make_bucket(f"{name}-release", args)
        repository = self._make_repository(name, args)
        self.repository_url, self.repository_arn = repository.repository_url, repository.arn
        zone = aws.route53.Zone(
            f"{name}-zone",
            name=args.domain_name,
            comment="Airflow environments of this account",
            opts=self._kept,
        )
        self.zone_id, self.zone_name = zone.zone_id, zone.name
        self.name_servers = zone.name_servers.apply(list)
        make_service_linked_roles(name, args.service_linked_roles, self._kept)
        self.exports = self._exports(args)
        self.register_outputs(self.exports)

    def _make_key(self, name: str, args: SharedServicesArgs) -> pulumi.Output[str]:
        key = aws.kms.Key(
            f"{name}-key",
            description="State, images, releases and infrastructure logs of the Airflow platform",
            enable_key_rotation=True,
            deletion_window_in_days=args.key_deletion_days,
            policy=as_json(iam.shared_key(args.region, args.account_id)),
            opts=self._kept,
        )
        aws.kms.Alias(
            f"{name}-key-alias",
            name=KEY_ALIAS,
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return key.arn

    def _make_access_logs(self, name: str, args: SharedServicesArgs) -> PrivateBucket:
        state = state_bucket_name(args.account_id, args.region)
        bucket = access_logs.log_bucket(
            account_id=args.account_id,
            region=args.region,
            buckets=[state, name_pattern(f"{name}-release")],
            load_balancer=False,
            retention_days=args.access_log_retention_days,
            protect=args.protect,
        )
        return PrivateBucket(f"{name}-access-logs", bucket, pulumi.ResourceOptions(parent=self))

    def _make_boundary(self, name: str, args: SharedServicesArgs) -> pulumi.Output[str]:
        policy = aws.iam.Policy(
            f"{name}-boundary",
            name=boundary.NAME,
            path=boundary.PATH,
            description="What no role of an Airflow environment can exceed",
            policy=as_json(boundary.permissions_boundary(args.region, args.account_id)),
            # Without it no role of an environment could be made or changed.
            opts=self._kept,
        )
        return policy.arn

    def _make_bucket(
        self, name: str, args: SharedServicesArgs, *, bucket_name: str | None = None
    ) -> PrivateBucket:
        return PrivateBucket(
            name,
            PrivateBucketArgs(
                partition=iam.partition_of(args.region),
                key_arn=self.key_arn,
                access_logs=self._access_logs.log_target,
                noncurrent_days=args.noncurrent_version_days,
                bucket_name=bucket_name,
                protect=args.protect,
            ),
            pulumi.ResourceOptions(parent=self),
        )

    def _make_repository(self, name: str, args: SharedServicesArgs) -> aws.ecr.Repository:
        repository = aws.ecr.Repository(
            f"{name}-repository",
            name=REPOSITORY_NAME,
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
            encryption_configurations=[
                aws.ecr.RepositoryEncryptionConfigurationArgs(encryption_type="KMS", kms_key=self.key_arn)
            ],
            opts=self._kept,
        )
        aws.ecr.LifecyclePolicy(
            f"{name}-repository-lifecycle",
            repository=repository.name,
            policy=as_json(image_lifecycle(args.image_retention_count)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return repository

    def _exports(self, args: SharedServicesArgs) -> dict[str, Any]:
        return {
            VERSION_EXPORT: CONTRACT_VERSION,
            "accountId": args.account_id,
            "region": args.region,
            "stateBucketName": self.state_bucket.bucket_name,
            "keyArn": self.key_arn,
            "permissionsBoundaryArn": self.permissions_boundary_arn,
            "repositoryUrl": self.repository_url,
            "repositoryArn": self.repository_arn,
            "releaseBucketName": self.release_bucket.bucket_name,
            "releaseBucketArn": self.release_bucket.bucket_arn,
            "zoneId": self.zone_id,
            "zoneName": self.zone_name,
            "nameServers": self.name_servers,
        }


def image_lifecycle(keep: int) -> dict[str, Any]:
    """Return the registry's lifecycle policy.

    Untagged images go after some days, then the oldest of those above `keep`. Images with DAGs come with every push:
    they have a limit of their own, and no number of them makes an image of the platform expire early.
    """
    untagged = {
        "tagStatus": "untagged",
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": UNTAGGED_IMAGE_DAYS,
    }
    dags = {
        "tagStatus": "tagged",
        "tagPrefixList": [DAG_IMAGE_TAG],
        "countType": "imageCountMoreThan",
        "countNumber": keep,
    }
    # ECR wants the rule for "any" to have the highest number; it also counts the images with DAGs.
    newest = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 2 * keep}
    return {
        "rules": [
            _expire(1, f"untagged for {UNTAGGED_IMAGE_DAYS} days", untagged),
            _expire(2, f"keep the newest {keep} with DAGs", dags),
            _expire(3, f"keep the newest {keep}, beside those with DAGs", newest),
        ]
    }


def _expire(priority: int, description: str, selection: dict[str, Any]) -> dict[str, Any]:
    return {
        "rulePriority": priority,
        "description": description,
        "selection": selection,
        "action": {"type": "expire"},
    }
