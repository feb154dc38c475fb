"""Starts containers as rendered, except for what the table of rewrites names, and finds every difference.

Both ways are kept apart: `boot` applies the table, `differences` compares without knowing it.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sandbox.twin import dag_image
from sandbox.twin.balancer_rules import Configuration
from sandbox.twin.image import BASE_IMAGE_PATH, Image
from sandbox.twin.isolation import Mode
from sandbox.twin.model import Booted, Container, HealthCheck, Overrides, SecretSource, Service
from sandbox.twin.rewrites import TABLE, Context, Facts, Place, Rewrite, Sizes, Task, described, volume

__all__ = [
    "TABLE",
    "Context",
    "Difference",
    "Facts",
    "Place",
    "Sizes",
    "Task",
    "balancer",
    "boot",
    "certificate_host",
    "described",
    "differences",
    "explanation",
    "of_image",
    "overridden",
    "service",
]


@dataclass(frozen=True)
class Difference:
    """Something that is started in another way than it is rendered."""

    place: str
    rendered: str | None
    booted: str | None


def boot(container: Container, facts: Facts, task: Task, resolve: Callable[[SecretSource], str]) -> Booted:
    """Return a container as it is started here; its folders are made where nobody else makes them.

    Args:
        container: As rendered.
        facts: What is true for every container.
        task: What is true for its task.
        resolve: Gets the value of a secret, as the ECS agent does.

    Raises:
        CannotPullContainerError: There is no such image.

    """
    facts = of_image(facts, container.image)
    context = Context(facts, container, task)
    if facts.mode is Mode.PLAIN:
        for mount in container.mounts:
            volume(facts, task, mount).mkdir(parents=True, exist_ok=True)
    rendered = _rendered_variables(container, facts.image)
    variables = {name: _rewritten(name, value, context) for name, value in rendered.items()}
    variables |= {name: resolve(source) for name, source in container.secrets.items()}
    for row in TABLE:
        if row.added_to and container.name in row.added_to and row.applies(context):
            variables.setdefault(row.place, row.value("", context))
    return Booted(
        container=container,
        environment=dict(sorted(variables.items())),
        command=_rewritten_words(Place.COMMAND, _rendered_command(container, facts.image), context),
        health=_health(container.health, context),
        address=task.address,
        hosts_file=task.hosts_file,
        user=_rewritten(Place.USER, container.user, context),
        mounts=_mounts(container, context),
        root_mounts=facts.image.root_mounts,
        scratch=task.scratch,
        volumes=task.volumes,
        volume_user=_rewritten(Place.USER, facts.image.user, context),
    )


def of_image(facts: Facts, image: str) -> Facts:
    """Return what is true for containers of an image: one with DAGs has files that the platform's has not.

    Raises:
        CannotPullContainerError: There is no such image.

    """
    more = dag_image.added(image, facts.platform.image, facts.images)
    return replace(facts, image=replace(facts.image, files={**facts.image.files, **more})) if more else facts


def overridden(container: Container, overrides: Overrides) -> Container:
    """Return a container with what RunTask overrides."""
    return replace(
        container,
        environment={**container.environment, **overrides.environment},
        command=container.command if overrides.command is None else overrides.command,
    )


def service(rendered: Service, facts: Facts) -> Service:
    """Return a service as it is run here."""
    context = Context(facts)
    percent = f"{rendered.minimum_healthy_percent}/{rendered.maximum_percent}"
    minimum, _, maximum = _rewritten(Place.PERCENT, percent, context).partition("/")
    return replace(
        rendered,
        desired_count=int(_rewritten(Place.COUNT, str(rendered.desired_count), context)),
        minimum_healthy_percent=int(minimum),
        maximum_percent=int(maximum),
    )


def balancer(facts: Facts) -> Configuration:
    """Return what the balancer is told: the listener's rules under the twin's own name."""
    context, rendered = Context(facts), facts.platform.balancer
    rules = (
        replace(rule, hosts=tuple(_rewritten(Place.RULE_HOST, host, context) for host in rule.hosts))
        for rule in rendered.rules
    )
    proto = _rewritten(Place.FORWARDED_PROTO, rendered.forwarded_proto, context)
    return replace(rendered, rules=tuple(rules), forwarded_proto=proto)


def certificate_host(rendered: str, facts: Facts) -> str:
    """Return the host name that the gate makes the api-server's certificate for."""
    return _rewritten(Place.CERTIFICATE_HOST, rendered, Context(facts))


