"""What a stack's state says about its platform: the services, and what they need to run.

Only this module knows how Pulumi's state names things. Every value is the rendered one; what the twin changes about
it is decided in `rewriting`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from sandbox.cli import SandboxError
from sandbox.provider.inventory import Entry
from sandbox.twin.balancer_rules import Configuration, Fixed, HealthSettings, Rule, TargetGroupSettings
from sandbox.twin.model import (
    Container,
    HealthCheck,
    LogPlace,
    Mount,
    SecretSource,
    Service,
    TaskDefinition,
)

BASE_URL: Final = "AIRFLOW__API__BASE_URL"
ENVIRONMENT: Final = "PLATFORM_ENVIRONMENT"
ROLE: Final = "PLATFORM_ROLE"
API_SERVER: Final = "api-server"

CLUSTER: Final = "aws:ecs/cluster:Cluster"
DEFINITION: Final = "aws:ecs/taskDefinition:TaskDefinition"
SERVICE: Final = "aws:ecs/service:Service"
NAME: Final = "aws:servicediscovery/service:Service"
NAMESPACE: Final = "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace"
DATABASE: Final = "aws:rds/instance:Instance"
BROKER: Final = "aws:elasticache/replicationGroup:ReplicationGroup"
USER: Final = "aws:elasticache/user:User"
SECRET: Final = "aws:secretsmanager/secret:Secret"
BUCKET: Final = "aws:s3/bucket:Bucket"
TABLE: Final = "aws:dynamodb/table:Table"
VPC: Final = "aws:ec2/vpc:Vpc"
BALANCER: Final = "aws:lb/loadBalancer:LoadBalancer"
LISTENER: Final = "aws:lb/listener:Listener"
RULE: Final = "aws:lb/listenerRule:ListenerRule"
TARGETS: Final = "aws:lb/targetGroup:TargetGroup"
FUNCTION: Final = "aws:lambda/function:Function"
INVOCATION: Final = "aws:lambda/invocation:Invocation"
ACCESS_POINT: Final = "aws:efs/accessPoint:AccessPoint"
STACK: Final = "pulumi:pulumi:Stack"

PUBLISHER: Final = "release-publisher"
RELEASE_BUCKET: Final = "PLATFORM_RELEASE_BUCKET"
SECRET_VALUE: Final = "4dabf18193072939515e22adb298388d"
"""Key of an object that stands for a secret in Pulumi's state."""

RESTART_SECONDS: Final = 300
"""What ECS takes when a restart policy does not say."""
STOP_SECONDS: Final = 30
"""What ECS takes when a definition does not say."""
HEALTH_DEFAULTS: Final = {"interval": 30, "timeout": 5, "retries": 3, "startPeriod": 0}
ARN_PARTS: Final = 7
"""Of a secret's ARN; what follows names a key in it."""
HSTS: Final = "routingHttpResponseStrictTransportSecurityHeaderValue"

Resource = Mapping[str, Any]
"""A resource as the state holds it: urn, type, id, inputs and outputs."""


class PlatformError(SandboxError):
    """The state holds no platform that can be started; the message says what is missing."""


@dataclass(frozen=True, kw_only=True)
class Metastore:
    """The database."""

    identifier: str
    host: str
    port: int
    database: str
    owner: str
    """Role that owns the database."""
    owner_secret_arn: str
    """Made and kept by RDS."""


@dataclass(frozen=True, kw_only=True)
class Broker:
    """Queues and results of Celery."""

    host: str
    port: int
    user_id: str
    user_name: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of DynamoDB."""

    name: str
    hash_key: str
    range_key: str | None
    attributes: Mapping[str, str]
    """Types of the keys' attributes."""
    ttl_attribute: str | None


@dataclass(frozen=True, kw_only=True)
class AccessPoint:
    """A way into the file system, with the directory that EFS makes for whoever mounts it first."""

    path: str
    owner: int
    group: int
    mode: int


@dataclass(frozen=True, kw_only=True)
class Gate:
    """The function that opens the platform, and how the program invokes it."""

    urn: str
    code: Mapping[str, Any] | None
    """As the state writes an archive."""
    invocation: Mapping[str, Any]
    """Inputs of the invocation."""
    host_name: str
    """What it makes the api-server's certificate for."""


