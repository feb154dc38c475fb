"""`platform-release-agent run|healthy`: the agent itself, and its container's health check."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..variables import BAD_CONFIGURATION, Refusal, Variables
from . import identity, state

if TYPE_CHECKING:
    from .agent import Agent

FAILED: Final = 1
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 3, 5, 2
"""The loop itself asks again soon, and its other work must not wait for a silent server."""
BUNDLE: Final = "dags"
"""Name of the bundle, in whose name Airflow's processes lock the versions that they use."""
MIB: Final = 2**20
DEFAULTS: Final = {
    "PLATFORM_RELEASE_VERIFY_SECONDS": "300",
    "PLATFORM_RELEASE_SCRATCH_MIB": "2048",
    "PLATFORM_DAG_DELIVERY": "release",
}
IN_IMAGE: Final = "image"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the variables say."""

    storage: Path
    local: Path
    home: Path
    tracking: Path
    table: str
    budget_bytes: int
    verify_seconds: float
    baked: str = ""
    """The one release in the image; empty where releases come from the DAG storage."""


def main() -> int:
    """Run what stands in the arguments."""
    if sys.argv[1:] == ["run"]:
        return run(os.environ)
    if sys.argv[1:] == ["healthy"]:
        return healthy(os.environ)
    sys.stderr.write("usage: platform-release-agent run|healthy\n")
    return BAD_CONFIGURATION


def run(environment: Mapping[str, str]) -> int:
    """Work until the container is stopped."""
    # At once, whatever it is doing: everything that readers open appears by one rename, and the rest is cleaned up.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: os._exit(0))
    try:
        given = settings(environment)
        who = identity.read(environment)
    except Refusal as refusal:
        sys.stderr.writelines(f"platform-release-agent: {problem}\n" for problem in refusal.problems)
        return BAD_CONFIGURATION
    except identity.IdentityError as error:
        sys.stderr.write(f"platform-release-agent: {error}\n")
        return FAILED
    agent(given, who).run()
    return FAILED


def healthy(environment: Mapping[str, str]) -> int:
    """Say whether Airflow may start, and then only whether the agent is alive."""
    problem = state.unhealthy(Path(environment.get("PLATFORM_RELEASES_PATH", "")))
    sys.stdout.write(f"{problem or 'healthy'}\n")
    return FAILED if problem else 0


def settings(environment: Mapping[str, str]) -> Settings:
    """Read the variables.

    Raises:
        Refusal: with everything that is missing or wrong.

    """
    variables = Variables(DEFAULTS | dict(environment))
    bundles = variables.need("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH")
    found = Settings(
        storage=Path(variables.need("PLATFORM_DAG_STORAGE_PATH")),
        local=Path(variables.need("PLATFORM_RELEASES_PATH")),
        home=Path(variables.need("AIRFLOW_HOME")),
        # As airflow.dag_processing.bundles.base has it.
        tracking=Path(bundles) / "_tracking" / BUNDLE,
        table=variables.need("PLATFORM_LEDGER_TABLE"),
        budget_bytes=variables.number("PLATFORM_RELEASE_SCRATCH_MIB", 256, 2**20) * MIB,
        verify_seconds=variables.number("PLATFORM_RELEASE_VERIFY_SECONDS", 1, 3600),
        baked=_baked(variables),
    )
    variables.refuse()
    return found


def _baked(variables: Variables) -> str:
    storage = variables.get("PLATFORM_DAG_STORAGE_PATH")
    if variables.get("PLATFORM_DAG_DELIVERY") != IN_IMAGE or storage is None:
        return ""
    from .pinned import BakedError, baked

    try:
        return baked(Path(storage))
    except BakedError as error:
        variables.problems.append(str(error))
        return ""


def agent(given: Settings, who: identity.Identity) -> Agent:
    """Put the agent together."""
    # Slow to import, and the health check does without.
    import boto3
    from botocore.config import Config

    from .agent import Agent
    from .copies import Copies
    from .ledger import Ledger
    from .pinned import Pinned

    retries = {"mode": "standard", "total_max_attempts": ATTEMPTS}
    patience = Config(retries=retries, connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS)
    ledger = Ledger(given.table, boto3.client("dynamodb", config=patience))
    return Agent(
        ledger=Pinned(ledger, given.baked) if given.baked else ledger,
        copies=Copies(
            given.storage,
            given.local,
            given.budget_bytes,
            tracking=given.tracking,
            alive=state.Pulse(given.local).beat,
        ),
        identity=who,
        local=given.local,
        requests=given.home / state.REQUESTS,
        say=say,
        verify_seconds=given.verify_seconds,
    )


def say(line: dict[str, Any]) -> None:
    """Write a line of the log; the alarm's filter reads its fields."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
