"""Which code of the gate runs, and with which event. That it opens is proved with the endpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.behaviour.values import Archive, Asset
from sandbox.provider import wire
from sandbox.twin import gate
from sandbox.twin.aws_endpoint import serving
from sandbox.twin.gate import GateClosedError, open_gate
from sandbox.twin.platform import Platform
from tests.twin.answering import Twin, names
from tests.twin.rendered import read

pytestmark = pytest.mark.filterwarnings(r"ignore::DeprecationWarning:pulumi_(aws|awsx)\..*")

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def platform() -> Platform:
    return read("dev")


def test_another_host_name_for_the_certificate(platform: Platform) -> None:
    other = Twin()
    with serving(other.stand_ins, region=platform.region) as endpoint:
        other.endpoint = endpoint
        open_gate(platform, endpoint.url, ROOT, host_name="localhost")
        assert names(other.value(platform.secrets["api-server-certificate"])) == ["localhost"]


def archive(platform: Platform, *paths: Path) -> Platform:
    """Return the platform with code in the state, in the state's own form."""
    members = {path.name: {wire.SIGNATURE: wire.ASSET, "hash": "h", "path": str(path)} for path in paths}
    found = {wire.SIGNATURE: wire.ARCHIVE, "hash": "h", "assets": members}
    return replace(platform, gate=replace(platform.gate, code=found))


def test_the_states_code_is_taken_while_it_is_there(platform: Platform, tmp_path: Path) -> None:
    path = tmp_path / "handler.py"
    path.touch()
    assert gate.code(archive(platform, path), ROOT) == Archive(
        hash="h", assets=(("handler.py", Asset(hash="h", path=str(path))),)
    )


def test_otherwise_the_programs_folder_is_taken(platform: Platform, tmp_path: Path) -> None:
    expected = Archive(assets=(("platform_gate", Archive(path=str(ROOT / "functions" / "platform_gate"))),))
    assert gate.code(platform, ROOT) == expected
    assert gate.code(archive(platform, tmp_path / "gone.py"), ROOT) == expected


def test_the_states_code_really_runs(platform: Platform, tmp_path: Path) -> None:
    package = tmp_path / "platform_gate"
    package.mkdir()
    (package / "handler.py").write_text(
        "def handle(event, context):\n    return {'seen': event['database']}\n"
    )
    folder = {wire.SIGNATURE: wire.ARCHIVE, "hash": "h", "path": str(package)}
    found = {wire.SIGNATURE: wire.ARCHIVE, "hash": "h", "assets": {"platform_gate": folder}}
    changed = replace(platform, gate=replace(platform.gate, code=found))
    other = Twin()
    with serving(other.stand_ins, region=platform.region) as endpoint:
        assert open_gate(changed, endpoint.url, ROOT) == {"seen": "airflow-dev"}


def test_a_function_that_is_gone_is_named(platform: Platform) -> None:
    with pytest.raises(GateClosedError, match="does not hold the function urn:"):
        gate.package(replace(platform, entries=()))
