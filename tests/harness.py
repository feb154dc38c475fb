"""Runs a Pulumi program without an engine and records everything that it registers.

What AWS does is taken from `sandbox.behaviour`, so inputs are checked as strictly as in the sandbox: a wrong
one fails the program. Not proved here: what the engine decides (updates, replacements, order), and everything
that the children of `awsx:ec2:Vpc` would need; only the component itself is registered, and its outputs are
made up from its arguments.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import threading
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pulumi
from google.protobuf import struct_pb2
from pulumi import runtime
from pulumi.runtime import mocks, rpc, settings
from pulumi.runtime import resource as sdk_resource
from pulumi.runtime.proto import source_pb2

from sandbox.behaviour import check, cloud, invokes
from sandbox.behaviour.model import Properties, Session
from sandbox.behaviour.values import Archive

PROJECT = "airflow-platform"
PROVIDER = "pulumi:providers:aws"
STACK_REFERENCE = "pulumi:pulumi:StackReference"
STACK = "pulumi:pulumi:Stack"
VPC = "awsx:ec2:Vpc"
VPC_ID = "vpc-0123456789abcdef0"
DOCUMENTS = ("policy", "assumeRolePolicy")
TIERS = ("public", "private", "data")
ROUTE_TABLE = "aws:ec2/routeTable:RouteTable"
ROUTE = "aws:ec2/route:Route"
SUBNET = "aws:ec2/subnet:Subnet"

Program = Callable[[], Awaitable[None] | None]


class Registered(NamedTuple):
    """One registration, as the program sent it."""

    urn: str
    type: str
    name: str
    parent: str
    inputs: dict[str, Any]
    protect: bool
    provider: str
    """Reference of the explicit provider; empty when the engine would choose a default one."""
    providers: dict[str, str]
    """Providers by package, of a component that registers its children elsewhere."""
    depends_on: frozenset[str]
    """Names of everything that it waits for, explicitly or through an input."""
    ignore_changes: tuple[str, ...]
    delete_before_replace: bool
    custom: bool
    remote: bool


@dataclass
class Created:
    """What exists in the simulated account; new resources are checked against it."""

    resources: dict[tuple[str, str], Properties] = field(default_factory=dict)

    def find(self, token: str, id: str) -> Properties | None:
        """Return the outputs of a resource, or None."""
        return self.resources.get((token, id))

    def all(self, token: str) -> Iterable[tuple[str, Properties]]:
        """Iterate over (id, outputs) of every resource of a type."""
        return [(key[1], outputs) for key, outputs in self.resources.items() if key[0] == token]


class AwsMocks(mocks.Mocks):
    """Answers registrations and invokes as the simulated AWS does."""

    def __init__(self, stacks: Mapping[str, Mapping[str, Any]]) -> None:
        """Start with an empty account; `stacks` holds the outputs of the stacks that may be referenced."""
        self.stacks = stacks
        self.world = Created()
        self.sessions: dict[str, Session] = {}
        self.lock = threading.Lock()

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Check and create one resource; a component has no id and no outputs of its own."""
        if args.typ == PROVIDER:
            self.sessions[f"{args.name}-id"] = _session(args.inputs)
            return f"{args.name}-id", args.inputs
        if args.typ == STACK_REFERENCE:
            return args.resource_id, self._stack(str(args.resource_id))
        if args.typ.startswith("aws:"):
            with self.lock:
                return self._create(args)
        return None, {}

    def _stack(self, name: str) -> dict[str, Any]:
        if name not in self.stacks:
            raise LookupError(f'unknown stack "{name}"')
        return {"name": name, "outputs": dict(self.stacks[name]), "secretOutputNames": []}

    def _create(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        session, seed = self._session_of(args.provider), hashlib.sha256(args.name.encode()).digest()
        archives = {key: item for key, item in args.inputs.items() if isinstance(item, pulumi.Archive)}
        inputs = plain(args.inputs) | {key: Archive() for key in archives}
        checked = check.check(args.typ, args.name, inputs, None, session, seed)
        if checked.failures:
            failures = "; ".join(map(str, checked.failures))
            raise ValueError(f"{args.typ} {args.name}: {failures}")
        created = cloud.create(args.typ, args.name, checked.inputs, session, self.world, seed)
        self.world.resources[args.typ, created.id] = created.outputs
        return created.id, created.outputs | archives

    def _session_of(self, provider: str | None) -> Session:
        reference = (provider or "").rpartition("::")[2]
        if reference not in self.sessions:
            raise LookupError(f"no explicit provider: {provider!r}")
        return self.sessions[reference]

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        """Answer an invoke; one that is not declared in `sandbox.behaviour.invokes` fails."""
        return invokes.invoke(args.token, args.args, self._session_of(args.provider), self.world), None


class RecordingMonitor(mocks.MockMonitor):
    """A monitor that keeps what the program registers, reads and exports."""

    def __init__(self, aws: AwsMocks) -> None:
        """Start with nothing recorded."""
        super().__init__(aws)
        self.aws = aws
        self.registered: list[Registered] = []
        self.reads: list[str] = []
        self.outputs: dict[str, dict[str, Any]] = {}

    @property
    def by_type(self) -> dict[str, list[Registered]]:
        """Everything registered, by type, sorted by name: the order of registrations is not stable."""
        found: dict[str, list[Registered]] = defaultdict(list)
        for resource in sorted(self.registered, key=lambda resource: resource.name):
            found[resource.type].append(resource)
        return found

    @property
    def counts(self) -> dict[str, int]:
        """How many of each type were registered."""
        return dict(Counter(resource.type for resource in self.registered))

    @property
    def exports(self) -> dict[str, Any]:
        """What the stack exports."""
        return next(outputs for name, outputs in self.outputs.items() if name.startswith(f"{PROJECT}-"))

    def one(self, token: str, name: str = "") -> Registered:
        """Return the only resource of a type, or the one with this name."""
        found = [resource for resource in self.by_type[token] if not name or resource.name == name]
        assert len(found) == 1, f"{token} {name}: {[resource.name for resource in self.by_type[token]]}"
        return found[0]

    def state(self, token: str, name: str = "") -> Properties:
        """Return the outputs of a resource of AWS, as the simulated account holds them."""
        urn = self.one(token, name).urn
        return dict(self.resources[urn].state)

    def id(self, token: str, name: str = "") -> str:
        """Return the physical id of a resource of AWS."""
        return str(self.resources[self.one(token, name).urn].id)

    def inputs(self, token: str) -> dict[str, dict[str, Any]]:
        """Return the inputs of all resources of a type, by name, with documents parsed."""
        return {resource.name: documents(resource.inputs) for resource in self.by_type[token]}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  named by gRPC
        """Record a registration; failures come back as the program's error."""
        if request.type != STACK:
            urn = self.make_urn(request.parent, request.type, request.name)
            self.registered.append(_registered(urn, request))
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type == VPC:
            outputs = self._vpc(request, response.urn)
            response.object.CopyFrom(_struct(outputs))
        return response

    def ReadResource(self, request: Any) -> Any:  # noqa: N802  named by gRPC
        """Record what the program reads."""
        self.reads.append(request.name)
        return super().ReadResource(request)  # type: ignore[no-untyped-call]

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802  named by gRPC
        """Keep the outputs of components and of the stack."""
        self.outputs[_name(request.urn)] = plain(rpc.deserialize_properties(request.outputs))
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]

    def _vpc(self, request: Any, urn: str) -> dict[str, Any]:
        """Make up the outputs of the VPC component from its arguments, in the order of the real one."""
        args = rpc.deserialize_properties(request.object)
        zones = range(1, len(args["availabilityZoneNames"]) + 1)
        ways_out = TIERS[:1] if args["natGateways"]["strategy"] == "None" else TIERS[:2]
        names = [(tier, f"{request.name}-{tier}-{zone}") for zone in zones for tier in TIERS]
        return {
            "vpcId": VPC_ID,
            "subnets": [self._child(urn, SUBNET, name, f"subnet-{name}") for _, name in names],
            "routeTables": [self._child(urn, ROUTE_TABLE, name, f"rtb-{name}") for _, name in names],
            "routes": [
                self._child(urn, ROUTE, name, f"r-{name}") for tier, name in names if tier in ways_out
            ],
        }

    def _child(self, parent: str, token: str, name: str, physical_id: str) -> dict[str, str]:
        """Make a child known to the program by reference only: it is no registration of ours."""
        urn = self.make_urn(parent, token, name)
        self.resources[urn] = mocks.MockMonitor.ResourceRegistration(urn, physical_id, {})
        return {rpc._special_sig_key: rpc._special_resource_sig, "urn": urn, "id": physical_id}


