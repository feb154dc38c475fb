"""What stands beside the pack: its definition, its levels, its page, its exceptions."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc
from typer.testing import CliRunner

from policies.__main__ import app
from policies.crossguard.rules import Level, Policy, Severity, Tier
from policies.crossguard.verdicts import OWN_POLICIES
from policies.security import pack
from policies.security.catalogue import files, policies
from policies.security.controls import OWN, Control, advised, controls, uncovered
from policies.security.coverage import Coverage, coverage, mistakes

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "policies" / "security"


def levels(account_class: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files()[f"policies/security/config.{account_class}.json"])
    return found


def test_the_version_is_that_of_the_definition() -> None:
    definition = yaml.safe_load((FOLDER / "PulumiPolicy.yaml").read_text())
    assert definition["version"] == pack.pack().version


def test_the_generated_files_are_up_to_date() -> None:
    assert CliRunner().invoke(app, ["docs", "--check"]).exit_code == 0


@pytest.mark.parametrize("account_class", ["nonprod", "prod"])
def test_every_policy_has_a_level_of_its_own(account_class: str) -> None:
    """None relies on a default of Pulumi's, which is advisory."""
    assert levels(account_class).keys() == {policy.name for policy in (*policies(), *OWN_POLICIES)}


@pytest.mark.parametrize(
    ("tier", "nonprod", "prod"),
    [
        (Tier.EVERYWHERE, Level.MANDATORY, Level.MANDATORY),
        (Tier.PROD, Level.ADVISORY, Level.MANDATORY),
        (Tier.NOWHERE, Level.ADVISORY, Level.ADVISORY),
    ],
)
def test_the_tier_decides_the_level(tier: Tier, nonprod: Level, prod: Level) -> None:
    assert (tier.level("nonprod"), tier.level("prod")) == (nonprod, prod)
    of_tier = [policy.name for policy in policies() if policy.tier is tier]
    assert {levels("nonprod")[name]["enforcementLevel"] for name in of_tier} <= {nonprod.value}
    assert {levels("prod")[name]["enforcementLevel"] for name in of_tier} <= {prod.value}


def test_there_is_no_exception_that_is_wrong() -> None:
    assert list(pack.pack().exceptions.problems) == []


