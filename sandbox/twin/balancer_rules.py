"""What the balancer is told: listener rules, target groups and their health checks, and which rule a request meets.

Rules are compared as an Application Load Balancer compares them: with the path as the client wrote it. It decodes
nothing, so /%65xecution is not /execution.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

IDLE_SECONDS: Final = 60.0
"""What AWS takes when the load balancer does not say."""


class ConfigurationError(ValueError):
    """The balancer cannot work with what it was told; the message names the key."""


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """An answer that the balancer gives by itself."""

    status: int
    type: str = "text/plain"
    body: str = ""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A listener rule: all its kinds of conditions must hold, and of each kind one value."""

    priority: int
    paths: tuple[str, ...] = ()
    """Path patterns with * and ?; upper and lower case differ."""
    path_regexes: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    """Host names with * and ?, without a port; upper and lower case are the same."""
    target_group: str | None = None
    fixed: Fixed | None = None

    def __post_init__(self) -> None:
        """Refuse a rule that says nothing, or two things."""
        if (self.target_group is None) == (self.fixed is None):
            raise ConfigurationError(f"rule {self.priority}: want either target_group or fixed")

    def meets(self, host: str, path: str) -> bool:
        """Say whether a request meets every condition.

        Args:
            host: The request's Host header.
            path: The path as it was written, without the query.

        """
        name = re.sub(r":\d+$", "", host)
        return (not self._path or bool(self._path.search(path))) and (
            not self._host or bool(self._host.search(name))
        )

    @cached_property
    def _path(self) -> re.Pattern[str] | None:
        return _either([*map(_wildcards, self.paths), *self.path_regexes])

    @cached_property
    def _host(self) -> re.Pattern[str] | None:
        return _either([*map(_wildcards, self.hosts)], re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class HealthSettings:
    """A target group's health check, in AWS's words and with AWS's defaults."""

    path: str = "/"
    protocol: str = "HTTPS"
    matcher: str = "200"
    interval: float = 30.0
    timeout: float = 5.0
    healthy_threshold: int = 5
    unhealthy_threshold: int = 2

    def accepts(self, status: int) -> bool:
        """Say whether a status is a good one; the matcher lists codes and ranges: 200,300-302."""
        bounds = [part.partition("-") for part in self.matcher.split(",")]
        return any(int(low) <= status <= int(high or low) for low, _, high in bounds)


@dataclass(frozen=True, kw_only=True)
class TargetGroupSettings:
    """How to talk to the targets of a group, and when one is good."""

    protocol: str = "HTTPS"
    deregistration_seconds: float = 300.0
    """How long the open requests of a target that is taken away may take."""
    health: HealthSettings = field(default_factory=HealthSettings)


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Everything the balancer is told before it starts."""

    rules: tuple[Rule, ...]
    """Without the default rule, by priority."""
    default: Fixed
    target_groups: Mapping[str, TargetGroupSettings]
    targets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Target group -> addresses with port; what it starts with."""
    idle_seconds: float = IDLE_SECONDS
    """How long nothing may move on a connection."""
    forwarded_proto: str = "http"
    """What X-Forwarded-Proto says."""
    response_headers: Mapping[str, str] = field(default_factory=dict)
    """What the listener adds to every answer, such as Strict-Transport-Security."""
    drop_invalid_headers: bool = True

    def rule(self, host: str, path: str) -> Rule | None:
        """Return the first rule that a request meets; None for the default action."""
        return next((rule for rule in self.rules if rule.meets(host, path)), None)


def read(document: Mapping[str, Any]) -> Configuration:
    """Check a configuration as it stands in JSON, and return it.

    Raises:
        ConfigurationError: A key is unknown, missing or names a target group that is not there.

    """
    plain = dict(document)
    try:
        groups = {
            name: TargetGroupSettings(**{**group, "health": HealthSettings(**group.get("health", {}))})
            for name, group in plain.pop("target_groups").items()
        }
        rules = tuple(sorted(map(_rule, plain.pop("rules")), key=lambda rule: rule.priority))
        default = Fixed(**plain.pop("default"))
        targets = {name: tuple(found) for name, found in plain.pop("targets", {}).items()}
        configuration = Configuration(
            rules=rules, default=default, target_groups=groups, targets=targets, **plain
        )
    except KeyError as error:
        raise ConfigurationError(f"balancer: {error.args[0]} is missing") from error
    except TypeError as error:
        raise ConfigurationError(f"balancer: {error}") from error
    named = [rule.target_group for rule in rules if rule.target_group is not None]
    for name in [*named, *targets]:
        if name not in groups:
            raise ConfigurationError(f"balancer: no target group {name!r}; there are: {sorted(groups)}")
    return configuration


def _rule(row: Mapping[str, Any]) -> Rule:
    lists = {key: tuple(row[key]) for key in ("paths", "path_regexes", "hosts") if key in row}
    fixed = {"fixed": Fixed(**row["fixed"])} if row.get("fixed") is not None else {}
    return Rule(**{**row, **lists, **fixed})


def _wildcards(pattern: str) -> str:
    """Return a pattern with * and ? as a regular expression for the whole value."""
    found = {"*": ".*", "?": "."}
    return rf"\A{''.join(found.get(letter, re.escape(letter)) for letter in pattern)}\Z"


def _either(expressions: Sequence[str], flags: int = 0) -> re.Pattern[str] | None:
    joined = "|".join(f"(?:{expression})" for expression in expressions)
    return re.compile(joined, flags | re.DOTALL) if expressions else None
