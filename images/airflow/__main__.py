"""`python -m images.airflow lock [--check|--upgrade]`: pin the image's packages again and show what changes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from images.airflow.lock import FOLDER, LOCK, Compile, LockError, Prove, prove, renew, stale, uv, wheels


def main(
    arguments: Sequence[str] | None = None,
    *,
    folder: Path = FOLDER,
    compile_lock: Compile = uv,
    installs: Prove = wheels,
) -> int:
    """Run the command; return 1 when `--check` finds changes, or the lock cannot be made or installed."""
    parser = argparse.ArgumentParser(prog="python -m images.airflow")
    lock = parser.add_subparsers(required=True).add_parser("lock", help="the lock of the image's packages")
    mode = lock.add_mutually_exclusive_group()
    mode.add_argument(
        "--check", action="store_true", help="fail when the lock does not belong to requirements.in"
    )
    mode.add_argument(
        "--upgrade", action="store_true", help="take the newest versions that the requirements allow"
    )
    options = parser.parse_args(arguments)
    try:
        lines = (
            stale(folder, compile_lock)
            if options.check
            else renew(folder, compile_lock, upgrade=options.upgrade)
        )
        prove(folder, installs)
    except LockError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for line in lines or [f"{LOCK} is up to date"]:
        sys.stdout.write(f"{line}\n")
    return 1 if options.check and lines else 0


if __name__ == "__main__":
    sys.exit(main())
