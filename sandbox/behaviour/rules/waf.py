"""WAF: web ACLs, IP sets, logging."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sandbox.behaviour.formats import network_of
from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import Case, known, objects, rule

ACL: Final = "aws:wafv2/webAcl:WebAcl"
IP_SET: Final = "aws:wafv2/ipSet:IpSet"
_GROUPS: Final = ("managedRuleGroupStatement", "ruleGroupReferenceStatement")


@rule(ACL, IP_SET)
def scope(case: Case) -> Iterator[Failure]:
    """Check that what belongs to CloudFront is made where CloudFront looks."""
    if case.known("scope") == "CLOUDFRONT" and case.region != "us-east-1":
        yield Failure("scope", f"CLOUDFRONT exists in us-east-1 only, the region is {case.region}")


@rule(IP_SET)
def addresses(case: Case) -> Iterator[Failure]:
    """Check addresses and their family."""
    version = case.known("ipAddressVersion")
    for index, text in enumerate(case.known("addresses") or ()):
        if not isinstance(text, str):
            continue
        path = f"addresses[{index}]"
        try:
            network = network_of(text) if "/" in text else None
        except ValueError:
            network = None
        if network is None:
            yield Failure(path, f'expected CIDR notation such as 192.0.2.0/24, got "{text}"')
        elif version is not None and f"IPV{network.version}" != version:
            yield Failure(path, f'"{text}" is not of {version}')
        elif network.prefixlen == 0:
            yield Failure(path, "must not be /0")


@rule(ACL)
def web_acl(case: Case) -> Iterator[Failure]:
    """Check the default action, and names, priorities and actions of rules."""
    default = case.known("defaultAction")
    if isinstance(default, dict):
        yield from _one(default, ("allow", "block"), "defaultAction")
    names: set[Any] = set()
    priorities: set[Any] = set()
    for path, item in objects(case.known("rules"), "rules"):
        for key, seen in (("name", names), ("priority", priorities)):
            value = known(item, key)
            if value is not None and value in seen:
                yield Failure(f"{path}.{key}", f"{value} is used twice")
            seen.add(value)
        yield from _one(item, ("action", "overrideAction"), path)
        statement = known(item, "statement")
        if isinstance(statement, dict):
            grouped = any(statement.get(key) for key in _GROUPS)
            if grouped and "action" in item and "overrideAction" not in item:
                yield Failure(f"{path}.action", "must be overrideAction for a rule group")
            if not grouped and "overrideAction" in item and "action" not in item:
                yield Failure(f"{path}.overrideAction", "is for rule groups only, use action")


def _one(item: dict[str, Any], keys: tuple[str, str], path: str) -> Iterator[Failure]:
    given = [key for key in keys if key in item]
    if len(given) != 1:
        got = "both" if given else "none"
        yield Failure(f"{path}.{keys[0]}", f"exactly one of {', '.join(keys)} is required, got {got}")


@rule("aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration")
def logging(case: Case) -> Iterator[Failure]:
    """Check the one destination."""
    destinations = case.known("logDestinationConfigs")
    if destinations is None:
        return
    if len(destinations) != 1:
        yield Failure("logDestinationConfigs", f"takes exactly one destination, got {len(destinations)}")
    for index, arn in enumerate(destinations):
        if isinstance(arn, str) and not _logger_name(arn).startswith("aws-waf-logs-"):
            yield Failure(
                f"logDestinationConfigs[{index}]", f'the name must begin with aws-waf-logs-, got "{arn}"'
            )


def _logger_name(arn: str) -> str:
    """Return the name in the ARN of a log group, a Firehose stream or a bucket."""
    resource = arn.split(":", 5)[-1]
    return resource.removeprefix("log-group:").removeprefix("deliverystream/")
