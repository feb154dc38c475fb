"""What every single change of the cases raises: `python -m tests.policies.evaluated PROD.json PROD_SHARED.json`.

Each is judged with all rules and relations of the whole stack. A program of its own, so that neither the measuring of
coverage nor the rest of a test process slows hundreds of judgements of hundreds of resources down.
"""

from __future__ import annotations

import json
import sys
from multiprocessing import Pool
from pathlib import Path
from typing import Final

from tests.policies.golden import Golden, fixtures, mutations
from tests.policies.security.test_rules import CASES

MUTATIONS: Final = list(mutations(CASES))
ALONE: Final = fixtures(CASES)
PROCESSES: Final = 2
_STACKS: list[Golden] = []


def _raised(number: int) -> list[str]:
    return sorted(MUTATIONS[number].raised(_STACKS, ALONE))


def main(files: list[str]) -> None:
    """Print, for each change in its order, the names of the rules that it raises."""
    _STACKS.extend(Golden(Path(file).stem, json.loads(Path(file).read_text())) for file in files)
    with Pool(PROCESSES) as pool:
        print(json.dumps(pool.map(_raised, range(len(MUTATIONS)), chunksize=16)))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
