"""Remote components: the registrations that the real awsx provider would make, straight to the engine's monitor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import grpc
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    provider_pb2,
    resource_pb2,
    resource_pb2_grpc,
)

from sandbox.awsx import vpc
from sandbox.behaviour.model import Properties
from sandbox.behaviour.schema import UnknownType
from sandbox.behaviour.values import UNKNOWN
from sandbox.provider.wire import decode, encode

CHANNEL_OPTIONS: Final = [("grpc.max_receive_message_length", 400 * 1024 * 1024)]


class EngineRefusedError(Exception):
    """A child could not be registered; the engine has already said why."""


class EngineRegistrar:
    """Registers resources with the engine that asked for the component."""

    def __init__(self, monitor: Any, engine: Any, preview: bool) -> None:
        """Use the monitor and engine stubs of one Construct call."""
        self._monitor, self._engine, self._preview = monitor, engine, preview

    def register(
        self,
        type_token: str,
        name: str,
        parent_urn: str,
        inputs: Properties,
        property_dependencies: dict[str, list[str]],
        custom: bool,
        *,
        component: bool = False,  # noqa: ARG002  part of the Registrar protocol; the token says it too
        depends_on: Sequence[str] = (),
        provider: str = "",
        protect: bool = False,
        aliases: Sequence[Any] = (),
        providers: Mapping[str, str] | None = None,
    ) -> vpc.Registered:
        """Register one resource and wait until it exists."""
        request = resource_pb2.RegisterResourceRequest(
            type=type_token,
            name=name,
            parent=parent_urn,
            custom=custom,
            object=encode(inputs),
            protect=protect or None,
            dependencies=depends_on,
            provider=provider,
            acceptSecrets=True,
            acceptResources=True,
            supportsPartialValues=True,
            supportsResultReporting=True,
            aliases=aliases,
            aliasSpecs=True,
            providers=dict(providers or {}),
        )
        for key in inputs:
            # Also those that depend on nothing: without any entry the engine takes all to depend on everything.
            request.propertyDependencies[key].urns.extend(property_dependencies.get(key, ()))
        try:
            response = self._monitor.RegisterResource(request)
        except grpc.RpcError as error:
            raise EngineRefusedError(f"{type_token} {name}: {error.details()}") from error
        if response.result != resource_pb2.SUCCESS:
            raise EngineRefusedError(f"{type_token} {name} was not created")
        identity = response.id or (UNKNOWN if custom and self._preview else "")
        return vpc.Registered(response.urn, identity, decode(response.object).values)

    def log_warning(self, message: str, urn: str) -> None:
        """Show a warning about a resource."""
        self._engine.Log(engine_pb2.LogRequest(severity=engine_pb2.WARNING, message=message, urn=urn))

    def register_outputs(self, urn: str, outputs: Properties) -> None:
        """Close a component."""
        self._monitor.RegisterResourceOutputs(
            resource_pb2.RegisterResourceOutputsRequest(urn=urn, outputs=encode(outputs))
        )


def construct(
    request: Any,
    context: grpc.ServicerContext,
    engine_address: str,
    availability_zones: Callable[[str], Sequence[str]],
    region: str,
) -> Any:
    """Answer a Construct call.

    Args:
        request: The engine's ConstructRequest.
        context: The call, aborted with a readable status on wrong arguments.
        engine_address: Where the engine takes log messages.
        availability_zones: Names of a region's zones.
        region: Region of the configured aws provider.

    Raises:
        UnknownType: The sandbox does not simulate the component.

    """
    if request.type != vpc.TOKEN:
        raise UnknownType(f"the sandbox does not simulate the component {request.type}; it knows {vpc.TOKEN}")
    arguments = decode(request.inputs)
    given = {key: list(value.urns) for key, value in request.inputDependencies.items() if value.urns}
    with (
        grpc.insecure_channel(request.monitorEndpoint, options=CHANNEL_OPTIONS) as monitor,
        grpc.insecure_channel(engine_address, options=CHANNEL_OPTIONS) as engine,
    ):
        registrar = EngineRegistrar(
            resource_pb2_grpc.ResourceMonitorStub(monitor), engine_pb2_grpc.EngineStub(engine), request.dryRun
        )
        options = vpc.ConstructOptions(
            parent_urn=request.parent,
            aliases=tuple(request.aliases),
            providers=dict(request.providers),
            protect=request.protect,
            depends_on=tuple(request.dependencies),
            region=region,
            input_dependencies={**given, **arguments.dependencies},
        )
        try:
            made = vpc.construct(
                request.name, arguments.values, options, registrar, availability_zones, request.dryRun
            )
        except vpc.LayoutError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        except EngineRefusedError as error:
            context.abort(grpc.StatusCode.ABORTED, f"{request.type} {request.name}: {error}")
    response = provider_pb2.ConstructResponse(urn=made.urn, state=encode(made.outputs))
    for key, urns in made.dependencies.items():
        response.stateDependencies[key].urns.extend(urns)
    return response
