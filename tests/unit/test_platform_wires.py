"""That every setting and every part reaches exactly the place that it is for, in an environment of unusual values.

`test_airflow_platform.py` tests what an environment consists of; what a component makes of its arguments is tested
beside it.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.harness import RecordingMonitor
from tests.unit.environments import NAME, SHARED, UNUSUAL, full, small
from tests.unit.programs import ACCOUNT, value_at

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
ALB = "aws:lb/loadBalancer:LoadBalancer"
BROKER = "aws:elasticache/replicationGroup:ReplicationGroup"
BUCKET = "aws:s3/bucket:Bucket"
BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
DATABASE = "aws:rds/instance:Instance"
DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
INVOCATION = "aws:lambda/invocation:Invocation"
KEY = "aws:kms/key:Key"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
LOGGING = "aws:s3/bucketLogging:BucketLogging"
LOCK = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
MOUNT = "aws:efs/mountTarget:MountTarget"
PLAN = "aws:backup/plan:Plan"
POLICY = "aws:iam/rolePolicy:RolePolicy"
SECRET = "aws:secretsmanager/secret:Secret"
SERVICE = "aws:ecs/service:Service"
TABLE = "aws:dynamodb/table:Table"
TARGETS = "aws:lb/targetGroup:TargetGroup"
METASTORE_ALARMS = {"storage": 2 * 1024**3, "load": 80, "connections": 656}
RULES = (INGRESS, "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")

INPUTS = [
    # setting, type, name without the environment's, place in its inputs
    ("metastore/instanceClass", DATABASE, "metastore-instance", "instanceClass"),
    ("metastore/engineVersion", DATABASE, "metastore-instance", "engineVersion"),
    ("metastore/multiAz", DATABASE, "metastore-instance", "multiAz"),
    ("metastore/storageGib", DATABASE, "metastore-instance", "allocatedStorage"),
    ("metastore/maxStorageGib", DATABASE, "metastore-instance", "maxAllocatedStorage"),
    ("metastore/backupRetentionDays", DATABASE, "metastore-instance", "backupRetentionPeriod"),
    ("metastore/protect", DATABASE, "metastore-instance", "deletionProtection"),
    ("backups/retentionDays", PLAN, "backups-plan", "rules/0/lifecycle/deleteAfter"),
    ("backups/retentionDays", LOCK, "backups-vault-lock", "minRetentionDays"),
    ("broker/nodeType", BROKER, "broker-group", "nodeType"),
    ("broker/engineVersion", BROKER, "broker-group", "engineVersion"),
    ("broker/snapshotRetentionDays", BROKER, "broker-group", "snapshotRetentionLimit"),
    ("credentials/recoveryDays", SECRET, "credentials-fernet-key", "recoveryWindowInDays"),
    ("credentials/keyDeletionDays", KEY, "encryption-key", "deletionWindowInDays"),
    ("web/deletionProtection", ALB, "web-alb", "enableDeletionProtection"),
    ("observability/taskLogRetentionDays", LIFECYCLE, "task-logs-lifecycle", "rules/2/expiration/days"),
    ("observability/accessLogRetentionDays", LIFECYCLE, "access-logs-lifecycle", "rules/2/expiration/days"),
    ("observability/logRetentionDays", LOG_GROUP, "scheduler-log", "retentionInDays"),
    ("observability/logRetentionDays", LOG_GROUP, "gate-log", "retentionInDays"),
    ("observability/logRetentionDays", LOG_GROUP, "metastore-upgrade-log", "retentionInDays"),
    ("observability/logRetentionDays", LOG_GROUP, "alarms-events-stopped-tasks", "retentionInDays"),
    ("network/flowLogRetentionDays", LOG_GROUP, "network-flow-log-group", "retentionInDays"),
    ("network/flowLogRetentionDays", LOG_GROUP, "compute-exec-log", "retentionInDays"),
    ("services/apiServer/count", SERVICE, "api-server-service", "desiredCount"),
    ("services/scheduler/count", SERVICE, "scheduler-service", "desiredCount"),
    ("services/dagProcessor/count", SERVICE, "dag-processor-service", "desiredCount"),
    ("services/triggerer/count", SERVICE, "triggerer-service", "desiredCount"),
]


@pytest.fixture(scope="module")
def monitor() -> RecordingMonitor:
    return full()


@pytest.mark.parametrize(
    ("setting", "token", "name", "place"), INPUTS, ids=[f"{row[0]} {row[2]}" for row in INPUTS]
)
def test_setting(monitor: RecordingMonitor, setting: str, token: str, name: str, place: str) -> None:
    assert value_at(monitor.one(token, f"{NAME}-{name}").inputs, place) == UNUSUAL[setting]


def test_replicas_are_beside_the_primary(monitor: RecordingMonitor) -> None:
    assert monitor.one(BROKER).inputs["numCacheClusters"] == UNUSUAL["broker/replicas"] + 1


def test_what_is_backed_up(monitor: RecordingMonitor) -> None:
    """Everything that holds data of the environment and that AWS Backup can take, from one vault's key to its role."""
    (selection,) = monitor.by_type["aws:backup/selection:Selection"]
    stores = (DATABASE, "aws:efs/fileSystem:FileSystem", TABLE)
    assert selection.inputs["resources"] == [monitor.state(token)["arn"] for token in stores]
    assert monitor.one("aws:backup/vault:Vault").inputs == {"kmsKeyArn": monitor.state(KEY)["arn"]}
    assert monitor.one("aws:iam/role:Role", f"{NAME}-backups-role").inputs["path"] == "/airflow/staging/"


