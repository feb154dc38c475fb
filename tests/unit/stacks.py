"""The program as the engine runs it, with the real stack files."""

from __future__ import annotations

import json
import runpy
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.harness import PROJECT, Deployment, RecordingMonitor

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "__main__.py"
SHARED_STACKS = ("nonprod-shared", "prod-shared")
ENVIRONMENTS = ("dev", "prod")


def stack_file(stack: str) -> dict[str, Any]:
    """Return the stack file's object of the platform's settings."""
    content = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())
    settings: dict[str, Any] = content["config"][f"{PROJECT}:platform"]
    return settings


def run_program(
    deploy: Deployment,
    stack: str,
    settings: Mapping[str, Any] | None = None,
    shared: Mapping[str, Any] | None = None,
) -> RecordingMonitor:
    """Run `__main__.py` as a stack.

    Args:
        deploy: Where to run it.
        stack: Name of the stack.
        settings: Settings instead of those of the stack file.
        shared: Outputs of the shared stack, which an environment references.

    """
    given = stack_file(stack) if settings is None else settings
    reference = f"organization/{PROJECT}/{given.get('shared', {}).get('stack')}"

    def program() -> None:
        runpy.run_path(str(PROGRAM), run_name="__main__")

    return deploy.run(
        program,
        stack=stack,
        config={f"{PROJECT}:platform": json.dumps(given)},
        stacks={} if shared is None else {reference: shared},
    )


@cache
def deployed(stack: str) -> RecordingMonitor:
    """Run a stack with its own file, once; an environment after the shared stack it references."""
    shared = None if stack in SHARED_STACKS else deployed(stack_file(stack)["shared"]["stack"]).exports
    deployment = Deployment()
    try:
        return run_program(deployment, stack, shared=shared)
    finally:
        deployment.close()
