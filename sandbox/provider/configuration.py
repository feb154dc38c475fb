"""The configuration of an aws provider: whose account, which region, which default tags."""

from __future__ import annotations

import contextlib
import json
import os
import re
from typing import Any, Final

from sandbox.behaviour.model import Session

PLACEHOLDER_ACCOUNT: Final = "123456789012"
"""The account of a program that names no allowed account; AWS's documentation uses the same one."""
REGION: Final = re.compile(r"(af|ap|ca|cn|eu|il|me|mx|sa|us|us-gov)-[a-z]+-\d")


def unpacked(value: Any) -> Any:
    """Read a structured value of a provider configuration, which arrives as JSON text."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        with contextlib.suppress(json.JSONDecodeError):
            return json.loads(value)
    return value


def plain_text(value: str) -> str:
    """Read a configuration value, which may be JSON text."""
    return str(unpacked(value)).strip('"')


def region_of(args: dict[str, Any]) -> str:
    """Return the region of a configuration, or the environment's.

    Raises:
        ValueError: There is none, or it is no region.

    """
    region = args.get("region") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not region:
        raise ValueError(
            "Missing region: set aws:region in the stack's configuration, the provider's region or AWS_REGION"
        )
    if not isinstance(region, str) or not REGION.fullmatch(region):
        raise ValueError(f"Invalid AWS Region: {region}")
    return region


def session_of(args: dict[str, Any], account: str | None) -> Session:
    """Return the session of a configuration; `account` is that of the simulated credentials, None any allowed one.

    Raises:
        ValueError: The region is missing or wrong, or the account is not allowed.

    """
    region = region_of(args)
    allowed = args.get("allowedAccountIds") or []
    forbidden = args.get("forbiddenAccountIds") or []
    actual = account or (allowed[0] if allowed else PLACEHOLDER_ACCOUNT)
    if (allowed and actual not in allowed) or actual in forbidden:
        raise ValueError(
            f"AWS account ID not allowed: {actual}; the provider allows {', '.join(allowed) or 'any but ' + actual}: "
            "these credentials belong to another account than the stack's settings"
        )
    tags = (args.get("defaultTags") or {}).get("tags", {})
    return Session(account_id=actual, region=region, default_tags=tags)
