"""Task definitions: network, roles, volumes and size of a task; where its images come from; how its containers end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from policies.crossguard.checks import (
    all_of,
    at_least,
    at_most,
    each,
    is_set,
    matches,
    none_of,
    one_of,
    when,
)
from policies.crossguard.findings import Finding, Violation
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View, WrongTypeError
from policies.security.rules.containers import ON, TASK_DEFINITION, containers

DIGEST: Final = r"[^@\s]+@sha256:[0-9a-f]{64}"
REGISTRY: Final = r"\d{12}\.dkr[.-]ecr(?:-fips)?\.[a-z0-9-]+\.(?:amazonaws\.com(?:\.cn)?|on\.aws)/\S+"
"""A private registry of ECR."""

FARGATE_MIB: Final[Mapping[int, Sequence[int]]] = MappingProxyType(
    {
        256: (512, 1024, 2048),
        512: range(1024, 4097, 1024),
        1024: range(2048, 8193, 1024),
        2048: range(4096, 16385, 1024),
        4096: range(8192, 30721, 1024),
        8192: range(16384, 61441, 4096),
        16384: range(32768, 122881, 8192),
    }
)
"""Memory that a task on Fargate may have, by CPU units (Amazon ECS Developer Guide, "Task CPU and memory")."""
LEAST_STORAGE_GIB, MOST_STORAGE_GIB = 21, 200
"""What can be asked for instead of the 20 GiB that every task on Fargate has."""
UNITS: Final = 1024
"""CPU units of a vCPU, and MiB of a GB as ECS counts it."""

WORKER_STOP_SECONDS: Final = 110
"""Of the 120 that Fargate gives at most: a worker finishes what it runs."""
STOP_SECONDS: Final = 30
"""Also what ECS takes where nothing is said."""
WORKER: Final = re.compile(r"(?:^|[-_])worker(?:$|[-_])")


def _apart(definition: View) -> Iterator[Finding]:
    execution, task = definition["executionRoleArn"], definition["taskRoleArn"]
    if not execution.empty and execution.text() == task.text():
        yield Violation(f"{task.path} is {task.shown()}, want another role than {execution.path}")


def _is_fargate(definition: View) -> bool:
    return any(kind.text() == "FARGATE" for kind in definition["requiresCompatibilities"].items())


def _amount(view: View, unit: str) -> float:
    """Return CPU units or MiB: ECS takes a number of them, or of vCPU and GB, as in `.5 vCPU`."""
    value = view.known()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    found = re.fullmatch(rf"(\d+|\d*\.\d+)\s*({unit})?", view.text().strip(), re.IGNORECASE)
    if found is None:
        raise WrongTypeError(view, f"a number, or a number of {unit}")
    return float(found[1]) * (UNITS if found[2] else 1)


def _fits(definition: View) -> Iterator[Finding]:
    cpu, memory = definition["cpu"], definition["memory"]
    if cpu.empty or memory.empty:  # another check says so
        return
    units, mib = _amount(cpu, "vCPU"), _amount(memory, "GB")
    if units not in FARGATE_MIB:
        sizes = ", ".join(map(str, FARGATE_MIB))
        yield Violation(f"{cpu.path} is {cpu.shown()}, want one of {sizes}")
    elif mib not in FARGATE_MIB[int(units)]:
        yield Violation(f"{memory.path} is {memory.shown()}, want a size that Fargate has with cpu {units:g}")


def _is_worker(container: View) -> bool:
    """Say whether Airflow's worker runs in it: by its name, or by the variable that names our roles."""
    if WORKER.search(container["name"].text()):
        return True
    return any(
        variable["value"].text() == "worker"
        for variable in container["environment"].items()
        if variable["name"].text() == "PLATFORM_ROLE"
    )


def _stops(container: View) -> Iterator[Finding]:
    stop = container["stopTimeout"]
    seconds = stop.number(STOP_SECONDS)
    if seconds < STOP_SECONDS:
        yield Violation(f"{stop.path} is {stop.shown()}, want at least {STOP_SECONDS}")
    elif seconds < WORKER_STOP_SECONDS and _is_worker(container):
        yield Violation(f"{stop.path} is {stop.shown()}, want at least {WORKER_STOP_SECONDS} for a worker")


def _is_efs(volume: View) -> bool:
    return not volume["efsVolumeConfiguration"].absent


