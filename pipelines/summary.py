"""The result of a command for people who look at a pipeline: Markdown, from the document of `python -m operations`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

SHOWN: Final = 20
"""DAGs of a list; whoever wants all of them reads the document."""
NOT_DONE: Final[Mapping[int, str]] = {
    3: "Not released: somebody else released meanwhile",
    4: "Released, but not proved everywhere",
    130: "Stopped",
}
"""Headings by exit code, where there is more to say than that it failed."""


def summary(document: Mapping[str, Any], stack: str = "") -> str:
    """Return the summary of a command's document; an empty one is of a command that was killed."""
    title, rows = _heading(document, stack), list(_rows(document))
    lines = [f"### {title}", ""]
    if rows:
        lines += ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows), ""]
    if services := document.get("services"):
        lines += [*_services(services), ""]
    if error := document.get("error"):
        lines += [*_quoted(str(error)), ""]
    return "\n".join([*lines, ""])


def _heading(document: Mapping[str, Any], stack: str) -> str:
    to = f" to {stack}" if stack else ""
    if not document:
        return "It ended without a result; the log has its last words"
    if not document.get("ok"):
        failed = "The DAGs may not be released" if document.get("command") == "check" else f"Not released{to}"
        return NOT_DONE.get(int(document.get("exit_code", 1)), failed)
    if document.get("command") == "check":
        return "The DAGs may be released"
    if document.get("result") == "already current":
        return f"Nothing to release{to}: this is what every container holds already"
    return f"Released{to}"


def _rows(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if release_id := document.get("release_id"):
        yield "release", f"`{release_id}`"
        yield "commit", f"`{document.get('git_commit')}`"
        yield "files", str(document.get("files"))
    dags = document.get("dags")
    if dags is not None:
        yield "DAGs", str(dags) if isinstance(dags, int) else f"{len(dags)}{_names(dags)}"
    for how, names in (document.get("dag_changes") or {}).items():
        if names:
            yield f"DAGs {how}", f"{len(names)}{_names(names)}"
    if document.get("sequence") is not None:
        yield "number", str(document["sequence"])
    if pointer := document.get("pointer"):
        yield "pointer", str(pointer)
    if total := (document.get("seconds") or {}).get("total"):
        yield "seconds", f"{total:.1f}"


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ": " + ", ".join(f"`{name}`" for name in names[:SHOWN]) + more if names else ""


def _services(services: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    yield "| service | running | proved | waiting | other content |"
    yield "|---|---|---|---|---|"
    for name, each in services.items():
        yield f"| {name} | {each['running']} | {each['proved']} | {each['waiting']} | {each['mismatch']} |"


def _quoted(text: str) -> Iterator[str]:
    """Quote a text as it is, whatever Markdown it has."""
    fence = "`" * (max([2, *(len(run) for run in re.findall("`+", text))]) + 1)
    yield fence
    yield from text.splitlines()
    yield fence


def main(path: str, stack: str = "") -> None:
    """Write the summary of the document in a file."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError:
        document = {}
    sys.stdout.write(summary(document, stack))


if __name__ == "__main__":
    main(*sys.argv[1:])
