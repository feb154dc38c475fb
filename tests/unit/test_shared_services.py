"""The shared stack's component."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from components.iam.boundary import permissions_boundary
from components.service_roles import SERVICE_PRINCIPALS
from components.shared_contract import VERSION_EXPORT, SharedContract
from components.shared_services import SharedServices, SharedServicesArgs
from tests.harness import Deployment, RecordingMonitor
from tests.unit.documents import KEY_STATEMENTS, document
from tests.unit.programs import ACCOUNT, REGION, run

BOUNDARY = "aws:iam/policy:Policy"
KEY = "aws:kms/key:Key"
ALIAS = "aws:kms/alias:Alias"
REPOSITORY = "aws:ecr/repository:Repository"
IMAGE_LIFECYCLE = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
ZONE = "aws:route53/zone:Zone"
SERVICE_ROLE = "aws:iam/serviceLinkedRole:ServiceLinkedRole"
BUCKET = "aws:s3/bucket:Bucket"
SERVICE_ROLES = {f"shared-{service}-service-role" for service in SERVICE_PRINCIPALS}
STATE_BUCKET = "airflow-platform-state-111111111111-eu-west-1"
ARGS = SharedServicesArgs(
    account_id=ACCOUNT,
    region=REGION,
    domain_name="nonprod.example.com",
    noncurrent_version_days=90,
    access_log_retention_days=400,
    image_retention_count=40,
    key_deletion_days=14,
    service_linked_roles=tuple(SERVICE_PRINCIPALS),
    protect=True,
)


def shared(deploy: Deployment, args: SharedServicesArgs = ARGS) -> RecordingMonitor:
    return run(deploy, lambda opts: SharedServices("shared", args, opts))


def test_key(deploy: Deployment) -> None:
    assert shared(deploy).inputs(KEY) == {
        "shared-key": {
            "description": "State, images, releases and infrastructure logs of the Airflow platform",
            "enableKeyRotation": True,
            "deletionWindowInDays": 14,
            "policy": document(*KEY_STATEMENTS),
        }
    }


def test_key_alias(deploy: Deployment) -> None:
    monitor = shared(deploy)
    assert monitor.inputs(ALIAS) == {
        "shared-key-alias": {"name": "alias/airflow-platform", "targetKeyId": monitor.state(KEY)["keyId"]}
    }


def test_repository(deploy: Deployment) -> None:
    monitor = shared(deploy)
    assert monitor.inputs(REPOSITORY) == {
        "shared-repository": {
            "name": "airflow-platform/airflow",
            "imageTagMutability": "IMMUTABLE",
            "imageScanningConfiguration": {"scanOnPush": True},
            "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": monitor.state(KEY)["arn"]}],
        }
    }


def test_image_lifecycle(deploy: Deployment) -> None:
    assert shared(deploy).inputs(IMAGE_LIFECYCLE) == {
        "shared-repository-lifecycle": {
            "repository": "airflow-platform/airflow",
            "policy": {
                "rules": [
                    {
                        "rulePriority": 1,
                        "description": "untagged for 14 days",
                        "selection": {
                            "tagStatus": "untagged",
                            "countType": "sinceImagePushed",
                            "countUnit": "days",
                            "countNumber": 14,
                        },
                        "action": {"type": "expire"},
                    },
                    {
                        "rulePriority": 2,
                        "description": "keep the newest 40 with DAGs",
                        "selection": {
                            "tagStatus": "tagged",
                            "tagPrefixList": ["dags-"],
                            "countType": "imageCountMoreThan",
                            "countNumber": 40,
                        },
                        "action": {"type": "expire"},
                    },
                    {
                        "rulePriority": 3,
                        "description": "keep the newest 40, beside those with DAGs",
                        "selection": {
                            "tagStatus": "any",
                            "countType": "imageCountMoreThan",
                            "countNumber": 80,
                        },
                        "action": {"type": "expire"},
                    },
                ]
            },
        }
    }


def test_zone(deploy: Deployment) -> None:
    assert shared(deploy).inputs(ZONE) == {
        "shared-zone": {
            "name": "nonprod.example.com",
            "comment": "Airflow environments of this account",
        }
    }


def test_service_linked_roles(deploy: Deployment) -> None:
    principals = {
        "shared-ecs-service-role": "ecs.amazonaws.com",
        "shared-ecs.application-autoscaling-service-role": "ecs.application-autoscaling.amazonaws.com",
        "shared-rds-service-role": "rds.amazonaws.com",
        "shared-elasticache-service-role": "elasticache.amazonaws.com",
        "shared-elasticloadbalancing-service-role": "elasticloadbalancing.amazonaws.com",
        "shared-backup-service-role": "backup.amazonaws.com",
    }
    assert shared(deploy).inputs(SERVICE_ROLE) == {
        name: {"awsServiceName": principal, "description": f"Lets {principal} work in this account"}
        for name, principal in principals.items()
    }


@pytest.mark.parametrize("services", [(), ("rds",)], ids=["all", "all but one"])
def test_account_that_has_service_linked_roles_already(deploy: Deployment, services: tuple[str, ...]) -> None:
    monitor = shared(deploy, replace(ARGS, service_linked_roles=services))
    assert [*monitor.inputs(SERVICE_ROLE)] == [f"shared-{service}-service-role" for service in services]


def test_only_the_state_bucket_has_a_fixed_name(deploy: Deployment) -> None:
    assert shared(deploy).inputs(BUCKET) == {
        "shared-access-logs-bucket": {},
        "shared-release-bucket": {},
        "shared-state-bucket": {"bucket": STATE_BUCKET},
    }


def test_all_but_access_logs_use_the_key(deploy: Deployment) -> None:
    monitor = shared(deploy)
    rules = {
        resource.name: resource.inputs["rules"][0]["applyServerSideEncryptionByDefault"]
        for resource in monitor.registered
        if "EncryptionConfiguration" in resource.type
    }
    own_key = {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": monitor.state(KEY)["arn"]}
    assert rules == {
        "shared-access-logs-encryption": {"sseAlgorithm": "AES256"},
        "shared-release-encryption": own_key,
        "shared-state-encryption": own_key,
    }


def test_every_other_bucket_logs_into_that_of_access_logs(deploy: Deployment) -> None:
    monitor = shared(deploy)
    target = monitor.state(BUCKET, "shared-access-logs-bucket")["bucket"]
    targets = {
        name: inputs["targetBucket"]
        for name, inputs in monitor.inputs("aws:s3/bucketLogging:BucketLogging").items()
    }
    assert targets == {"shared-release-logging": target, "shared-state-logging": target}


def test_only_these_buckets_may_log(deploy: Deployment) -> None:
    monitor = shared(deploy)
    policies = monitor.inputs("aws:s3/bucketPolicy:BucketPolicy")
    [grant] = [
        statement
        for policy in policies.values()
        for statement in policy["policy"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    assert grant["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {
            "aws:SourceArn": [f"arn:aws:s3:::{STATE_BUCKET}", "arn:aws:s3:::shared-release-bucket-*"]
        },
    }


@pytest.mark.parametrize("protect", [True, False])
def test_access_logs_go_with_an_unprotected_stack(deploy: Deployment, protect: bool) -> None:
    """The others must be emptied by hand: nobody misses a log of what is gone."""
    buckets = shared(deploy, replace(ARGS, protect=protect)).inputs(BUCKET)
    emptied = {name for name, inputs in buckets.items() if inputs.get("forceDestroy")}
    assert emptied == (set() if protect else {"shared-access-logs-bucket"})


def test_only_access_logs_expire_by_their_age(deploy: Deployment) -> None:
    lifecycles = shared(deploy).inputs("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
    expirations = {
        name: [rule["expiration"] for rule in inputs["rules"] if "expiration" in rule]
        for name, inputs in lifecycles.items()
    }
    markers = {"expiredObjectDeleteMarker": True}
    assert expirations == {
        "shared-access-logs-lifecycle": [markers, {"days": 400}],
        "shared-release-lifecycle": [markers],
        "shared-state-lifecycle": [markers],
    }


def test_counts(deploy: Deployment) -> None:
    """What a bucket consists of is in test_private_bucket."""
    counts = shared(deploy).counts
    assert {token: count for token, count in counts.items() if not token.startswith("aws:s3/")} == {
        "pulumi:providers:aws": 1,
        "airflow:shared:SharedServices": 1,
        "airflow:data:PrivateBucket": 3,
        KEY: 1,
        ALIAS: 1,
        BOUNDARY: 1,
        REPOSITORY: 1,
        IMAGE_LIFECYCLE: 1,
        ZONE: 1,
        SERVICE_ROLE: 6,
    }


@pytest.mark.parametrize("protect", [True, False])
def test_protected(deploy: Deployment, protect: bool) -> None:
    names = {
        "shared-key",
        "shared-boundary",
        "shared-repository",
        "shared-zone",
        "shared-access-logs-bucket",
        "shared-state-bucket",
        "shared-release-bucket",
        *SERVICE_ROLES,
    }
    monitor = shared(deploy, replace(ARGS, protect=protect))
    assert {resource.name for resource in monitor.registered if resource.protect} == (
        names if protect else set()
    )


def test_parents(deploy: Deployment) -> None:
    parents = {resource.name: resource.parent for resource in shared(deploy).registered}
    assert {name for name, parent in parents.items() if parent == "shared"} == {
        "shared-key",
        "shared-key-alias",
        "shared-boundary",
        "shared-access-logs",
        "shared-state",
        "shared-release",
        "shared-repository",
        "shared-repository-lifecycle",
        "shared-zone",
        *SERVICE_ROLES,
    }


def test_boundary(deploy: Deployment) -> None:
    found = shared(deploy).one(BOUNDARY).inputs
    assert json.loads(found.pop("policy")) == permissions_boundary(REGION, ACCOUNT)
    assert found == {
        "name": "airflow-platform-boundary",
        "path": "/boundaries/",
        "description": "What no role of an Airflow environment can exceed",
    }


def test_outputs(deploy: Deployment) -> None:
    monitor = shared(deploy)
    release = monitor.state(BUCKET, "shared-release-bucket")
    repository, zone = monitor.state(REPOSITORY), monitor.state(ZONE)
    assert monitor.outputs["shared"] == {
        "contractVersion": 2,
        "accountId": ACCOUNT,
        "region": REGION,
        "stateBucketName": STATE_BUCKET,
        "keyArn": monitor.state(KEY)["arn"],
        "permissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/boundaries/airflow-platform-boundary",
        "repositoryUrl": repository["repositoryUrl"],
        "repositoryArn": repository["arn"],
        "releaseBucketName": release["bucket"],
        "releaseBucketArn": release["arn"],
        "zoneId": zone["zoneId"],
        "zoneName": "nonprod.example.com",
        "nameServers": zone["nameServers"],
    }


def test_exports_are_the_contract_and_the_name_servers(deploy: Deployment) -> None:
    contract = {VERSION_EXPORT, *SharedContract.export_names().values()}
    assert set(shared(deploy).outputs["shared"]) - contract == {"nameServers"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"account_id": "1111"}, 'account_id: want 12 digits, got "1111"'),
        ({"key_deletion_days": 6}, "key_deletion_days: want 7 to 30, got 6"),
        ({"image_retention_count": 0}, "image_retention_count: want 1 to 10000, got 0"),
        (
            {"service_linked_roles": ["rds", "rds"]},
            "service_linked_roles: want each value once, got rds, rds",
        ),
        (
            {"service_linked_roles": ["rds", "efs"]},
            (
                "service_linked_roles: want one of ecs, ecs.application-autoscaling, rds, elasticache, "
                "elasticloadbalancing, backup, got efs"
            ),
        ),
        (
            {"region": "eu-west-1-" + "x" * 30},
            r"region \(length of the state bucket's name\): want 3 to 63, got 76",
        ),
    ],
    ids=["account", "key", "images", "role twice", "unknown role", "region"],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(ARGS, **changes)
