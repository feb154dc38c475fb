"""Application Auto Scaling and EC2 Auto Scaling."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import Case, known, objects, rule

TARGET: Final = "aws:appautoscaling/target:Target"
POLICY: Final = "aws:appautoscaling/policy:Policy"
SCHEDULED: Final = "aws:appautoscaling/scheduledAction:ScheduledAction"
GROUP: Final = "aws:autoscaling/group:Group"
NAMESPACES: Final = (
    "appstream", "cassandra", "comprehend", "custom-resource", "dynamodb", "ec2", "ecs", "elasticache",
    "elasticmapreduce", "kafka", "lambda", "neptune", "rds", "sagemaker", "workspaces",
)  # fmt: skip
_SCHEDULE: Final = re.compile(
    r"(at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)|rate\([1-9]\d* \w+\)|cron\((\S+ ){5}\S+\))"
)
_ECS: Final = re.compile(r"service/[^/]+/[^/]+")
_BLOCKS: Final = {
    "StepScaling": "stepScalingPolicyConfiguration",
    "TargetTrackingScaling": "targetTrackingScalingPolicyConfiguration",
    "PredictiveScaling": "predictiveScalingPolicyConfiguration",
}


@rule(TARGET, POLICY, SCHEDULED)
def scalable(case: Case) -> Iterator[Failure]:
    """Check that namespace, dimension and resource belong together."""
    namespace, dimension = case.known("serviceNamespace"), case.known("scalableDimension")
    resource = case.known("resourceId")
    if namespace is not None and namespace not in NAMESPACES:
        yield Failure("serviceNamespace", f'got "{namespace}", allowed: {", ".join(NAMESPACES)}')
    elif namespace and dimension and not dimension.startswith(f"{namespace}:"):
        yield Failure("scalableDimension", f'"{dimension}" does not belong to {namespace}')
    elif namespace == "ecs" and dimension not in (None, "ecs:service:DesiredCount"):
        yield Failure("scalableDimension", f'must be ecs:service:DesiredCount, got "{dimension}"')
    if namespace == "ecs" and resource is not None and not _ECS.fullmatch(resource):
        yield Failure("resourceId", f'expected service/{{cluster}}/{{service}}, got "{resource}"')


@rule(TARGET)
def capacities(case: Case) -> Iterator[Failure]:
    """Check that the least is not above the most."""
    yield from _order(case.known("minCapacity"), case.known("maxCapacity"), "minCapacity", "maxCapacity", "")


@rule(SCHEDULED)
def scheduled(case: Case) -> Iterator[Failure]:
    """Check capacities and the schedule."""
    action = case.known("scalableTargetAction")
    low, high = known(action, "minCapacity"), known(action, "maxCapacity")
    yield from _order(low, high, "minCapacity", "maxCapacity", "scalableTargetAction.")
    schedule = case.known("schedule")
    if schedule is not None and not _SCHEDULE.fullmatch(schedule):
        yield Failure("schedule", f'expected at(...), rate(...) or cron(...) with 6 fields, got "{schedule}"')


@rule(POLICY)
def policy(case: Case) -> Iterator[Failure]:
    """Check that the block of the policy's type is given, and its metrics."""
    kind = case.inputs.get("policyType", "StepScaling")
    block = _BLOCKS.get(kind) if isinstance(kind, str) else None
    if block and not case.has(block):
        yield Failure(block, f"is required with policyType {kind}")
    for other in _BLOCKS.values():
        if block and case.has(block) and other != block and case.has(other):
            yield Failure(other, f"does not belong to policyType {kind}")
    metric = known(case.known("targetTrackingScalingPolicyConfiguration"), "predefinedMetricSpecification")
    name = known(metric, "predefinedMetricType")
    where = "targetTrackingScalingPolicyConfiguration.predefinedMetricSpecification.resourceLabel"
    if name == "ALBRequestCountPerTarget" and not metric.get("resourceLabel"):
        yield Failure(where, "is required for ALBRequestCountPerTarget")
    elif name is not None and name != "ALBRequestCountPerTarget" and metric.get("resourceLabel"):
        yield Failure(where, f"is for ALBRequestCountPerTarget only, got {name}")


@rule(GROUP)
def group(case: Case) -> Iterator[Failure]:
    """Check sizes and where instances go."""
    low, high, wanted = case.known("minSize"), case.known("maxSize"), case.known("desiredCapacity")
    yield from _order(low, high, "minSize", "maxSize", "")
    if wanted is not None and low is not None and high is not None and not low <= wanted <= high:
        yield Failure("desiredCapacity", f"must be between minSize {low} and maxSize {high}, got {wanted}")
    if not case.inputs.get("vpcZoneIdentifiers") and not case.inputs.get("availabilityZones"):
        yield Failure("vpcZoneIdentifiers", "at least one subnet or availability zone is required")
    life = case.known("maxInstanceLifetime")
    if life and not 86400 <= life <= 31536000:
        yield Failure("maxInstanceLifetime", f"must be 0 or 86400 to 31536000 seconds, got {life}")
    for path, tag in objects(case.known("tags"), "tags"):
        if known(tag, "key", "x").lower().startswith("aws:"):
            yield Failure(f"{path}.key", "must not begin with aws:")


def _order(low: Any, high: Any, least: str, most: str, prefix: str) -> Iterator[Failure]:
    if low is not None and high is not None and low > high:
        yield Failure(f"{prefix}{most}", f"must not be below {least} {low}, got {high}")
