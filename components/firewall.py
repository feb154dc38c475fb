"""The security groups of an environment: one for each party, two rules for each connection that is meant to be.

Every rule is a resource of its own and no group has inline rules: both together would overwrite each other. A group
without an egress rule lets nothing out, because the provider takes the rule away that AWS adds to a new group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

import pulumi
import pulumi_aws as aws

from components import checks, connections
from components.connections import Link, Party, WayOut

ANYWHERE = "0.0.0.0/0"
MAX_WEB_CIDRS = 50
MAX_WORKER_POOLS = 50
"""AWS allows 60 rules a direction and group; pools and allowed ranges share theirs with a few others."""


@dataclass(frozen=True, kw_only=True)
class FirewallArgs:
    """Inputs of a Firewall."""

    vpc_id: pulumi.Input[str]
    """VPC of the groups."""
    worker_pools: Sequence[str]
    """Names of the worker pools; each gets a group."""
    flower: bool
    """Whether Flower runs."""
    web_cidrs: Sequence[str]
    """IPv4 ranges that may open the web entry, the only way in."""

    def __post_init__(self) -> None:
        """Refuse what AWS would refuse only when it is created."""
        checks.between("worker_pools (their number)", len(self.worker_pools), 1, MAX_WORKER_POOLS)
        checks.distinct("worker_pools", self.worker_pools)
        for pool in self.worker_pools:
            checks.matching(
                "worker_pools", pool, "[a-z][a-z0-9-]{0,15}", "a lower-case name of up to 16 characters"
            )
        checks.between("web_cidrs (their number)", len(self.web_cidrs), 1, MAX_WEB_CIDRS)
        checks.distinct("web_cidrs", self.web_cidrs)
        for cidr in self.web_cidrs:
            _check_range(cidr)


class Firewall(pulumi.ComponentResource):
    """Who may talk to whom, as `connections` says it."""

    def __init__(self, name: str, args: FirewallArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the groups, then the rules between them."""
        super().__init__("airflow:network:Firewall", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        pools, flower = args.worker_pools, args.flower
        parties = connections.parties_of(pools, flower=flower)
        self._groups = {party: self._make_group(name, args, party) for party in parties}
        self._rules: dict[str, list[pulumi.Resource]] = {party: [] for party in parties}
        for cidr in args.web_cidrs:
            self._let_in(name, cidr)
        for link in connections.links_of(pools, flower=flower):
            self._connect(name, link)
        for way_out in connections.ways_out_of(pools, flower=flower):
            self._let_out(name, way_out)
        self.register_outputs({"groupIds": {party: group.id for party, group in self._groups.items()}})

    def group_id(self, party: str) -> pulumi.Output[str]:
        """Return the id of a party's security group."""
        return self._groups[party].id

    def ready(self, party: str) -> tuple[pulumi.Resource, ...]:
        """Return what a party must depend on: every rule that it is an end of, also those of the other end.

        A group's id alone does not wait for rules; a task that starts before them times out on its first
        connections.
        """
        return tuple(self._rules[party])

    def _make_group(self, name: str, args: FirewallArgs, party: str) -> aws.ec2.SecurityGroup:
        return aws.ec2.SecurityGroup(
            f"{name}-{party}",
            description=f"Airflow {party}",
            vpc_id=args.vpc_id,
            tags={"Name": f"{name}-{party}"},
            opts=self._child,
        )

    def _let_in(self, name: str, cidr: str) -> None:
        """Let a range of addresses open the web entry.

        The range is in the name, not its position: positions move when one is taken out, and for a moment two
        rules would be the same, which AWS refuses.
        """
        rule = aws.vpc.SecurityGroupIngressRule(
            f"{name}-web-{cidr.replace('/', '-')}",
            security_group_id=self.group_id(Party.LOAD_BALANCER),
            description="Allowed to open the user interface and the REST API",
            cidr_ipv4=cidr,
            opts=self._child,
            **_tcp(connections.WEB_PORT),
        )
        self._rules[Party.LOAD_BALANCER].append(rule)

    def _connect(self, name: str, link: Link) -> None:
        """Let the source out to the target, and the target let it in."""
        source, target = self.group_id(link.source), self.group_id(link.target)
        out = aws.vpc.SecurityGroupEgressRule(
            f"{name}-{link.name}-out",
            security_group_id=source,
            referenced_security_group_id=target,
            description=f"To {link.target}: {link.why}",
            opts=self._child,
            **_tcp(link.port),
        )
        into = aws.vpc.SecurityGroupIngressRule(
            f"{name}-{link.name}-in",
            security_group_id=target,
            referenced_security_group_id=source,
            description=f"From {link.source}: {link.why}",
            opts=self._child,
            **_tcp(link.port),
        )
        for party in (link.source, link.target):
            self._rules[party] += [out, into]

    def _let_out(self, name: str, way_out: WayOut) -> None:
        ports: dict[str, Any] = {"ip_protocol": "-1"} if way_out.port is None else _tcp(way_out.port)
        rule = aws.vpc.SecurityGroupEgressRule(
            f"{name}-{way_out.source}-to-anywhere",
            security_group_id=self.group_id(way_out.source),
            description=way_out.why,
            cidr_ipv4=ANYWHERE,
            opts=self._child,
            **ports,
        )
        self._rules[way_out.source].append(rule)


def _tcp(port: int) -> dict[str, Any]:
    return {"ip_protocol": "tcp", "from_port": port, "to_port": port}


def _check_range(cidr: str) -> None:
    """Refuse what is no IPv4 range, or names it by an address inside it."""
    try:
        network = str(IPv4Network(cidr, strict=False))
    except ValueError:
        network = "a range such as 203.0.113.0/24"
    if cidr != network:
        raise ValueError(f'web_cidrs: want {network}, got "{cidr}"')
