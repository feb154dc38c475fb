"""What moto cannot do: tasks of Fargate that end, and ModifyUser of ElastiCache."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from moto.backends import get_backend

ACCOUNT, REGION = "123456789012", "eu-west-1"  # the account that moto plays
USER = "airflow-dev"
CLUSTER, CONTAINER = "airflow-dev", "bootstrap"
POLLS = 3
"""How often a task is looked at until it has stopped."""


def refused(code: str, operation: str = "Something", message: str = "refused", **more: Any) -> ClientError:
    """Return an error of AWS."""
    return ClientError({"Error": {"Code": code, "Message": message}, **more}, operation)


@dataclass
class FargateTask:
    """One task of the stand-in."""

    arn: str
    token: str
    request: dict[str, Any]
    exit_code: int | None
    polls_left: int = POLLS
    details: dict[str, Any] = field(default_factory=dict)
    """What ECS says about its end."""

    @property
    def stopped(self) -> bool:
        return self.polls_left <= 0


class Fargate:
    """What ECS does with tasks: they run for some polls, stop with an exit code, and answer to client tokens."""

    def __init__(self) -> None:
        self.tasks: list[FargateTask] = []
        self.exit_codes: list[int | None] = []
        """Of the next tasks; 0 when there are none left."""
        self.details: dict[str, Any] = {}
        self.failures: list[str] = []
        """Reasons why the next calls place no task."""
        self.most_at_once = 0
        self._model = get_backend("ecs")[ACCOUNT][REGION]

    def before(self, operation: str, params: dict[str, Any]) -> Any:
        """Answer what moto must not."""
        return self._before_run(params) if operation == "RunTask" else None

    def after(self, operation: str, parsed: dict[str, Any]) -> None:
        """Correct what moto has answered."""
        if operation == "RunTask":
            self._after_run(parsed)
        if operation == "DescribeTasks":
            self._describe(parsed)

    def _before_run(self, params: dict[str, Any]) -> Any:
        self._request = json.loads(params["body"])
        known = next((task for task in self.tasks if task.token == self._request["clientToken"]), None)
        if self.failures:
            return _answer({"tasks": [], "failures": [{"reason": self.failures.pop(0), "detail": "detail"}]})
        if known is None:
            return None
        if known.request != self._request:
            raise refused("ConflictException", "RunTask", resourceIds=[known.arn])
        return _answer({"tasks": [self._shown(known, {"taskArn": known.arn})], "failures": []})

    def _after_run(self, parsed: dict[str, Any]) -> None:
        if not parsed.get("tasks"):
            return
        arn = parsed["tasks"][0]["taskArn"]
        if any(task.arn == arn for task in self.tasks):
            return
        code = self.exit_codes.pop(0) if self.exit_codes else 0
        task = FargateTask(arn, self._request["clientToken"], self._request, code, details=dict(self.details))
        self.tasks.append(task)
        parsed["tasks"][0]["lastStatus"] = "PROVISIONING"
        self.most_at_once = max(self.most_at_once, sum(not task.stopped for task in self.tasks))

    def _describe(self, parsed: dict[str, Any]) -> None:
        for shown in parsed.get("tasks", []):
            for task in self.tasks:
                if task.arn == shown["taskArn"]:
                    task.polls_left -= 1
                    self._shown(task, shown)

    def _shown(self, task: FargateTask, shown: dict[str, Any]) -> dict[str, Any]:
        shown["lastStatus"] = "STOPPED" if task.stopped else "RUNNING"
        shown["startedBy"] = task.request["startedBy"]
        if task.stopped:
            self._model.tasks[CLUSTER][task.arn].desired_status = "STOPPED"
            container = {"name": CONTAINER} | ({} if task.exit_code is None else {"exitCode": task.exit_code})
            shown |= {"containers": [container], **task.details}
        return shown


class BrokerUsers:
    """What ElastiCache does with ModifyUser: the user is modifying for one look, and can be busy before."""

    def __init__(self) -> None:
        self.modified: list[dict[str, str]] = []
        self.busy = 0
        """How many calls find the user busy."""
        self.busy_code = "InvalidUserState"
        self.looks = 0
        """How often a user that is modifying is looked at until it is active."""
        self._model = get_backend("elasticache")[ACCOUNT][REGION]

    def before(self, operation: str, params: dict[str, Any]) -> Any:
        """Answer ModifyUser; let time pass with every look."""
        user = self._model.users[USER]
        if operation == "DescribeUsers":
            self.looks -= 1
            if self.looks <= 0 and user.status == "modifying":
                user.status = "active"
        if operation != "ModifyUser":
            return None
        if self.busy:
            self.busy -= 1
            raise refused(self.busy_code, "ModifyUser")
        self.modified.append(params["body"])
        user.status, self.looks = "modifying", 2
        return _answer({"UserId": USER, "Status": "modifying"})


def _answer(content: dict[str, Any]) -> tuple[AWSResponse, dict[str, Any]]:
    return AWSResponse("https://simulated", 200, {}, None), content
