"""Cases of the rules about networks and security groups."""

from __future__ import annotations

from typing import Any, Final

from policies.security.rules import networks as net
from policies.security.rules import security_groups as sg
from tests.policies.cases import REMOVED, Case, Change

WORLD_4, WORLD_6, HALF = "0.0.0.0/0", "::/0", "128.0.0.0/1"
POSTGRES: Final[dict[str, Any]] = {"fromPort": 5432, "toPort": 5432}
BESIDE: Final[dict[str, Any]] = {
    "description": "From the scheduler",
    "ipProtocol": "tcp",
    "cidrIpv4": "10.0.0.0/8",
    **POSTGRES,
}
OLD: Final[dict[str, Any]] = {
    "description": "From the scheduler",
    "type": "ingress",
    "protocol": "tcp",
    "cidrBlocks": ["10.0.0.0/8"],
    "ipv6CidrBlocks": ["fd00::/8"],
    **POSTGRES,
}
INSIDE: Final[dict[str, Any]] = {key: value for key, value in OLD.items() if key != "type"}
GROUP: Final[dict[str, Any]] = {"description": "Database", "ingress": [INSIDE], "egress": [INSIDE]}
ACL_RULE: Final[dict[str, Any]] = {
    "egress": False,
    "ruleAction": "allow",
    "protocol": "tcp",
    "cidrBlock": "10.0.0.0/16",
    "fromPort": 0,
    "toPort": 1024,
}
ENTRY: Final[dict[str, Any]] = {
    "action": "allow",
    "protocol": "-1",
    "cidrBlock": "10.0.0.0/16",
    "fromPort": 0,
    "toPort": 0,
}
ENDPOINT_POLICY: Final[dict[str, Any]] = {
    "policy": {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "*",
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:PrincipalAccount": "111122223333"}},
            }
        ]
    }
}


def _case(rule: str, token: str, good: dict[str, Any], *changes: Change, golden: str | None = "") -> Case:
    return Case(rule=rule, type=token, good=good, changes=changes, golden=golden)


def _world(place: str, *worlds: str) -> tuple[Change, ...]:
    return tuple(Change(path=place, bad=world, absent=False) for world in worlds)


CASES: Final = (
    _case(
        "subnet-no-public-address",
        net.SUBNET,
        {"mapPublicIpOnLaunch": False},
        Change(path="mapPublicIpOnLaunch", bad=True, absent=False),
        golden="public",
    ),
    _case(
        "default-subnet-no-public-address",
        net.DEFAULT_SUBNET,
        {"mapPublicIpOnLaunch": False},
        Change(path="mapPublicIpOnLaunch", bad=True),
    ),
    _case(
        "default-security-group-empty",
        net.DEFAULT_GROUP,
        {"ingress": [], "egress": []},
        Change(path="ingress", bad=[{"protocol": "-1", "self": True}], absent=False),
        Change(path="egress", bad=[{"protocol": "-1", "cidrBlocks": [WORLD_4]}], absent=False),
    ),
    _case(
        "flow-log-shows-refused",
        net.FLOW_LOG,
        {"vpcId": "vpc-1", "trafficType": "ALL"},
        Change(path="trafficType", bad="ACCEPT"),
    ),
    _case(
        "nacl-no-administration",
        net.ACL_RULE,
        ACL_RULE,
        *_world("cidrBlock", WORLD_4, HALF),
        *_world("ipv6CidrBlock", WORLD_6),
    ),
    _case("nacl-no-administration", net.ACL, {"ingress": [ENTRY]}, *_world("ingress[0].cidrBlock", WORLD_4)),
    _case(
        "nacl-no-administration",
        net.DEFAULT_ACL,
        {"ingress": [ENTRY]},
        *_world("ingress[0].ipv6CidrBlock", WORLD_6),
    ),
    *(
        _case(
            "vpc-endpoint-own-accounts",
            token,
            ENDPOINT_POLICY,
            Change(path="policy.Statement[0].Condition", bad=REMOVED),
        )
        for token in (net.ENDPOINT, net.ENDPOINT_POLICY)
    ),
    _case(
        "sg-not-open-to-everybody",
        sg.INGRESS_RULE,
        BESIDE,
        *_world("cidrIpv4", WORLD_4, HALF),
        *_world("cidrIpv6", WORLD_6, "2000::/3"),
        golden="load-balancer-to-flower-5555-in",
    ),
    _case(
        "sg-not-open-to-everybody",
        sg.OLD_RULE,
        OLD,
        *_world("cidrBlocks[0]", WORLD_4),
        *_world("ipv6CidrBlocks[0]", WORLD_6),
    ),
    _case(
        "sg-not-open-to-everybody",
        sg.GROUP,
        GROUP,
        *_world("ingress[0].cidrBlocks[0]", WORLD_4),
        *_world("ingress[0].ipv6CidrBlocks[0]", WORLD_6),
        golden=None,
    ),
    _case(
        "prefix-list-narrow",
        sg.PREFIX_LIST,
        {"entries": [{"cidr": "203.0.113.0/24"}]},
        *_world("entries[0].cidr", WORLD_4, HALF),
    ),
    _case("prefix-list-narrow", sg.PREFIX_LIST_ENTRY, {"cidr": "203.0.113.0/24"}, *_world("cidr", WORLD_4)),
    _case(
        "sg-described",
        sg.GROUP,
        GROUP,
        Change(path="description", bad="Managed by Pulumi"),
        Change(path="ingress[0].description", bad="", typed=False),
        Change(path="egress[0].description", bad="", typed=False),
        golden=None,
    ),
    *(
        _case("sg-described", token, good, Change(path="description", bad=""))
        for token, good in ((sg.INGRESS_RULE, BESIDE), (sg.EGRESS_RULE, BESIDE), (sg.OLD_RULE, OLD))
    ),
)