class Deployment:
    """An event loop in which programs run, each in a stack of its own."""

    def __init__(self) -> None:
        """Make the loop the current one: the SDK schedules on it."""
        self.runner = asyncio.Runner()
        asyncio.set_event_loop(self.runner.get_loop())
        # Where in the source a resource stands interests nobody here, and finding out is a quarter of a run.
        self.stack_trace = sdk_resource._get_stack_trace
        sdk_resource._get_stack_trace = source_pb2.StackTrace
        # One failed registration fails every output that waits for it; the first is raised, as in Pulumi's hosts.
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)

    def run(
        self,
        program: Program,
        *,
        stack: str = "dev",
        config: Mapping[str, str] | None = None,
        stacks: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> RecordingMonitor:
        """Run a program until everything is registered; its error is raised here.

        Args:
            program: A function, plain or async; one that calls `pulumi.run` is waited for as well.
            stack: Name of the stack.
            config: Configuration of the stack, by full key.
            stacks: Outputs of the stacks that it may reference, by full name.

        """
        self.reset()
        runtime.set_all_config(dict(config or {}))
        monitor = RecordingMonitor(AwsMocks(stacks or {}))
        mocks.set_mocks(
            monitor.mocks,
            project=PROJECT,
            stack=stack,
            preview=False,
            monitor=monitor,
            organization="organization",  # what a backend without organizations calls its only one
        )
        # set_mocks leaves a finished root stack; a program with exports and pulumi.run needs one of its own.
        settings.set_root_resource(None)  # type: ignore[arg-type]
        settings.SETTINGS.rpc_manager.clear()
        settings.SETTINGS.outputs.clear()
        self.monitor = monitor
        self.runner.get_loop().run_until_complete(runtime.run_in_stack(program))
        return monitor

    def reset(self) -> None:
        """Forget the previous program."""
        runtime.reset_options()
        runtime.set_all_config({})

    def close(self) -> None:
        """End the loop; what a failed program left pending is cancelled first."""
        self.reset()
        sdk_resource._get_stack_trace = self.stack_trace
        self.runner.close()


def plain(value: Any) -> Any:
    """Return a wire value as the program meant it: numbers are floats on the wire, whole ones were ints."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def documents(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return inputs with their JSON documents parsed, so that a test compares content, not layout."""
    return {key: json.loads(item) if key in DOCUMENTS else item for key, item in inputs.items()}


def _registered(urn: str, request: Any) -> Registered:
    return Registered(
        urn=urn,
        type=request.type,
        name=request.name,
        parent=_name(request.parent),
        inputs=plain(rpc.deserialize_properties(request.object)),
        protect=request.protect,
        provider=request.provider,
        providers=dict(request.providers),
        depends_on=frozenset(_name(urn) for urn in request.dependencies),
        ignore_changes=tuple(request.ignoreChanges),
        delete_before_replace=request.deleteBeforeReplace,
        custom=request.custom,
        remote=request.remote,
    )


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _struct(properties: Mapping[str, Any]) -> Any:
    struct = struct_pb2.Struct()
    struct.update(properties)
    return struct


def _session(inputs: Mapping[str, Any]) -> Session:
    """Read a provider's inputs; structured ones are JSON on the wire."""
    (account,) = json.loads(inputs["allowedAccountIds"])
    tags = json.loads(inputs["defaultTags"])["tags"]
    return Session(account_id=account, region=inputs["region"], default_tags=tags)
