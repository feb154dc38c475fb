"""The way from the load balancer to a service: no gap in it, and no second way.

A listener forwards to a target group, a service registers with it, and its security group lets in that of the load
balancer and no addresses.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import product
from typing import Final

from policies.crossguard.findings import Finding, Undecided, Violation, judged
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import About, Relation, Severity, Tier
from policies.crossguard.values import View
from policies.security.documents import values
from policies.security.doors import groups_of, lets_in, lets_out, stands_open
from policies.security.references import Verdict, each_of, either, every, refers
from policies.security.rules.load_balancers import LISTENER, LOAD_BALANCER
from policies.security.rules.services import SERVICE
from policies.security.rules.target_groups import TARGET_GROUP

LISTENER_RULE: Final = "aws:lb/listenerRule:ListenerRule"
ATTACHMENT: Final = "aws:lb/targetGroupAttachment:TargetGroupAttachment"
_ACTIONS: Final = {LISTENER: "defaultActions", LISTENER_RULE: "actions"}

Candidates = list[tuple[Resource, Verdict]]
"""Resources that are meant, or may be."""


def _forwards(stack: Stack, holder: Resource, group: Resource) -> Verdict:
    """Say whether a listener, or a rule of one, forwards to a target group."""
    property = _ACTIONS[holder.type]
    actions = [*values(holder.props[property])]
    arns = [action["targetGroupArn"] for action in actions]
    weighted = [each["arn"] for action in actions for each in values(action["forward"]["targetGroups"])]
    return either(refers(stack, holder, property, arn, group) for arn in (*arns, *weighted))


def _balancers(stack: Stack, group: Resource) -> Candidates:
    """Return the load balancers that lead to a target group, or may lead there."""
    leading = [(each, _forwards(stack, each, group)) for each in stack.of(LISTENER)]
    for rule, listener in product(stack.of(LISTENER_RULE), stack.of(LISTENER)):
        is_its = refers(stack, rule, "listenerArn", rule.props["listenerArn"], listener)
        leading.append((listener, every([is_its, _forwards(stack, rule, group)])))
    found = {
        balancer: either(
            every(
                [
                    leads,
                    refers(stack, listener, "loadBalancerArn", listener.props["loadBalancerArn"], balancer),
                ]
            )
            for listener, leads in leading
        )
        for balancer in stack.of(LOAD_BALANCER)
    }
    return [(balancer, leads) for balancer, leads in found.items() if leads is not False]


def _ends(stack: Stack, group: Resource) -> Iterator[Finding]:
    """Judge a target group: somebody sends requests there, and somebody answers them."""
    forwarded = either(_forwards(stack, each, group) for each in stack.of(LISTENER, LISTENER_RULE))
    yield from _unless(forwarded, "no listener forwards to it", "the listener")
    joined = (
        refers(stack, service, "loadBalancers", entry["targetGroupArn"], group)
        for service in stack.of(SERVICE)
        for entry in values(service.props["loadBalancers"])
    )
    attached = (
        refers(stack, each, "targetGroupArn", each.props["targetGroupArn"], group)
        for each in stack.of(ATTACHMENT)
    )
    yield from _unless(either([*joined, *attached]), "no service registers with it", "the service")


def _ways(stack: Stack, service: Resource) -> Iterator[Finding]:
    """Judge a service that is behind a load balancer."""
    backs = groups_of(stack, service, "networkConfiguration.securityGroups")
    for entry in values(service.props["loadBalancers"]):
        yield from judged(partial(_way, stack, service, backs), entry)
        for back, is_its in backs:
            past = every([is_its, stands_open(stack, back)])
            yield from _unless(
                None if past is None else not past,
                f"{back.name} lets in addresses, past the load balancer",
                entry.path,
            )


def _way(stack: Stack, service: Resource, backs: Candidates, entry: View) -> Iterator[Finding]:
    arn = entry["targetGroupArn"]
    named = [(group, refers(stack, service, "loadBalancers", arn, group)) for group in stack.of(TARGET_GROUP)]
    if any(is_it is None for _, is_it in named):
        yield Undecided(arn.path)
    elif not any(is_it for _, is_it in named) and not arn.absent:
        yield Violation(f"{arn.path} is no target group of this stack")
    for group, is_it in named:
        if is_it:
            yield from _let_through(stack, _balancers(stack, group), backs, entry)


def _let_through(stack: Stack, balancers: Candidates, backs: Candidates, entry: View) -> Iterator[Finding]:
    port = entry["containerPort"]
    for balancer, leads in balancers:
        fronts = groups_of(stack, balancer, "securityGroups")
        both = [
            (front, back, every([leads, is_front, is_back]))
            for (front, is_front), (back, is_back) in product(fronts, backs)
        ]
        into = either(every([sure, lets_in(stack, front, back, port)]) for front, back, sure in both)
        out = either(every([sure, lets_out(stack, front, back, port)]) for front, back, sure in both)
        yield from _unless(into, f"no rule lets in {balancer.name} on the port of {entry.path}", entry.path)
        yield from _unless(out, f"no rule lets {balancer.name} out to the port of {entry.path}", entry.path)


def _unless(verdict: Verdict, message: str, path: str) -> Iterator[Finding]:
    if verdict is False:
        yield Violation(message)
    elif verdict is None:
        yield Undecided(path)


def _chain(stack: Stack) -> Iterator[About]:
    yield from each_of(_ends, TARGET_GROUP)(stack)
    yield from each_of(_ways, SERVICE)(stack)


RELATIONS: Final = (
    Relation(
        name="web-chain-closed",
        why="A gap in the chain is an outage; a second way in passes the load balancer, its TLS and its allow-list.",
        fix="Forward a listener to the target group, register a service with it, and let in the security group of the "
        "load balancer alone.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("R7",),
        check=_chain,
    ),
)
