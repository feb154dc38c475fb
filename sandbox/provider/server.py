"""One gRPC process that the engine takes for the aws, awsx, docker, random and tls providers.

It translates the provider protocol into `sandbox.behaviour` and keeps the inventory. Each provider instance of the
engine has a connection of its own, so the peer address tells which configuration (account, region, default tags) a
call belongs to.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

import grpc
from google.protobuf import empty_pb2, struct_pb2
from grpc import ServicerContext as Context
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sandbox.behaviour import cloud
from sandbox.behaviour.check import check
from sandbox.behaviour.diff import diff
from sandbox.behaviour.invokes import invoke
from sandbox.behaviour.model import AwsError, ChangeKind, EmptyWorld, Failure, Properties, Session
from sandbox.behaviour.schema import UnknownType, facts_of
from sandbox.provider.configuration import PLACEHOLDER_ACCOUNT, plain_text, region_of, session_of, unpacked
from sandbox.provider.construct import construct
from sandbox.provider.faults import Faults, PlantedFailureError
from sandbox.provider.inventory import AccountView, Inventory
from sandbox.provider.latency import Latencies, Operation
from sandbox.provider.wire import Decoded, decode, encode

if TYPE_CHECKING:
    from sandbox.invocation.runner import Functions

MAX_CALLS: Final = 256
"""Threads for calls under way: a simulated latency holds one, and the sandbox runs 64 operations at a time."""
MAX_MESSAGE_BYTES: Final = 400 * 1024 * 1024
"""The engine's own limit for one message."""
FUNCTION: Final = "aws:lambda/function:Function"
INVOCATION: Final = "aws:lambda/invocation:Invocation"
ZONES_INVOKE: Final = "aws:index/getAvailabilityZones:getAvailabilityZones"

Proto = provider_pb2
Response = TypeVar("Response")


@dataclass
class Overhead:
    """Time spent inside the provider, without simulated waiting: calls and seconds by method."""

    calls: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, method: str, seconds: float) -> None:
        """Count one call."""
        with self._lock:
            self.calls[method] = self.calls.get(method, 0) + 1
            self.seconds[method] = self.seconds.get(method, 0.0) + seconds


