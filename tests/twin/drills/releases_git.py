"""Airflow's own Git bundle, told by lines what to do; a program for the Python that has Airflow and its Git provider.

    python releases_git.py URL    then on standard input: refresh | version COMMIT | end

Each answer is a line of JSON: how long it took, where the content is, and the version that is reported.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Any


def bundle(url: str, version: str | None = None) -> Any:
    """Return the bundle, or one of its versions, ready."""
    from airflow.providers.git.bundles.git import GitDagBundle

    found = GitDagBundle(name="dags", tracking_ref="main", repo_url=url, version=version)
    found.initialize()
    return found


def main(url: str) -> None:
    """Do what is asked."""
    followed = bundle(url)
    _tell(0.0, followed)
    for line in sys.stdin:
        word, _, commit = line.strip().partition(" ")
        if word == "end":
            return
        began = time.monotonic()
        if word == "version":
            found = bundle(url, commit)
        else:
            followed.refresh()
            found = followed
        _tell(time.monotonic() - began, found)


def _tell(seconds: float, found: Any) -> None:
    version = found.get_current_version()
    sys.stdout.write(
        json.dumps(
            {
                "seconds": seconds,
                "path": str(found.path),
                "version": str(getattr(version, "version", version)),
            }
        )
        + "\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    logging.disable(logging.ERROR)
    main(sys.argv[1])
