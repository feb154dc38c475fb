"""The way from the load balancer to a service has no gap and no side entrance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from policies.crossguard.findings import Violation
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.values import UNKNOWN
from policies.security.relations.web_chain import ATTACHMENT, LISTENER_RULE, RELATIONS
from policies.security.rules.load_balancers import LISTENER, LOAD_BALANCER
from policies.security.rules.security_groups import EGRESS_RULE, GROUP, INGRESS_RULE
from policies.security.rules.services import SERVICE
from policies.security.rules.target_groups import TARGET_GROUP
from tests.policies.made import BAD, GOOD, OPEN, made, verdict

(RELATION,) = RELATIONS
PORTS = {"ipProtocol": "tcp", "fromPort": 8080, "toPort": 8080}


def service(target: Any = "arn:group", port: Any = 8080, groups: Any = ("sg-app",)) -> Resource:
    network = {"securityGroups": list(groups) if isinstance(groups, tuple) else groups}
    entry = {"targetGroupArn": target, "containerPort": port, "containerName": "app"}
    return made(SERVICE, "service", networkConfiguration=network, loadBalancers=[entry])


STACK: dict[str, Resource] = {
    "balancer": made(LOAD_BALANCER, "balancer", arn="arn:balancer", securityGroups=["sg-front"]),
    "listener": made(
        LISTENER, "listener", arn="arn:listener", loadBalancerArn="arn:balancer", defaultActions=[]
    ),
    "forward": made(
        LISTENER_RULE,
        "forward",
        listenerArn="arn:listener",
        actions=[{"type": "forward", "targetGroupArn": "arn:group"}],
    ),
    "group": made(TARGET_GROUP, "group", arn="arn:group"),
    "service": service(),
    "front": made(GROUP, "front", id="sg-front"),
    "app": made(GROUP, "app", id="sg-app"),
    "out": made(EGRESS_RULE, "out", securityGroupId="sg-front", referencedSecurityGroupId="sg-app", **PORTS),
    "in": made(INGRESS_RULE, "in", securityGroupId="sg-app", referencedSecurityGroupId="sg-front", **PORTS),
}


def says(urn: str = "service", *more: Resource, **changed: Resource | None) -> str:
    return says_with(changed, *more, urn=urn)


def says_with(changed: Mapping[str, Resource | None], *more: Resource, urn: str = "service") -> str:
    """Judge the stack with some of its resources changed or missing."""
    found = {**STACK, **changed}
    return verdict(RELATION, urn, *(each for each in found.values() if each is not None), *more)


def test_a_closed_chain_is_good() -> None:
    assert says() == GOOD
    assert says("group") == GOOD


@pytest.mark.parametrize("missing", ["in", "out"])
def test_a_missing_rule_is_a_gap(missing: str) -> None:
    assert says_with({missing: None}) == BAD


@pytest.mark.parametrize(
    "props",
    [
        {"fromPort": 80, "toPort": 80},
        {"ipProtocol": "udp"},
        {"referencedSecurityGroupId": "sg-app"},
        {"securityGroupId": "sg-front"},
        {"referencedSecurityGroupId": "sg-stranger"},
    ],
)
def test_a_rule_for_something_else_is_a_gap(props: dict[str, Any]) -> None:
    good = {"securityGroupId": "sg-app", "referencedSecurityGroupId": "sg-front", **PORTS}
    assert says_with({"in": made(INGRESS_RULE, "in", **{**good, **props})}) == BAD


def test_a_rule_for_all_ports_is_none() -> None:
    wide = {"securityGroupId": "sg-app", "referencedSecurityGroupId": "sg-front", "ipProtocol": "-1"}
    assert says_with({"in": made(INGRESS_RULE, "in", **wide)}) == GOOD


def test_addresses_may_be_where_the_load_balancer_calls() -> None:
    out = made(EGRESS_RULE, "out", securityGroupId="sg-front", cidrIpv4="10.0.0.0/8", **PORTS)
    assert says(out=out) == GOOD


@pytest.mark.parametrize(
    "property", ["securityGroupId", "referencedSecurityGroupId", "fromPort", "ipProtocol"]
)
@pytest.mark.parametrize("name", ["in", "out"])
def test_an_unknown_rule_leaves_it_open(name: str, property: str) -> None:
    known = STACK[name]
    changed = made(known.type, name, **{**known.props.known(), property: UNKNOWN})
    assert says_with({name: changed}) == OPEN


def test_a_service_that_lets_in_addresses_has_a_side_entrance() -> None:
    past = {"securityGroupId": "sg-app", "cidrIpv4": "10.0.0.0/8", **PORTS}
    assert says("service", made(INGRESS_RULE, "past", **past)) == BAD
    assert says("service", made(INGRESS_RULE, "past", **{**past, "cidrIpv4": UNKNOWN})) == OPEN


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        (service("arn:stranger"), BAD),
        (service({"of": "another type"}), BAD),
        (service(UNKNOWN), OPEN),
        (service(port=UNKNOWN), OPEN),
        (service(port="8080"), BAD),
        (service(groups=UNKNOWN), OPEN),
        (service(groups=("sg-front",)), BAD),
        (made(SERVICE, "service", loadBalancers=UNKNOWN), OPEN),
        (made(SERVICE, "service"), GOOD),
    ],
)
def test_a_service_is_judged_by_what_is_known(changed: Resource, found: str) -> None:
    assert says(service=changed) == found


def test_a_target_group_without_a_listener_is_lost() -> None:
    assert says("group", forward=None) == BAD


@pytest.mark.parametrize(
    "actions",
    [
        [{"type": "forward", "targetGroupArn": "arn:group"}],
        [{"type": "forward", "forward": {"targetGroups": [{"arn": "arn:group", "weight": 1}]}}],
    ],
)
def test_a_listener_can_forward_by_itself(actions: Any) -> None:
    listener = made(
        LISTENER, "listener", arn="arn:listener", loadBalancerArn="arn:balancer", defaultActions=actions
    )
    assert says("group", forward=None, listener=listener) == GOOD
    assert says("service", forward=None, listener=listener) == GOOD
    assert says("service", forward=None, listener=listener, out=None) == BAD


def test_a_target_group_without_a_service_is_lost() -> None:
    assert says("group", service=None) == BAD
    attached = made(ATTACHMENT, "attached", targetGroupArn="arn:group")
    assert says("group", attached, service=None) == GOOD


@pytest.mark.parametrize("actions", [UNKNOWN, [UNKNOWN], [{"targetGroupArn": UNKNOWN}]])
def test_an_unknown_listener_leaves_it_open(actions: Any) -> None:
    forward = made(LISTENER_RULE, "forward", listenerArn="arn:listener", actions=actions)
    assert says("group", forward=forward) == OPEN


def preview(*, source: str = "front") -> list[str]:
    """Judge service and target group of a stack that is not there yet."""
    stack = (
        made(LOAD_BALANCER, "balancer", {"securityGroups": ["front"]}, securityGroups=[UNKNOWN]),
        made(LISTENER, "listener", {"loadBalancerArn": ["balancer"]}, loadBalancerArn=UNKNOWN),
        made(
            LISTENER_RULE,
            "forward",
            {"listenerArn": ["listener"], "actions": ["group"]},
            listenerArn=UNKNOWN,
            actions=[{"targetGroupArn": UNKNOWN}],
        ),
        made(TARGET_GROUP, "group"),
        made(
            SERVICE,
            "service",
            {"networkConfiguration": ["app", "subnet"], "loadBalancers": ["group"]},
            networkConfiguration={"securityGroups": [UNKNOWN], "subnets": UNKNOWN},
            loadBalancers=[{"targetGroupArn": UNKNOWN, "containerPort": 8080}],
        ),
        made(GROUP, "front"),
        made(GROUP, "app"),
        made(GROUP, "other"),
        made(
            EGRESS_RULE,
            "out",
            {"securityGroupId": ["front"], "referencedSecurityGroupId": ["app"]},
            securityGroupId=UNKNOWN,
            referencedSecurityGroupId=UNKNOWN,
            **PORTS,
        ),
        made(
            INGRESS_RULE,
            "in",
            {"securityGroupId": ["app"], "referencedSecurityGroupId": [source]},
            securityGroupId=UNKNOWN,
            referencedSecurityGroupId=UNKNOWN,
            **PORTS,
        ),
    )
    return [verdict(RELATION, urn, *stack) for urn in ("service", "group")]


def test_a_preview_follows_what_things_were_made_of() -> None:
    assert preview() == [GOOD, GOOD]
    assert preview(source="other") == [BAD, GOOD]


def test_the_message_names_both_ends() -> None:
    stack = [each for name, each in STACK.items() if name != "in"]
    (about,) = RELATION.judge(Stack(stack))
    assert about.finding == Violation("no rule lets in balancer on the port of loadBalancers[0]")
