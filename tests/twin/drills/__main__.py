"""`python -m tests.twin.drills`: one subcommand for each drill, and `all`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated, Final

import typer

DRILLS: Final = ("mutations", "examples", "faults", "releases")
"""Modules that `all` runs one after the other."""

Results = Annotated[Path, typer.Option(help="Folder for the results as JSON.")]
RESULTS: Final = Path(".sandbox/drills")

app = typer.Typer(
    help="Run a drill, most of them on a twin of its own; ends with 1 when something was not as it should be.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.command()
def mutations(
    results: Results = RESULTS,
    only: Annotated[str, typer.Option(help="Only mutations whose name has this text.")] = "",
) -> None:
    """Break one entry of the wiring at a time; a check must turn red each time."""
    from tests.twin.drills.mutations import main

    _end(main(results, only))


@app.command()
def examples(results: Results = RESULTS) -> None:
    """Run the example DAGs that Airflow brings."""
    from tests.twin.drills.examples import main

    _end(main(results))


@app.command()
def faults(
    results: Results = RESULTS,
    only: Annotated[str, typer.Option(help="Only drills whose name has this text.")] = "",
) -> None:
    """Let a part of the platform fail in the middle of a burst, and count what became of the tasks."""
    from tests.twin.drills.faults import main

    _end(main(results, only))


@app.command()
def bench(
    results: Results = RESULTS,
    rounds: Annotated[int, typer.Option(help="How often each settings are measured, in turns.", min=1)] = 2,
) -> None:
    """Measure bursts with our settings and with Airflow's own, and services against their sizes."""
    from tests.twin.drills.bench import main

    _end(main(results, rounds))


@app.command()
def releases(
    results: Results = RESULTS,
    parses: Annotated[int, typer.Option(help="How many files are parsed.", min=1)] = 20_000,
) -> None:
    """Switch releases while processes of Airflow parse, and count the parses that saw two of them."""
    from tests.twin.drills.releases import main

    _end(main(results, parses))


@app.command()
def release_bench(
    results: Results = RESULTS,
    rounds: Annotated[int, typer.Option(help="Releases of 1,000 files.", min=1)] = 20,
    large_rounds: Annotated[int, typer.Option(help="Releases of 10,000 files, 15 s each.", min=1)] = 2,
) -> None:
    """Measure releases from the tree to the proofs, against copying and Airflow's Git bundle."""
    from tests.twin.drills.releases_bench import main

    _end(main(results, rounds, large_rounds))


@app.command(name="all")
def everything(results: Results = RESULTS) -> None:
    """Run all drills."""
    good = [import_module(f"tests.twin.drills.{name}").main(results) for name in DRILLS]
    _end(all(good))


def _end(good: bool) -> None:
    raise typer.Exit(0 if good else 1)


if __name__ == "__main__":
    app()
