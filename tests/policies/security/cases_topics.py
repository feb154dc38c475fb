"""Cases of the rules about topics."""

from __future__ import annotations

from typing import Final

from policies.security.rules.topics import TOPIC, TOPIC_POLICY
from tests.policies.cases import Case, Change

TOPIC_ARN: Final = "arn:aws:sns:eu-west-1:111122223333:alarms"
SENDERS: Final = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": TOPIC_ARN,
        "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}},
    },
}
A_TOPIC: Final = {"kmsMasterKeyId": "alias/airflow-dev", "policy": SENDERS}

CASES: Final = (
    Case(
        rule="topic-encrypted",
        type=TOPIC,
        good=A_TOPIC,
        changes=(Change(path="kmsMasterKeyId", bad=""), Change(path="kmsMasterKeyId", bad="alias/aws/sns")),
        golden=None,
    ),
    *(
        Case(
            rule="topic-policy-named",
            type=token,
            good=A_TOPIC,
            changes=(
                Change(path="policy.Statement.Principal", bad="*", absent=False),
                Change(path="policy.Statement.Principal", bad={"AWS": "*"}, absent=False),
                Change(path="policy.Statement.Principal.Service", bad="*", absent=False),
                Change(path="policy.Statement.NotPrincipal", bad={"AWS": "111122223333"}, absent=False),
            ),
            golden=None,
        )
        for token in (TOPIC, TOPIC_POLICY)
    ),
)
