"""For each relation one insecure change of a golden stack that raises it, and nothing else but what it declares.

Where the golden stacks have nothing of the kind, it is added first, as it should be, and then changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from policies.security.relations.bucket_settings import LOGGING
from policies.security.relations.data_subnets import CACHE_SUBNETS, MOUNT_TARGET, RDS_SUBNETS
from policies.security.relations.file_systems import BACKUP_POLICY
from policies.security.relations.load_balancing import ASSOCIATION
from policies.security.relations.operations import EVENT_RULE
from policies.security.relations.repositories import LIFECYCLE as IMAGE_LIFECYCLE
from policies.security.relations.vaults import LOCK
from policies.security.relations.vpcs import VPC
from policies.security.relations.zones import RECORD
from policies.security.rules.bucket_lifecycles import LIFECYCLE, VERSIONING
from policies.security.rules.buckets import ACCESS_BLOCK, BUCKET, ENCRYPTION, OWNERSHIP
from policies.security.rules.buckets import POLICY as BUCKET_POLICY
from policies.security.rules.containers import TASK_DEFINITION
from policies.security.rules.efs import ACCESS_POINT, FILE_SYSTEM, FILE_SYSTEM_POLICY
from policies.security.rules.elasticache import REPLICATION_GROUP
from policies.security.rules.functions import FUNCTION, PERMISSION
from policies.security.rules.iam_policies import ROLE, ROLE_POLICY
from policies.security.rules.networks import DEFAULT_GROUP, ENDPOINT, FLOW_LOG, SUBNET
from policies.security.rules.observability import METRIC_ALARM
from policies.security.rules.rds import CLUSTER_INSTANCE, INSTANCE
from policies.security.rules.registries import REPOSITORY
from policies.security.rules.secrets_and_keys import KEY, SECRET
from policies.security.rules.security_groups import EGRESS_RULE, GROUP, INGRESS_RULE
from policies.security.rules.services import SERVICE
from policies.security.rules.target_groups import TARGET_GROUP
from policies.security.selections import SELECTION
from tests.policies.cases import REMOVED
from tests.policies.golden import Golden
from tests.policies.relation_kinds import (
    ACCOUNT,
    AURORA,
    METASTORE_PORT,
    ON_SPOT,
    PUBLIC_BALANCER,
    TAGS,
    WITHOUT_NAT,
)
from tests.policies.row_operations import (
    Of,
    Operation,
    made_of,
    then,
    unchanged,
    with_item,
    with_option,
    with_property,
    with_resource,
    without,
    without_item,
)

PROD, SHARED = "prod", "prod-shared"
IMAGE: Final = "containerDefinitions[0].image"
DIGEST: Final = f"@sha256:{'0' * 64}"
READ_SECRETS: Final = "policy.Statement[3].Resource"
"""Where the policy of an execution role lists secrets."""


@dataclass(frozen=True, kw_only=True)
class RelationMutation:
    """A single change of a golden stack that raises one relation."""

    relation: str
    stack: str = PROD
    what: str
    """What is changed, in words."""
    change: Operation
    first: Operation = unchanged
    """What is done before, all of it as it should be, because the stack has nothing of the kind."""
    accepted: frozenset[str] = frozenset()
    """Rules against the kind itself, which it violates as it should be."""
    also: frozenset[str] = frozenset()
    """Those of the rules that the relation implies which this change raises."""

    def __str__(self) -> str:
        """Name it."""
        return self.relation

    def pair(self, stacks: Sequence[Golden]) -> tuple[Golden, Golden]:
        """Return the stack without the change and with it."""
        (golden,) = (stack for stack in stacks if stack.name == self.stack)
        before = self.first(golden)
        return before, self.change(before)


def _row(relation: str, what: str, change: Operation, *also: str, **rest: Any) -> RelationMutation:
    return RelationMutation(relation=relation, what=what, change=change, also=frozenset(also), **rest)


def _ingress(name: str, group: Of, port: int, **peer: Any) -> Operation:
    ports = {"ipProtocol": "tcp", "fromPort": port, "toPort": port}
    properties = {"securityGroupId": group, "description": "One more caller", "tagsAll": TAGS}
    return with_resource(INGRESS_RULE, name, properties | ports | peer)


RELATION_MUTATIONS: Final = (
    _row(
        "service-health-checks",
        "The container of the scheduler has no health check.",
        with_property(TASK_DEFINITION, "scheduler", "containerDefinitions[0].healthCheck", REMOVED),
    ),
    _row(
        "rds-subnets-private",
        "One subnet of the database is public.",
        with_property(RDS_SUBNETS, "metastore", "subnetIds[0]", Of(SUBNET, "public-1")),
    ),
    _row(
        "elasticache-subnets-private",
        "One subnet of the broker is public.",
        with_property(CACHE_SUBNETS, "broker", "subnetIds[0]", Of(SUBNET, "public-1")),
    ),
    _row(
        "efs-mount-target-private",
        "One mount target is in a public subnet.",
        with_property(MOUNT_TARGET, "storage-1", "subnetId", Of(SUBNET, "public-1")),
    ),
    _row(
        "rds-parameters-attached",
        "The database uses AWS's own settings.",
        with_property(INSTANCE, "metastore", "parameterGroupName", "default.postgres17"),
    ),
    _row(
        "elasticache-parameters-attached",
        "The broker uses AWS's own settings.",
        with_property(REPLICATION_GROUP, "broker", "parameterGroupName", "default.valkey8"),
    ),
    _row(
        "rds-cluster-multi-az",
        "A cluster of Aurora has one instance alone.",
        without(CLUSTER_INSTANCE, "aurora-2"),
        first=AURORA,
    ),
    _row("efs-has-policy", "The file system has no policy.", without(FILE_SYSTEM_POLICY, "dag-storage")),
    _row("efs-automatic-backups", "The file system has no backup policy.", without(BACKUP_POLICY, "backups")),
    _row(
        "efs-in-backup-plan",
        "The file system is taken out of the backup selection.",
        without_item(SELECTION, "backups", "resources", Of(FILE_SYSTEM, "", "arn")),
    ),
    _row("backup-vault-locked", "The vault has no lock.", without(LOCK, "backups")),
    _row(
        "container-image-own-account",
        "The image is another account's.",
        with_property(
            TASK_DEFINITION,
            "scheduler",
            IMAGE,
            f"333333333333.dkr.ecr.eu-west-1.amazonaws.com/airflow-platform/airflow{DIGEST}",
        ),
        "image-of-scanned-repository",
    ),
    _row(
        "lambda-dead-letters",
        "Events call the function of the gate, which keeps nothing of what it could not do.",
        with_resource(
            PERMISSION,
            "events",
            {
                "action": "lambda:InvokeFunction",
                "function": Of(FUNCTION, "gate", "name"),
                "principal": "events.amazonaws.com",
                "sourceArn": Of(EVENT_RULE, "reports", "arn"),
            },
        ),
    ),
    _row(
        "resource-kind-judged",
        "A bucket is made from a text, by Cloud Control.",
        with_resource(
            "aws:cloudcontrol/resource:Resource",
            "bucket",
            {"typeName": "AWS::S3::Bucket", "desiredState": "{}"},
        ),
    ),
    _row(
        "s3-has-access-block",
        "The bucket of logs has no public access block.",
        without(ACCESS_BLOCK, "task-logs"),
    ),
    _row(
        "s3-has-encryption", "The bucket of logs has S3's own encryption.", without(ENCRYPTION, "task-logs")
    ),
    _row(
        "s3-has-policy",
        "The bucket of releases has no policy.",
        without(BUCKET_POLICY, "release"),
        stack=SHARED,
    ),
    _row(
        "s3-listed-accounts",
        "Another account may list releases.",
        with_item(
            BUCKET_POLICY,
            "release",
            "policy.Statement",
            {
                "Sid": "Partner",
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::333333333333:root"},
                "Action": "s3:ListBucket",
                "Resource": Of(BUCKET, "release", "arn"),
            },
        ),
        stack=SHARED,
    ),
    _row(
        "s3-has-versions", "The bucket of states has no versions.", without(VERSIONING, "state"), stack=SHARED
    ),
    _row("s3-has-lifecycle", "The bucket of logs keeps everything.", without(LIFECYCLE, "task-logs")),
    _row("s3-has-access-log", "Nobody notes who reads states.", without(LOGGING, "state"), stack=SHARED),
    _row(
        "s3-has-ownership",
        "The bucket of releases has no ownership controls.",
        without(OWNERSHIP, "release"),
        stack=SHARED,
    ),
    _row(
        "route53-leads-somewhere",
        "The name of the platform leads to a load balancer that is gone.",
        then(
            with_property(RECORD, "web-name", "aliases[0].name", "gone.eu-west-1.elb.amazonaws.com"),
            made_of(RECORD, "web-name", "aliases"),
        ),
    ),
    _row(
        "lb-public-has-waf",
        "The load balancer faces the internet without a firewall.",
        without(ASSOCIATION, "firewall"),
        first=PUBLIC_BALANCER,
        accepted=frozenset({"lb-internal"}),
    ),
    _row(
        "lb-target-drains-before-spot",
        "Answers may take five minutes on capacity that goes after two.",
        with_property(TARGET_GROUP, "web-api", "deregistrationDelay", 300),
        first=ON_SPOT,
    ),
    _row("vpc-has-flow-log", "The network has no flow log.", without(FLOW_LOG, "network")),
    _row(
        "vpc-has-empty-default-group",
        "The default security group is left as AWS makes it.",
        without(DEFAULT_GROUP, "network"),
    ),
    _row(
        "default-security-group-unused",
        "A rule opens the default security group.",
        _ingress("default-open", Of(DEFAULT_GROUP), 8080, referencedSecurityGroupId=Of(GROUP, "scheduler")),
    ),
    _row(
        "vpc-endpoints-without-nat",
        "Nothing leads to KMS any more.",
        without(ENDPOINT, "kms"),
        first=WITHOUT_NAT,
    ),
    _row(
        "vpc-endpoint-has-policy",
        "The endpoint of S3 lets everything through.",
        with_property(ENDPOINT, "s3", "policy", REMOVED),
    ),
    _row(
        "ecr-scanned",
        "Images are not scanned when they come.",
        with_property(REPOSITORY, "shared", "imageScanningConfiguration.scanOnPush", False),
        stack=SHARED,
    ),
    _row("ecr-has-lifecycle", "Old images stay for ever.", without(IMAGE_LIFECYCLE, "shared"), stack=SHARED),
    _row(
        "sg-everybody-only-to-load-balancer",
        "Everybody reaches the endpoints.",
        with_property(INGRESS_RULE, "endpoints", "cidrIpv4", "0.0.0.0/0"),
    ),
    _row(
        "sg-everything-out-only-of-workers",
        "The scheduler may call nearly every port of everybody.",
        with_property(EGRESS_RULE, "scheduler-to-anywhere", "toPort", 65535),
    ),
    _row(
        "sg-one-kind-of-rules",
        "The group of the metastore has a rule inside as well.",
        with_property(
            GROUP,
            "metastore",
            "ingress",
            [
                {
                    "description": "From dag-processor",
                    "protocol": "tcp",
                    "fromPort": METASTORE_PORT,
                    "toPort": METASTORE_PORT,
                    "securityGroups": [Of(GROUP, "dag-processor")],
                }
            ],
        ),
    ),
    _row(
        "data-reached-by-callers-only",
        "The database lets in the whole network.",
        _ingress("network-to-metastore", Of(GROUP, "metastore"), METASTORE_PORT, cidrIpv4="10.40.0.0/16"),
    ),
    _row(
        "web-chain-closed",
        "The service does not let in its load balancer.",
        without(INGRESS_RULE, "load-balancer-to-api-server"),
    ),
    _row(
        "network-interface-private",
        "Tasks of the scheduler may start in a public subnet.",
        with_property(SERVICE, "scheduler", "networkConfiguration.subnets[0]", Of(SUBNET, "public-1")),
    ),
    _row(
        "data-without-way-out",
        "One subnet of the database has a way out.",
        with_property(RDS_SUBNETS, "metastore", "subnetIds[0]", Of(SUBNET, "private-1")),
    ),
    _row(
        "task-role-own",
        "Two tasks have one role.",
        with_property(TASK_DEFINITION, "scheduler", "taskRoleArn", Of(ROLE, "api-server-task", "arn")),
    ),
    _row(
        "execution-role-secrets",
        "The scheduler's task may start with the password of the administrator.",
        with_item(ROLE_POLICY, "scheduler-execution", READ_SECRETS, Of(SECRET, "admin-user", "arn")),
    ),
    _row(
        "key-policy-fits",
        "The key serves no log groups.",
        with_property(KEY, "encryption", "policy.Statement[1]", REMOVED),
    ),
    _row(
        "dags-written-by-nobody",
        "The triggerer mounts what the publisher writes through.",
        with_property(
            TASK_DEFINITION,
            "triggerer",
            "volumes[0].efsVolumeConfiguration.authorizationConfig.accessPointId",
            Of(ACCESS_POINT, "writer"),
        ),
    ),
    _row(
        "data-in-backup-plan",
        "The database is taken out of the backup selection.",
        without_item(SELECTION, "backups", "resources", Of(INSTANCE, "", "arn")),
    ),
    _row(
        "data-protected",
        "A changed name would delete the database.",
        with_option(INSTANCE, "metastore", "protect", False),
    ),
    _row(
        "service-logs",
        "The scheduler writes into a log group that nobody made.",
        with_property(
            TASK_DEFINITION,
            "scheduler",
            "containerDefinitions[0].logConfiguration.options.awslogs-group",
            "/ecs/scheduler",
        ),
    ),
    _row(
        "service-count-alarm",
        "Nobody notices that the scheduler has no tasks.",
        without(METRIC_ALARM, "scheduler-tasks"),
    ),
    _row(
        "service-deployment-alarm",
        "Reports of failed deployments are switched off.",
        with_property(EVENT_RULE, "reports", "state", "DISABLED"),
    ),
    _row(
        "image-of-scanned-repository",
        "The image is of a repository that no rule has seen.",
        with_property(
            TASK_DEFINITION,
            "scheduler",
            IMAGE,
            f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/experiments/airflow{DIGEST}",
        ),
    ),
    _row(
        "resource-tagged", "Nobody owns the network.", with_property(VPC, "network", "tagsAll.owner", REMOVED)
    ),
    _row(
        "provider-guarded",
        "The program works in any account that the credentials are of.",
        with_property("pulumi:providers:aws", "", "allowedAccountIds", REMOVED),
        "s3-listed-accounts",
    ),
    _row(
        "rds-events-reported",
        "The subscription to events of the database is switched off.",
        with_property("aws:rds/eventSubscription:EventSubscription", "events", "enabled", False),
    ),
    _row(
        "secret-rotated",
        "Nobody says how the Fernet key is renewed.",
        with_property("aws:secretsmanager/secret:Secret", "fernet-key", "tags", REMOVED),
    ),
    _row(
        "worker-age-alarm",
        "The alarm of the default pool is about how much waits, not for how long.",
        with_property(
            "aws:cloudwatch/metricAlarm:MetricAlarm", "worker-default-age", "metricName", "Backlog"
        ),
    ),
    _row(
        "route53-has-query-log",
        "The zone has no query log.",
        without("aws:route53/queryLog:QueryLog", "queries"),
        stack="prod-shared",
    ),
    _row(
        "route53-has-dnssec",
        "The zone is not signed.",
        without("aws:route53/hostedZoneDnsSec:HostedZoneDnsSec", "signing"),
        stack="prod-shared",
    ),
)
