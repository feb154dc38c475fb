"""What ECS tells of the services of a cluster: failed deployments are reported, tasks that end by themselves recorded.

ECS tells EventBridge everything. The patterns follow the ECS guide, "Amazon ECS service deployment state change
events", "Amazon ECS service action events" and "Amazon ECS task state change events".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components import checks, iam, naming
from components.iam import alerts
from components.rendering import Documents, as_json

REPORTED: Final = (
    "SERVICE_DEPLOYMENT_FAILED",  # by the circuit breaker or by an alarm; ECS has returned to the last good version
    "SERVICE_TASK_START_IMPAIRED",  # tasks stop before they run, again and again; ECS tries less and less often
    "SERVICE_TASK_PLACEMENT_FAILURE",  # Fargate has no capacity for them
    "SERVICE_TASK_CONFIGURATION_FAILURE",  # roles, image or network do not fit together
)
"""Events of services that somebody must act upon."""
ENDED_BY_THEMSELVES: Final = ("EssentialContainerExited", "TaskFailedToStart")
"""Reasons of stopped tasks. ECS itself ends tasks for scaling and deployments, AWS takes Spot capacity back."""
UNHEALTHY: Final = "*health check*"
"""ECS ends unhealthy tasks like those of a deployment; only the words of the reason tell."""


@dataclass(frozen=True, kw_only=True)
class ServiceEventsArgs:
    """Inputs of ServiceEvents."""

    account_id: str
    """The account of the cluster."""
    region: str
    """Its region."""
    role_path: str
    """IAM path of the role that EventBridge publishes with."""
    cluster_name: pulumi.Input[str]
    cluster_arn: pulumi.Input[str]
    topic_arn: pulumi.Input[str]
    """Where reports go."""
    key_arn: pulumi.Input[str]
    """Key of the topic and of the record; its policy must let CloudWatch Logs use it."""
    record_name: str
    """Names the record, /aws/events/<record_name>/stopped-tasks; EventBridge writes only below /aws/events."""
    record_retention_days: int
    """Days that the record is kept; a period that CloudWatch Logs knows. ECS itself forgets a task after an hour."""

    def __post_init__(self) -> None:
        """Refuse what AWS would refuse only when it is created."""
        checks.account_id(self.account_id)
        checks.matching(
            "role_path", self.role_path, r"/([\w+=,.@-]+/)*", "a path that begins and ends with /"
        )
        checks.matching("record_name", self.record_name, r"[\w.-]+", "letters, digits and _.-")
        checks.retention_days("record_retention_days", self.record_retention_days)


class ServiceEvents(pulumi.ComponentResource):
    """One rule that reports, and one that records."""

    report_rule_name: pulumi.Output[str]
    record_rule_name: pulumi.Output[str]
    """Its invocations are the tasks that ended by themselves."""
    record_log_group_name: pulumi.Output[str]

    def __init__(
        self, name: str, args: ServiceEventsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Register both rules with what lets EventBridge reach their targets."""
        super().__init__("airflow:ops:ServiceEvents", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._documents = Documents()
        self.report_rule_name = self._make_report(name, args)
        self.record_rule_name = self._make_record(name, args)
        self.register_outputs(
            {
                "reportRuleName": self.report_rule_name,
                "recordRuleName": self.record_rule_name,
                "recordLogGroupName": self.record_log_group_name,
                "documents": self._documents.parts,
            }
        )

    def _make_report(self, name: str, args: ServiceEventsArgs) -> pulumi.Output[str]:
        rule = self._make_rule(f"{name}-reports", "Services that need somebody", _reports(args))
        rule_arn = rule.name.apply(lambda name: alerts.rule_arn(args.region, args.account_id, name))
        role = aws.iam.Role(
            naming.fit(f"{name}-role", naming.ROLE_NAME_LIMIT),
            description="EventBridge publishes what ECS reports about services",
            path=args.role_path,
            assume_role_policy=as_json(alerts.events_trust(args.account_id, rule_arn)),
            opts=self._child,
        )
        document = alerts.events_policy(args.region, topic=args.topic_arn, key=args.key_arn)
        policy = aws.iam.RolePolicy(
            policy_name := f"{name}-role-policy",
            role=role.name,
            policy=self._documents.text(policy_name, "policy", document),
            opts=self._child,
        )
        aws.cloudwatch.EventTarget(
            naming.fit(f"{name}-reports-target", naming.RULE_NAME_LIMIT),
            rule=rule.name,
            arn=args.topic_arn,
            role_arn=role.arn,
            # What happens before would be tried again, and be late.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        return rule.name

    def _make_record(self, name: str, args: ServiceEventsArgs) -> pulumi.Output[str]:
        rule = self._make_rule(f"{name}-stops", "Tasks of services that ended by themselves", _stops(args))
        group_name = f"/aws/events/{args.record_name}/stopped-tasks"
        group = aws.cloudwatch.LogGroup(
            f"{name}-stopped-tasks",
            name=group_name,
            retention_in_days=args.record_retention_days,
            kms_key_id=args.key_arn,
            opts=self._child,
        )
        self.record_log_group_name = group.name
        policy = aws.cloudwatch.LogResourcePolicy(
            f"{name}-record-policy",
            # An account has ten of these in a region.
            policy_name=f"{args.record_name}-stopped-tasks",
            policy_document=as_json(alerts.events_log(args.region, args.account_id, group_name)),
            opts=self._child,
        )
        aws.cloudwatch.EventTarget(
            naming.fit(f"{name}-stops-target", naming.RULE_NAME_LIMIT),
            rule=rule.name,
            arn=group.arn,
            # EventBridge gives an event up that it may not write.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        return rule.name

    def _make_rule(self, name: str, description: str, pattern: dict[str, Any]) -> aws.cloudwatch.EventRule:
        return aws.cloudwatch.EventRule(
            naming.fit(name, naming.RULE_NAME_LIMIT),
            description=description,
            event_pattern=as_json(pattern),
            opts=self._child,
        )


def _reports(args: ServiceEventsArgs) -> dict[str, Any]:
    """Return the pattern of the events that are told; those of deployments name no cluster but in the service's ARN."""
    services = f"arn:{iam.partition_of(args.region)}:ecs:{args.region}:{args.account_id}:service"
    return {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Deployment State Change", "ECS Service Action"],
        "resources": [{"prefix": pulumi.Output.concat(services, "/", args.cluster_name, "/")}],
        "detail": {"eventName": list(REPORTED)},
    }


def _stops(args: ServiceEventsArgs) -> dict[str, Any]:
    """Return the pattern of the tasks that are recorded; one-off tasks belong to no service."""
    return {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {
            "clusterArn": [args.cluster_arn],
            "lastStatus": ["STOPPED"],
            "group": [{"prefix": "service:"}],
            "$or": [
                {"stopCode": list(ENDED_BY_THEMSELVES)},
                {"stoppedReason": [{"wildcard": UNHEALTHY}]},
            ],
        },
    }
