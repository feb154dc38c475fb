"""Changes to a living environment: the engine's exact operations, and none on what has nothing to do with them.

Not proven here: how long a change takes in AWS, and what running tasks notice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from tests.engine.conftest import Applied
from tests.engine.support import Project

pytestmark = pytest.mark.engine

STACK = "dev"
UP = ("pulumi", "up", "--yes", "--skip-preview", "--stack", STACK)
SETTINGS = f"Pulumi.{STACK}.yaml"
DATA = frozenset(
    {
        "aws:rds/instance:Instance",
        "aws:elasticache/replicationGroup:ReplicationGroup",
        "aws:elasticache/user:User",
        "aws:efs/fileSystem:FileSystem",
        "aws:dynamodb/table:Table",
        "aws:s3/bucket:Bucket",
        "aws:kms/key:Key",
        "aws:secretsmanager/secret:Secret",
    }
)
DEFINITION, SERVICE = "aws:ecs/taskDefinition:TaskDefinition", "aws:ecs/service:Service"
INVOCATION = "aws:lambda/invocation:Invocation"
FIREWALL = "airflow-dev-firewall"
ONE_OFF = ("bootstrap", "release-publisher")
REPLACEMENT = {"create-replacement", "replace", "delete-replaced"}

Operations = dict[tuple[str, str], str]


class Change(NamedTuple):
    """What somebody changes: a text of a file, and what the engine must do then."""

    what: str
    file: str
    old: str
    new: str
    operations: Operations


def rollout(*names: str) -> Operations:
    """Return the new task definitions, and the services that get them."""
    definitions = {(DEFINITION, f"airflow-dev-{name}-definition"): "replace" for name in names}
    running = {(SERVICE, f"airflow-dev-{name}-service"): "update" for name in names if name not in ONE_OFF}
    return definitions | running


GATE: Operations = {(INVOCATION, "airflow-dev-gate-invocation"): "replace"}
ROLES = ("api-server", "scheduler", "dag-processor", "triggerer", "flower", "worker-default")
NEW_POOL = """
        heavy:
          queues: [heavy]
          cpuUnits: 1024
          memoryMib: 4096
          concurrency: 2
          minCount: 0
          maxCount: 2
    observability:"""
LINKS = (
    *("worker-heavy-to-broker-6379", "worker-heavy-to-api-server-8080", "api-server-to-worker-heavy-8793"),
    "worker-heavy-to-dag-storage-2049",
)
RULE = "aws:vpc/securityGroup{0}Rule:SecurityGroup{0}Rule"
ADDED_POOL: Operations = {
    ("airflow:compute:WorkerPool", "airflow-dev-worker-heavy"): "create",
    ("airflow:compute:AirflowService", "airflow-dev-worker-heavy"): "create",
    ("airflow:compute:AirflowTask", "airflow-dev-worker-heavy"): "create",
    ("aws:cloudwatch/logGroup:LogGroup", "airflow-dev-worker-heavy-log"): "create",
    ("aws:iam/role:Role", "airflow-dev-worker-heavy-execution-role"): "create",
    ("aws:iam/role:Role", "airflow-dev-worker-heavy-task-role"): "create",
    ("aws:iam/rolePolicy:RolePolicy", "airflow-dev-worker-heavy-execution-policy"): "create",
    ("aws:iam/rolePolicy:RolePolicy", "airflow-dev-worker-heavy-task-policy"): "create",
    (DEFINITION, "airflow-dev-worker-heavy-definition"): "create",
    (SERVICE, "airflow-dev-worker-heavy-service"): "create",
    ("aws:appautoscaling/target:Target", "airflow-dev-worker-heavy-scaling"): "create",
    ("aws:cloudwatch/metricAlarm:MetricAlarm", "airflow-dev-alarms-worker-heavy-workers"): "create",
    ("aws:ec2/securityGroup:SecurityGroup", f"{FIREWALL}-worker-heavy"): "create",
    (RULE.format("Egress"), f"{FIREWALL}-worker-heavy-to-anywhere"): "create",
    **{(RULE.format("Egress"), f"{FIREWALL}-{link}-out"): "create" for link in LINKS},
    **{(RULE.format("Ingress"), f"{FIREWALL}-{link}-in"): "create" for link in LINKS},
    # More slots for the scheduler to fill, and the default pool that the bootstrap task sets with them.
    **rollout("scheduler", "bootstrap"),
    **GATE,
}
CHANGES = [
    Change(
        "a pool's workers get more memory",
        SETTINGS,
        "memoryMib: 4096",
        "memoryMib: 8192",
        rollout("worker-default"),
    ),
    Change(
        "a pool may grow further",
        SETTINGS,
        "maxCount: 3",
        "maxCount: 5",
        {("aws:appautoscaling/target:Target", "airflow-dev-worker-default-scaling"): "update"}
        | rollout("scheduler", "bootstrap")
        | GATE,
    ),
    Change("another pool", SETTINGS, "\n    observability:", NEW_POOL, ADDED_POOL),
    Change(
        "a variable for workers",
        "components/wiring.py",
        '    Plain("AIRFLOW__CELERY__WORKER_PREFETCH_MULTIPLIER", WORKER',
        '    Plain("AIRFLOW__CORE__KILLED_TASK_CLEANUP_TIME", WORKER, "60", "an example"),\n'
        '    Plain("AIRFLOW__CELERY__WORKER_PREFETCH_MULTIPLIER", WORKER',
        rollout("worker-default"),
    ),
    Change(
        "a variable for release agents",
        "components/wiring.py",
        '    Plain("PLATFORM_RELEASE_BUCKET", PUBLISHER',
        '    Plain("PLATFORM_RELEASE_VERIFY_SECONDS", AGENT, "60", "an example"),\n'
        '    Plain("PLATFORM_RELEASE_BUCKET", PUBLISHER',
        rollout("dag-processor", "triggerer", "worker-default"),
    ),
    Change(
        "a larger database",
        SETTINGS,
        "db.t4g.small",
        "db.t4g.medium",
        {
            ("aws:rds/instance:Instance", "airflow-dev-metastore-instance"): "update",
            # What is too many depends on the size.
            ("aws:cloudwatch/metricAlarm:MetricAlarm", "airflow-dev-alarms-metastore-connections"): "update",
        },
    ),
    Change(
        "another version of Airflow",
        SETTINGS,
        'airflowVersion: "3.3.2"',
        'airflowVersion: "3.3.3"',
        rollout(*ONE_OFF, *ROLES) | GATE,
    ),
    Change(
        "a NAT gateway in each zone",
        SETTINGS,
        "nat: single",
        "nat: perZone",
        {
            ("aws:ec2/eip:Eip", "airflow-dev-network-vpc-2"): "create",
            ("aws:ec2/natGateway:NatGateway", "airflow-dev-network-vpc-2"): "create",
            ("aws:ec2/route:Route", "airflow-dev-network-vpc-private-2"): "update",
        },
    ),
    Change(
        "logs are kept longer",
        SETTINGS,
        "\n      logRetentionDays: 14",
        "\n      logRetentionDays: 30",
        {
            ("aws:cloudwatch/logGroup:LogGroup", f"airflow-dev-{name}"): "update"
            for name in (
                *(f"{role}-log" for role in (*ONE_OFF, *ROLES)),
                *(
                    "gate-log",
                    "metastore-postgresql-log",
                    "metastore-upgrade-log",
                    "alarms-events-stopped-tasks",
                ),
            )
        },
    ),
]


@pytest.fixture(scope="module")
def living(platform_with: Applied, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return the platform with dev applied; that nothing changes by itself is proven in test_stacks."""
    return platform_with(STACK, tmp_path_factory.mktemp("day-two") / "platform")