def test_the_process_of_the_pack_starts_in_any_folder_and_answers(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", f"import runpy; runpy.run_path({str(FOLDER)!r}, run_name='__main__')"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = analyzer_pb2_grpc.AnalyzerStub(channel)
            stub.Handshake(analyzer_pb2.AnalyzerHandshakeRequest())
            stub.ConfigureStack(analyzer_pb2.AnalyzerStackConfigureRequest())
            assert stub.GetPluginInfo(empty_pb2.Empty()).version == pack.pack().version
            request = analyzer_pb2.AnalyzeRequest(type="aws:rds/instance:Instance", urn="u", name="x")
            assert len(stub.Analyze(request).diagnostics) > 0
            assert len(stub.Remediate(request).remediations) == 0
            stub.Cancel(empty_pb2.Empty())
    finally:
        process.kill()
        process.wait()


# What the rules say about themselves.


def test_nothing_is_wrong_with_what_rules_say_about_themselves() -> None:
    assert sorted(mistakes(policies(), list(controls()), uncovered())) == []


def test_only_advisory_rules_are_not_followed_in_prod() -> None:
    tiers = {policy.name: policy.tier for policy in policies()}
    assert {tiers.get(name) for name in advised()} == {Tier.NOWHERE}


def test_what_is_not_followed_has_a_reason() -> None:
    assert [rule for rule, reason in advised().items() if len(reason) < 40] == []


def test_the_readme_says_how_many_there_are() -> None:
    assert f" {len(policies())} rules " in (ROOT / "README.md").read_text()


def test_the_table_has_113_controls() -> None:
    assert [control.number for control in controls()] == [str(number) for number in range(1, 114)]


def test_marks_are_no_part_of_a_public_name() -> None:
    assert "ECS.17" in next(iter(controls())).names


CONTROL = Control(number="1", demand="x", severity="M", tier="M", names=frozenset({"ECS.1"}))
RELATIONS = {f"R{number}": "Later." for number in range(1, 14)}


def policy(**changes: Any) -> Policy:
    given: dict[str, Any] = {
        "name": "thing-locked",
        "why": "An open thing is open.",
        "fix": "Lock it.",
        "severity": Severity.LOW,
        "tier": Tier.PROD,
        "controls": ("1",),
        "references": ("ECS.1",),
    }
    return Policy(**(given | changes))


def wrong(*found: Policy, reasons: dict[str, str] | None = None) -> list[str]:
    return list(mistakes(found, [CONTROL], RELATIONS if reasons is None else reasons))


def test_a_good_policy_has_no_mistakes() -> None:
    assert wrong(policy()) == []


@pytest.mark.parametrize(
    ("changes", "mistake"),
    [
        ({"name": "Thing_Locked"}, "want a name of lower-case words with hyphens"),
        ({"references": ("ECS.2",)}, "ECS.2 is no name of its controls 1"),
        ({"controls": ("1", "7")}, "there is no control 7"),
        ({"implies": frozenset({"thing-painted"})}, "there is no rule thing-painted to imply"),
        ({"why": "because"}, "why is no sentence: 'because'"),
        ({"fix": "Lock it"}, "fix is no sentence: 'Lock it'"),
    ],
)
def test_a_mistake_is_named(changes: dict[str, Any], mistake: str) -> None:
    named = changes.get("name", "thing-locked")
    assert wrong(policy(**changes)) == [f"{named}: {mistake}"]


def test_a_policy_may_be_ours_alone() -> None:
    assert wrong(policy(), policy(name="thing-shut", controls=(OWN,), references=())) == []


def test_a_policy_without_a_control_is_a_mistake() -> None:
    assert wrong(policy(controls=(), references=()), policy(name="thing-shut")) == [
        "thing-locked: it names no control"
    ]


def test_a_policy_that_implies_itself_is_a_mistake() -> None:
    assert wrong(policy(implies=frozenset({"thing-locked"}))) == ["thing-locked: it implies itself"]


def test_a_name_that_is_there_twice_is_a_mistake() -> None:
    assert wrong(policy(), policy()) == ["thing-locked: the name is there 2 times"]


def test_a_control_without_a_rule_needs_a_reason() -> None:
    missing = {name: reason for name, reason in RELATIONS.items() if name != "R7"}
    assert wrong(policy(), reasons=missing) == ["control R7: no rule is about it, and no reason is given"]


def test_an_empty_reason_is_none() -> None:
    assert wrong(policy(), reasons=RELATIONS | {"R7": " "}) == [
        "control R7: no rule is about it, and no reason is given"
    ]


def test_a_control_with_a_rule_needs_none() -> None:
    assert wrong(policy(), reasons=RELATIONS | {"1": "x"}) == [
        "control 1: a rule is about it, so it needs no reason"
    ]


def test_a_reason_for_no_control_is_a_mistake() -> None:
    assert wrong(policy(), reasons=RELATIONS | {"99": "x"}) == ["control 99: there is none"]


def test_what_is_covered_is_counted() -> None:
    found = coverage([policy(), policy(controls=("R1", "R2"))], [CONTROL])
    assert found == Coverage(controls=1, of_controls=1, relations=2, of_relations=13, rules=2)
    assert str(found) == "2 rules cover 1 of 1 controls and 2 of 13 relations"


# The commands.


def test_the_files_are_written_and_then_up_to_date(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["docs", "--write", "--root", str(tmp_path)]).exit_code == 0
    assert CliRunner().invoke(app, ["docs", "--check", "--root", str(tmp_path)]).exit_code == 0


def test_a_stale_file_is_named(tmp_path: Path) -> None:
    CliRunner().invoke(app, ["docs", "--write", "--root", str(tmp_path)])
    (tmp_path / "docs" / "security.md").write_text("old")
    result = CliRunner().invoke(app, ["docs", "--check", "--root", str(tmp_path)])
    assert result.exit_code == 1
    assert "docs/security.md is stale: run `python -m policies docs --write`" in result.output


def test_one_of_write_and_check_is_wanted() -> None:
    assert CliRunner().invoke(app, ["docs"]).exit_code == 2


def test_the_coverage_is_printed() -> None:
    result = CliRunner().invoke(app, ["covered"])
    assert result.exit_code == 0
    assert f"{coverage(policies(), list(controls()))}\n" in result.output