class SimulatedProvider(provider_pb2_grpc.ResourceProviderServicer):
    """The provider protocol over the simulated cloud."""

    def __init__(
        self,
        inventory: Inventory,
        *,
        account: str | None = None,
        latencies: Latencies | None = None,
        faults: Faults | None = None,
        functions: Functions | None = None,
    ) -> None:
        """Serve one inventory.

        Args:
            inventory: What exists; every change is written there before the engine hears of it.
            account: The account of the simulated credentials; None accepts whatever the program allows.
            latencies: How long operations take; default: no waiting.
            faults: Planted failures; default: none.
            functions: Runs the functions that are invoked; default: nothing runs.

        """
        self.inventory = inventory
        self.overhead = Overhead()
        self._account, self._latencies, self._faults = account, latencies or Latencies(), faults or Faults()
        self._functions = functions
        self._sessions: dict[str, Session] = {}
        self._cancelled: defaultdict[str, threading.Event] = defaultdict(threading.Event)
        self._regions: dict[str, str] = {}
        """Region by the URN of the configured provider, for components that are handed a provider."""
        self._engine_address = ""

    # -- plumbing -----------------------------------------------------------------------------------------------------

    def Handshake(self, request: Any, context: Context) -> Any:
        """Tell the engine what this provider understands."""
        self._engine_address = request.engine_address
        return Proto.ProviderHandshakeResponse(
            accept_secrets=True, accept_resources=True, accept_outputs=True
        )

    def Attach(self, request: Any, context: Context) -> Any:
        """Accept the engine."""
        self._engine_address = request.address
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: Context) -> Any:
        """Give a version above any that an SDK could ask for: nothing real is served."""
        return plugin_pb2.PluginInfo(version="999.0.0+simulated")

    def GetSchema(self, request: Any, context: Context) -> Any:
        """Serve no schema: Python programs bring their own types."""
        return Proto.GetSchemaResponse(schema="{}")

    def Parameterize(self, request: Any, context: Context) -> Any:
        """Refuse: none of the simulated providers takes parameters."""
        return context.abort(grpc.StatusCode.INVALID_ARGUMENT, "simulated providers take no parameters")

    def Call(self, request: Any, context: Context) -> Any:
        """Refuse methods of remote components: awsx has none for the Vpc."""
        return context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"the sandbox does not simulate {request.tok}")

    def GetMapping(self, request: Any, context: Context) -> Any:
        """Serve no mapping."""
        return Proto.GetMappingResponse()

    def GetMappings(self, request: Any, context: Context) -> Any:
        """Serve no mappings."""
        return Proto.GetMappingsResponse()

    def Cancel(self, request: Any, context: Context) -> Any:
        """Wake every operation that waits on this connection: its engine is on its way out."""
        self._cancelled[context.peer()].set()
        return empty_pb2.Empty()

    def stop_waiting(self) -> None:
        """Wake every operation on every connection: nobody is left to hear of them."""
        for event in list(self._cancelled.values()):
            event.set()

    # -- provider configuration ---------------------------------------------------------------------------------------

    def CheckConfig(self, request: Any, context: Context) -> Any:
        """Accept the provider's configuration as given; `Configure` judges it."""
        return Proto.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Context) -> Any:
        """Compare configurations; another region replaces the provider, as in the real one."""
        olds, news = decode(request.olds).values, decode(request.news).values
        changed = sorted(key for key in olds.keys() | news.keys() if olds.get(key) != news.get(key))
        replaces = [key for key in changed if key == "region"]
        kind = Proto.DiffResponse.DIFF_SOME if changed else Proto.DiffResponse.DIFF_NONE
        return Proto.DiffResponse(changes=kind, diffs=changed, replaces=replaces)

    def Configure(self, request: Any, context: Context) -> Any:
        """Remember account, region and default tags for this connection; refuse the wrong account."""
        args = {key: unpacked(value) for key, value in decode(request.args).values.items()}
        if request.type in ("", "pulumi:providers:aws"):
            with self._answering(context, "Configure"):
                session = session_of(args, self._account)
                self._sessions[context.peer()] = session
                self._regions[request.urn] = session.region
        return Proto.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=True, acceptOutputs=True
        )

    # -- resources ----------------------------------------------------------------------------------------------------

    def Check(self, request: Any, context: Context) -> Any:
        """Validate inputs and complete them with defaults and names."""
        with self._answering(context, "Check"):
            news, olds = decode(request.news), decode(request.olds)
            token, name = _token_and_name(request.urn)
            if self._functions and token == FUNCTION:
                self._functions.remember(request.urn, news.values)
            checked = check(
                token,
                name,
                news.values,
                olds.values or None,
                self._session(context),
                request.randomSeed or _seed(request.urn),
            )
            return Proto.CheckResponse(
                inputs=encode(checked.inputs, news.secrets),
                # As reasons only: the engine would print the whole value, a secret too, for a named property.
                failures=[Proto.CheckFailure(reason=_reason(failure, news)) for failure in checked.failures],
            )

    def Diff(self, request: Any, context: Context) -> Any:
        """Say which properties changed, which of them replace, and what is refused."""
        with self._answering(context, "Diff"):
            token, _ = _token_and_name(request.urn)
            news = decode(request.news).values
            olds = decode(request.old_inputs).values
            result = diff(token, olds, news, decode(request.olds).values)
            if result.refused:
                raise AwsError("PlanError", "; ".join(str(failure) for failure in result.refused))
            response = Proto.DiffResponse(
                changes=Proto.DiffResponse.DIFF_SOME if result.changes else Proto.DiffResponse.DIFF_NONE,
                deleteBeforeReplace=result.delete_before_replace,
                hasDetailedDiff=True,
            )
            for change in result.changes:
                top = re.split(r"[.\[]", change.path, maxsplit=1)[0]
                response.diffs.append(top)
                if change.replace:
                    response.replaces.append(top)
                response.detailedDiff[change.path].kind = _KINDS[change.kind, change.replace]
                response.detailedDiff[change.path].inputDiff = True
            return response

    def Create(self, request: Any, context: Context) -> Any:
        """Create a resource, or say at preview what would be known of it."""
        with self._answering(context, "Create"):
            token, name = _token_and_name(request.urn)
            inputs, session = decode(request.properties), self._session(context)
            secrets = inputs.secrets | cloud.secret_outputs(token)
            if request.preview:
                return Proto.CreateResponse(
                    properties=_outputs(cloud.plan(token, name, inputs.values, session), secrets)
                )
            self._faults.strike(token, name)
            world = AccountView(self.inventory, session.account_id)
            created = cloud.create(
                token, name, inputs.values, session, world, _seed(request.urn, os.urandom(8))
            )
            if self._functions and token == INVOCATION:
                # One that fails leaves nothing behind: it is no resource of AWS.
                stop, region = self._cancelled[context.peer()], str(created.outputs["region"])
                result = self._functions.invoke(inputs.values, session.account_id, region, stop)
                created.outputs["result"] = result
            # As in AWS the resource exists from the call on; what takes long is waiting until it is available.
            self.inventory.put(token, created.id, request.urn, session.account_id, created.outputs)
            self._wait(context, request.urn, token, "create", inputs.values)
            return Proto.CreateResponse(id=created.id, properties=_outputs(created.outputs, secrets))

    def Update(self, request: Any, context: Context) -> Any:
        """Update a resource in place; what does not exist any more cannot be updated."""
        with self._answering(context, "Update"):
            token, name = _token_and_name(request.urn)
            inputs, olds = decode(request.news), decode(request.olds)
            session = self._session(context)
            secrets = inputs.secrets | cloud.secret_outputs(token)
            if request.preview:
                planned = cloud.plan_update(token, request.id, olds.values, inputs.values, session)
                return Proto.UpdateResponse(properties=_outputs(planned, secrets))
            if self.inventory.outputs(token, request.id, session.account_id) is None:
                raise AwsError(
                    "NotFound", f"{token} {request.id} does not exist in account {session.account_id}"
                )
            self._faults.strike(token, name)
            world = AccountView(self.inventory, session.account_id)
            outputs = cloud.update(token, request.id, olds.values, inputs.values, session, world)
            self.inventory.put(token, request.id, request.urn, session.account_id, outputs)
            self._wait(context, request.urn, token, "update", inputs.values)
            return Proto.UpdateResponse(properties=_outputs(outputs, secrets))

    def Read(self, request: Any, context: Context) -> Any:
        """Read a resource from the inventory; an empty answer means that it is gone."""
        with self._answering(context, "Read"):
            token, _ = _token_and_name(request.urn)
            facts = facts_of(token)
            known = self.inventory.outputs(token, request.id, self._session(context).account_id)
            if known is None:
                return Proto.ReadResponse()
            secrets = decode(request.properties).secrets | cloud.secret_outputs(token)
            inputs = request.inputs
            if (
                not inputs.fields
            ):  # an import or a get: what the cloud knows, less what AWS fills in by itself
                inputs = encode(
                    {
                        key: value
                        for key, value in known.items()
                        if key in facts["properties"] and value not in ("", [], {})
                    }
                )
            return Proto.ReadResponse(id=request.id, properties=_outputs(known, secrets), inputs=inputs)

    def Delete(self, request: Any, context: Context) -> Any:
        """Delete a resource."""
        with self._answering(context, "Delete"):
            token, name = _token_and_name(request.urn)
            self._faults.strike(token, name)
            self._wait(context, request.urn, token, "delete", decode(request.properties).values)
            self.inventory.remove(token, request.id, self._session(context).account_id)
            return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Context) -> Any:
        """Answer a data source from the table of invokes."""
        with self._answering(context, "Invoke"):
            session = self._session(context)
            args = decode(request.args).values
            try:
                answer = invoke(request.tok, args, session, AccountView(self.inventory, session.account_id))
            except AwsError as error:
                failure = Proto.CheckFailure(reason=str(error))
                return Proto.InvokeResponse(failures=[failure])
            return Proto.InvokeResponse(**{"return": encode(answer)})

    def Construct(self, request: Any, context: Context) -> Any:
        """Build a remote component by registering its children with the engine."""
        with self._answering(context, "Construct"):
            provider = request.providers.get("aws", "").rsplit("::", 1)[0]
            region = (
                self._regions.get(provider)
                or plain_text(request.config.get("aws:region", ""))
                or region_of({})
            )
            return construct(request, context, self._engine_address, self._zones, region)

    # -- helpers ------------------------------------------------------------------------------------------------------

    def _session(self, context: Context) -> Session:
        # Providers without configuration (random, tls, docker) belong to no account.
        return self._sessions.get(context.peer()) or Session(
            self._account or PLACEHOLDER_ACCOUNT, "us-east-1"
        )

    def _zones(self, region: str) -> list[str]:
        session = Session(self._account or PLACEHOLDER_ACCOUNT, region)
        names: list[str] = invoke(ZONES_INVOKE, {}, session, EmptyWorld())["names"]
        return names

    def _wait(self, context: Context, urn: str, token: str, operation: Operation, inputs: Properties) -> None:
        """Wait as long as AWS takes; a cancelled run waits no longer, and records what it has begun."""
        seconds = self._latencies.seconds(urn, token, operation, inputs)
        if seconds:
            self._cancelled[context.peer()].wait(seconds)

    @contextlib.contextmanager
    def _answering(self, context: Context, method: str) -> Iterator[None]:
        """Turn the behaviour's errors into gRPC statuses whose text a person can act on."""
        started = time.thread_time()
        try:
            yield
        except UnknownType as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"simulated AWS: {error}")
        except (AwsError, PlantedFailureError, ValueError) as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"simulated AWS: {error}")
        finally:
            self.overhead.add(method, time.thread_time() - started)


