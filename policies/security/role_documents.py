"""The policies of a role, wherever they stand: inline, beside it, or managed and attached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from policies.crossguard.resources import Resource, Stack
from policies.crossguard.values import View
from policies.security.documents import values
from policies.security.references import Verdict, either, every, given, refers
from policies.security.rules.iam_policies import POLICY, ROLE, ROLE_POLICY

ATTACHMENT: Final = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
EVERY_ATTACHMENT: Final = "aws:iam/policyAttachment:PolicyAttachment"
EXCLUSIVE: Final = "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive"


@dataclass(frozen=True)
class RoleDocument:
    """A policy document, and whether it is one of a role."""

    owner: Resource
    """The resource that it stands in."""
    view: View
    is_its: Verdict

    @property
    def property(self) -> str:
        """The property at the top that it is, or is a part of."""
        return self.view.path.partition("[")[0]

    def made_of(self, stack: Stack, *types: str) -> list[Resource] | None:
        """Return of which resources it was made; None when nothing is recorded."""
        if self.property not in self.owner.property_dependencies:
            return None
        return stack.behind(self.owner, self.property, *types)


def documents_of(stack: Stack, role: Resource) -> Iterator[RoleDocument]:
    """Iterate over the documents that give a role its rights, or may do that."""
    for policy in stack.of(ROLE_POLICY):
        is_its = refers(stack, policy, "role", policy.props["role"], role)
        yield RoleDocument(policy, policy.props["policy"], is_its)
    # What AWS lists there are the policies beside the role.
    for inline in values(given(role, "inlinePolicies")):
        yield RoleDocument(role, inline["policy"], True)
    for policy in stack.of(POLICY):
        yield RoleDocument(policy, policy.props["policy"], _is_attached(stack, policy, role))


def its_documents(stack: Stack, role: Resource) -> list[RoleDocument]:
    """Return the documents of a role, without those that are surely another one's."""
    return [document for document in documents_of(stack, role) if document.is_its is not False]


def _is_attached(stack: Stack, policy: Resource, role: Resource) -> Verdict:
    def names(owner: Resource, property: str, target: Resource) -> Verdict:
        return either(refers(stack, owner, property, each, target) for each in values(owner.props[property]))

    beside = (
        every([names(each, where, role), names(each, what, policy)])
        for kind, where, what in (
            (ATTACHMENT, "role", "policyArn"),
            (EVERY_ATTACHMENT, "roles", "policyArn"),
            (EXCLUSIVE, "roleName", "policyArns"),
        )
        for each in stack.of(kind)
    )
    listed = (
        refers(stack, role, "managedPolicyArns", each, policy)
        for each in values(given(role, "managedPolicyArns"))
    )
    return either([*beside, *listed])


def role_of(stack: Stack, owner: Resource, property: str) -> tuple[Resource | None, Verdict]:
    """Return the role of the stack that a property names, and whether it does: None while that is open."""
    named = [(role, refers(stack, owner, property, owner.props[property], role)) for role in stack.of(ROLE)]
    sure = [role for role, is_it in named if is_it]
    if sure:
        return sure[0], True
    return None, either(is_it for _, is_it in named)
