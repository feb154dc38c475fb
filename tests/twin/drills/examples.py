"""Runs the example DAGs that Airflow and its providers bring, all at once, in a twin that loads them.

They are DAGs that nobody here has written: branches, mapped tasks, assets, sensors, deferred tasks, plugins. Every DAG
that Airflow finds is run unless the table below says why it cannot be.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sandbox.twin.airflow_api import FINISHED, Airflow, AirflowError, Run, Unavailable
from tests.twin import checks
from tests.twin.drills import report
from tests.twin.drills.place import place
from tests.twin.running import RunningTwin, running

READERS: Final = ("api-server", "scheduler", "dag-processor", "triggerer", "worker")
"""Services that load DAGs, or plugins that example DAGs name."""
LOADED: Final[Mapping[str, str | None]] = {
    "AIRFLOW__CORE__LOAD_EXAMPLES": "True",
    # Five minutes as Airflow has it; some of them fail at their first attempt on purpose.
    "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "5",
}
OURS: Final = "dags"
"""Our own bundle."""
FOUND_SECONDS: Final = 120.0
QUIET_SECONDS: Final = 15.0
"""Nothing new for so long: all files are read."""
RUN_SECONDS: Final = 900.0
"""More than 400 tasks; two cores take five minutes for them."""
POLL_SECONDS: Final = 3.0

PYPI: Final = "installs packages from PyPI"
EXTERNAL: Final = "asks a service on the internet"
CLASH: Final = "another example gives its asset another name; Airflow takes one of the two"
EXCLUDED: Final[Mapping[str, str]] = {
    "asset_with_extra_by_context": CLASH,
    "asset_with_extra_by_yield": CLASH,
    "asset_with_extra_from_classic_operator": CLASH,
    "child_dag": "example_external_task runs it, for the same logical date",
    "example_analytics": "needs DataFusion, an extra of the SQL provider that is not in the image",
    "example_branch_operator": PYPI,
    "example_branch_python_operator_decorator": PYPI,
    "example_dag_decorator": EXTERNAL,
    "example_external_task_marker_child": "waits for a task group that its parent does not have",
    "example_hitl_operator": "waits for a person",
    "example_python_decorator": PYPI,
    "example_python_operator": PYPI,
    "example_retry_policy": EXTERNAL,
    "example_sensors": "a worker writes a file that the triggerer waits for: they must share a file system",
    "example_task_state_store_async": "calls aget of the task's store, which the SDK of this Airflow lacks",
    "read_asset_event_from_classic": "reads an event of asset_with_extra_by_yield and its like",
    "tutorial_objectstorage": EXTERNAL,
    "tutorial_taskflow_api_virtualenv": PYPI,
}
"""DAGs that are not run, with the reason."""
CONFIGURED: Final[Mapping[str, Mapping[str, Any]]] = {
    "example_params_ui_tutorial": {"required_field": "something to read"},
    "example_passing_params_via_test_command": {"foo": "bar"},
}
"""DAGs that do not run without parameters."""
RUN_BY_OTHERS: Final = frozenset({"child_dag"})
"""DAGs that another one runs; that one ends only when they do."""
ENDS: Final[Mapping[str, str]] = {"example_failed_dag": "failed"}
"""DAGs that do not end with success."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a DAG's run ended."""

    dag_id: str
    state: str
    wanted: str
    seconds: float | None
    why: str
    """What went wrong; empty for a good one."""

    @property
    def good(self) -> bool:
        """Whether it ended as it should."""
        return self.state == self.wanted


def load(twin: RunningTwin) -> dict[str, str]:
    """Let the services load the examples; return the DAGs found, each with its bundle."""
    for role in READERS:
        twin.change(role, LOADED, wait=False)
    twin.wait_ready()
    end, changed, found = time.monotonic() + FOUND_SECONDS, time.monotonic(), dict[str, str]()
    while time.monotonic() < min(end, changed + QUIET_SECONDS) or not found:
        now = {dag_id: dag["bundle_name"] for dag_id, dag in twin.airflow.dags().items()}
        if (now := {dag_id: bundle for dag_id, bundle in now.items() if bundle != OURS}) != found:
            found, changed = now, time.monotonic()
        time.sleep(1)
    return found


def run(airflow: Airflow, dag_ids: Sequence[str]) -> list[Outcome]:
    """Run DAGs at once, and wait for all of them."""
    outcomes, started = [], list[Run]()
    now = datetime.now(UTC).isoformat()
    for dag_id in RUN_BY_OTHERS:
        airflow.pause(dag_id, paused=False)
    for dag_id in dag_ids:
        airflow.pause(dag_id, paused=False)
        try:
            started.append(trigger(airflow, dag_id, now))
        except AirflowError as error:
            outcomes.append(
                Outcome(dag_id=dag_id, state="refused", wanted=wanted(dag_id), seconds=None, why=str(error))
            )
    outcomes += [outcome(airflow, each) for each in finished(airflow, started)]
    return sorted(outcomes, key=lambda each: each.dag_id)


