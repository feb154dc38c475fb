"""The program itself, with the real stack files.

Not proved: that the engine accepts the result (tests/engine), and what the children of awsx look like.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pulumi
import pytest

from tests.harness import PROVIDER, VPC, Deployment, RecordingMonitor
from tests.unit.stacks import (
    ENVIRONMENTS,
    PROGRAM,
    ROOT,
    SHARED_STACKS,
    deployed,
    run_program,
    stack_file,
)

STACKS = (*SHARED_STACKS, *ENVIRONMENTS)
SHARED_EXPORTS = {
    "contractVersion",
    "accountId",
    "region",
    "stateBucketName",
    "keyArn",
    "permissionsBoundaryArn",
    "repositoryUrl",
    "repositoryArn",
    "releaseBucketName",
    "releaseBucketArn",
    "zoneId",
    "zoneName",
    "nameServers",
}
ENVIRONMENT_EXPORTS = {
    "alarmTopicArn",
    "vpcId",
    "publicSubnetIds",
    "privateSubnetIds",
    "dataSubnetIds",
    "clusterArn",
    "clusterName",
    "namespaceId",
    "namespaceArn",
    "keyArn",
    "metastoreIdentifier",
    "fileSystemId",
    "writerAccessPointId",
    "ledgerTableName",
    "releaseBucketName",
    "publisherTaskDefinitionArn",
    "publisherNetwork",
    "dagReaderServices",
    "imageDigest",
    "repositoryUrl",
    "architecture",
    "dagDelivery",
    "dagImageDigest",
    "region",
    "taskLogBucketName",
    "gateFunctionName",
    "serviceNames",
    "dagRoleArns",
    "webUrl",
}
NESTED = {"publisherNetwork": {"subnets", "securityGroups"}}
MAX_LINES = 60


@pytest.fixture(scope="module", params=STACKS)
def stack(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def monitor(stack: str) -> RecordingMonitor:
    return deployed(stack)


def test_every_stack_file_of_these_kinds_is_run_here() -> None:
    files = {path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml")}
    assert {name for name in files if stack_file(name)["kind"] in ("shared", "environment")} == set(STACKS)


def test_exports(stack: str, monitor: RecordingMonitor) -> None:
    assert set(monitor.exports) == (SHARED_EXPORTS if stack in SHARED_STACKS else ENVIRONMENT_EXPORTS)


def test_exports_are_names_ids_arns_and_urls(stack: str, monitor: RecordingMonitor) -> None:
    """Any other object would be a whole resource, an empty value a wrong wire; only without an image there is none."""
    kinds = {
        name: type(value) for name, value in monitor.exports.items() if not value and name != "dagImageDigest"
    }
    nested = {name: set(value) for name, value in monitor.exports.items() if isinstance(value, dict)}
    assert (kinds, nested) == ({}, {} if stack in SHARED_STACKS else NESTED)


def test_there_is_one_provider(monitor: RecordingMonitor) -> None:
    assert [provider.name for provider in monitor.by_type[PROVIDER]] == ["aws"]


def test_provider_refuses_other_accounts(stack: str, monitor: RecordingMonitor) -> None:
    allowed = json.loads(monitor.one(PROVIDER).inputs["allowedAccountIds"])
    assert allowed == [stack_file(stack)["account"]["id"]]


def test_provider_tags(stack: str, monitor: RecordingMonitor) -> None:
    settings = stack_file(stack)
    assert json.loads(monitor.one(PROVIDER).inputs["defaultTags"])["tags"] == {
        "owner": settings["tags"]["owner"],
        "costCenter": settings["tags"]["costCenter"],
        **settings["tags"].get("extra", {}),
        "environment": settings.get("environment", "shared"),
        "project": "airflow-platform",
        "stack": stack,
        "managedBy": "pulumi",
    }


def test_every_aws_resource_has_the_explicit_provider(monitor: RecordingMonitor) -> None:
    resources = [resource for resource in monitor.registered if resource.type.startswith("aws:")]
    assert {resource.provider.rpartition("::")[2] for resource in resources} == {"aws-id"}


def test_every_component_hands_the_explicit_provider_on(monitor: RecordingMonitor) -> None:
    components = [resource for resource in monitor.registered if not resource.custom]
    references = {(*resource.providers,) for resource in components}
    assert references == {("aws",)}


def test_every_taggable_resource_carries_the_default_tags(monitor: RecordingMonitor) -> None:
    default = set(json.loads(monitor.one(PROVIDER).inputs["defaultTags"])["tags"].items())
    states = {
        resource.name: monitor.resources[resource.urn].state
        for resource in monitor.registered
        if resource.type.startswith("aws:")
    }
    untagged = [
        name
        for name, state in states.items()
        if "tagsAll" in state and not default <= set(state["tagsAll"].items())
    ]
    assert (untagged, sum("tagsAll" in state for state in states.values()) > 0) == ([], True)


PROTECTED = {
    "nonprod-shared": set[str](),
    "prod-shared": {"Key", "Bucket", "Policy", "Repository", "Zone", "ServiceLinkedRole"},
    "dev": set[str](),
    "prod": {"Key", "Bucket", "Instance", "ReplicationGroup", "FileSystem", "Table", "Secret", "Vault"},
}


def test_what_holds_data_is_protected_in_the_prod_account(stack: str, monitor: RecordingMonitor) -> None:
    protected = {resource.type.rpartition(":")[2] for resource in monitor.registered if resource.protect}
    assert protected == PROTECTED[stack]


def test_a_deleted_dev_stack_blocks_no_name() -> None:
    """Secrets are gone at once, and their names have a random end anyway."""
    secrets = deployed("dev").inputs("aws:secretsmanager/secret:Secret").values()
    assert {(each.get("recoveryWindowInDays"), "name" in each) for each in secrets} == {(0, False)}


@pytest.mark.parametrize("stack", ["prod-shared"])
def test_what_production_shares_is_protected(stack: str) -> None:
    assert stack_file(stack)["shared"]["protect"] is True


@pytest.mark.parametrize("stack", ENVIRONMENTS)
def test_environment_reads_the_shared_stack_of_its_settings(stack: str) -> None:
    reference = f"organization/airflow-platform/{stack_file(stack)['shared']['stack']}"
    assert deployed(stack).reads == [reference]


@pytest.mark.parametrize("stack", ENVIRONMENTS)
def test_every_log_group_has_a_key_and_an_end(stack: str) -> None:
    groups = deployed(stack).inputs("aws:cloudwatch/logGroup:LogGroup")
    assert [name for name, each in groups.items() if not {"kmsKeyId", "retentionInDays"} <= set(each)] == []


def refusal(deploy: Deployment, settings: dict[str, Any], shared: dict[str, Any] | None) -> str:
    with pytest.raises(pulumi.RunError) as error:
        run_program(deploy, "dev", settings, shared)
    return str(error.value)


def test_wrong_settings_are_refused_by_name(deploy: Deployment) -> None:
    """Every rule has its own test in tests/settings."""
    settings = stack_file("dev")
    settings["network"]["nat"] = "two"
    assert 'network.nat: got "two"' in refusal(deploy, settings, None)


def test_wrong_settings_register_nothing(deploy: Deployment) -> None:
    settings = stack_file("dev")
    settings["network"]["nat"] = "two"
    refusal(deploy, settings, None)
    assert deploy.monitor.registered == []


def test_older_shared_stack_is_refused_with_the_remedy(deploy: Deployment) -> None:
    message = refusal(deploy, stack_file("dev"), {"contractVersion": 0})
    assert message == (
        "shared.stack: the stack nonprod-shared has contractVersion 0, this program needs 2; "
        "bring it up to date first: pulumi up --stack nonprod-shared"
    )


def test_older_shared_stack_stops_before_anything_is_registered(deploy: Deployment) -> None:
    refusal(deploy, stack_file("dev"), {"contractVersion": 0})
    assert deploy.monitor.registered == []


def test_missing_shared_stack_is_an_error(deploy: Deployment) -> None:
    """The text is the engine's own; here it is the mock's."""
    with pytest.raises(Exception, match="unknown stack"):
        run_program(deploy, "dev")


def test_program_is_short() -> None:
    assert len(PROGRAM.read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize("name", ["dev", "staging", "preprod", "prod", "nonprod"])
def test_program_does_not_know_environments(name: str) -> None:
    assert not re.search(rf"\b{name}\b", PROGRAM.read_text())


def test_vpc_has_no_literal_zones() -> None:
    zones = {stack: deployed(stack).one(VPC).inputs["availabilityZoneNames"] for stack in ENVIRONMENTS}
    assert zones == {stack: stack_file(stack)["network"]["zones"] for stack in ENVIRONMENTS}


def test_shared_stacks_reference_no_other() -> None:
    assert [deployed(stack).reads for stack in SHARED_STACKS] == [[], []]
