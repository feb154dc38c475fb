"""Task definitions of ECS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import Case, known, objects, rule
from sandbox.behaviour.rules.ecs_containers import PATH, Task, judged

TASK: Final = "aws:ecs/taskDefinition:TaskDefinition"

FARGATE_SIZES: Final = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
    8192: tuple(range(16384, 61441, 4096)),
    16384: tuple(range(32768, 122881, 8192)),
}
"""Memory in MiB that each CPU size of Fargate (in units of 1/1024 vCPU) allows."""


@rule(TASK)
def fargate_task(case: Case) -> Iterator[Failure]:
    """Check what Fargate demands of the task as a whole."""
    if "FARGATE" not in (case.known("requiresCompatibilities") or ()):
        return
    mode = case.inputs.get("networkMode")
    if mode in (None, "bridge", "host", "none"):
        yield Failure("networkMode", f'Fargate needs "awsvpc", got {mode or "nothing"}')
    yield from _fargate_size(case)
    for key, allowed in (("ipcMode", ()), ("pidMode", ("task",))):
        if case.known(key) not in (None, *allowed):
            yield Failure(key, f'"{case.known(key)}" is not supported on Fargate')
    if case.known("placementConstraints"):
        yield Failure("placementConstraints", "are not supported on Fargate")
    size = known(case.known("ephemeralStorage"), "sizeInGib")
    if size is not None and not 21 <= size <= 200:
        yield Failure("ephemeralStorage.sizeInGib", f"must be 21 to 200 GiB on Fargate, got {size}")
    for path, volume in objects(case.known("volumes"), "volumes"):
        for key in ("hostPath", "dockerVolumeConfiguration"):
            if volume.get(key):
                yield Failure(f"{path}.{key}", "is not supported on Fargate")


def _fargate_size(case: Case) -> Iterator[Failure]:
    for key in ("cpu", "memory"):
        if not case.has(key):
            yield Failure(key, "is required for a Fargate task")
    cpu, memory = size_of(case.known("cpu"), "vcpu"), size_of(case.known("memory"), "gb")
    if cpu is None:
        return
    if cpu not in FARGATE_SIZES:
        yield Failure("cpu", f"{cpu} is no Fargate size, allowed: {', '.join(map(str, FARGATE_SIZES))}")
    elif memory is not None and memory not in FARGATE_SIZES[cpu]:
        sizes = FARGATE_SIZES[cpu]
        step = (
            f"{sizes[0]} to {sizes[-1]} in steps of {sizes[1] - sizes[0]}"
            if len(sizes) > 3
            else _listed(sizes)
        )
        yield Failure("memory", f"{memory} does not go with cpu {cpu} on Fargate, allowed: {step}")


def _listed(sizes: tuple[int, ...]) -> str:
    return ", ".join(map(str, sizes))


def size_of(text: Any, unit: str) -> int | None:
    """Return a task size in units of 1/1024 vCPU or in MiB; `1 vCPU` and `2 GB` are allowed forms."""
    match = re.fullmatch(rf"(\d+|\d*\.\d+)\s*({unit})?", str(text).strip().lower())
    if text is None or not match:
        return None
    return int(float(match[1]) * 1024) if match[2] else int(float(match[1]))


@rule(TASK)
def task_size(case: Case) -> Iterator[Failure]:
    """Check that task sizes are numbers."""
    for key, unit, example in (("cpu", "vcpu", '"1024"'), ("memory", "gb", '"2048"')):
        text = case.known(key)
        if text is not None and size_of(text, unit) is None:
            yield Failure(key, f'expected a number such as {example}, got "{text}"')


@rule(TASK)
def volumes(case: Case) -> Iterator[Failure]:
    """Check names of volumes and the authorization of EFS volumes."""
    seen = set()
    for path, volume in objects(case.known("volumes"), "volumes"):
        name = known(volume, "name")
        if name in seen:
            yield Failure(f"{path}.name", f'volume "{name}" is declared twice')
        seen.add(name)
        yield from _efs(known(volume, "efsVolumeConfiguration"), f"{path}.efsVolumeConfiguration")


def _efs(efs: Any, path: str) -> Iterator[Failure]:
    authorization = known(efs, "authorizationConfig")
    if not authorization:
        return
    encrypted = efs.get("transitEncryption", "DISABLED")
    access_point = authorization.get("accessPointId")
    if encrypted == "DISABLED" and (access_point or known(authorization, "iam") == "ENABLED"):
        need = "an access point" if access_point else "IAM authorization"
        yield Failure(f"{path}.transitEncryption", f'must be "ENABLED" with {need}')
    root = known(efs, "rootDirectory")
    if access_point and root not in (None, "", "/"):
        yield Failure(f"{path}.rootDirectory", f'must be left out or "/" with an access point, got "{root}"')


@rule(TASK)
def containers(case: Case) -> Iterator[Failure]:
    """Check the container definitions."""
    text = case.known(PATH)
    if not isinstance(text, str):
        return
    declared = case.inputs.get("volumes", [])
    names = [known(volume, "name") for volume in declared] if isinstance(declared, list) else [None]
    fargate = "FARGATE" in (case.known("requiresCompatibilities") or ())
    task = Task(
        fargate=fargate,
        awsvpc=case.known("networkMode") == "awsvpc",
        volumes=None if None in names else frozenset(map(str, names)),
        sized=fargate or case.has("memory"),
    )
    failures, needs_role = judged(text, task)
    yield from failures
    if fargate and needs_role and not case.has("executionRoleArn"):
        yield Failure("executionRoleArn", f"is required on Fargate: {needs_role}")
