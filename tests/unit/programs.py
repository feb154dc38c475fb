"""Small programs around one component, and the provider that every component needs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pulumi

from components.provider import aws_provider
from tests.harness import Deployment, RecordingMonitor

ACCOUNT = "111111111111"
REGION = "eu-west-1"
KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0d0c6a6e-3b1f-4c4c-9b57-3b8f5f7a1f11"
TAGS = {"owner": "data-platform"}

Build = Callable[[pulumi.ResourceOptions], Any]


def provided() -> pulumi.ResourceOptions:
    """Return options with an explicit provider."""
    return pulumi.ResourceOptions(providers=[aws_provider(account_id=ACCOUNT, region=REGION, tags=TAGS)])


def run(deploy: Deployment, build: Build) -> RecordingMonitor:
    """Run a program that builds one component with an explicit provider."""

    def program() -> None:
        build(provided())

    return deploy.run(program)


def built(deploy: Deployment, build: Build) -> tuple[RecordingMonitor, Any]:
    """Run such a program; return also the component."""
    made: list[Any] = []
    monitor = run(deploy, lambda opts: made.append(build(opts)))
    return monitor, made[0]


@cache
def once(
    component: Callable[[str, Any, pulumi.ResourceOptions], Any], name: str, args: Any
) -> tuple[RecordingMonitor, Any]:
    """Build a component the first time it is asked for with these arguments: for tests that only look at it."""
    deployment = Deployment()
    try:
        return built(deployment, lambda opts: component(name, args, opts))
    finally:
        deployment.close()


def value(deploy: Deployment, output: pulumi.Output[Any]) -> Any:
    """Return what an output resolved to, after the program has run."""
    return deploy.runner.get_loop().run_until_complete(output.future())


def value_at(inputs: Any, place: str) -> Any:
    """Return the value at a place such as rules/0/name."""
    for step in place.split("/"):
        inputs = inputs[int(step) if isinstance(inputs, list) else step]
    return inputs
