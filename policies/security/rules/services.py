"""What runs on a cluster: services, and the tasks that schedules, event rules and pipes start."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from policies.crossguard.checks import (
    all_of,
    any_of,
    at_least,
    each,
    is_false,
    is_set,
    is_true,
    none_of,
    one_of,
    when,
)
from policies.crossguard.findings import Check, Finding, Violation, judged
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View

SERVICE: Final = "aws:ecs/service:Service"
TASK_SET: Final = "aws:ecs/taskSet:TaskSet"
SCHEDULE: Final = "aws:scheduler/schedule:Schedule"
EVENT_TARGET: Final = "aws:cloudwatch/eventTarget:EventTarget"
PIPE: Final = "aws:pipes/pipe:Pipe"
DAEMON: Final = "aws:ecs/daemon:Daemon"
DEFAULT_CAPACITY: Final = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
RUNNERS: Final = (SERVICE, TASK_SET, SCHEDULE, EVENT_TARGET, PIPE)
_PLACES: Final = ("", "target.ecsParameters.", "ecsTarget.", "targetParameters.ecsTaskParameters.")
"""Where these types have what is the same for all tasks, however they are started."""

SPOT: Final = "FARGATE_SPOT"


def anywhere(check: Callable[[str], Check]) -> Check:
    """Return a check that is made wherever a type may have the parameters of a task."""
    return all_of(*(check(place) for place in _PLACES))


_on_demand: Check = none_of("capacityProvider", {SPOT})
_first_on_demand: Check = all_of(_on_demand, at_least("base", 1))


def keeps_on_demand(path: str) -> Check:
    """Return a check that Spot capacity is never all there is: none is used, or the first task is elsewhere."""

    def some_first(view: View) -> Iterator[Finding]:
        parts = [_about(_first_on_demand, part) for part in view.at(path).items()]
        yield from any_of(*parts)(view) if parts else ()

    def check(view: View) -> Iterator[Finding]:
        for finding in any_of(each(path, _on_demand), some_first)(view):
            want = f"{path} may leave every task to {SPOT}, want a first one elsewhere"
            yield Violation(want) if isinstance(finding, Violation) else finding

    return check


def _about(check: Check, part: View) -> Check:
    return lambda _: judged(check, part)


def _several(service: View) -> bool:
    """Say whether it has more tasks than one, of which some can stay while others are replaced."""
    return service["desiredCount"].number() >= 2


RULES: Final = (
    Rule(
        name="ecs-no-public-address",
        why="A task with a public address can be reached, and reaches others, past the load balancer and the NAT.",
        fix="Remove `assignPublicIp`, and run the task in private subnets.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("16",),
        references=("ECS.2", "ECS.16", "CKV_AWS_333", "CT.ECS.PR.9"),
        on=RUNNERS,
        check=all_of(
            anywhere(lambda place: is_false(f"{place}networkConfiguration.assignPublicIp")),
            none_of(
                "targetParameters.ecsTaskParameters.networkConfiguration.awsVpcConfiguration.assignPublicIp",
                {"ENABLED"},
            ),
        ),
    ),
    Rule(
        name="ecs-latest-platform",
        why="An old version of Fargate gets no more security updates.",
        fix="Remove `platformVersion`, or set it to LATEST.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("17",),
        references=("ECS.10", "CKV_AWS_332", "CT.ECS.PR.1"),
        on=RUNNERS,
        check=anywhere(lambda place: one_of(f"{place}platformVersion", {"LATEST"}, default="LATEST")),
    ),
    Rule(
        name="ecs-service-rolls-back",
        why="A deployment whose tasks do not start goes on for hours, and takes what works with it.",
        fix="Set `deploymentCircuitBreaker` with enable and rollback.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("18",),
        on=(SERVICE,),
        check=all_of(
            is_true("deploymentCircuitBreaker.enable"), is_true("deploymentCircuitBreaker.rollback")
        ),
    ),
    Rule(
        name="ecs-service-deployment-alarms",
        why="A deployment whose tasks start, but do not work, is taken for a success.",
        fix="Set `alarms` with the names of the service's alarms, enable and rollback.",
        severity=Severity.HIGH,
        tier=Tier.PROD,
        controls=("18",),
        on=(SERVICE,),
        check=all_of(
            is_set("alarms.alarmNames", "at least one alarm"),
            when(
                lambda service: not service["alarms"].absent,
                is_true("alarms.enable"),
                is_true("alarms.rollback"),
            ),
        ),
    ),
    Rule(
        name="ecs-service-keeps-on-demand",
        why="AWS can take all Spot capacity back within two minutes, and then nothing runs.",
        fix="Give the strategy an entry for FARGATE with a `base` of at least 1.",
        severity=Severity.HIGH,
        tier=Tier.PROD,
        controls=("19",),
        on=(SERVICE, TASK_SET, DEFAULT_CAPACITY),
        check=all_of(
            keeps_on_demand("capacityProviderStrategies"),
            keeps_on_demand("defaultCapacityProviderStrategies"),
        ),
    ),
    Rule(
        name="ecs-no-exec",
        why="Who may use ECS Exec types commands into a running container, with all rights of its task.",
        fix="Remove `enableExecuteCommand`.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("20",),
        on=(SERVICE, SCHEDULE, EVENT_TARGET, PIPE, DAEMON),
        check=anywhere(lambda place: is_false(f"{place}enableExecuteCommand")),
    ),
    Rule(
        name="ecs-service-stays-during-deployment",
        why="A deployment that stops tasks before new ones work leaves too few, or none.",
        fix="Set `deploymentMinimumHealthyPercent` to 100 or remove it, and `deploymentMaximumPercent` to 200.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("21",),
        on=(SERVICE,),
        check=when(_several, at_least("deploymentMinimumHealthyPercent", 100, default=100)),
    ),
)
