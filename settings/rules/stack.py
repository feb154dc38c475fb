"""Stacks and accounts."""

from __future__ import annotations

from collections.abc import Iterator

from settings.account import Environment
from settings.errors import Mistake
from settings.rules.base import ACCESS_LOG_DAYS, Rule, environments_only
from settings.shared import SharedStack
from settings.stacks import EnvironmentSettings, Settings, SharedSettings


def kind_suits_the_stack(settings: Settings, stack: str) -> Iterator[Mistake]:
    """Only nonprod-shared and prod-shared are shared stacks, and they are nothing else."""
    is_shared_name = stack in set(SharedStack)
    if is_shared_name and not isinstance(settings, SharedSettings):
        yield Mistake("kind", settings.kind, f"shared in the stack {stack}")
    elif not is_shared_name and isinstance(settings, SharedSettings):
        names = ", ".join(SharedStack)
        yield Mistake("kind", settings.kind, f"environment; shared only in the stacks {names}")


@environments_only
def environment_is_the_stack(settings: EnvironmentSettings, stack: str) -> Iterator[Mistake]:
    """Environment and stack have the same name."""
    if stack in set(SharedStack) or settings.environment == stack:
        return
    if stack in set(Environment):
        yield Mistake("environment", settings.environment, f"{stack}, the name of the stack")
    else:
        yield Mistake("environment", settings.environment, f"the name of the stack: {', '.join(Environment)}")


@environments_only
def shared_stack_is_of_the_same_account(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Each environment uses its own account's shared stack; preprod and prod use prod-shared."""
    wanted = settings.environment.account_class.shared_stack
    if settings.shared.stack != wanted:
        yield Mistake("shared.stack", settings.shared.stack, f"{wanted} for {settings.environment}")


def prod_shared_is_protected(settings: Settings, stack: str) -> Iterator[Mistake]:
    """Shared services of the prod account are protected from deletion."""
    if isinstance(settings, SharedSettings) and stack == SharedStack.PROD and not settings.shared.protect:
        yield Mistake("shared.protect", settings.shared.protect, f"true in the stack {stack}")


def prod_shared_keeps_access_logs(settings: Settings, stack: str) -> Iterator[Mistake]:
    """Shared services of the prod account keep access logs for 365 days or longer."""
    if not isinstance(settings, SharedSettings) or stack != SharedStack.PROD:
        return
    given = settings.shared.access_log_retention_days
    if given < ACCESS_LOG_DAYS:
        yield Mistake(
            "shared.accessLogRetentionDays", given, f"{ACCESS_LOG_DAYS} or more in the stack {stack}"
        )


def service_linked_roles_are_distinct(settings: Settings, _: str) -> Iterator[Mistake]:
    """No service-linked role is listed twice."""
    roles = settings.shared.service_linked_roles if isinstance(settings, SharedSettings) else ()
    twice = sorted({role for role in roles if roles.count(role) > 1})
    if twice:
        yield Mistake("shared.serviceLinkedRoles", twice, "each role once")


RULES: tuple[Rule, ...] = (
    kind_suits_the_stack,
    environment_is_the_stack,
    shared_stack_is_of_the_same_account,
    prod_shared_is_protected,
    prod_shared_keeps_access_logs,
    service_linked_roles_are_distinct,
)
