"""Valid settings to start from, and one way to change a single thing in them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import yaml

from settings import SettingsError, parse

ROOT = Path(__file__).parents[2]
KEY = "airflow-platform:platform"
STACKS = ("nonprod-shared", "prod-shared", "dev", "prod")


class _Deleted:
    """Stands for a key that a sample lacks; named the same in every process that collects the tests."""

    def __repr__(self) -> str:
        return "<deleted>"


DELETED = _Deleted()

ENVIRONMENT: dict[str, Any] = {
    "kind": "environment",
    "environment": "dev",
    "account": {"id": "012345678901", "region": "eu-west-1"},
    "network": {
        "cidr": "10.20.0.0/16",
        "zones": ["eu-west-1a", "eu-west-1b"],
        "nat": "single",
        "interfaceEndpoints": ["logs"],
        "publicMask": 22,
        "privateMask": 20,
        "dataMask": 24,
        "flowLogRetentionDays": 7,
    },
    "shared": {"stack": "nonprod-shared"},
    "tags": {"owner": "data-platform", "costCenter": "4711", "extra": {"Team": "a b"}},
}
SHARED: dict[str, Any] = {
    "kind": "shared",
    "account": {"id": "012345678901", "region": "eu-west-1"},
    "shared": {"domainName": "nonprod.example.com", "protect": False},
    "tags": {"owner": "data-platform", "costCenter": "4711"},
}
SAMPLES = {"environment": ("dev", ENVIRONMENT), "shared": ("nonprod-shared", SHARED)}


def changed(sample: dict[str, Any], changes: dict[str, object]) -> dict[str, Any]:
    """Return a copy of `sample` with values set at paths such as network/nat, or taken out (DELETED)."""
    result = copy.deepcopy(sample)
    for path, value in changes.items():
        *sections, key = path.split("/")
        target = result
        for section in sections:
            target = target[section]
        if value is DELETED:
            del target[key]
        else:
            target[key] = value
    return result


def mistakes(sample: object, stack: str) -> tuple[str, ...]:
    """Return the lines that `sample` is refused with; none when it is accepted."""
    try:
        parse(json.dumps(sample), stack)
    except SettingsError as error:
        return error.mistakes
    return ()


def stack_file(stack: str) -> dict[str, Any]:
    """Return the settings in a tracked stack file."""
    content: dict[str, Any] = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    settings: dict[str, Any] = content["config"][KEY]
    return settings
