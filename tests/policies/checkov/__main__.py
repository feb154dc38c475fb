"""`python -m tests.policies.checkov`: where checkov and our policies say the same, and where not and why.

Every rule and relation of ours that names checks of checkov is asked, and these checks, about the same samples: the
cases of our rules as a plan of Terraform, and small stacks for relations. Checkov runs once over all of them, in an
environment of its own that is made in the user's cache from `requirements.lock` (10 s to 2 minutes, once); after that
it takes 10 seconds. What differs has to stand in `accepts.py` or `refuses.py` with the reason, read in checkov's own
source; a difference without a reason, or a reason without a difference, makes the command fail.

A check agrees when it passes all that our policy accepts and fails all that it refuses; what it passes and another
check fails that the policy names as well is covered. Types that a check is not about are counted only: there, we look
at more.

Checkov is run through its own classes and not its command, which never says which types a check is about and, with
`--quiet`, leaves out what passed. `make test` makes the same comparison in a test that is marked `checkov`; it is
skipped where the package index cannot be reached and there is no environment from before.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tests.policies.checkov.accepts import ACCEPTS
from tests.policies.checkov.checker import ask, interpreter
from tests.policies.checkov.compare import compared
from tests.policies.checkov.known import Known, stale, unexplained
from tests.policies.checkov.refuses import REFUSES
from tests.policies.checkov.samples import samples

WIDTH: Final = 160
SHOWN: Final = 56
"""Characters of what differs."""
KNOWN: Final[Sequence[Known]] = (*ACCEPTS, *REFUSES)


def _table() -> Table:
    table = Table("checks of checkov", "our policy", "checkov", "why", show_lines=True)
    for known in KNOWN:
        said = [known.direction.value, *filter(None, known.what)]
        lines = "\n".join(line if len(line) <= SHOWN else f"{line[: SHOWN - 3]}..." for line in said)
        table.add_row("\n".join(known.ids), known.policy, Text(lines), known.reason)
    return table


def main(arguments: list[str]) -> int:
    """Compare, and return 1 when something is not explained."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.policies.checkov", description="Compare checkov with our policies."
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was found there")
    wanted = parser.parse_args(arguments)
    console = Console(width=WIDTH)
    asked = samples()
    answer = ask(interpreter(console.print), asked)
    found = compared(asked, answer)
    wrong = [*unexplained(found.differences, KNOWN), *stale(found.differences, KNOWN)]
    console.print(_table())
    console.print(f"checkov {answer.version}, {len(asked)} samples")
    for name, count in found.figures().items():
        console.print(f"{count:5} {name}")
    for line in wrong:
        console.print(Text(line, style="red"), soft_wrap=True)
    if wanted.json:
        content = {
            "checkov": answer.version,
            "figures": found.figures(),
            "pairs": found.data(),
            "wrong": wrong,
        }
        wanted.json.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
