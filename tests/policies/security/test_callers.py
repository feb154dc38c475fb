"""Only callers reach the data: by ids where they are known, by what rules were made of where not."""

from __future__ import annotations

from typing import Any

import pytest

from policies.crossguard.findings import Violation
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.values import UNKNOWN, Secret
from policies.security.relations.callers import MOUNT_TARGET, RELATIONS
from policies.security.rules.elasticache import REPLICATION_GROUP
from policies.security.rules.rds import INSTANCE
from policies.security.rules.security_groups import EGRESS_RULE, GROUP, INGRESS_RULE, OLD_RULE
from tests.policies.made import BAD, GOOD, OPEN, left_open, made, verdict

(RELATION,) = RELATIONS
PORT = 5432


def group(name: str, *, known: bool = True, **inside: Any) -> Resource:
    return made(GROUP, name, id=f"sg-{name}" if known else UNKNOWN, **inside)


def database(groups: Any = ("sg-data",), *behind: str, port: Any = PORT) -> Resource:
    listed = list(groups) if isinstance(groups, tuple) else groups
    return made(INSTANCE, "database", {"vpcSecurityGroupIds": behind}, vpcSecurityGroupIds=listed, port=port)


def rule(of: Any = "sg-data", name: str = "rule", token: str = INGRESS_RULE, **props: Any) -> Resource:
    ports = {"ipProtocol": "tcp", "fromPort": PORT, "toPort": PORT}
    return made(token, name, securityGroupId=of, **{**ports, **props})


APP, EDGE, DATA = group("app"), group("edge"), group("data")
FROM_APP = rule(referencedSecurityGroupId="sg-app")
TO_EDGE = rule("sg-edge", "way-in", cidrIpv4="10.0.0.0/8", fromPort=443, toPort=443)
STACK = (APP, EDGE, DATA, database(), TO_EDGE, rule("sg-app", "forward", referencedSecurityGroupId="sg-edge"))


def says(*resources: Resource, urn: str = "rule") -> str:
    return verdict(RELATION, urn, *STACK, *resources)


def test_a_caller_is_let_in_on_the_port() -> None:
    assert says(FROM_APP) == GOOD


@pytest.mark.parametrize(
    "props",
    [
        {"cidrIpv4": "10.0.0.0/8"},
        {"cidrIpv6": "fd00::/8"},
        {"prefixListId": "pl-1"},
        {"referencedSecurityGroupId": "sg-edge"},
        {"referencedSecurityGroupId": "sg-stranger"},
        {"referencedSecurityGroupId": Secret("sg-edge")},
        {"referencedSecurityGroupId": "sg-app", "toPort": PORT + 1},
        {"referencedSecurityGroupId": "sg-app", "fromPort": 22, "toPort": 22},
        {"referencedSecurityGroupId": "sg-app", "ipProtocol": "udp"},
        {"referencedSecurityGroupId": "sg-app", "ipProtocol": "-1", "fromPort": None, "toPort": None},
        {"referencedSecurityGroupId": {"of": "another type"}},
        {"referencedSecurityGroupId": "sg-app", "fromPort": "5432"},
    ],
)
def test_anything_else_is_not(props: dict[str, Any]) -> None:
    assert says(rule(**props)) == BAD


@pytest.mark.parametrize(
    "props",
    [
        {"cidrIpv4": UNKNOWN},
        {"referencedSecurityGroupId": UNKNOWN},
        {"referencedSecurityGroupId": "sg-app", "fromPort": UNKNOWN},
        {"referencedSecurityGroupId": "sg-app", "ipProtocol": UNKNOWN},
        {"of": UNKNOWN, "referencedSecurityGroupId": "sg-edge"},
    ],
)
def test_what_is_unknown_leaves_it_open(props: dict[str, Any]) -> None:
    assert says(rule(**props)) == OPEN


def test_one_open_rule_does_not_hide_another() -> None:
    unknown = rule(name="unknown", referencedSecurityGroupId=UNKNOWN)
    assert says(unknown, rule(cidrIpv4="10.0.0.0/8")) == BAD
    assert says(unknown, rule(cidrIpv4="10.0.0.0/8"), urn="unknown") == OPEN


def test_other_groups_are_no_matter_of_it() -> None:
    assert says(rule("sg-app", cidrIpv4="10.0.0.0/8")) == GOOD
    assert says(rule(token=EGRESS_RULE, cidrIpv4="0.0.0.0/0")) == GOOD


def test_a_caller_that_lets_in_addresses_stands_at_the_edge() -> None:
    assert says(FROM_APP, rule("sg-app", "more", cidrIpv4="10.0.0.0/8")) == BAD
    assert says(FROM_APP, rule("sg-app", "more", cidrIpv4=UNKNOWN)) == OPEN