RULES: Final = (
    Rule(
        name="ecs-task-own-network",
        why="In the machine's network a task reaches what others keep for themselves, and has no security group.",
        fix="Set `networkMode` to awsvpc.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("1",),
        references=("ECS.17", "CT.ECS.PR.4"),
        on=(TASK_DEFINITION,),
        check=one_of("networkMode", {"awsvpc"}),
    ),
    Rule(
        name="ecs-task-own-processes",
        why="A task that sees the processes of its machine can read and stop those of others.",
        fix="Remove `pidMode` and `ipcMode`, or set them to task.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("5",),
        references=("ECS.3", "CKV_AWS_335", "CT.ECS.PR.10"),
        on=(TASK_DEFINITION,),
        check=all_of(none_of("pidMode", {"host"}), none_of("ipcMode", {"host"})),
    ),
    Rule(
        name="ecs-volume-encrypted-in-transit",
        why="Who listens in the network reads the files.",
        fix="Set `transitEncryption` of the volume to ENABLED.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("8",),
        references=("ECS.18", "CKV_AWS_97", "AWS-0035"),
        on=(TASK_DEFINITION,),
        check=each("volumes", when(_is_efs, one_of("efsVolumeConfiguration.transitEncryption", {"ENABLED"}))),
    ),
    Rule(
        name="ecs-volume-authorized",
        why="Without an access point and IAM, whoever reaches the file system reads and writes all of it.",
        fix="Give the volume an `accessPointId` and `iam` ENABLED, and no `rootDirectory` other than /.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("9",),
        on=(TASK_DEFINITION,),
        check=each(
            "volumes",
            when(
                _is_efs,
                is_set("efsVolumeConfiguration.authorizationConfig.accessPointId", "an access point"),
                one_of("efsVolumeConfiguration.authorizationConfig.iam", {"ENABLED"}),
                one_of("efsVolumeConfiguration.rootDirectory", {"/"}, default="/"),
            ),
        ),
    ),
    Rule(
        name="ecs-task-roles-apart",
        why="Code in a task with its execution role's rights reads the secrets of its definition, and writes its log.",
        fix="Set `executionRoleArn` and `taskRoleArn` to roles of their own.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("10",),
        references=("CKV_AWS_249",),
        on=(TASK_DEFINITION,),
        check=all_of(is_set("executionRoleArn", "a role"), is_set("taskRoleArn", "a role"), _apart),
    ),
    Rule(
        name="ecs-task-size",
        why="A task without a limit takes the memory of others; one of a size that does not exist never starts.",
        fix="Set `cpu` and `memory` of the task to a pair that Fargate has.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("11",),
        references=("CT.ECS.PR.7",),
        on=(TASK_DEFINITION,),
        check=all_of(
            is_set("cpu", "a size"),
            is_set("memory", "a size"),
            when(
                _is_fargate,
                _fits,
                at_least("ephemeralStorage.sizeInGib", LEAST_STORAGE_GIB, default=LEAST_STORAGE_GIB),
                at_most("ephemeralStorage.sizeInGib", MOST_STORAGE_GIB, default=LEAST_STORAGE_GIB),
            ),
        ),
    ),
    Rule(
        name="container-image-pinned",
        why="A tag can mean another image tomorrow, which nobody looked at.",
        fix="Name the image by its digest, as in `repository@sha256:...`.",
        severity=Severity.HIGH,
        tier=Tier.PROD,
        controls=("12",),
        implies=frozenset({"container-image-own-account", "image-of-scanned-repository"}),
        on=ON,
        check=containers(matches("image", DIGEST, "an image with its digest")),
    ),
    Rule(
        name="container-image-private",
        why="What stands in a public registry is changed and taken away by others.",
        fix="Copy the image into the account's own registry of ECR.",
        severity=Severity.HIGH,
        tier=Tier.PROD,
        controls=("12",),
        implies=frozenset({"image-of-scanned-repository"}),
        on=ON,
        check=containers(matches("image", REGISTRY, "an image of a private registry of ECR")),
    ),
    Rule(
        name="container-stop-timeout",
        why="A worker that is killed early loses the tasks that it runs.",
        fix="Set `stopTimeout` to 120 for workers and to at least 30 for other essential containers.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("14",),
        on=ON,
        check=containers(when(lambda container: container["essential"].flag(default=True), _stops)),
    ),
)
