"""The gate around its program: what it gives to it, what it makes of the answers, and how it ends.

A small script stands for the Python that has Airflow; that one is met in test_gate_airflow.py.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from images.airflow.lock import FOLDER, LOCK
from images.airflow.platform_runtime.releases.archive import remove
from operations import gate, gate_findings
from operations.gate import (
    AirflowGate,
    Changes,
    Dag,
    Fault,
    Finding,
    GateError,
    GateRefusal,
    Report,
    compare,
)
from tests.releases.trees import GivenTree, Item

TREE: tuple[Item, ...] = (
    ("a.py", b"# a", False),
    ("bin/run", b"#!/bin/sh\n", True),
    ("bin/current", "run", False),
)
LOCKED = """apache-airflow-core==3.3.2 \\
    --hash=sha256:0
foo-bar==1.0 ; python_version < '3.11' \\
    --hash=sha256:0
"""
PACKAGES = {"apache-airflow-core": "3.3.2", "pip": "1"}
SCRIPT = """#!{python}
import json, os, signal, subprocess, sys, time
from pathlib import Path
request = json.loads(Path(sys.argv[-1]).read_text())
out, reading = Path(request["out"]), int(os.environ["PYTHONHASHSEED"])
def give(name, content):
    (out / f"{{name}}.json").write_text(json.dumps(content))
give("packages", {packages})
{body}
"""
DAG = {"relative_fileloc": "a.py", "dag_id": "a", "tasks": []}


def result(**changes: Any) -> dict[str, Any]:
    """Return what reading a file gives: one DAG, unless something else is said."""
    one = {
        "errors": [],
        "varying": [],
        "bagged": [["a", "a.py"]],
        "dags": {"a": {"hash": "1", "data": {"dag": DAG}}},
    }
    return one | changes


class Stage:
    """A gate with a script in place of Airflow, and a temporary folder that only the gate uses."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scratch = folder / "scratch"
        self.scratch.mkdir()
        (folder / "lock").write_text(LOCKED)

    def gate(self, body: str, packages: dict[str, str] | None = None, **fields: Any) -> AirflowGate:
        python = self.folder / "python"
        script = SCRIPT.format(python=sys.executable, body=body, packages=packages or PACKAGES)
        python.write_text(script)
        python.chmod(0o755)
        return AirflowGate(python=python, lock=self.folder / "lock", **fields)

    def reading(self, *results: dict[str, Any], again: tuple[dict[str, Any], ...] = ()) -> AirflowGate:
        """Return a gate whose readings give these results, one for each file: a.py, b.py and so on."""
        names = [f"{letter}.py" for letter in "abcdefgh"[: len(results)]]
        return self.gate(
            f"give('files', {{'files': {names}}})\n"
            f"for number, each in enumerate([{list(results)}, {list(again or results)}][reading - 1]):\n"
            "    give(number, each)\n"
        )

    def refused(self, *results: dict[str, Any], again: tuple[dict[str, Any], ...] = ()) -> list[str]:
        with pytest.raises(GateRefusal) as raised:
            self.reading(*results, again=again).check(GivenTree(*TREE))
        return str(raised.value).splitlines()


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    made = Stage(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(made.scratch))
    yield made
    assert list(made.scratch.iterdir()) == [], "the gate leaves something behind"


def test_the_report(stage: Stage) -> None:
    report = stage.reading(result(), result(bagged=[], dags={})).check(GivenTree(*TREE))
    assert report == Report(airflow="3.3.2", dags={"a": Dag("a.py", "1")})


def test_a_tree_without_dags(stage: Stage) -> None:
    assert stage.gate("give('files', {'files': []})").check(GivenTree(*TREE)).dags == {}


