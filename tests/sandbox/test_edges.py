"""Every mandatory edge: a graph that has it passes, the same graph without it is refused by name.

Not proven here: that the real components have the edges; the engine tests check their previews and states.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from sandbox import edges
from sandbox.graph import Graph, from_state


def urn(token: str, name: str) -> str:
    """Return the URN of a resource directly under the stack."""
    return f"urn:pulumi:dev::probe::{token}::{name}"


@dataclass
class Builder:
    """Collects resources as a state holds them."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, token: str, name: str, after: tuple[str, ...] = (), **properties: str | list[str]) -> str:
        """Add a resource whose properties were made from the resources with the given URNs."""
        sources = {key: [value] if isinstance(value, str) else value for key, value in properties.items()}
        self.rows.append(
            {
                "urn": urn(token, name),
                "dependencies": [*after, *(each for urns in sources.values() for each in urns)],
                "propertyDependencies": sources,
            }
        )
        return urn(token, name)

    def graph(self) -> Graph:
        """Return what was collected."""
        return from_state(self.rows)


def platform(*, missing: str = "") -> Graph:
    """Return a small complete platform; `missing` names the rule whose edge is left out."""
    made = Builder()

    def ordered(rule: str, *before: str) -> tuple[str, ...]:
        return () if rule == missing else before

    vpc = made.add("aws:ec2/vpc:Vpc", "vpc")
    subnet = made.add(edges.SUBNET, "private", vpcId=vpc)
    table = made.add(edges.ROUTE_TABLE, "private", vpcId=vpc)
    made.add(edges.ASSOCIATION, "private", routeTableId=table, subnetId=subnet)
    nat = made.add("aws:ec2/natGateway:NatGateway", "nat", subnetId=subnet)
    route = made.add(edges.ROUTE, "private", routeTableId=table, natGatewayId=nat)
    endpoint = made.add(edges.ENDPOINT, "logs", vpcId=vpc)
    cluster = made.add(edges.CLUSTER, "cluster")
    capacity = made.add(edges.CAPACITY, "capacity", clusterName=cluster)
    role = made.add(edges.ROLE, "task")
    policy = made.add(edges.ROLE_POLICIES[0], "task", role=role)
    flow_role = made.add(edges.ROLE, "flow")
    flow_policy = made.add(edges.ROLE_POLICIES[1], "flow", role=flow_role)
    made.add(
        edges.FLOW_LOG,
        "flow",
        ordered("flow-log-role-policies", flow_policy),
        vpcId=vpc,
        iamRoleArn=flow_role,
    )
    gate_role = made.add(edges.ROLE, "gate")
    gate_policy = made.add(edges.ROLE_POLICIES[0], "gate", role=gate_role)
    function = made.add(edges.FUNCTION, "gate", role=gate_role)
    invocation = made.add(
        edges.INVOCATION, "gate", ordered("gate-role-policies", gate_policy), functionName=function
    )
    group = made.add(edges.SECURITY_GROUP, "api", vpcId=vpc)
    rule = made.add(edges.SECURITY_GROUP_RULES[0], "api", securityGroupId=group)
    system = made.add("aws:efs/fileSystem:FileSystem", "dags")
    target = made.add(edges.MOUNT_TARGET, "dags", fileSystemId=system, subnetId=subnet)
    access = made.add(edges.FILE_SYSTEM_POLICY, "dags", fileSystemId=system)
    target_group = made.add("aws:lb/targetGroup:TargetGroup", "api", vpcId=vpc)
    listener = made.add(edges.LISTENER, "https", defaultActions=target_group)
    listener_rule = made.add(edges.LISTENER_RULE, "ui", actions=target_group)
    logs = made.add(edges.LOG_GROUP, "api")
    definition = made.add(
        edges.TASK_DEFINITION,
        "api",
        taskRoleArn=role,
        volumes=system,
        # The definition names its log group by a plain string where the edge is missing, so nothing shows.
        containerDefinitions=[logs],
    )
    made.add(
        edges.SERVICE,
        "api",
        (
            *ordered("way-out-routes", route),
            *ordered("way-out-endpoints", endpoint),
            *ordered("platform-gate", invocation),
            *ordered("capacity-providers", capacity),
            *ordered("service-role-policies", policy),
            *ordered("security-group-rules", rule),
            *ordered("file-systems", target, access),
            *ordered("listeners", listener, listener_rule),
        ),
        cluster=cluster,
        taskDefinition=definition,
        networkConfiguration=[subnet, group],
        loadBalancers=target_group,
    )
    return made.graph()


