"""The names that the containers of a task know: the /etc/hosts of its containers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sandbox.twin.isolation import host_name


def write(path: Path, address: str, names: Mapping[str, Sequence[str]]) -> None:
    """Write the file, in place when it exists: containers that have it mounted see the new names.

    Args:
        path: The file.
        address: Address of the task.
        names: Addresses by host name; several are tried in this order.

    """
    lines = [
        "127.0.0.1 localhost",
        f"{address} {host_name(address)}",
        *(f"{each} {name}" for name, addresses in names.items() for each in addresses),
    ]
    content = "".join(f"{line}\n" for line in lines).encode()
    path.touch()
    # The container's user reads it, whatever the umask was.
    path.chmod(0o644)
    with path.open("r+b", buffering=0) as file:
        # Cut after the write: a reader never finds the file empty.
        file.write(content)
        file.truncate()
