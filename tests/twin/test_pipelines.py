"""The shell steps of both pipelines against a running twin: from a push to what every container holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines.files import CHECK, RELEASE, ROOT, SYSTEMS
from tests.pipelines.running import Workspace
from tests.twin.running import RunningTwin

pytestmark = pytest.mark.twin


def verified(twin: RunningTwin) -> dict[str, Any]:
    """Let every reader read its copies again; return what they found."""
    found: dict[str, Any] = twin.operations("verify")
    assert found["ok"], found
    return found


@pytest.fixture
def before(twin: RunningTwin) -> Iterator[str]:
    """Return what is current, and go back to it in the end."""
    release_id = verified(twin)["release_id"]
    yield release_id
    assert twin.operations("rollback", "--to", release_id)["ok"]


@pytest.fixture(params=SYSTEMS)
def workspace(request: pytest.FixtureRequest, twin: RunningTwin, tmp_path: Path) -> Workspace:
    """Return the folder of a pipeline whose AWS is the twin's, with the twin's DAGs."""
    (tmp_path / "platform").symlink_to(ROOT)
    found = Workspace(request.param, tmp_path, twin.call("status", memory=False)["aws"])
    dags = twin.project / "dags"
    found.commit({str(path.relative_to(dags)): path.read_text() for path in dags.rglob("*.py")})
    return found


def test_a_push_is_checked_released_and_proved(twin: RunningTwin, before: str, workspace: Workspace) -> None:
    dag_id = f"pushed_by_{workspace.system}"
    commit = workspace.commit({f"{dag_id}.py": f"from airflow.sdk import DAG\n\ndag = DAG({dag_id!r})\n"})
    checked, released = workspace.run(CHECK, "main"), workspace.run(RELEASE, "main")

    assert (checked.code, checked.stack) == (0, "dev"), checked.log
    assert released.code == 0, released.log
    document = workspace.document(RELEASE)
    assert (document["result"], document["git_commit"]) == ("released", commit)
    assert document["dag_changes"]["added"] == [dag_id]
    assert "approval.json approves this tree" in released.log
    assert workspace.summary(RELEASE).startswith("### Released to dev\n")
    assert verified(twin)["release_id"] == document["release_id"] != before


@pytest.mark.parametrize("workspace", ["github"], indirect=True)
def test_dags_that_airflow_cannot_read_change_nothing_even_without_a_check(
    twin: RunningTwin, workspace: Workspace
) -> None:
    before = verified(twin)["release_id"]
    workspace.commit({"broken.py": "from airflow.sdk import DAG\nimport nothing_of_that_name\n"})
    released = workspace.run(RELEASE, "main")

    assert (released.code, workspace.document(RELEASE)["pointer"]) == (1, "not moved")
    assert "approval.json does not count" in released.log
    assert verified(twin)["release_id"] == before