@contextmanager
def changed(project: Project, change: Change) -> Iterator[None]:
    """Change a text of the project while the block runs."""
    before = (project.folder / change.file).read_text()
    project.edit(change.file, change.old, change.new)
    try:
        yield
    finally:
        (project.folder / change.file).write_text(before)


def operations(project: Project) -> Operations:
    """Return what a preview would do, by type and logical name; what stays the same is left out."""
    text = project.run("pulumi", "preview", "--json", "--stack", STACK).stdout
    steps = json.loads(text[text.index("{") : text.rindex("}") + 1])["steps"]
    found: dict[tuple[str, str], set[str]] = {}
    for step in steps:
        if step["op"] not in ("same", "read"):
            _, kind, name = step["urn"].rsplit("::", 2)
            found.setdefault((kind.rpartition("$")[2], name), set()).add(step["op"])
    return {
        resource: "replace" if done <= REPLACEMENT else "+".join(sorted(done))
        for resource, done in found.items()
    }


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.what)
def test_a_change_does_exactly_this(living: Project, change: Change) -> None:
    with changed(living, change):
        assert operations(living) == change.operations


def test_no_change_of_the_table_replaces_data() -> None:
    replaced = {
        kind for change in CHANGES for (kind, _), done in change.operations.items() if done != "update"
    }
    assert replaced & DATA == set()


def test_a_pool_is_added_and_taken_away_again(living: Project) -> None:
    """For real, not only in a preview: afterwards everything is as before."""
    change = next(change for change in CHANGES if change.what == "another pool")
    with changed(living, change):
        living.run(*UP)
        assert operations(living) == {}
    living.run(*UP)
    assert operations(living) == {}
    assert living.unknown_to_state() == 0
