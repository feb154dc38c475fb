"""Every mandatory edge: a graph that has it passes, the same graph without it is refused by name.

Not proven here: that the real components have the edges; the engine tests check their previews and states.
"""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.edges import MANDATORY, mandatory_pairs, rules, violations
from tests.sandbox.graphs import INGRESS, VPC, Builder, network, platform, role


def test_a_complete_platform_has_no_violation() -> None:
    assert violations(platform()) == []


GATE, API, WORKER = "Invocation gate", "Service api", "Service worker"
MISSING = {
    "way-out-routes": {(who, "private") for who in (GATE, API, WORKER)},
    "way-out-endpoints": {(who, what) for who in (GATE, API, WORKER) for what in ("logs", "endpoints")},
    "capacity-providers": {(GATE, "capacity")},
    "task-role-policies": {(GATE, "bootstrap")},
    "security-group-rules": {(who, what) for who in (GATE, API, WORKER) for what in ("tasks", "broker")},
    "file-systems": {(who, "dags") for who in (API, WORKER)},
    "bucket-settings": {(who, "logs") for who in (API, WORKER)},
    "platform-gate": {(who, "gate") for who in (API, WORKER)},
    "api-server-first": {(WORKER, "api")},
    "function-role-policies": {(GATE, "gate")},
    "function-log-group": {(GATE, "gate")},
    "gate-database": {(GATE, "metastore")},
    "public-routes": {("LoadBalancer web", "public")},
    "access-log-policy": {("LoadBalancer web", "access")},
    "log-target-policy": {("BucketLogging logs", "access")},
    "listeners": {(API, "ui")},
    "listener-guards": {(API, "block"), (API, "firewall")},
    "flow-log-role-policies": {("FlowLog flow", "flow")},
    "database-role-policies": {("Instance metastore", "monitoring")},
    "database-log-groups": {("Instance metastore", "postgresql")},
    "target-role-policies": {("EventTarget reports", "events")},
    "target-log-policy": {("EventTarget stops", "stops")},
    "backup-role-policies": {("Selection nightly", "backups")},
    "backup-guards": {("Selection nightly", "lock"), ("Selection nightly", "guard")},
    "backup-data": {("Selection nightly", what) for what in ("metastore", "dags", "ledger")},
    "bucket-policy-last": {("BucketPolicy logs", "logs")},
    "bucket-versions-first": {("BucketLifecycleConfiguration logs", "logs")},
}
"""Who lacks what when the edges of a rule are left out; what the gate waits for, services wait for through it."""


@pytest.mark.parametrize("rule", MISSING)
def test_a_missing_edge_is_named(rule: str) -> None:
    """Leaving out the edges of one rule raises that rule, for every resource that must come first."""
    found = violations(platform(missing=rule))
    named = {
        (f"{one.after.type.rsplit(':', 1)[-1]} {one.after.name}", one.before.name)
        for one in found
        if one.rule == rule
    }
    assert named == MISSING[rule]
    assert {one.rule for one in found} == {rule} | FOLLOWING.get(rule, set())


FOLLOWING = {
    "platform-gate": {
        "way-out-routes",
        "way-out-endpoints",
        "security-group-rules",
    },
    "api-server-first": {"platform-gate", "way-out-routes", "way-out-endpoints", "security-group-rules"},
}
"""What a service gets through the gate or the api-server in this graph, and lacks without that edge as well."""


def test_every_rule_has_a_case() -> None:
    """The log group of a container is always an ancestor of what runs its definition; the last has its own test."""
    assert {edge.rule for edge in MANDATORY} - set(MISSING) == {"log-groups", "function-network-rights"}


def test_pairs_are_named_by_rule_and_both_ends() -> None:
    pairs = {(pair.rule, pair.after.name, pair.before.name) for pair in mandatory_pairs(platform())}
    assert {
        ("platform-gate", "api", "gate"),
        ("log-groups", "gate", "bootstrap"),
        ("log-groups", "worker", "worker"),
        ("capacity-providers", "worker", "capacity"),
    } <= pairs


def test_a_pair_comes_once() -> None:
    pairs = list(mandatory_pairs(platform()))
    assert len(pairs) == len(set(pairs))


def test_a_violation_names_both_ends_the_reason_and_the_rule() -> None:
    violation = violations(platform(missing="gate-database"))[0]
    assert str(violation) == (
        "aws:lambda/invocation:Invocation gate must depend on aws:rds/instance:Instance metastore: "
        "the gate finds no database to migrate [gate-database]"
    )


def test_routes_of_other_tiers_are_no_way_out() -> None:
    """A route to the internet gateway helps no task without a public address, so no edge to it is asked for."""
    made = Builder()
    place = network(made)
    made.add(rules.SERVICE, "api", (place.endpoint, place.endpoint_rule), networkConfiguration=place.public)
    assert violations(made.graph()) == []


