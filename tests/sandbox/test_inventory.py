"""The inventory: what exists survives every crash, and each account sees its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox.provider.inventory import AccountView, Inventory

QUEUE = "aws:sqs/queue:Queue"
URN = "urn:pulumi:dev::probe::aws:sqs/queue:Queue::work"
MINE, OTHER = "111111111111", "222222222222"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "cloud.jsonl"


def test_what_was_put_is_there_after_a_restart(journal: Path) -> None:
    Inventory(journal).put(QUEUE, "q1", URN, MINE, {"name": "work"})
    assert [(entry.id, entry.outputs) for entry in Inventory(journal)] == [("q1", {"name": "work"})]


def test_an_update_replaces_the_outputs(journal: Path) -> None:
    for name in ("work", "new"):
        Inventory(journal).put(QUEUE, "q1", URN, MINE, {"name": name})
    assert [entry.outputs for entry in Inventory(journal)] == [{"name": "new"}]


def test_what_was_removed_is_gone_after_a_restart(journal: Path) -> None:
    inventory = Inventory(journal)
    inventory.put(QUEUE, "q1", URN, MINE, {})
    inventory.remove(QUEUE, "q1", MINE)
    assert len(inventory) == len(Inventory(journal)) == 0


def test_removing_what_does_not_exist_is_no_error(journal: Path) -> None:
    Inventory(journal).remove(QUEUE, "q1", MINE)
    assert not journal.exists()


def test_a_line_cut_off_by_a_crash_is_ignored(journal: Path) -> None:
    Inventory(journal).put(QUEUE, "q1", URN, MINE, {})
    with journal.open("a") as file:
        file.write('{"put": {"token": "aws:sq')
    assert [entry.id for entry in Inventory(journal)] == ["q1"]


def test_a_resource_put_after_a_cut_off_line_is_not_lost(journal: Path) -> None:
    journal.write_text('{"put": {"token": "aws:sq')
    Inventory(journal).put(QUEUE, "q1", URN, MINE, {})
    assert [entry.id for entry in Inventory(journal)] == ["q1"]


def test_compacting_keeps_everything_in_one_line_each(journal: Path) -> None:
    inventory = Inventory(journal)
    for _ in range(3):
        inventory.put(QUEUE, "q1", URN, MINE, {})
    inventory.put(QUEUE, "q2", URN, MINE, {})
    inventory.compact()
    assert [json.loads(line)["put"]["id"] for line in journal.read_text().splitlines()] == ["q1", "q2"]
    assert [entry.id for entry in Inventory(journal)] == ["q1", "q2"]


def test_nobody_else_may_read_the_journal(journal: Path) -> None:
    Inventory(journal).put(QUEUE, "q1", URN, MINE, {"password": "x"})
    assert journal.stat().st_mode & 0o077 == 0


def test_an_account_sees_only_its_own(journal: Path) -> None:
    inventory = Inventory(journal)
    inventory.put(QUEUE, "q1", URN, MINE, {"name": "work"})
    view = AccountView(inventory, OTHER)
    assert (view.find(QUEUE, "q1"), list(view.all(QUEUE))) == (None, [])
    assert list(AccountView(inventory, MINE).all(QUEUE)) == [("q1", {"name": "work"})]
