"""Exceptions: every entry has a rule, a resource, a reason, an owner, a ticket and an end, or it does not count."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from policies.crossguard.exceptions import Exceptions, read
from policies.crossguard.resources import Urn
from tests.policies.packs import THING, urn

TODAY = date(2026, 11, 20)
ENTRY = {
    "rule": "thing-locked",
    "stack": "dev",
    "type": THING,
    "name": "one",
    "reason": "The lock is delivered next week.",
    "owner": "data-platform",
    "ticket": "OPS-12",
    "expires": date(2026, 12, 31),
}


def given(folder: Path, *entries: Any) -> Exceptions:
    (folder / "exceptions.yaml").write_text(yaml.safe_dump({"exceptions": list(entries)}))
    return read(folder / "exceptions.yaml", {"thing-locked", "thing-befriended"}, TODAY)


def test_an_entry_counts(tmp_path: Path) -> None:
    assert given(tmp_path, ENTRY).covering("thing-locked", urn("one")) is not None


def test_a_good_file_has_no_problems(tmp_path: Path) -> None:
    assert given(tmp_path, ENTRY).problems == []


@pytest.mark.parametrize(
    ("rule", "violator"),
    [
        ("thing-befriended", urn("one")),
        ("thing-locked", urn("two")),
        ("thing-locked", urn("one", stack="prod")),
        ("thing-locked", urn("one", token="aws:x/other:Other")),
        ("thing-locked", ""),
    ],
)
def test_it_counts_for_nothing_else(tmp_path: Path, rule: str, violator: str) -> None:
    assert given(tmp_path, ENTRY).covering(rule, violator) is None


def test_on_its_last_day_it_counts(tmp_path: Path) -> None:
    assert given(tmp_path, ENTRY | {"expires": TODAY}).problems == []


def test_no_file_is_no_exception(tmp_path: Path) -> None:
    assert read(tmp_path / "none.yaml", set(), TODAY) == Exceptions()


BAD: list[tuple[dict[str, Any], str]] = [
    (
        {"expires": date(2026, 11, 19)},
        f"expires: thing-locked for {THING} one in dev ended on 2026-11-19; mend it, or decide again",
    ),
    ({"expires": date(2027, 5, 20)}, "expires: 2027-05-20 is more than 180 days away"),
    ({"expires": "soon"}, "expires: input should be a valid date or datetime, input is too short"),
    ({"expires": None}, "expires: input should be a valid date"),
    ({"rule": "thing-painted"}, "rule: there is no rule thing-painted"),
    ({"rule": "thing-*"}, "rule: thing-* is too broad: an exception is for one rule and one resource"),
    ({"name": "*"}, "name: * is too broad: an exception is for one rule and one resource"),
    ({"stack": "[dp]*"}, "stack: [dp]* is too broad: an exception is for one rule and one resource"),
    ({"type": "aws:?"}, "type: aws:? is too broad: an exception is for one rule and one resource"),
    ({"reason": "because"}, "reason: string should have at least 20 characters"),
    ({"owner": " "}, "owner: string should match pattern '\\S'"),
    ({"ticket": ""}, "ticket: string should have at least 1 character"),
    ({"note": "x"}, "note: extra inputs are not permitted"),
]


@pytest.mark.parametrize(("change", "problem"), BAD)
def test_a_bad_entry_is_named(tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    assert given(tmp_path, ENTRY | change).problems == [f"exceptions.yaml: exceptions[0]: {problem}"]


@pytest.mark.parametrize(("change", "problem"), BAD)
def test_a_bad_entry_does_not_count(tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    assert given(tmp_path, ENTRY | change).entries == []


@pytest.mark.parametrize("field", sorted(ENTRY))
def test_every_field_is_needed(tmp_path: Path, field: str) -> None:
    entry = {name: value for name, value in ENTRY.items() if name != field}
    assert given(tmp_path, entry).problems == [f"exceptions.yaml: exceptions[0]: {field}: field required"]


def test_a_bad_entry_leaves_the_others(tmp_path: Path) -> None:
    found = given(tmp_path, ENTRY | {"ticket": ""}, ENTRY | {"name": "two"})
    assert [entry.name for entry in found.entries] == ["two"]


def test_the_same_entry_twice_is_refused(tmp_path: Path) -> None:
    problem = f"exceptions.yaml: exceptions[1]: thing-locked for {THING} one in dev is there twice"
    assert given(tmp_path, ENTRY, ENTRY | {"reason": "And another good reason."}).problems == [problem]


@pytest.mark.parametrize("entry", ["x", 7, None, []])
def test_an_entry_that_is_no_mapping_is_named(tmp_path: Path, entry: Any) -> None:
    (problem,) = given(tmp_path, entry).problems
    assert problem.startswith("exceptions.yaml: exceptions[0]: entry: input should be a valid dictionary")


@pytest.mark.parametrize(
    "content", ["", "[]", "x", "exceptions: {}", "exceptions:", "exceptions: []\nmore: 1", "others: []"]
)
def test_another_shape_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "exceptions.yaml"
    path.write_text(content)
    want = "exceptions.yaml: want one key, exceptions, with a list of entries"
    assert read(path, set(), TODAY) == Exceptions(problems=[want])


@pytest.mark.parametrize("content", [b"a: [", b"\xff\xfe\xff"])
def test_what_cannot_be_read_is_a_problem(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "exceptions.yaml"
    path.write_bytes(content)
    (problem,) = read(path, set(), TODAY).problems
    assert problem.startswith("exceptions.yaml cannot be read: ")


def test_a_urn_has_parts() -> None:
    assert Urn.of(urn("a::b")) == Urn("dev", THING, "a::b")


def test_what_is_no_urn_has_none() -> None:
    assert Urn.of("x") == Urn("", "", "")
