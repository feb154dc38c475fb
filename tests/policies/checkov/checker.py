"""Checkov, in an environment of its own that is made once, and what it says about samples."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from sandbox.twin import packages
from tests.policies.checkov.samples import Sample
from tests.policies.checkov.terraform import plan

FOLDER: Final = Path(__file__).parent
LOCK: Final = FOLDER / "requirements.lock"
CHECKOV: Final = packages.Purpose("checkov", "checkov and its packages")
SECONDS: Final = 300
"""More than checkov ever takes, on a machine with much else to do."""


class Said(Enum):
    """What checkov says about a sample."""

    PASSED = "passes"
    FAILED = "fails"
    NOTHING = "says nothing"


class CheckovError(Exception):
    """Checkov could not judge something; the message is its own."""


@dataclass(frozen=True)
class Answer:
    """What checkov says about all samples."""

    version: str
    verdicts: Mapping[tuple[str, str], bool]
    """By id and address: whether it passed."""
    types: Mapping[str, frozenset[str]]
    """What each id is about."""

    def is_about(self, id: str, sample: Sample) -> bool:
        """Say whether a check looks at anything of a sample."""
        kinds = {f"data.{each.type}" if each.data else each.type for each in sample.blocks}
        return not kinds.isdisjoint(self.types[id])

    def said(self, id: str, sample: Sample) -> Said:
        """Return what a check says about a sample; one part that fails is enough."""
        places = ((id, each.address) for each in sample.blocks)
        found = [self.verdicts[place] for place in places if place in self.verdicts]
        if not found:
            return Said.NOTHING
        return Said.PASSED if all(found) else Said.FAILED


def interpreter(say: Callable[[str], None]) -> Path:
    """Return the Python of checkov's environment, which is made when there is none.

    Raises:
        PackagesError: It cannot be made.

    """
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    return packages.environment(LOCK, running, say, CHECKOV) / "bin" / "python"


def ask(python: Path, samples: Iterable[Sample]) -> Answer:
    """Let checkov judge all samples at once.

    Raises:
        CheckovError: One of its checks failed.

    """
    every = list(samples)
    ids = sorted({id for sample in every for id in sample.ids})
    with tempfile.TemporaryDirectory() as folder:
        planned, answer = Path(folder) / "plan.json", Path(folder) / "answer.json"
        planned.write_text(plan(block for sample in every for block in sample.blocks), encoding="utf-8")
        ended = subprocess.run(
            [python, "-I", FOLDER / "inside.py", planned, ",".join(ids), answer],
            # Nothing of ours changes what it says; and it would ask the package index for a newer version.
            env={"CKV_SKIP_PACKAGE_UPDATE_CHECK": "true"},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        # It logs which check failed, and goes on.
        if ended.returncode or ended.stderr:
            raise CheckovError(ended.stderr)
        found = json.loads(answer.read_text(encoding="utf-8"))
    return Answer(
        version=found["version"],
        verdicts={(id, address): verdict == "PASSED" for id, address, verdict in found["verdicts"]},
        types={id: frozenset(types) for id, types in found["types"].items()},
    )
