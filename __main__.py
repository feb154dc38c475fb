"""The program: one stack, built as its settings say."""

from __future__ import annotations

import pulumi

from components.airflow_platform import AirflowPlatform, AirflowPlatformArgs
from components.provider import aws_provider
from components.shared_reference import read_shared
from components.shared_services import SharedServices, SharedServicesArgs
from components.tags import default_tags
from settings import EnvironmentSettings, Settings, SharedSettings, load


def provider_of(settings: Settings, environment: str) -> pulumi.ResourceOptions:
    """Register the stack's provider; return the options that hand it to a component and all its children."""
    tags = default_tags(settings.tags.as_tags(), environment=environment, stack=pulumi.get_stack())
    account = settings.account
    return pulumi.ResourceOptions(
        providers=[aws_provider(account_id=account.id, region=account.region, tags=tags)]
    )


async def main() -> pulumi.Inputs:
    """Build the stack and return what it exports."""
    settings = load(pulumi.Config())
    match settings:
        case SharedSettings(account=account, shared=shared):
            args = SharedServicesArgs(
                account_id=account.id,
                region=account.region,
                domain_name=shared.domain_name,
                noncurrent_version_days=shared.noncurrent_version_days,
                access_log_retention_days=shared.access_log_retention_days,
                image_retention_count=shared.image_retention_count,
                key_deletion_days=shared.key_deletion_days,
                service_linked_roles=shared.service_linked_roles,
                protect=shared.protect,
            )
            return SharedServices("airflow-shared", args, provider_of(settings, "shared")).exports
        case EnvironmentSettings(environment=environment, account=account, shared=reference):
            contract = await read_shared(reference.stack.value, account_id=account.id, region=account.region)
            return AirflowPlatform(
                f"airflow-{environment.value}",
                AirflowPlatformArgs(settings=settings, shared=contract),
                provider_of(settings, environment.value),
            ).exports


pulumi.run(main)
