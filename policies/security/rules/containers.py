"""Container definitions: what a container may do, and what it is made of.

They are one JSON text in a task definition, of which a first preview may know parts only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from policies.crossguard.checks import (
    all_of,
    holds,
    is_absent,
    is_false,
    is_true,
    one_of,
    parsed,
    wanted,
)
from policies.crossguard.findings import Check, Finding, Violation, judged
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View

TASK_DEFINITION: Final = "aws:ecs/taskDefinition:TaskDefinition"
ON: Final = (TASK_DEFINITION,)

SECRET_NAMES: Final = re.compile(
    r"PASSWORD$|PASSWD$|PASSPHRASE$|TOKEN$|FERNET_?KEY$|(?:API|ACCESS|SECRET|PRIVATE)_?KEY(?:_ID)?$|CREDENTIALS?$"
    r"|(?:^|_)SECRET$|^ECS_ENGINE_AUTH_DATA$",
    re.IGNORECASE,
)
"""Names that end as secrets do; ECS.8 asks for keys of AWS and ECS_ENGINE_AUTH_DATA."""
PATH_NAMES: Final = re.compile(r"AIRFLOW__\w+_SECRET")
"""Airflow reads from such a variable where a secret is, not the secret."""
SECRET_VALUES: Final = re.compile(
    r"(?:AKIA|ASIA)[0-9A-Z]{16}"  # an access key of AWS
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|[a-z][a-z0-9+.-]*://[^/\s:@]*:[^\s@]+@"  # an address with a password
    r"|[a-z][a-z0-9+.-]*://gh[a-z]_\w+@",  # or with a token of GitHub as the user
    re.IGNORECASE,
)


def containers(*checks: Check) -> Check:
    """Return a check of every container of a definition."""
    every = all_of(*checks)

    def check(definition: View) -> Iterator[Finding]:
        for container in parsed(definition["containerDefinitions"]).items():
            yield from judged(every, container)

    return check


def _is_root(user: View) -> bool:
    name = user.text().partition(":")[0]
    # 00 and +0 are numbers as well.
    return name in ("root", "") or (name.lstrip("+").isdigit() and int(name) == 0)


def _environment(container: View) -> Iterator[Finding]:
    for variable in container["environment"].items():
        yield from judged(_variable, variable)


def _variable(variable: View) -> Iterator[Finding]:
    name, value = variable["name"].text(), variable["value"]
    if SECRET_NAMES.search(name) and not PATH_NAMES.fullmatch(name):
        yield Violation(f"{variable.path} {name} has the name of a secret, want it in `secrets`")
    elif SECRET_VALUES.search(value.text()):
        yield Violation(f"{value.path} of {name} looks like a secret, want it in `secrets`")


RULES: Final = (
    Rule(
        name="container-unprivileged",
        why="A privileged container has every right of the machine below it.",
        fix="Remove `privileged`.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("2",),
        references=("ECS.4", "CKV_AWS_334", "CT.ECS.PR.11"),
        on=ON,
        check=containers(is_false("privileged")),
    ),
    Rule(
        name="container-not-root",
        why="Who breaks out of a process that runs as root is root.",
        fix="Set `user` to a number other than 0, such as 50000:0.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("3",),
        references=("ECS.20", "CT.ECS.PR.3"),
        on=ON,
        check=containers(wanted("user", "a user other than root", lambda user: not _is_root(user))),
    ),
    Rule(
        name="container-read-only-root",
        why="What breaks in can change programs that others start later.",
        fix="Set `readonlyRootFilesystem`, and give what must be written a volume.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("4",),
        references=("ECS.5", "CKV_AWS_336", "CT.ECS.PR.6"),
        on=ON,
        check=containers(is_true("readonlyRootFilesystem")),
    ),
    Rule(
        name="container-no-secret-in-environment",
        why="Everybody who may look at the task definition reads its environment.",
        fix="Keep the value in Secrets Manager and name it in `secrets`.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("6",),
        references=("ECS.8", "AWS-0036", "CT.ECS.PR.12", "ecs_task_definitions_no_environment_secrets"),
        on=ON,
        check=containers(_environment),
    ),
    Rule(
        name="container-logs",
        why="Without a log nobody learns what happened; its mode decides whether a stall costs lines or time.",
        fix="Set `logConfiguration` with the driver awslogs or awsfirelens, and its option `mode`.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("7",),
        references=("ECS.9", "CT.ECS.PR.5", "ecs_task_definitions_logging_block_mode"),
        on=ON,
        check=containers(
            one_of("logConfiguration.logDriver", {"awslogs", "awsfirelens"}),
            one_of("logConfiguration.options.mode", {"blocking", "non-blocking"}),
        ),
    ),
    Rule(
        name="container-capabilities",
        why="Each right that a process does not need is one more for who takes it over.",
        fix="Set `linuxParameters` with initProcessEnabled, and capabilities that drop ALL and add none.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("15",),
        on=ON,
        check=containers(
            is_true("linuxParameters.initProcessEnabled"),
            holds("linuxParameters.capabilities.drop", {"ALL"}),
            is_absent("linuxParameters.capabilities.add"),
        ),
    ),
)
