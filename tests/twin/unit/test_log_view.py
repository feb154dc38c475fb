"""Logs as they grow."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from sandbox.twin import log_view
from sandbox.twin.log_view import LogFile, Tail, follow


def make_file(path: Path, task: str = "t1") -> LogFile:
    return {"task": task, "container": "worker", "path": str(path)}


def test_a_tail_gives_each_whole_line_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    tail = Tail(log)
    assert tail.lines() == []  # not there yet

    log.write_bytes(b"one\ntwo\nthr")
    assert tail.lines() == ["one", "two"]
    with log.open("ab") as more:
        more.write(b"ee\n\xff\n")
    assert tail.lines() == ["three", "\ufffd"]
    assert tail.lines() == []


def test_a_look_ends_with_the_last_lines_of_each_log(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1\n2\n3\n")
    (tmp_path / "b").write_text("4\n")
    files = [make_file(tmp_path / "a"), make_file(tmp_path / "b", "t2")]

    found = [(file["task"], line) for file, line in follow(lambda: files, 2, ever=False)]

    assert found == [("t1", "2"), ("t1", "3"), ("t2", "4")]


def test_a_follower_sees_new_lines_and_new_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_view, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(log_view, "LOOK_AGAIN_SECONDS", 0.0)
    (tmp_path / "a").write_text("1\n2\n")
    (tmp_path / "b").write_text("old\nnew\n")
    files = [make_file(tmp_path / "a")]
    lines = follow(lambda: list(files), 1)

    first = next(lines)
    with (tmp_path / "a").open("a") as more:
        more.write("3\n")
    second = next(lines)
    files.append(make_file(tmp_path / "b", "t2"))
    third = next(lines)

    assert [(file["task"], line) for file, line in (first, second, third)] == [
        ("t1", "2"), ("t1", "3"), ("t2", "new"),
    ]  # fmt: skip
    assert list(islice(lines, 0)) == []
