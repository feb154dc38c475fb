"""The gate with the image's Airflow: what the dag-processor would trip over is found, and nothing else."""

from __future__ import annotations

import io
import re
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from operations.gate import AirflowGate, Changes, GateRefusal, Report, compare, image_python
from tests.releases.trees import GivenTree, Item

pytestmark = pytest.mark.twin
FOLDER = Path(__file__).parents[2] / "dags"
VARIABLES = {"AIRFLOW_VAR_X": "1"}


def zipped(**files: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"{name}.py", content)
    return out.getvalue()


def dag_file(dag_id: str, extra: str = "") -> bytes:
    return f"from airflow.sdk import DAG\n{extra}\ndag = DAG({dag_id!r})\n".encode()


GOOD: tuple[Item, ...] = (
    *((path.name, path.read_bytes(), False) for path in sorted(FOLDER.glob("*.py"))),
    ("sub/helper.py", b"# no airflow, no dag\nNAME = 'from_helper'\n", False),
    ("uses_helper.py", b"from airflow.sdk import DAG\nfrom sub.helper import NAME\ndag = DAG(NAME)\n", False),
    ("linked.py", "sub/helper.py", False),
    ("ignored/broken.py", b"from airflow import nothing_like_a_dag\n", False),
    (".airflowignore", b"ignored/\n", False),
    ("packed.zip", zipped(packed="from airflow.sdk import DAG\ndag = DAG('packed')\n"), False),
    # Given to the gate.
    ("variable.py", dag_file("variable", "from airflow.sdk import Variable\nVariable.get('x')"), False),
    # Where the tree lies is no content; in each container it is another folder.
    (
        "place.py",
        (
            b"from pathlib import Path\nfrom airflow.sdk import DAG\n"
            b"dag = DAG('place', default_args={'here': str(Path(__file__).parent)}, doc_md=__file__)\n"
        ),
        False,
    ),
)
FAULTY: dict[str, bytes] = {
    "bad.py": dag_file("bad", "import nothing_here"),
    "broken_helper.py": dag_file("broken_helper", "import lib.helper"),
    "lib/helper.py": b"1 / 0\n",
    "syntax.py": dag_file("syntax", "def ("),
    "variable.py": dag_file("variable", "from airflow.sdk import Variable\nVariable.get('x')"),
    "connection.py": dag_file("connection", "from airflow.sdk import Connection\nConnection.get('y')"),
    "metastore.py": dag_file(
        "metastore",
        "from airflow.utils.session import create_session\nwith create_session() as session:\n    session.execute('')",
    ),
    "leaves.py": dag_file("leaves", "import os; os._exit(3)"),
    "stops.py": dag_file("stops", "raise SystemExit(0)"),
    "crashes.py": dag_file("crashes", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"),
    "cycle.py": dag_file("cycle")
    + b"from airflow.providers.standard.operators.empty import EmptyOperator\n"
    + b"a = EmptyOperator(task_id='a', dag=dag); b = EmptyOperator(task_id='b', dag=dag)\na >> b >> a\n",
    "executor.py": dag_file("executor")
    + b"from airflow.providers.standard.operators.empty import EmptyOperator\n"
    + b"a = EmptyOperator(task_id='a', dag=dag, executor='KubernetesExecutor')\n",
    "one.py": dag_file("same"),
    "two.py": dag_file("same"),
    "twice.py": dag_file("twice") + b"other = DAG('twice', schedule='@daily')\n",
    "clock.py": b"from datetime import datetime\nfrom airflow.sdk import DAG\n"
    b"dag = DAG('clock', start_date=datetime.now())\n",
    "hidden.py": b"import time\nfrom airflow.sdk import DAG\n"
    b"class Now:\n    at = str(time.time_ns())\n"
    b"dag = DAG('hidden', doc_md=Now.at)\n",
    "order.py": b"from airflow.sdk import DAG\ndag = DAG('order', doc_md=' '.join({'a', 'b', 'c', 'd', 'e', 'f'}))\n",
    "names.py": b"import os\nfrom airflow.sdk import DAG\n"
    b"dag = DAG('first' if os.environ['PYTHONHASHSEED'] == '1' else 'second')\n",
    "fine.py": dag_file("fine"),
}


NEEDS = "; read it in the task, or give it to the gate as a variable (AIRFLOW_VAR_NAME, AIRFLOW_CONN_NAME)"
EXPECTED = [
    "duplicate DAG id: same: it is in one.py and in two.py; an id stands for one DAG only",
    "duplicate DAG id: twice: it is in twice.py (2 times); an id stands for one DAG only",
    "import error: bad.py:2: ModuleNotFoundError: No module named 'nothing_here'",
    (
        "import error: connection.py:3: airflow.sdk.exceptions.AirflowNotFoundException:"
        f" The conn_id `y` isn't defined{NEEDS}"
    ),
    "import error: crashes.py: it ended the process that read it, by SIGKILL",
    "import error: cycle.py: AirflowDagCycleException: Cycle detected in Dag: cycle. Faulty task: b",
    (
        "import error: executor.py: UnknownExecutorException: Task 'a' specifies executor 'KubernetesExecutor',"
        " which is not available. Make sure it is listed in your [core] executors configuration, or update the task's"
        " executor to use one of the configured executors."
    ),
    "import error: leaves.py: it ended the process that read it, with exit code 3",
    "import error: lib/helper.py:1: ZeroDivisionError: division by zero (while reading broken_helper.py)",
    "import error: metastore.py:3: RuntimeError: Direct database access via the ORM is not allowed in Airflow 3.0",
    "import error: stops.py:2: SystemExit: 0",
    "import error: syntax.py:2: SyntaxError: invalid syntax",
    (
        "import error: variable.py:3: airflow.sdk.exceptions.AirflowRuntimeError: VARIABLE_NOT_FOUND:"
        f" {{'message': 'Variable x not found'}}{NEEDS}"
    ),
    (
        "version inflation: clock.py:3: Don't use runtime-varying value as argument in Dag constructor:"
        " DAG('clock', start_date=datetime.now())"
    ),
    "version inflation: names.py: DAG first is there at one reading and not at the next",
    "version inflation: names.py: DAG second is there at one reading and not at the next",
]


@pytest.fixture(scope="module")
def python() -> Path:
    return image_python(lambda line: print(line, file=sys.stderr))  # noqa: T201  the first time takes half a minute


@pytest.fixture(scope="module")
def gate(python: Path) -> AirflowGate:
    return AirflowGate(python=python)


@pytest.fixture(scope="module")
def good(gate: AirflowGate) -> Report:
    return replace(gate, variables=VARIABLES).check(GivenTree(*GOOD))


def test_the_example_dags_and_all_ways_to_bring_one(good: Report) -> None:
    assert {dag_id: dag.fileloc for dag_id, dag in good.dags.items()} == {
        "example_deferrable": "example_deferrable.py",
        "example_etl": "example_etl.py",
        "example_mapped": "example_mapped.py",
        "example_retries": "example_retries.py",
        "from_helper": "uses_helper.py",
        "packed": "packed.zip/packed.py",
        "place": "place.py",
        "variable": "variable.py",
    }


def test_the_next_release(gate: AirflowGate, good: Report) -> None:
    """Of what did not change nothing is said, though it lies in another folder and another process reads it."""
    kept = [item for item in GOOD if item[0] not in ("uses_helper.py", "packed.zip", "place.py")]
    moved = ("sub/packed.py", dag_file("packed"), False)
    changed = ("place.py", dag_file("place", "# another DAG"), False)
    later = replace(gate, variables=VARIABLES).check(
        GivenTree(*kept, moved, changed, ("new.py", dag_file("new"), False))
    )
    assert compare(good, later) == Changes(
        added=("new",), removed=("from_helper",), changed=("packed", "place")
    )


def test_everything_that_is_wrong(gate: AirflowGate) -> None:
    with pytest.raises(GateRefusal) as raised:
        gate.check(GivenTree(*((path, content, False) for path, content in FAULTY.items())))
    found = [str(finding) for finding in raised.value.findings]
    varying = {line.split()[4]: line for line in found if "another one each time" in line}
    assert re.fullmatch(
        r"version inflation: hidden\.py: DAG hidden is another one each time it is read:"
        r' doc_md is "\d{19}", then "\d{19}"',
        varying.pop("hidden"),
    )
    assert re.fullmatch(
        r"version inflation: order\.py: DAG order is another one each time it is read:"
        r' doc_md is "[a-f ]{11}", then "[a-f ]{11}"',
        varying.pop("order"),
    )
    assert varying == {}
    assert [line for line in found if "another one each time" not in line] == EXPECTED
    (traced,) = [each for each in raised.value.findings if each.place == "lib/helper.py:1"]
    assert 'File "broken_helper.py", line 2, in <module>' in traced.trace


def test_a_file_that_takes_too_long(gate: AirflowGate) -> None:
    tree = GivenTree(("slow.py", dag_file("slow", "import time; time.sleep(100)"), False))
    with pytest.raises(GateRefusal) as raised:
        replace(gate, file_seconds=1).check(tree)
    assert str(raised.value) == "import error: slow.py: reading it took longer than 1 s"


def test_a_folder_that_is_there_twice(gate: AirflowGate) -> None:
    """The manifest allows such a link; Airflow's own walk does not."""
    with pytest.raises(GateRefusal) as raised:
        gate.check(GivenTree(("sub/a.py", dag_file("a"), False), ("again", "sub", False)))
    assert str(raised.value) == (
        "import error: .: Airflow cannot walk over the tree, a folder may be in it twice by a link:"
        " RuntimeError: Detected recursive loop when walking DAG directory : /sub has appeared more than once."
    )
