"""Reading the shared stack of the same account."""

from __future__ import annotations

import pulumi

from components.shared_contract import VERSION_EXPORT, SharedContract, accept
from components.tags import PROJECT


async def read_shared(stack: str, *, account_id: str, region: str) -> SharedContract:
    """Return what the shared stack exports, checked.

    The values are plain: a stack reference is never unknown, also not in a preview. Waiting for them here
    means that an environment whose shared stack does not fit is refused before it registers anything of its
    own.

    Raises:
        pulumi.RunError: see `shared_contract.accept`. A stack that does not exist is the engine's own error.

    """
    reference = pulumi.StackReference(f"{pulumi.get_organization()}/{PROJECT}/{stack}")
    names = [VERSION_EXPORT, *SharedContract.export_names().values()]
    outputs = {name: (await reference.get_output_details(name)).value for name in names}
    return accept(stack, outputs, account_id=account_id, region=region)