_KINDS: Final = {
    (ChangeKind.ADD, False): Proto.PropertyDiff.ADD,
    (ChangeKind.ADD, True): Proto.PropertyDiff.ADD_REPLACE,
    (ChangeKind.DELETE, False): Proto.PropertyDiff.DELETE,
    (ChangeKind.DELETE, True): Proto.PropertyDiff.DELETE_REPLACE,
    (ChangeKind.UPDATE, False): Proto.PropertyDiff.UPDATE,
    (ChangeKind.UPDATE, True): Proto.PropertyDiff.UPDATE_REPLACE,
}


def _token_and_name(urn: str) -> tuple[str, str]:
    _, types, name = urn.rsplit("::", 2)[-3:] if urn.count("::") >= 2 else ("", "", urn)
    return types.rsplit("$", 1)[-1], name


def _seed(urn: str, salt: bytes = b"") -> bytes:
    return hashlib.sha256(urn.encode() + salt).digest()


def _outputs(values: Properties, secrets: set[str] | frozenset[str]) -> struct_pb2.Struct:
    return encode({key: value for key, value in values.items() if not key.startswith("__")}, secrets)


def _reason(failure: Failure, news: Decoded) -> str:
    """Say what is wrong without the value of a secret."""
    text = str(failure)
    top = re.split(r"[.\[]", failure.property, maxsplit=1)[0]
    for secret in _leaves(news.values.get(top)) if top in news.secrets else ():
        text = text.replace(secret, "[secret]")
    return text


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item)
    elif isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
        yield str(value)


@contextlib.contextmanager
def serve(provider: SimulatedProvider, port: int = 0) -> Iterator[int]:
    """Serve on loopback until the block ends; yields the port.

    Args:
        provider: What to serve.
        port: A TCP port, which the caller may hold reserved with SO_REUSEPORT; 0 takes a free one.

    Raises:
        OSError: The port is in use.

    """
    options = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES), ("grpc.so_reuseport", 1)]
    server = grpc.server(ThreadPoolExecutor(MAX_CALLS, thread_name_prefix="provider"), options=options)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    try:
        bound = server.add_insecure_port(f"127.0.0.1:{port}")
    except RuntimeError as error:
        raise OSError(f"port {port} on 127.0.0.1 cannot be had: {error}") from error
    server.start()
    try:
        yield bound
    finally:
        provider.stop_waiting()
        server.stop(grace=0.2)
