"""The only door for people and API clients: a load balancer with HTTPS on both sides, its certificate and name.

It forwards the user interface with the REST API, and Flower, each only under the one host name. It never forwards
the Execution API: workers reach that directly. There is no port 80, not even to redirect. Who may open the door at
all is the security group's matter. Requests and connections are logged into a bucket that is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components import access_logs, checks, naming
from components.connections import API_SERVER_PORT, FLOWER_PORT, WEB_PORT
from components.private_bucket import LogTarget
from components.roles import Role
from components.web_firewall import WebFirewall, WebFirewallArgs

TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
"""TLS 1.3, and 1.2 with forward secrecy for old clients; keys are agreed on so that a later quantum computer
cannot read today's traffic."""
STRICT_TRANSPORT_SECURITY = "max-age=31536000"
"""A browser that has been here asks over HTTPS only, for a year: nothing answers it over HTTP."""
IDLE_TIMEOUT_SECONDS = 90
"""Longer than a slow call takes, such as one that clears many tasks. Below the 100 seconds for which the api-server
keeps a connection open: one that it closes first costs somebody an error 502."""
DEREGISTRATION_DELAY_SECONDS = 90
"""What is in flight gets as long as any call may be silent. AWS's 300 would slow each deployment down, and 120 is
all that Fargate Spot leaves."""
EXECUTION_PATHS = ("/execution", "/execution/*")
ENCODED_PATHS = "^/[^/]*%"
"""The load balancer compares the path as it was written, the api-server the path that it means: /%65xecution is the
Execution API as well. No page of Airflow has an encoded character in the first part of its path."""
FLOWER_PATHS = ("/flower", "/flower/*")
HEALTH_PATHS = {
    # Answers without the database: a database outage must not make ECS replace every api-server.
    Role.API_SERVER: "/api/v2/version",
    # The only path of Flower that asks for no password.
    Role.FLOWER: "/flower/healthcheck",
}
TARGET_GROUPS = {Role.API_SERVER: "api", Role.FLOWER: "flower"}
"""Short names: an environment's name has to fit in as well."""
PORTS = {Role.API_SERVER: API_SERVER_PORT, Role.FLOWER: FLOWER_PORT}
PRIORITIES = {"execution-api": 10, "encoded": 11, Role.FLOWER: 20, Role.API_SERVER: 30}
"""The lowest number is tried first, so that nothing below can forward the Execution API."""
MAX_HOST_NAME = 64
"""The first name of a certificate of ACM takes no more."""


@dataclass(frozen=True, kw_only=True)
class WebEntryArgs:
    """Inputs of a WebEntry."""

    vpc_id: pulumi.Input[str]
    """VPC of the targets."""
    subnet_ids: pulumi.Input[Sequence[str]]
    """Subnets of the load balancer, in at least two zones; public ones when it faces the internet."""
    security_group_id: pulumi.Input[str]
    """Group with the allow-list of client addresses."""
    internet_facing: bool
    """Whether it has public addresses; if so, a web application firewall stands before it."""
    zone_id: pulumi.Input[str]
    """Public hosted zone of the host name; ACM looks for its proof there, also for an internal door."""
    host_name: str
    """Full name that users type."""
    flower: bool
    """Whether Flower runs."""
    deletion_protection: bool
    """Whether AWS refuses to delete the load balancer."""
    access_logs: LogTarget
    """Where it writes who connected and who asked for what."""
    internet_ready: pulumi.Input[Sequence[pulumi.Resource]] = ()
    """Routes of the public subnets; only for one that faces the internet."""

    def __post_init__(self) -> None:
        """Refuse what ACM or the load balancer would refuse only when it is created."""
        checks.matching(
            "host_name",
            self.host_name,
            r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}",
            "a lower-case DNS name",
        )
        checks.between("host_name (its length)", len(self.host_name), 1, MAX_HOST_NAME)


