"""What AWS answers for ECS, ECR, service discovery and Application Auto Scaling."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sandbox.behaviour.model import Properties
from sandbox.behaviour.outputs_base import LOWER, Ids, New, Shape, known_text

TASK: Final = "aws:ecs/taskDefinition:TaskDefinition"
CLUSTER: Final = "aws:ecs/cluster:Cluster"


def cluster_name(value: Any) -> str:
    """Give the name of a cluster that is given by name or ARN; `default` when it is not given."""
    return known_text(value, "default").rpartition("/")[2]


def _service(new: New) -> Properties:
    rolling = new.outputs.get("deploymentController", {}).get("type", "ECS") == "ECS"
    daemon = new.outputs.get("schedulingStrategy") == "DAEMON"
    provided = bool(new.outputs.get("capacityProviderStrategies"))
    launch = new.outputs.get("launchType") or ("" if provided else "EC2")
    if rolling:
        deployment = new.outputs.setdefault("deploymentConfiguration", {})
        deployment.setdefault("strategy", "ROLLING")
        deployment.setdefault("bakeTimeInMinutes", "0")
    role = new.arn(f"iam::{new.account}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS")
    awsvpc = "networkConfiguration" in new.outputs
    return {
        "cluster": new.local("ecs", "cluster/default"),
        "launchType": launch,
        "platformVersion": "LATEST" if launch == "FARGATE" or provided else "",
        "iamRole": role if awsvpc or new.outputs.get("loadBalancers") else "",
        "availabilityZoneRebalancing": "DISABLED" if daemon else "ENABLED",
        "triggers": {},
    }


def _revision(new: New) -> int:
    """Count up: AWS never gives a revision of a family twice while an older one is known."""
    family = new.outputs.get("family")
    known = [old.get("revision", 0) for _, old in new.world.all(TASK) if old.get("family") == family]
    return int(max(known, default=0)) + 1


def _task(new: New) -> Properties:
    revision = _revision(new)
    base = new.local("ecs", f"task-definition/{new.text('family')}")
    containers = new.text("containerDefinitions")
    if containers:
        new.outputs["containerDefinitions"] = stored_containers(containers)
    awsvpc = "FARGATE" in new.items("requiresCompatibilities")
    return {
        "arn": f"{base}:{revision}",
        "arnWithoutRevision": base,
        "revision": revision,
        "networkMode": "awsvpc" if awsvpc else "bridge",
        "enableFaultInjection": False,
    }


def stored_containers(text: str) -> str:
    """Write container definitions as the provider keeps them: no nulls, sorted, AWS's defaults."""
    try:
        containers = json.loads(text)
    except ValueError:
        return text
    if not isinstance(containers, list):
        return text
    kept = [
        {key: value for key, value in container.items() if value is not None}
        for container in containers
        if isinstance(container, dict)
    ]
    for container in kept:
        for key, value in (
            ("environment", []),
            ("essential", True),
            ("mountPoints", []),
            ("portMappings", []),
            ("systemControls", []),
            ("volumesFrom", []),
        ):
            container.setdefault(key, value)
        if isinstance(container["environment"], list):
            container["environment"].sort(key=lambda item: str(item.get("name", "")))
    return json.dumps(kept, sort_keys=True, separators=(",", ":"))


def _registry(new: New) -> Properties:
    return {
        "registryId": new.account,
        "repositoryUrl": f"{new.account}.dkr.ecr.{new.region}.{new.dns}/{new.text('name')}",
    }


def _repository(new: New) -> Properties:
    for encryption in new.items("encryptionConfigurations"):
        if encryption.get("encryptionType") == "KMS":
            encryption.setdefault(
                "kmsKey", new.local("kms", f"key/{Ids(new.account, new.region).uuid('ecr')}")
            )
    return _registry(new)


def _capacity_provider(new: New) -> Properties:
    provider = new.outputs.get("autoScalingGroupProvider")
    if isinstance(provider, dict):
        provider.setdefault("managedDraining", "ENABLED")
        provider.setdefault("managedTerminationProtection", "DISABLED")
        scaling = provider.setdefault("managedScaling", {"status": "DISABLED"})
        for key, value in (
            ("status", "ENABLED"),
            ("instanceWarmupPeriod", 300),
            ("maximumScalingStepSize", 10000),
            ("minimumScalingStepSize", 1),
            ("targetCapacity", 100),
        ):
            scaling.setdefault(key, value)
    return {}


