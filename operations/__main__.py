"""`python -m operations`: release DAGs, go back, list releases, prove what every container holds."""

from __future__ import annotations

import os
import sys

from operations import image_command  # noqa: F401  adds its command
from operations.commands import app
from operations.errors import ExitCode


def main() -> None:
    """Run the command line."""
    try:
        app(prog_name="python -m operations")
    except KeyboardInterrupt:
        # Before or after a command did anything.
        sys.exit(int(ExitCode.INTERRUPTED))
    finally:
        _let_go()


def _let_go() -> None:
    """Part from standard output, whose reader may have gone: Python would complain at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
