"""The golden stacks as they would be if they followed every advice as well: then no rule at all is raised.

What prod does not follow, and why, stands in policies/security/advised.csv; here is what would follow it.
"""

from __future__ import annotations

from typing import Final

from policies.security.controls import advised
from policies.security.rules.security_groups import EGRESS_RULE, INGRESS_RULE
from tests.policies.golden import Golden
from tests.policies.relation_kinds import METASTORE_PORT, TAGS
from tests.policies.row_operations import Of, Operation, then, with_option, with_property, with_resource

INSTANCE: Final = "aws:rds/instance:Instance"
FUNCTION: Final = "aws:lambda/function:Function"
SECRET: Final = "aws:secretsmanager/secret:Secret"
PLAN: Final = "aws:backup/plan:Plan"
POOL: Final = "airflow:compute:WorkerPool"
ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
ZONE: Final = "aws:route53/zone:Zone"
ELSEWHERE: Final = "arn:aws:backup:eu-central-1:222222222222:backup-vault:airflow-prod"


def _each(token: str, path: str, value: object, part: str = "") -> Operation:
    """Return an operation on every resource of a type whose name contains a text."""

    def operation(golden: Golden) -> Golden:
        named = [row["urn"].rpartition("::")[2] for row in golden.rows if row["type"] == token]
        names = [name for name in named if part in name]
        return then(*(with_property(token, name, path, value) for name in names))(golden)

    return operation


def _waiting(golden: Golden) -> Golden:
    """Give each worker pool an alarm about the age of what waits in its queues."""
    for row in [row for row in golden.rows if row["type"] == POOL]:
        name = f"{row['urn'].rpartition('::')[2]}-age"
        made = with_resource(
            ALARM,
            name,
            {
                "namespace": "Airflow/prod",
                "metricName": "OldestQueuedSeconds",
                "actionsEnabled": True,
                "alarmActions": [Of("aws:sns/topic:Topic", "alarms", "arn")],
                "tagsAll": TAGS,
            },
        )
        golden = with_option(ALARM, name, "parent", row["urn"])(made(golden))
    return golden


FOLLOWED: Final[dict[str, Operation]] = {
    "backup-plan-copies-elsewhere": with_property(
        PLAN, "", "rules[0].copyActions", [{"destinationVaultArn": ELSEWHERE}]
    ),
    "lambda-concurrency-limited": _each(FUNCTION, "reservedConcurrentExecutions", 1),
    "lambda-traced": _each(FUNCTION, "tracingConfig", {"mode": "Active"}),
    "rds-events-reported": with_resource(
        "aws:rds/eventSubscription:EventSubscription",
        "events",
        {"snsTopic": Of("aws:sns/topic:Topic", "alarms", "arn"), "enabled": True, "tagsAll": TAGS},
    ),
    "rds-instance-iam-authentication": _each(INSTANCE, "iamDatabaseAuthenticationEnabled", True),
    "rds-port": then(
        _each(INSTANCE, "port", METASTORE_PORT),
        *(
            _each(token, port, METASTORE_PORT, "-to-metastore-5432-")
            for token in (INGRESS_RULE, EGRESS_RULE)
            for port in ("fromPort", "toPort")
        ),
    ),
    "secret-rotated": _each(SECRET, "tags", {"rotation": "by hand, once a year"}),
    "worker-age-alarm": _waiting,
    "route53-has-dnssec": with_resource(
        "aws:route53/hostedZoneDnsSec:HostedZoneDnsSec", "signing", {"hostedZoneId": Of(ZONE, "", "zoneId")}
    ),
    "route53-has-query-log": with_resource(
        "aws:route53/queryLog:QueryLog",
        "queries",
        {"zoneId": Of(ZONE, "", "zoneId"), "cloudwatchLogGroupArn": "arn"},
    ),
}
"""How each advice would be followed, by its rule."""
OF_SHARED: Final = frozenset({"route53-has-dnssec", "route53-has-query-log"})


def perfect(golden: Golden) -> Golden:
    """Return a golden stack that follows every advice; under the same name."""
    rules = [rule for rule in advised() if (rule in OF_SHARED) is golden.name.endswith("-shared")]
    found = then(*(FOLLOWED[rule] for rule in rules))(golden)
    return Golden(golden.name, found.content)