def test_the_file_system_backs_itself_up(monitor: RecordingMonitor) -> None:
    policy = monitor.one("aws:efs/backupPolicy:BackupPolicy").inputs
    assert policy["fileSystemId"] == monitor.id("aws:efs/fileSystem:FileSystem")


def test_logs_are_emptied_only_where_nothing_is_kept(monitor: RecordingMonitor) -> None:
    assert [inputs.get("forceDestroy") for inputs in monitor.inputs(BUCKET).values()] == [None, None]


def test_access_logs_have_one_bucket(monitor: RecordingMonitor) -> None:
    """Of the load balancer and of the bucket of task logs; that one bucket has none."""
    target = monitor.state(BUCKET, f"{NAME}-access-logs-bucket")["bucket"]
    balancer = monitor.one(ALB).inputs
    assert {
        "requests": value_at(balancer, "accessLogs/bucket"),
        "connections": value_at(balancer, "connectionLogs/bucket"),
        **{name: inputs["targetBucket"] for name, inputs in monitor.inputs(LOGGING).items()},
    } == {"requests": target, "connections": target, f"{NAME}-task-logs-logging": target}


def test_who_may_write_access_logs(monitor: RecordingMonitor) -> None:
    statements = monitor.inputs(BUCKET_POLICY)[f"{NAME}-access-logs-policy"]["policy"]["Statement"]
    balancers, buckets = statements[1:]
    target = monitor.state(BUCKET, f"{NAME}-access-logs-bucket")["bucket"]
    assert balancers["Resource"] == [
        f"arn:aws:s3:::{target}/load-balancer/{kind}/AWSLogs/{ACCOUNT}/*"
        for kind in ("requests", "connections")
    ]
    assert buckets["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": [f"arn:aws:s3:::{NAME}-task-logs-bucket-*"]},
    }


def test_who_logs_waits_for_the_rights_to_write(monitor: RecordingMonitor) -> None:
    policy = f"{NAME}-access-logs-policy"
    assert [policy in monitor.one(token).depends_on for token in (ALB, LOGGING)] == [True, True]


def variables(monitor: RecordingMonitor, who: str) -> dict[str, str]:
    """Return the plain variables of a task's first container."""
    return variables_of(containers(monitor, who)[0])