@dataclass(frozen=True, kw_only=True)
class Platform:
    """One environment."""

    environment: str
    account: str
    region: str
    vpc_cidr: str
    cluster: str
    """Name of the ECS cluster."""
    cluster_arn: str
    services: tuple[Service, ...]
    bootstrap: TaskDefinition
    publisher: TaskDefinition
    """Writes DAG releases."""
    metastore: Metastore
    broker: Broker
    secrets: Mapping[str, str]
    """ARNs of the gate's secrets, by their kinds."""
    buckets: tuple[str, ...]
    release_bucket: str
    """Of the shared stack; it has the DAG releases of all environments."""
    access_points: Mapping[str, AccessPoint]
    """By their ids."""
    ledger: Table
    base_url: str
    balancer: Configuration
    gate: Gate
    entries: tuple[Entry, ...]
    """Everything that exists, for the endpoint that stands in for AWS."""
    outputs: Mapping[str, Any]
    """Of the stack, without secrets."""

    @property
    def image(self) -> str:
        """The platform's image; the bootstrap task has no DAGs."""
        return self.bootstrap.containers[0].image

    @property
    def definitions(self) -> tuple[TaskDefinition, ...]:
        """Every task definition that runs."""
        return (*(service.definition for service in self.services), self.bootstrap, self.publisher)


def read(resources: Sequence[Resource]) -> Platform:
    """Find the platform in a stack's state.

    Args:
        resources: What `sandbox.recovery.resources` returns.

    Raises:
        PlatformError: something that the twin needs is missing.

    """
    return _Reader(resources).platform()


