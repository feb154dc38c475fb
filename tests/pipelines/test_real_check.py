"""A pipeline's check with the real `operations` and the image's Airflow: no AWS, no stand-in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipelines.files import CHECK, ROOT
from tests.pipelines.running import Workspace

pytestmark = pytest.mark.twin


def test_a_pull_request_is_checked_with_the_images_airflow(tmp_path: Path) -> None:
    workspace = Workspace("github", tmp_path)
    (tmp_path / "platform").symlink_to(ROOT)
    commit = workspace.commit({"etl.py": (ROOT / "dags" / "example_etl.py").read_text()})
    good = workspace.run(CHECK, "12/merge")

    assert (good.code, good.stack) == (0, ""), good.log
    assert (workspace.document(CHECK)["git_commit"], workspace.document(CHECK)["dags"]) == (
        commit,
        ["example_etl"],
    )
    assert (workspace.results / "approval.json").exists()

    workspace.commit({"broken.py": "from airflow.sdk import DAG\nimport nothing_of_that_name\n"})
    bad = workspace.run(CHECK, "12/merge")
    assert bad.code == 1
    assert "No module named 'nothing_of_that_name'" in workspace.summary(CHECK)
    assert not (workspace.results / "approval.json").exists()
