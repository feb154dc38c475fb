"""Who may send messages about an environment, and where: its topic, its key, and the record of stopped tasks."""

from __future__ import annotations

from typing import Final

import pulumi

from components.iam.base import Document, Statement, document, log_group_arn, partition_of, service_trust

ALARMS_SERVICE: Final = "cloudwatch.amazonaws.com"
EVENTS_SERVICE: Final = "events.amazonaws.com"
LOG_DELIVERY_SERVICE: Final = "delivery.logs.amazonaws.com"


def topic_arn(region: str, account_id: str, topic: str) -> str:
    """Return the ARN of a topic. Built from the name, which is known in a preview: policies are checked there."""
    return _arn(region, account_id, "sns", topic)


def rule_arn(region: str, account_id: str, rule: str) -> str:
    """Return the ARN of a rule of EventBridge, built like that of a topic."""
    return _arn(region, account_id, "events", f"rule/{rule}")


def topic_policy(region: str, account_id: str, topic: pulumi.Input[str], *, alarm_prefix: str) -> Document:
    """Return the policy of the topic: alarms of this environment may publish, and nobody without TLS.

    EventBridge is not in it: it comes with a role of the account. A service principal of its own could not be held to
    this account, for "You can't use Condition blocks in Amazon SNS topic policies for EventBridge" (EventBridge guide,
    "Using resource-based policies").

    Args:
        region: Region of topic and alarms.
        account_id: Their account.
        topic: ARN of the topic.
        alarm_prefix: What the names of the environment's alarms begin with.

    """
    alarms = _arn(region, account_id, "cloudwatch", f"alarm:{alarm_prefix}*")
    return document(
        {
            "Sid": "AlarmsOfThisEnvironment",
            "Effect": "Allow",
            "Principal": {"Service": ALARMS_SERVICE},
            "Action": "sns:Publish",
            "Resource": topic,
            "Condition": {
                "StringEquals": {"aws:SourceAccount": account_id},
                "ArnLike": {"aws:SourceArn": alarms},
            },
        },
        {
            "Sid": "DenyWithoutTls",
            "Effect": "Deny",
            "Principal": "*",
            # SNS refuses sns:* in the policy of a topic.
            "Action": "sns:Publish",
            "Resource": topic,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    )


def alarms_use_key(region: str, account_id: str) -> Statement:
    """Return what the key's policy must say for alarms to publish to topics that are encrypted with it.

    It decrypts nothing but data keys of topics: SNS names the topic as encryption context. EventBridge needs no such
    statement, see `events_policy`; one could not be held to this account, for `aws:SourceAccount` and `aws:SourceArn`
    are "not supported for EventBridge-to-encrypted topics" (SNS guide, "Managing Amazon SNS encryption keys").
    """
    return {
        "Sid": "AlarmsOfThisAccount",
        "Effect": "Allow",
        "Principal": {"Service": ALARMS_SERVICE},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        # In a key policy "*" means this key, and nothing else can be written.
        "Resource": "*",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account_id},
            "ArnLike": {
                "aws:SourceArn": _arn(region, account_id, "cloudwatch", "alarm:*"),
                "kms:EncryptionContext:aws:sns:topicArn": topic_arn(region, account_id, "*"),
            },
        },
    }


def events_trust(account_id: str, rule: pulumi.Input[str]) -> Document:
    """Return the trust policy of the role that EventBridge publishes with: for the rule of this ARN."""
    return service_trust(EVENTS_SERVICE, account_id=account_id, source_arn=rule)


def events_policy(region: str, *, topic: pulumi.Input[str], key: pulumi.Input[str]) -> Document:
    """Return what EventBridge needs to publish to a topic, and to have its messages encrypted, both given by ARN."""
    suffix = "amazonaws.com.cn" if partition_of(region) == "aws-cn" else "amazonaws.com"
    return document(
        {"Sid": "Publish", "Effect": "Allow", "Action": "sns:Publish", "Resource": topic},
        {
            "Sid": "EncryptMessages",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": key,
            "Condition": {
                "StringEquals": {
                    "kms:ViaService": f"sns.{region}.{suffix}",
                    "kms:EncryptionContext:aws:sns:topicArn": topic,
                }
            },
        },
    )


def events_log(region: str, account_id: str, log_group: str) -> Document:
    """Return what CloudWatch Logs must allow EventBridge for a rule whose target is a log group.

    EventBridge takes no role for such a target. There is no condition, for rules of other accounts cannot have this
    log group as their target.
    """
    return document(
        {
            "Sid": "EventsIntoOneGroup",
            "Effect": "Allow",
            "Principal": {"Service": [EVENTS_SERVICE, LOG_DELIVERY_SERVICE]},
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": f"{log_group_arn(region, account_id, log_group)}:*",
        }
    )


def _arn(region: str, account_id: str, service: str, resource: str) -> str:
    return f"arn:{partition_of(region)}:{service}:{region}:{account_id}:{resource}"