@pytest.mark.parametrize(
    ("props", "found"),
    [
        ({"type": "ingress", "sourceSecurityGroupId": "sg-app"}, GOOD),
        ({"type": "ingress", "sourceSecurityGroupId": "sg-edge"}, BAD),
        ({"type": "ingress", "cidrBlocks": ["10.0.0.0/8"]}, BAD),
        ({"type": "ingress", "prefixListIds": ["pl-1"]}, BAD),
        ({"type": "egress", "cidrBlocks": ["0.0.0.0/0"]}, GOOD),
        ({"type": UNKNOWN, "cidrBlocks": ["10.0.0.0/8"]}, OPEN),
    ],
)
def test_the_older_kind_of_rule_counts(props: dict[str, Any], found: str) -> None:
    old = made(
        OLD_RULE, "rule", securityGroupId="sg-data", protocol="tcp", fromPort=PORT, toPort=PORT, **props
    )
    assert says(old) == found


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        ({"securityGroups": ["sg-app"]}, GOOD),
        ({"securityGroups": ["sg-app", "sg-edge"]}, BAD),
        ({"cidrBlocks": ["10.0.0.0/8"]}, BAD),
        ({"self": True}, GOOD),
        ({"securityGroups": [UNKNOWN]}, OPEN),
        (UNKNOWN, OPEN),
    ],
)
def test_rules_inside_of_the_group_count(inside: Any, found: str) -> None:
    ports = {"protocol": "tcp", "fromPort": PORT, "toPort": PORT}
    item = inside if inside is UNKNOWN else {**ports, **inside}
    stack = (APP, EDGE, group("data", ingress=[item]), database(), TO_EDGE)
    assert verdict(RELATION, "data", *stack) == found


def test_what_aws_lists_inside_of_a_group_is_not_judged_twice() -> None:
    listed = left_open(group("data", ingress=[{"protocol": "-1", "cidrBlocks": ["0.0.0.0/0"]}]), "ingress")
    assert verdict(RELATION, "data", APP, listed, database()) == GOOD


def preview(source: str, *, data: Any = UNKNOWN) -> str:
    """Judge a stack that is not there yet."""
    return verdict(
        RELATION,
        "rule",
        group("app", known=False),
        group("edge", known=False),
        group("data", known=False),
        database(data, "data"),
        made(
            INGRESS_RULE,
            "way-in",
            {"securityGroupId": ["edge"]},
            securityGroupId=UNKNOWN,
            ipProtocol="tcp",
            fromPort=443,
            toPort=443,
            cidrIpv4="10.0.0.0/8",
        ),
        made(
            INGRESS_RULE,
            "rule",
            {"securityGroupId": ["data"], "referencedSecurityGroupId": [source]},
            securityGroupId=UNKNOWN,
            referencedSecurityGroupId=UNKNOWN,
            ipProtocol="tcp",
            fromPort=PORT,
            toPort=PORT,
        ),
    )


@pytest.mark.parametrize("data", [UNKNOWN, (UNKNOWN,)])
def test_a_preview_follows_what_rules_were_made_of(data: Any) -> None:
    assert preview("app", data=data) == GOOD
    assert preview("edge", data=data) == BAD


def test_two_groups_behind_an_unknown_id_leave_it_open() -> None:
    data = database(UNKNOWN, "data", "app")
    edge_rule = rule("sg-app", referencedSecurityGroupId="sg-edge")
    assert verdict(RELATION, "rule", APP, EDGE, DATA, data, TO_EDGE, edge_rule) == OPEN


@pytest.mark.parametrize(
    ("token", "property", "port"),
    [(REPLICATION_GROUP, "securityGroupIds", 6379), (MOUNT_TARGET, "securityGroups", 2049)],
)
def test_every_kind_of_data_has_its_port(token: str, property: str, port: int) -> None:
    owner = made(token, "owner", **{property: ["sg-data"]})
    good = rule(referencedSecurityGroupId="sg-app", fromPort=port, toPort=port)
    assert verdict(RELATION, "rule", APP, DATA, owner, good) == GOOD
    assert verdict(RELATION, "rule", APP, DATA, owner, FROM_APP) == BAD


def test_mysql_has_its_port() -> None:
    owner = made(INSTANCE, "owner", vpcSecurityGroupIds=["sg-data"], engine="mysql")
    good = rule(referencedSecurityGroupId="sg-app", fromPort=3306, toPort=3306)
    assert verdict(RELATION, "rule", APP, DATA, owner, good) == GOOD


def test_what_is_wrong_with_a_database_is_about_the_database() -> None:
    assert verdict(RELATION, "database", DATA, database(({"of": "another type"},))) == BAD
    assert verdict(RELATION, "rule", APP, DATA, database(port=UNKNOWN), FROM_APP) == OPEN


def test_a_rule_is_wrong_once_for_all_that_is_in_its_group() -> None:
    second = made(INSTANCE, "second", vpcSecurityGroupIds=["sg-data"], port=PORT)
    found = [*RELATION.judge(Stack([*STACK, second, rule(cidrIpv4="10.0.0.0/8")]))]
    assert [about.finding for about in found] == [
        Violation("cidrIpv4 is '10.0.0.0/8', want the security group that may call")
    ]


def test_the_message_names_who_stands_at_the_edge() -> None:
    (about,) = RELATION.judge(Stack([*STACK, rule(referencedSecurityGroupId="sg-edge")]))
    assert about.finding == Violation(
        "referencedSecurityGroupId is edge, which lets in addresses itself, want a security group behind the load "
        "balancer"
    )
