"""`python -m policies`: what is generated from the rules, and what they cover."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from policies.security.catalogue import files, policies
from policies.security.controls import controls, uncovered
from policies.security.coverage import coverage, mistakes

ROOT: Final = Path(__file__).resolve().parent.parent

app = typer.Typer(help="The policy packs.", no_args_is_help=True, add_completion=False)


@app.command()
def docs(
    write: Annotated[bool, typer.Option("--write", help="Write the generated files.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Fail when a generated file is stale.")] = False,
    root: Annotated[Path, typer.Option(help="Folder of the project.")] = ROOT,
) -> None:
    """Generate docs/security.md and the configurations of levels."""
    if write is check:
        raise typer.BadParameter("want one of --write and --check")
    stale = []
    for path, text in files().items():
        target = root / path
        if write:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        elif not target.is_file() or target.read_text(encoding="utf-8") != text:
            stale.append(path)
    for path in stale:
        sys.stderr.write(f"{path} is stale: run `python -m policies docs --write`\n")
    raise typer.Exit(1 if stale else 0)


@app.command()
def covered() -> None:
    """Count the controls that have a rule; fail when a rule says something wrong about itself."""
    table = list(controls())
    found = sorted(mistakes(policies(), table, uncovered()))
    sys.stdout.write(f"{coverage(policies(), table)}\n")
    for control, reason in uncovered().items():
        sys.stdout.write(f"not covered: {control}: {reason}\n")
    for mistake in found:
        sys.stderr.write(f"{mistake}\n")
    raise typer.Exit(1 if found else 0)


if __name__ == "__main__":
    app(prog_name="python -m policies")
