"""What a container needs so that somebody can be let into it (ECS Exec), and so that the session is recorded."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.iam.base import Statement, log_group_arn


@dataclass(frozen=True, kw_only=True)
class ExecFacts:
    """Where sessions of ECS Exec are recorded."""

    log_group_name: pulumi.Input[str]
    key_arn: pulumi.Input[str]


def exec_channel(region: str, account_id: str, facts: ExecFacts) -> list[Statement]:
    """Return what ECS Exec needs inside the container: its channels and the record of the session."""
    log_group = pulumi.Output.from_input(facts.log_group_name).apply(
        lambda name: log_group_arn(region, account_id, name)
    )
    return [
        {
            "Sid": "OpenSession",
            "Effect": "Allow",
            "Action": [
                "ssmmessages:CreateControlChannel",
                "ssmmessages:CreateDataChannel",
                "ssmmessages:OpenControlChannel",
                "ssmmessages:OpenDataChannel",
            ],
            # Channels have no ARN that could be known beforehand.
            "Resource": "*",
        },
        {
            "Sid": "RecordSession",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            "Resource": pulumi.Output.concat(log_group, ":*"),
        },
        {
            "Sid": "FindSessionLog",
            "Effect": "Allow",
            "Action": "logs:DescribeLogGroups",
            # logs:DescribeLogGroups lists, so AWS knows no resource to limit it to.
            "Resource": "*",
        },
        # The session is encrypted between the container and its client: no service of AWS stands in between.
        {
            "Sid": "EncryptSession",
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": facts.key_arn,
        },
    ]
