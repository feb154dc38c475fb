"""Networks: subnets, the default security group, flow logs, network ACLs and endpoints.

Whether a VPC has its flow log, its emptied default security group and its endpoints are relations.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.crossguard.checks import all_of, each, is_absent, is_false, one_of, when
from policies.crossguard.findings import Finding, Violation
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View
from policies.security.documents import Statement, each_statement
from policies.security.principals import EQUAL, is_open
from policies.security.traffic import has_addresses, not_with_everybody, reaches

SUBNET: Final = "aws:ec2/subnet:Subnet"
DEFAULT_SUBNET: Final = "aws:ec2/defaultSubnet:DefaultSubnet"
DEFAULT_GROUP: Final = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
FLOW_LOG: Final = "aws:ec2/flowLog:FlowLog"
ACL: Final = "aws:ec2/networkAcl:NetworkAcl"
DEFAULT_ACL: Final = "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl"
ACL_RULE: Final = "aws:ec2/networkAclRule:NetworkAclRule"
ENDPOINT: Final = "aws:ec2/vpcEndpoint:VpcEndpoint"
ENDPOINT_POLICY: Final = "aws:ec2/vpcEndpointPolicy:VpcEndpointPolicy"

OWNERS_OF_RESOURCES: Final = ("aws:ResourceAccount", "aws:ResourceOrgID", "aws:ResourceOrgPaths")
ADMINISTRATION: Final = (22, 3389)
"""Ports of SSH and of the Remote Desktop Protocol."""
OF_TRANSIT: Final = ("transitGatewayId", "transitGatewayAttachmentId")


def _has_traffic_types(flow_log: View) -> bool:
    """Say whether it may choose: the log of a transit gateway always has all traffic."""
    return all(flow_log[place].absent for place in OF_TRANSIT)


def _lets_in(rule: View) -> bool:
    """Say what it does; an entry inside of a network ACL calls `action` what a rule beside it calls `ruleAction`."""
    action = rule["action"] if rule["ruleAction"].absent else rule["ruleAction"]
    return not rule["egress"].flag() and action.text("allow").lower() == "allow"


_NO_ADMINISTRATION = when(
    has_addresses,
    when(
        _lets_in,
        not_with_everybody(
            lambda rule: reaches(rule, *ADMINISTRATION), "no range that wide for port 22 or 3389"
        ),
    ),
)


def _lets_all_through(view: View) -> Iterator[Finding]:
    """Judge a statement; a condition may name our accounts as those who ask, or as those who are asked."""
    statement = Statement(view)
    ours = [value for key in OWNERS_OF_RESOURCES for value in statement.condition(key, *EQUAL)]
    if is_open(statement) and not ours and "*" in statement.actions and "*" in statement.resources:
        yield Violation(f"{view.path} lets everybody do everything, want a condition on aws:PrincipalAccount")


RULES: Final = (
    Rule(
        name="subnet-no-public-address",
        why="What is started in it by mistake is reached from the internet at once.",
        fix="Set `mapPublicIpOnLaunch` to false.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("89",),
        references=("EC2.15", "CKV_AWS_130", "AWS-0164", "subnet_auto_assign_public_ip_disabled"),
        on=(SUBNET,),
        check=is_false("mapPublicIpOnLaunch"),
    ),
    Rule(
        name="default-subnet-no-public-address",
        why="What names no subnet is started in it, and is reached from the internet at once.",
        fix="Set `mapPublicIpOnLaunch` to false; AWS makes such subnets with true.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("89",),
        references=("EC2.15", "CKV_AWS_130", "AWS-0164", "subnet_auto_assign_public_ip_disabled"),
        on=(DEFAULT_SUBNET,),
        check=is_false("mapPublicIpOnLaunch", default=True),
    ),
    Rule(
        name="default-security-group-empty",
        why="What names no security group gets this one, with whatever it opens.",
        fix="Set `ingress` and `egress` to empty lists.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("90",),
        references=("EC2.2", "6.5", "CKV2_AWS_12", "AWS-0173"),
        on=(DEFAULT_GROUP,),
        check=all_of(is_absent("ingress"), is_absent("egress")),
    ),
    Rule(
        name="flow-log-shows-refused",
        why="Who looks for open doors is seen only in the connections that were refused.",
        fix="Set `trafficType` to ALL, or to REJECT.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("91",),
        references=("EC2.6", "4.7"),
        on=(FLOW_LOG,),
        check=when(_has_traffic_types, one_of("trafficType", {"ALL", "REJECT"})),
    ),
    Rule(
        name="nacl-no-administration",
        why="One careless security group is enough to let everybody try the passwords of a machine.",
        fix="Remove the rule, or name the addresses that need it.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("96",),
        references=("EC2.21", "6.2", "CKV_AWS_352", "AWS-0102", "AWS-0105"),
        on=(ACL_RULE, ACL, DEFAULT_ACL),
        check=all_of(_NO_ADMINISTRATION, each("ingress", _NO_ADMINISTRATION)),
    ),
    Rule(
        name="vpc-endpoint-own-accounts",
        why="Data leaves for somebody else's account through our own network, with somebody else's credentials.",
        fix="Set a `policy` that lets identities of our accounts through only.",
        severity=Severity.MEDIUM,
        tier=Tier.NOWHERE,
        controls=("97",),
        on=(ENDPOINT, ENDPOINT_POLICY),
        check=each_statement("policy", _lets_all_through),
    ),
)
