"""The security groups and their rules, as the tables of connections become resources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components import connections
from components.connections import Party
from components.firewall import Firewall, FirewallArgs
from tests.harness import VPC_ID, Deployment, RecordingMonitor
from tests.unit.programs import built, once, value

GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
DEV = FirewallArgs(vpc_id=VPC_ID, worker_pools=("default",), flower=False, web_cidrs=("203.0.113.0/24",))
PROD = FirewallArgs(
    vpc_id=VPC_ID,
    worker_pools=("default", "heavy"),
    flower=True,
    web_cidrs=("203.0.113.0/24", "198.51.100.7/32"),
)


def firewall(args: FirewallArgs = DEV) -> RecordingMonitor:
    return once(Firewall, "wall", args)[0]


def test_groups() -> None:
    """None has inline rules, not even empty ones: the rules are resources of their own."""
    parties = {
        *("load-balancer", "api-server", "scheduler", "dag-processor", "triggerer", "bootstrap"),
        *("release-publisher", "metastore", "broker", "dag-storage", "worker-default"),
    }
    assert firewall().inputs(GROUP) == {
        f"wall-{party}": {
            "description": f"Airflow {party}",
            "vpcId": VPC_ID,
            "tags": {"Name": f"wall-{party}"},
        }
        for party in parties
    }


def tcp(port: int) -> dict[str, Any]:
    return {"ipProtocol": "tcp", "fromPort": port, "toPort": port}


def test_a_link_lets_its_source_out() -> None:
    monitor = firewall()
    assert monitor.inputs(EGRESS)["wall-scheduler-to-broker-6379-out"] == {
        "securityGroupId": monitor.id(GROUP, "wall-scheduler"),
        "referencedSecurityGroupId": monitor.id(GROUP, "wall-broker"),
        "description": "To broker: Queued tasks and their results",
        **tcp(6379),
    }


def test_a_link_lets_its_source_in() -> None:
    monitor = firewall()
    assert monitor.inputs(INGRESS)["wall-scheduler-to-broker-6379-in"] == {
        "securityGroupId": monitor.id(GROUP, "wall-broker"),
        "referencedSecurityGroupId": monitor.id(GROUP, "wall-scheduler"),
        "description": "From scheduler: Queued tasks and their results",
        **tcp(6379),
    }


def test_way_out_to_the_apis_of_aws() -> None:
    monitor = firewall()
    assert monitor.inputs(EGRESS)["wall-api-server-to-anywhere"] == {
        "securityGroupId": monitor.id(GROUP, "wall-api-server"),
        "description": "APIs of AWS: images, logs, secrets, S3; through endpoints or NAT",
        "cidrIpv4": "0.0.0.0/0",
        **tcp(443),
    }


def test_way_out_of_workers() -> None:
    monitor = firewall()
    assert monitor.inputs(EGRESS)["wall-worker-default-to-anywhere"] == {
        "securityGroupId": monitor.id(GROUP, "wall-worker-default"),
        "description": "DAGs call anything; includes the APIs of AWS",
        "cidrIpv4": "0.0.0.0/0",
        "ipProtocol": "-1",
    }


def test_web_entry_lets_in_what_is_allowed() -> None:
    monitor = firewall(PROD)
    rules = {name: rule for name, rule in monitor.inputs(INGRESS).items() if "cidrIpv4" in rule}
    assert rules == {
        name: {
            "securityGroupId": monitor.id(GROUP, "wall-load-balancer"),
            "description": "Allowed to open the user interface and the REST API",
            "cidrIpv4": cidr,
            **tcp(443),
        }
        for name, cidr in {
            "wall-web-203.0.113.0-24": "203.0.113.0/24",
            "wall-web-198.51.100.7-32": "198.51.100.7/32",
        }.items()
    }


COUNTS = {
    # groups, rules in (links and allowed ranges), rules out (links and ways out)
    "dev": (DEV, 11, 15 + 1, 15 + 7),
    "prod": (PROD, 13, 21 + 2, 21 + 9),
}


@pytest.mark.parametrize(("args", "groups", "into", "out"), COUNTS.values(), ids=COUNTS)
def test_counts(args: FirewallArgs, groups: int, into: int, out: int) -> None:
    assert firewall(args).counts == {
        "pulumi:providers:aws": 1,
        "airflow:network:Firewall": 1,
        GROUP: groups,
        INGRESS: into,
        EGRESS: out,
    }


@pytest.mark.parametrize("party", ["metastore", "broker", "dag-storage"])
def test_servers_let_nothing_out(party: str) -> None:
    monitor = firewall(PROD)
    group = monitor.id(GROUP, f"wall-{party}")
    assert [name for name, rule in monitor.inputs(EGRESS).items() if rule["securityGroupId"] == group] == []


def test_parents() -> None:
    resources = [one for one in firewall().registered if one.custom and one.type != "pulumi:providers:aws"]
    assert {one.parent for one in resources} == {"wall"}


def test_outputs() -> None:
    monitor = firewall()
    parties = connections.parties_of(DEV.worker_pools, flower=False)
    assert monitor.outputs["wall"] == {
        "groupIds": {party: monitor.id(GROUP, f"wall-{party}") for party in parties}
    }


def test_group_id(deploy: Deployment) -> None:
    monitor, component = built(deploy, lambda opts: Firewall("wall", DEV, opts))
    assert value(deploy, component.group_id(Party.BROKER)) == monitor.id(GROUP, "wall-broker")


def ready(party: str, args: FirewallArgs = DEV) -> list[str]:
    """Return the names of what a party must wait for."""
    _, component = once(Firewall, "wall", args)
    return sorted(rule.pulumi_resource_name for rule in component.ready(party))


def test_ready_of_a_server() -> None:
    """The rules of both ends: that the worker may go out helps nobody while the broker lets nobody in."""
    links = (f"{party}-to-broker-6379" for party in ("scheduler", "worker-default"))
    assert ready(Party.BROKER) == [f"wall-{link}-{end}" for link in links for end in ("in", "out")]


def test_ready_of_a_task() -> None:
    """Its way out is among them, what concerns other parties only is not."""
    links = ("scheduler-to-broker-6379", "scheduler-to-metastore-5432")
    assert ready(Party.SCHEDULER) == [
        "wall-scheduler-to-anywhere",
        *(f"wall-{link}-{end}" for link in links for end in ("in", "out")),
    ]


def test_ready_of_the_publisher() -> None:
    assert ready(Party.RELEASE_PUBLISHER) == [
        "wall-release-publisher-to-anywhere",
        "wall-release-publisher-to-dag-storage-2049-in",
        "wall-release-publisher-to-dag-storage-2049-out",
    ]


def test_ready_of_the_load_balancer() -> None:
    assert ready(Party.LOAD_BALANCER) == [
        "wall-load-balancer-to-api-server-8080-in",
        "wall-load-balancer-to-api-server-8080-out",
        "wall-web-203.0.113.0-24",
    ]


def test_ready_of_one_pool_leaves_the_other_alone() -> None:
    assert not [name for name in ready("worker-heavy", PROD) if "default" in name]


@pytest.mark.parametrize("party", [Party.FLOWER, "worker-heavy"])
def test_a_party_that_does_not_exist_is_unknown(party: str) -> None:
    _, component = once(Firewall, "wall", DEV)
    with pytest.raises(KeyError, match=party):
        component.ready(party)
    with pytest.raises(KeyError, match=party):
        component.group_id(party)


POOLS = st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,15}", fullmatch=True), min_size=1, max_size=4, unique=True)
CIDRS = st.lists(
    st.sampled_from(["10.0.0.0/8", "203.0.113.0/24", "198.51.100.7/32", "0.0.0.0/0"]), min_size=1, unique=True
)


@settings(max_examples=8)  # each runs a whole program
@given(pools=POOLS, flower=st.booleans(), web_cidrs=CIDRS)
def test_every_environment(pools: Sequence[str], flower: bool, web_cidrs: Sequence[str]) -> None:
    """Each link has exactly one rule on each side, and nothing else comes in but the allowed ranges."""
    monitor = firewall(
        FirewallArgs(vpc_id=VPC_ID, worker_pools=tuple(pools), flower=flower, web_cidrs=tuple(web_cidrs))
    )
    parties = {
        monitor.id(GROUP, f"wall-{party}"): party for party in connections.parties_of(pools, flower=flower)
    }
    links = {(link.source, link.target, link.port): 1 for link in connections.links_of(pools, flower=flower)}
    into, out = monitor.inputs(INGRESS).values(), monitor.inputs(EGRESS).values()
    assert Counter((*ends(rule, parties)[::-1], rule["toPort"]) for rule in into if linked(rule)) == links
    assert Counter((*ends(rule, parties), rule["toPort"]) for rule in out if linked(rule)) == links
    assert sorted(rule["cidrIpv4"] for rule in into if not linked(rule)) == sorted(web_cidrs)
    anywhere = Counter(parties[rule["securityGroupId"]] for rule in out if not linked(rule))
    assert anywhere == {way.source: 1 for way in connections.ways_out_of(pools, flower=flower)}


def linked(rule: dict[str, Any]) -> bool:
    """Say whether a rule names another group instead of addresses."""
    return "referencedSecurityGroupId" in rule


def ends(rule: dict[str, Any], parties: dict[str, str]) -> tuple[str, str]:
    """Return whose rule it is and whom it names."""
    return parties[rule["securityGroupId"]], parties[rule["referencedSecurityGroupId"]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"worker_pools": ()}, r"worker_pools \(their number\): want 1 to 50, got 0"),
        (
            {"worker_pools": tuple(f"pool-{number}" for number in range(51))},
            r"worker_pools \(their number\): want 1 to 50, got 51",
        ),
        ({"worker_pools": ("a", "a")}, "worker_pools: want each value once, got a, a"),
        (
            {"worker_pools": ("Heavy",)},
            'worker_pools: want a lower-case name of up to 16 characters, got "Heavy"',
        ),
        ({"web_cidrs": ()}, r"web_cidrs \(their number\): want 1 to 50, got 0"),
        (
            {"web_cidrs": tuple(f"203.0.113.{number}/32" for number in range(51))},
            r"web_cidrs \(their number\): want 1 to 50, got 51",
        ),
        (
            {"web_cidrs": ("10.0.0.0/8", "10.0.0.0/8")},
            "web_cidrs: want each value once, got 10.0.0.0/8, 10.0.0.0/8",
        ),
        ({"web_cidrs": ("10.0.0.1/8",)}, 'web_cidrs: want 10.0.0.0/8, got "10.0.0.1/8"'),
        ({"web_cidrs": ("10.0.0.1",)}, 'web_cidrs: want 10.0.0.1/32, got "10.0.0.1"'),
        ({"web_cidrs": ("::/0",)}, 'web_cidrs: want a range such as 203.0.113.0/24, got "::/0"'),
    ],
    ids=[
        *("no pool", "too many pools", "pool twice", "pool name"),
        *("no range", "too many ranges", "range twice", "address inside", "no length", "IPv6"),
    ],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(DEV, **changes)
