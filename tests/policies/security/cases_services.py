"""Cases of the rules about services, and about tasks that are started in other ways."""

from __future__ import annotations

from typing import Any, Final

from policies.security.rules.services import (
    DAEMON,
    DEFAULT_CAPACITY,
    EVENT_TARGET,
    PIPE,
    SCHEDULE,
    SERVICE,
    SPOT,
    TASK_SET,
)
from tests.policies.cases import Case, Change

STRATEGIES: Final = [
    {"capacityProvider": "FARGATE", "base": 1, "weight": 50},
    {"capacityProvider": SPOT, "weight": 50},
]
RUN: Final[dict[str, Any]] = {
    "networkConfiguration": {"assignPublicIp": False, "subnets": ["subnet-1", "subnet-2"]},
    "platformVersion": "LATEST",
    "enableExecuteCommand": False,
}
GOOD: Final[dict[str, dict[str, Any]]] = {
    SERVICE: RUN
    | {
        "capacityProviderStrategies": STRATEGIES,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "alarms": {"alarmNames": ["running"], "enable": True, "rollback": True},
        "desiredCount": 2,
        "deploymentMinimumHealthyPercent": 100,
    },
    TASK_SET: RUN | {"capacityProviderStrategies": STRATEGIES},
    SCHEDULE: {
        "kmsKeyArn": "arn:aws:kms:eu-west-1:111111111111:key/1",
        "target": {
            "ecsParameters": RUN,
            "deadLetterConfig": {"arn": "arn:aws:sqs:eu-west-1:111111111111:queue"},
        },
    },
    EVENT_TARGET: {"ecsTarget": RUN},
    PIPE: {
        "targetParameters": {
            "ecsTaskParameters": {
                "networkConfiguration": {"awsVpcConfiguration": {"assignPublicIp": "DISABLED"}},
                "platformVersion": "LATEST",
                "enableExecuteCommand": False,
            }
        }
    },
    DAEMON: {"enableExecuteCommand": False},
    DEFAULT_CAPACITY: {"defaultCapacityProviderStrategies": STRATEGIES},
}
PLACES: Final = {
    SERVICE: "",
    TASK_SET: "",
    DAEMON: "",
    SCHEDULE: "target.ecsParameters.",
    EVENT_TARGET: "ecsTarget.",
    PIPE: "targetParameters.ecsTaskParameters.",
}
_ADDRESS: Final = "networkConfiguration.assignPublicIp"
_PIPE_ADDRESS: Final = "networkConfiguration.awsVpcConfiguration.assignPublicIp"


def _case(rule: str, *changes: Change, token: str = SERVICE, golden: str | None = "") -> Case:
    return Case(rule=rule, type=token, good=GOOD[token], changes=changes, golden=golden)


CASES: Final = (
    *(
        _case(
            "ecs-no-public-address",
            Change(path=f"{PLACES[token]}{_ADDRESS}", bad=True, absent=False),
            token=token,
        )
        for token in (SERVICE, TASK_SET, SCHEDULE, EVENT_TARGET)
    ),
    _case(
        "ecs-no-public-address",
        Change(path=f"{PLACES[PIPE]}{_PIPE_ADDRESS}", bad="ENABLED", absent=False),
        token=PIPE,
    ),
    *(
        _case(
            "ecs-latest-platform",
            Change(path=f"{PLACES[token]}platformVersion", bad="1.3.0", absent=False),
            token=token,
        )
        for token in (SERVICE, TASK_SET, SCHEDULE, EVENT_TARGET, PIPE)
    ),
    _case(
        "ecs-service-rolls-back",
        Change(path="deploymentCircuitBreaker.enable", bad=False),
        Change(path="deploymentCircuitBreaker.rollback", bad=False),
    ),
    _case(
        "ecs-service-deployment-alarms",
        Change(path="alarms.alarmNames", bad=[], typed=False),
        Change(path="alarms.enable", bad=False),
        Change(path="alarms.rollback", bad=False),
    ),
    _case(
        "ecs-service-keeps-on-demand",
        Change(path="capacityProviderStrategies[0].capacityProvider", bad=SPOT, absent=False),
        # Workers of dev may all be taken away.
        golden="prod-scheduler",
    ),
    *(
        _case(
            "ecs-service-keeps-on-demand",
            Change(path="capacityProviderStrategies[0].base", bad=0),
            token=token,
            golden=None,
        )
        for token in (SERVICE, TASK_SET)
    ),
    _case(
        "ecs-service-keeps-on-demand",
        Change(path="defaultCapacityProviderStrategies[0].capacityProvider", bad=SPOT, absent=False),
        token=DEFAULT_CAPACITY,
        golden="prod-",
    ),
    *(
        _case(
            "ecs-no-exec",
            Change(path=f"{PLACES[token]}enableExecuteCommand", bad=True, absent=False),
            token=token,
        )
        for token in (SERVICE, SCHEDULE, EVENT_TARGET, PIPE, DAEMON)
    ),
    _case(
        "ecs-service-stays-during-deployment",
        Change(path="deploymentMinimumHealthyPercent", bad=99, absent=False),
        Change(path="deploymentMinimumHealthyPercent", bad=0, absent=False),
        # Those of dev have one task.
        golden="prod-scheduler",
    ),
)
