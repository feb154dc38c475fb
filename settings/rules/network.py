"""Network."""

from __future__ import annotations

from collections.abc import Iterator

from settings.endpoints import InterfaceEndpoint
from settings.errors import Mistake
from settings.layout import addresses, addresses_needed, zone_mask
from settings.network import NatMode
from settings.rules.base import Rule, environments_only, prod_account_only
from settings.stacks import EnvironmentSettings

TASKS_NEED = (
    InterfaceEndpoint.ECR_API,
    InterfaceEndpoint.ECR_DKR,
    InterfaceEndpoint.LOGS,
    InterfaceEndpoint.SECRETSMANAGER,
)
"""Without these no Fargate task starts: first its image is pulled, its log opened, its secrets are read.

Image layers come through the S3 gateway endpoint, which is always built. Not in the list: `ecs-agent` (EC2
only), `ssm` (no parameter is used), `elasticfilesystem` (mounts go to mount targets inside the VPC),
`ssmmessages` (only ECS Exec), `kms` (Secrets Manager and S3 decrypt on their own side) and `ecs` (a worker
protects itself through the agent of its task; the platform gate runs outside the VPC). The release ledger is
reached through the DynamoDB gateway endpoint, which is always built, too.
"""
OPERATION_NEEDS = (InterfaceEndpoint.KMS, InterfaceEndpoint.MONITORING, InterfaceEndpoint.STS)
"""Without these tasks start, but scaling has no signal (`monitoring`), AWS connections of DAGs cannot assume
a role (`sts`) and nothing can be encrypted by the client (`kms`). A dev stack may live so."""
EXEC_NEEDS = (InterfaceEndpoint.KMS, InterfaceEndpoint.SSMMESSAGES)
"""Without these ECS Exec opens no session: its channel, and the key that encrypts the channel."""


@environments_only
def zones_are_of_the_region(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Every zone lies in the account's region."""
    region = settings.account.region
    for index, zone in enumerate(settings.network.zones):
        if zone[:-1] != region:
            yield Mistake(f"network.zones[{index}]", zone, f"a zone of {region} (account.region)")


@environments_only
def zones_are_distinct(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """No zone is listed twice."""
    zones = settings.network.zones
    if len(set(zones)) < len(zones):
        yield Mistake("network.zones", zones, "each zone once")


@environments_only
def endpoints_are_distinct(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """No interface endpoint is listed twice."""
    endpoints = settings.network.interface_endpoints
    twice = sorted({endpoint for endpoint in endpoints if endpoints.count(endpoint) > 1})
    if twice:
        yield Mistake("network.interfaceEndpoints", twice, "each service once")


@environments_only
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


@environments_only
def no_nat_needs_endpoints_of_tasks(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Without NAT, the interface endpoints without which no task starts are listed."""
    yield from _missing_endpoints(settings, TASKS_NEED, "no task starts without")


@prod_account_only
def no_nat_in_prod_needs_endpoints_of_operation(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Without NAT in the prod account, kms, monitoring and sts are listed too."""
    yield from _missing_endpoints(settings, OPERATION_NEEDS, f"{settings.environment} does not run without")


@environments_only
def no_nat_with_exec_needs_its_channel(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Without NAT and with services.execEnabled, kms and ssmmessages are listed too."""
    if settings.services.exec_enabled:
        yield from _missing_endpoints(settings, EXEC_NEEDS, "services.execEnabled does not work without")


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


@prod_account_only
def prod_survives_a_zone(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Neither preprod nor prod has a single NAT: the failure of its zone would cut off every zone."""
    if settings.network.nat is NatMode.SINGLE:
        yield Mistake("network.nat", settings.network.nat, f"perZone or none for {settings.environment}")


RULES: tuple[Rule, ...] = (
    zones_are_of_the_region,
    zones_are_distinct,
    subnets_fit_in_their_zone,
    prod_survives_a_zone,
    endpoints_are_distinct,
    no_nat_needs_endpoints_of_tasks,
    no_nat_in_prod_needs_endpoints_of_operation,
    no_nat_with_exec_needs_its_channel,
)