def test_what_the_program_gets(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tree as in a container, and of this process's variables nothing."""
    for name in ("AWS_SECRET_ACCESS_KEY", "HTTPS_PROXY", "PYTHONPATH", "AIRFLOW__CORE__FERNET_KEY"):
        monkeypatch.setenv(name, "x")
    body = """
give("files", {"files": []})
tree = Path(request["tree"])
seen = {
    "variables": dict(os.environ),
    "tree": {str(path.relative_to(tree)): oct(path.lstat().st_mode) for path in [tree, *tree.rglob("*")]},
    "link": os.readlink(tree / "bin/current"),
    "content": (tree / "a.py").read_text(),
    "words": sys.argv[1:-1],
    "request": request,
    "here": os.getcwd(),
    "input": sys.stdin.read(),
}
Path(os.environ["SEEN"], str(reading)).write_text(json.dumps(seen))
"""
    variables = {"SEEN": str(stage.folder), "AIRFLOW_VAR_X": "1", "AIRFLOW__CORE__DEFAULT_TASK_RETRIES": "7"}
    stage.gate(body, variables=variables, file_seconds=7).check(GivenTree(*TREE))
    seen = [json.loads((stage.folder / reading).read_text()) for reading in ("1", "2")]
    for number, each in enumerate(seen, 1):
        home = each["here"]
        work = Path(home).parents[1]
        assert work.parent == stage.scratch
        assert each["variables"].pop("LC_CTYPE", "C.UTF-8") == "C.UTF-8"  # Python's own
        assert each["variables"] == {
            **gate.IMAGE,
            **variables,
            "PATH": f"{stage.folder}:/usr/local/bin:/usr/bin:/bin",
            "HOME": home,
            "AIRFLOW_HOME": home,
            "TMPDIR": str(work / str(number) / "tmp"),
            "PYTHONHASHSEED": str(number),
        }
        assert each["tree"] == {
            ".": "0o40555",
            "a.py": "0o100444",
            "bin": "0o40555",
            "bin/current": "0o120777",
            "bin/run": "0o100555",
        }
        assert (each["link"], each["content"], each["input"]) == ("run", "# a", "")
        assert each["words"] == ["-P", "-s", str(gate.PROGRAM)]
        assert each["request"] == {
            "tree": str(work / "tree"),
            "out": str(work / str(number) / "out"),
            "jobs": max(1, (os.cpu_count() or 1) // 2),
            "file_seconds": 7,
        }


def test_a_virtual_environment_is_used_under_its_own_name(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its Python is a link, and has the environment's packages only when it is called by that name."""
    body = "Path(os.environ['SEEN']).write_text(os.environ['PATH']); give('files', {'files': []})"
    seen = stage.folder / "seen"
    made = stage.gate(body, variables={"SEEN": str(seen)})
    (stage.folder / "venv/bin").mkdir(parents=True)
    (stage.folder / "venv/bin/python").symlink_to(stage.folder / "python")
    monkeypatch.chdir(stage.folder)
    replace(made, python=Path("venv/bin/python")).check(GivenTree(*TREE))
    assert seen.read_text() == f"{stage.folder}/venv/bin:/usr/local/bin:/usr/bin:/bin"


TRACE = """Traceback (most recent call last):
  File "<frozen importlib._bootstrap>", line 241, in _call_with_frames_removed
  File "{tree}/a.py", line 2, in <module>
    import helper
  File "{tree}/lib/helper.py", line 5, in <module>
    open("{tree}/none")
FileNotFoundError: [Errno 2] No such file or directory: '{tree}/none'
"""
SYNTAX = """Traceback (most recent call last):
  File "{tree}/a.py", line 3
    def (
        ^
SyntaxError: invalid syntax
"""
CHAINED = """Traceback (most recent call last):
  File "{tree}/a.py", line 2, in <module>
    1 / 0
ZeroDivisionError: division by zero

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "{tree}/a.py", line 4, in <module>
    raise ValueError("two\\nlines")
ValueError: two
lines
"""
OUTSIDE = """Traceback (most recent call last):
  File "/site-packages/airflow/x.py", line 2, in check
    raise E("no")
airflow.E: no
"""
VARIABLE = (
    "airflow.sdk.exceptions.AirflowRuntimeError: VARIABLE_NOT_FOUND: {'message': 'Variable x not found'}"
)


@pytest.mark.parametrize(
    ("trace", "line"),
    [
        (
            TRACE,
            (
                "import error: lib/helper.py:5: FileNotFoundError: [Errno 2] No such file or directory: 'none'"
                " (while reading a.py)"
            ),
        ),
        (SYNTAX, "import error: a.py:3: SyntaxError: invalid syntax"),
        (CHAINED, "import error: a.py:4: ValueError: two"),
        (OUTSIDE, "import error: a.py: airflow.E: no"),
        (
            "AirflowDagCycleException: Cycle detected",
            "import error: a.py: AirflowDagCycleException: Cycle detected",
        ),
        ("", "import error: a.py: an error without words"),
        ("E: \x1b[31m", "import error: a.py: E: \\x1b[31m"),
        (
            VARIABLE,
            (
                f"import error: a.py: {VARIABLE}; read it in the task, or give it to the gate as a variable"
                " (AIRFLOW_VAR_NAME, AIRFLOW_CONN_NAME)"
            ),
        ),
    ],
)
def test_import_errors(trace: str, line: str) -> None:
    finding = gate_findings._import_error("a.py", trace.replace("{tree}", "/w/tree"), Path("/w/tree"))
    assert str(finding) == line
    assert finding.trace == trace.replace("{tree}/", "")


def test_all_kinds_at_once(stage: Stage) -> None:
    varying = [
        [
            3,
            "DAG('c', start_date=datetime.now())",
            "Don't use runtime-varying value as argument in Dag constructor",
        ]
    ]
    assert stage.refused(
        result(errors=[["a.py", "ImportError: no"]]),
        result(bagged=[["a", "b.py"], ["b", "b.py"], ["b", "b.py"]]),
        result(bagged=[], dags={}, varying=varying),
        {"ended": "reading it took longer than 50 s"},
    ) == [
        "duplicate DAG id: a: it is in a.py and in b.py; an id stands for one DAG only",
        "duplicate DAG id: b: it is in b.py (2 times); an id stands for one DAG only",
        "import error: a.py: ImportError: no",
        "import error: d.py: reading it took longer than 50 s",
        ("version inflation: c.py:3: Don't use runtime-varying value as argument in Dag constructor:"
        " DAG('c', start_date=datetime.now())"),
    ]  # fmt: skip


def other_dag(**changes: Any) -> dict[str, Any]:
    return result(dags={"a": {"hash": "2", "data": {"dag": DAG | changes}}})


@pytest.mark.parametrize(
    ("again", "line"),
    [
        (
            other_dag(start_date=1.5),
            "a.py: DAG a is another one each time it is read: start_date is null, then 1.5",
        ),
        (
            other_dag(tasks=[{"__type": "operator", "__var": {"task_id": "t"}}]),
            (
                'a.py: DAG a is another one each time it is read: tasks is [], then [{"__type": "operator",'
                ' "__var": {"task_id": "t"}}]'
            ),
        ),
        (result(dags={}), "a.py: DAG a is there at one reading and not at the next"),
    ],
)
def test_what_varies_from_reading_to_reading(stage: Stage, again: dict[str, Any], line: str) -> None:
    assert stage.refused(result(), again=(again,)) == [f"version inflation: {line}"]


def test_an_error_at_the_second_reading_only(stage: Stage) -> None:
    again = (result(errors=[["a.py", "ImportError: sometimes"]]),)
    assert stage.refused(result(), again=again) == ["import error: a.py: ImportError: sometimes"]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"x": 1, "y": 1}, {"x": 1, "y": 2}, ("y", "1", "2")),
        ({"x": [{"__var": {"k": 1}}]}, {"x": [{"__var": {"k": None}}]}, ("x[0].k", "1", "null")),
        ({"x": [1]}, {"x": [1, 2]}, ("x", "[1]", "[1, 2]")),
        ({"x": {"__var": 1, "__type": "t"}}, {"x": {"__var": 2, "__type": "t"}}, ("x", "1", "2")),
        ({"x": "ü" * 200}, {"x": ""}, ("x", f'"{"ü" * 79}...', '""')),
    ],
)
def test_where_two_documents_differ(one: Any, other: Any, expected: tuple[str, str, str]) -> None:
    assert gate_findings._difference(one, other, "") == expected


