"""The platform: what it hands from settings and shared stack to its components, and in which order.

Every component's own resources are tested beside it; the engine's view of the whole is in tests/engine.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from operations.stack_outputs import StackOutputs, parse
from tests.harness import VPC, RecordingMonitor
from tests.unit import environments
from tests.unit.environments import NAME, SHARED
from tests.unit.programs import KEY_ARN

SERVICE = "aws:ecs/service:Service"
DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
INVOCATION = f"{NAME}-gate-invocation"
API_SERVER = f"{NAME}-api-server-service"
DATA = "aws:rds/instance:Instance", "aws:elasticache/replicationGroup:ReplicationGroup"
KEPT = {
    "aws:kms/key:Key",
    "aws:rds/instance:Instance",
    "aws:elasticache/replicationGroup:ReplicationGroup",
    "aws:efs/fileSystem:FileSystem",
    "aws:dynamodb/table:Table",
    "aws:secretsmanager/secret:Secret",
    "aws:s3/bucket:Bucket",
    "aws:backup/vault:Vault",
}


@pytest.fixture(scope="module")
def small() -> RecordingMonitor:
    return environments.small()


@pytest.fixture(scope="module")
def full() -> RecordingMonitor:
    return environments.full()


def services(monitor: RecordingMonitor) -> dict[str, Any]:
    """Return the services by the rest of their names."""
    return {
        resource.name.removeprefix(f"{NAME}-").removesuffix("-service"): resource
        for resource in monitor.by_type[SERVICE]
    }


def test_components(small: RecordingMonitor) -> None:
    components = Counter(
        resource.type for resource in small.registered if resource.type.startswith("airflow:")
    )
    assert components == {
        "airflow:platform:AirflowPlatform": 1,
        "airflow:platform:Migration": 1,
        "airflow:network:Network": 1,
        "airflow:network:FlowLog": 1,
        "airflow:network:Firewall": 1,
        "airflow:data:EncryptionKey": 1,
        "airflow:data:Metastore": 1,
        "airflow:data:Broker": 1,
        "airflow:data:DagStorage": 1,
        "airflow:data:Credentials": 1,
        "airflow:data:PrivateBucket": 2,
        "airflow:compute:Cluster": 1,
        "airflow:compute:AirflowTask": 7,
        "airflow:compute:AirflowService": 5,
        "airflow:compute:WorkerPool": 1,
        "airflow:edge:WebEntry": 1,
        "airflow:ops:Observability": 1,
        "airflow:ops:AlarmTopic": 1,
        "airflow:ops:ServiceEvents": 1,
    }


def test_without_settings_there_are_no_backups(small: RecordingMonitor, full: RecordingMonitor) -> None:
    vaults = [len(monitor.by_type["aws:backup/vault:Vault"]) for monitor in (small, full)]
    assert vaults == [0, 1]


def test_a_vault_without_a_lock() -> None:
    monitor = environments.platform_of({"backups": {"retentionDays": 7, "lock": False}})
    assert monitor.one("aws:backup/vault:Vault").inputs["forceDestroy"] is True


def test_it_creates_no_aws_resource_itself(small: RecordingMonitor) -> None:
    own = {resource.type for resource in small.registered if resource.parent == NAME}
    assert [token for token in own if not token.startswith("airflow:")] == []


def test_services_of_a_small_environment(small: RecordingMonitor) -> None:
    assert set(services(small)) == {
        "api-server",
        "scheduler",
        "dag-processor",
        "triggerer",
        "worker-default",
    }


def test_services_of_everything(full: RecordingMonitor) -> None:
    assert set(services(full)) == {
        *("api-server", "scheduler", "dag-processor", "triggerer", "flower"),
        *("worker-default", "worker-heavy"),
    }


def test_network_settings_reach_the_vpc(small: RecordingMonitor) -> None:
    inputs = small.one(VPC).inputs
    assert (inputs["cidrBlock"], inputs["availabilityZoneNames"], inputs["natGateways"]) == (
        "10.20.0.0/16",
        ["eu-west-1a", "eu-west-1b"],
        {"strategy": "Single"},
    )


def test_endpoints_are_those_of_the_settings(small: RecordingMonitor) -> None:
    endpoints = small.by_type["aws:ec2/vpcEndpoint:VpcEndpoint"]
    names = [endpoint.inputs["serviceName"].rpartition(".")[2] for endpoint in endpoints]
    assert names == ["dynamodb", "logs", "s3"]


def test_the_flow_log_uses_the_shared_key_and_all_others_the_own(small: RecordingMonitor) -> None:
    groups = small.inputs("aws:cloudwatch/logGroup:LogGroup")
    own = small.state("aws:kms/key:Key")["arn"]
    shared = {name for name, inputs in groups.items() if inputs["kmsKeyId"] == KEY_ARN}
    assert shared == {f"{NAME}-network-flow-log-group"}
    assert {inputs["kmsKeyId"] for inputs in groups.values()} == {KEY_ARN, own}


def test_log_retention_is_that_of_the_settings(small: RecordingMonitor) -> None:
    groups = small.inputs("aws:cloudwatch/logGroup:LogGroup")
    traffic_and_sessions = {f"{NAME}-network-flow-log-group", f"{NAME}-compute-exec-log"}
    days = {name: inputs["retentionInDays"] for name, inputs in groups.items()}
    assert {name for name, kept in days.items() if kept == 7} == traffic_and_sessions
    assert set(days.values()) == {7, 14}


def test_private_names_are_the_environments_own(small: RecordingMonitor) -> None:
    namespace = small.one("aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace")
    assert namespace.inputs["name"] == "staging.airflow.internal"


def test_only_the_api_server_has_a_private_name(full: RecordingMonitor) -> None:
    names = [entry.inputs["name"] for entry in full.by_type["aws:servicediscovery/service:Service"]]
    assert names == ["api-server"]


def test_roles_are_in_the_environments_path(full: RecordingMonitor) -> None:
    roles = full.by_type["aws:iam/role:Role"]
    assert {role.inputs["path"] for role in roles} == {"/airflow/staging/"}


def test_no_two_services_share_a_role_a_group_or_a_log(full: RecordingMonitor) -> None:
    definitions = full.by_type[DEFINITION]
    for key in ("executionRoleArn", "taskRoleArn"):
        assert len({definition.inputs[key] for definition in definitions}) == len(definitions)
    groups = [each.inputs["networkConfiguration"]["securityGroups"] for each in full.by_type[SERVICE]]
    assert len({group for found in groups for group in found}) == len(groups)


def test_data_lives_in_data_subnets(small: RecordingMonitor) -> None:
    subnets = small.one("aws:rds/subnetGroup:SubnetGroup").inputs["subnetIds"]
    assert subnets == [f"subnet-{NAME}-network-vpc-data-{zone}" for zone in (1, 2)]


def test_services_live_in_private_subnets(small: RecordingMonitor) -> None:
    found = {tuple(each.inputs["networkConfiguration"]["subnets"]) for each in small.by_type[SERVICE]}
    assert found == {tuple(f"subnet-{NAME}-network-vpc-private-{zone}" for zone in (1, 2))}


@pytest.mark.parametrize(("stack", "tier"), [("small", "private"), ("full", "public")])
def test_web_entry_stands_where_access_says(request: Any, stack: str, tier: str) -> None:
    balancer = request.getfixturevalue(stack).one("aws:lb/loadBalancer:LoadBalancer")
    assert balancer.inputs["subnets"] == [f"subnet-{NAME}-network-vpc-{tier}-{zone}" for zone in (1, 2)]
    assert balancer.inputs["internal"] is (tier == "private")


def test_host_name(small: RecordingMonitor) -> None:
    certificate = small.one("aws:acm/certificate:Certificate")
    assert certificate.inputs["domainName"] == "airflow.staging.nonprod.example.com"


def test_every_service_runs_the_image_of_the_settings(full: RecordingMonitor) -> None:
    images = {
        container["image"]
        for definition in full.by_type[DEFINITION]
        for container in json.loads(definition.inputs["containerDefinitions"])
    }
    assert images == {
        f"111111111111.dkr.ecr.eu-west-1.amazonaws.com/airflow-platform/airflow@sha256:{'0' * 64}"
    }


def test_api_server_waits_for_the_gate(small: RecordingMonitor) -> None:
    assert INVOCATION in services(small)["api-server"].depends_on


def test_all_others_wait_for_the_api_server(full: RecordingMonitor) -> None:
    others = {name: each for name, each in services(full).items() if name != "api-server"}
    assert {name for name, each in others.items() if API_SERVER not in each.depends_on} == set()


def test_the_gate_waits_for_what_its_task_needs(small: RecordingMonitor) -> None:
    waits_for = small.one("aws:lambda/invocation:Invocation").depends_on
    for name in (
        "compute-capacity",
        "network-logs",
        "network-vpc-private-1",
        "bootstrap-execution-policy",
        "firewall-bootstrap-to-metastore-5432-in",
    ):
        assert f"{NAME}-{name}" in waits_for, name


@pytest.mark.parametrize("reader", ["dag-processor", "triggerer", "worker-default"])
def test_readers_of_dags_wait_for_the_file_system(small: RecordingMonitor, reader: str) -> None:
    wanted = {f"{NAME}-dag-storage-{zone}" for zone in (1, 2)} | {f"{NAME}-dag-storage-policy"}
    assert wanted <= services(small)[reader].depends_on


def test_flower_is_behind_the_web_entry(full: RecordingMonitor) -> None:
    (target,) = services(full)["flower"].inputs["loadBalancers"]
    assert (target["containerName"], target["containerPort"]) == ("flower", 5555)


def test_sessions_are_possible_only_where_settings_allow_them(
    small: RecordingMonitor, full: RecordingMonitor
) -> None:
    assert {each.inputs["enableExecuteCommand"] for each in small.by_type[SERVICE]} == {False}
    assert {each.inputs["enableExecuteCommand"] for each in full.by_type[SERVICE]} == {True}


def test_limits_of_pools_are_those_of_the_settings(full: RecordingMonitor) -> None:
    targets = full.inputs("aws:appautoscaling/target:Target")
    assert {name: (each["minCapacity"], each["maxCapacity"]) for name, each in targets.items()} == {
        f"{NAME}-worker-default-scaling": (1, 3),
        f"{NAME}-worker-heavy-scaling": (0, 4),
    }


def test_desired_count_is_ignored_only_for_workers(full: RecordingMonitor) -> None:
    ignoring = {name for name, each in services(full).items() if each.ignore_changes}
    assert ignoring == {"worker-default", "worker-heavy"}


def test_nothing_is_protected_unless_settings_say_so(small: RecordingMonitor) -> None:
    assert [resource.name for resource in small.registered if resource.protect] == []


def test_everything_that_holds_data_is_protected_where_settings_say_so(full: RecordingMonitor) -> None:
    assert {resource.type for resource in full.registered if resource.protect} == KEPT


def test_flower_secret_exists_only_with_flower(small: RecordingMonitor, full: RecordingMonitor) -> None:
    secret = f"{NAME}-credentials-flower-user"
    found = [secret in monitor.inputs("aws:secretsmanager/secret:Secret") for monitor in (small, full)]
    assert found == [False, True]


def test_outputs_name_every_service(full: RecordingMonitor) -> None:
    states = {full.resources[each.urn].state["name"] for each in full.by_type[SERVICE]}
    assert set(full.outputs[NAME]["serviceNames"]) == states


def test_outputs_name_the_roles_that_run_code_of_dags(full: RecordingMonitor) -> None:
    roles = {each.name: full.resources[each.urn].state["arn"] for each in full.by_type["aws:iam/role:Role"]}
    assert full.outputs[NAME]["dagRoleArns"] == [
        roles[f"{NAME}-{who}-task-role"] for who in ("triggerer", "worker-default", "worker-heavy")
    ]


def test_outputs_name_every_service_that_reads_dags(full: RecordingMonitor) -> None:
    """Each of their containers has to prove a release, so none may be missing."""
    states = {name: full.resources[each.urn].state["name"] for name, each in services(full).items()}
    readers = ("dag-processor", "triggerer", "worker-default", "worker-heavy")
    assert full.outputs[NAME]["dagReaderServices"] == [states[reader] for reader in readers]


def test_a_release_finds_everything_in_the_outputs(small: RecordingMonitor) -> None:
    """As the command reads them: what it would miss, it would say by name."""
    found = parse(json.dumps(small.outputs[NAME]), "the stack staging")
    names = {each.name: small.resources[each.urn].state.get("name") for each in small.registered}
    definition = small.state(DEFINITION, f"{NAME}-release-publisher-definition")
    assert found == StackOutputs(
        release_bucket="releases",
        ledger_table=str(small.state("aws:dynamodb/table:Table")["name"]),
        cluster=str(small.state("aws:ecs/cluster:Cluster")["name"]),
        publisher_task_definition=definition["arn"],
        publisher_subnets=tuple(f"subnet-{NAME}-network-vpc-private-{zone}" for zone in (1, 2)),
        publisher_security_groups=(
            small.id("aws:ec2/securityGroup:SecurityGroup", f"{NAME}-firewall-release-publisher"),
        ),
        reader_services=tuple(
            str(names[f"{NAME}-{reader}-service"])
            for reader in ("dag-processor", "triggerer", "worker-default")
        ),
        image_digest=f"sha256:{'0' * 64}",
        region="eu-west-1",
        repository_url=SHARED.repository_url,
        architecture="arm64",
    )


DAG_IMAGE = f"sha256:{'d' * 64}"


@pytest.fixture(scope="module")
def baked() -> RecordingMonitor:
    return environments.platform_of({"dags/delivery": "image", "dags/imageDigest": DAG_IMAGE})


def test_only_readers_of_dags_have_the_image_with_them(baked: RecordingMonitor) -> None:
    """So a push of DAGs starts nothing else anew: the other definitions stay the same, to the last byte."""
    images = {
        each.name.removeprefix(f"{NAME}-").removesuffix("-definition"): {
            container["image"].partition("@")[2]
            for container in json.loads(each.inputs["containerDefinitions"])
        }
        for each in baked.by_type[DEFINITION]
    }
    readers = {"dag-processor", "triggerer", "worker-default"}
    others = {"api-server", "scheduler", "bootstrap", "release-publisher"}
    assert images == {
        who: {DAG_IMAGE if who in readers else f"sha256:{'0' * 64}"} for who in readers | others
    }


def test_image_delivery_changes_definitions_and_rights_only(
    small: RecordingMonitor, baked: RecordingMonitor
) -> None:
    """Nothing is made and nothing goes, so the way back is an update, too."""

    def kinds(monitor: RecordingMonitor) -> Counter[tuple[str, str]]:
        return Counter((each.type, each.name) for each in monitor.registered)

    assert kinds(baked) == kinds(small)


def test_readers_of_an_image_with_dags_mount_no_storage(baked: RecordingMonitor) -> None:
    mounting = {
        each.name.removeprefix(f"{NAME}-").removesuffix("-definition")
        for each in baked.by_type[DEFINITION]
        if any("efsVolumeConfiguration" in volume for volume in each.inputs["volumes"])
    }
    assert mounting == {"release-publisher"}


@pytest.mark.parametrize("reader", ["dag-processor", "triggerer", "worker-default"])
def test_readers_of_an_image_with_dags_do_not_wait_for_the_file_system(
    baked: RecordingMonitor, reader: str
) -> None:
    storage = {f"{NAME}-dag-storage-{zone}" for zone in (1, 2)} | {f"{NAME}-dag-storage-policy"}
    assert storage.isdisjoint(services(baked)[reader].depends_on)


def test_only_the_publisher_may_mount_where_the_image_has_the_dags(baked: RecordingMonitor) -> None:
    policies = baked.inputs("aws:iam/rolePolicy:RolePolicy")
    mounting = {
        name.removeprefix(f"{NAME}-")
        for name, each in policies.items()
        if "elasticfilesystem:" in json.dumps(each["policy"])
    }
    assert mounting == {"release-publisher-task-policy"}


def test_outputs_say_how_dags_come(small: RecordingMonitor, baked: RecordingMonitor) -> None:
    found = [
        (monitor.outputs[NAME]["dagDelivery"], monitor.outputs[NAME]["dagImageDigest"])
        for monitor in (small, baked)
    ]
    assert found == [("release", ""), ("image", DAG_IMAGE)]


def test_a_release_in_an_image_finds_everything_in_the_outputs(baked: RecordingMonitor) -> None:
    found = parse(json.dumps(baked.outputs[NAME]), "the stack staging")
    assert (found.dags_in_image, found.dag_image_digest, found.repository_url, found.architecture) == (
        True,
        DAG_IMAGE,
        SHARED.repository_url,
        "arm64",
    )


def test_outputs(small: RecordingMonitor) -> None:
    outputs = small.outputs[NAME]
    assert {key: outputs[key] for key in ("webUrl", "metastoreIdentifier")} == {
        "webUrl": "https://airflow.staging.nonprod.example.com",
        "metastoreIdentifier": NAME,
    }
