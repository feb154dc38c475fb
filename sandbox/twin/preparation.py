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
from sandbox.twin import dag_image
from sandbox.twin.image import Image
from sandbox.twin.isolation import Mode
from sandbox.twin.platform import Platform
from sandbox.twin.rewrites import Facts, Sizes
from sandbox.twin.surroundings import Servers

STORAGE: Final = "efs"
"""Folder of a twin that stands in for the file system."""
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
    platform: Platform, image: Image, servers: Servers, *, mode: Mode, url: str, folder: Path, drill: bool
) -> Facts:
    """Return what is true for every container of a twin; its folder gets the file system."""
    plain = mode is Mode.PLAIN
    return Facts(
        platform=platform,
        image=image,
        mode=mode,
        url=url,
        aws_url=servers.aws_url,
        authority=servers.authority,
        volumes=storage(platform, folder),
        # The twin's folder is the sandbox's twin/STACK.
        images=folder.parents[1] / dag_image.FOLDER,
        user="" if plain or os.geteuid() == 0 else f"{os.geteuid()}:{os.getegid()}",
        ports={**free_ports(platform), **servers.ports} if plain else {},
        timers=drill,
        sizes=Sizes(tasks=1) if plain else Sizes(),
    )


def storage(platform: Platform, folder: Path) -> dict[str, Path]:
    """Return the folder behind each access point, made as EFS makes it for whoever mounts first.

    Raises:
        SandboxError: They lead to several directories.

    """
    directories = set(platform.access_points.values())
    if len(directories) > 1:
        paths = ", ".join(sorted(each.path for each in directories))
        raise SandboxError(f"the access points lead to several directories, and the twin has one: {paths}")
    place = folder / STORAGE
    for each in directories:
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(each.mode)
        if os.geteuid() == 0:
            os.chown(place, each.owner, each.group)
    return dict.fromkeys(platform.access_points, place)


def check_readable(image: Image) -> None:
    """Refuse files that containers could not read: they run as a user of their own, with the group 0.

    Raises:
        SandboxError: Names what cannot be read, and the remedy.

    """
    if os.geteuid() != 0:
        return  # then containers read as this user
    for folder in image.files.values():
        for path in (folder, *folder.rglob("*")):
            if not _readable(path.stat()):
                raise SandboxError(
                    f"{path} cannot be read by the containers' user 50000:0; chmod -R go+rX {folder}"
                )


def _readable(found: os.stat_result) -> bool:
    read, enter = (stat.S_IRGRP, stat.S_IXGRP) if found.st_gid == 0 else (stat.S_IROTH, stat.S_IXOTH)
    wanted = read | enter if stat.S_ISDIR(found.st_mode) else read
    return found.st_mode & wanted == wanted
