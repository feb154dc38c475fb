"""What the twin reads from a stack's state, and what it says when a part is missing.

Not proved here: that the engine writes a state like this; the twin's own tests start from a real one.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.twin import platform
from sandbox.twin.balancer_rules import Fixed
from sandbox.twin.model import HealthCheck, Mount, SecretSource
from sandbox.twin.platform import AccessPoint, PlatformError
from tests.twin.rendered import container, read, resources

pytestmark = pytest.mark.filterwarnings(r"ignore::DeprecationWarning:pulumi_(aws|awsx)\..*")


def changed(token: str, **outputs: Any) -> list[dict[str, Any]]:
    """Return the state of dev with other outputs of all resources of a type."""
    return [
        each | {"outputs": each["outputs"] | outputs} if each["type"] == token else each
        for each in resources("dev")
    ]


def without(token: str) -> list[dict[str, Any]]:
    return [each for each in resources("dev") if each["type"] != token]


def refusal(state: list[dict[str, Any]]) -> str:
    with pytest.raises(PlatformError) as caught:
        platform.read(state)
    return str(caught.value)


def test_the_place() -> None:
    found = read("dev")
    assert (found.environment, found.account, found.region) == ("dev", "111111111111", "eu-west-1")
    assert (found.vpc_cidr, found.base_url) == ("10.20.0.0/16", "https://airflow.dev.nonprod.example.com")


def test_every_service_has_its_role_and_count() -> None:
    counts = {(each.role, each.definition.family): each.desired_count for each in read("prod").services}
    assert counts == {
        ("api-server", "airflow-prod-api-server"): 2,
        ("dag-processor", "airflow-prod-dag-processor"): 1,
        ("scheduler", "airflow-prod-scheduler"): 2,
        ("triggerer", "airflow-prod-triggerer"): 2,
        ("worker", "airflow-prod-worker-default"): 2,
        ("worker", "airflow-prod-worker-heavy"): 1,
    }


def test_the_api_server_has_a_private_name_and_stands_behind_the_balancer() -> None:
    service = next(each for each in read("dev").services if each.role == "api-server")
    (group,) = (arn for arn in read("dev").balancer.target_groups if "web-api" in arn)
    assert service.dns_names == ("api-server.dev.airflow.internal",)
    assert service.target_groups == ((group, 8080),)
    assert service.grace_period_seconds == 180
    assert (service.minimum_healthy_percent, service.maximum_percent) == (100, 200)


def test_a_service_without_a_name_and_a_balancer() -> None:
    service = next(each for each in read("dev").services if each.role == "scheduler")
    assert (service.dns_names, service.target_groups, service.grace_period_seconds) == ((), (), 0)


def test_a_definition() -> None:
    definition = read("dev").bootstrap
    assert (definition.family, definition.revision) == ("airflow-dev-bootstrap", 1)
    assert (definition.cpu_units, definition.memory_mib) == (1024, 2048)


def test_only_agent_and_publisher_have_the_file_system_each_by_its_own_way() -> None:
    """Airflow itself has neither: it reads copies."""
    found = read("dev")
    mounts = {
        (definition.family, container.name): (mount.access_point, mount.path, mount.read_only)
        for definition in found.definitions
        for container in definition.containers
        for mount in container.mounts
        if mount.access_point
    }
    reader = mounts["airflow-dev-triggerer", "release-agent"][0]
    writer = mounts["airflow-dev-release-publisher", "release-publisher"][0]
    assert {name for _, name in mounts} == {"release-agent", "release-publisher"}
    assert set(mounts.values()) == {(reader, "/mnt/dags", True), (writer, "/mnt/dags", False)}
    assert found.access_points == {
        each: AccessPoint(path="/releases", owner=50001, group=0, mode=0o755) for each in (reader, writer)
    }


def test_the_publisher() -> None:
    publisher = read("dev").publisher
    (found,) = publisher.containers
    assert (publisher.family, found.name, found.user) == (
        "airflow-dev-release-publisher", "release-publisher", "50001:0",
    )  # fmt: skip
    assert found.log is not None
    assert (found.log.prefix, found.restart_seconds) == ("task", None)
    assert found.environment["PLATFORM_RELEASE_BUCKET"] == read("dev").release_bucket


def test_the_agent_is_started_again_and_airflow_waits_for_it() -> None:
    worker = next(each for each in read("dev").services if each.role == "worker")
    found = {each.name: each for each in worker.definition.containers}
    assert (found["release-agent"].restart_seconds, found["release-agent"].essential) == (60, False)
    assert (found["worker"].restart_seconds, found["worker"].essential) == (None, True)
    assert found["worker"].depends_on == (("release-agent", "HEALTHY"),)


def test_a_state_without_a_publisher_is_refused_with_the_remedy() -> None:
    found = [each for each in resources("dev") if "release-publisher" not in str(each["urn"])]
    with pytest.raises(PlatformError, match=r"role release-publisher, got 0: apply the stack first"):
        platform.read(found)


def test_outputs_are_those_of_the_stack_without_secrets() -> None:
    found = resources("dev")
    stack = next(each for each in found if each["type"] == platform.STACK)
    stack["outputs"]["password"] = {
        platform.SECRET_VALUE: "1b47061264138c4ac30d75fd1eb44270",
        "ciphertext": "x",
    }
    outputs = platform.read(found).outputs
    assert "password" not in outputs
    assert outputs["publisherTaskDefinitionArn"] == read("dev").publisher.arn


def test_a_container() -> None:
    found = container("dev", "api-server")
    assert found.command == ("airflow", "api-server", "--proxy-headers")
    assert (found.user, found.read_only_root, found.init, found.essential) == ("50000:0", True, True, True)
    assert (found.ports, found.stop_timeout_seconds, found.depends_on) == ((8080,), 120, ())
    assert found.mounts == (
        Mount(volume="state", path="/opt/airflow/state", read_only=False),
        Mount(volume="tmp", path="/tmp", read_only=False),
    )
    assert found.health == HealthCheck(
        command=("CMD", "curl", "-fsSk", "--max-time", "4", "https://localhost:8080/api/v2/version"),
        interval_seconds=30,
        timeout_seconds=5,
        retries=3,
        start_period_seconds=120,
    )


def test_secrets_of_a_container_with_and_without_a_key() -> None:
    found, arns = container("dev", "api-server").secrets, read("dev").secrets
    assert found["PLATFORM_METASTORE_PASSWORD"] == SecretSource(arn=arns["metastore-user"], key="password")
    assert found["AIRFLOW__API_AUTH__JWT_SECRET"] == SecretSource(arn=arns["jwt-secret"], key=None)


def test_the_servers() -> None:
    found = read("dev")
    assert found.metastore.identifier == "airflow-dev"
    assert (found.metastore.database, found.metastore.owner) == ("airflow", "airflow_owner")
    assert (found.metastore.port, found.broker.port) == (5432, 6379)
    variables = container("dev", "scheduler").environment
    assert found.metastore.host == variables["PLATFORM_METASTORE_HOST"]
    assert found.broker.host == variables["PLATFORM_BROKER_HOST"]
    assert (found.broker.user_id, found.broker.user_name) == ("airflow-dev", "airflow-dev")
    owner = found.bootstrap.containers[0].secrets["PLATFORM_METASTORE_OWNER_PASSWORD"]
    assert owner == SecretSource(arn=found.metastore.owner_secret_arn, key="password")


def test_the_storage() -> None:
    found, variables = read("dev"), container("dev", "worker").environment
    access_logs, task_logs = found.buckets
    assert access_logs.startswith("airflow-dev-access-logs-")
    assert f"s3://{task_logs}/task-logs" == variables["AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER"]
    assert found.ledger.name == container("dev", "release-agent").environment["PLATFORM_LEDGER_TABLE"]
    assert found.release_bucket not in found.buckets
    assert (found.ledger.hash_key, found.ledger.range_key) == ("pk", "sk")
    assert (found.ledger.attributes, found.ledger.ttl_attribute) == ({"pk": "S", "sk": "S"}, "expiresAt")


def test_the_rules_of_the_listener() -> None:
    found = read("dev").balancer
    rules = {rule.priority: rule for rule in found.rules}
    refused = Fixed(status=404, type="text/plain", body="Not found")
    assert [rule.priority for rule in found.rules] == [10, 11, 20, 30]
    assert (rules[10].paths, rules[10].fixed) == (("/execution", "/execution/*"), refused)
    assert (rules[11].path_regexes, rules[11].fixed) == (("^/[^/]*%",), refused)
    assert (rules[20].paths, rules[20].hosts) == (
        ("/flower", "/flower/*"),
        ("airflow.dev.nonprod.example.com",),
    )
    assert "web-api" in str(rules[30].target_group)
    assert found.default == refused


def test_the_listener_and_its_balancer() -> None:
    found = read("dev").balancer
    assert (found.idle_seconds, found.forwarded_proto, found.drop_invalid_headers) == (90, "https", True)
    assert found.response_headers == {"Strict-Transport-Security": "max-age=31536000"}


def test_a_target_group() -> None:
    group = next(each for arn, each in read("dev").balancer.target_groups.items() if "flower" in arn)
    assert (group.protocol, group.deregistration_seconds) == ("HTTPS", 90)
    assert (group.health.path, group.health.matcher) == ("/flower/healthcheck", "200")
    assert (group.health.interval, group.health.timeout) == (8, 7)
    assert (group.health.healthy_threshold, group.health.unhealthy_threshold) == (2, 10)


def test_the_gate() -> None:
    gate = read("dev").gate
    assert gate.host_name == "api-server.dev.airflow.internal"
    assert gate.code is None  # the harness keeps none
    assert json.loads(gate.invocation["input"])["database"] == "airflow-dev"


@pytest.mark.parametrize(
    "token",
    [
        platform.CLUSTER, platform.DATABASE, platform.BROKER, platform.USER, platform.TABLE, platform.VPC,
        platform.BALANCER, platform.LISTENER, platform.FUNCTION, platform.INVOCATION,
    ],
)  # fmt: skip
def test_a_missing_part_is_named(token: str) -> None:
    assert refusal(without(token)).startswith(f"the state must hold one {token}, and holds none")


def test_two_of_what_there_is_one_of_are_named() -> None:
    twice = [*resources("dev"), *(each for each in resources("dev") if each["type"] == platform.VPC)]
    assert "holds vpc, vpc" in refusal(twice)


def test_what_is_about_to_be_deleted_is_not_there() -> None:
    old = [each | {"delete": True} for each in resources("dev") if each["type"] == platform.VPC]
    assert platform.read([*old, *resources("dev")]).vpc_cidr == "10.20.0.0/16"


def test_an_unknown_definition_is_named() -> None:
    assert "does not hold the task definition arn:lost" in refusal(
        changed(platform.SERVICE, taskDefinition="arn:lost")
    )


def test_an_unknown_private_name_is_named() -> None:
    assert "which the state does not hold (aws:servicediscovery/privateDnsNamespace" in refusal(
        without(platform.NAMESPACE)
    )


def test_a_database_without_a_secret_of_its_owner_is_refused() -> None:
    assert "keeps no secret of the owner of airflow-dev" in refusal(
        changed(platform.DATABASE, masterUserSecrets=[])
    )


def test_another_function_than_the_invoked_one_is_refused() -> None:
    state = [
        each | {"inputs": each["inputs"] | {"functionName": "other"}}
        if each["type"] == platform.INVOCATION
        else each
        for each in resources("dev")
    ]
    assert "invokes other, which is not airflow-dev-gate" in refusal(state)


def test_no_api_server_is_named() -> None:
    assert "no service has the role api-server" in refusal(without(platform.SERVICE))


def test_an_unknown_condition_of_a_rule_is_refused() -> None:
    conditions = [{"sourceIp": {"values": ["10.0.0.0/8"]}}]
    assert "the twin knows no ['sourceIp']" in refusal(changed(platform.RULE, conditions=conditions))


def test_an_unknown_action_of_a_rule_is_refused() -> None:
    assert "the twin knows no action redirect" in refusal(
        changed(platform.RULE, actions=[{"type": "redirect"}])
    )


def definition(**container: Any) -> dict[str, Any]:
    row = {"name": "one", "image": "image", **container}
    return {
        "family": "family",
        "revision": 3,
        "arn": "arn:definition",
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": json.dumps([row]),
    }


def test_what_a_definition_leaves_out_is_what_ecs_takes() -> None:
    (found,) = platform.task_definition(definition(healthCheck={"command": ["CMD", "true"]})).containers
    assert (found.stop_timeout_seconds, found.essential, found.init) == (30, True, False)
    assert (found.user, found.read_only_root, found.entry_point, found.command) == ("", False, (), ())
    assert found.health == HealthCheck(
        command=("CMD", "true"), interval_seconds=30, timeout_seconds=5, retries=3, start_period_seconds=0
    )


def test_the_order_of_containers() -> None:
    rows = [{"containerName": "proxy", "condition": "HEALTHY"}]
    (found,) = platform.task_definition(definition(dependsOn=rows)).containers
    assert found.depends_on == (("proxy", "HEALTHY"),)


@pytest.mark.parametrize(
    "value",
    [
        "arn:aws:ssm:eu-west-1:111111111111:parameter/name",
        "arn:aws:secretsmanager:eu-west-1:111111111111:secret:name-AbCdEf:key:AWSPREVIOUS:",
        "name",
    ],
)
def test_other_secrets_are_refused(value: str) -> None:
    with pytest.raises(PlatformError, match="TOKEN: the twin resolves secrets of Secrets Manager"):
        platform.task_definition(definition(secrets=[{"name": "TOKEN", "valueFrom": value}]))
