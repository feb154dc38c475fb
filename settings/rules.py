"""Rules between settings, each a pure function; they run when every single field is right.

The first line of a rule's docstring is its entry in the documentation.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

from settings.account import AccountClass, Environment
from settings.endpoints import InterfaceEndpoint
from settings.errors import Mistake
from settings.layout import addresses, addresses_needed, zone_mask
from settings.network import NatMode
from settings.shared import SharedStack
from settings.stacks import EnvironmentSettings, Settings, SharedSettings
from settings.tags import RESERVED_KEYS

Rule = Callable[[Settings, str], Iterator[Mistake]]

TASKS_NEED = (
    InterfaceEndpoint.ECR_API,
    InterfaceEndpoint.ECR_DKR,
    InterfaceEndpoint.LOGS,
    InterfaceEndpoint.SECRETSMANAGER,
)
"""Without these no Fargate task starts: first its image is pulled, its log opened, its secrets are read.

Image layers come through the S3 gateway endpoint, which is always built. Not in the list: `ecs-agent` (EC2
only), `ssm` (no parameter is used), `elasticfilesystem` (mounts go to mount targets inside the VPC),
`ssmmessages` (only ECS Exec) and `kms` (Secrets Manager and S3 decrypt on their own side).
"""
OPERATION_NEEDS = (InterfaceEndpoint.KMS, InterfaceEndpoint.MONITORING, InterfaceEndpoint.STS)
"""Without these tasks start, but scaling has no signal (`monitoring`), AWS connections of DAGs cannot assume
a role (`sts`) and nothing can be encrypted by the client (`kms`). A dev stack may live so."""


def _environments_only(rule: Callable[[EnvironmentSettings, str], Iterator[Mistake]]) -> Rule:
    @functools.wraps(rule)
    def applied(settings: Settings, stack: str) -> Iterator[Mistake]:
        if isinstance(settings, EnvironmentSettings):
            yield from rule(settings, stack)

    return applied


def kind_suits_the_stack(settings: Settings, stack: str) -> Iterator[Mistake]:
    """Only nonprod-shared and prod-shared are shared stacks, and they are nothing else."""
    is_shared_name = stack in set(SharedStack)
    if is_shared_name and not isinstance(settings, SharedSettings):
        yield Mistake("kind", settings.kind, f"shared in the stack {stack}")
    elif not is_shared_name and isinstance(settings, SharedSettings):
        names = ", ".join(SharedStack)
        yield Mistake("kind", settings.kind, f"environment; shared only in the stacks {names}")


@_environments_only
def environment_is_the_stack(settings: EnvironmentSettings, stack: str) -> Iterator[Mistake]:
    """Environment and stack have the same name."""
    if stack in set(SharedStack) or settings.environment == stack:
        return
    if stack in set(Environment):
        yield Mistake("environment", settings.environment, f"{stack}, the name of the stack")
    else:
        yield Mistake("environment", settings.environment, f"the name of the stack: {', '.join(Environment)}")


@_environments_only
def shared_stack_is_of_the_same_account(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Each environment uses its own account's shared stack; preprod and prod use prod-shared."""
    wanted = settings.environment.account_class.shared_stack
    if settings.shared.stack != wanted:
        yield Mistake("shared.stack", settings.shared.stack, f"{wanted} for {settings.environment}")


def prod_shared_is_protected(settings: Settings, stack: str) -> Iterator[Mistake]:
    """Shared services of the prod account are protected from deletion."""
    if isinstance(settings, SharedSettings) and stack == SharedStack.PROD and not settings.shared.protect:
        yield Mistake("shared.protect", settings.shared.protect, f"true in the stack {stack}")


