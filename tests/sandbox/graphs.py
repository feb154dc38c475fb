"""Dependency graphs for the tests of the edge rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.edges import rules
from sandbox.graph import Graph, from_state

VPC = "aws:ec2/vpc:Vpc"
NAT = "aws:ec2/natGateway:NatGateway"
GATEWAY = "aws:ec2/internetGateway:InternetGateway"
POLICY, ATTACHMENT = rules.ROLE_POLICIES
INGRESS, EGRESS, _ = rules.SECURITY_GROUP_RULES


def urn(token: str, name: str) -> str:
    """Return the URN of a resource directly under the stack."""
    return f"urn:pulumi:dev::probe::{token}::{name}"


@dataclass
class Builder:
    """Collects resources as a state holds them; `missing` names the rule whose edges are left out."""

    missing: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self,
        token: str,
        name: str,
        /,
        after: tuple[str, ...] = (),
        inputs: Mapping[str, Any] | None = None,
        parent: str = "",
        **properties: Any,
    ) -> str:
        """Add a resource whose properties were made from the resources with the given URNs, one or a list."""
        sources = {key: [value] if isinstance(value, str) else value for key, value in properties.items()}
        self.rows.append(
            {
                "urn": urn(token, name),
                "parent": parent,
                "inputs": dict(inputs or {}),
                "dependencies": [*after, *(each for urns in sources.values() for each in urns)],
                "propertyDependencies": sources,
            }
        )
        return urn(token, name)

    def ordered(self, rule: str, *before: str) -> tuple[str, ...]:
        """Return the edges of a rule, or none when they are to be missing."""
        return () if rule == self.missing else before

    def graph(self) -> Graph:
        """Return what was collected."""
        return from_state(self.rows)


@dataclass
class Network:
    """The URNs that the rest of a platform stands on."""

    subnet: str
    public: str
    private_route: str
    public_route: str
    endpoint: str
    endpoint_rule: str
    group: str
    group_rules: tuple[str, ...]


def network(made: Builder) -> Network:
    """Add a VPC with a private and a public subnet, an endpoint and a security group."""
    vpc = made.add(VPC, "vpc")
    subnets = {tier: made.add(rules.SUBNET, tier, vpcId=vpc) for tier in ("private", "public")}
    tables = {tier: made.add(rules.ROUTE_TABLE, tier, vpcId=vpc) for tier in subnets}
    for tier, subnet in subnets.items():
        made.add(rules.ASSOCIATION, tier, routeTableId=tables[tier], subnetId=subnet)
    nat = made.add(NAT, "nat", subnetId=subnets["public"])
    gateway = made.add(GATEWAY, "internet", vpcId=vpc)
    endpoints = made.add(rules.SECURITY_GROUP, "endpoints", vpcId=vpc)
    group = made.add(rules.SECURITY_GROUP, "tasks", vpcId=vpc)
    other = made.add(rules.SECURITY_GROUP, "broker", vpcId=vpc)
    return Network(
        subnet=subnets["private"],
        public=subnets["public"],
        private_route=made.add(rules.ROUTE, "private", routeTableId=tables["private"], natGatewayId=nat),
        public_route=made.add(rules.ROUTE, "public", routeTableId=tables["public"], gatewayId=gateway),
        endpoint=made.add(rules.ENDPOINT, "logs", vpcId=vpc, securityGroupIds=endpoints),
        endpoint_rule=made.add(INGRESS, "endpoints", securityGroupId=endpoints),
        group=group,
        group_rules=(
            made.add(EGRESS, "tasks", securityGroupId=group),
            made.add(INGRESS, "broker", securityGroupId=other, referencedSecurityGroupId=group),
        ),
    )


@dataclass
class Data:
    """The stores of a platform, with what their users wait for."""

    database: str
    file_system: str
    mounts: tuple[str, ...]
    bucket: str
    bucket_settings: tuple[str, ...]
    log_bucket: str
    log_policy: str


def data(made: Builder, place: Network) -> Data:
    """Add a database with logs and monitoring, a file system, and a bucket with another one for its access log."""
    logs = made.add(rules.LOG_GROUP, "postgresql", inputs={"name": "/aws/rds/instance/airflow/postgresql"})
    made.add(rules.LOG_GROUP, "of another", inputs={"name": "/aws/rds/instance/airflow-2/postgresql"})
    role = made.add(rules.ROLE, "monitoring")
    rights = made.add(ATTACHMENT, "monitoring", role=role)
    bucket = made.add(rules.BUCKET, "logs")
    block = made.add(rules.ACCESS_BLOCK, "logs", bucket=bucket)
    versions = made.add(rules.BUCKET_VERSIONING, "logs", bucket=bucket)
    made.add(rules.BUCKET_LIFECYCLE, "logs", made.ordered("bucket-versions-first", versions), bucket=bucket)
    target = made.add(rules.BUCKET, "access")
    policy = made.add(rules.BUCKET_POLICY, "access", bucket=target)
    made.add(
        rules.BUCKET_LOGGING,
        "logs",
        made.ordered("log-target-policy", policy),
        bucket=bucket,
        targetBucket=target,
    )
    system = made.add(rules.FILE_SYSTEM, "dags")
    return Data(
        database=made.add(
            rules.DATABASE,
            "metastore",
            (*made.ordered("database-log-groups", logs), *made.ordered("database-role-policies", rights)),
            inputs={"identifier": "airflow"},
            monitoringRoleArn=role,
        ),
        file_system=system,
        mounts=(
            made.add(rules.MOUNT_TARGET, "dags", fileSystemId=system, subnetId=place.subnet),
            made.add(rules.FILE_SYSTEM_POLICY, "dags", fileSystemId=system),
        ),
        bucket=bucket,
        bucket_settings=(
            made.add(rules.BUCKET_ENCRYPTION, "logs", bucket=bucket),
            made.add(rules.BUCKET_POLICY, "logs", made.ordered("bucket-policy-last", block), bucket=bucket),
            versions,
        ),
        log_bucket=target,
        log_policy=policy,
    )


def backups(made: Builder, stores: Data) -> None:
    """Add a guarded vault, a plan, and what it backs up."""
    vault = made.add(rules.BACKUP_VAULT, "vault")
    lock, policy = rules.VAULT_GUARDS
    guards = [
        made.add(token, name, backupVaultName=vault) for token, name in ((lock, "lock"), (policy, "guard"))
    ]
    made.add(policy, "of another", backupVaultName=made.add(rules.BACKUP_VAULT, "other"))
    plan = made.add(rules.BACKUP_PLAN, "nightly", rules=vault)
    made_role, rights = role(made, "backups")
    ledger = made.add(rules.TABLE, "ledger")
    data = made.ordered("backup-data", stores.database, stores.file_system, ledger)
    made.add(
        rules.BACKUP_SELECTION,
        "nightly",
        (*made.ordered("backup-guards", *guards), *made.ordered("backup-role-policies", rights)),
        planId=plan,
        iamRoleArn=made_role,
        resources=list(data),
    )


def role(made: Builder, name: str, **policy: Any) -> tuple[str, str]:
    """Add a role with one policy; return both."""
    made_role = made.add(rules.ROLE, name)
    return made_role, made.add(POLICY, name, role=made_role, **policy)


def platform(*, missing: str = "") -> Graph:
    """Return a small complete platform without the edges of one rule."""
    made = Builder(missing)
    place = network(made)
    stores = data(made, place)
    backups(made, stores)
    events(made)
    cluster = made.add(rules.CLUSTER, "cluster")
    capacity = made.add(rules.CAPACITY, "capacity", clusterName=cluster)
    flow_role, flow_policy = role(made, "flow")
    made.add(
        rules.FLOW_LOG, "flow", made.ordered("flow-log-role-policies", flow_policy), iamRoleArn=flow_role
    )
    invocation = gate(made, place, stores, cluster, capacity)
    entry = web(made, place, stores)
    server = service(made, place, stores, cluster, "api", (*entry[1:], invocation, capacity), entry[0])
    service(made, place, stores, cluster, "worker", (server, capacity))
    return made.graph()


def events(made: Builder) -> None:
    """Add a target that EventBridge reaches with a role, and one that lets EventBridge in by itself."""
    sender, rights = role(made, "events")
    made.add(rules.EVENT_TARGET, "reports", made.ordered("target-role-policies", rights), roleArn=sender)
    group = made.add(rules.LOG_GROUP, "stops")
    admission = made.add(rules.LOG_RESOURCE_POLICY, "stops")
    made.add(rules.EVENT_TARGET, "stops", made.ordered("target-log-policy", admission), arn=group)


def gate(made: Builder, place: Network, stores: Data, cluster: str, capacity: str) -> str:
    """Add a function that starts a task, and its call."""
    execution, execution_policy = role(made, "bootstrap")
    logs = made.add(rules.LOG_GROUP, "bootstrap")
    definition = made.add(
        rules.TASK_DEFINITION, "bootstrap", executionRoleArn=execution, containerDefinitions=[logs]
    )
    function_role, function_policy = role(made, "gate")
    function_logs = made.add(rules.LOG_GROUP, "gate", inputs={"name": "/aws/lambda/gate"})
    function = made.add(
        rules.FUNCTION,
        "gate",
        inputs={"name": "gate"},
        role=function_role,
        environment=[definition, place.subnet, place.group, cluster],
    )
    return made.add(
        rules.INVOCATION,
        "gate",
        (
            *made.ordered("way-out-routes", place.private_route),
            *made.ordered("way-out-endpoints", place.endpoint, place.endpoint_rule),
            *made.ordered("capacity-providers", capacity),
            *made.ordered("task-role-policies", execution_policy),
            *made.ordered("security-group-rules", *place.group_rules),
            *made.ordered("function-role-policies", function_policy),
            *made.ordered("function-log-group", function_logs),
            *made.ordered("gate-database", stores.database),
        ),
        functionName=function,
    )


def web(made: Builder, place: Network, stores: Data) -> tuple[str, ...]:
    """Add a public load balancer; return the target group of the api-server and what its service waits for."""
    bucket, policy = stores.log_bucket, stores.log_policy
    balancer = made.add(
        rules.LOAD_BALANCER,
        "web",
        (*made.ordered("public-routes", place.public_route), *made.ordered("access-log-policy", policy)),
        subnets=place.public,
        accessLogs=bucket,
    )
    listener = made.add(rules.LISTENER, "https", loadBalancerArn=balancer)
    group = made.add(rules.TARGET_GROUP, "api")
    rule = made.add(rules.LISTENER_RULE, "ui", listenerArn=listener, actions=group)
    block = made.add(rules.LISTENER_RULE, "block", listenerArn=listener)
    firewall = made.add(rules.WEB_ACL_ASSOCIATION, "firewall", resourceArn=balancer)
    return group, *made.ordered("listeners", rule), *made.ordered("listener-guards", block, firewall)


def service(
    made: Builder,
    place: Network,
    stores: Data,
    cluster: str,
    name: str,
    after: tuple[str, ...],
    target_group: str = "",
) -> str:
    """Add a service with its roles; the one behind a load balancer has a private name too."""
    task_role, task_policy = role(made, name, policy=stores.bucket)
    definition = made.add(
        rules.TASK_DEFINITION,
        name,
        taskRoleArn=task_role,
        volumes=stores.file_system,
        containerDefinitions=[made.add(rules.LOG_GROUP, name), stores.database],
    )
    left_out = {"platform-gate": rules.INVOCATION, "api-server-first": rules.SERVICE}.get(made.missing, "?")
    shown: dict[str, Any] = {
        "loadBalancers": target_group,
        "serviceRegistries": made.add(rules.DISCOVERY, name),
    }
    return made.add(
        rules.SERVICE,
        name,
        (
            *(before for before in after if f"::{left_out}::" not in before),
            task_policy,
            *made.ordered("file-systems", *stores.mounts),
            *made.ordered("bucket-settings", *stores.bucket_settings),
        ),
        cluster=cluster,
        taskDefinition=definition,
        networkConfiguration=[place.subnet, place.group],
        **shown if target_group else {},
    )
