"""Rules of security groups, inside of the group or beside it.

Whose group lets the internet in or everything out, and whether a group has rules of both kinds, are relations.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.crossguard.checks import all_of, each, is_set, none_of, when
from policies.crossguard.findings import Finding, Violation
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View
from policies.security.traffic import is_everybody, is_only, not_with_everybody

GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
INGRESS_RULE: Final = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS_RULE: Final = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
OLD_RULE: Final = "aws:ec2/securityGroupRule:SecurityGroupRule"
"""For both directions: `type` says which."""
PREFIX_LIST: Final = "aws:ec2/managedPrefixList:ManagedPrefixList"
PREFIX_LIST_ENTRY: Final = "aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry"

HTTPS: Final = 443
NO_DESCRIPTION: Final = frozenset({"", "Managed by Pulumi", "Managed by Terraform"})
"""What the provider writes for a group when the program says nothing."""


def is_ingress(rule: View) -> bool:
    """Say whether a rule is about what comes in; only the older kind of rule says so itself."""
    return rule["type"].text("ingress") == "ingress"


_NOT_FOR_EVERYBODY = when(
    is_ingress,
    not_with_everybody(lambda rule: not is_only(rule, HTTPS), "a narrower range, or TCP port 443 alone"),
)


def _narrow(entry: View) -> Iterator[Finding]:
    """Judge an entry of a prefix list; the list itself has no range."""
    address = entry["cidr"]
    if not address.absent and is_everybody(address):
        yield Violation(f"{address.path} is {address.shown()}, want a narrower range")


RULES: Final = (
    Rule(
        name="sg-not-open-to-everybody",
        why="Everybody on the internet can try what listens there.",
        fix="Name the addresses or the security group that need it; only HTTPS of a load balancer may be for all.",
        severity=Severity.CRITICAL,
        tier=Tier.EVERYWHERE,
        controls=("92",),
        references=(
            "EC2.13",
            "EC2.14",
            "EC2.18",
            "EC2.19",
            "EC2.53",
            "EC2.54",
            "6.3",
            "6.4",
            "CKV_AWS_24",
            "CKV_AWS_25",
            "CKV_AWS_260",
            "CKV_AWS_277",
            "AWS-0107",
            "ec2_security_group_ingress_open_to_world_rule",
            "ec2/SecurityGroup/disallowPublicInternetIngress",
        ),
        implies=frozenset({"data-reached-by-callers-only", "web-chain-closed"}),
        on=(INGRESS_RULE, OLD_RULE, GROUP),
        check=all_of(_NOT_FOR_EVERYBODY, each("ingress", _NOT_FOR_EVERYBODY)),
    ),
    Rule(
        name="prefix-list-narrow",
        why="A rule that names the list looks narrow, and lets the whole internet in.",
        fix="List the ranges that are meant.",
        severity=Severity.CRITICAL,
        tier=Tier.EVERYWHERE,
        controls=("92",),
        on=(PREFIX_LIST, PREFIX_LIST_ENTRY),
        check=all_of(_narrow, each("entries", _narrow)),
    ),
    Rule(
        name="sg-described",
        why="Nobody dares to remove a rule when nobody knows what it is for.",
        fix="Set `description`, of the group and of each rule.",
        severity=Severity.LOW,
        tier=Tier.NOWHERE,
        controls=("94",),
        references=(
            "CKV_AWS_23",
            "AWS-0099",
            "AWS-0124",
            "ec2/SecurityGroup/missingDescription",
            "ec2/SecurityGroup/missingIngressRuleDescription",
            "ec2/SecurityGroup/missingEgressRuleDescription",
        ),
        implies=frozenset({"sg-everything-out-only-of-workers"}),
        on=(GROUP, INGRESS_RULE, EGRESS_RULE, OLD_RULE),
        check=all_of(
            none_of("description", NO_DESCRIPTION),
            each("ingress", is_set("description")),
            each("egress", is_set("description")),
        ),
    ),
)
