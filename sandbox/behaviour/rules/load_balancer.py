"""Load balancers, listeners, rules, target groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import Case, known, objects, rule

BALANCER: Final = "aws:lb/loadBalancer:LoadBalancer"
LISTENER: Final = "aws:lb/listener:Listener"
LISTENER_RULE: Final = "aws:lb/listenerRule:ListenerRule"
TARGET_GROUP: Final = "aws:lb/targetGroup:TargetGroup"
_BLOCKS: Final = {
    "redirect": "redirect",
    "fixed-response": "fixedResponse",
    "authenticate-cognito": "authenticateCognito",
    "authenticate-oidc": "authenticateOidc",
    "jwt-validation": "jwtValidation",
}
_CONDITIONS: Final = (
    "hostHeader",
    "httpHeader",
    "httpRequestMethod",
    "pathPattern",
    "queryStrings",
    "sourceIp",
)


@rule(LISTENER, LISTENER_RULE)
def actions(case: Case) -> Iterator[Failure]:
    """Check that each action has the block of its type."""
    key = "defaultActions" if case.token == LISTENER else "actions"
    for path, action in objects(case.known(key), key):
        kind = known(action, "type", "").lower()
        if kind == "forward" and not action.get("targetGroupArn") and not action.get("forward"):
            yield Failure(f"{path}.targetGroupArn", "targetGroupArn or forward is required for type forward")
        block = _BLOCKS.get(kind)
        if block and not action.get(block):
            yield Failure(f"{path}.{block}", f"is required for type {kind}")


@rule(LISTENER)
def listener(case: Case) -> Iterator[Failure]:
    """Check protocol and certificate."""
    protocol = case.known("protocol", "").upper()
    if protocol in ("HTTPS", "TLS") and not case.has("certificateArn"):
        yield Failure("certificateArn", f"is required with protocol {protocol}")
    if protocol in ("HTTP", "TCP", "UDP", "TCP_UDP"):
        for key in ("certificateArn", "sslPolicy"):
            if case.has(key):
                yield Failure(key, f"must not be set with protocol {protocol}")
    authentication = case.known("mutualAuthentication")
    if known(authentication, "mode") == "verify" and not known(authentication, "trustStoreArn", True):
        yield Failure("mutualAuthentication.trustStoreArn", "is required with mode verify")


@rule(LISTENER_RULE)
def conditions(case: Case) -> Iterator[Failure]:
    """Check that each condition tests one thing, and that there are few values."""
    count = 0
    for path, condition in objects(case.known("conditions"), "conditions"):
        given = [key for key in _CONDITIONS if condition.get(key)]
        if len(given) != 1:
            got = " and ".join(given) or "none"
            yield Failure(path, f"exactly one of {', '.join(_CONDITIONS)} is required, got {got}")
        for key in given:
            block = condition[key]
            values = known(block, "values")
            count += len(values) if isinstance(values, list) else 1
            if isinstance(block, dict) and block.get("values") and block.get("regexValues"):
                yield Failure(f"{path}.{key}.regexValues", "conflicts with values")
    if count > 5:
        yield Failure("conditions", f"a rule takes at most 5 values, got {count}")


@rule(BALANCER)
def balancer(case: Case) -> Iterator[Failure]:
    """Check zones and what each type of load balancer takes."""
    kind = case.inputs.get("loadBalancerType", "application")
    subnets = case.known("subnets")
    if kind == "application" and subnets is not None and len(subnets) < 2:
        yield Failure(
            "subnets", f"an application load balancer needs 2 subnets in 2 zones, got {len(subnets)}"
        )
    if kind == "gateway" and case.inputs.get("securityGroups"):
        yield Failure("securityGroups", "are not supported by a gateway load balancer")
    for key in ("accessLogs", "connectionLogs"):
        logs = case.known(key)
        if known(logs, "enabled") and not logs.get("bucket"):
            yield Failure(f"{key}.bucket", "is required when logging is enabled")
        if "AWSLogs" in str(known(logs, "prefix", "")):
            yield Failure(f"{key}.prefix", "must not hold AWSLogs, with which AWS continues the keys")
    if kind != "application":
        for key in ("idleTimeout", "dropInvalidHeaderFields", "enableHttp2"):
            if key in case.given and isinstance(kind, str):
                yield Failure(key, f"is for application load balancers only, this one is {kind}")


@rule(TARGET_GROUP)
def target_group(case: Case) -> Iterator[Failure]:
    """Check port, protocol and health check."""
    kind = case.inputs.get("targetType", "instance")
    if kind in ("instance", "ip", "alb"):
        for key in ("port", "protocol", "vpcId"):
            if not case.has(key):
                yield Failure(key, f'must be specified when targetType is "{kind}"')
    check = case.known("healthCheck")
    if isinstance(check, dict):
        yield from _health(check, case, kind)


def _health(check: dict[str, Any], case: Case, kind: Any) -> Iterator[Failure]:
    protocol = str(known(check, "protocol", "")).upper()
    if protocol == "TCP":
        for key in ("matcher", "path"):
            if check.get(key):
                yield Failure(f"healthCheck.{key}", "must not be set with health check protocol TCP")
        if case.known("protocol") in ("HTTP", "HTTPS"):
            yield Failure("healthCheck.protocol", f"cannot be TCP with protocol {case.known('protocol')}")
        if kind == "lambda":
            yield Failure("healthCheck.protocol", "cannot be TCP with targetType lambda")
    timeout, interval = known(check, "timeout"), known(check, "interval", 30)
    if timeout is not None and timeout >= interval:
        yield Failure("healthCheck.timeout", f"must be below interval {interval}, got {timeout}")
