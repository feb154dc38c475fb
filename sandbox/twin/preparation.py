"""What is settled before a twin starts: its socket, its ports, and whether containers can read what they are given."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sandbox.cli import SandboxError
from sandbox.twin.image import Image
from sandbox.twin.isolation import Mode
from sandbox.twin.platform import Platform
from sandbox.twin.rewrites import Facts, Sizes
from sandbox.twin.surroundings import Servers

DAGS: Final = "dags"
"""Folder of the program's DAGs: what the shared volume holds."""
BACKLOG: Final = 128


@contextlib.contextmanager
def listening(port: int) -> Iterator[socket.socket]:
    """Listen on localhost, before the process has a network of its own.

    Raises:
        SandboxError: The port is taken.

    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as found:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind(("127.0.0.1", port))
        except OSError as error:
            raise SandboxError(
                f"port {port} on localhost cannot be had ({error.strerror}): choose another with --port "
                "(make up PORT=...), 0 takes a free one"
            ) from error
        found.listen(BACKLOG)
        yield found


def free_ports(platform: Platform) -> dict[int, int]:
    """Return a free port for every port that a container listens on."""
    wanted = {
        port for each in platform.definitions for container in each.containers for port in container.ports
    }
    wanted |= {
        int(value)
        for each in platform.definitions
        for container in each.containers
        for name, value in container.environment.items()
        if name.startswith("AIRFLOW__") and name.endswith("_PORT")
    }
    with contextlib.ExitStack() as stack:
        sockets = {port: stack.enter_context(socket.socket()) for port in wanted}
        for each in sockets.values():
            each.bind(("127.0.0.1", 0))
        return {port: each.getsockname()[1] for port, each in sockets.items()}


def facts(
    platform: Platform, image: Image, servers: Servers, *, mode: Mode, url: str, program: Path, drill: bool
) -> Facts:
    """Return what is true for every container of a twin."""
    shared = {name for each in platform.definitions for name in each.shared_volumes}
    plain = mode is Mode.PLAIN
    return Facts(
        platform=platform,
        image=image,
        mode=mode,
        url=url,
        aws_url=servers.aws_url,
        authority=servers.authority,
        volumes=dict.fromkeys(shared, program / DAGS),
        ports={**free_ports(platform), **servers.ports} if plain else {},
        timers=drill,
        sizes=Sizes(tasks=1) if plain else Sizes(),
    )


def check_readable(program: Path, image: Image) -> None:
    """Refuse folders that containers would find empty: they run as a user of their own, with the group 0.

    Raises:
        SandboxError: Names what is missing or cannot be read, and the remedy.

    """
    dags = program / DAGS
    if not dags.is_dir():
        raise SandboxError(f"{dags} is missing: DAGs are read from there; make the folder, it may be empty")
    if os.geteuid() != 0:
        return  # then containers read as this user
    for folder in (dags, *image.files.values()):
        for path in (folder, *folder.rglob("*")):
            if not _readable(path.stat()):
                raise SandboxError(
                    f"{path} cannot be read by the containers' user 50000:0; chmod -R go+rX {folder}"
                )


def _readable(found: os.stat_result) -> bool:
    read, enter = (stat.S_IRGRP, stat.S_IXGRP) if found.st_gid == 0 else (stat.S_IROTH, stat.S_IXOTH)
    wanted = read | enter if stat.S_ISDIR(found.st_mode) else read
    return found.st_mode & wanted == wanted
