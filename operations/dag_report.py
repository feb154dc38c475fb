"""The DAGs of a release as the gate has found them, and how those of two releases differ."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from images.airflow.platform_runtime.releases.entries import shown

FORMAT: Final = 1
SHOWN_NAMES: Final = 5


@dataclass(frozen=True)
class Dag:
    """A DAG as the release has it."""

    fileloc: str
    """Its file, relative to the tree's root."""
    hash: str
    """Airflow's own hash of what it stores of the DAG: another hash is another version."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """The DAGs of a tree."""

    airflow: str
    """Version that read them; another one may give other hashes for the same DAGs."""
    dags: Mapping[str, Dag]
    """By their ids."""

    def to_json(self) -> bytes:
        """Return what can be kept beside the release, to compare the next one with."""
        dags = {dag_id: {"fileloc": dag.fileloc, "hash": dag.hash} for dag_id, dag in self.dags.items()}
        document = {"airflow": self.airflow, "dags": dags, "format": FORMAT}
        return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"

    @classmethod
    def from_json(cls, content: bytes) -> Report:
        """Read it back.

        Raises:
            ValueError: It is not a report of this form.

        """
        try:
            document = json.loads(content)
            _want_format(document["format"])
            dags = {
                dag_id: Dag(str(dag["fileloc"]), str(dag["hash"])) for dag_id, dag in document["dags"].items()
            }
            return cls(airflow=str(document["airflow"]), dags=dags)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise ValueError("this is not a report of the gate") from error


def _want_format(given: object) -> None:
    if given != FORMAT:
        raise ValueError(f"format: want {FORMAT}, got {given}")


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What a release does to the DAGs."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    """Moved to another file, or another version for Airflow."""
    comparable: bool = True
    """False when another Airflow read the other release: then only moved DAGs are known to be changed."""

    def __str__(self) -> str:
        """Say it in one line."""
        kinds = (("added", self.added), ("removed", self.removed), ("changed", self.changed))
        parts = [f"{len(ids)} {kind} ({some(ids)})" for kind, ids in kinds if ids]
        if not self.comparable:
            parts.append("read by another Airflow, so what changed within DAGs is unknown")
        return ", ".join(parts) or "no DAG changes"


def compare(before: Report, after: Report) -> Changes:
    """Return what differs between the DAGs of two releases."""
    comparable = before.airflow == after.airflow
    common = before.dags.keys() & after.dags.keys()
    return Changes(
        added=tuple(sorted(after.dags.keys() - common)),
        removed=tuple(sorted(before.dags.keys() - common)),
        changed=tuple(
            sorted(
                each
                for each in common
                if before.dags[each].fileloc != after.dags[each].fileloc
                or (comparable and before.dags[each].hash != after.dags[each].hash)
            )
        ),
        comparable=comparable,
    )


def some(names: Sequence[str]) -> str:
    """Return the first few names in words, and how many more there are."""
    more = len(names) - SHOWN_NAMES
    return ", ".join([*map(shown, names[:SHOWN_NAMES]), *([f"and {more} more"] if more > 0 else [])])
