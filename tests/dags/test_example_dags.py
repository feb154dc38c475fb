"""The example DAGs: what they have in common, and what Airflow makes of them.

Not proven here: that they run; the tests of the twin trigger each of them.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.engine.support import ROOT

DAGS = ROOT / "dags"
FILES = sorted(DAGS.glob("*.py"))
PACKAGES = {"airflow.sdk", "airflow.providers.standard"}
"""What a DAG may import of Airflow: the task SDK, and a provider that is in the image."""

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def test_there_are_four() -> None:
    assert [path.stem for path in FILES] == [
        "example_deferrable",
        "example_etl",
        "example_mapped",
        "example_retries",
    ]


@each_file
def test_a_file_is_short_and_says_what_it_shows(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) < 60
    assert ast.get_docstring(ast.parse(text))


@each_file
def test_a_file_has_one_dag_of_its_name_that_starts_only_when_asked(path: Path) -> None:
    decorators = [
        decorator
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", None) == "dag"
    ]
    (dag,) = decorators
    given = {word.arg: ast.unparse(word.value) for word in dag.keywords}
    assert given.pop("description")
    assert given == {
        "dag_id": repr(path.stem),
        "doc_md": "__doc__",
        "schedule": "None",
        "catchup": "False",
        "default_args": "{'owner': 'platform'}",
        "tags": "['example']",
    }


@each_file
def test_a_file_imports_only_what_every_worker_has(path: Path) -> None:
    imported = {
        name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
        )
    }
    foreign = {name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names}
    assert [
        name for name in foreign if not any(f"{name}.".startswith(f"{known}.") for known in PACKAGES)
    ] == []


def test_the_readme_names_every_dag() -> None:
    rows = [
        line.split("`")[1] for line in (DAGS / "README.md").read_text().splitlines() if line.startswith("| `")
    ]
    assert sorted(rows) == [path.stem for path in FILES]


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what Airflow itself reads from the folder; it may write only into a folder of the test."""
    from sandbox.cli import say
    from sandbox.twin.image import installed

    home = tmp_path_factory.mktemp("airflow")
    done = subprocess.run(
        [installed(say).python, ROOT / "tests" / "dags" / "parsed.py", DAGS],
        env={
            "PATH": os.environ["PATH"],
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.twin
def test_airflow_reads_the_folder_without_error_or_warning(parsed: dict[str, Any]) -> None:
    assert (parsed["errors"], parsed["warnings"]) == ({}, {})


TASKS = {
    "example_etl": {"extract": [], "transform": ["extract"], "load": ["transform"]},
    "example_deferrable": {"pause": [], "report": ["pause"]},
    "example_mapped": {"files": [], "count": ["files"], "total": ["count"]},
    "example_retries": {"call_service": [], "use": ["call_service"]},
}


@pytest.mark.twin
def test_airflow_sees_these_tasks_each_after_these(parsed: dict[str, Any]) -> None:
    assert {name: dag["tasks"] for name, dag in parsed["dags"].items()} == TASKS


@pytest.mark.twin
def test_airflow_sees_the_mapped_task(parsed: dict[str, Any]) -> None:
    assert parsed["dags"]["example_mapped"]["mapped"] == ["count"]


@pytest.mark.twin
def test_airflow_sees_the_retries(parsed: dict[str, Any]) -> None:
    assert parsed["dags"]["example_retries"]["retries"] == {"call_service": [2, 5.0]}


@pytest.mark.twin
@pytest.mark.parametrize("name", TASKS)
def test_airflow_sees_what_all_have_in_common(parsed: dict[str, Any], name: str) -> None:
    dag = parsed["dags"][name]
    shared = ("schedule", "catchup", "tags", "documented", "owners")
    assert tuple(dag[fact] for fact in shared) == (None, False, ["example"], True, ["platform"])
