"""The bundle where the image has the DAGs: no versions, whatever a run has noted.

Its base has tests of its own; the twin's tests run it in Airflow.
"""

from __future__ import annotations

import importlib
import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from images.airflow.platform_runtime import start
from images.airflow.platform_runtime.releases import state
from tests.releases.test_bundle import A, B, File, Manager, Parse, Task, in_worker, module

__all__ = ["in_worker", "module"]

MODULE = "images.airflow.platform_runtime.releases.image_bundle"


@pytest.fixture
def task(module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Task:
    """Return a task whose bundles are those of an image."""
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    found = Task(module, tmp_path)
    monkeypatch.setattr(module, "ReleaseBundle", importlib.import_module(MODULE).ImageBundle)
    return found


def test_it_has_no_versions(task: Task) -> None:
    assert task.module.ReleaseBundle.supports_versioning is False


def test_it_shows_what_the_agent_serves(task: Task) -> None:
    assert task.begun().path == task.local / A


def test_the_version_of_a_run_from_before_is_not_asked_for(
    task: Task, in_worker: None, caplog: pytest.LogCaptureFixture
) -> None:
    """It could not be had, and its task would wait for ever."""
    with caplog.at_level(logging.WARNING):
        bundle = task.begun(B)
    assert (bundle.path, bundle.version) == (task.local / A, None)
    assert not task.requests.exists()
    assert caplog.messages == [
        f"the run began on release {B[:12]}; this container has the release of its image"
    ]


def test_a_callback_that_notes_a_version_is_run_on_what_is_served(task: Task) -> None:
    """Airflow makes its bundle and does not initialize it."""
    assert task.bundle(B).path == task.local / A


def test_what_is_used_is_locked(task: Task) -> None:
    bundle = task.begun()
    assert (task.locked(A), bundle.is_initialized) == (True, True)


@pytest.fixture
def manager(task: Task, monkeypatch: pytest.MonkeyPatch, module: Any) -> Any:
    """Return a dag-processor as Airflow has it for a bundle without versions."""
    home = type(sys)("manager")
    kind = type("DagFileProcessorManager", (Manager,), {})
    home.DagFileProcessorManager = kind  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "airflow.dag_processing.manager", home)
    monkeypatch.setattr(module, "ReleaseBundle", importlib.import_module(MODULE).ReleaseBundle)
    found: Any = kind()
    image_bundle = importlib.import_module(MODULE).ImageBundle(
        name="dags", releases_path=str(task.local), requests_path=str(task.requests)
    )
    image_bundle.initialize()
    found._dag_bundles = [image_bundle]
    found._bundle_versions = {"dags": None}
    return found


def test_results_are_taken_without_a_version(task: Task, manager: Any) -> None:
    file = File(Path("x.py"), bundle_path=task.local / A)
    manager.handle_parsing_result(file, Parse())
    assert manager.taken == [file]


def test_no_result_of_a_wrong_copy_is_taken(task: Task, manager: Any) -> None:
    file = File(Path("x.py"), bundle_path=task.local / A)
    state.set_problem(task.local, A, "mismatch: x")
    manager.handle_parsing_result(file, Parse())
    assert manager.taken == []


@pytest.mark.parametrize("classpath", start.BUNDLE_CLASSES.values())
def test_the_entry_point_names_a_class_that_is_there(task: Task, classpath: str) -> None:
    name, _, kind = classpath.removeprefix("platform_runtime.releases.").rpartition(".")
    found = importlib.import_module(f"images.airflow.platform_runtime.releases.{name}")
    assert hasattr(found, kind)
