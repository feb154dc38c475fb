"""Where everything is said that somebody should know of: an SNS topic, and the people who get it by e-mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import checks, naming
from components.iam import alerts
from components.rendering import Documents

EMAIL = r"[^@\s]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"


@dataclass(frozen=True, kw_only=True)
class AlarmTopicArgs:
    """Inputs of an AlarmTopic."""

    account_id: str
    """The account of topic and alarms."""
    region: str
    """Their region."""
    key_arn: pulumi.Input[str]
    """Key of the messages; its policy must let CloudWatch alarms use it."""
    alarm_prefix: str
    """What the names of the alarms begin with that may publish."""
    emails: Sequence[str] = ()
    """Addresses that get every message. SNS asks each for its consent first."""

    def __post_init__(self) -> None:
        """Refuse what SNS would refuse only when it is created."""
        checks.account_id(self.account_id)
        checks.matching("alarm_prefix", self.alarm_prefix, r"[\w.-]+", "letters, digits and _.-")
        checks.distinct("emails", self.emails)
        for email in self.emails:
            checks.matching("emails", email, EMAIL, "an e-mail address")


class AlarmTopic(pulumi.ComponentResource):
    """One topic, encrypted with a key of the account.

    Whoever wants messages somewhere else (a chat, a pager) subscribes it to the topic.
    """

    topic_arn: pulumi.Output[str]

    def __init__(self, name: str, args: AlarmTopicArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the topic, who may publish, and who is told."""
        super().__init__("airflow:ops:AlarmTopic", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        documents = Documents()
        topic = aws.sns.Topic(
            naming.fit(name, naming.TOPIC_NAME_LIMIT), kms_master_key_id=args.key_arn, opts=self._child
        )
        self.topic_arn = topic.arn
        own_arn = topic.name.apply(lambda name: alerts.topic_arn(args.region, args.account_id, name))
        document = alerts.topic_policy(args.region, args.account_id, own_arn, alarm_prefix=args.alarm_prefix)
        aws.sns.TopicPolicy(
            policy_name := f"{name}-policy",
            arn=topic.arn,
            policy=documents.text(policy_name, "policy", document),
            opts=self._child,
        )
        for email in args.emails:
            aws.sns.TopicSubscription(
                f"{name}-{email}",
                topic=topic.arn,
                protocol="email",
                endpoint=email,
                opts=self._child,
            )
        self.register_outputs({"topicArn": self.topic_arn, "documents": documents.parts})
