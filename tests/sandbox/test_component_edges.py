"""Edges between components: explicit ones need a rule, values need a place in the table."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.edges import MANDATORY, OF_EVERYBODY, refusals, rules, violations
from sandbox.edges.components import VALUES
from sandbox.graph import Graph, from_state

STACK = "urn:pulumi:dev::probe::pulumi:pulumi:Stack::probe-dev"
PLATFORM, NETWORK = "airflow:platform:AirflowPlatform", "airflow:network:Network"
SERVICE, TASK = "airflow:compute:AirflowService", "airflow:compute:AirflowTask"
CLUSTER, BROKER, KEY = "airflow:compute:Cluster", "airflow:data:Broker", "airflow:data:EncryptionKey"
AWSX = "awsx:ec2:Vpc"
SECRET = "aws:secretsmanager/secret:Secret"


class Program:
    """Components and resources with the URNs that the engine gives them."""

    def __init__(self) -> None:
        """Begin with the platform."""
        self.rows: dict[str, dict[str, Any]] = {}
        self.platform = self.add(PLATFORM, "platform", STACK)

    def add(self, token: str, name: str, parent: str, /, *after: str, **properties: list[str] | str) -> str:
        """Add a resource under a parent."""
        types = "" if parent == STACK else f"{parent.split('::')[2]}$"
        urn = f"urn:pulumi:dev::probe::{types}{token}::{name}"
        sources = {key: [value] if isinstance(value, str) else value for key, value in properties.items()}
        self.rows[urn] = {
            "urn": urn,
            "parent": parent,
            "dependencies": [*after, *(each for urns in sources.values() for each in urns)],
            "propertyDependencies": sources,
        }
        return urn

    def component(self, token: str, name: str, *after: str) -> str:
        """Add a component of the platform."""
        return self.add(token, name, self.platform, *after)

    def graph(self) -> Graph:
        """Return what was added."""
        return from_state(self.rows.values())


def found(program: Program) -> list[str]:
    return [str(violation) for violation in violations(program.graph())]


@pytest.fixture
def program() -> Program:
    return Program()


def test_an_edge_that_no_rule_asks_for_is_refused(program: Program) -> None:
    cluster = program.add(rules.CLUSTER, "cluster", program.component(CLUSTER, "compute"))
    program.add(SECRET, "fernet-key", program.component("airflow:data:Credentials", "secrets"), cluster)
    [text] = found(program)
    assert text == (
        f"{SECRET} fernet-key must not depend on {rules.CLUSTER} cluster: "
        "no rule asks for this edge [unknown-edge]"
    )


def test_an_edge_that_a_rule_asks_for_is_none(program: Program) -> None:
    compute = program.component(CLUSTER, "compute")
    cluster = program.add(rules.CLUSTER, "cluster", compute)
    capacity = program.add(rules.CAPACITY, "capacity", compute, clusterName=cluster)
    program.add(rules.SERVICE, "api", program.component(SERVICE, "api"), capacity, cluster=cluster)
    assert found(program) == []


def test_an_edge_inside_a_component_is_free(program: Program) -> None:
    compute = program.component(CLUSTER, "compute")
    program.add(rules.LOG_GROUP, "exec", compute, program.add(rules.CLUSTER, "cluster", compute))
    assert found(program) == []


def test_an_edge_to_a_nested_component_needs_a_rule_too(program: Program) -> None:
    service = program.component(SERVICE, "api")
    definition = program.add(rules.TASK_DEFINITION, "api", program.add(TASK, "api", service))
    program.add(rules.SERVICE, "api", service, definition)
    assert [text.rsplit(" ", 1)[-1] for text in found(program)] == ["[unknown-edge]"]


def test_an_edge_of_a_whole_component_is_refused(program: Program) -> None:
    """Everything inside would wait, also what could be created at once."""
    compute = program.component(CLUSTER, "compute")
    cluster = program.add(rules.CLUSTER, "cluster", compute)
    program.component(SERVICE, "api", cluster)
    assert found(program) == [
        f"{SERVICE} api must not depend on {rules.CLUSTER} cluster: no rule asks for this edge [unknown-edge]"
    ]


def awsx_network(program: Program) -> dict[str, str]:
    """Add a network made by awsx; return what it hands out."""
    network = program.component(NETWORK, "network")
    awsx = program.add(AWSX, "vpc", network)
    vpc = program.add("aws:ec2/vpc:Vpc", "vpc", awsx)
    subnet = program.add(rules.SUBNET, "private", vpc, vpcId=vpc)
    table = program.add(rules.ROUTE_TABLE, "private", subnet, vpcId=vpc)
    program.add(rules.ASSOCIATION, "private", table, routeTableId=table, subnetId=subnet)
    nat = program.add("aws:ec2/natGateway:NatGateway", "nat", subnet, subnetId=subnet)
    route = program.add(rules.ROUTE, "private", table, routeTableId=table, natGatewayId=nat)
    return {"awsx": awsx, "vpc": vpc, "subnet": subnet, "route": route, "table": table}


def test_what_awsx_hands_out_is_one_edge(program: Program) -> None:
    """Its list of routes waits for the VPC and all subnets as well."""
    place = awsx_network(program)
    routes = [place[key] for key in ("awsx", "vpc", "subnet", "route")]
    program.add(
        rules.SERVICE,
        "api",
        program.component(SERVICE, "api"),
        *routes,
        networkConfiguration=place["subnet"],
    )
    assert found(program) == []


@pytest.mark.parametrize("ours", [True, False], ids=["our program", "another program"])
def test_a_value_of_awsx_is_no_edge_that_a_state_records(program: Program, ours: bool) -> None:
    """It waits while it is created, since awsx answers last; when it is destroyed, its way out may go first."""
    place = awsx_network(program)
    service = program.component(SERVICE, "api") if ours else STACK
    program.add(rules.SERVICE, "api", service, networkConfiguration=[place["awsx"], place["subnet"]])
    text = json.dumps(list(program.rows.values()))
    graph = from_state(json.loads(text if ours else text.replace("airflow:", "other:")))
    named = [violation.rule for violation in violations(graph)]
    assert named == (["way-out-routes"] if ours else [])


def test_an_edge_to_awsx_that_no_rule_asks_for_is_named_once(program: Program) -> None:
    place = awsx_network(program)
    program.add(
        SECRET,
        "fernet-key",
        program.component("airflow:data:Credentials", "secrets"),
        place["route"],
        place["table"],
        place["awsx"],
    )
    assert found(program) == [
        f"{SECRET} fernet-key must not depend on {AWSX} vpc: no rule asks for this edge [unknown-edge]"
    ]


def test_a_value_from_a_component_that_the_table_does_not_name_is_refused(program: Program) -> None:
    broker = program.add("aws:elasticache/user:User", "user", program.component(BROKER, "broker"))
    compute = program.component(CLUSTER, "compute")
    for name in ("cluster", "other"):
        program.add(rules.CLUSTER, name, compute, settings=broker)
    [text] = found(program)
    assert text == (
        f"{CLUSTER} compute must not take values from {BROKER} broker: {rules.CLUSTER} cluster does, from "
        "aws:elasticache/user:User user [unknown-value]"
    )


def test_a_value_from_a_component_of_the_table_is_taken(program: Program) -> None:
    key = program.add("aws:kms/key:Key", "key", program.component(KEY, "key"))
    program.add(rules.LOG_GROUP, "exec", program.component(CLUSTER, "compute"), kmsKeyId=key)
    assert found(program) == []


def test_two_components_of_one_kind_are_strangers(program: Program) -> None:
    first = program.add(rules.CLUSTER, "one", program.component(CLUSTER, "one"))
    program.add(rules.LOG_GROUP, "two", program.component(CLUSTER, "two"), name=first)
    assert [text.rsplit(" ", 1)[-1] for text in found(program)] == ["[unknown-value]"]


@pytest.mark.parametrize("waits", [True, False], ids=["after its policy", "before its policy"])
def test_a_bucket_logs_into_another_after_its_policy(program: Program, waits: bool) -> None:
    access, state = (program.component("airflow:data:PrivateBucket", name) for name in ("access", "state"))
    target = program.add(rules.BUCKET, "access", access)
    policy = program.add(rules.BUCKET_POLICY, "access", access, bucket=target)
    program.add(rules.BUCKET_LOGGING, "state", state, *([policy] if waits else []), targetBucket=target)
    named = [text.rsplit(" ", 1)[-1] for text in found(program)]
    assert named == ([] if waits else ["[log-target-policy]"])


@pytest.mark.parametrize("up", [True, False], ids=["from a child", "from a parent"])
def test_nested_components_exchange_values(program: Program, up: bool) -> None:
    service = program.component(SERVICE, "api")
    task = program.add(TASK, "api", service)
    if up:
        definition = program.add(rules.TASK_DEFINITION, "api", task)
        program.add(rules.SERVICE, "api", service, taskDefinition=definition)
    else:
        program.add(rules.LOG_GROUP, "api", task, name=program.add(rules.DISCOVERY, "api", service))
    assert found(program) == []


def test_a_resource_outside_of_components_is_not_judged(program: Program) -> None:
    cluster = program.add(rules.CLUSTER, "cluster", program.component(CLUSTER, "compute"))
    program.add(SECRET, "other", STACK, cluster, name=program.add(rules.ROLE, "role", STACK))
    assert found(program) == []


def test_a_program_without_our_components_is_not_judged() -> None:
    program = Program()
    program.rows.clear()
    program.add(SECRET, "other", STACK, program.add(rules.CLUSTER, "cluster", STACK))
    assert found(program) == []


def test_the_table_names_components_with_a_reason() -> None:
    named = {*VALUES, *(giver for givers in VALUES.values() for giver in givers)}
    assert all(token.startswith("airflow:") and token.count(":") == 2 for token in named)
    assert all(reason for givers in VALUES.values() for reason in givers.values())


@pytest.mark.parametrize("ours", [True, False])
def test_a_program_that_is_not_ours_is_refused_for_the_rules_of_everybody_only(
    program: Program, ours: bool
) -> None:
    """A bucket's rules for versions beside its versioning: most programs have them so, and AWS gets past it."""
    bucket = program.add("aws:s3/bucket:Bucket", "logs", program.platform)
    program.add("aws:s3/bucketVersioning:BucketVersioning", "logs", program.platform, bucket=bucket)
    lifecycle = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    program.add(lifecycle, "logs", program.platform, bucket=bucket)
    text = json.dumps(list(program.rows.values()))
    graph = from_state(json.loads(text if ours else text.replace("airflow:", "other:")))
    assert [violation.rule for violation in refusals(graph)] == (["bucket-versions-first"] if ours else [])


def test_the_rules_of_everybody_are_rules() -> None:
    assert {edge.rule for edge in MANDATORY} >= OF_EVERYBODY
