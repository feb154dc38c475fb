"""The database's state: a stopped one means that the stack sleeps."""

from typing import Any

from .errors import GateError
from .pace import Pace

ASLEEP = frozenset({"stopped", "stopping", "starting"})
"""A starting one belongs to a wake-up that is not finished; services that start in the middle of it would fight it."""
SERVES = frozenset(
    {"available", "backing-up", "storage-config-upgrade", "storage-initialization", "storage-optimization"}
)
"""The instance answers in these; also in every state that begins with "configuring-"."""
BROKEN = frozenset(
    {
        "delete-precheck",
        "deleting",
        "failed",
        "inaccessible-encryption-credentials",
        "inaccessible-encryption-credentials-recoverable",
        "insufficient-capacity",
        "restore-error",
        "storage-full",
    }
)
"""No waiting ends these; neither those that begin with "incompatible-"."""
POLL_SECONDS = 10


def wait_until_it_serves(rds: Any, identifier: str, pace: Pace) -> None:
    """Return when the database can be connected to.

    Whatever is neither asleep nor broken passes by itself (a reboot, an upgrade, a modification, which may contain a
    reboot), so it is waited for.

    Raises:
        GateError: it sleeps, is broken, or does not get ready in time.

    """
    while True:
        (instance,) = rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
        status = str(instance["DBInstanceStatus"])
        if status in SERVES or status.startswith("configuring-"):
            return
        if status in ASLEEP:
            raise GateError(
                f"the stack is asleep, its database {identifier} is {status}", "run `operations wake` first"
            )
        if status in BROKEN or status.startswith("incompatible-"):
            raise GateError(
                f"the database {identifier} is {status}",
                "repair it first, the events of the instance say how",
            )
        pace.pause(POLL_SECONDS, f"the database {identifier} is {status}")
