"""The bucket of a stack's access logs: its arguments, and what its policy lets AWS do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.access_logs import log_bucket
from components.iam import log_delivery
from components.private_bucket import PrivateBucket, PrivateBucketArgs
from tests.harness import Deployment
from tests.unit.programs import ACCOUNT, REGION, run

NAME = "airflow-dev-access"
BALANCERS = {
    "Sid": "LogsOfLoadBalancers",
    "Effect": "Allow",
    "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
    "Action": "s3:PutObject",
    "Resource": [
        "arn:aws:s3:::airflow-dev-access/load-balancer/requests/AWSLogs/111111111111/*",
        "arn:aws:s3:::airflow-dev-access/load-balancer/connections/AWSLogs/111111111111/*",
    ],
}
BUCKETS = {
    "Sid": "LogsOfBuckets",
    "Effect": "Allow",
    "Principal": {"Service": "logging.s3.amazonaws.com"},
    "Action": "s3:PutObject",
    "Resource": "arn:aws:s3:::airflow-dev-access/buckets/*",
    "Condition": {
        "StringEquals": {"aws:SourceAccount": "111111111111"},
        "ArnLike": {"aws:SourceArn": ["arn:aws:s3:::state", "arn:aws:s3:::releases-*"]},
    },
}


def args(**changes: Any) -> PrivateBucketArgs:
    given: dict[str, Any] = {
        "account_id": ACCOUNT,
        "region": REGION,
        "buckets": ["state", "releases-*"],
        "load_balancer": True,
        "retention_days": 400,
        "protect": True,
    }
    return log_bucket(**(given | changes))


@pytest.mark.parametrize("protect", [True, False])
def test_arguments(protect: bool) -> None:
    """Keys of S3 itself, no log of its own; what is not protected goes with all logs in it."""
    assert replace(args(protect=protect), grants=None) == PrivateBucketArgs(
        partition="aws",
        key_arn=None,
        access_logs=None,
        noncurrent_days=30,
        expiration_days=400,
        protect=protect,
        force_destroy=not protect,
    )


@pytest.mark.parametrize(
    ("load_balancer", "statements"),
    [(True, [BALANCERS, BUCKETS]), (False, [BUCKETS])],
    ids=["both", "buckets"],
)
def test_grants(load_balancer: bool, statements: list[dict[str, Any]]) -> None:
    grants = args(load_balancer=load_balancer).grants
    assert grants is not None
    assert grants(NAME) == statements


def test_other_partitions() -> None:
    grants = args(region="us-gov-west-1").grants
    assert grants is not None
    balancers, buckets = grants(NAME)
    assert buckets["Resource"] == f"arn:aws-us-gov:s3:::{NAME}/buckets/*"
    assert buckets["Condition"]["ArnLike"]["aws:SourceArn"][0] == "arn:aws-us-gov:s3:::state"
    assert {each.split(":")[1] for each in balancers["Resource"]} == {"aws-us-gov"}


def test_the_bucket_that_comes_of_it_can_be_made(deploy: Deployment) -> None:
    """Checked by the sandbox as AWS would: its policy speaks of its own name."""
    monitor = run(deploy, lambda opts: PrivateBucket("access", args(), opts))
    policy = monitor.inputs("aws:s3/bucketPolicy:BucketPolicy")["access-policy"]["policy"]
    services = [each["Principal"] for each in policy["Statement"][1:]]
    assert services == [{"Service": log_delivery.BALANCER_LOGS}, {"Service": log_delivery.BUCKET_LOGS}]
