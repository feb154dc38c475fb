"""What tells people that an environment needs them: alarms, and the topic that they and ECS speak to.

What is worth an alarm is decided in `alarms`, what ECS reports in `service_events`. The waiting time of queued tasks
and Airflow's own numbers are not among it: nothing writes these metrics yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import alarms, checks
from components.alarm_topic import AlarmTopic, AlarmTopicArgs
from components.alarms import Alarm
from components.service_events import ServiceEvents, ServiceEventsArgs


@dataclass(frozen=True, kw_only=True)
class ObservabilityArgs:
    """Inputs of an Observability."""

    account_id: str
    """The account of the environment."""
    region: str
    """Its region."""
    role_path: str
    """IAM path of the role that EventBridge publishes with."""
    key_arn: pulumi.Input[str]
    """Key of topic and record; its policy must let CloudWatch alarms and CloudWatch Logs use it."""
    cluster_name: pulumi.Input[str]
    cluster_arn: pulumi.Input[str]
    watched: Sequence[Alarm]
    """The alarms, but for those of what is made here."""
    record_retention_days: int
    """Days that the record of stopped tasks is kept; a period that CloudWatch Logs knows."""
    emails: Sequence[str] = ()
    """Addresses that get every message."""

    def __post_init__(self) -> None:
        """Refuse two alarms of one name; the rest is refused by the parts."""
        checks.distinct("watched (their labels)", [alarm.label for alarm in self.watched])


class Observability(pulumi.ComponentResource):
    """Topic, events and alarms; the names of all alarms begin with the component's."""

    topic_arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Register the topic first: everything else speaks to it."""
        super().__init__("airflow:ops:Observability", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        topic = AlarmTopic(
            f"{name}-topic",
            AlarmTopicArgs(
                account_id=args.account_id,
                region=args.region,
                key_arn=args.key_arn,
                alarm_prefix=f"{name}-",
                emails=args.emails,
            ),
            self._child,
        )
        self.topic_arn = topic.topic_arn
        events = ServiceEvents(
            f"{name}-events",
            ServiceEventsArgs(
                account_id=args.account_id,
                region=args.region,
                role_path=args.role_path,
                cluster_name=args.cluster_name,
                cluster_arn=args.cluster_arn,
                topic_arn=self.topic_arn,
                key_arn=args.key_arn,
                record_name=name,
                record_retention_days=args.record_retention_days,
            ),
            self._child,
        )
        own = (
            alarms.of_restarts({"RuleName": events.record_rule_name}),
            alarms.of_delivery({"RuleName": events.report_rule_name}),
        )
        for alarm in (*args.watched, *own):
            self._make_alarm(name, alarm)
        self.register_outputs({"topicArn": self.topic_arn})

    def _make_alarm(self, name: str, alarm: Alarm) -> None:
        label = alarms.fixed_name(name, alarm)
        aws.cloudwatch.MetricAlarm(
            label,
            name=label if alarm.row.deployments else None,
            **alarms.inputs(alarm),
            actions_enabled=True,
            alarm_actions=[self.topic_arn],
            ok_actions=[self.topic_arn],
            opts=self._child,
        )
