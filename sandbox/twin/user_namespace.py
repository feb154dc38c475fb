"""Root's rights for an ordinary user, over nothing but namespaces of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from sandbox.twin.inside import CLONE_NEWUSER, keep_capabilities, unshare

USER, GROUP = 50000, 0
"""What this user is called inside: the user of the Airflow image, so that containers run as rendered."""
_OWN: Final = Path("/proc/self")


def enter() -> None:
    """Put this process into a user namespace where it has all rights, and what it executes as well.

    Raises:
        OSError: The system refuses, or the process has more than one thread.

    """
    user, group = os.geteuid(), os.getegid()
    unshare(CLONE_NEWUSER)
    # The kernel wants it before an ordinary user may name a group.
    (_OWN / "setgroups").write_text("deny")
    (_OWN / "uid_map").write_text(f"{USER} {user} 1")
    (_OWN / "gid_map").write_text(f"{GROUP} {group} 1")
    keep_capabilities()
