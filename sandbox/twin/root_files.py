"""What a container sees as its file system: a list of steps for `inside.py`, made without touching anything.

The root is new and empty, with the machine's programs and libraries in it but nothing of its data: an interpreter that
lies below a directory of root's is then reachable for the container's user as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Final

from sandbox.twin.model import Booted

Step = tuple[Any, ...]

SYSTEM: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS: Final = (
    # What libraries and tools look up; nothing about this machine's users, network or secrets.
    "alternatives",
    "ca-certificates",
    "ca-certificates.conf",
    "crypto-policies",
    "gai.conf",
    "host.conf",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "os-release",
    "pki",
    "protocols",
    "services",
    "ssl",
    "terminfo",
    "timezone",
)
DEVICES: Final = ("null", "zero", "full", "random", "urandom", "tty")
LINKS: Final = (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2"))
SHARED_MEMORY: Final = "mode=1777,size=64m"
"""As Docker makes it; Fargate cannot change it."""
GUARDED: Final = ("/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus")
"""Read-only even for user 0, who owns these files of the whole machine."""
SCRATCH_MODE: Final = 0o770
NAMES: Final = "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n"


def user_of(booted: Booted) -> tuple[int, int]:
    """Return user and group as numbers; a group that is not named is 0.

    Raises:
        ValueError: The definition has a name where a number is needed.

    """
    return _numbers(booted, booted.user)


def volume_user_of(booted: Booted) -> tuple[int, int]:
    """Return user and group of the scratch volumes."""
    return _numbers(booted, booted.volume_user)


def _numbers(booted: Booted, named: str) -> tuple[int, int]:
    user, _, group = named.partition(":")
    if not user.isdigit() or not (group or "0").isdigit():
        raise ValueError(
            f"container {booted.container.name}: user must be numbers like 50000:0, got {named!r}"
        )
    return int(user), int(group or 0)


def scratch_volumes(booted: Booted) -> dict[str, Path]:
    """Return path in the container -> folder here of each volume that dies with the task."""
    return {
        mount.path: booted.volumes / mount.volume
        for mount in booted.container.mounts
        if mount.path not in booted.mounts
    }


def steps(booted: Booted) -> list[Step]:
    """Return what makes the root file system, in order; paths of this machine must exist."""
    user, group = user_of(booted)
    return [
        *_system(),
        *_settings(booted, user, group),
        *_devices(),
        ("proc", "/proc"),
        *(("guard", path) for path in GUARDED),
        *(("directory", path) for path in ("/opt", "/mnt", "/run", "/var")),
        *_home(booted, user, group),
        *_mounts(booted),
    ]


def _system() -> Iterator[Step]:
    for name in SYSTEM:
        path = Path(name)
        if path.is_symlink():
            yield ("link", name, str(path.readlink()))
        elif path.is_dir():
            yield ("bind", name, name, False)


def _settings(booted: Booted, user: int, group: int) -> Iterator[Step]:
    home = booted.environment.get("HOME", "/")
    yield ("directory", "/etc")
    for name in SETTINGS:
        path = Path("/etc") / name
        if path.exists():
            yield ("bind", str(path), str(path), False)
    root = "root:x:0:0:root:/root:/bin/sh\n"
    yield ("file", "/etc/passwd", root + (f"airflow:x:{user}:{group}::{home}:/bin/sh\n" if user else ""))
    yield ("file", "/etc/group", "root:x:0:\n" + (f"airflow:x:{user}:\n" if user else ""))
    yield ("file", "/etc/nsswitch.conf", NAMES)
    # Names come from /etc/hosts alone: no question leaves the machine.
    yield ("file", "/etc/resolv.conf", "")
    # A bind of the file: it changes in the container when it is rewritten in place.
    yield ("bind", "/etc/hosts", str(booted.hosts_file), False)


def _devices() -> Iterator[Step]:
    yield ("directory", "/dev")
    for name in DEVICES:
        yield ("bind", f"/dev/{name}", f"/dev/{name}", True)
    for name, target in LINKS:
        yield ("link", f"/dev/{name}", target)
    yield ("tmpfs", "/dev/shm", SHARED_MEMORY)  # noqa: S108  the container's own


def _home(booted: Booted, user: int, group: int) -> Iterator[Step]:
    home = booted.environment.get("HOME", "/")
    if home != "/":
        yield ("directory", home, 0o775, (user, group))


def _mounts(booted: Booted) -> Iterator[Step]:
    writable = {mount.path for mount in booted.container.mounts if not mount.read_only}
    places = {str(path): path for path in booted.root_mounts} | {**booted.mounts, **scratch_volumes(booted)}
    # A mount within another one comes after it.
    for path in sorted(places, key=lambda path: len(PurePosixPath(path).parts)):
        yield ("bind", path, str(places[path]), path in writable)
