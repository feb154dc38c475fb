"""What security groups let through: whose rule it is, from where or to where, on which port.

A rule is a resource of its own, of the newer or the older kind, or a part of a group. Answers are verdicts: None stands
for what is not known yet, and nothing here is undecided for another group's sake.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from policies.crossguard.resources import Resource, Stack
from policies.crossguard.values import View
from policies.security.documents import values
from policies.security.references import Verdict, either, every, given, refers, tells
from policies.security.rules.security_groups import EGRESS_RULE, GROUP, INGRESS_RULE, OLD_RULE
from policies.security.traffic import protocol, reaches

INGRESS, EGRESS = "ingress", "egress"
PEERS: Final = ("referencedSecurityGroupId", "sourceSecurityGroupId", "securityGroups")
"""Where a rule names the security groups on its other end."""
RANGES: Final = ("cidrIpv4", "cidrIpv6", "cidrBlocks", "ipv6CidrBlocks", "prefixListId", "prefixListIds")
"""Where it names addresses."""
RULES_OF: Final = {INGRESS: (INGRESS_RULE, OLD_RULE), EGRESS: (EGRESS_RULE, OLD_RULE)}
"""Types of rules beside a group, by direction."""
UDP: Final = frozenset({"udp", "17"})


@dataclass(frozen=True)
class Door:
    """One rule of a security group."""

    stack: Stack
    owner: Resource
    """The resource that it is, or is a part of."""
    rule: View
    direction: str

    def is_of(self, group: Resource) -> Verdict:
        """Say whether it is a rule of a group."""
        if self.owner.type == GROUP:
            return self.owner is group
        named = self.owner.props["securityGroupId"]
        return every([self._is_about(), refers(self.stack, self.owner, "securityGroupId", named, group)])

    def _is_about(self) -> Verdict:
        """Say whether it is a rule of its direction, which only the older kind says itself."""
        return self.owner.type != OLD_RULE or tells(
            self.owner.props["type"], lambda kind: kind.text() == self.direction
        )

    def is_for(self, group: Resource) -> Verdict:
        """Say whether a group is on the other end."""
        itself = every([tells(self.rule["self"], View.flag), self.is_of(group)])
        return either([itself, *(self.names(peer, group) for peer in self.peers())])

    def names(self, peer: View, group: Resource) -> Verdict:
        """Say whether one of the peers is a group."""
        property = peer.path.partition(".")[0].partition("[")[0]
        return refers(self.stack, self.owner, property, peer, group)

    def peers(self) -> Iterator[View]:
        """Iterate over the ids of the groups on the other end."""
        return _filled(self.rule, PEERS)

    def ranges(self) -> Iterator[View]:
        """Iterate over the ranges of addresses and the lists of them."""
        return _filled(self.rule, RANGES)

    def has_ranges(self) -> Verdict:
        """Say whether addresses are on the other end."""
        return either(None if each.unknown else True for each in self.ranges())

    def opens(self, port: View) -> Verdict:
        """Say whether it lets through what asks for a TCP port."""
        parts = [self.rule[name] for name in ("ipProtocol", "protocol", "fromPort", "toPort")]
        if port.unknown or any(part.unknown for part in parts):
            return None
        return protocol(self.rule) not in UDP and reaches(self.rule, int(port.number()))


def groups_of(stack: Stack, owner: Resource, place: str) -> list[tuple[Resource, Verdict]]:
    """Return the security groups that a resource is in, or may be in.

    Args:
        stack: The stack of both.
        owner: What is in them.
        place: Where it names them, as in `networkConfiguration.securityGroups`.

    """
    property, _, inside = place.partition(".")
    listed = given(owner, property)
    named = [*values(listed.at(inside) if inside else listed)]
    found = (
        (group, either(refers(stack, owner, property, one, group) for one in named))
        for group in stack.of(GROUP)
    )
    return [(group, is_its) for group, is_its in found if is_its is not False]


def doors(stack: Stack, owner: Resource, direction: str) -> Iterator[Door]:
    """Iterate over the rules of a direction that a resource is, or has."""
    if owner.type != GROUP:
        yield Door(stack, owner, owner.props, direction)
        return
    # Those that only AWS tells of are the rules beside the group.
    for rule in values(given(owner, direction)):
        yield Door(stack, owner, rule, direction)


def all_doors(stack: Stack, direction: str) -> Iterator[Door]:
    """Iterate over all rules of a direction; what is wrong with one that is no rule is another check's matter."""
    for owner in stack.of(GROUP, *RULES_OF[direction]):
        yield from (
            door for door in doors(stack, owner, direction) if door.rule.unknown or _is_object(door.rule)
        )


def stands_open(stack: Stack, group: Resource) -> Verdict:
    """Say whether a group lets in addresses, not only groups: what is in it stands at the edge."""
    return either(every([door.is_of(group), door.has_ranges()]) for door in all_doors(stack, INGRESS))


def lets_out(stack: Stack, source: Resource, target: Resource, port: View) -> Verdict:
    """Say whether what is in one group may call a port of what is in another one."""
    return either(
        every([door.is_of(source), either([door.is_for(target), door.has_ranges()]), door.opens(port)])
        for door in all_doors(stack, EGRESS)
    )


def lets_in(stack: Stack, source: Resource, target: Resource, port: View) -> Verdict:
    """Say whether a group takes calls from what is in another one."""
    return either(
        every([door.is_of(target), door.is_for(source), door.opens(port)])
        for door in all_doors(stack, INGRESS)
    )


def _is_object(rule: View) -> bool:
    return isinstance(rule.known(), dict)


def _filled(rule: View, names: tuple[str, ...]) -> Iterator[View]:
    for name in names:
        yield from (each for each in values(rule[name]) if each.unknown or not each.empty)