def containers(monitor: RecordingMonitor, who: str) -> list[dict[str, Any]]:
    """Return the containers of a task."""
    definition = monitor.one(DEFINITION, f"{NAME}-{who}-definition").inputs
    found: list[dict[str, Any]] = json.loads(definition["containerDefinitions"])
    return found


def variables_of(container: dict[str, Any]) -> dict[str, str]:
    """Return the plain variables of a container."""
    return {item["name"]: item["value"] for item in container["environment"]}


def test_settings_in_variables(monitor: RecordingMonitor) -> None:
    scheduler, api_server = variables(monitor, "scheduler"), variables(monitor, "api-server")
    assert {
        "queued": scheduler["AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT"],
        "visible": scheduler["AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT"],
        "parallelism": scheduler["AIRFLOW__CORE__PARALLELISM"],
        "processes": api_server["AIRFLOW__API__WORKERS"],
        "proxies": api_server["FORWARDED_ALLOW_IPS"],
        "version": api_server["PLATFORM_AIRFLOW_VERSION"],
    } == {
        "queued": str(UNUSUAL["workers/taskQueuedTimeoutSeconds"]),
        "visible": str(UNUSUAL["broker/visibilityTimeoutMinutes"] * 60),
        "parallelism": str(3 * 8 + 4 * 2),
        "processes": str(UNUSUAL["services/apiServer/processes"]),
        "proxies": "10.20.0.0/16",
        "version": UNUSUAL["image/airflowVersion"],
    }


def test_architecture(monitor: RecordingMonitor) -> None:
    found = {each.inputs["runtimePlatform"]["cpuArchitecture"] for each in monitor.by_type[DEFINITION]}
    assert found == {"X86_64"}


def test_pools_differ_as_the_settings_say(monitor: RecordingMonitor) -> None:
    def pool(name: str) -> tuple[Any, ...]:
        definition = monitor.one(DEFINITION, f"{NAME}-{name}-definition").inputs
        command = containers(monitor, name)[0]["command"]
        spread = monitor.one(SERVICE, f"{NAME}-{name}-service").inputs["capacityProviderStrategies"]
        weights = {each["capacityProvider"]: each["weight"] for each in spread}
        return command[3:], definition["cpu"], definition["memory"], weights

    assert (pool("worker-default"), pool("worker-heavy")) == (
        (["--queues", "default", "--concurrency", "8"], "1024", "4096", {"FARGATE": 100}),
        (
            ["--queues", "heavy,gpu", "--concurrency", "2"],
            "2048",
            "8192",
            {"FARGATE": 50, "FARGATE_SPOT": 50},
        ),
    )


def test_allowed_addresses(monitor: RecordingMonitor) -> None:
    door = monitor.id(GROUP, f"{NAME}-firewall-load-balancer")
    into = [rule.inputs for rule in monitor.by_type[INGRESS] if rule.inputs["securityGroupId"] == door]
    assert [rule["cidrIpv4"] for rule in into] == ["203.0.113.0/24"]


SERVICES = [
    *("api-server", "scheduler", "dag-processor", "triggerer", "flower"),
    *("worker-default", "worker-heavy"),
]
GROUPS = [
    (DATABASE, "metastore-instance", "vpcSecurityGroupIds/0", "metastore"),
    (BROKER, "broker-group", "securityGroupIds/0", "broker"),
    (MOUNT, "dag-storage-1", "securityGroups/0", "dag-storage"),
    (MOUNT, "dag-storage-2", "securityGroups/0", "dag-storage"),
    (ALB, "web-alb", "securityGroups/0", "load-balancer"),
    *((SERVICE, f"{party}-service", "networkConfiguration/securityGroups/0", party) for party in SERVICES),
]


@pytest.mark.parametrize(("token", "name", "place", "party"), GROUPS, ids=[row[1] for row in GROUPS])
def test_security_group(monitor: RecordingMonitor, token: str, name: str, place: str, party: str) -> None:
    found = value_at(monitor.one(token, f"{NAME}-{name}").inputs, place)
    assert found == monitor.id(GROUP, f"{NAME}-firewall-{party}")


