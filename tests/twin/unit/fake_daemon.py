"""Plays the twin's daemon for tests of the commands that start it. FAKE_DAEMON chooses how it behaves."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from sandbox.twin.control import Server
from tests.twin.unit.statuses import make_service, make_status, make_task


def main() -> None:
    """Become ready at the third look, and end when asked to."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--project", type=Path, required=True)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--timers")
    options = parser.parse_args()
    folder = options.project / ".sandbox" / "twin" / options.stack
    (folder / "arguments.json").write_text(json.dumps(sys.argv[1:]))
    behaviour = os.environ.get("FAKE_DAEMON")
    if behaviour == "broken":
        sys.exit("no PostgreSQL for this machine")
    ended, looks = threading.Event(), [0]
    signal.signal(signal.SIGTERM, lambda *_: ended.set())

    def status(**_: Any) -> Any:
        looks[0] += 1
        ready = looks[0] >= 3 and behaviour != "slow"
        tasks = [make_task()] if ready else []
        return make_status(make_service("worker", *tasks), ready=ready, phase="services start")

    server = Server(
        folder,
        {
            "status": status,
            "login": lambda: {"username": "admin", "password": "made up", "source": "secret dev/admin"},
            "update": (folder / "updated").touch,
            "shutdown": ended.set,
        },
    )
    server.start()
    ended.wait()
    server.close()
    (folder / "ended").touch()


if __name__ == "__main__":
    main()