def trigger(airflow: Airflow, dag_id: str, logical_date: str) -> Run:
    """Start a run with a logical date, as a schedule does: some read it, some wait for a run of the same."""
    body = {"logical_date": logical_date, "conf": CONFIGURED.get(dag_id, {})}
    answer = airflow._call("POST", f"/api/v2/dags/{dag_id}/dagRuns", body)
    return airflow.run(dag_id, answer["dag_run_id"])


def finished(airflow: Airflow, started: Sequence[Run]) -> Collection[Run]:
    """Wait for runs; return them as they are when all have ended, or the time is over."""
    runs = {(run.dag_id, run.id): run for run in started}
    end, told = time.monotonic() + RUN_SECONDS, ""
    while time.monotonic() < end and not {run.state for run in runs.values()} <= FINISHED:
        time.sleep(POLL_SECONDS)
        # One question for all of them: a busy api-server has better things to do, and may be out of reach.
        with contextlib.suppress(Unavailable):
            for run in airflow.runs("~"):
                before = runs.get((run.dag_id, run.id))
                if before and before.state not in FINISHED:
                    runs[run.dag_id, run.id] = run
                    if run.state in FINISHED:
                        # Its schedule would go on.
                        airflow.pause(run.dag_id)
        states = Counter(run.state for run in runs.values())
        if told != (told := ", ".join(f"{number} {state}" for state, number in sorted(states.items()))):
            report.say(f"{RUN_SECONDS - end + time.monotonic():5.0f} s  {told}")
    return runs.values()


def wanted(dag_id: str) -> str:
    """Return how a DAG's run should end."""
    return ENDS.get(dag_id, "success")


def outcome(airflow: Airflow, run: Run) -> Outcome:
    """Look at a run that has ended, or has had its time."""
    why = "" if run.state == wanted(run.dag_id) else blame(airflow, run)
    return Outcome(
        dag_id=run.dag_id, state=run.state, wanted=wanted(run.dag_id), seconds=seconds(run), why=why
    )


def blame(airflow: Airflow, run: Run) -> str:
    """Return which task kept a run from its end, and the last words of its log."""
    tasks = airflow.task_instances(run.dag_id, run.id)
    bad = [task for task in tasks if task.state not in {"success", "skipped", "none", "upstream_failed"}]
    if not bad:
        return "no task has failed"
    task = bad[0]
    try:
        text = airflow.log(run.dag_id, run.id, task.task_id, max(task.try_number, 1), task.map_index)
    except AirflowError as error:
        text = str(error)
    return f"{task.task_id} is {task.state}: {checks.telling(text)}"


def seconds(run: Run) -> float | None:
    """Return how long a run took."""
    if not (run.start and run.end):
        return None
    return (datetime.fromisoformat(run.end) - datetime.fromisoformat(run.start)).total_seconds()


def main(results: Path) -> bool:
    """Run the drill; return whether every DAG ended as it should."""
    with place() as folder, running(folder / "platform") as twin:
        return drill(twin, results)


def drill(twin: RunningTwin, results: Path) -> bool:
    """Run the drill on a twin."""
    found = load(twin)
    errors = twin.airflow.import_errors()
    chosen = sorted(found.keys() - EXCLUDED.keys())
    report.say(f"{len(found)} DAGs in {len(set(found.values()))} bundles, {len(chosen)} of them are run")
    outcomes = run(twin.airflow, chosen)
    return tell(results, found, errors, outcomes)


def tell(results: Path, found: Mapping[str, str], errors: Mapping[str, str], outcomes: list[Outcome]) -> bool:
    """Show and write what came out; return whether it is as it should be."""
    excluded = [
        {"not run": dag_id, "why": EXCLUDED[dag_id]} for dag_id in sorted(found.keys() & EXCLUDED.keys())
    ]
    bad = [each for each in outcomes if not each.good]
    report.show("Not run", excluded)
    if bad:
        report.show(
            "Not as it should be",
            [{"DAG": each.dag_id, "state": each.state, "why": each.why} for each in bad],
        )
    if errors:
        report.show(
            "Cannot be imported",
            [{"file": file, "why": checks.telling(trace)} for file, trace in errors.items()],
        )
    gone = sorted(EXCLUDED.keys() - found.keys())
    if gone:
        report.say(f"excluded, but not there: {', '.join(gone)}")
    summary: dict[str, Any] = {
        "found": len(found),
        "run": len(outcomes),
        "passed": len(outcomes) - len(bad),
        "excluded": len(excluded),
    }
    report.say(", ".join(f"{count} {what}" for what, count in summary.items()))
    report.write(
        results,
        "examples",
        {
            **summary,
            "exclusions": excluded,
            "runs": [vars(each) | {"good": each.good} for each in outcomes],
            "import errors": dict(errors),
        },
    )
    return not bad and not gone
