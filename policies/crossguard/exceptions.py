"""Exceptions from rules: a file of entries, each for one rule and one resource, with a reason and an end.

Whatever is wrong with an entry, the violation that it was meant for stays, and the entry is a violation itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from policies.crossguard.entries import Entry


@dataclass(frozen=True)
class Exceptions:
    """The entries that count, and what is wrong with the others."""

    entries: Sequence[Entry] = ()
    problems: Sequence[str] = ()

    def covering(self, rule: str, urn: str) -> Entry | None:
        """Return the entry about a violation, if there is one."""
        return next((entry for entry in self.entries if entry.covers(rule, urn)), None)

    def of_stack(self, stack: str) -> Iterator[Entry]:
        """Iterate over the entries of a stack."""
        return (entry for entry in self.entries if entry.stack == stack)


def read(path: Path, rules: Collection[str], today: date) -> Exceptions:
    """Read a file of exceptions.

    Args:
        path: YAML with one key, `exceptions`, a list; a file that does not exist holds none.
        rules: Names of all rules.
        today: Decides what has expired.

    """
    if not path.exists():
        return Exceptions()
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        return Exceptions(problems=[f"{path.name} cannot be read: {' '.join(str(error).split())}"])
    rows = content.get("exceptions") if isinstance(content, dict) else None
    if not isinstance(content, dict) or set(content) != {"exceptions"} or not isinstance(rows, list):
        return Exceptions(problems=[f"{path.name}: want one key, exceptions, with a list of entries"])
    if not rows:
        return Exceptions()
    # Half of the time in which a pack starts, for what most stacks do not have.
    from policies.crossguard.entries import faults, parsed

    entries: list[Entry] = []
    problems: list[str] = []
    for number, row in enumerate(rows):
        place = f"{path.name}: exceptions[{number}]"
        found, wrong = parsed(row)
        if found is not None:
            wrong = [*faults(found, rules, today, entries)]
        problems += [f"{place}: {each}" for each in wrong]
        if found is not None and not wrong:
            entries.append(found)
    return Exceptions(entries, problems)
