"""Load balancers and what they listen on.

Whether a web application firewall stands before one that faces the internet is a relation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.crossguard.checks import is_true, one_of, wanted, when
from policies.crossguard.findings import Finding, Violation
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View

LOAD_BALANCER: Final = "aws:lb/loadBalancer:LoadBalancer"
LISTENER: Final = "aws:lb/listener:Listener"

APPLICATION: Final = "application"
TLS_PROTOCOLS: Final = frozenset({"HTTPS", "TLS"})
RECOMMENDED: Final = frozenset(
    {
        "ELBSecurityPolicy-TLS13-1-3-2021-06",
        "ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04",
        "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09",
        "ELBSecurityPolicy-TLS13-1-3-FIPS-PQ-2025-09",
        "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
        "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04",
        "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
        "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-PQ-2025-09",
    }
)
"""TLS policies that Security Hub recommends. ELBSecurityPolicy-TLS13-1-2-2021-06 is none of them: it still offers
ciphers in CBC mode."""


def kind(load_balancer: View) -> str:
    """Return application, network or gateway."""
    return load_balancer["loadBalancerType"].text(APPLICATION)


def is_application(load_balancer: View) -> bool:
    """Say whether it understands HTTP."""
    return kind(load_balancer) == APPLICATION


def _writes_logs(load_balancer: View) -> bool:
    return kind(load_balancer) != "gateway"


def _two_zones(load_balancer: View) -> Iterator[Finding]:
    """Count subnets: AWS refuses a second one in the same zone."""
    place = "subnetMappings" if load_balancer["subnets"].absent else "subnets"
    count = sum(1 for _ in load_balancer[place].items())
    if count < 2:
        yield Violation(f"{place} has {count}, want one in each of two zones at least")


def _protocol(listener: View) -> str:
    """Return what it speaks; with a certificate, AWS takes HTTPS."""
    default = "HTTP" if listener["certificateArn"].absent else "HTTPS"
    return listener["protocol"].text(default).upper()


def _speaks_tls(listener: View) -> bool:
    return _protocol(listener) in TLS_PROTOCOLS


def _listens_with_tls(listener: View) -> Iterator[Finding]:
    if not _speaks_tls(listener):
        yield Violation(f"protocol is {listener['protocol'].shown()}, want HTTPS or TLS")


RULES: Final = (
    Rule(
        name="lb-drops-invalid-headers",
        why="Two servers that read the same broken header differently let one request hide another one.",
        fix="Set `dropInvalidHeaderFields`.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("57",),
        references=("ELB.4", "CKV_AWS_131", "AWS-0052", "alb_http_drop_invalid_header_enabled"),
        on=(LOAD_BALANCER,),
        check=when(is_application, is_true("dropInvalidHeaderFields")),
    ),
    Rule(
        name="lb-access-logs",
        why="Without them nobody can tell later who asked for what.",
        fix="Set `accessLogs` with a bucket, and enabled.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("58",),
        references=(
            "ELB.5",
            "4.10",
            "CKV_AWS_91",
            "elbv2_access_logging_rule",
            "lb/LoadBalancer/enableAccessLogging",
            "lb/LoadBalancer/configureAccessLogging",
        ),
        on=(LOAD_BALANCER,),
        check=when(_writes_logs, is_true("accessLogs.enabled")),
    ),
    Rule(
        name="lb-connection-logs",
        why="A client that fails before its first request, such as one that tries TLS versions, is in no access log.",
        fix="Set `connectionLogs` with a bucket, and enabled.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("58",),
        on=(LOAD_BALANCER,),
        check=when(is_application, is_true("connectionLogs.enabled")),
    ),
    Rule(
        name="lb-deletion-protection",
        why="A slip of the hand takes the only door away, and its name with it.",
        fix="Set `enableDeletionProtection`.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("59",),
        references=(
            "ELB.6",
            "CKV_AWS_150",
            "elb_deletion_protection_enabled",
            "awsguard:elb-deletion-protection-enabled",
        ),
        on=(LOAD_BALANCER,),
        check=is_true("enableDeletionProtection"),
    ),
    Rule(
        name="lb-desync-mitigation",
        why="A request that two servers cut into pieces differently can carry another one past the checks.",
        fix="Set `desyncMitigationMode` to defensive or strictest.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("60",),
        references=("ELB.12", "CKV_AWS_328"),
        on=(LOAD_BALANCER,),
        check=when(
            is_application,
            one_of("desyncMitigationMode", {"defensive", "strictest"}, default="defensive"),
        ),
    ),
    Rule(
        name="lb-two-zones",
        why="The outage of one zone is an outage of everything behind it.",
        fix="Give it subnets in two zones at least.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("60",),
        references=("ELB.13",),
        on=(LOAD_BALANCER,),
        check=_two_zones,
    ),
    Rule(
        name="lb-internal",
        why="What has a public address is found and tried by everybody.",
        fix="Set `internal`, or record an exception that says who needs it from the internet.",
        severity=Severity.HIGH,
        tier=Tier.PROD,
        controls=("61",),
        references=("AWS-0053",),
        implies=frozenset({"lb-public-has-waf"}),
        on=(LOAD_BALANCER,),
        check=is_true("internal"),
    ),
    Rule(
        name="lb-listener-tls",
        why="Passwords and sessions can be read, and answers changed, by everybody on the way.",
        fix="Set `protocol` to HTTPS, also instead of a redirect: the first request is readable already.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("62",),
        references=(
            "ELB.1",
            "ELB.18",
            "CKV_AWS_2",
            "CKV2_AWS_20",
            "AWS-0054",
            "alb_http_to_https_redirection_check",
            "elbv2_listener_protocol_rule",
            "lb/Listener/disallowUnencryptedTraffic",
        ),
        on=(LISTENER,),
        check=_listens_with_tls,
    ),
    Rule(
        name="lb-listener-port",
        why="A second door is one that nobody watches.",
        fix="Set `port` to 443, and remove every other listener.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("62",),
        on=(LISTENER,),
        check=wanted("port", "443", lambda port: port.number() == 443),
    ),
    Rule(
        name="lb-listener-tls-policy",
        why="Traffic that is recorded today can be read when an old cipher or a private key falls.",
        fix="Set `sslPolicy` to a recommended one, such as ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("63",),
        references=(
            "ELB.17",
            "CKV_AWS_103",
            "CKV2_AWS_74",
            "AWS-0047",
            "lb/Listener/configureSecureTls",
        ),
        on=(LISTENER,),
        check=when(_speaks_tls, one_of("sslPolicy", RECOMMENDED, default="ELBSecurityPolicy-2016-08")),
    ),
)
