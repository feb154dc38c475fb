"""The base of every settings section: strict, immutable, camelCase in YAML, snake_case in Python."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Section(BaseModel):
    """One section of the stack file.

    A value is never converted ("7" is not 7, "true" is not true) and an unknown key is an error. Python code
    may use the snake_case names; the stack file may not (`settings.load` switches them off).
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        use_attribute_docstrings=True,
    )


def allowed(text: str) -> dict[str, Any]:
    """Return the schema extension that carries, in words, what a field allows."""
    return {"x-allowed": text}
