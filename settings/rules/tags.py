"""Tags."""

from __future__ import annotations

from collections.abc import Iterator

from settings.errors import Mistake
from settings.rules.base import Rule
from settings.stacks import Settings
from settings.tags import RESERVED_KEYS


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
    tags_do_not_begin_with_aws,
    tag_keys_are_free,
    tag_keys_differ_beyond_case,
)
