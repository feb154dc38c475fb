"""The summary of each way in which a command can end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.summary import main, summary

RELEASED: dict[str, Any] = {
    "command": "release",
    "ok": True,
    "exit_code": 0,
    "result": "released",
    "release_id": "f00d",
    "git_commit": "c0ffee",
    "files": 3,
    "dags": 2,
    "sequence": 7,
    "dag_changes": {"added": ["etl", "load"], "changed": [], "removed": ["old"]},
    "seconds": {"gate": 1.0, "total": 12.345},
    "services": {"dev-worker": {"running": 2, "proved": 1, "waiting": 0, "mismatch": 1}},
}


def heading(document: dict[str, Any], stack: str = "dev") -> str:
    return summary(document, stack).partition("\n")[0]


def test_a_release_is_told_with_its_changes_and_proofs() -> None:
    assert summary(RELEASED, "dev") == (
        "### Released to dev\n\n"
        "| | |\n|---|---|\n"
        "| release | `f00d` |\n"
        "| commit | `c0ffee` |\n"
        "| files | 3 |\n"
        "| DAGs | 2 |\n"
        "| DAGs added | 2: `etl`, `load` |\n"
        "| DAGs removed | 1: `old` |\n"
        "| number | 7 |\n"
        "| seconds | 12.3 |\n\n"
        "| service | running | proved | waiting | other content |\n|---|---|---|---|---|\n"
        "| dev-worker | 2 | 1 | 0 | 1 |\n\n"
    )


def test_a_check_is_told_with_its_dags() -> None:
    document = {"command": "check", "ok": True, "exit_code": 0, "dags": ["etl", "load"]}
    assert (
        summary(document)
        == "### The DAGs may be released\n\n| | |\n|---|---|\n| DAGs | 2: `etl`, `load` |\n\n"
    )


def test_a_failure_is_told_with_its_words_and_where_the_pointer_is() -> None:
    document = {
        "command": "release",
        "ok": False,
        "exit_code": 1,
        "error": "no\nway",
        "pointer": "moved back",
    }
    assert summary(document, "prod") == (
        "### Not released to prod\n\n| | |\n|---|---|\n| pointer | moved back |\n\n```\nno\nway\n```\n\n"
    )


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"command": "check", "ok": False, "exit_code": 1}, "### The DAGs may not be released"),
        (RELEASED | {"ok": False, "exit_code": 1}, "### Not released to dev"),
        (RELEASED | {"ok": False, "exit_code": 3}, "### Not released: somebody else released meanwhile"),
        (RELEASED | {"ok": False, "exit_code": 4}, "### Released, but not proved everywhere"),
        (RELEASED | {"ok": False, "exit_code": 130}, "### Stopped"),
        (
            RELEASED | {"result": "already current"},
            "### Nothing to release to dev: this is what every container holds already",
        ),
        ({}, "### It ended without a result; the log has its last words"),
    ],
)
def test_the_heading_says_how_it_ended(document: dict[str, Any], expected: str) -> None:
    assert heading(document) == expected


def test_of_many_dags_the_first_are_named() -> None:
    document = {"command": "check", "ok": True, "dags": [f"dag_{number:02}" for number in range(23)]}
    assert "| DAGs | 23: `dag_00`, " in summary(document)
    assert ", `dag_19` and 3 more |" in summary(document)


@given(st.text("`#|\na ", min_size=1))
def test_no_text_of_an_error_leaves_its_quotation(error: str) -> None:
    _, fence, *quoted, end, last, _ = summary({"command": "check", "ok": False, "error": error}).split("\n")[
        1:
    ]
    assert (set(fence), end, last) == ({"`"}, fence, "")
    assert quoted == error.splitlines()
    assert all(fence not in line for line in quoted)


@pytest.mark.parametrize("text", ["", '{"command": "rel'])
def test_half_a_document_is_none(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "release.json").write_text(text)
    main(str(tmp_path / "release.json"))
    assert capsys.readouterr().out == "### It ended without a result; the log has its last words\n\n"