class _Reader:
    def __init__(self, resources: Sequence[Resource]) -> None:
        # What is about to be deleted is replaced already.
        self._resources = [each for each in resources if not each.get("delete")]

    def platform(self) -> Platform:
        cluster = self._one(CLUSTER)
        region, account = cluster["arn"].split(":")[3:5]
        services = tuple(
            sorted((self._service(each) for each in self._all(SERVICE)), key=lambda each: each.name)
        )
        invocation = json.loads(self._one(INVOCATION)["input"])
        publisher = self._publisher()
        return Platform(
            environment=self._variable(services, ENVIRONMENT),
            account=account,
            region=region,
            vpc_cidr=self._one(VPC)["cidrBlock"],
            cluster=cluster["name"],
            cluster_arn=cluster["arn"],
            services=services,
            bootstrap=self._definition(invocation["bootstrap"]["taskDefinition"]),
            publisher=publisher,
            metastore=self._metastore(),
            broker=self._broker(),
            secrets=invocation["secrets"],
            buckets=tuple(sorted(each["bucket"] for each in self._all(BUCKET))),
            release_bucket=self._release_bucket(publisher),
            access_points={each["id"]: _access_point(each["outputs"]) for each in self._of(ACCESS_POINT)},
            ledger=self._ledger(),
            base_url=self._variable(services, BASE_URL),
            balancer=self._balancer(),
            gate=self._gate(),
            entries=tuple(self._entries(account)),
            outputs=self._outputs(),
        )

    def _all(self, token: str) -> Iterator[Mapping[str, Any]]:
        return (each["outputs"] for each in self._of(token))

    def _of(self, token: str) -> list[Resource]:
        return [each for each in self._resources if each["type"] == token]

    def _one(self, token: str) -> Mapping[str, Any]:
        outputs: Mapping[str, Any] = self._single(token)["outputs"]
        return outputs

    def _single(self, token: str) -> Resource:
        found = self._of(token)
        if len(found) == 1:
            return found[0]
        names = ", ".join(_name(each) for each in found) or "none"
        raise PlatformError(
            f"the state must hold one {token}, and holds {names}: apply the stack first (make up)"
        )

    def _referred(self, token: str, reference: str, user: str) -> Mapping[str, Any]:
        """Return what a resource refers to, by id or ARN."""
        for each in self._of(token):
            outputs: Mapping[str, Any] = each["outputs"]
            if reference in (each["id"], outputs["arn"]):
                return outputs
        raise PlatformError(f"{user} refers to {reference}, which the state does not hold ({token})")

    def _variable(self, services: Iterable[Service], name: str) -> str:
        for service in services:
            for container in service.definition.containers:
                if service.role == API_SERVER and name in container.environment:
                    return container.environment[name]
        raise PlatformError(f"no service has the role {API_SERVER} and the variable {name}")

    @cached_property
    def _definitions(self) -> dict[str, TaskDefinition]:
        return {each["arn"]: task_definition(each) for each in self._all(DEFINITION)}

    def _definition(self, arn: str) -> TaskDefinition:
        if arn not in self._definitions:
            raise PlatformError(f"the state does not hold the task definition {arn}")
        return self._definitions[arn]

    def _publisher(self) -> TaskDefinition:
        found = [
            definition
            for definition in self._definitions.values()
            if any(each.environment.get(ROLE) == PUBLISHER for each in definition.containers)
        ]
        if len(found) != 1:
            raise PlatformError(
                f"want one task definition with the role {PUBLISHER}, got {len(found)}: apply the stack first (make up)"
            )
        return found[0]

    def _release_bucket(self, publisher: TaskDefinition) -> str:
        for container in publisher.containers:
            if name := container.environment.get(RELEASE_BUCKET):
                return name
        raise PlatformError(f"{publisher.arn}: no container has the variable {RELEASE_BUCKET}")

    def _outputs(self) -> dict[str, Any]:
        found: Mapping[str, Any] = next((each.get("outputs") or {} for each in self._of(STACK)), {})
        return {
            name: value
            for name, value in found.items()
            if not (isinstance(value, Mapping) and SECRET_VALUE in value)
        }

    def _service(self, outputs: Mapping[str, Any]) -> Service:
        name, definition = outputs["name"], self._definition(outputs["taskDefinition"])
        roles = [
            each.environment[ROLE]
            for each in definition.containers
            if each.essential and ROLE in each.environment
        ]
        if len(roles) != 1:
            raise PlatformError(f"{definition.arn}: want one essential container with {ROLE}, got {roles}")
        return Service(
            name=name,
            arn=outputs["arn"],
            role=roles[0],
            definition=definition,
            desired_count=int(outputs.get("desiredCount") or 0),
            minimum_healthy_percent=int(outputs["deploymentMinimumHealthyPercent"]),
            maximum_percent=int(outputs["deploymentMaximumPercent"]),
            target_groups=tuple(
                (each["targetGroupArn"], int(each["containerPort"]))
                for each in outputs.get("loadBalancers") or ()
            ),
            dns_names=tuple(self._dns_names(name, outputs.get("serviceRegistries"))),
            grace_period_seconds=float(outputs.get("healthCheckGracePeriodSeconds") or 0),
        )

    def _dns_names(self, service: str, registry: Mapping[str, Any] | None) -> Iterator[str]:
        if registry:
            name = self._referred(NAME, registry["registryArn"], service)
            namespace = self._referred(NAMESPACE, name["dnsConfig"]["namespaceId"], service)
            yield f"{name['name']}.{namespace['name']}"

    def _metastore(self) -> Metastore:
        instance = self._one(DATABASE)
        secrets = list(instance.get("masterUserSecrets") or ())
        if len(secrets) != 1:
            raise PlatformError(f"RDS keeps no secret of the owner of {instance['identifier']}")
        return Metastore(
            identifier=instance["identifier"],
            host=instance["address"],
            port=int(instance["port"]),
            database=instance["dbName"],
            owner=instance["username"],
            owner_secret_arn=secrets[0]["secretArn"],
        )

    def _broker(self) -> Broker:
        group, user = self._one(BROKER), self._one(USER)
        return Broker(
            host=group["primaryEndpointAddress"],
            port=int(group["port"]),
            user_id=user["userId"],
            user_name=user["userName"],
        )

    def _ledger(self) -> Table:
        table = self._one(TABLE)
        return Table(
            name=table["name"],
            hash_key=table["hashKey"],
            range_key=table.get("rangeKey") or None,
            attributes={each["name"]: each["type"] for each in table["attributes"]},
            ttl_attribute=(table.get("ttl") or {}).get("attributeName") or None,
        )

    def _balancer(self) -> Configuration:
        balancer, listener = self._one(BALANCER), self._one(LISTENER)
        rules = sorted((_rule(each) for each in self._all(RULE)), key=lambda rule: rule.priority)
        headers = {"Strict-Transport-Security": listener[HSTS]} if listener.get(HSTS) else {}
        return Configuration(
            rules=tuple(rules),
            default=_fixed(listener["defaultActions"], "the listener's default action"),
            target_groups={each["arn"]: _target_group(each) for each in self._all(TARGETS)},
            idle_seconds=float(balancer["idleTimeout"]),
            response_headers=headers,
            drop_invalid_headers=bool(balancer.get("dropInvalidHeaderFields")),
            forwarded_proto=str(listener["protocol"]).lower(),
        )

    def _gate(self) -> Gate:
        function, invocation = self._single(FUNCTION), self._single(INVOCATION)
        named = invocation["inputs"]["functionName"]
        if named not in (function["id"], function["outputs"]["arn"]):
            raise PlatformError(f"{_name(invocation)} invokes {named}, which is not {function['id']}")
        return Gate(
            urn=function["urn"],
            code=function["inputs"].get("code"),
            invocation=invocation["inputs"],
            host_name=json.loads(invocation["inputs"]["input"])["hostName"],
        )

    def _entries(self, account: str) -> Iterator[Entry]:
        for each in self._resources:
            if each["type"].startswith("aws:") and each.get("id"):
                yield Entry(each["type"], each["id"], each["urn"], account, dict(each["outputs"]))


