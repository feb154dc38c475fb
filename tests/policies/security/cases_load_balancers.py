"""Cases of the rules about load balancers, listeners and target groups."""

from __future__ import annotations

from typing import Any, Final

from policies.security.rules.load_balancers import LISTENER, LOAD_BALANCER
from policies.security.rules.target_groups import TARGET_GROUP
from tests.policies.cases import REMOVED, Case, Change

GOOD_LOAD_BALANCER: Final[dict[str, Any]] = {
    "loadBalancerType": "application",
    "internal": True,
    "subnets": ["subnet-1", "subnet-2"],
    "dropInvalidHeaderFields": True,
    "desyncMitigationMode": "defensive",
    "enableDeletionProtection": True,
    "accessLogs": {"bucket": "logs", "enabled": True},
    "connectionLogs": {"bucket": "logs", "enabled": True},
}
GOOD_LISTENER: Final[dict[str, Any]] = {
    "protocol": "HTTPS",
    "port": 443,
    "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
    "certificateArn": "arn:aws:acm:eu-west-1:111122223333:certificate/1",
}
GOOD_TARGET_GROUP: Final[dict[str, Any]] = {
    "targetType": "ip",
    "protocol": "HTTPS",
    "deregistrationDelay": 90,
    "healthCheck": {"protocol": "HTTPS", "path": "/api/v2/version"},
}


def _load_balancer(rule: str, *changes: Change) -> Case:
    return Case(rule=rule, type=LOAD_BALANCER, good=GOOD_LOAD_BALANCER, changes=changes)


def _listener(rule: str, *changes: Change) -> Case:
    return Case(rule=rule, type=LISTENER, good=GOOD_LISTENER, changes=changes)


def _target_group(rule: str, *changes: Change) -> Case:
    return Case(rule=rule, type=TARGET_GROUP, good=GOOD_TARGET_GROUP, changes=changes)


CASES: Final = (
    _load_balancer("lb-drops-invalid-headers", Change(path="dropInvalidHeaderFields", bad=False)),
    _load_balancer(
        "lb-access-logs",
        Change(path="accessLogs", bad=REMOVED),
        Change(path="accessLogs.enabled", bad=False),
    ),
    _load_balancer(
        "lb-connection-logs",
        Change(path="connectionLogs", bad=REMOVED),
        Change(path="connectionLogs.enabled", bad=False),
    ),
    _load_balancer("lb-deletion-protection", Change(path="enableDeletionProtection", bad=False)),
    _load_balancer("lb-desync-mitigation", Change(path="desyncMitigationMode", bad="monitor", absent=False)),
    _load_balancer("lb-two-zones", Change(path="subnets", bad=["subnet-1"])),
    _load_balancer("lb-internal", Change(path="internal", bad=False)),
    # A listener with a certificate speaks HTTPS when it does not say what it speaks.
    _listener(
        "lb-listener-tls",
        Change(path="protocol", bad="HTTP", absent=False),
        Change(path="protocol", bad="TCP", absent=False),
    ),
    _listener("lb-listener-port", Change(path="port", bad=80), Change(path="port", bad=8443)),
    _listener(
        "lb-listener-tls-policy",
        Change(path="sslPolicy", bad="ELBSecurityPolicy-TLS13-1-2-2021-06"),
        Change(path="sslPolicy", bad="ELBSecurityPolicy-2016-08"),
    ),
    _target_group(
        "lb-target-tls",
        Change(path="protocol", bad="HTTP"),
        Change(path="protocol", bad="TCP"),
    ),
    _target_group("lb-target-health-check-tls", Change(path="healthCheck.protocol", bad="HTTP")),
    _target_group(
        "lb-target-health-check",
        Change(path="healthCheck", bad=REMOVED),
        Change(path="healthCheck.path", bad=REMOVED, typed=False),
        Change(path="healthCheck.enabled", bad=False, absent=False),
    ),
)
