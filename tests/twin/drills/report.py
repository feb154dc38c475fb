"""What a drill leaves behind: a table to look at, and the same as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

WIDTH = 180
"""Columns where the output is no terminal."""


def console() -> Console:
    """Return a console that is wide enough for tables, also in a file."""
    found = Console()
    return found if found.is_terminal else Console(width=WIDTH)


def show(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows as a table; the keys of the first row are the heads of the columns."""
    table = Table(title=title, title_justify="left")
    for name, value in (rows[0] if rows else {}).items():
        table.add_column(name, justify="right" if isinstance(value, int | float) else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    console().print(table)


def say(text: str) -> None:
    """Print a line of progress."""
    console().print(text, markup=False, highlight=False)


def write(folder: Path, drill: str, result: Mapping[str, Any]) -> None:
    """Write what a drill found into `<folder>/<drill>.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{drill}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    say(f"written: {path}")


def _cell(value: Any) -> str:
    from rich.markup import escape

    return f"{value:.1f}" if isinstance(value, float) else escape(str(value))
