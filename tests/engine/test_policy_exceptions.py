"""A program that asks for something insecure, through the real engine: refused, excepted, and refused again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from tests.engine.conftest import Applied
from tests.engine.support import Project

pytestmark = pytest.mark.engine

RULE = "lb-drops-invalid-headers"
BALANCER = "airflow-dev-web-alb"
TODAY = datetime.now(UTC).date()
ENTRY = {
    "rule": RULE,
    "stack": "dev",
    "type": "aws:lb/loadBalancer:LoadBalancer",
    "name": BALANCER,
    "reason": "A client that nobody can change sends such headers.",
    "owner": "data-platform",
    "ticket": "OPS-12",
    "expires": TODAY + timedelta(days=30),
}


@pytest.fixture(scope="module")
def insecure(platform_with: Applied, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return the applied platform, whose program now lets invalid headers through."""
    project = platform_with("dev", tmp_path_factory.mktemp("exceptions") / "platform")
    project.edit(
        "components/web_entry.py", "drop_invalid_header_fields=True", "drop_invalid_header_fields=False"
    )
    return project


def previewed(project: Project, *entries: object) -> tuple[int, str]:
    """Preview dev with exceptions; return the exit code, and the text without the CLI's line breaks."""
    path: Path = project.folder / "policies" / "security" / "exceptions.yaml"
    path.write_text(yaml.safe_dump({"exceptions": list(entries)}))
    done = project.run("preview", "dev", check=False)
    return done.returncode, " ".join(done.stdout.split())


def test_the_preview_is_refused_with_rule_and_resource(insecure: Project) -> None:
    code, text = previewed(insecure)
    assert code != 0
    assert f"[mandatory] [severity: medium] {RULE} (aws:lb:LoadBalancer: {BALANCER})" in text
    assert "dropInvalidHeaderFields is False, want true" in text


def test_an_update_is_refused_before_anything_changes(insecure: Project) -> None:
    previewed(insecure)
    before = insecure.state("dev")
    done = insecure.run("up", "dev", check=False)
    assert (done.returncode != 0, "the preview failed; nothing was changed" in done.stdout) == (True, True)
    assert insecure.state("dev") == before


def test_with_an_exception_it_passes_and_the_exception_is_shown(insecure: Project) -> None:
    code, text = previewed(insecure, ENTRY)
    assert code == 0
    assert f"in force until {ENTRY['expires']}: {RULE} for {ENTRY['type']} {BALANCER} in dev" in text
    assert "A client that nobody can change sends such headers. (data-platform, OPS-12)" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"expires": TODAY - timedelta(days=1)},
            f"ended on {TODAY - timedelta(days=1)}; mend it, or decide again",
        ),
        ({"expires": TODAY + timedelta(days=200)}, "is more than 180 days away"),
        ({"name": "*"}, "name: * is too broad: an exception is for one rule and one resource"),
        ({"reason": "because"}, "reason: string should have at least 20 characters"),
    ],
    ids=["expired", "too long", "too broad", "malformed"],
)
def test_a_bad_exception_excuses_nothing_and_is_refused_itself(
    insecure: Project, change: dict[str, object], message: str
) -> None:
    code, text = previewed(insecure, ENTRY | change)
    assert code != 0
    assert message in text
    assert f"{RULE} (aws:lb:LoadBalancer: {BALANCER})" in text


def test_an_exception_that_nothing_needs_is_refused(insecure: Project) -> None:
    code, text = previewed(insecure, ENTRY, ENTRY | {"rule": "rds-instance-encrypted"})
    assert code != 0
    assert (
        f"rds-instance-encrypted for {ENTRY['type']} {BALANCER} in dev: nothing needs this exception" in text
    )