def test_an_endpoint_of_another_vpc_is_not_asked_for() -> None:
    made = Builder()
    here, there = made.add(VPC, "here"), made.add(VPC, "there")
    subnet = made.add(rules.SUBNET, "here", vpcId=here)
    made.add(rules.ENDPOINT, "logs", vpcId=there)
    made.add(rules.FUNCTION, "work", vpcConfig=subnet)
    assert violations(made.graph()) == []


def test_a_function_in_a_vpc_needs_the_way_out_too() -> None:
    made = Builder()
    vpc = made.add(VPC, "vpc")
    subnet = made.add(rules.SUBNET, "private", vpcId=vpc)
    made.add(rules.ENDPOINT, "logs", vpcId=vpc)
    made.add(rules.FUNCTION, "work", vpcConfig=subnet)
    assert [violation.rule for violation in violations(made.graph())] == ["way-out-endpoints"]


@pytest.mark.parametrize("inside", [True, False], ids=["in a VPC", "outside"])
def test_a_function_in_a_vpc_needs_its_rights_first(inside: bool) -> None:
    made = Builder()
    subnet = made.add(rules.SUBNET, "private")
    function_role, _ = role(made, "work")
    made.add(rules.FUNCTION, "work", role=function_role, vpcConfig=[subnet] if inside else [])
    expected = ["function-network-rights"] if inside else []
    assert [violation.rule for violation in violations(made.graph())] == expected


@pytest.mark.parametrize("key", ["loggingConfig", "name"])
def test_a_log_group_is_found_by_reference_too(key: str) -> None:
    """The function may name its group, or the group may be named after the function."""
    made = Builder()
    if key == "loggingConfig":
        function = made.add(rules.FUNCTION, "work", loggingConfig=made.add(rules.LOG_GROUP, "work"))
    else:
        function = made.add(rules.FUNCTION, "work")
        made.add(rules.LOG_GROUP, "work", name=function)
    made.add(rules.INVOCATION, "work", functionName=function)
    pairs = {(pair.rule, pair.before.type) for pair in mandatory_pairs(made.graph())}
    assert ("function-log-group", rules.LOG_GROUP) in pairs


@pytest.mark.parametrize(("internal", "asked"), [(True, []), (False, ["public-routes"])])
def test_an_internal_load_balancer_needs_no_public_route(internal: bool, asked: list[str]) -> None:
    made = Builder()
    place = network(made)
    made.add(rules.LOAD_BALANCER, "web", inputs={"internal": internal}, subnets=place.public)
    assert [violation.rule for violation in violations(made.graph())] == asked


@pytest.mark.parametrize("key", ["accessLogs", "connectionLogs", "healthCheckLogs"])
def test_every_log_of_a_load_balancer_needs_the_rights_to_write_it(key: str) -> None:
    made = Builder()
    bucket = made.add(rules.BUCKET, "access")
    made.add(rules.BUCKET_POLICY, "access", bucket=bucket)
    shown: dict[str, Any] = {key: bucket}
    made.add(rules.LOAD_BALANCER, "web", inputs={"internal": True}, **shown)
    assert [violation.rule for violation in violations(made.graph())] == ["access-log-policy"]


def test_a_listener_that_forwards_by_itself_is_waited_for() -> None:
    made = Builder()
    group = made.add(rules.TARGET_GROUP, "api")
    made.add(rules.LISTENER, "https", defaultActions=group)
    made.add(rules.SERVICE, "api", loadBalancers=group)
    assert [violation.rule for violation in violations(made.graph())] == ["listeners"]


def test_a_rule_that_forwards_elsewhere_is_no_guard() -> None:
    made = Builder()
    listener = made.add(rules.LISTENER, "https")
    groups = {name: made.add(rules.TARGET_GROUP, name) for name in ("api", "flower")}
    made_rules = {
        name: made.add(rules.LISTENER_RULE, name, listenerArn=listener, actions=group)
        for name, group in groups.items()
    }
    made.add(rules.SERVICE, "api", (made_rules["api"],), loadBalancers=groups["api"])
    assert violations(made.graph()) == []


def test_a_rule_that_names_the_other_group_is_an_end_as_well() -> None:
    made = Builder()
    group, other = made.add(rules.SECURITY_GROUP, "api"), made.add(rules.SECURITY_GROUP, "database")
    made.add(INGRESS, "database", securityGroupId=other, referencedSecurityGroupId=group)
    made.add(rules.SERVICE, "api", networkConfiguration=group)
    assert [violation.before.name for violation in violations(made.graph())] == ["database"]
