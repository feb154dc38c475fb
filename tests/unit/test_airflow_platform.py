"""The platform: what it hands from settings and shared stack to its components."""

from __future__ import annotations

from typing import Any

import pytest

from components.airflow_platform import AirflowPlatform, AirflowPlatformArgs
from components.shared_contract import SharedContract
from settings import EnvironmentSettings
from tests.harness import VPC, Deployment, RecordingMonitor
from tests.unit.programs import ACCOUNT, KEY_ARN, REGION, run

SETTINGS = EnvironmentSettings.model_validate_json(
    """
    {"kind": "environment", "environment": "staging",
     "account": {"id": "111111111111", "region": "eu-west-1"},
     "network": {"cidr": "10.30.0.0/16", "zones": ["eu-west-1b", "eu-west-1a"], "nat": "perZone",
                 "interfaceEndpoints": ["logs"], "publicMask": 24, "privateMask": 20, "dataMask": 25,
                 "flowLogRetentionDays": 90},
     "shared": {"stack": "nonprod-shared"}, "tags": {"owner": "data", "costCenter": "cc-1"}}
    """
)
SHARED = SharedContract(
    account_id=ACCOUNT,
    region=REGION,
    state_bucket_name="state",
    key_arn=KEY_ARN,
    repository_url="repository",
    repository_arn="arn:aws:ecr:eu-west-1:111111111111:repository/airflow-platform/airflow",
    release_bucket_name="releases",
    release_bucket_arn="arn:aws:s3:::releases",
    zone_id="Z1",
    zone_name="nonprod.example.com",
)


@pytest.fixture
def platform(deploy: Deployment) -> RecordingMonitor:
    args = AirflowPlatformArgs(settings=SETTINGS, shared=SHARED)
    return run(deploy, lambda opts: AirflowPlatform("airflow-staging", args, opts))


def test_components(platform: RecordingMonitor) -> None:
    components = {resource.type: resource.parent for resource in platform.registered if not resource.custom}
    assert components == {
        "airflow:platform:AirflowPlatform": "airflow-platform-dev",
        "airflow:network:Network": "airflow-staging",
        "airflow:network:FlowLog": "airflow-staging-network",
        "airflow:compute:Cluster": "airflow-staging",
        VPC: "airflow-staging-network",
    }


def test_it_creates_no_aws_resource_itself(platform: RecordingMonitor) -> None:
    own = [resource.name for resource in platform.registered if resource.parent == "airflow-staging"]
    assert own == ["airflow-staging-network", "airflow-staging-compute"]


def test_network_settings_reach_the_vpc(platform: RecordingMonitor) -> None:
    assert platform.one(VPC).inputs == {
        "cidrBlock": "10.30.0.0/16",
        "availabilityZoneNames": ["eu-west-1b", "eu-west-1a"],
        "availabilityZoneCidrMask": 18,
        "subnetStrategy": "Auto",
        "subnetSpecs": [
            {"type": "Public", "name": "public", "cidrMask": 24},
            {"type": "Private", "name": "private", "cidrMask": 20},
            {"type": "Isolated", "name": "data", "cidrMask": 25},
        ],
        "natGateways": {"strategy": "OnePerAz"},
        "enableDnsHostnames": True,
        "enableDnsSupport": True,
    }


def test_endpoints_are_those_of_the_settings(platform: RecordingMonitor) -> None:
    endpoints = platform.by_type["aws:ec2/vpcEndpoint:VpcEndpoint"]
    assert [endpoint.inputs["serviceName"].rpartition(".")[2] for endpoint in endpoints] == [
        "dynamodb",
        "logs",
        "s3",
    ]


def test_logs_use_the_shared_key(platform: RecordingMonitor) -> None:
    groups: dict[str, Any] = platform.inputs("aws:cloudwatch/logGroup:LogGroup")
    assert groups == {
        "airflow-staging-network-flow-log-group": {"retentionInDays": 90, "kmsKeyId": KEY_ARN},
        "airflow-staging-compute-exec-log": {"retentionInDays": 90, "kmsKeyId": KEY_ARN},
    }


def test_namespace_is_the_environments_own(platform: RecordingMonitor) -> None:
    namespace = platform.one("aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace")
    assert namespace.inputs["name"] == "staging.airflow.internal"


def test_roles_are_in_the_environments_path(platform: RecordingMonitor) -> None:
    roles = platform.by_type["aws:iam/role:Role"]
    assert {role.inputs["path"] for role in roles} == {"/airflow/staging/"}


def test_outputs(platform: RecordingMonitor) -> None:
    network = platform.outputs["airflow-staging-network"]
    compute = platform.outputs["airflow-staging-compute"]
    names = ("clusterArn", "clusterName", "namespaceId", "namespaceArn")
    assert platform.outputs["airflow-staging"] == network | {name: compute[name] for name in names}
