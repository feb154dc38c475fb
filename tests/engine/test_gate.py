"""The platform gate as an update runs it: the function's real code, against AWS's APIs on this machine.

The one-off task itself does not run here: a stand-in ends it with an exit code.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from functions.platform_gate.kinds import SecretKind
from tests.endpoint import Endpoint, serving
from tests.engine.conftest import Applied
from tests.engine.support import Project

pytestmark = pytest.mark.engine

STACK = "dev"
UP = ("pulumi", "up", "--yes", "--skip-preview", "--stack", STACK)
SECRET = "aws:secretsmanager/secret:Secret"
INVOCATION = "aws:lambda/invocation:Invocation"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with serving() as served:
        yield served


@pytest.fixture(scope="module")
def opened(
    platform_with: Applied, tmp_path_factory: pytest.TempPathFactory, endpoint: Endpoint
) -> tuple[Project, str]:
    """Return the platform after an `up` whose gate ran, and the engine's event log."""
    project = platform_with("nonprod-shared", tmp_path_factory.mktemp("gate") / "platform")
    project.measured = True  # functions run nowhere else
    done = project.run("--functions-endpoint", endpoint.url, *UP, "--json", "--diff")
    project.measured = False
    return project, done.stdout


def arns(project: Project) -> dict[SecretKind, str]:
    """Return the ARNs of the secrets, by kind."""
    found = {}
    for each in project.state(STACK):
        if each["type"] == SECRET:
            name = each["urn"].rpartition("::")[2]
            kind = next(kind for kind in SecretKind if name.endswith(f"-{kind}"))
            found[kind] = each["outputs"]["arn"]
    return found


def generated(project: Project, endpoint: Endpoint) -> dict[SecretKind, list[str]]:
    """Return every value that the gate made, in the parts that are secret."""
    values = {kind: endpoint.secret(arn) for kind, arn in arns(project).items()}
    return {
        kind: [json.loads(value)["password"]] if kind.endswith("-user") else [value]
        for kind, value in values.items()
    }


def spellings(value: str) -> set[str]:
    """Return how a value could be written into a file: as it is, in JSON, in a URL, in base64."""
    lines = {line for line in value.splitlines() if len(line) > 20 and not line.startswith("-----")}
    return lines | {
        json.dumps(value)[1:-1],
        quote(value, safe=""),
        base64.b64encode(value.encode()).decode(),
    }


def test_every_secret_has_a_value(opened: tuple[Project, str], endpoint: Endpoint) -> None:
    found = generated(opened[0], endpoint)
    assert set(found) == set(SecretKind)
    assert all(len(value) >= 32 for values in found.values() for value in values)


def test_no_generated_value_is_anywhere_that_pulumi_writes(
    opened: tuple[Project, str], endpoint: Endpoint
) -> None:
    """State with its backups and history, plans, journal, logs, event log, diff and outputs."""
    project, events = opened
    exported = project.run("pulumi", "stack", "export", "--show-secrets", "--stack", STACK).stdout
    outputs = project.run("pulumi", "stack", "output", "--json", "--show-secrets", "--stack", STACK).stdout
    written = {
        str(path): path.read_bytes().decode(errors="replace")
        for path in (project.folder / ".sandbox").rglob("*")
        if path.is_file()
    }
    assert any("history" in path for path in written)
    texts = written | {"event log": events, "exported": exported, "outputs": outputs}
    found = [
        (kind, place)
        for kind, values in generated(project, endpoint).items()
        for value in values
        for spelling in spellings(value)
        for place, text in texts.items()
        if spelling in text
    ]
    assert found == []


def test_the_search_would_find_a_value(opened: tuple[Project, str]) -> None:
    """What the gate returns is in the state and in the event log, so the search looks at the right places."""
    project, events = opened
    assert "secretsMade" in events
    state = project.folder / ".sandbox/state/.pulumi/stacks/airflow-platform" / f"{STACK}.json"
    assert "secretsMade" in state.read_text()


def test_the_brokers_user_is_switched_on_with_the_stored_password(
    opened: tuple[Project, str], endpoint: Endpoint
) -> None:
    project, _ = opened
    login = json.loads(endpoint.secret(arns(project)[SecretKind.BROKER_USER]))
    (asked,) = endpoint.modified
    assert (asked["UserId"], asked["AuthenticationMode"]) == (
        login["username"],
        {"Type": "password", "Passwords": [login["password"]]},
    )
    assert asked["AccessString"].startswith("on ")


def test_a_second_up_does_not_open_the_gate_again(opened: tuple[Project, str], endpoint: Endpoint) -> None:
    project, _ = opened
    before = len(endpoint.modified)
    project.run("--functions-endpoint", endpoint.url, *UP, "--expect-no-changes")
    assert len(endpoint.modified) == before


NEW_IMAGE = ("sha256:" + "0" * 64, "sha256:" + "1" * 64)


def refused(opened: tuple[Project, str], endpoint: Endpoint, folder: Path) -> str:
    """Return what an update to another image prints when the gate stays closed."""
    project = opened[0].moved_to(folder)
    project.edit(f"Pulumi.{STACK}.yaml", *NEW_IMAGE)
    done = project.run("--functions-endpoint", endpoint.url, *UP, check=False)
    assert done.returncode != 0
    services = [each for each in project.state(STACK) if each["type"] == "aws:ecs/service:Service"]
    images = {each["outputs"]["taskDefinition"].rpartition(":")[2] for each in services}
    assert images == {"1"}, "a service got the new definition although the gate stayed closed"
    return done.stdout


def test_a_changed_schema_under_running_services_is_refused_with_the_remedy(
    opened: tuple[Project, str], endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "exit_code", 64)
    assert "use `operations upgrade`" in refused(opened, endpoint, tmp_path / "copy")


def test_a_failed_bootstrap_fails_the_update_and_names_its_log(
    opened: tuple[Project, str], endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "exit_code", 3)
    printed = refused(opened, endpoint, tmp_path / "copy")
    assert "failed with exit code 3" in printed
    assert "airflow-dev-bootstrap-log" in printed


def test_a_sleeping_stack_is_refused_with_the_remedy(
    opened: tuple[Project, str], endpoint: Endpoint, tmp_path: Path
) -> None:
    rds = endpoint.client("rds")
    rds.stop_db_instance(DBInstanceIdentifier="airflow-dev")
    try:
        assert "run `operations wake` first" in refused(opened, endpoint, tmp_path / "copy")
    finally:
        rds.start_db_instance(DBInstanceIdentifier="airflow-dev")
