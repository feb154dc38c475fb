"""Cases of the rules about parameter groups."""

from __future__ import annotations

from typing import Any, Final

from policies.security.rules.parameter_groups import CACHE_PARAMETERS, CLUSTER_PARAMETERS, PARAMETERS
from tests.policies.cases import Case, Change


def _group(family: str, name: str, value: str) -> dict[str, Any]:
    return {"family": family, "parameters": [{"name": name, "value": value}]}


def _tls(good: dict[str, Any], *changes: Change, on: str = PARAMETERS, golden: str | None = None) -> Case:
    return Case(rule="rds-parameters-force-tls", type=on, good=good, changes=changes, golden=golden)


CASES: Final = (
    # Since version 15 PostgreSQL forces TLS where nothing is said.
    _tls(
        _group("postgres17", "rds.force_ssl", "1"),
        Change(path="parameters[0].value", bad="0", absent=False),
        golden="",
    ),
    _tls(
        _group("postgres14", "rds.force_ssl", "1"),
        Change(path="parameters[0].value", bad="0"),
        Change(path="parameters[0].name", bad="log_lock_waits"),
        Change(path="parameters", bad=[]),
    ),
    _tls(
        _group("mysql8.4", "require_secure_transport", "ON"),
        Change(path="parameters[0].value", bad="OFF"),
        Change(path="parameters", bad=[{"name": "rds.force_ssl", "value": "1"}]),
    ),
    _tls(_group("sqlserver-ee-15.0", "rds.force_ssl", "1"), Change(path="parameters[0].value", bad="0")),
    _tls(
        _group("aurora-postgresql16", "rds.force_ssl", "1"),
        Change(path="parameters[0].value", bad="0"),
        on=CLUSTER_PARAMETERS,
    ),
    Case(
        rule="elasticache-parameters-keep-messages",
        type=CACHE_PARAMETERS,
        good=_group("valkey8", "maxmemory-policy", "noeviction"),
        changes=(
            Change(path="parameters[0].value", bad="allkeys-lru"),
            Change(path="parameters[0].name", bad="timeout"),
            Change(path="parameters", bad=[]),
        ),
    ),
)