def differences(booted: Booted, image: Image) -> Iterator[Difference]:
    """Compare a started container with its definition, knowing nothing of the table.

    Values of secrets stay out: what is compared is that the variable has one.
    """
    container = booted.container
    rendered: dict[str, str | None] = dict(_rendered_variables(container, image))
    rendered |= dict.fromkeys(container.secrets, "(a secret's ARN)")
    started: dict[str, str | None] = dict(booted.environment)
    started |= {name: "(a secret's value)" for name in container.secrets if booted.environment.get(name)}
    for name in sorted(rendered | started):
        if rendered.get(name) != started.get(name):
            place = Place.SECRETS if name in container.secrets else name
            yield Difference(place, rendered.get(name), started.get(name))
    command = _rendered_command(container, image)
    if command != booted.command:
        yield Difference(Place.COMMAND, shlex.join(command), shlex.join(booted.command))
    if container.user != booted.user:
        yield Difference(Place.USER, container.user, booted.user)
    if container.health != booted.health:
        yield from _health_differences(container.health, booted.health)
    shared = {mount.path for mount in container.mounts}
    for path, here in booted.mounts.items():
        if path not in shared and image.files.get(path) != here:
            yield Difference(Place.MOUNT, path, str(here))


def explanation(difference: Difference, context: Context) -> Rewrite | None:
    """Return the row that names a difference and makes exactly it; None when the table does not name it."""
    for row in _rows(difference.place, context):
        if row.place == Place.SECRETS:
            return row if difference.booted else None
        if row.place == Place.MOUNT:
            same = (difference.rendered, difference.booted) == (context.bundle, str(context.facts.authority))
            return row if same else None
        if difference.rendered is None:
            added = row.added_to is not None and context.role in row.added_to
            if added and row.value("", context) == difference.booted:
                return row
        elif _rewritten(difference.place, difference.rendered, context) == difference.booted:
            return row
    return None


def _rendered_variables(container: Container, image: Image) -> dict[str, str]:
    variables = dict(image.environment)
    variables["PATH"] = variables["PATH"].replace(str(image.bin), BASE_IMAGE_PATH)
    return variables | dict(container.environment)


def _rendered_command(container: Container, image: Image) -> tuple[str, ...]:
    return (*(container.entry_point or image.entry_point), *container.command)


def _rewritten(place: str, value: str, context: Context) -> str:
    for row in _rows(place, context):
        value = row.value(value, context)
    return value


def _rows(place: str, context: Context) -> list[Rewrite]:
    """Return the rows for a place; for a variable that none names, those for every other one."""
    named = [row for row in TABLE if row.place == place and row.applies(context)]
    if named or place in set(Place):
        return named
    return [row for row in TABLE if row.place == Place.VARIABLES and row.applies(context)]


def _rewritten_words(place: Place, words: tuple[str, ...], context: Context) -> tuple[str, ...]:
    return tuple(shlex.split(_rewritten(place, shlex.join(words), context)))


def _health(health: HealthCheck | None, context: Context) -> HealthCheck | None:
    if health is None:
        return None
    return replace(health, command=_rewritten_words(Place.HEALTH, health.command, context))


def _health_differences(rendered: HealthCheck | None, booted: HealthCheck | None) -> Iterator[Difference]:
    if rendered is None or booted is None or replace(rendered, command=booted.command) != booted:
        yield Difference(Place.HEALTH, str(rendered), str(booted))
    else:
        yield Difference(Place.HEALTH, shlex.join(rendered.command), shlex.join(booted.command))


def _mounts(container: Container, context: Context) -> dict[str, Path]:
    """Return what lies where: the file system, and in namespaces the image's files, the authority over its bundle."""
    facts = context.facts
    mounts = {
        mount.path: facts.volumes[mount.access_point] for mount in container.mounts if mount.access_point
    }
    if facts.mode is Mode.PLAIN:
        return mounts
    return mounts | dict(facts.image.files) | {context.bundle: facts.authority}
