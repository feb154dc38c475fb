"""A platform folder whose `operations` only writes down how it is called, and answers as a test wants it."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.pipelines.files import ROOT

OPERATIONS = """\
import json, os, pathlib, signal, sys, time

here = pathlib.Path(__file__).parent.parent
arguments = sys.argv[1:]
with (here / "calls").open("a") as calls:
    calls.write(json.dumps({"arguments": arguments, "outputs": os.environ.get("OPERATIONS_OUTPUTS", "")}) + "\\n")
answer = json.loads((here / "answers.json").read_text()).get(arguments[0], {"ok": True, "exit_code": 0})
answer = {"command": arguments[0], **answer}


def end(*_):
    print(json.dumps({**answer, "ok": False, "exit_code": 130, "error": "stopped by SIGTERM"}), flush=True)
    os._exit(130)


if answer.pop("waits", False):
    signal.signal(signal.SIGTERM, end)
    (here / "waiting").touch()
    time.sleep(60)
if "--record" in arguments and answer["ok"]:
    pathlib.Path(arguments[arguments.index("--record") + 1]).write_text("approved")
if answer.pop("killed", False):
    os.kill(os.getpid(), signal.SIGKILL)
print(json.dumps(answer))
sys.exit(answer["exit_code"])
"""


class StandIn:
    """The folder."""

    def __init__(self, folder: Path) -> None:
        """Make it: the pipelines are the real ones."""
        self.folder = folder
        shutil.copytree(
            ROOT / "pipelines", folder / "pipelines", ignore=shutil.ignore_patterns("__pycache__")
        )
        (folder / "operations").mkdir()
        (folder / "operations" / "__main__.py").write_text(OPERATIONS)
        (folder / ".venv" / "bin").mkdir(parents=True)
        python = folder / ".venv" / "bin" / "python"
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
        (folder / "Makefile").write_text("setup:\n\t@echo set up\n")
        self.answers({})

    def answers(self, answers: Mapping[str, Mapping[str, Any]]) -> None:
        """Let commands end in another way than well."""
        (self.folder / "answers.json").write_text(json.dumps(answers))

    @property
    def calls(self) -> list[dict[str, Any]]:
        """How `operations` was called."""
        calls = self.folder / "calls"
        return [json.loads(line) for line in calls.read_text().splitlines()] if calls.exists() else []

    @property
    def commands(self) -> list[str]:
        """Which commands were called."""
        return [call["arguments"][0] for call in self.calls]
