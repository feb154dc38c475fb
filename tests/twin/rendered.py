"""The state of a stack as the twin reads it, rendered by the program without an engine.

What the harness does not register is added: the VPC itself, a child of a component that lives elsewhere.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from sandbox.twin import platform
from sandbox.twin.image import Image
from sandbox.twin.isolation import Mode
from sandbox.twin.model import Container
from sandbox.twin.platform import Platform
from sandbox.twin.rewrites import Facts, Sizes, Task
from tests.unit.stacks import deployed

BUNDLE = "/opt/platform/certificates/rds-global-bundle.pem"
TASK_ID = "0123456789abcdef" * 2
IMAGE = Image(
    airflow_version="3.3.2",
    python=Path("/venv/bin/python"),
    base_prefix=Path("/python"),
    environment={
        "HOME": "/home/airflow",
        "AIRFLOW_HOME": "/opt/airflow",
        "PATH": "/opt/platform/bin:/venv/bin:/usr/bin",
        "PYTHONPATH": "/opt/platform/lib",
        "PLATFORM_METASTORE_CA_BUNDLE": BUNDLE,
    },
    entry_point=("platform-entrypoint",),
    user="50000:0",
    scratch=("/opt/airflow/state", "/opt/airflow/releases", "/tmp"),
    files={
        "/opt/platform/certificates": Path("/repository/certificates"),
        "/opt/platform/bin": Path("/repository/bin"),
        "/opt/platform/lib/platform_runtime": Path("/repository/platform_runtime"),
    },
)
"""What the twin's image is like, without anything installed."""


def resources(stack: str) -> list[dict[str, Any]]:
    """Return the resources of a stack's state; a caller may change them."""
    monitor = deployed(stack)
    found = [
        {
            "urn": each.urn,
            "type": each.type,
            "id": monitor.resources[each.urn].id,
            "inputs": {key: value for key, value in each.inputs.items() if key != "code"},
            "outputs": {
                key: value for key, value in monitor.resources[each.urn].state.items() if key != "code"
            },
        }
        for each in monitor.registered
        if each.custom and each.type.startswith("aws:")
    ]
    cidr = {"cidrBlock": monitor.one("awsx:ec2:Vpc").inputs["cidrBlock"]}
    vpc = f"urn:pulumi:{stack}::airflow-platform::{platform.VPC}::vpc"
    outputs = {
        "urn": f"urn:pulumi:{stack}::airflow-platform::{platform.STACK}::{stack}",
        "type": platform.STACK,
    }
    own = {**outputs, "id": "", "inputs": {}, "outputs": dict(monitor.exports)}
    return [*found, own, {"urn": vpc, "type": platform.VPC, "id": "vpc-1", "inputs": cidr, "outputs": cidr}]


@cache
def read(stack: str) -> Platform:
    """Return a stack's platform."""
    return platform.read(resources(stack))


def container(stack: str, name: str) -> Container:
    """Return the first container of a role."""
    return next(
        each for definition in read(stack).definitions for each in definition.containers if each.name == name
    )


def facts(
    stack: str,
    mode: Mode = Mode.NAMESPACES,
    *,
    timers: bool = False,
    sizes: Sizes | None = None,
    folder: Path = Path("/twin"),
) -> Facts:
    """Return what is true for every container of a twin."""
    return Facts(
        platform=read(stack),
        image=IMAGE,
        mode=mode,
        url="http://localhost:8080",
        aws_url="http://10.20.0.2:5000",
        authority=folder / "authority.pem",
        volumes=dict.fromkeys(read(stack).access_points, folder / "efs"),
        ports={5432: 15432, 6379: 16379, 8080: 18080, 8793: 18793, 8794: 18794, 5555: 15555},
        timers=timers,
        sizes=sizes or Sizes(),
    )


def task(folder: Path = Path("/twin")) -> Task:
    """Return what is true for one task."""
    return Task(
        id=TASK_ID,
        address="10.20.0.11",
        hosts_file=folder / "hosts",
        scratch=folder / "scratch",
        volumes=folder / "volumes",
        ports={8080: 28080, 8974: 28974, 5555: 25555},
    )