def task_definition(outputs: Mapping[str, Any]) -> TaskDefinition:
    """Return a task definition, from the outputs of its resource."""
    containers = json.loads(outputs["containerDefinitions"])
    access_points = dict(_access_points_of(outputs.get("volumes") or ()))
    return TaskDefinition(
        family=outputs["family"],
        revision=int(outputs["revision"]),
        arn=outputs["arn"],
        containers=tuple(_container(each, access_points) for each in containers),
        cpu_units=int(outputs["cpu"]),
        memory_mib=int(outputs["memory"]),
    )


def _access_points_of(volumes: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield name and access point of the volumes on EFS."""
    for each in volumes:
        if efs := each.get("efsVolumeConfiguration"):
            access_point = (efs.get("authorizationConfig") or {}).get("accessPointId")
            if not access_point:
                raise PlatformError(
                    f"the twin mounts EFS through access points, the volume {each['name']} has none"
                )
            yield each["name"], access_point


def _access_point(outputs: Mapping[str, Any]) -> AccessPoint:
    directory = outputs["rootDirectory"]
    made = directory["creationInfo"]
    return AccessPoint(
        path=directory["path"],
        owner=int(made["ownerUid"]),
        group=int(made["ownerGid"]),
        mode=int(made["permissions"], 8),
    )


def _container(each: Mapping[str, Any], access_points: Mapping[str, str]) -> Container:
    return Container(
        name=each["name"],
        image=each["image"],
        entry_point=tuple(each.get("entryPoint") or ()),
        command=tuple(each.get("command") or ()),
        environment={row["name"]: row["value"] for row in each.get("environment") or ()},
        secrets={row["name"]: _secret_source(row) for row in each.get("secrets") or ()},
        health=_health(each.get("healthCheck")),
        stop_timeout_seconds=float(each.get("stopTimeout") or STOP_SECONDS),
        depends_on=tuple((row["containerName"], row["condition"]) for row in each.get("dependsOn") or ()),
        user=each.get("user") or "",
        read_only_root=bool(each.get("readonlyRootFilesystem")),
        mounts=tuple(
            Mount(
                volume=row["sourceVolume"],
                path=row["containerPath"],
                read_only=bool(row.get("readOnly")),
                access_point=access_points.get(row["sourceVolume"], ""),
            )
            for row in each.get("mountPoints") or ()
        ),
        ports=tuple(int(row["containerPort"]) for row in each.get("portMappings") or ()),
        essential=bool(each.get("essential", True)),
        init=bool((each.get("linuxParameters") or {}).get("initProcessEnabled")),
        restart_seconds=_restart_seconds(each["name"], each.get("restartPolicy") or {}),
        log=_log_place(each.get("logConfiguration") or {}),
    )


def _restart_seconds(name: str, policy: Mapping[str, Any]) -> float | None:
    if not policy.get("enabled"):
        return None
    if policy.get("ignoredExitCodes"):
        raise PlatformError(
            f"container {name}: the twin restarts whatever the exit code, want no ignoredExitCodes"
        )
    return float(policy.get("restartAttemptPeriod") or RESTART_SECONDS)


def _log_place(configuration: Mapping[str, Any]) -> LogPlace | None:
    options = configuration.get("options") or {}
    if configuration.get("logDriver") != "awslogs":
        return None
    return LogPlace(group=options["awslogs-group"], prefix=options["awslogs-stream-prefix"])


def _secret_source(row: Mapping[str, str]) -> SecretSource:
    """Read `valueFrom`: the ARN of a secret, then key, version stage and version id, each of which may be empty."""
    parts = row["valueFrom"].split(":")
    if len(parts) < ARN_PARTS or parts[2] != "secretsmanager" or any(parts[ARN_PARTS + 1 :]):
        raise PlatformError(
            f"{row['name']}: the twin resolves secrets of Secrets Manager in their current version,"
            f" not {row['valueFrom']}"
        )
    key = parts[ARN_PARTS] if len(parts) > ARN_PARTS else ""
    return SecretSource(arn=":".join(parts[:ARN_PARTS]), key=key or None)


def _health(given: Mapping[str, Any] | None) -> HealthCheck | None:
    if not given:
        return None
    known = HEALTH_DEFAULTS | {key: value for key, value in given.items() if value is not None}
    return HealthCheck(
        command=tuple(given["command"]),
        interval_seconds=float(known["interval"]),
        timeout_seconds=float(known["timeout"]),
        retries=int(known["retries"]),
        start_period_seconds=float(known["startPeriod"]),
    )


def _rule(outputs: Mapping[str, Any]) -> Rule:
    paths: list[str] = []
    regexes: list[str] = []
    hosts: list[str] = []
    for condition in outputs["conditions"]:
        known = {key: value for key, value in condition.items() if value}
        pattern = known.pop("pathPattern", {})
        paths += pattern.get("values") or ()
        regexes += pattern.get("regexValues") or ()
        hosts += (known.pop("hostHeader", None) or {}).get("values") or ()
        if known:
            raise PlatformError(f"listener rule {outputs['priority']}: the twin knows no {sorted(known)}")
    (action,) = outputs["actions"]
    forward = action.get("targetGroupArn") if action["type"] == "forward" else None
    return Rule(
        priority=int(outputs["priority"]),
        paths=tuple(paths),
        path_regexes=tuple(regexes),
        hosts=tuple(hosts),
        target_group=forward,
        fixed=None if forward else _fixed(outputs["actions"], f"listener rule {outputs['priority']}"),
    )


def _fixed(actions: Sequence[Mapping[str, Any]], place: str) -> Fixed:
    (action,) = actions
    if action["type"] != "fixed-response":
        raise PlatformError(f"{place}: the twin knows no action {action['type']}")
    response = action["fixedResponse"]
    return Fixed(
        status=int(response["statusCode"]),
        type=response["contentType"],
        body=response.get("messageBody") or "",
    )


def _target_group(outputs: Mapping[str, Any]) -> TargetGroupSettings:
    health = outputs["healthCheck"]
    return TargetGroupSettings(
        protocol=outputs["protocol"],
        deregistration_seconds=float(outputs["deregistrationDelay"]),
        health=HealthSettings(
            path=health["path"],
            protocol=health["protocol"],
            matcher=health["matcher"],
            interval=float(health["interval"]),
            timeout=float(health["timeout"]),
            healthy_threshold=int(health["healthyThreshold"]),
            unhealthy_threshold=int(health["unhealthyThreshold"]),
        ),
    )


def _name(resource: Resource) -> str:
    return str(resource["urn"]).rpartition("::")[2]
