"""Cases of the rules about container definitions."""

from __future__ import annotations

from typing import Any, Final

from policies.security.rules.containers import TASK_DEFINITION
from tests.policies.cases import REMOVED, Case, Change

CONTAINER: Final[dict[str, Any]] = {
    "name": "scheduler",
    "essential": True,
    "user": "50000:0",
    "readonlyRootFilesystem": True,
    "environment": [{"name": "PLATFORM_ROLE", "value": "scheduler"}],
    "logConfiguration": {"logDriver": "awslogs", "options": {"mode": "non-blocking"}},
    "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
}
GOOD: Final[dict[str, Any]] = {"containerDefinitions": [CONTAINER]}
FIRST: Final = "containerDefinitions[0]"


def _case(rule: str, *changes: Change) -> Case:
    return Case(rule=rule, type=TASK_DEFINITION, good=GOOD, changes=changes)


CASES: Final = (
    _case("container-unprivileged", Change(path=f"{FIRST}.privileged", bad=True, absent=False)),
    _case(
        "container-not-root",
        Change(path=f"{FIRST}.user", bad="root"),
        Change(path=f"{FIRST}.user", bad="0"),
        Change(path=f"{FIRST}.user", bad="0:50000"),
        Change(path=f"{FIRST}.user", bad="00"),
        Change(path=f"{FIRST}.user", bad="+0"),
        Change(path=f"{FIRST}.user", bad=""),
    ),
    _case("container-read-only-root", Change(path=f"{FIRST}.readonlyRootFilesystem", bad=False)),
    _case(
        "container-no-secret-in-environment",
        Change(path=f"{FIRST}.environment[0].name", bad="DB_PASSWORD", absent=False),
        Change(path=f"{FIRST}.environment[0].value", bad="AKIAABCDEFGHIJKLMNOP", absent=False),
        Change(path=f"{FIRST}.environment[0].value", bad="redis://user:word@broker:6379", absent=False),
    ),
    _case(
        "container-logs",
        Change(path=f"{FIRST}.logConfiguration", bad=REMOVED),
        Change(path=f"{FIRST}.logConfiguration.logDriver", bad="json-file"),
        Change(path=f"{FIRST}.logConfiguration.options.mode", bad=REMOVED),
    ),
    _case(
        "container-capabilities",
        Change(path=f"{FIRST}.linuxParameters.initProcessEnabled", bad=False),
        Change(path=f"{FIRST}.linuxParameters.capabilities.drop", bad=["NET_RAW"]),
        Change(
            path=f"{FIRST}.linuxParameters.capabilities.add", bad=["SYS_PTRACE"], absent=False, typed=False
        ),
    ),
)
