"""Topics of SNS: alarms are sent through them."""

from __future__ import annotations

from typing import Final

from policies.crossguard.rules import Rule, Severity, Tier
from policies.security.documents import each_grant, names_principals
from policies.security.keys import own_key

TOPIC: Final = "aws:sns/topic:Topic"
TOPIC_POLICY: Final = "aws:sns/topicPolicy:TopicPolicy"

RULES: Final = (
    Rule(
        name="topic-encrypted",
        why="Messages lie in plain text until they are delivered; alarms cannot use the key that AWS has for topics.",
        fix="Set `kmsMasterKeyId` to a key of the account that lets cloudwatch.amazonaws.com use it.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("110",),
        references=("SNS.1", "CKV_AWS_26", "AWS-0095", "AWS-0136"),
        on=(TOPIC,),
        check=own_key("kmsMasterKeyId"),
    ),
    Rule(
        name="topic-policy-named",
        why="Everybody could send false alarms, or read the true ones.",
        fix="Name the services and roles that may use it; `*` is nobody's name, with or without a condition.",
        severity=Severity.CRITICAL,
        tier=Tier.EVERYWHERE,
        controls=("110",),
        references=("SNS.4", "CKV_AWS_169"),
        on=(TOPIC_POLICY, TOPIC),
        check=each_grant("policy", names_principals),
    ),
)