class WebEntry(pulumi.ComponentResource):
    """Load balancer, certificate, name, and the rules that say what goes where."""

    url: str
    api_server_target_group_arn: pulumi.Output[str]
    flower_target_group_arn: pulumi.Output[str] | None
    """None without Flower."""
    load_balancer_arn: pulumi.Output[str]
    load_balancer_arn_suffix: pulumi.Output[str]
    """What metrics call the load balancer."""
    target_group_arn_suffixes: dict[Role, pulumi.Output[str]]
    """What metrics call the target group of each role behind it."""

    def __init__(self, name: str, args: WebEntryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the load balancer, the listener, and a target group and a rule for each role behind it."""
        super().__init__("airflow:edge:WebEntry", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self.url = f"https://{args.host_name}"
        balancer = self._make_load_balancer(name, args)
        self.load_balancer_arn, self.load_balancer_arn_suffix = balancer.arn, balancer.arn_suffix
        self._make_alias(name, args, balancer)
        listener = self._make_listener(name, balancer, self._make_certificate(name, args))
        # Before a role's tasks run, its paths lead to them, and nobody gets past what guards them.
        self._guards = self._block_execution_api(name, listener)
        if args.internet_facing:
            firewall = WebFirewall(
                f"{name}-firewall", WebFirewallArgs(load_balancer_arn=balancer.arn), self._child
            )
            self._guards += firewall.ready
        self._rules: dict[Role, pulumi.Resource] = {}
        self.target_group_arn_suffixes = {}
        self.api_server_target_group_arn = self._forward(name, args, listener, Role.API_SERVER)
        self.flower_target_group_arn = None
        if args.flower:
            self.flower_target_group_arn = self._forward(name, args, listener, Role.FLOWER)
        self.register_outputs({"url": self.url, "loadBalancerArn": self.load_balancer_arn})

    def ready(self, role: Role) -> tuple[pulumi.Resource, ...]:
        """Return what the service of a role must depend on; nothing when the door does not lead to it.

        ECS refuses a service whose target group no rule forwards to.
        """
        return (self._rules[role], *self._guards) if role in self._rules else ()

    def _make_load_balancer(self, name: str, args: WebEntryArgs) -> aws.lb.LoadBalancer:
        return aws.lb.LoadBalancer(
            naming.fit(f"{name}-alb", naming.LOAD_BALANCER_NAME_LIMIT),
            load_balancer_type="application",
            internal=not args.internet_facing,
            subnets=args.subnet_ids,
            security_groups=[args.security_group_id],
            drop_invalid_header_fields=True,
            desync_mitigation_mode="defensive",
            enable_deletion_protection=args.deletion_protection,
            idle_timeout=IDLE_TIMEOUT_SECONDS,
            # What a client claims comes first; the address it really has is added as the last one.
            xff_header_processing_mode="append",
            access_logs=aws.lb.LoadBalancerAccessLogsArgs(
                bucket=args.access_logs.bucket_name, prefix=access_logs.REQUESTS, enabled=True
            ),
            connection_logs=aws.lb.LoadBalancerConnectionLogsArgs(
                bucket=args.access_logs.bucket_name, prefix=access_logs.CONNECTIONS, enabled=True
            ),
            tags={"Name": name},
            opts=pulumi.ResourceOptions(parent=self, depends_on=_before_the_balancer(args)),
        )

    def _make_alias(self, name: str, args: WebEntryArgs, balancer: aws.lb.LoadBalancer) -> None:
        aws.route53.Record(
            f"{name}-name",
            zone_id=args.zone_id,
            name=args.host_name,
            type="A",
            aliases=[
                aws.route53.RecordAliasArgs(
                    name=balancer.dns_name,
                    zone_id=balancer.zone_id,
                    # There is no second place to send people to.
                    evaluate_target_health=False,
                )
            ],
            opts=self._child,
        )

    def _make_certificate(self, name: str, args: WebEntryArgs) -> pulumi.Output[str]:
        """Return the ARN of a certificate that has been issued: a listener takes no other."""
        certificate = aws.acm.Certificate(
            f"{name}-certificate",
            domain_name=args.host_name,
            validation_method="DNS",
            key_algorithm="EC_prime256v1",
            tags={"Name": name},
            opts=self._child,
        )
        proof = certificate.domain_validation_options[0]
        record = aws.route53.Record(
            f"{name}-certificate-proof",
            zone_id=args.zone_id,
            name=proof.resource_record_name,
            type=proof.resource_record_type,
            records=[proof.resource_record_value],
            ttl=300,
            opts=self._child,
        )
        issued = aws.acm.CertificateValidation(
            f"{name}-certificate-issued",
            certificate_arn=certificate.arn,
            validation_record_fqdns=[record.fqdn],
            opts=self._child,
        )
        return issued.certificate_arn

    def _make_listener(
        self, name: str, balancer: aws.lb.LoadBalancer, certificate_arn: pulumi.Output[str]
    ) -> aws.lb.Listener:
        return aws.lb.Listener(
            f"{name}-https",
            load_balancer_arn=balancer.arn,
            port=WEB_PORT,
            protocol="HTTPS",
            ssl_policy=TLS_POLICY,
            certificate_arn=certificate_arn,
            routing_http_response_strict_transport_security_header_value=STRICT_TRANSPORT_SECURITY,
            default_actions=[_not_found()],
            opts=self._child,
        )

    def _block_execution_api(self, name: str, listener: aws.lb.Listener) -> list[pulumi.Resource]:
        path = aws.lb.ListenerRuleConditionPathPatternArgs
        patterns = {
            "execution-api": path(values=EXECUTION_PATHS),
            "encoded": path(regex_values=[ENCODED_PATHS]),
        }
        return [
            aws.lb.ListenerRule(
                f"{name}-no-{what}",
                listener_arn=listener.arn,
                priority=PRIORITIES[what],
                conditions=[aws.lb.ListenerRuleConditionArgs(path_pattern=pattern)],
                actions=[_not_found()],
                tags={"Name": f"{name}-no-{what}"},
                opts=self._child,
            )
            for what, pattern in patterns.items()
        ]

    def _forward(
        self, name: str, args: WebEntryArgs, listener: aws.lb.Listener, role: Role
    ) -> pulumi.Output[str]:
        """Forward a role's paths to its tasks; return the target group that they register with."""
        group = self._make_target_group(name, args, role)
        here = aws.lb.ListenerRuleConditionArgs(
            host_header=aws.lb.ListenerRuleConditionHostHeaderArgs(values=[args.host_name])
        )
        self._rules[role] = aws.lb.ListenerRule(
            f"{name}-{role}",
            listener_arn=listener.arn,
            priority=PRIORITIES[role],
            conditions=[here, _path(FLOWER_PATHS)] if role is Role.FLOWER else [here],
            actions=[aws.lb.ListenerRuleActionArgs(type="forward", target_group_arn=group.arn)],
            tags={"Name": f"{name}-{role}"},
            opts=self._child,
        )
        self.target_group_arn_suffixes[role] = group.arn_suffix
        return group.arn

    def _make_target_group(self, name: str, args: WebEntryArgs, role: Role) -> aws.lb.TargetGroup:
        return aws.lb.TargetGroup(
            naming.fit(f"{name}-{TARGET_GROUPS[role]}", naming.LOAD_BALANCER_NAME_LIMIT),
            vpc_id=args.vpc_id,
            target_type="ip",
            # The load balancer encrypts and does not ask who signed the certificate behind it.
            protocol="HTTPS",
            port=PORTS[role],
            deregistration_delay=DEREGISTRATION_DELAY_SECONDS,
            # The first good answer lets a new task in, so the checks are frequent. A busy one gets 80 seconds: ECS
            # replaces what fails here, and running tasks cannot report to an api-server that is being replaced.
            health_check=aws.lb.TargetGroupHealthCheckArgs(
                protocol="HTTPS",
                path=HEALTH_PATHS[role],
                matcher="200",
                interval=8,
                timeout=7,
                healthy_threshold=2,
                unhealthy_threshold=10,
            ),
            tags={"Name": f"{name}-{role}"},
            opts=self._child,
        )


def _before_the_balancer(args: WebEntryArgs) -> pulumi.Input[Sequence[pulumi.Resource]]:
    """Return what AWS refuses a load balancer without: rights to write its logs and, on the internet, the way there."""
    if not args.internet_facing:
        return args.access_logs.ready
    routes = pulumi.Output.from_input(args.internet_ready)
    return routes.apply(lambda found: [*found, *args.access_logs.ready])


def _path(patterns: Sequence[str]) -> aws.lb.ListenerRuleConditionArgs:
    return aws.lb.ListenerRuleConditionArgs(
        path_pattern=aws.lb.ListenerRuleConditionPathPatternArgs(values=list(patterns))
    )


def _not_found() -> Any:
    """Return the action that answers 404; the SDK has a type for it for listeners and another for rules."""
    return {
        "type": "fixed-response",
        "fixed_response": {"content_type": "text/plain", "message_body": "Not found", "status_code": "404"},
    }