def rules_of(monitor: RecordingMonitor, party: str) -> set[str]:
    """Return the rules that let a party in or out, at both ends of a link."""
    group = monitor.id(GROUP, f"{NAME}-firewall-{party}")
    ends = ("securityGroupId", "referencedSecurityGroupId")
    return {
        rule.name for token in RULES for rule in monitor.by_type[token] if group in map(rule.inputs.get, ends)
    }


def waits_for(monitor: RecordingMonitor, party: str) -> frozenset[str]:
    """Return what a service waits for, itself or because the api-server has waited for it before."""
    names = {f"{NAME}-api-server-service", f"{NAME}-{party}-service"}
    return frozenset[str]().union(*(monitor.one(SERVICE, name).depends_on for name in names))


@pytest.mark.parametrize("party", SERVICES)
def test_service_waits_for_its_rules(monitor: RecordingMonitor, party: str) -> None:
    assert rules_of(monitor, party) - waits_for(monitor, party) == set()


@pytest.mark.parametrize("party", ["api-server", "flower"])
def test_service_behind_the_door_waits_for_what_guards_it(monitor: RecordingMonitor, party: str) -> None:
    guards = {f"{NAME}-web-{name}" for name in (party, "no-execution-api", "firewall-association")}
    assert guards - waits_for(monitor, party) == set()


def test_logs_of_tasks_are_encrypted_before_anybody_writes_one(monitor: RecordingMonitor) -> None:
    settings = {f"{NAME}-task-logs-{name}" for name in ("versioning", "encryption", "policy")}
    assert settings - monitor.one(SERVICE, f"{NAME}-api-server-service").depends_on == set()


def test_public_load_balancer_waits_for_the_way_to_the_internet(monitor: RecordingMonitor) -> None:
    routes = {f"{NAME}-network-vpc-public-{zone}" for zone in (1, 2)}
    assert routes - monitor.one(ALB).depends_on == set()


def test_what_the_gate_is_told(monitor: RecordingMonitor) -> None:
    event = json.loads(monitor.one(INVOCATION).inputs["input"])
    assert event["bootstrap"]["securityGroupId"] == monitor.id(GROUP, f"{NAME}-firewall-bootstrap")
    assert event["triggers"]["databaseResourceId"] == monitor.state(DATABASE)["resourceId"]
    assert (event["database"], event["broker"]["userId"]) == (NAME, NAME)


def test_the_gate_may_pass_both_roles_of_its_task(monitor: RecordingMonitor) -> None:
    policy = json.loads(monitor.one(POLICY, f"{NAME}-gate-role-policy").inputs["policy"])
    (passes,) = [each for each in policy["Statement"] if each["Action"] == "iam:PassRole"]
    definition = monitor.one(DEFINITION, f"{NAME}-bootstrap-definition").inputs
    assert sorted(passes["Resource"]) == sorted(
        definition[role] for role in ("executionRoleArn", "taskRoleArn")
    )


READERS = ["dag-processor", "triggerer", "worker-default", "worker-heavy"]
PUBLISHER = "release-publisher"
ACCESS = [*((reader, "reader") for reader in READERS), (PUBLISHER, "writer")]


def statements(monitor: RecordingMonitor, who: str) -> dict[str, dict[str, Any]]:
    """Return the statements of a task role's policy."""
    policy = json.loads(monitor.one(POLICY, f"{NAME}-{who}-task-policy").inputs["policy"])
    return {each["Sid"]: each for each in policy["Statement"]}