def test_two_dags_with_one_id_do_not_also_vary(stage: Stage) -> None:
    """Airflow keeps any one of them."""
    twice = [["a", "a.py"], ["a", "a.py"]]
    assert stage.refused(result(bagged=twice), again=(other_dag(start_date=1) | {"bagged": twice},)) == [
        "duplicate DAG id: a: it is in a.py (2 times); an id stands for one DAG only"
    ]


def test_a_tree_that_airflow_cannot_walk_over(stage: Stage) -> None:
    body = "give('files', {'error': f\"RuntimeError: Detected recursive loop: {request['tree']}/sub twice\"})"
    with pytest.raises(GateRefusal) as raised:
        stage.gate(body).check(GivenTree(*TREE))
    assert str(raised.value) == (
        "import error: .: Airflow cannot walk over the tree, a folder may be in it twice by a link:"
        " RuntimeError: Detected recursive loop: /sub twice"
    )


def test_not_more_findings_than_anybody_reads() -> None:
    refusal = GateRefusal([Finding(Fault.IMPORT_ERROR, f"{number:02}.py", "no") for number in range(60)])
    lines = str(refusal).splitlines()
    assert (len(refusal.findings), len(lines), lines[49], lines[50]) == (
        60,
        51,
        "import error: 49.py: no",
        "and 10 more",
    )