def test_a_complete_platform_has_no_violation() -> None:
    assert edges.violations(platform()) == []


MISSING = {
    "way-out-routes": ["private"],
    "way-out-endpoints": ["logs"],
    "platform-gate": ["gate"],
    "capacity-providers": ["capacity"],
    "service-role-policies": ["task"],
    "flow-log-role-policies": ["flow"],
    "gate-role-policies": ["gate"],
    "security-group-rules": ["api"],
    "file-systems": ["dags", "dags"],
    "listeners": ["ui", "https"],
}


@pytest.mark.parametrize("rule", MISSING)
def test_a_missing_edge_is_named(rule: str) -> None:
    """Leaving out one edge raises exactly its rule, for every resource that must come first."""
    found = edges.violations(platform(missing=rule))
    assert [(violation.rule, violation.before.name) for violation in found] == [
        (rule, name) for name in MISSING[rule]
    ]


def test_every_rule_but_one_has_a_case() -> None:
    """The log group is always an ancestor of the service whose definition was made from it."""
    assert {edge.rule for edge in edges.MANDATORY} - set(MISSING) == {"log-groups"}


def test_a_violation_names_both_ends_the_reason_and_the_rule() -> None:
    violation = edges.violations(platform(missing="capacity-providers"))[0]
    assert str(violation) == (
        "aws:ecs/service:Service api must depend on aws:ecs/clusterCapacityProviders:ClusterCapacityProviders "
        "capacity: the cluster has no capacity provider to place its tasks on [capacity-providers]"
    )


def test_routes_of_other_tiers_are_no_way_out() -> None:
    """A route to the internet gateway helps no task without a public address, so no edge to it is asked for."""
    made = Builder()
    vpc = made.add("aws:ec2/vpc:Vpc", "vpc")
    subnet = made.add(edges.SUBNET, "public", vpcId=vpc)
    table = made.add(edges.ROUTE_TABLE, "public", vpcId=vpc)
    made.add(edges.ASSOCIATION, "public", routeTableId=table, subnetId=subnet)
    made.add(edges.ROUTE, "public", routeTableId=table, gatewayId=vpc)
    made.add(edges.SERVICE, "api", networkConfiguration=subnet)
    assert edges.violations(made.graph()) == []


def test_an_endpoint_of_another_vpc_is_not_asked_for() -> None:
    made = Builder()
    here, there = made.add("aws:ec2/vpc:Vpc", "here"), made.add("aws:ec2/vpc:Vpc", "there")
    subnet = made.add(edges.SUBNET, "here", vpcId=here)
    made.add(edges.ENDPOINT, "logs", vpcId=there)
    made.add(edges.FUNCTION, "work", vpcConfig=subnet)
    assert edges.violations(made.graph()) == []


def test_a_function_in_a_vpc_needs_the_way_out_too() -> None:
    made = Builder()
    vpc = made.add("aws:ec2/vpc:Vpc", "vpc")
    subnet = made.add(edges.SUBNET, "private", vpcId=vpc)
    made.add(edges.ENDPOINT, "logs", vpcId=vpc)
    made.add(edges.FUNCTION, "work", vpcConfig=subnet)
    assert [violation.rule for violation in edges.violations(made.graph())] == ["way-out-endpoints"]
