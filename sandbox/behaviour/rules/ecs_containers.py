"""The containers of a task definition: against the API model, against each other, against their task."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sandbox.behaviour.formats import is_arn
from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import objects
from sandbox.behaviour.rules.containers import model_failures
from sandbox.behaviour.rules.secret_values import secret_in

PATH: Final = "containerDefinitions"
FARGATE_LOG_DRIVERS: Final = ("awslogs", "splunk", "awsfirelens")
MAX_STOP_TIMEOUT: Final = 120
"""Seconds, on Fargate."""
_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,255}")
_ECR_IMAGE: Final = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/")
_SECRET_SERVICES: Final = ("secretsmanager", "ssm")
_SECRET_PART: Final = re.compile(r"[A-Za-z0-9/_+=.@!-]+")
_HEALTH_LIMITS: Final = {
    "interval": (5, 300),
    "timeout": (2, 60),
    "retries": (1, 10),
    "startPeriod": (0, 300),
}


@dataclass(frozen=True)
class Task:
    """What the rules of containers need to know of their task."""

    fargate: bool
    awsvpc: bool
    volumes: frozenset[str] | None
    sized: bool


@lru_cache(maxsize=256)
def judged(text: str, task: Task) -> tuple[tuple[Failure, ...], str | None]:
    """Return what is refused in container definitions, and why their agent needs a role, if it does.

    Args:
        text: The definitions, a JSON array.
        task: What the rules need to know of the task.

    """
    definitions = json.loads(text)
    if failures := tuple(_malformed(definitions)):
        return failures, None
    found = (*_set_failures(definitions), *_container_failures(definitions, task))
    return found, next(filter(None, map(_role_reason, definitions)), None)


def _malformed(definitions: list[Any]) -> Iterator[Failure]:
    if not definitions:
        yield Failure(PATH, "needs at least one container")
    for index, container in enumerate(definitions):
        path = f"{PATH}[{index}]"
        if not container:
            yield Failure(path, f"invalid container definition supplied at index ({index})")
            continue
        yield from model_failures(container, path)
        if isinstance(container, dict):
            for key in ("name", "image"):
                if not container.get(key):
                    yield Failure(f"{path}.{key}", "is required, but missing")


def _set_failures(definitions: list[dict[str, Any]]) -> Iterator[Failure]:
    names = [container["name"] for container in definitions]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Failure(f"{PATH}[{index}].name", f'container "{name}" is defined twice')
        if not _NAME.fullmatch(name):
            yield Failure(
                f"{PATH}[{index}].name", f'"{name}" may hold letters, digits, - and _ only, up to 255'
            )
    if not any(container.get("essential", True) for container in definitions):
        yield Failure(PATH, "needs at least one essential container")
    yield from _dependency_failures(definitions, names)


def _dependency_failures(definitions: list[dict[str, Any]], names: list[str]) -> Iterator[Failure]:
    graph: dict[str, list[str]] = {}
    for index, container in enumerate(definitions):
        for path, needed in objects(container.get("dependsOn"), f"{PATH}[{index}].dependsOn"):
            graph.setdefault(container["name"], []).append(needed["containerName"])
            if needed["containerName"] not in names:
                yield Failure(f"{path}.containerName", f'there is no container "{needed["containerName"]}"')
            elif needed["condition"] == "HEALTHY" and not _by_name(definitions, needed).get("healthCheck"):
                yield Failure(
                    f"{path}.condition",
                    f'"{needed["containerName"]}" has no healthCheck to become HEALTHY by',
                )
    if cycle := _cycle(graph):
        yield Failure(
            f"{PATH}[{names.index(cycle[0])}].dependsOn", f"depends on itself: {' -> '.join(cycle)}"
        )


def _by_name(definitions: list[dict[str, Any]], needed: dict[str, Any]) -> dict[str, Any]:
    return next(container for container in definitions if container["name"] == needed["containerName"])


def _cycle(graph: dict[str, list[str]]) -> list[str] | None:
    def walk(node: str, trail: list[str]) -> list[str] | None:
        if node in trail:
            return [*trail[trail.index(node) :], node]
        return next(filter(None, (walk(after, [*trail, node]) for after in graph.get(node, ()))), None)

    return next(filter(None, (walk(node, []) for node in graph)), None)


def _container_failures(definitions: list[dict[str, Any]], task: Task) -> Iterator[Failure]:
    for index, container in enumerate(definitions):
        path = f"{PATH}[{index}]"
        yield from _environment(container, path)
        yield from _secrets(container, path)
        yield from _ports(container, path, task)
        yield from _mounts(container, path, task)
        yield from _health(container, path)
        yield from _sizes(container, path, task)
        if task.fargate:
            yield from _fargate_container(container, path)


def _environment(container: dict[str, Any], path: str) -> Iterator[Failure]:
    seen: set[str] = set()
    for where, variable in objects(container.get("environment"), f"{path}.environment"):
        name, value = variable.get("name"), variable.get("value")
        if not name:
            yield Failure(f"{where}.name", "is required, but missing")
            continue
        if name in seen:
            yield Failure(f"{where}.name", f"{name} is set twice")
        seen.add(name)
        if problem := secret_in(name, value or ""):
            yield Failure(f"{where}.value", problem)


def _secrets(container: dict[str, Any], path: str) -> Iterator[Failure]:
    variables = {variable.get("name") for variable in container.get("environment") or ()}
    seen: set[str] = set()
    logging = container.get("logConfiguration") or {}
    for where, secret in objects(container.get("secrets"), f"{path}.secrets"):
        if secret["name"] in variables or secret["name"] in seen:
            yield Failure(f"{where}.name", f"{secret['name']} is set twice")
        seen.add(secret["name"])
    both = (
        *objects(container.get("secrets"), f"{path}.secrets"),
        *objects(logging.get("secretOptions"), f"{path}.logConfiguration.secretOptions"),
    )
    for where, secret in both:
        if problem := _broken_reference(secret["valueFrom"]):
            yield Failure(f"{where}.valueFrom", problem)


def _broken_reference(source: str) -> str | None:
    """Check the ARN of a parameter, or of a secret: `arn:...:secret:name:json-key:version-stage:version-id`."""
    parts = source.split(":")
    if not is_arn(source) or parts[2] not in _SECRET_SERVICES:
        return f'expected the ARN of a secret or SSM parameter, got "{source}"'
    extra = parts[7:]
    if parts[2] == "ssm" or (_SECRET_PART.fullmatch(parts[6]) and not extra):
        return None
    if len(extra) == 3 and all(_SECRET_PART.fullmatch(part) for part in (parts[6], *filter(None, extra))):
        return None
    return f'"{source}" is malformed: after a secret\'s name comes nothing, or :json-key:version-stage:version-id'


def _ports(container: dict[str, Any], path: str, task: Task) -> Iterator[Failure]:
    seen: set[tuple[int, str]] = set()
    for where, mapping in objects(container.get("portMappings"), f"{path}.portMappings"):
        port, host = mapping.get("containerPort"), mapping.get("hostPort")
        if port is None:
            if not mapping.get("containerPortRange"):
                yield Failure(f"{where}.containerPort", "is required, but missing")
            continue
        if not 0 <= port <= 65535:
            yield Failure(f"{where}.containerPort", f"must be a port from 0 to 65535, got {port}")
        if task.awsvpc and host not in (None, port):
            yield Failure(f"{where}.hostPort", f"must equal containerPort {port} with awsvpc, got {host}")
        key = (port, mapping.get("protocol", "tcp"))
        if key in seen:
            yield Failure(f"{where}.containerPort", f"port {port} is mapped twice")
        seen.add(key)


def _mounts(container: dict[str, Any], path: str, task: Task) -> Iterator[Failure]:
    for where, mount in objects(container.get("mountPoints"), f"{path}.mountPoints"):
        volume = mount.get("sourceVolume")
        if task.volumes is not None and volume not in task.volumes:
            declared = ", ".join(sorted(task.volumes)) or "none"
            yield Failure(f"{where}.sourceVolume", f'there is no volume "{volume}" (declared: {declared})')
        if not mount.get("containerPath"):
            yield Failure(f"{where}.containerPath", "is required, but missing")


def _health(container: dict[str, Any], path: str) -> Iterator[Failure]:
    check = container.get("healthCheck")
    if not check:
        return
    where = f"{path}.healthCheck"
    command = check["command"]
    if not command or command[0] not in ("CMD", "CMD-SHELL", "NONE"):
        yield Failure(f"{where}.command", 'must begin with "CMD", "CMD-SHELL" or "NONE"')
    for key, (low, high) in _HEALTH_LIMITS.items():
        value = check.get(key)
        if value is not None and not low <= value <= high:
            yield Failure(f"{where}.{key}", f"must be {low} to {high}, got {value}")


def _sizes(container: dict[str, Any], path: str, task: Task) -> Iterator[Failure]:
    memory, reservation = container.get("memory"), container.get("memoryReservation")
    if memory is None and reservation is None and not task.sized:
        yield Failure(f"{path}.memory", "is required (or memoryReservation) when the task has no memory size")
    if memory is not None and reservation is not None and reservation >= memory:
        yield Failure(f"{path}.memoryReservation", f"must be less than memory {memory}, got {reservation}")


def _fargate_container(container: dict[str, Any], path: str) -> Iterator[Failure]:
    for key in ("stopTimeout", "startTimeout"):
        value = container.get(key)
        if value is not None and not 2 <= value <= MAX_STOP_TIMEOUT:
            yield Failure(f"{path}.{key}", f"must be 2 to {MAX_STOP_TIMEOUT} seconds on Fargate, got {value}")
    driver = (container.get("logConfiguration") or {}).get("logDriver")
    if driver and driver not in FARGATE_LOG_DRIVERS:
        allowed = ", ".join(FARGATE_LOG_DRIVERS)
        yield Failure(
            f"{path}.logConfiguration.logDriver",
            f'"{driver}" is not supported on Fargate, allowed: {allowed}',
        )
    if container.get("privileged"):
        yield Failure(f"{path}.privileged", "is not supported on Fargate")
    for key in ("links", "dockerSecurityOptions", "extraHosts", "dnsServers", "dnsSearchDomains", "hostname"):
        if container.get(key):
            yield Failure(f"{path}.{key}", "is not supported with awsvpc on Fargate")


def _role_reason(container: dict[str, Any]) -> str | None:
    """Say why the agent that starts a container needs permissions."""
    if container.get("secrets") or container.get("repositoryCredentials"):
        return f'container "{container["name"]}" reads secrets'
    if (container.get("logConfiguration") or {}).get("logDriver") == "awslogs":
        return f'container "{container["name"]}" logs to CloudWatch'
    return (
        f'the image of container "{container["name"]}" is in ECR'
        if _ECR_IMAGE.match(container["image"])
        else None
    )