def test_a_program_that_fails(stage: Stage) -> None:
    body = "print('one'); print(*'234567', sep='\\n'); sys.stdout.flush(); sys.exit('boom')"
    with pytest.raises(GateError) as raised:
        stage.gate(body).check(GivenTree(*TREE))
    assert str(raised.value) == (
        "the program that reads the DAGs ended with 1; it said last:\n4\n5\n6\n7\nboom"
    )


def test_a_program_that_says_nothing(stage: Stage) -> None:
    with pytest.raises(GateError) as raised:
        stage.gate("").check(GivenTree(*TREE))
    assert str(raised.value) == "the program that reads the DAGs ended with 0; it said last:"


def test_a_file_without_a_result(stage: Stage) -> None:
    with pytest.raises(GateRefusal) as raised:
        stage.gate("give('files', {'files': ['a.py']})").check(GivenTree(*TREE))
    assert str(raised.value) == "import error: a.py: it was not read"


@pytest.mark.parametrize(
    ("packages", "said"),
    [
        ({"pip": "1"}, "apache-airflow-core: want 3.3.2, got none"),
        ({"Apache_Airflow.Core": "3.3.1"}, "apache-airflow-core: want 3.3.2, got 3.3.1"),
        ({**PACKAGES, "foo.bar": "2"}, "foo-bar: want 1.0, got 2"),
    ],
)
def test_other_packages(stage: Stage, packages: dict[str, str], said: str) -> None:
    """Also when the program failed: without Airflow it must."""
    python = stage.folder / "python"
    with pytest.raises(GateError) as raised:
        stage.gate("sys.exit(1)", packages).check(GivenTree(*TREE))
    assert str(raised.value) == (
        f"{python} does not have the packages of the image: {said};"
        " install them from its lock, or leave out --python"
    )


def test_a_package_for_another_python_only(stage: Stage) -> None:
    """The lock names it with a marker, so it may be there in its version, or not at all."""
    gate = stage.gate("give('files', {'files': []})", {**PACKAGES, "foo_bar": "1.0"})
    assert gate.check(GivenTree(*TREE)).airflow == "3.3.2"


def test_the_lock_of_the_image_can_be_compared() -> None:
    lock = (FOLDER / LOCK).read_text()
    wrong = gate._other_packages({}, lock)
    assert (
        f"apache-airflow-core: want {re.findall(r'^apache-airflow-core==(.*) ', lock, re.MULTILINE)[0]}, got none"
        in wrong
    )
    assert len(wrong) > 150


@pytest.mark.parametrize(
    ("python", "said"),
    [("none", "No such file or directory"), ("lock", "Permission denied")],
)
def test_no_python(stage: Stage, python: str, said: str) -> None:
    with pytest.raises(GateError) as raised:
        replace(stage.gate(""), python=stage.folder / python).check(GivenTree(*TREE))
    assert str(raised.value) == f"{stage.folder / python} cannot be run: {said}"


SLEEPING = """
give("files", {"files": ["a.py", "b.py"]})
give(0, {})
child = subprocess.Popen(["sleep", "300"])
Path(os.environ["SEEN"], f"{reading}.new").write_text(f"{os.getpid()} {child.pid}")
Path(os.environ["SEEN"], f"{reading}.new").rename(Path(os.environ["SEEN"], f"{reading}.pids"))
time.sleep(300)
"""