@pytest.mark.parametrize(("who", "door"), ACCESS)
def test_everybody_comes_in_through_one_access_point(monitor: RecordingMonitor, who: str, door: str) -> None:
    """In the volume and in the policy: only both together show the DAGs, and readers cannot write."""
    point = "aws:efs/accessPoint:AccessPoint", f"{NAME}-dag-storage-{door}"
    volumes = monitor.one(DEFINITION, f"{NAME}-{who}-definition").inputs["volumes"]
    mounted = [
        value_at(each, "efsVolumeConfiguration") for each in volumes if "efsVolumeConfiguration" in each
    ]
    assert [each["authorizationConfig"]["accessPointId"] for each in mounted] == [monitor.id(*point)]
    assert statements(monitor, who)["MountDags"]["Condition"]["StringEquals"] == {
        "elasticfilesystem:AccessPointArn": monitor.state(*point)["arn"]
    }


@pytest.mark.parametrize("reader", READERS)
def test_agents_are_told_the_ledger(monitor: RecordingMonitor, reader: str) -> None:
    agent = variables_of(containers(monitor, reader)[1])
    assert agent["PLATFORM_LEDGER_TABLE"] == monitor.state(TABLE)["name"]


def test_the_publisher_is_told_ledger_and_release_bucket(monitor: RecordingMonitor) -> None:
    told = variables(monitor, PUBLISHER)
    assert (told["PLATFORM_LEDGER_TABLE"], told["PLATFORM_RELEASE_BUCKET"]) == (
        monitor.state(TABLE)["name"],
        SHARED.release_bucket_name,
    )


def test_what_the_publisher_may_use(monitor: RecordingMonitor) -> None:
    """Releases are of the shared stack, and encrypted with its key; the ledger is the environment's."""
    resources = {sid: each["Resource"] for sid, each in statements(monitor, PUBLISHER).items()}
    ledger = monitor.state(TABLE)["arn"]
    assert resources == {
        "ReadReleases": f"{SHARED.release_bucket_arn}/dags/*",
        "DecryptReleases": SHARED.key_arn,
        "MountDags": monitor.state("aws:efs/fileSystem:FileSystem")["arn"],
        "ReadLedger": ledger,
        "WriteReleases": ledger,
        "OpenLedger": monitor.state(KEY)["arn"],
    }


def test_size_of_what_runs_once(monitor: RecordingMonitor) -> None:
    sizes = {
        who: (inputs["cpu"], inputs["memory"])
        for who in ("bootstrap", PUBLISHER)
        for inputs in [monitor.one(DEFINITION, f"{NAME}-{who}-definition").inputs]
    }
    assert sizes == {"bootstrap": ("1024", "2048"), PUBLISHER: ("1024", "2048")}


def test_everybody_of_the_settings_is_told(monitor: RecordingMonitor) -> None:
    told = [
        each.inputs["endpoint"] for each in monitor.by_type["aws:sns/topicSubscription:TopicSubscription"]
    ]
    assert told == UNUSUAL["observability/alarmEmails"]


def watched(monitor: RecordingMonitor, label: str) -> list[dict[str, str]]:
    """Return the dimensions of an alarm, of each of its metrics."""
    inputs = monitor.one(ALARM, f"{NAME}-alarms-{label}").inputs
    queries = [query["metric"] for query in inputs.get("metricQueries", []) if "metric" in query]
    return [each["dimensions"] for each in queries or [inputs]]


@pytest.mark.parametrize("party", SERVICES)
def test_every_service_has_an_alarm_for_its_tasks(monitor: RecordingMonitor, party: str) -> None:
    kind = "workers" if party.startswith("worker-") else "tasks"
    service = {
        "ClusterName": monitor.state("aws:ecs/cluster:Cluster")["name"],
        "ServiceName": monitor.state(SERVICE, f"{NAME}-{party}-service")["name"],
    }
    assert watched(monitor, f"{party}-{kind}") == [service, service]


