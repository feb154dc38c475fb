"""Parses DAG files again and again while what they lie in changes; a program for the Python that has Airflow.

As in the dag-processor, processes are forked from one that has Airflow imported, and call what its processes call. For
each file they write a line of JSON: the version that the bundle reports for what is parsed, and the stamp of every part
that the file consists of. Forking costs as much as parsing, so each of them parses a few files, and forgets in between
what these have imported.

    python releases_reading.py REQUEST    the request is a file of JSON that releases.py writes
"""

from __future__ import annotations

import gc
import json
import logging
import os
import random
import sys
import time
from pathlib import Path
from typing import Any, Final, NoReturn

BUNDLE: Final = "dags"
WARMING: Final = """
from airflow.sdk import dag, task

@dag(schedule=None, tags=["warming"])
def warming():
    @task
    def first():
        return 1

    first()

warming()
"""


class Folder:
    """What there is without a bundle of releases: one folder, whatever is in it."""

    def __init__(self, path: Path) -> None:
        """Read a folder."""
        self._path = path

    def now(self) -> tuple[str, Path]:
        """Return no version, and the folder."""
        return "", self._path


class Releases:
    """The bundle, followed as the dag-processor does."""

    def __init__(self, local: Path, requests: Path) -> None:
        """Begin when the agent serves something."""
        from platform_runtime.releases.bundle import ReleaseBundle  # type: ignore[import-not-found]

        self._bundle = ReleaseBundle(name=BUNDLE, releases_path=str(local), requests_path=str(requests))
        self._bundle.initialize()

    def now(self) -> tuple[str, Path]:
        """Follow the agent; return the version that the bundle reports, and its path."""
        self._bundle.refresh()
        return self._bundle.get_current_version().version, self._bundle.path


def main(request: dict[str, Any]) -> None:
    """Parse until somebody says stop."""
    processor = _prepare(Path(request["scratch"]))
    source = (
        Folder(Path(request["folder"]))
        if "folder" in request
        else Releases(Path(request["local"]), Path(request["requests"]))
    )
    stop, running, chance = Path(request["stop"]), 0, random.Random(0)
    out = os.open(request["out"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    while not stop.exists():
        version, tree = source.now()
        if running == request["jobs"]:
            # What was looked up before waits in the queue meanwhile.
            os.waitpid(-1, 0)
            running -= 1
        if not os.fork():
            _work(processor, version, tree, chance.sample(request["files"], request["together"]), out)
        running += 1
        time.sleep(request.get("pause", 0))
    for _ in range(running):
        os.waitpid(-1, 0)


def _prepare(scratch: Path) -> Any:
    """Import Airflow, and what it imports at its first DAG, once for all processes."""
    from airflow.dag_processing import processor

    # The releases of a container are read-only; this machine's root may write there nevertheless.
    sys.dont_write_bytecode = True
    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "client"
    (scratch / "warming.py").write_text(WARMING)
    processor._pre_import_airflow_modules(os.fspath(scratch / "warming.py"), logging.getLogger("reading"))
    before = list(sys.path)
    _parse(processor, scratch, "warming.py")
    sys.path[:] = before
    gc.collect()
    gc.freeze()
    return processor


def _work(processor: Any, version: str, tree: Path, paths: list[str], out: int) -> NoReturn:
    """Parse some files; nothing of the parent's runs here at the end."""
    code = 1
    try:
        known = set(sys.modules)
        for path in paths:
            line = {"version": version, "at": time.time()} | _parse(processor, tree, path)
            # In one piece: others write to the same file.
            os.write(out, (json.dumps(line | {"until": time.time()}) + "\n").encode())
            for name in sys.modules.keys() - known:
                del sys.modules[name]
        code = 0
    finally:
        os._exit(code)


def _parse(processor: Any, tree: Path, path: str) -> dict[str, Any]:
    request = processor.DagFileParseRequest(file=str(tree / path), bundle_path=tree, bundle_name=BUNDLE)
    parsed = processor._parse_file(request, logging.getLogger("reading"))
    if parsed.import_errors:
        return {"error": next(iter(parsed.import_errors.values())).strip().splitlines()[-1]}
    (dag,) = parsed.serialized_dags
    return {"parts": sorted(dag.data["dag"]["tags"])}


if __name__ == "__main__":
    logging.disable(logging.ERROR)
    main(json.loads(Path(sys.argv[1]).read_text()))
