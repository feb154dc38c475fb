"""What the rules about networks and load balancers accept and refuse, beyond their cases."""

from __future__ import annotations

from typing import Any

import pytest

from policies.security.rules import load_balancers as lb
from policies.security.rules import networks as net
from policies.security.rules import security_groups as sg
from policies.security.rules import target_groups as tg
from tests.policies.security.cases_load_balancers import GOOD_LISTENER, GOOD_LOAD_BALANCER, GOOD_TARGET_GROUP
from tests.policies.security.cases_networks import ACL_RULE, BESIDE, ENTRY, OLD
from tests.policies.security.test_rules import judged, violated


@pytest.mark.parametrize(
    "changes",
    [
        {"egress": True},
        {"ruleAction": "deny"},
        {"ruleAction": "DENY"},
        {"fromPort": 23, "toPort": 3388},
        {"protocol": "icmp"},
    ],
)
def test_a_network_acl_may_do_other_things_for_everybody(changes: dict[str, Any]) -> None:
    rule = {**ACL_RULE, "cidrBlock": "0.0.0.0/0", **changes}
    assert judged("nacl-no-administration", net.ACL_RULE, rule) == []


def test_entries_of_a_network_acl_that_deny_are_good() -> None:
    entry = {**ENTRY, "cidrBlock": "0.0.0.0/0", "action": "deny"}
    assert judged("nacl-no-administration", net.ACL, {"ingress": [entry], "egress": [ENTRY]}) == []


def test_everybody_may_come_in_by_https() -> None:
    rule = {**BESIDE, "cidrIpv4": "0.0.0.0/0", "fromPort": 443, "toPort": 443}
    assert judged("sg-not-open-to-everybody", sg.INGRESS_RULE, rule) == []


@pytest.mark.parametrize("port", [22, 80, 3389])
def test_everybody_may_come_in_by_no_other_port(port: int) -> None:
    rule = {**BESIDE, "cidrIpv4": "0.0.0.0/0", "fromPort": port, "toPort": port}
    assert violated(judged("sg-not-open-to-everybody", sg.INGRESS_RULE, rule))


def test_the_older_kind_of_rule_may_be_about_the_way_out() -> None:
    rule = {**OLD, "type": "egress", "cidrBlocks": ["0.0.0.0/0"]}
    assert judged("sg-not-open-to-everybody", sg.OLD_RULE, rule) == []


@pytest.mark.parametrize("place", ["transitGatewayId", "transitGatewayAttachmentId"])
def test_the_log_of_a_transit_gateway_has_no_traffic_type(place: str) -> None:
    assert judged("flow-log-shows-refused", net.FLOW_LOG, {place: "tgw-1"}) == []


def test_an_endpoint_may_be_limited_by_its_actions() -> None:
    policy = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}]}
    assert judged("vpc-endpoint-own-accounts", net.ENDPOINT, {"policy": policy}) == []


def test_an_endpoint_may_be_limited_by_the_owner_of_what_is_asked() -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    condition = {"StringEquals": {"aws:ResourceAccount": "111122223333"}}
    policy = {"Statement": [{**statement, "Condition": condition}]}
    assert judged("vpc-endpoint-own-accounts", net.ENDPOINT, {"policy": policy}) == []


@pytest.mark.parametrize("rule", ["lb-drops-invalid-headers", "lb-desync-mitigation", "lb-connection-logs"])
def test_a_network_load_balancer_has_no_headers(rule: str) -> None:
    assert judged(rule, lb.LOAD_BALANCER, {"loadBalancerType": "network"}) == []


def test_zones_may_be_given_with_addresses() -> None:
    mappings = [{"subnetId": "subnet-1"}, {"subnetId": "subnet-2"}]
    found = {**GOOD_LOAD_BALANCER, "subnets": None, "subnetMappings": mappings}
    assert judged("lb-two-zones", lb.LOAD_BALANCER, found) == []
    assert violated(judged("lb-two-zones", lb.LOAD_BALANCER, found | {"subnetMappings": mappings[:1]}))


def test_a_listener_without_protocol_and_certificate_speaks_http() -> None:
    assert violated(judged("lb-listener-tls", lb.LISTENER, {"port": 80}))


def test_a_listener_that_speaks_http_needs_no_tls_policy() -> None:
    listener = {**GOOD_LISTENER, "protocol": "HTTP", "sslPolicy": None}
    assert judged("lb-listener-tls-policy", lb.LISTENER, listener) == []


@pytest.mark.parametrize("rule", ["lb-target-tls", "lb-target-health-check-tls", "lb-target-health-check"])
@pytest.mark.parametrize("kind", ["lambda", "alb"])
def test_a_group_that_opens_no_connection_encrypts_none(rule: str, kind: str) -> None:
    assert judged(rule, tg.TARGET_GROUP, {"targetType": kind}) == []


def test_a_group_without_health_check_is_the_matter_of_one_rule() -> None:
    group = {**GOOD_TARGET_GROUP, "healthCheck": None}
    assert judged("lb-target-health-check-tls", tg.TARGET_GROUP, group) == []


def test_a_health_check_by_tcp_has_no_path() -> None:
    group = {**GOOD_TARGET_GROUP, "healthCheck": {"protocol": "TCP"}}
    assert judged("lb-target-health-check", tg.TARGET_GROUP, group) == []
