"""`python -m settings docs --write|--check`: generate the documentation, or fail when it is stale."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from settings.markdown import render
from settings.schema import stack_file_schema

ROOT = Path(__file__).resolve().parent.parent


def documents() -> dict[str, str]:
    """Return the generated files: path below the project's root, and content."""
    return {
        "docs/settings.schema.json": json.dumps(stack_file_schema(), indent=2) + "\n",
        "docs/settings.md": render(),
    }


def write(root: Path) -> None:
    """Write the generated files below `root`."""
    for path, text in documents().items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def stale(root: Path) -> list[str]:
    """Return the generated files below `root` that are missing or differ from what the models say."""
    return [
        path
        for path, text in documents().items()
        if not (root / path).is_file() or (root / path).read_text(encoding="utf-8") != text
    ]


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Run the command; return 1 when `--check` finds a stale file."""
    parser = argparse.ArgumentParser(prog="python -m settings")
    docs = parser.add_subparsers(required=True).add_parser("docs", help="generated documentation")
    mode = docs.add_mutually_exclusive_group(required=True)
    mode.add_argument("--write", action="store_true", help="write the generated files")
    mode.add_argument("--check", action="store_true", help="fail when a generated file is stale")
    if parser.parse_args(arguments).write:
        write(root)
        return 0
    found = stale(root)
    for path in found:
        sys.stderr.write(f"{path} is stale: run `python -m settings docs --write`\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
