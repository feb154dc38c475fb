"""What the gate makes of two readings of a tree: the DAGs, or everything that must be changed first."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol

from images.airflow.platform_runtime.releases.entries import shown
from operations.dag_report import Dag, Report

SHOWN_FINDINGS: Final = 50
SHOWN_LETTERS: Final = 80
NEEDS_THE_PLATFORM: Final = ("VARIABLE_NOT_FOUND", "AirflowNotFoundException: The conn_id")
"""How Airflow says that a file needs a variable or connection already when it is read."""


class Fault(StrEnum):
    """What keeps DAGs from being released."""

    IMPORT_ERROR = "import error"
    DUPLICATE = "duplicate DAG id"
    INFLATION = "version inflation"


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that must be changed before the release."""

    fault: Fault
    place: str
    """File and, if known, line; for a duplicate the DAG's id."""
    text: str
    trace: str = ""
    """What Airflow shows of an import error in full."""

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.fault}: {shown(self.place)}: {shown(self.text)}"


class GateRefusal(Exception):
    """The DAGs must not be released as they are; `findings` is the complete list of reasons."""

    def __init__(self, findings: list[Finding]) -> None:
        """Keep the reasons."""
        self.findings = tuple(sorted(findings))
        lines = [str(finding) for finding in self.findings[:SHOWN_FINDINGS]]
        if more := len(self.findings) - len(lines):
            lines.append(f"and {more} more")
        super().__init__("\n".join(lines))


class Reading(Protocol):
    """What one reading of a tree gave, see gate_reading.py for the form of its results."""

    @property
    def root(self) -> Path:
        """Where the tree lay."""

    @property
    def airflow(self) -> str:
        """Version of the Airflow that read it."""

    @property
    def no_walk(self) -> str:
        """Why Airflow could not list the tree's files; empty when it could."""

    def files(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Return each file's path and what reading it gave, nothing if it was not read."""


def judge(first: Reading, second: Reading) -> Report:
    """Return the DAGs of two readings of one tree.

    Raises:
        GateRefusal: Something is wrong with them.

    """
    if first.no_walk:
        text = f"Airflow cannot walk over the tree, a folder may be in it twice by a link: {first.no_walk}"
        raise GateRefusal([Finding(Fault.IMPORT_ERROR, ".", text.replace(str(first.root), ""))])
    findings: list[Finding] = []
    dags: dict[str, Dag] = {}
    places: dict[str, list[str]] = defaultdict(list)
    again = dict(second.files())
    for path, result in first.files():
        of_file = list(_faults(path, result, first.root))
        if not of_file:
            # What fails the second time only varies as well.
            of_file = list(_faults(path, again.get(path, {}), first.root)) or list(
                _varying(path, result, again[path])
            )
        findings += of_file
        for dag_id, fileloc in result.get("bagged", []):
            places[dag_id].append(fileloc)
        for dag_id, dag in result.get("dags", {}).items():
            dags[dag_id] = Dag(dag["data"]["dag"]["relative_fileloc"], dag["hash"])
    findings += [
        Finding(Fault.DUPLICATE, dag_id, f"{_counted(files)}; an id stands for one DAG only")
        for dag_id, files in places.items()
        if len(files) > 1
    ]
    if findings:
        raise GateRefusal(findings)
    return Report(airflow=first.airflow, dags=dags)


def _counted(files: list[str]) -> str:
    times = Counter(files)
    parts = [path if count == 1 else f"{path} ({count} times)" for path, count in sorted(times.items())]
    return f"it is in {' and in '.join(parts)}"


def _faults(path: str, result: Mapping[str, Any], root: Path) -> Iterator[Finding]:
    """Return what one reading has found in a file."""
    if "ended" in result or not result:
        yield Finding(Fault.IMPORT_ERROR, path, result.get("ended", "it was not read"))
    for where, trace in result.get("errors", []):
        yield _import_error(where, trace, root)
    for line, code, message in result.get("varying", []):
        yield Finding(Fault.INFLATION, f"{path}:{line}", f"{message}: {_short(code)}")


def _import_error(where: str, trace: str, root: Path) -> Finding:
    """Return an import error: the exception's own line, and the last line of the tree that leads to it."""
    lines = trace.rstrip().splitlines()
    frames = [number for number, line in enumerate(lines) if line.startswith('  File "')]
    after = lines[frames[-1] :] if frames else lines
    said = next((line for line in after if line and not line[0].isspace()), "an error without words")
    own = re.findall(rf'File "{re.escape(str(root))}/([^"\n]+)", line (\d+)', trace)
    place = f"{own[-1][0]}:{own[-1][1]}" if own else where
    text = said.replace(f"{root}/", "")
    if any(word in said for word in NEEDS_THE_PLATFORM):
        text += "; read it in the task, or give it to the gate as a variable (AIRFLOW_VAR_NAME, AIRFLOW_CONN_NAME)"
    if place.rpartition(":")[0] != where and place != where:
        text += f" (while reading {where})"
    return Finding(Fault.IMPORT_ERROR, place, text, trace.replace(f"{root}/", ""))


def _varying(path: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Finding]:
    """Return what differs between two readings of a file."""
    here, there = one["dags"], other["dags"]
    # Of two DAGs with one id any may be the one that is left.
    twice = {dag_id for dag_id, count in Counter(dag_id for dag_id, _ in one["bagged"]).items() if count > 1}
    for dag_id in sorted(here.keys() ^ there.keys()):
        yield Finding(Fault.INFLATION, path, f"DAG {dag_id} is there at one reading and not at the next")
    for dag_id in sorted((here.keys() & there.keys()) - twice):
        if here[dag_id]["hash"] != there[dag_id]["hash"]:
            where, mine, its = _difference(here[dag_id]["data"]["dag"], there[dag_id]["data"]["dag"], "")
            yield Finding(
                Fault.INFLATION,
                path,
                f"DAG {dag_id} is another one each time it is read: {where} is {mine}, then {its}",
            )


def _difference(one: Any, other: Any, where: str) -> tuple[str, str, str]:
    """Return the first place where two documents differ, and what each has there."""
    pairs: list[tuple[str, Any, Any]] = []
    if isinstance(one, dict) and isinstance(other, dict):
        # Airflow packs a value together with its type; the words for that say nothing here.
        pairs = [
            (where if key == "__var" else f"{where}.{key}".strip("."), one.get(key), other.get(key))
            for key in sorted(one.keys() | other.keys())
        ]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = [(f"{where}[{n}]", mine, its) for n, (mine, its) in enumerate(zip(one, other, strict=True))]
    for place, mine, its in pairs:
        if mine != its:
            return _difference(mine, its, place)
    return where, _short(json.dumps(one, ensure_ascii=False)), _short(json.dumps(other, ensure_ascii=False))


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_LETTERS else f"{text[:SHOWN_LETTERS]}..."
