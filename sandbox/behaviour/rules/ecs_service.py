"""Services, clusters and capacity providers of ECS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import Case, known, objects, rule
from sandbox.behaviour.values import UNKNOWN

SERVICE: Final = "aws:ecs/service:Service"
CLUSTER: Final = "aws:ecs/cluster:Cluster"
CAPACITY: Final = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
PROVIDER: Final = "aws:ecs/capacityProvider:CapacityProvider"
_NAME: Final = re.compile(r"[0-9A-Za-z_-]{1,255}")


@rule(SERVICE)
def launch(case: Case) -> Iterator[Failure]:
    """Check how a service gets its capacity."""
    strategies = case.inputs.get("capacityProviderStrategies")
    if case.has("launchType") and strategies:
        yield Failure("capacityProviderStrategies", "conflicts with launchType: AWS takes one of the two")
    yield from _strategies(strategies, "capacityProviderStrategies", 6)
    kind = case.known("launchType", "")
    names = {known(item, "capacityProvider") for _, item in objects(strategies, "")}
    fargate = kind == "FARGATE" or bool(names & {"FARGATE", "FARGATE_SPOT"})
    if fargate and not case.has("networkConfiguration"):
        yield Failure("networkConfiguration", "is required: Fargate tasks run with awsvpc networking")
    if fargate and case.known("orderedPlacementStrategies"):
        yield Failure("orderedPlacementStrategies", "are not supported on Fargate")
    if fargate and case.known("placementConstraints"):
        yield Failure("placementConstraints", "are not supported on Fargate")
    if not fargate and case.known("platformVersion") and kind:
        yield Failure("platformVersion", f"is for Fargate only, launchType is {kind}")
    if fargate and case.known("schedulingStrategy") == "DAEMON":
        yield Failure("schedulingStrategy", "DAEMON is not supported on Fargate")


def _strategies(value: Any, path: str, most: int) -> Iterator[Failure]:
    items = list(objects(value, path))
    if len(items) > most:
        yield Failure(path, f"takes at most {most} entries, got {len(items)}")
    based = [where for where, item in items if known(item, "base", 0) > 0]
    if len(based) > 1:
        yield Failure(f"{based[1]}.base", "only one entry may have a base above 0")
    weights = [item.get("weight", 0) for _, item in items]
    if len(weights) > 1 and UNKNOWN not in weights and not any(weights):
        yield Failure(path, "at least one entry needs a weight above 0")


@rule(SERVICE)
def deployment(case: Case) -> Iterator[Failure]:
    """Check percentages, controller and scheduling."""
    low, high = case.known("deploymentMinimumHealthyPercent"), case.known("deploymentMaximumPercent")
    if low is not None and high is not None and low >= high:
        yield Failure(
            "deploymentMaximumPercent",
            f"must be above deploymentMinimumHealthyPercent {low}, got {high}: no task could be replaced",
        )
    controller = known(case.known("deploymentController"), "type", "ECS")
    if not case.has("taskDefinition") and controller != "EXTERNAL":
        yield Failure("taskDefinition", "is required unless deploymentController.type is EXTERNAL")
    if case.known("schedulingStrategy") == "DAEMON":
        if controller != "ECS":
            yield Failure(
                "schedulingStrategy", f"DAEMON does not go with the deployment controller {controller}"
            )
        if case.known("deploymentMaximumPercent") not in (None, 100) and low not in (None, 0):
            yield Failure("deploymentMaximumPercent", "must be 100 with the scheduling strategy DAEMON")
    if known(case.known("deploymentCircuitBreaker"), "enable") and controller != "ECS":
        yield Failure("deploymentCircuitBreaker", f"does not go with the deployment controller {controller}")
    if case.known("healthCheckGracePeriodSeconds") and not _balanced(case):
        yield Failure("healthCheckGracePeriodSeconds", "needs a load balancer or a service registry")
    if known(case.known("networkConfiguration"), "assignPublicIp") and case.known("launchType") == "EC2":
        yield Failure("networkConfiguration.assignPublicIp", "is for Fargate only")
    name = case.known("name")
    if name is not None and not _NAME.fullmatch(name):
        yield Failure("name", f'"{name}" may hold letters, digits, - and _ only, up to 255')


def _balanced(case: Case) -> bool:
    return any(
        case.inputs.get(key)
        for key in ("loadBalancers", "vpcLatticeConfigurations", "serviceConnectConfiguration")
    )


@rule(SERVICE)
def network(case: Case) -> Iterator[Failure]:
    """Check limits of the awsvpc network."""
    settings = case.known("networkConfiguration")
    for key, most in (("subnets", 16), ("securityGroups", 5)):
        values = known(settings, key) or []
        if len(values) > most:
            yield Failure(f"networkConfiguration.{key}", f"takes at most {most}, got {len(values)}")
    if isinstance(settings, dict) and settings.get("subnets") == []:
        yield Failure("networkConfiguration.subnets", "needs at least one subnet")
    for path, balancer in objects(case.known("loadBalancers"), "loadBalancers"):
        if not balancer.get("targetGroupArn") and not balancer.get("elbName"):
            yield Failure(f"{path}.targetGroupArn", "is required (elbName is for classic load balancers)")


@rule(CLUSTER)
def cluster(case: Case) -> Iterator[Failure]:
    """Check settings and the logging of execute-command."""
    for path, setting in objects(case.known("settings"), "settings"):
        value = known(setting, "value")
        if value is not None and value not in ("enabled", "disabled", "enhanced"):
            yield Failure(f"{path}.value", f'got "{value}", allowed: enabled, disabled, enhanced')
    command = known(case.known("configuration"), "executeCommandConfiguration")
    if not command:
        return
    where = "configuration.executeCommandConfiguration"
    logging = known(command, "logging")
    if logging == "OVERRIDE" and not command.get("logConfiguration"):
        yield Failure(f"{where}.logConfiguration", "is required with logging OVERRIDE")
    if command.get("logConfiguration") and "logging" not in command:
        yield Failure(f"{where}.logging", "must be OVERRIDE with a logConfiguration")
    elif command.get("logConfiguration") and logging not in (None, "OVERRIDE"):
        yield Failure(f"{where}.logging", f"must be OVERRIDE with a logConfiguration, got {logging}")


@rule(CAPACITY)
def cluster_capacity(case: Case) -> Iterator[Failure]:
    """Check that the default strategy uses providers of the cluster."""
    providers = case.inputs.get("capacityProviders", [])
    path = "defaultCapacityProviderStrategies"
    yield from _strategies(case.known(path), path, 20)
    if providers is UNKNOWN or UNKNOWN in providers:
        return
    for where, item in objects(case.known(path), path):
        name = known(item, "capacityProvider")
        if name is not None and name not in providers:
            yield Failure(f"{where}.capacityProvider", f'"{name}" is not among capacityProviders')


@rule(PROVIDER)
def capacity_provider(case: Case) -> Iterator[Failure]:
    """Check cluster, name and protection of a capacity provider."""
    group, managed = case.has("autoScalingGroupProvider"), case.has("managedInstancesProvider")
    if managed and not case.has("cluster"):
        yield Failure("cluster", "is required with managedInstancesProvider")
    elif group and case.has("cluster"):
        yield Failure("cluster", "must not be set with autoScalingGroupProvider")
    name = case.known("name")
    if name and (not _NAME.fullmatch(name) or name.lower().startswith(("aws", "ecs", "fargate"))):
        yield Failure(
            "name", f'"{name}" may hold letters, digits, - and _, and not begin with aws, ecs or fargate'
        )
    settings = case.known("autoScalingGroupProvider")
    if known(settings, "managedTerminationProtection") == "ENABLED":
        scaling = settings.get("managedScaling", {})
        if isinstance(scaling, dict) and scaling.get("status") in (None, "DISABLED"):
            yield Failure(
                "autoScalingGroupProvider.managedTerminationProtection", "needs managedScaling.status ENABLED"
            )
