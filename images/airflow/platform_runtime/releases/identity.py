"""Who this task is, for its proofs: ECS tells every container over HTTP, without credentials."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

METADATA: Final = "ECS_CONTAINER_METADATA_URI_V4"
PATIENCE_SECONDS: Final = 2.0
ATTEMPTS: Final = 90
"""The address may answer later than the container starts. ECS does not start a container again that has ended within
a minute, so this goes on for longer."""
PAUSE_SECONDS: Final = 1.0

Fetch = Callable[[str], bytes]


class IdentityError(Exception):
    """ECS does not say who the task is."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A task of a service."""

    service: str
    """The family of its task definition, for a task that belongs to no service."""
    task_id: str
    image_digest: str
    """`sha256:` and hexadecimal characters; empty when ECS does not know it."""


def read(
    environment: Mapping[str, str],
    fetch: Fetch | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Identity:
    """Ask ECS.

    Raises:
        IdentityError: There is no answer, or it lacks what a proof needs.

    """
    address = environment.get(METADATA, "")
    # Whatever the variable says, no file is opened.
    if not address.startswith("http://"):
        raise IdentityError(f"{METADATA} is no address: only ECS starts the release agent")
    answer = _ask(f"{address}/task", fetch or _fetch, pause)
    try:
        return _identity(answer, address.rpartition("/")[2])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise IdentityError(f"{address}/task: the answer lacks what a proof needs: {error!r}") from error


def _ask(url: str, fetch: Fetch, pause: Callable[[float], None]) -> Any:
    for left in reversed(range(ATTEMPTS)):
        try:
            return json.loads(fetch(url))
        except (OSError, http.client.HTTPException, ValueError) as error:
            if not left:
                raise IdentityError(f"{url} does not answer: {error}") from error
            pause(PAUSE_SECONDS)
    raise AssertionError("the last attempt returns or raises")


def _fetch(url: str) -> bytes:
    # Never through a proxy: the address exists in this task only.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=PATIENCE_SECONDS) as answer:
        content: bytes = answer.read()
    return content


def _identity(task: dict[str, Any], own: str) -> Identity:
    task_id = task["TaskARN"].rpartition("/")[2]
    service = task.get("ServiceName") or task["Family"]
    if not task_id or not service:
        raise ValueError("TaskARN")
    return Identity(service=service, task_id=task_id, image_digest=_digest(task.get("Containers", []), own))


def _digest(containers: list[dict[str, Any]], own: str) -> str:
    """Return the digest of this container's image, which is that of the task's other containers, too."""
    # The address ends with the container's own id and a number.
    mine = [each for each in containers if each.get("DockerId") and own.startswith(each["DockerId"])]
    for each in mine or containers:
        # What the task definition pins is what was pulled; an image's own id may be that of its configuration.
        _, _, pinned = each.get("Image", "").partition("@")
        if digest := pinned or each.get("ImageID", ""):
            return str(digest)
    return ""
