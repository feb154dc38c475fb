"""Reads every DAG file of a tree as the dag-processor does; a program for the Python that has Airflow.

It stands alone: nothing of this project is importable there. Each file is read in a process of its own, forked from
one that has Airflow imported, by the very function which the dag-processor's processes call. What comes out goes into
files; what DAGs print does not disturb it.

    python gate_reading.py REQUEST    the request is a file of JSON that gate.py writes
"""

from __future__ import annotations

import gc
import json
import logging
import os
import re
import signal
import sys
import time
import traceback
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Final

CHECK_LEVEL: Final = "AIRFLOW__DAG_PROCESSOR__DAG_VERSION_INFLATION_CHECK_LEVEL"
BUNDLE: Final = "release"
PLACEHOLDER: Final = "/release"
"""Stands for the folder that the tree happens to be in."""
MODULE: Final = re.compile("unusual_prefix_[0-9a-f]{40}_")
WARMING: Final = """
from airflow.sdk import dag, task

@dag(schedule="@daily", params={"name": "value"})
def warming():
    @task
    def first():
        return 1

    first()

warming()
"""
"""A DAG that is read before all others: what Airflow imports at its first DAG, no process imports once more."""
PAUSE_SECONDS: Final = 0.01


def main(request: dict[str, Any]) -> None:
    """Read the tree and write what is found to the folder `out`."""
    tree, out = Path(request["tree"]), Path(request["out"])
    _write(out / "packages.json", {each.name: each.version for each in distributions()})
    from airflow.utils.file import list_py_file_paths

    try:
        files = sorted(str(Path(path).relative_to(tree)) for path in list_py_file_paths(tree))
    except Exception as error:
        _write(out / "files.json", {"error": f"{type(error).__name__}: {error}"})
        return
    _write(out / "files.json", {"files": files})
    if files:
        _prepare([tree / path for path in files], out)
        _read_all(tree, files, out, request["jobs"], request["file_seconds"])


def _prepare(files: list[Path], out: Path) -> None:
    """Do once what every process needs: imports, as the dag-processor does them before it forks, and a first DAG."""
    from airflow.dag_processing import processor

    for path in files:
        processor._pre_import_airflow_modules(os.fspath(path), logging.getLogger("gate"))
    (out / "warming.py").write_text(WARMING)
    before = list(sys.path)
    _stored(processor, out, "warming.py")
    sys.path[:] = before
    # Processes share this memory for as long as nobody writes to it, and a collector does.
    gc.collect()
    gc.freeze()


def _read_all(tree: Path, files: list[str], out: Path, jobs: int, seconds: float) -> None:
    waiting = list(enumerate(files))[::-1]
    running: dict[int, tuple[int, float]] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            number, path = waiting.pop()
            running[_fork(tree, path, out / f"{number}.json")] = number, time.monotonic() + seconds
        ended, status = os.waitpid(-1, os.WNOHANG)
        if ended:
            number, _ = running.pop(ended)
            _note_end(out / f"{number}.json", os.waitstatus_to_exitcode(status))
            continue
        for process, (number, give_up_at) in running.items():
            if time.monotonic() > give_up_at:
                _write(out / f"{number}.json", {"ended": f"reading it took longer than {seconds:g} s"})
                os.kill(process, signal.SIGKILL)
        time.sleep(PAUSE_SECONDS)


def _note_end(result: Path, code: int) -> None:
    """Write why there is no result, unless there is one."""
    if not result.exists():
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        _write(result, {"ended": f"it ended the process that read it, {how}"})


def _fork(tree: Path, path: str, result: Path) -> int:
    process = os.fork()
    if process:
        return process
    # Nothing of the parent's must run here at the end: neither its handlers nor its caller's code.
    code = 1
    try:
        _write(result, _read(tree, path))
        code = 0
    except BaseException as error:
        traceback.print_exc()
        _write(result, {"ended": f"reading it failed: {type(error).__name__}: {error}"})
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _read(tree: Path, path: str) -> dict[str, Any]:
    """Return what the dag-processor would get from a file."""
    from airflow.dag_processing import processor
    from airflow.sdk.execution_time.supervisor import block_orm_access
    from airflow.utils.dag_version_inflation_checker import check_dag_file_stability

    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "client"
    block_orm_access()
    os.environ[CHECK_LEVEL] = "error"
    varying = check_dag_file_stability(tree / path).warnings.values()
    # Airflow would not even import such a file; here both kinds of problems are wanted at once.
    os.environ[CHECK_LEVEL] = "off"
    bagged: list[tuple[str, str]] = []
    processor.BundleDagBag = _recording(processor.BundleDagBag, bagged)
    errors, dags = _stored(processor, tree, path)
    return {
        "errors": errors,
        "varying": [[each.line, each.code, each.message] for each in varying],
        "bagged": bagged,
        "dags": dags,
    }


def _stored(processor: Any, tree: Path, path: str) -> tuple[list[list[str]], dict[str, Any]]:
    """Return the import errors of a file, and what Airflow would store of its DAGs."""
    from airflow.models.serialized_dag import SerializedDagModel

    request = processor.DagFileParseRequest(file=str(tree / path), bundle_path=tree, bundle_name=BUNDLE)
    parsed = processor._parse_file(request, logging.getLogger("gate"))
    dags = {}
    for dag in parsed.serialized_dags:
        data = json.loads(_anywhere(json.dumps(dag.data), tree))
        data["dag"].pop("fileloc", None)
        # In the order which the hash is made of: what differs there makes another version.
        ordered = SerializedDagModel._sort_serialized_dag_dict(data)
        dags[dag.dag_id] = {"hash": SerializedDagModel.hash(data), "data": ordered}
    return [[where, str(trace)] for where, trace in (parsed.import_errors or {}).items()], dags


def _anywhere(text: str, tree: Path) -> str:
    """Return what is stored without traces of where the tree lies: a DAG may have its folder in an argument."""
    # Airflow names the module of a DAG file after the file's absolute path.
    return MODULE.sub("unusual_prefix_", text.replace(json.dumps(str(tree))[1:-1], PLACEHOLDER))


def _recording(original: Any, bagged: list[tuple[str, str]]) -> Any:
    """Return Airflow's bag that notes each DAG put into it: of two with one id in a file it keeps the last one."""

    class Recording(original):  # type: ignore[misc]
        def bag_dag(self, dag: Any) -> None:
            bagged.append((dag.dag_id, dag.relative_fileloc or ""))
            super().bag_dag(dag)

    return Recording


def _write(path: Path, content: Any) -> None:
    """Write a result, at once or not at all."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(content))
    fresh.rename(path)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
