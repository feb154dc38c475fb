"""Security groups, whose they are and how their rules are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from policies.crossguard.findings import Finding, Undecided, Violation, judged
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import About, Relation, Severity, Tier
from policies.crossguard.values import View
from policies.security.links import lists, means
from policies.security.references import each_of, given
from policies.security.rules.load_balancers import LOAD_BALANCER
from policies.security.rules.security_groups import (
    EGRESS_RULE,
    GROUP,
    HTTPS,
    INGRESS_RULE,
    OLD_RULE,
    is_ingress,
)
from policies.security.traffic import addresses, is_every_port, is_everybody, is_only

USERS: Final = {
    "aws:ecs/service:Service": "networkConfiguration.securityGroups",
    "aws:lambda/function:Function": "vpcConfig.securityGroupIds",
    LOAD_BALANCER: "securityGroups",
    "aws:rds/instance:Instance": "vpcSecurityGroupIds",
    "aws:rds/cluster:Cluster": "vpcSecurityGroupIds",
    "aws:elasticache/replicationGroup:ReplicationGroup": "securityGroupIds",
    "aws:efs/mountTarget:MountTarget": "securityGroups",
}
"""Where things name their security groups."""
WORKER_POOL: Final = "airflow:compute:WorkerPool"
"""The component with the services that run DAGs, which call what their authors need."""
INGRESS, EGRESS = "ingress", "egress"
FindGroup = Callable[[], Resource | None]
"""Finds the group of a rule; None when that is none of the stack."""
BESIDE: Final = {INGRESS: (INGRESS_RULE, OLD_RULE), EGRESS: (EGRESS_RULE, OLD_RULE)}
"""Types of rules that are resources of their own, by direction."""


def _is_about(rule: Resource, direction: str) -> bool:
    return rule.type != OLD_RULE or is_ingress(rule.props) is (direction == INGRESS)


def _group_of(stack: Stack, rule: Resource) -> Resource | None:
    """Return the group of a rule; None when it belongs to none of the stack."""
    groups = (group for group in stack.of(GROUP) if means(stack, rule, "securityGroupId", group))
    return next(groups, None)


def _users(stack: Stack, group: Resource) -> list[Resource]:
    return [
        user for kind, place in USERS.items() for user in stack.of(kind) if lists(stack, user, place, group)
    ]


def _names_everybody(rule: View) -> bool:
    return any(is_everybody(address) for address in addresses(rule))


def _each_rule(
    direction: str, judge: Callable[[Stack, FindGroup, View], Iterator[Finding]]
) -> Callable[[Stack], Iterator[About]]:
    """Return the check of a relation that judges each rule of a direction, beside a group or inside of it.

    Args:
        direction: Of the rules.
        judge: Gets what finds the group of a rule, and the rule.

    """

    def beside(stack: Stack, rule: Resource) -> Iterator[Finding]:
        if _is_about(rule, direction):
            yield from judge(stack, partial(_group_of, stack, rule), rule.props)

    def inside(stack: Stack, group: Resource) -> Iterator[Finding]:
        for rule in given(group, direction).items():
            yield from judged(partial(judge, stack, lambda: group), rule)

    def check(stack: Stack) -> Iterator[About]:
        yield from each_of(beside, *BESIDE[direction])(stack)
        yield from each_of(inside, GROUP)(stack)

    return check


def _https_for_everybody(stack: Stack, find: FindGroup, rule: View) -> Iterator[Finding]:
    if is_only(rule, HTTPS) and _names_everybody(rule):
        group = find()
        if group is None or not any(user.type == LOAD_BALANCER for user in _users(stack, group)):
            yield Violation("it lets everybody in, want that only for the security group of a load balancer")


def _everything_to_everybody(stack: Stack, find: FindGroup, rule: View) -> Iterator[Finding]:
    if is_every_port(rule) and _names_everybody(rule):
        group = find()
        users = [] if group is None else _users(stack, group)
        if not users or not all(_is_of_workers(stack, user) for user in users):
            yield Violation("it lets everything out, want that only for the security group of a worker pool")
        elif rule["description"].empty:
            yield Violation("it lets everything out, want the reason in `description`")


def _is_of_workers(stack: Stack, user: Resource) -> bool:
    above: Resource | None = user
    while above is not None:
        if above.type == WORKER_POOL:
            return True
        above = stack.by_urn.get(above.parent)
    return False


def _kinds_of_rules(stack: Stack, group: Resource) -> Iterator[Finding]:
    for direction in (INGRESS, EGRESS):
        inside = given(group, direction)
        # An empty list that the program gave removes all rules; one that nothing is recorded of may be AWS's.
        if not inside.absent and (direction in group.property_dependencies or not inside.empty):
            yield from judged(partial(_beside, stack, group, direction), inside)


def _beside(stack: Stack, group: Resource, direction: str, inside: View) -> Iterator[Finding]:
    """Yield one violation, however many rules there are; undecided only when there is none."""

    def judge(rule: Resource, _: View) -> Iterator[Finding]:
        if _is_about(rule, direction) and means(stack, rule, "securityGroupId", group):
            yield Violation(f"{inside.path} is set, want all of its rules beside it, as {rule.name} is")

    found = [
        each for rule in stack.of(*BESIDE[direction]) for each in judged(partial(judge, rule), rule.props)
    ]
    yield from sorted(found, key=lambda finding: isinstance(finding, Undecided))[:1]


RELATIONS: Final = (
    Relation(
        name="sg-everybody-only-to-load-balancer",
        why="Everybody on the internet can try what listens there, without the checks of the load balancer.",
        fix="Name the addresses or the security group that need it.",
        severity=Severity.CRITICAL,
        tier=Tier.EVERYWHERE,
        controls=("92",),
        references=("EC2.18", "AWS-0107"),
        check=_each_rule(INGRESS, _https_for_everybody),
    ),
    Relation(
        name="sg-everything-out-only-of-workers",
        why="What breaks in can send what it finds to anywhere, by any protocol.",
        fix="Name the port and the addresses that are needed; for workers, say in `description` why it is all.",
        severity=Severity.CRITICAL,
        tier=Tier.PROD,
        controls=("93",),
        references=("CKV_AWS_382", "AWS-0104", "ec2_security_group_egress_open_to_world_rule"),
        check=_each_rule(EGRESS, _everything_to_everybody),
    ),
    Relation(
        name="sg-one-kind-of-rules",
        why="Rules inside of a group and beside it remove each other with every update.",
        fix="Keep all rules of a direction beside the group.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("95",),
        references=("awsguard:security-group-no-rule-management-conflicts",),
        check=each_of(_kinds_of_rules, GROUP),
    ),
)
