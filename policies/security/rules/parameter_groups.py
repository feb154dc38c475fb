"""Parameter groups: databases that refuse what is not encrypted, and a broker that forgets nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from policies.crossguard.findings import Finding, Violation
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View
from policies.security.parameters import parameter

PARAMETERS: Final = "aws:rds/parameterGroup:ParameterGroup"
CLUSTER_PARAMETERS: Final = "aws:rds/clusterParameterGroup:ClusterParameterGroup"
CACHE_PARAMETERS: Final = "aws:elasticache/parameterGroup:ParameterGroup"

FORCES_TLS: Final = {
    "postgres": "rds.force_ssl",
    "aurora-postgresql": "rds.force_ssl",
    "sqlserver": "rds.force_ssl",
    "mysql": "require_secure_transport",
    "mariadb": "require_secure_transport",
    "aurora-mysql": "require_secure_transport",
}
"""By engine, the setting that refuses connections without TLS; other engines have none."""
TLS_BY_DEFAULT: Final = {"postgres": 15, "aurora-postgresql": 17}
"""First major version whose default is to refuse them."""
SWITCHED_ON: Final = frozenset({"1", "on"})
_VERSION: Final = re.compile(r"\d+")
_KEEPS: Final = "noeviction"
_CACHES: Final = ("redis", "valkey")


def _forces_tls(group: View) -> Iterator[Finding]:
    family = group["family"].text().lower()
    engine = next((engine for engine in FORCES_TLS if family.startswith(engine)), None)
    if engine is None:
        return
    version = _VERSION.match(family.removeprefix(engine))
    since = TLS_BY_DEFAULT.get(engine)
    default = "1" if since and version and int(version.group()) >= since else "0"
    name = FORCES_TLS[engine]
    value = parameter(group, name)
    if value.text(default).lower() not in SWITCHED_ON:
        yield Violation(f"{value.path} of {name} is {value.shown()}, want 1")


def _keeps_messages(group: View) -> Iterator[Finding]:
    if not group["family"].text().startswith(_CACHES):
        return
    value = parameter(group, "maxmemory-policy")
    if value.text() != _KEEPS:
        yield Violation(f"{value.path} of maxmemory-policy is {value.shown()}, want {_KEEPS}")


RULES: Final = (
    Rule(
        name="rds-parameters-force-tls",
        why="A client that forgets TLS sends passwords and rows for everybody on the network to read.",
        fix="Set rds.force_ssl to 1 (PostgreSQL), require_secure_transport to 1 (MySQL, MariaDB).",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("38",),
        references=("RDS.38", "RDS.39", "CKV2_AWS_69"),
        on=(PARAMETERS, CLUSTER_PARAMETERS),
        check=_forces_tls,
    ),
    Rule(
        name="elasticache-parameters-keep-messages",
        why="A broker that is full and evicts keys loses queued tasks without a word.",
        fix="Set maxmemory-policy to noeviction.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("56",),
        on=(CACHE_PARAMETERS,),
        check=_keeps_messages,
    ),
)
