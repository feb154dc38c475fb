"""Route 53 and Cloud Map."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any, Final

from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import Case, known, objects, rule

RECORD: Final = "aws:route53/record:Record"
_ZONE: Final = re.compile(
    r"([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.?", re.IGNORECASE
)
_SERVICE: Final = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")


@rule(RECORD)
def record(case: Case) -> Iterator[Failure]:
    """Check values and time to live of a record set."""
    if case.has("records") and not case.has("ttl"):
        yield Failure("ttl", "is required with records")
    yield from _values(case)


def _values(case: Case) -> Iterator[Failure]:
    kind = case.known("type")
    for index, value in enumerate(case.known("records") or ()):
        if not isinstance(value, str):
            continue
        path = f"records[{index}]"
        if kind in ("A", "AAAA") and not _is_address(value, 4 if kind == "A" else 6):
            yield Failure(
                path, f'expected an IPv{4 if kind == "A" else 6} address for type {kind}, got "{value}"'
            )
        if kind == "TXT" and any(len(part) > 255 for part in value.split('""')):
            yield Failure(path, 'a text of more than 255 characters must be split by ""')
    if kind == "CNAME" and len(case.known("records") or ()) > 1:
        yield Failure("records", f"a CNAME has one value, got {len(case.known('records'))}")


def _is_address(value: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(value).version == version
    except ValueError:
        return False


@rule("aws:route53/zone:Zone")
def zone(case: Case) -> Iterator[Failure]:
    """Check that the name is a domain."""
    name = case.known("name")
    if name is not None and not _ZONE.fullmatch(name):
        yield Failure("name", f'"{name}" is not a domain name')
    if case.has("delegationSetId") and case.inputs.get("vpcs"):
        yield Failure("delegationSetId", "is for public zones only, which have no vpcs")


@rule("aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace")
def namespace(case: Case) -> Iterator[Failure]:
    """Check the length of a private namespace's name."""
    name = case.known("name")
    if name is not None and len(name) > 253:
        yield Failure("name", f"cannot be longer than 253 characters, got {len(name)}")


@rule("aws:servicediscovery/service:Service")
def service(case: Case) -> Iterator[Failure]:
    """Check name, DNS records and health checks of a service."""
    name = case.known("name")
    if name is not None and not (_SERVICE.fullmatch(name) and len(name) <= 127):
        yield Failure(
            "name", f'"{name}" must be labels of letters, digits, _ and - joined by dots, up to 127'
        )
    if case.has("healthCheckConfig") and case.has("healthCheckCustomConfig"):
        yield Failure("healthCheckCustomConfig", "conflicts with healthCheckConfig")
    config = case.known("dnsConfig")
    if case.known("type") == "HTTP" and config:
        yield Failure("dnsConfig", "is not allowed for a service of type HTTP")
    yield from _records(config)


def _records(config: Any) -> Iterator[Failure]:
    kinds = {known(item, "type") for _, item in objects(known(config, "dnsRecords"), "")}
    if "CNAME" in kinds and known(config, "routingPolicy") != "WEIGHTED":
        yield Failure("dnsConfig.routingPolicy", "must be WEIGHTED for a CNAME record")
    if len(kinds) > 1 and None not in kinds and kinds != {"A", "AAAA"}:
        got = ", ".join(sorted(kinds))
        yield Failure(
            "dnsConfig.dnsRecords", f"records of type {got} do not go together, only A with AAAA does"
        )
