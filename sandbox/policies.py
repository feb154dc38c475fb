"""The policy packs of a project, as options of the CLI: folders below `policies` that have a PulumiPolicy.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

FOLDER: Final = "policies"
DEFINITION: Final = "PulumiPolicy.yaml"


def options(project: Path, stack: str) -> list[str]:
    """Return the options that let the CLI judge a stack by every pack of a project.

    A pack has its levels for a stack in `config.STACK.json`, or in `config.CLASS.json` where the stack belongs to a
    class of accounts; without such a file every rule counts as the pack says.
    """
    packs = sorted(path.parent for path in (project / FOLDER).glob(f"*/{DEFINITION}"))
    found: list[str] = []
    for pack in packs:
        found += ["--policy-pack", str(pack)]
    for pack in packs:
        # The CLI pairs packs and configurations by their order, so all have one, or none.
        configuration = next((path for path in _configurations(pack, stack) if path.is_file()), None)
        found += [] if configuration is None else ["--policy-pack-config", str(configuration)]
    return found


def _configurations(pack: Path, stack: str) -> Iterator[Path]:
    yield pack / f"config.{stack}.json"
    account_class = _account_class(stack)
    if account_class is not None:
        yield pack / f"config.{account_class}.json"


def _account_class(stack: str) -> str | None:
    from settings.account import AccountClass, Environment

    if stack in set(Environment):
        return Environment(stack).account_class.value
    return next((each.value for each in AccountClass if each.shared_stack == stack), None)
