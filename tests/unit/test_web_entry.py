"""The web entry, inside a network and facing the internet. How a load balancer matches rules is not proved here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.private_bucket import LogTarget
from components.roles import Role
from components.web_entry import WebEntry, WebEntryArgs
from tests.harness import VPC_ID, Deployment, RecordingMonitor
from tests.unit.programs import built, once, provided, value

ACL = "aws:wafv2/webAcl:WebAcl"
ASSOCIATION = "aws:wafv2/webAclAssociation:WebAclAssociation"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
CERTIFICATE = "aws:acm/certificate:Certificate"
ISSUED = "aws:acm/certificateValidation:CertificateValidation"
LISTENER = "aws:lb/listener:Listener"
RECORD = "aws:route53/record:Record"
RULE = "aws:lb/listenerRule:ListenerRule"
TARGETS = "aws:lb/targetGroup:TargetGroup"

HOST = "airflow.dev.data.example.com"
ZONE_ID = "Z0123456789ABCDEFGHIJ"
SUBNETS = ("subnet-0000000000000000a", "subnet-0000000000000000b")
GROUP_ID = "sg-0123456789abcdef0"
INTERNAL = WebEntryArgs(
    vpc_id=VPC_ID,
    subnet_ids=SUBNETS,
    security_group_id=GROUP_ID,
    internet_facing=False,
    zone_id=ZONE_ID,
    host_name=HOST,
    flower=False,
    deletion_protection=True,
    access_logs=LogTarget(bucket_name="access", ready=()),
)
WITH_FLOWER = replace(INTERNAL, flower=True)
INTERNET = replace(INTERNAL, internet_facing=True)
NOT_FOUND = {
    "type": "fixed-response",
    "fixedResponse": {"contentType": "text/plain", "messageBody": "Not found", "statusCode": "404"},
}


def entry(args: WebEntryArgs = INTERNAL, name: str = "web") -> RecordingMonitor:
    return once(WebEntry, name, args)[0]


@pytest.mark.parametrize("args", [INTERNAL, INTERNET], ids=["internal", "internet"])
def test_load_balancer(args: WebEntryArgs) -> None:
    assert entry(args).inputs(BALANCER) == {
        "web-alb": {
            "loadBalancerType": "application",
            "internal": not args.internet_facing,
            "subnets": [*SUBNETS],
            "securityGroups": [GROUP_ID],
            "dropInvalidHeaderFields": True,
            "desyncMitigationMode": "defensive",
            "enableDeletionProtection": True,
            "idleTimeout": 90,
            "xffHeaderProcessingMode": "append",
            "accessLogs": {"bucket": "access", "prefix": "load-balancer/requests", "enabled": True},
            "connectionLogs": {"bucket": "access", "prefix": "load-balancer/connections", "enabled": True},
            "tags": {"Name": "web"},
        }
    }


def test_deletion_protection_is_a_choice() -> None:
    args = replace(INTERNAL, deletion_protection=False)
    assert entry(args).one(BALANCER).inputs["enableDeletionProtection"] is False


def test_certificate() -> None:
    assert entry().inputs(CERTIFICATE) == {
        "web-certificate": {
            "domainName": HOST,
            "validationMethod": "DNS",
            "keyAlgorithm": "EC_prime256v1",
            "tags": {"Name": "web"},
        }
    }


def test_records() -> None:
    monitor = entry()
    (proof,) = monitor.state(CERTIFICATE)["domainValidationOptions"]
    balancer = monitor.state(BALANCER)
    alias = {"name": balancer["dnsName"], "zoneId": balancer["zoneId"], "evaluateTargetHealth": False}
    assert monitor.inputs(RECORD) == {
        "web-name": {"zoneId": ZONE_ID, "name": HOST, "type": "A", "aliases": [alias]},
        "web-certificate-proof": {
            "zoneId": ZONE_ID,
            "name": proof["resourceRecordName"],
            "type": "CNAME",
            "records": [proof["resourceRecordValue"]],
            "ttl": 300,
        },
    }


def test_certificate_is_waited_for() -> None:
    monitor = entry()
    assert monitor.inputs(ISSUED) == {
        "web-certificate-issued": {
            "certificateArn": monitor.id(CERTIFICATE),
            "validationRecordFqdns": [monitor.state(RECORD, "web-certificate-proof")["fqdn"]],
        }
    }


def test_only_listener() -> None:
    """There is none for plain HTTP, and what no rule knows is not found."""
    monitor = entry()
    assert monitor.inputs(LISTENER) == {
        "web-https": {
            "loadBalancerArn": monitor.id(BALANCER),
            "port": 443,
            "protocol": "HTTPS",
            "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
            "certificateArn": monitor.id(CERTIFICATE),
            "routingHttpResponseStrictTransportSecurityHeaderValue": "max-age=31536000",
            "defaultActions": [NOT_FOUND],
        }
    }


def test_listener_takes_an_issued_certificate_only() -> None:
    assert "web-certificate-issued" in entry().one(LISTENER).depends_on


def rule(monitor: RecordingMonitor, name: str, priority: int, **rest: Any) -> dict[str, Any]:
    return {"listenerArn": monitor.id(LISTENER), "priority": priority, "tags": {"Name": name}, **rest}


def forward(monitor: RecordingMonitor, group: str) -> list[dict[str, Any]]:
    return [{"type": "forward", "targetGroupArn": monitor.id(TARGETS, group)}]


HOST_HEADER = {"hostHeader": {"values": [HOST]}}


@pytest.mark.parametrize("args", [INTERNAL, INTERNET], ids=["internal", "internet"])
def test_rules(args: WebEntryArgs) -> None:
    """The Execution API is refused before anything else is looked at, whatever the host."""
    monitor = entry(args)
    assert monitor.inputs(RULE) == {
        "web-no-execution-api": rule(
            monitor,
            "web-no-execution-api",
            10,
            conditions=[{"pathPattern": {"values": ["/execution", "/execution/*"]}}],
            actions=[NOT_FOUND],
        ),
        "web-no-encoded": rule(
            monitor,
            "web-no-encoded",
            11,
            conditions=[{"pathPattern": {"regexValues": ["^/[^/]*%"]}}],
            actions=[NOT_FOUND],
        ),
        "web-api-server": rule(
            monitor, "web-api-server", 30, conditions=[HOST_HEADER], actions=forward(monitor, "web-api")
        ),
    }


def test_rule_of_flower() -> None:
    monitor = entry(WITH_FLOWER)
    assert monitor.inputs(RULE)["web-flower"] == rule(
        monitor,
        "web-flower",
        20,
        conditions=[HOST_HEADER, {"pathPattern": {"values": ["/flower", "/flower/*"]}}],
        actions=forward(monitor, "web-flower"),
    )


def test_target_groups() -> None:
    expected = {
        name: {
            "vpcId": VPC_ID,
            "targetType": "ip",
            "protocol": "HTTPS",
            "port": port,
            "deregistrationDelay": 90,
            "healthCheck": {
                "protocol": "HTTPS",
                "path": path,
                "matcher": "200",
                "interval": 8,
                "timeout": 7,
                "healthyThreshold": 2,
                "unhealthyThreshold": 10,
            },
            "tags": {"Name": tag},
        }
        for name, tag, port, path in (
            ("web-api", "web-api-server", 8080, "/api/v2/version"),
            ("web-flower", "web-flower", 5555, "/flower/healthcheck"),
        )
    }
    assert entry(WITH_FLOWER).inputs(TARGETS) == expected


def test_long_names_fit() -> None:
    monitor = entry(WITH_FLOWER, name="airflow-a-rather-long-environment-web")
    names = [monitor.state(BALANCER)["name"]]
    names += [monitor.state(TARGETS, group.name)["name"] for group in monitor.by_type[TARGETS]]
    assert (len(names), {len(name) <= 32 for name in names}) == (3, {True})


def test_firewall_stands_before_a_public_load_balancer() -> None:
    monitor = entry(INTERNET)
    assert monitor.one(ASSOCIATION, "web-firewall-association").inputs["resourceArn"] == monitor.id(BALANCER)


GUARDS = ("web-no-execution-api", "web-no-encoded")
FIXED_COUNTS = {
    "pulumi:providers:aws": 1,
    "airflow:edge:WebEntry": 1,
    BALANCER: 1,
    CERTIFICATE: 1,
    ISSUED: 1,
    RECORD: 2,
    LISTENER: 1,
    TARGETS: 1,
    RULE: 3,
}


@pytest.mark.parametrize(
    ("args", "counts"),
    [
        (INTERNAL, {}),
        (WITH_FLOWER, {TARGETS: 2, RULE: 4}),
        (INTERNET, {"airflow:edge:WebFirewall": 1, ACL: 1, ASSOCIATION: 1}),
    ],
    ids=["internal", "with Flower", "internet"],
)
def test_counts(args: WebEntryArgs, counts: dict[str, int]) -> None:
    assert entry(args).counts == FIXED_COUNTS | counts


def test_parents() -> None:
    parents = {one.type: one.parent for one in entry(replace(INTERNET, flower=True)).registered}
    assert parents.pop("airflow:edge:WebEntry").startswith("airflow-platform-")
    assert (parents.pop(ACL), parents.pop(ASSOCIATION)) == ("web-firewall", "web-firewall")
    parents.pop("pulumi:providers:aws")
    assert set(parents.values()) == {"web"}


@pytest.mark.parametrize("args", [INTERNAL, INTERNET], ids=["internal", "internet"])
def test_only_a_public_load_balancer_waits_for_the_internet(deploy: Deployment, args: WebEntryArgs) -> None:
    def program() -> None:
        opts = provided()
        gateway = aws.ec2.InternetGateway("gateway", opts=pulumi.ResourceOptions.merge(opts, None))
        WebEntry("web", replace(args, internet_ready=pulumi.Output.from_input([gateway])), opts)

    waits = "gateway" in deploy.run(program).one(BALANCER).depends_on
    assert waits is args.internet_facing


@pytest.mark.parametrize("args", [INTERNAL, INTERNET], ids=["internal", "internet"])
def test_load_balancer_waits_for_the_rights_to_write_its_logs(deploy: Deployment, args: WebEntryArgs) -> None:
    """On the internet as well, where it also waits for its routes."""

    def program() -> None:
        opts = provided()
        policy = aws.sns.Topic("policy", opts=pulumi.ResourceOptions.merge(opts, None))
        logs = LogTarget(bucket_name="access", ready=(policy,))
        WebEntry("web", replace(args, access_logs=logs), opts)

    assert "policy" in deploy.run(program).one(BALANCER).depends_on


def ready(args: WebEntryArgs, role: Role) -> set[str]:
    """Return the names of what the service of a role must wait for."""
    _, component = once(WebEntry, "web", args)
    return {resource.pulumi_resource_name for resource in component.ready(role)}


@pytest.mark.parametrize(
    ("args", "role", "names"),
    [
        (INTERNAL, Role.API_SERVER, {"web-api-server", *GUARDS}),
        (WITH_FLOWER, Role.FLOWER, {"web-flower", *GUARDS}),
        (INTERNET, Role.API_SERVER, {"web-api-server", *GUARDS, "web-firewall-association"}),
        (INTERNAL, Role.FLOWER, set()),
        (INTERNAL, Role.SCHEDULER, set()),
    ],
    ids=["api-server", "Flower", "api-server on the internet", "no Flower", "scheduler"],
)
def test_ready(args: WebEntryArgs, role: Role, names: set[str]) -> None:
    """No task answers before its paths lead to it, the Execution API is refused and the firewall stands."""
    assert ready(args, role) == names


def test_outputs() -> None:
    monitor = entry()
    assert monitor.outputs["web"] == {
        "url": "https://airflow.dev.data.example.com",
        "loadBalancerArn": monitor.id(BALANCER),
    }


def test_what_others_need(deploy: Deployment) -> None:
    monitor, component = built(deploy, lambda opts: WebEntry("web", WITH_FLOWER, opts))
    found = [
        value(deploy, output)
        for output in (
            component.api_server_target_group_arn,
            component.flower_target_group_arn,
            component.load_balancer_arn,
            component.load_balancer_arn_suffix,
        )
    ]
    assert found == [
        monitor.id(TARGETS, "web-api"),
        monitor.id(TARGETS, "web-flower"),
        monitor.id(BALANCER),
        monitor.state(BALANCER)["arnSuffix"],
    ]


def test_what_metrics_call_the_target_groups(deploy: Deployment) -> None:
    monitor, component = built(deploy, lambda opts: WebEntry("web", WITH_FLOWER, opts))
    found = {role: value(deploy, suffix) for role, suffix in component.target_group_arn_suffixes.items()}
    assert found == {
        Role.API_SERVER: monitor.state(TARGETS, "web-api")["arnSuffix"],
        Role.FLOWER: monitor.state(TARGETS, "web-flower")["arnSuffix"],
    }


def test_no_target_group_without_flower() -> None:
    _, component = once(WebEntry, "web", INTERNAL)
    assert component.flower_target_group_arn is None


@pytest.mark.parametrize(
    ("host_name", "message"),
    [
        ("Airflow.example.com", 'host_name: want a lower-case DNS name, got "Airflow.example.com"'),
        ("airflow", 'host_name: want a lower-case DNS name, got "airflow"'),
        ("*.example.com", r'host_name: want a lower-case DNS name, got "\*.example.com"'),
        (f"{'a' * 53}.example.com", r"host_name \(its length\): want 1 to 64, got 65"),
    ],
    ids=["capitals", "one label", "wildcard", "too long"],
)
def test_refused(host_name: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(INTERNAL, host_name=host_name)
