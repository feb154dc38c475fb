"""What is settled before a twin starts."""

from __future__ import annotations

import os
import socket
import stat
from dataclasses import replace
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


def test_the_file_system_is_made_as_its_access_points_say(tmp_path: Path) -> None:
    found = preparation.storage(read("dev"), tmp_path)

    place = tmp_path / "efs"
    assert found == dict.fromkeys(read("dev").access_points, place)
    assert stat.S_IMODE(place.stat().st_mode) == 0o755
    if os.geteuid() == 0:
        assert (place.stat().st_uid, place.stat().st_gid) == (50001, 0)


def test_access_points_that_lead_to_several_directories_are_refused(tmp_path: Path) -> None:
    one, other = read("dev").access_points.items()
    several = {one[0]: one[1], other[0]: replace(other[1], path="/elsewhere")}

    with pytest.raises(
        SandboxError, match=r"several directories, and the twin has one: /elsewhere, /releases$"
    ):
        preparation.storage(replace(read("dev"), access_points=several), tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's containers read as that user")
def test_a_file_of_the_image_that_containers_cannot_read_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "secret").touch(mode=0o600)

    with pytest.raises(SandboxError, match=r"secret cannot be read .* chmod -R go\+rX .*/bin$"):
        preparation.check_readable(replace(IMAGE, files={"/opt/platform/bin": tmp_path / "bin"}))


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's containers read as that user")
def test_what_the_containers_group_may_read_is_enough(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir(mode=0o750)
    (tmp_path / "bin" / "run").touch(mode=0o640)

    preparation.check_readable(replace(IMAGE, files={"/opt/platform/bin": tmp_path / "bin"}))
