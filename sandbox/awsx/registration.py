"""Registers children in parallel, each as soon as what it needs exists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Protocol

from sandbox.awsx.children import Child, Key, Ref
from sandbox.behaviour.model import Properties
from sandbox.behaviour.values import UNKNOWN


@dataclass(frozen=True)
class Registered:
    """A registered resource; `id` is `UNKNOWN` in a preview of a create, empty for a component."""

    urn: str
    id: Any
    outputs: Properties = field(default_factory=dict)


@dataclass(frozen=True)
class ConstructOptions:
    """What the program gives the component besides its arguments.

    Attributes:
        parent_urn: URN of the component's parent.
        aliases: passed on to the registration of the component as they are.
        providers: provider references (`urn::id`) by package; the children use `aws`, or the default one.
        protect: children and component are protected.
        depends_on: URNs that the component depends on.
        region: region of the session, for the lookup of availability zones without argument `region`.
        input_dependencies: URNs that arguments come from, by path: `tags`,
            `vpcEndpointSpecs[0].securityGroupIds`;
            a key may also be a whole top-level argument.

    """

    parent_urn: str = ""
    aliases: Sequence[Any] = ()
    providers: Mapping[str, str] = field(default_factory=dict)
    protect: bool = False
    depends_on: Sequence[str] = ()
    region: str = ""
    input_dependencies: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Registrar(Protocol):
    """The engine, as far as the component needs it. All methods are called from several threads."""

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
        """Register one resource and wait until it exists.

        Args:
            type_token: Pulumi type token.
            name: logical name.
            parent_urn: URN of the parent.
            inputs: input properties, `UNKNOWN` anywhere.
            property_dependencies: URNs by top-level input.
            custom: True for a resource of a provider.
            component: True for the component itself.
            depends_on: all URNs the resource depends on, explicit ones and those of its inputs.
            provider: provider reference `urn::id`; empty for the default provider.
            protect: whether the resource is protected.
            aliases: aliases as the construct call gave them (component only).
            providers: provider references by package for the children (component only).

        """

    def log_warning(self, message: str, urn: str) -> None:
        """Show a warning about a resource."""

    def register_outputs(self, urn: str, outputs: Properties) -> None:
        """Close a component."""


class RegistrationError(Exception):
    """A child exists but lacks an output that another child needs."""


def register_children(
    children: Sequence[Child],
    component_urn: str,
    options: ConstructOptions,
    registrar: Registrar,
    preview: bool,
) -> dict[Key, Registered]:
    """Register all children; nobody waits for a resource that it does not refer to.

    Returns:
        What the engine answered, by child.

    Raises:
        Exception: the first error of any child. Nothing new is registered after it; what is under way is
            awaited.

    """
    done: dict[Key, Registered] = {}
    waiting = list(children)
    running: dict[Future[Registered], Child] = {}
    failure: BaseException | None = None
    with ThreadPoolExecutor(max_workers=max(len(waiting), 1), thread_name_prefix="awsx") as pool:
        while running or (waiting and failure is None):
            ready = [child for child in waiting if needs(child) <= done.keys()] if failure is None else []
            waiting = [child for child in waiting if child not in ready]
            for child in ready:
                running[pool.submit(_call(child, done, component_urn, options, registrar, preview))] = child
            if not running:
                raise RegistrationError(f"children wait for each other: {[child.key for child in waiting]}")
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                child = running.pop(future)
                if error := future.exception():
                    failure = failure or error
                else:
                    done[child.key] = future.result()
    if failure is not None:
        raise failure
    return done


def needs(child: Child) -> set[Key]:
    """Return the children that must exist before a child can be registered."""
    parent = () if child.parent is None else (child.parent,)
    return {
        *parent,
        *child.depends_on,
        *(ref.child for value in child.inputs.values() for ref in refs(value)),
    }


def refs(value: Any) -> list[Ref]:
    """Return the references within one input, which are at its top or in a list."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, Ref)]


def _call(
    child: Child,
    done: Mapping[Key, Registered],
    component_urn: str,
    options: ConstructOptions,
    registrar: Registrar,
    preview: bool,
) -> Callable[[], Registered]:
    """Fill in a child's inputs and return the call that registers it."""

    def resolve(value: Any) -> Any:
        if isinstance(value, list):
            return [resolve(item) for item in value]
        return _output(value, done[value.child], preview) if isinstance(value, Ref) else value

    inputs = {name: resolve(value) for name, value in child.inputs.items()}
    sources = {
        name: list(dict.fromkeys([*(done[ref.child].urn for ref in refs(value)), *child.urns.get(name, ())]))
        for name, value in child.inputs.items()
    }
    property_dependencies = {name: urns for name, urns in sources.items() if urns}
    explicit = [done[key].urn for key in child.depends_on]
    depends_on = list(
        dict.fromkeys([*explicit, *(urn for urns in property_dependencies.values() for urn in urns)])
    )
    parent_urn = component_urn if child.parent is None else done[child.parent].urn
    type_token, name = child.key

    def call() -> Registered:
        return registrar.register(
            type_token,
            name,
            parent_urn,
            inputs,
            property_dependencies,
            True,
            depends_on=depends_on,
            provider=options.providers.get("aws", ""),
            protect=options.protect,
        )

    return call


def _output(ref: Ref, registered: Registered, preview: bool) -> Any:
    """Return the value that a reference stands for."""
    value = registered.id if ref.output == "id" else registered.outputs.get(ref.output)
    if value is UNKNOWN or (value is None and preview):
        return UNKNOWN
    if value is None and ref.convert is None:
        kind, name = ref.child
        raise RegistrationError(
            f"{kind} {name} has no output {ref.output}, which another child of the VPC needs"
        )
    return value if ref.convert is None else ref.convert(value)