def alive(pid: int) -> bool:
    """Say whether a process still runs; one that waits to be noticed by its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ended(folder: Path) -> bool:
    """Say whether all processes that were started are gone."""
    pids = [int(pid) for file in folder.glob("*.pids") for pid in file.read_text().split()]
    give_up_at = time.monotonic() + 10
    while any(map(alive, pids)) and time.monotonic() < give_up_at:
        time.sleep(0.02)
    return bool(pids) and not any(map(alive, pids))


def test_a_reading_without_an_end(stage: Stage) -> None:
    gate = stage.gate(SLEEPING, time_limit_seconds=2, variables={"SEEN": str(stage.folder)})
    with pytest.raises(GateError) as raised:
        gate.check(GivenTree(*TREE))
    assert str(raised.value) == "reading the DAGs takes longer than 2 s; not read by then: a.py, b.py"
    assert ended(stage.folder)


def test_an_interruption(stage: Stage) -> None:
    """Ctrl-C leaves neither processes nor files."""
    main = threading.main_thread().ident or 0

    def interrupt() -> None:
        give_up_at = time.monotonic() + 20
        while len(list(stage.folder.glob("*.pids"))) < 2 and time.monotonic() < give_up_at:
            time.sleep(0.02)
        signal.pthread_kill(main, signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        stage.gate(SLEEPING, variables={"SEEN": str(stage.folder)}).check(GivenTree(*TREE))
    assert ended(stage.folder)


def test_what_a_dag_leaves_running_ends_with_the_gate(stage: Stage) -> None:
    body = SLEEPING.replace("time.sleep(300)", "give(1, {'ended': 'x'})")
    with pytest.raises(GateRefusal):
        stage.gate(body, variables={"SEEN": str(stage.folder)}).check(GivenTree(*TREE))
    assert ended(stage.folder)


def test_content_that_is_not_the_listed_one(stage: Stage) -> None:
    class Changed(GivenTree):
        def read(self, entry: Any) -> bytes:
            return b"other"

    with pytest.raises(GateError) as raised:
        stage.gate("").check(Changed(*TREE))
    assert str(raised.value) == "a.py: its content is not the one that was listed"


def test_a_full_disk(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(GateError) as raised:
        stage.gate("").check(GivenTree(*TREE))
    assert str(raised.value) == (
        "the tree cannot be laid out for reading: [Errno 28] No space left on device"
    )


def test_somebody_still_writes_while_the_gate_tidies_up(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was killed is not gone at once."""
    failures = [OSError(39, "Directory not empty"), OSError(39, "Directory not empty")]

    def fail_at_first(path: Path) -> None:
        if failures:
            raise failures.pop()
        remove(path)

    monkeypatch.setattr(gate, "remove", fail_at_first)
    assert stage.reading(result()).check(GivenTree(*TREE)).dags


def test_what_cannot_be_tidied_up_is_said(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_path: Path) -> None:
        raise OSError(39, "Directory not empty")

    monkeypatch.setattr(gate, "remove", fail)
    monkeypatch.setattr(gate, "TIDYING_SECONDS", 0)
    said: list[str] = []
    assert replace(stage.reading(result()), say=said.append).check(GivenTree(*TREE)).dags
    (left,) = stage.scratch.iterdir()
    assert said == [
        "reading the DAGs of 3 files",
        f"{left} cannot be removed: [Errno 39] Directory not empty",
    ]
    remove(left)


def test_packages_that_cannot_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    from sandbox.twin import packages

    def fail(*_: Any) -> Path:
        raise packages.PackagesError("the packages of the Airflow image cannot be installed:\nno network")

    monkeypatch.setattr(packages, "environment", fail)
    with pytest.raises(GateError) as raised:
        AirflowGate().check(GivenTree(*TREE))
    assert str(raised.value) == (
        "the packages of the Airflow image cannot be installed:\nno network;"
        " give a Python that has them by --python"
    )


# Reports


IDS = st.sampled_from(("a", "b", "c", "ü"))
DAGS = st.builds(Dag, st.sampled_from(("x.py", "y.py")), st.sampled_from(("1", "2")))
REPORTS = st.builds(Report, airflow=st.sampled_from(("3.3.2", "3.3.3")), dags=st.dictionaries(IDS, DAGS))


@given(REPORTS)
def test_a_report_read_back(report: Report) -> None:
    assert Report.from_json(report.to_json()) == report
    assert compare(report, report) == Changes()


@given(REPORTS, REPORTS)
def test_changes(before: Report, after: Report) -> None:
    changes = compare(before, after)
    assert set(changes.added) == after.dags.keys() - before.dags.keys()
    assert set(changes.removed) == before.dags.keys() - after.dags.keys()
    assert changes.comparable == (before.airflow == after.airflow)
    for dag_id in before.dags.keys() & after.dags.keys():
        moved = before.dags[dag_id].fileloc != after.dags[dag_id].fileloc
        other = before.dags[dag_id].hash != after.dags[dag_id].hash
        assert (dag_id in changes.changed) == (moved or (other and changes.comparable))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (Changes(), "no DAG changes"),
        (Changes(added=("a", "b"), removed=("c",)), "2 added (a, b), 1 removed (c)"),
        (Changes(changed=tuple("abcdefg")), "7 changed (a, b, c, d, e, and 2 more)"),
        (Changes(comparable=False), "read by another Airflow, so what changed within DAGs is unknown"),
    ],
)
def test_changes_in_words(changes: Changes, line: str) -> None:
    assert str(changes) == line


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"format":2,"airflow":"1","dags":{}}',
        b'{"format":1,"airflow":"1","dags":[]}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_report(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"^this is not a report of the gate$"):
        Report.from_json(content)
