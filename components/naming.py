"""Names that AWS limits in length."""

from __future__ import annotations

import hashlib

SUFFIX_LENGTH = 8
"""What Pulumi's auto-naming appends to a logical name: a dash and seven hex digits."""
ROLE_NAME_LIMIT = 64
BUCKET_NAME_LIMIT = 63
LOAD_BALANCER_NAME_LIMIT = 32
"""Also of a target group."""
RULE_NAME_LIMIT = 64
"""Of EventBridge; also of the id of a target."""
TOPIC_NAME_LIMIT = 80
"""What the provider makes names of; SNS takes 256 characters."""
_HASH_LENGTH = 7


def fit(name: str, limit: int) -> str:
    """Shorten a logical name so that it stays within `limit` characters with the auto-naming suffix.

    A name that fits is returned as it is. Of a longer one the beginning stays and a hash of the whole name
    replaces the rest, so that two long names with the same beginning stay different and one name always gives
    the same result.

    Raises:
        ValueError: the limit leaves no room for a beginning.

    """
    room = limit - SUFFIX_LENGTH
    if len(name) <= room:
        return name
    kept = room - _HASH_LENGTH - 1
    if kept < 1:
        raise ValueError(f"limit: want at least {SUFFIX_LENGTH + _HASH_LENGTH + 2}, got {limit}")
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH_LENGTH]
    return f"{name[:kept].rstrip('-')}-{digest}"
