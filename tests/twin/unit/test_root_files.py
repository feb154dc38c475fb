"""What a container's file system is made of, in order; nothing is mounted here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox.twin import root_files
from sandbox.twin.model import Booted, Mount
from tests.twin.unit.containers import TMP, container

STATE = Mount(volume="state", path="/opt/airflow/state", read_only=False)
DAGS = Mount(volume="dags", path="/mnt/dags", read_only=True)


def booted(folder: Path, **changes: Any) -> Booted:
    """Return an Airflow container as it is started, with the DAGs of a folder."""
    values: dict[str, Any] = {
        "container": container(mounts=(STATE, TMP, DAGS)),
        "environment": {"HOME": "/home/airflow"},
        "command": ("airflow", "scheduler"),
        "health": None,
        "address": "10.20.0.10",
        "hosts_file": folder / "hosts",
        "mounts": {"/mnt/dags": folder / "dags"},
        "root_mounts": (Path("/root/python"),),
        "scratch": folder / "scratch",
        "volumes": folder / "volumes",
        "user": "50000:0",
        "volume_user": "50000:0",
    }
    return Booted(**(values | changes))


def steps(folder: Path, **changes: Any) -> list[tuple[Any, ...]]:
    """Return the steps for such a container."""
    return root_files.steps(booted(folder, **changes))


def content(folder: Path, path: str, **changes: Any) -> str:
    """Return what is written to a file."""
    (text,) = (step[2] for step in steps(folder, **changes) if step[:2] == ("file", path))
    return str(text)


def test_mounts_come_in_the_order_of_their_depth(tmp_path: Path) -> None:
    """A mount at /tmp would hide what was mounted below it before."""
    deep = {"/tmp/deep/er": tmp_path / "deep"}
    assert steps(tmp_path, mounts=deep, root_mounts=(Path("/tmp/python"),))[-5:] == [
        ("bind", "/tmp", str(tmp_path / "volumes/tmp"), True),
        ("bind", "/tmp/python", "/tmp/python", False),
        ("bind", "/mnt/dags", str(tmp_path / "volumes/dags"), False),
        ("bind", "/tmp/deep/er", str(tmp_path / "deep"), False),
        ("bind", "/opt/airflow/state", str(tmp_path / "volumes/state"), True),
    ]


def test_what_has_no_place_here_is_scratch(tmp_path: Path) -> None:
    assert root_files.scratch_volumes(booted(tmp_path)) == {
        "/opt/airflow/state": tmp_path / "volumes/state",
        "/tmp": tmp_path / "volumes/tmp",
    }


def test_the_users_are_root_and_the_containers(tmp_path: Path) -> None:
    assert content(tmp_path, "/etc/passwd").splitlines() == [
        "root:x:0:0:root:/root:/bin/sh",
        "airflow:x:50000:0::/home/airflow:/bin/sh",
    ]
    assert content(tmp_path, "/etc/group").splitlines() == ["root:x:0:", "airflow:x:50000:"]


def test_root_is_named_once(tmp_path: Path) -> None:
    assert content(tmp_path, "/etc/passwd", user="0") == "root:x:0:0:root:/root:/bin/sh\n"
    assert content(tmp_path, "/etc/group", user="0") == "root:x:0:\n"


def test_no_name_server_is_known(tmp_path: Path) -> None:
    assert content(tmp_path, "/etc/resolv.conf") == ""
    assert "hosts: files\n" in content(tmp_path, "/etc/nsswitch.conf")


def test_the_hosts_file_is_the_tasks(tmp_path: Path) -> None:
    assert ("bind", "/etc/hosts", str(tmp_path / "hosts"), False) in steps(tmp_path)


def test_a_container_without_a_home_gets_none(tmp_path: Path) -> None:
    assert ("directory", "/home/airflow", 0o775, (50000, 0)) in steps(tmp_path)
    assert not [step for step in steps(tmp_path, environment={}) if "home" in str(step[1])]


def test_nothing_of_etc_comes_along_that_is_not_named(tmp_path: Path) -> None:
    bound = {step[1] for step in steps(tmp_path) if step[0] == "bind" and step[1].startswith("/etc/")}
    assert bound - {"/etc/hosts"} <= {f"/etc/{name}" for name in root_files.SETTINGS}


@pytest.mark.parametrize(("user", "numbers"), [("50000:0", (50000, 0)), ("1000", (1000, 0)), ("0:0", (0, 0))])
def test_a_user_is_a_pair_of_numbers(tmp_path: Path, user: str, numbers: tuple[int, int]) -> None:
    assert root_files.user_of(booted(tmp_path, user=user)) == numbers


@pytest.mark.parametrize("user", ["airflow", "", "50000:root", ":0"])
def test_a_user_by_name_is_refused(tmp_path: Path, user: str) -> None:
    with pytest.raises(ValueError, match="container main: user must be numbers like 50000:0"):
        root_files.user_of(booted(tmp_path, user=user))
