"""A registrar in memory, and the recordings' notation for what it saw."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.awsx.vpc import Constructed, ConstructOptions, Registered, ResourceReference, construct
from sandbox.behaviour.model import Properties
from sandbox.behaviour.values import UNKNOWN

DATA = Path(__file__).parent.parent / "data" / "awsx_vpc"
ZONES = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
STACK = "Stack"


def recording(name: str) -> dict[str, Any]:
    """Read one file of recordings."""
    data: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text())
    return data


def label(type_token: str, name: str) -> str:
    """Name a resource as the recordings do."""
    return f"{'awsx.' if type_token.startswith('awsx') else ''}{type_token.rsplit(':', 1)[1]}::{name}"


@dataclass
class Recorder:
    """Answers every registration at once; URNs are the recordings' labels."""

    preview: bool = False
    before: Callable[[str], None] = lambda _: None
    outputs: Mapping[str, Properties] = field(default_factory=dict)
    resources: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[tuple[str, str]] = field(default_factory=list)
    closed: list[tuple[str, Properties]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def register(
        self,
        type_token: str,
        name: str,
        parent_urn: str,
        inputs: Properties,
        property_dependencies: dict[str, list[str]],
        custom: bool,
        *,
        component: bool = False,
        depends_on: Sequence[str] = (),
        provider: str = "",
        protect: bool = False,
        aliases: Sequence[Any] = (),
        providers: Mapping[str, str] | None = None,
    ) -> Registered:
        """Keep the registration and answer with its label."""
        urn = label(type_token, name)
        self.before(urn)
        record = {
            "type": type_token,
            "name": name,
            "parent": parent_urn,
            "custom": custom,
            "provider": provider or None,
            "inputs": inputs,
            "dependsOn": sorted(depends_on),
            "propertyDependencies": property_dependencies,
        }
        with self.lock:
            self.resources.append(record)
            extra = {
                "protect": protect,
                "aliases": list(aliases),
                "providers": providers,
                "component": component,
            }
            self.options = {**getattr(self, "options", {}), urn: extra}
        if component:
            return Registered(urn, "")
        outputs = {**inputs, **self.outputs.get(urn, {})}
        if not self.preview:
            outputs = {"allocationId": f"${{{urn}.allocationId}}", **outputs}
        return Registered(urn, UNKNOWN if self.preview else f"${{{urn}.id}}", outputs)

    def log_warning(self, message: str, urn: str) -> None:
        """Keep the warning."""
        self.warnings.append((message, urn))

    def register_outputs(self, urn: str, outputs: Properties) -> None:
        """Keep what the component was closed with."""
        self.closed.append((urn, outputs))

    def find(self, urn: str) -> dict[str, Any]:
        """Return the one registration of a label."""
        [found] = [item for item in self.resources if label(item["type"], item["name"]) == urn]
        return found

    def names(self, kind: str) -> list[str]:
        """Return the sorted names of all resources of a type, such as `Eip`."""
        return sorted(item["name"] for item in self.resources if item["type"].endswith(f":{kind}"))


def build(
    args: Properties, recorder: Recorder | None = None, options: ConstructOptions | None = None
) -> tuple[Recorder, Constructed]:
    """Construct a VPC `main` in memory."""
    recorder = recorder or Recorder()
    options = options or ConstructOptions(parent_urn=STACK, providers={"aws": "aws"}, region="eu-west-1")
    return recorder, construct("main", args, options, recorder, lambda _: ZONES, recorder.preview)


def shown(value: Any) -> Any:
    """Write a value in the recordings' notation."""
    if isinstance(value, ResourceReference):
        return f"<resource {value.urn}{', id unknown' if value.id is UNKNOWN else ''}>"
    if value is UNKNOWN:
        return "<unknown>"
    if isinstance(value, list):
        return [shown(item) for item in value]
    return {key: shown(item) for key, item in value.items()} if isinstance(value, dict) else value


def arguments(case: str = "a", **changed: Any) -> Properties:
    """Return the arguments of a recording with some changed; None removes one."""
    args = {**recording(case)["constructArgs"], **changed}
    return {key: value for key, value in args.items() if value is not None}
