"""From the stack file to typed settings, or to one error that lists every mistake."""

from __future__ import annotations

import functools
import json
from typing import Any

import pulumi
from pydantic import ValidationError

from settings.errors import CONFIG_KEY, SettingsError, show
from settings.explain import explain
from settings.rules import broken_rules
from settings.stacks import KINDS, Settings

KIND_ALLOWED = ", ".join(KINDS)
SECTION_ALLOWED = f"a section with the key kind: {KIND_ALLOWED}"


def load(config: pulumi.Config) -> Settings:
    """Return the settings of the current stack.

    Args:
        config: the configuration of the project; only its key `platform` is read.

    Raises:
        SettingsError: the key is missing, or its value has mistakes.

    """
    stack = pulumi.get_stack()
    raw = config.get("platform")
    if raw is None:
        raise SettingsError(stack, [f"{CONFIG_KEY}: is required, allowed: {SECTION_ALLOWED}"])
    return parse(raw, stack)


def parse(raw: str, stack: str) -> Settings:
    """Return the settings that `raw`, the JSON text of the key `platform`, holds for the stack named `stack`.

    Raises:
        SettingsError: with all wrong fields, or, when every field is right, with all broken rules.

    """
    try:
        given = json.loads(raw)
    except (ValueError, RecursionError):
        given = raw
    if not isinstance(given, dict):
        raise SettingsError(stack, [f"{CONFIG_KEY}: got {show(given)}, allowed: {SECTION_ALLOWED}"])
    settings = _validate(given, stack)
    mistakes = broken_rules(settings, stack)
    if mistakes:
        raise SettingsError(stack, map(str, mistakes))
    return settings


@functools.cache
def _schema(kind: str) -> dict[str, Any]:
    return KINDS[kind].model_json_schema()


def _validate(given: dict[str, Any], stack: str) -> Settings:
    if "kind" not in given:
        raise SettingsError(stack, [f"kind: is required, allowed: {KIND_ALLOWED}"])
    kind = given["kind"]
    model = KINDS.get(kind) if isinstance(kind, str) else None
    if model is None:
        raise SettingsError(stack, [f"kind: got {show(kind)}, allowed: {KIND_ALLOWED}"])
    try:
        # JSON mode is strict and still knows ranges and enums; names are the camelCase ones only.
        return model.model_validate_json(json.dumps(given), by_name=False)
    except ValidationError as error:
        raise SettingsError(stack, explain(error, _schema(kind))) from None
