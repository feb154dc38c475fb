"""The explicit AWS provider: without a default one, no resource slips into another account or region."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi_aws as aws


def aws_provider(*, account_id: str, region: str, tags: Mapping[str, str]) -> aws.Provider:
    """Register the provider of a stack.

    Args:
        account_id: The only account that its credentials may belong to; others are refused.
        region: Region of every resource.
        tags: Tags of every resource that can have tags.

    """
    return aws.Provider(
        "aws",
        region=region,
        allowed_account_ids=[account_id],
        default_tags=aws.ProviderDefaultTagsArgs(tags=dict(tags)),
    )
