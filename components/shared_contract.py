"""What a shared stack promises to the environments of its account, by the names of its exports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import pulumi

CONTRACT_VERSION = 2
"""Raised whenever environments need something new from the shared stack; additions do not break older
readers."""
VERSION_EXPORT = "contractVersion"


@dataclass(frozen=True, kw_only=True)
class SharedContract:
    """The exports of a shared stack that environments read; all are plain, none is secret."""

    account_id: str
    region: str
    state_bucket_name: str
    key_arn: str
    permissions_boundary_arn: str
    repository_url: str
    repository_arn: str
    release_bucket_name: str
    release_bucket_arn: str
    zone_id: str
    zone_name: str

    @classmethod
    def export_names(cls) -> dict[str, str]:
        """Return the stack's export name of each field."""
        return {field.name: _camel(field.name) for field in fields(cls)}


def accept(stack: str, outputs: Mapping[str, Any], *, account_id: str, region: str) -> SharedContract:
    """Check the outputs of a shared stack and return them typed.

    Args:
        stack: Name of the shared stack, for the message.
        outputs: What the stack exports; an absent key and None are the same.
        account_id: The account of the environment; the shared stack must be of the same.
        region: The region of the environment; the shared stack must be of the same.

    Raises:
        pulumi.RunError: the stack is older than this program, incomplete, or of another account or region.
        The engine
            shows its text as the only message.

    """
    # Every number that comes from another stack is a float.
    version = outputs.get(VERSION_EXPORT)
    if not isinstance(version, int | float):
        had = f"exports no {VERSION_EXPORT}"
    else:
        had = "" if version >= CONTRACT_VERSION else f"has {VERSION_EXPORT} {version:g}"
    if had:
        raise pulumi.RunError(
            f"shared.stack: the stack {stack} {had}, this program needs {CONTRACT_VERSION}; {_remedy(stack)}"
        )
    names = SharedContract.export_names()
    values = {field: outputs.get(export) for field, export in names.items()}
    missing = [names[field] for field, value in values.items() if not isinstance(value, str)]
    if missing:
        raise pulumi.RunError(
            f"shared.stack: the stack {stack} does not export {', '.join(missing)}; {_remedy(stack)}"
        )
    contract = SharedContract(**{field: str(value) for field, value in values.items()})
    if (contract.account_id, contract.region) != (account_id, region):
        raise pulumi.RunError(
            f"shared.stack: the stack {stack} is of account {contract.account_id} in {contract.region}, "
            f"this environment of account {account_id} in {region}; name the shared stack of the same account"
        )
    return contract


def _remedy(stack: str) -> str:
    return f"bring it up to date first: pulumi up --stack {stack}"


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)
