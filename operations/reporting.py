"""How a command ends: its result for people, or one JSON document on standard output; its exit code either way."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import typer
from rich.console import RenderableType

from images.airflow.platform_runtime.releases.ledger import LedgerError
from images.airflow.platform_runtime.releases.manifest import Refusal
from operations.errors import ExitCode, OperationError
from operations.git_tree import GitError
from operations.interrupts import Interrupts
from operations.screen import Screen, Steady, console

WIDTH: Final = 180
"""Of a table that goes into a file or a pipe: nothing is folded."""


class Report:
    """What a command has to say."""

    def __init__(self, command: str, *, as_json: bool) -> None:
        """Nothing is known yet."""
        self.screen = Screen(console(sys.stderr))
        self.interrupts = Interrupts()
        self._as_json = as_json
        self._document: dict[str, Any] = {"command": command}

    def add(self, document: dict[str, Any]) -> None:
        """Keep what a program wants to know."""
        self._document |= document

    def show(self, *what: RenderableType) -> None:
        """Show people the result."""
        if self._as_json:
            return
        out = console(sys.stdout, WIDTH)
        for each in what:
            # A line stays a line, for whoever searches it.
            out.print(each, soft_wrap=isinstance(each, str))

    def end(self, code: ExitCode, error: str = "") -> None:
        """Write the document and the error."""
        if error:
            self.screen.error(error)
        if self._as_json:
            self._document |= {"ok": code is ExitCode.DONE, "exit_code": int(code)}
            if error:
                self._document["error"] = error
            out = Steady(sys.stdout)
            out.write(json.dumps(self._document, indent=2) + "\n")
            out.flush()


@contextmanager
def reported(command: str, *, as_json: bool) -> Iterator[Report]:
    """Run a command: every expected failure ends with one message and its exit code."""
    report = Report(command, as_json=as_json)
    code, message = ExitCode.DONE, ""
    try:
        with report.interrupts:
            yield report
    except OperationError as error:
        code, message = error.code, str(error)
        report.add(error.facts)
    except Refusal as refusal:
        code, message = ExitCode.FAILED, f"the tree cannot be a release:\n{refusal}"
        report.add({"problems": [vars(problem) for problem in refusal.problems]})
    except (GitError, LedgerError) as error:
        code, message = ExitCode.FAILED, str(error)
    except Exception as error:
        # Not expected: a person gets the trace, a program its document all the same.
        report.end(ExitCode.FAILED, "\n".join([repr(error), *getattr(error, "__notes__", [])]))
        raise
    report.end(code, message)
    if code is not ExitCode.DONE:
        raise typer.Exit(int(code))
