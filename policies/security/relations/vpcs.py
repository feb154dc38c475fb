"""Networks and what each must have: a flow log, an emptied default security group, and ways to AWS."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final

from policies.crossguard.checks import all_of, is_set
from policies.crossguard.findings import Check, Finding, Undecided, Violation
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import About, Relation, Severity, Tier
from policies.crossguard.values import View
from policies.security.existence import exists
from policies.security.links import is_meant
from policies.security.references import Verdict, each_of, either, given, refers
from policies.security.rules.networks import DEFAULT_GROUP, ENDPOINT, ENDPOINT_POLICY, FLOW_LOG, SUBNET
from policies.security.rules.security_groups import EGRESS_RULE, GROUP, INGRESS_RULE, OLD_RULE

VPC: Final = "aws:ec2/vpc:Vpc"
DEFAULT_VPC: Final = "aws:ec2/defaultVpc:DefaultVpc"
VPCS: Final = (VPC, DEFAULT_VPC)
NAT: Final = "aws:ec2/natGateway:NatGateway"
SERVICES: Final = ("ecr.api", "ecr.dkr", "kms", "logs", "s3", "secretsmanager", "sts")
"""What a task needs to start, to write its log, to decrypt and to take a role. Not ssmmessages, which only ECS Exec
needs, nor ssm: no parameter is used."""


def _has(kind: str, lacks: str) -> Callable[[Stack], Iterator[About]]:
    """Return the check of a relation that each VPC has something of a type, which names it by `vpcId`."""

    def judge(stack: Stack, vpc: Resource) -> Iterator[Finding]:
        yield from exists(
            f"{vpc.name} has {lacks}", *(is_meant(stack, each, "vpcId", vpc) for each in stack.of(kind))
        )(vpc.props)

    return each_of(judge, *VPCS)


def _opened(stack: Stack, rule: Resource) -> Iterator[Finding]:
    """Judge whose rule it is: the group that comes with a VPC may be adopted as a resource, or only named."""
    group = rule.props["securityGroupId"]
    if stack.behind(rule, "securityGroupId", GROUP):
        return
    verdict = either(
        [
            *(_is_default_of(stack, vpc, rule) for vpc in stack.of(*VPCS)),
            *(refers(stack, rule, "securityGroupId", group, adopted) for adopted in stack.of(DEFAULT_GROUP)),
        ]
    )
    if verdict is None:
        yield Undecided(group.path)
    elif verdict:
        yield Violation("securityGroupId is the default security group, want one with a purpose")


def _is_default_of(stack: Stack, vpc: Resource, rule: Resource) -> Verdict:
    group, default = rule.props["securityGroupId"], vpc.props["defaultSecurityGroupId"]
    if vpc in stack.behind(rule, "securityGroupId", vpc.type):
        return True
    if group.unknown:
        return None
    # One that AWS has not made yet is named by nobody.
    return not default.absent and not default.unknown and group.text() == default.text()


def _endpoints(stack: Stack, vpc: Resource) -> Iterator[Finding]:
    nat = list(exists("", *_nats(stack, vpc))(vpc.props))
    if not nat or isinstance(nat[0], Undecided):
        yield from nat
        return
    missing = []
    for service in SERVICES:
        for finding in exists("", *_endpoints_for(stack, vpc, service))(vpc.props):
            if isinstance(finding, Undecided):
                yield finding
            else:
                missing.append(service)
    if missing:
        yield Violation(f"{vpc.name} has no NAT, and no endpoint for {', '.join(missing)}")


def _nats(stack: Stack, vpc: Resource) -> Iterator[Check]:
    """Iterate over checks that are content when a NAT gateway is in the VPC; a regional one has no subnet."""
    for nat in stack.of(NAT):
        yield is_meant(stack, nat, "vpcId", vpc)
        for subnet in stack.of(SUBNET):
            yield all_of(is_meant(stack, nat, "subnetId", subnet), is_meant(stack, subnet, "vpcId", vpc))


def _endpoints_for(stack: Stack, vpc: Resource, service: str) -> Iterator[Check]:
    for endpoint in stack.of(ENDPOINT):
        yield all_of(is_meant(stack, endpoint, "vpcId", vpc), partial(_is_for, endpoint, service))


def _is_for(endpoint: Resource, service: str, _: View) -> Iterator[Finding]:
    if not endpoint.props["serviceName"].text().endswith(f".{service}"):
        yield Violation("an endpoint for something else")


def _policies(stack: Stack, endpoint: Resource) -> Iterator[Finding]:
    if given(endpoint, "policy").empty:
        beside = [
            all_of(is_meant(stack, policy, "vpcEndpointId", endpoint), partial(_is_written, policy))
            for policy in stack.of(ENDPOINT_POLICY)
        ]
        yield from exists(f"{endpoint.name} has no policy, which lets everything through", *beside)(
            endpoint.props
        )


def _is_written(policy: Resource, _: View) -> Iterable[Finding]:
    return is_set("policy")(policy.props)


RELATIONS: Final = (
    Relation(
        name="vpc-has-flow-log",
        why="Nobody can tell later who talked to whom, nor see who tries.",
        fix="Add a FlowLog with the `vpcId` of the VPC.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("91",),
        references=("EC2.6", "4.7", "CKV2_AWS_11", "AWS-0178"),
        check=_has(FLOW_LOG, "no flow log"),
    ),
    Relation(
        name="vpc-has-empty-default-group",
        why="AWS makes the default security group with rules, and what names no group gets it.",
        fix="Add a DefaultSecurityGroup with the `vpcId` of the VPC and without rules.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("90",),
        references=("EC2.2", "6.5", "CKV2_AWS_12", "AWS-0173"),
        check=_has(DEFAULT_GROUP, "no default security group without rules"),
    ),
    Relation(
        name="default-security-group-unused",
        why="What names no security group gets the default one, with whatever the rule opens.",
        fix="Make the rule one of a security group of its own.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("90",),
        references=("EC2.2", "6.5", "CKV2_AWS_12", "AWS-0173"),
        check=each_of(_opened, INGRESS_RULE, EGRESS_RULE, OLD_RULE),
    ),
    Relation(
        name="vpc-endpoints-without-nat",
        why="No task starts: nothing leads to the registry, the logs and the secrets.",
        fix="Add the endpoints, or a NAT gateway.",
        severity=Severity.MEDIUM,
        tier=Tier.NOWHERE,
        controls=("97",),
        references=("EC2.55", "EC2.56", "6.8"),
        check=each_of(_endpoints, *VPCS),
    ),
    Relation(
        name="vpc-endpoint-has-policy",
        why="Without a policy, data leaves for somebody else's account with somebody else's credentials.",
        fix="Set `policy`, or add a VpcEndpointPolicy.",
        severity=Severity.MEDIUM,
        tier=Tier.NOWHERE,
        controls=("97",),
        check=each_of(_policies, ENDPOINT),
    ),
)