def _scaling_policy(new: New) -> Properties:
    target = f"TargetTracking-{new.text('resourceId')}"
    tracking = new.outputs.get("policyType") == "TargetTrackingScaling"
    alarms = [f"{target}-Alarm{side}-{new.ids.uuid(side)}" for side in ("High", "Low")]
    return {"alarmArns": [new.local("cloudwatch", f"alarm:{alarm}") for alarm in alarms] if tracking else []}


def _scaling_role(new: New) -> Properties:
    namespace = new.text("serviceNamespace", "ecs")
    names = {
        "ecs": "ECSService",
        "rds": "RDSCluster",
        "lambda": "LambdaConcurrency",
        "dynamodb": "DynamoDBTable",
    }
    service = names.get(namespace, namespace.capitalize())
    role = f"AWSServiceRoleForApplicationAutoScaling_{service}"
    path = f"role/aws-service-role/{namespace}.application-autoscaling.amazonaws.com/{role}"
    suspended = ("dynamicScalingInSuspended", "dynamicScalingOutSuspended", "scheduledScalingSuspended")
    return {
        "roleArn": new.arn(f"iam::{new.account}:{path}"),
        "suspendedState": dict.fromkeys(suspended, False),
    }


def _scaling_arn(kind: str, label: str) -> str:
    resource = f"resource/{{serviceNamespace}}/{{resourceId}}:{label}/{{name}}"
    return f"autoscaling:{{region}}:{{account}}:{kind}:{{uuid}}:{resource}"


def _namespace_id(prefix: str) -> str:
    return f"{prefix}-{{lower16}}"


def _hosted_zone(new: New) -> Properties:
    return {"hostedZone": f"Z{new.ids.text(LOWER, 19, 'zone').upper()}"}


def _discovery_service(new: New) -> Properties:
    dns = new.outputs.get("dnsConfig")
    namespace = known_text(dns.get("namespaceId")) if isinstance(dns, dict) else ""
    return {"namespaceId": namespace, "type": "DNS_HTTP" if namespace else "HTTP"}


_REGISTRY: Final = {"registryId": "{account}"}
_NAMESPACE_ARN: Final = "servicediscovery:{region}:{account}:namespace/{id}"

SHAPES: Final[Mapping[str, Shape]] = {
    CLUSTER: Shape(
        id="{arn}",
        arn="ecs:{region}:{account}:cluster/{name}",
        values={"settings": [{"name": "containerInsights", "value": "disabled"}]},
    ),
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": Shape(id="{clusterName}"),
    "aws:ecs/capacityProvider:CapacityProvider": Shape(
        id="{arn}", arn="ecs:{region}:{account}:capacity-provider/{name}", fill=_capacity_provider
    ),
    "aws:ecs/service:Service": Shape(
        id="{arn}",
        arn=lambda new: new.format(
            f"ecs:{{region}}:{{account}}:service/{cluster_name(new.outputs.get('cluster'))}/{{name}}"
        ),
        fill=_service,
    ),
    TASK: Shape(id="{family}", fill=_task),
    "aws:ecr/repository:Repository": Shape(
        id="{name}", arn="ecr:{region}:{account}:repository/{name}", fill=_repository
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": Shape(id="{repository}", values=_REGISTRY),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": Shape(id="{repository}", values=_REGISTRY),
    "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration": Shape(
        id="{account}", values=_REGISTRY
    ),
    "aws:ecr/replicationConfiguration:ReplicationConfiguration": Shape(id="{account}", values=_REGISTRY),
    "aws:appautoscaling/target:Target": Shape(
        id="{resourceId}",
        arn="application-autoscaling:{region}:{account}:scalable-target/{hex26}",
        fill=_scaling_role,
    ),
    "aws:appautoscaling/policy:Policy": Shape(
        id="{name}", arn=_scaling_arn("scalingPolicy", "policyName"), fill=_scaling_policy
    ),
    "aws:appautoscaling/scheduledAction:ScheduledAction": Shape(
        id="{name}-{serviceNamespace}-{resourceId}",
        arn=_scaling_arn("scheduledAction", "scheduledActionName"),
    ),
    "aws:servicediscovery/httpNamespace:HttpNamespace": Shape(
        id=_namespace_id("ns"), arn=_NAMESPACE_ARN, values={"httpName": "{name}"}
    ),
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": Shape(
        id=_namespace_id("ns"), arn=_NAMESPACE_ARN, fill=_hosted_zone
    ),
    "aws:servicediscovery/service:Service": Shape(
        id=_namespace_id("srv"),
        arn="servicediscovery:{region}:{account}:service/{id}",
        fill=_discovery_service,
    ),
}
