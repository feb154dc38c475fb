"""What is settled before a twin starts."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from sandbox.cli import SandboxError
from sandbox.twin import preparation
from tests.twin.rendered import IMAGE, read


def test_a_taken_port_is_named_with_the_ways_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with (
            pytest.raises(
                SandboxError, match=rf"^port {port} on localhost .*--port .*PORT=.*0 takes a free one$"
            ),
            preparation.listening(port),
        ):
            pass


def test_every_port_that_containers_listen_on_gets_a_free_one_of_its_own() -> None:
    ports = preparation.free_ports(read("dev"))

    assert {8080, 5555, 8793, 8794, 8974} <= ports.keys()
    assert len(set(ports.values())) == len(ports)


def test_a_missing_folder_of_dags_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"dags is missing: .*make the folder"):
        preparation.check_readable(tmp_path, IMAGE)


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's containers read as that user")
def test_a_dag_that_containers_cannot_read_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "secret.py").touch(mode=0o600)

    with pytest.raises(SandboxError, match=r"secret\.py cannot be read .* chmod -R go\+rX .*/dags$"):
        preparation.check_readable(tmp_path, IMAGE)


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's containers read as that user")
def test_what_the_containers_group_may_read_is_enough(tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir(mode=0o750)
    (tmp_path / "dags" / "etl.py").touch(mode=0o640)

    image = IMAGE.__class__(**{**vars(IMAGE), "files": {}})
    preparation.check_readable(tmp_path, image)