@_environments_only
def zones_are_of_the_region(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Every zone lies in the account's region."""
    region = settings.account.region
    for index, zone in enumerate(settings.network.zones):
        if zone[:-1] != region:
            yield Mistake(f"network.zones[{index}]", zone, f"a zone of {region} (account.region)")


@_environments_only
def zones_are_distinct(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """No zone is listed twice."""
    zones = settings.network.zones
    if len(set(zones)) < len(zones):
        yield Mistake("network.zones", zones, "each zone once")


@_environments_only
def endpoints_are_distinct(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """No interface endpoint is listed twice."""
    endpoints = settings.network.interface_endpoints
    twice = sorted({endpoint for endpoint in endpoints if endpoints.count(endpoint) > 1})
    if twice:
        yield Mistake("network.interfaceEndpoints", twice, "each service once")


@_environments_only
def subnets_fit_in_their_zone(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Public, private and data subnet fit in a zone's share of the VPC, in this order and aligned."""
    network = settings.network
    masks = (network.public_mask, network.private_mask, network.data_mask)
    share = zone_mask(network.cidr.prefixlen)
    needed = addresses_needed(masks)
    if needed > addresses(share):
        yield Mistake(
            "network.publicMask, network.privateMask, network.dataMask",
            masks,
            f"subnets that fit, in this order and aligned, in a zone's share of {network.cidr}: "
            f"a /{share} with {addresses(share)} addresses, these need {needed}",
        )


@_environments_only
def no_nat_needs_endpoints_of_tasks(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Without NAT, the interface endpoints without which no task starts are listed."""
    yield from _missing_endpoints(settings, TASKS_NEED, "no task starts without")


@_environments_only
def no_nat_in_prod_needs_endpoints_of_operation(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Without NAT in the prod account, kms, monitoring and sts are listed too."""
    if settings.environment.account_class is AccountClass.PROD:
        why = f"{settings.environment} does not run without"
        yield from _missing_endpoints(settings, OPERATION_NEEDS, why)


def _missing_endpoints(
    settings: EnvironmentSettings, needed: tuple[InterfaceEndpoint, ...], why: str
) -> Iterator[Mistake]:
    network = settings.network
    missing = [endpoint for endpoint in needed if endpoint not in network.interface_endpoints]
    if network.nat is NatMode.NONE and missing:
        yield Mistake(
            "network.interfaceEndpoints",
            network.interface_endpoints,
            f"with nat none also {', '.join(missing)}, which {why}",
        )


@_environments_only
def prod_survives_a_zone(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Neither preprod nor prod has a single NAT: the failure of its zone would cut off every zone."""
    if settings.environment.account_class is AccountClass.PROD and settings.network.nat is NatMode.SINGLE:
        yield Mistake("network.nat", settings.network.nat, f"perZone or none for {settings.environment}")


def tags_do_not_begin_with_aws(settings: Settings, _: str) -> Iterator[Mistake]:
    """No tag key and no tag value begins with aws:, which AWS keeps for itself."""
    for key in settings.tags.extra:
        if key.lower().startswith("aws:"):
            yield Mistake("tags.extra", key, "keys that do not begin with aws:")
    for key, value in settings.tags.as_tags().items():
        if value.lower().startswith("aws:"):
            path = f"tags.{key}" if key in {"owner", "costCenter"} else "tags.extra"
            yield Mistake(path, value, "values that do not begin with aws:")


def tag_keys_are_free(settings: Settings, _: str) -> Iterator[Mistake]:
    """Extra tags leave alone the keys that are set elsewhere."""
    reserved = {key.lower(): key for key in RESERVED_KEYS}
    for key in settings.tags.extra:
        if key.lower() in reserved:
            yield Mistake("tags.extra", key, f"keys other than {', '.join(sorted(RESERVED_KEYS))}")


def tag_keys_differ_beyond_case(settings: Settings, _: str) -> Iterator[Mistake]:
    """No two extra tags differ only in case: IAM takes their keys for one."""
    seen: dict[str, str] = {}
    for key in settings.tags.extra:
        first = seen.setdefault(key.lower(), key)
        if first != key:
            yield Mistake("tags.extra", key, f"keys that differ from {first} in more than case")


RULES: tuple[Rule, ...] = (
    kind_suits_the_stack,
    environment_is_the_stack,
    shared_stack_is_of_the_same_account,
    prod_shared_is_protected,
    zones_are_of_the_region,
    zones_are_distinct,
    subnets_fit_in_their_zone,
    prod_survives_a_zone,
    endpoints_are_distinct,
    no_nat_needs_endpoints_of_tasks,
    no_nat_in_prod_needs_endpoints_of_operation,
    tags_do_not_begin_with_aws,
    tag_keys_are_free,
    tag_keys_differ_beyond_case,
)


def broken_rules(settings: Settings, stack: str) -> list[Mistake]:
    """Return what all rules find in the settings of `stack`, in the order of the rules."""
    return [mistake for rule in RULES for mistake in rule(settings, stack)]