@pytest.mark.parametrize(("party", "group"), [("api-server", "web-api"), ("flower", "77eaaab")])
def test_everything_behind_the_door_has_alarms(monitor: RecordingMonitor, party: str, group: str) -> None:
    targets = {
        "LoadBalancer": monitor.state(ALB)["arnSuffix"],
        "TargetGroup": monitor.state(TARGETS, f"{NAME}-{group}")["arnSuffix"],
    }
    assert [watched(monitor, f"{party}-{kind}") for kind in ("hosts", "errors")] == [[targets]] * 2


def test_the_database_has_alarms_of_its_size(monitor: RecordingMonitor) -> None:
    """A db.m7g.large accepts 820 connections, as sizes are estimated here, and begins with 40 GiB."""
    alarms = {kind: monitor.one(ALARM, f"{NAME}-alarms-metastore-{kind}").inputs for kind in METASTORE_ALARMS}
    assert {kind: each["threshold"] for kind, each in alarms.items()} == METASTORE_ALARMS
    assert [each["dimensions"] for each in alarms.values()] == [{"DBInstanceIdentifier": NAME}] * 3


def test_a_small_database_has_an_alarm_for_its_credits() -> None:
    """Classes of the family db.t4g collect them, others do not; see the names above."""
    assert small().one(ALARM, f"{NAME}-alarms-metastore-credits")


@pytest.mark.parametrize("kind", ["memory", "evictions", "clients"])
def test_the_broker_has_alarms_on_all_nodes(monitor: RecordingMonitor, kind: str) -> None:
    nodes = monitor.state(BROKER)["memberClusters"]
    assert watched(monitor, f"broker-{kind}") == [{"CacheClusterId": node} for node in nodes]


def test_there_are_no_other_alarms(monitor: RecordingMonitor) -> None:
    tasks = [f"{party}-{'workers' if party.startswith('worker-') else 'tasks'}" for party in SERVICES]
    doors = [f"{party}-{kind}" for party in ("api-server", "flower") for kind in ("hosts", "errors")]
    data = [
        *(f"metastore-{kind}" for kind in METASTORE_ALARMS),
        *(f"broker-{kind}" for kind in ("memory", "evictions", "clients")),
    ]
    own = ["services-restarts", "services-event-delivery"]
    names = {alarm.name.removeprefix(f"{NAME}-alarms-") for alarm in monitor.by_type[ALARM]}
    assert names == {*tasks, *doors, *data, *own}


@pytest.mark.parametrize("party", SERVICES)
def test_alarms_that_watch_deployments_exist(monitor: RecordingMonitor, party: str) -> None:
    """Nobody refuses a service that names an alarm that there is not."""
    alarms = {alarm.inputs.get("name") for alarm in monitor.by_type[ALARM]}
    watching = monitor.one(SERVICE, f"{NAME}-{party}-service").inputs["alarms"]["alarmNames"]
    assert set(watching) <= alarms
    assert len(watching) == (2 if party in ("api-server", "flower") else 1)


def test_messages_are_encrypted_with_the_environments_key(monitor: RecordingMonitor) -> None:
    key = monitor.state(KEY)["arn"]
    assert monitor.one("aws:sns/topic:Topic").inputs["kmsMasterKeyId"] == key
    assert monitor.one(LOG_GROUP, f"{NAME}-alarms-events-stopped-tasks").inputs["kmsKeyId"] == key


def test_events_are_those_of_the_cluster(monitor: RecordingMonitor) -> None:
    cluster = monitor.state("aws:ecs/cluster:Cluster")
    patterns = {
        rule.name.rpartition("-")[2]: json.loads(rule.inputs["eventPattern"])
        for rule in monitor.by_type["aws:cloudwatch/eventRule:EventRule"]
    }
    (services,) = patterns["reports"]["resources"]
    assert services["prefix"].endswith(f":{ACCOUNT}:service/{cluster['name']}/")
    assert patterns["stops"]["detail"]["clusterArn"] == [cluster["arn"]]


def test_the_topic_is_exported(monitor: RecordingMonitor) -> None:
    assert monitor.outputs[NAME]["alarmTopicArn"] == monitor.state("aws:sns/topic:Topic")["arn"]
