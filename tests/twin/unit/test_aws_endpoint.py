"""The endpoint that stands in for AWS, and the gate that is really opened at it.

Buckets, tables and secrets are moto's; what is proved here is that they exist under the rendered names, and what the
stand-ins do. The one-off task is a stand-in of its own here.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from functions.platform_gate.kinds import SecretKind
from images.airflow.platform_runtime.releases import identity
from operations.clock import Clock
from operations.errors import OperationError
from operations.fleet import Fleet
from operations.publisher_task import PublisherPlace, PublisherTask
from sandbox.twin.aws_endpoint import (
    RUNNING,
    STOPPED,
    Endpoint,
    ResourceInitializationError,
    ServiceTask,
    TaskState,
    serving,
)
from sandbox.twin.ecs_api import metadata
from sandbox.twin.gate import GateClosedError, open_gate
from sandbox.twin.model import Overrides, SecretSource
from sandbox.twin.platform import Platform
from sandbox.twin.preparation import listening
from tests.twin.answering import Twin, names
from tests.twin.rendered import read

pytestmark = pytest.mark.filterwarnings(r"ignore::DeprecationWarning:pulumi_(aws|awsx)\..*")

ROOT = Path(__file__).parents[3]
OWNER_PASSWORD = "owner's p@ssword"


@pytest.fixture(scope="module")
def platform() -> Platform:
    return read("dev")


@pytest.fixture(scope="module")
def opened(platform: Platform) -> Iterator[tuple[Twin, Any]]:
    """Return a twin whose gate was opened once, and the gate's answer."""
    twin = Twin()
    twin.definitions = {each.arn: each for each in platform.definitions}
    with (
        listening(0) as outside,
        serving(
            twin.stand_ins, region=platform.region, account=platform.account, outside=outside
        ) as endpoint,
    ):
        twin.endpoint = endpoint
        endpoint.show(platform, OWNER_PASSWORD)
        yield twin, open_gate(platform, endpoint.url, ROOT)


@pytest.fixture
def twin(opened: tuple[Twin, Any]) -> Iterator[Twin]:
    """Return the same, to be changed; it is as before afterwards."""
    found = opened[0]
    before = (found.state, found.refusal, found.running)
    yield found
    found.state, found.refusal, found.running = before
    found.tasks, found.logs, found.metadata = [], {}, {}


def test_the_gate_tells_what_it_has_made(opened: tuple[Twin, Any]) -> None:
    twin, answer = opened
    assert answer["secretsMade"] == list(SecretKind)
    assert answer["bootstrapTask"].endswith(twin.requests[0].id)
    assert answer["bootstrapTask"].startswith("arn:aws:ecs:eu-west-1:111111111111:task/airflow-dev-")


def test_every_secret_of_every_container_has_a_value(opened: tuple[Twin, Any], platform: Platform) -> None:
    sources = {
        source
        for definition in platform.definitions
        for container in definition.containers
        for source in container.secrets.values()
    }
    assert len(sources) == 15
    assert all(opened[0].endpoint.resolve(source) for source in sources)


def test_the_owner_has_its_real_password(opened: tuple[Twin, Any], platform: Platform) -> None:
    owner = json.loads(opened[0].value(platform.metastore.owner_secret_arn))
    assert owner == {"username": "airflow_owner", "password": OWNER_PASSWORD}


def test_the_brokers_user_is_switched_on_with_its_password(
    opened: tuple[Twin, Any], platform: Platform
) -> None:
    login = json.loads(opened[0].value(platform.secrets["broker-user"]))
    (asked,) = opened[0].users[:1]
    assert asked["UserId"] == platform.broker.user_id
    assert asked["AccessString"] == "on ~* &* +@all -@admin -@dangerous +info"
    assert asked["AuthenticationMode"] == {"Type": "password", "Passwords": [login["password"]]}


def test_the_bootstrap_task_is_the_rendered_one(opened: tuple[Twin, Any], platform: Platform) -> None:
    request = opened[0].requests[0]
    assert request.definition == platform.bootstrap.arn
    assert request.overrides == {"bootstrap": Overrides(environment={"PLATFORM_SERVICES_RUNNING": "false"})}
    assert request.started_by.startswith("gate-")


def test_the_certificate_is_for_the_rendered_name(opened: tuple[Twin, Any], platform: Platform) -> None:
    assert names(opened[0].value(platform.secrets["api-server-certificate"])) == [platform.gate.host_name]


def test_storage_is_there_under_its_names_and_empty(opened: tuple[Twin, Any], platform: Platform) -> None:
    endpoint = opened[0].endpoint
    buckets = [each["Name"] for each in endpoint.client("s3").list_buckets()["Buckets"]]
    table = endpoint.client("dynamodb").describe_table(TableName=platform.ledger.name)["Table"]
    assert sorted(buckets) == sorted([*platform.buckets, platform.release_bucket])
    objects = [endpoint.client("s3").list_objects_v2(Bucket=bucket) for bucket in platform.buckets]
    assert ["Contents" in each for each in objects] == [False, False]
    assert {each["AttributeName"]: each["KeyType"] for each in table["KeySchema"]} == {
        "pk": "HASH",
        "sk": "RANGE",
    }
    assert table["ItemCount"] == 0
    assert table["TableArn"].startswith("arn:aws:dynamodb:eu-west-1:111111111111:table/")
    ttl = endpoint.client("dynamodb").describe_time_to_live(TableName=platform.ledger.name)
    assert ttl["TimeToLiveDescription"]["AttributeName"] == "expiresAt"


def test_the_gate_sees_running_services_and_makes_nothing_twice(twin: Twin, platform: Platform) -> None:
    before = twin.value(platform.secrets["fernet-key"])
    twin.running = 1
    answer = open_gate(platform, twin.endpoint.url, ROOT)
    assert answer["secretsMade"] == []
    overrides = twin.requests[-1].overrides["bootstrap"]
    assert overrides.environment == {"PLATFORM_SERVICES_RUNNING": "true"}
    assert twin.value(platform.secrets["fernet-key"]) == before


def test_a_failed_bootstrap_closes_the_gate_in_its_own_words(twin: Twin, platform: Platform) -> None:
    twin.state = TaskState(
        status=STOPPED,
        exit_codes={"bootstrap": 3},
        stop_code="EssentialContainerExited",
        stopped_reason="Essential container in task exited",
    )
    with pytest.raises(GateClosedError) as caught:
        open_gate(platform, twin.endpoint.url, ROOT)
    assert (
        "the bootstrap task failed with exit code 3 "
        "(EssentialContainerExited; Essential container in task exited)" in str(caught.value)
    )


def test_a_task_that_is_not_placed_closes_the_gate_with_the_reason(twin: Twin, platform: Platform) -> None:
    twin.refusal = "the image is broken"
    with pytest.raises(GateClosedError, match=r"does not start the bootstrap task \(the image is broken\)"):
        open_gate(platform, twin.endpoint.url, ROOT)


def test_a_container_that_never_ran_has_no_exit_code(twin: Twin, platform: Platform) -> None:
    twin.state = TaskState(status=STOPPED, exit_codes={"bootstrap": None}, stop_code="TaskFailedToStart")
    with pytest.raises(GateClosedError, match=r"the bootstrap task never started \(TaskFailedToStart\)"):
        open_gate(platform, twin.endpoint.url, ROOT)


def test_a_missing_key_is_named(twin: Twin, platform: Platform) -> None:
    source = SecretSource(arn=platform.secrets["admin-user"], key="nothing")
    with pytest.raises(ResourceInitializationError, match="did not contain json key nothing") as caught:
        twin.endpoint.resolve(source)
    assert source.arn in str(caught.value)


def test_a_key_of_plain_text_is_refused_without_showing_it(twin: Twin, platform: Platform) -> None:
    source = SecretSource(arn=platform.secrets["fernet-key"], key="password")
    with pytest.raises(ResourceInitializationError) as caught:
        twin.endpoint.resolve(source)
    assert twin.value(source.arn) not in str(caught.value)
    assert caught.value.__suppress_context__


def test_an_unknown_secret_is_named(twin: Twin) -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:lost-AbCdEf"
    with pytest.raises(ResourceInitializationError, match=r"unable to retrieve secret from asm.*lost-AbCdEf"):
        twin.endpoint.resolve(SecretSource(arn=arn, key=None))


# One-off tasks, as ECS shows them.
def run_task(twin: Twin, platform: Platform, **more: Any) -> Any:
    return twin.endpoint.client("ecs").run_task(
        cluster=platform.cluster, taskDefinition=platform.bootstrap.arn, **more
    )


def test_a_task_is_known_until_it_stops_and_after(twin: Twin, platform: Platform) -> None:
    twin.state = TaskState(status=RUNNING)
    ecs = twin.endpoint.client("ecs")
    (task,) = run_task(twin, platform, startedBy="me")["tasks"]
    assert (task["lastStatus"], task["startedBy"]) == ("PENDING", "me")

    def listed(status: str) -> list[str]:
        found = ecs.list_tasks(
            cluster=platform.cluster, family=platform.bootstrap.family, desiredStatus=status
        )
        return list(found["taskArns"])

    assert task["taskArn"] in listed(RUNNING)
    assert task["taskArn"] not in listed(STOPPED)
    twin.state = TaskState(status=STOPPED, exit_codes={"bootstrap": 7}, stopped_reason="why")
    assert task["taskArn"] in listed(STOPPED)
    (described,) = ecs.describe_tasks(cluster=platform.cluster, tasks=[task["taskArn"]])["tasks"]
    assert (described["lastStatus"], described["stoppedReason"]) == (STOPPED, "why")
    assert [(each["name"], each["exitCode"]) for each in described["containers"]] == [("bootstrap", 7)]


def test_tasks_of_another_family_are_not_listed(twin: Twin, platform: Platform) -> None:
    run_task(twin, platform)
    ecs = twin.endpoint.client("ecs")
    found = ecs.list_tasks(cluster=platform.cluster, family="other", desiredStatus=STOPPED)
    assert found["taskArns"] == []


def test_an_unknown_task_is_missing(twin: Twin, platform: Platform) -> None:
    arn = "arn:aws:ecs:eu-west-1:111111111111:task/cluster/lost"
    answer = twin.endpoint.client("ecs").describe_tasks(cluster=platform.cluster, tasks=[arn])
    assert (answer["tasks"], answer["failures"]) == ([], [{"arn": arn, "reason": "MISSING"}])


def test_a_token_starts_one_task(twin: Twin, platform: Platform) -> None:
    before = len(twin.requests)
    found = {run_task(twin, platform, clientToken="once")["tasks"][0]["taskArn"] for _ in range(2)}
    assert len(found) == 1
    assert len(twin.requests) == before + 1


def test_the_end_of_a_task_is_told_at_once(twin: Twin, platform: Platform) -> None:
    """Whoever asks every few seconds would otherwise wait for nothing."""
    twin.state = TaskState(status=RUNNING)
    (task,) = run_task(twin, platform)["tasks"]

    def end() -> None:
        time.sleep(0.5)
        twin.state = TaskState(status=STOPPED, exit_codes={"bootstrap": 0})

    ender = threading.Thread(target=end)
    ender.start()
    began = time.monotonic()
    ecs = twin.endpoint.client("ecs")
    (described,) = ecs.describe_tasks(cluster=platform.cluster, tasks=[task["taskArn"]])["tasks"]
    ender.join()
    assert described["lastStatus"] == STOPPED
    assert 0.4 < time.monotonic() - began < 4


def test_a_command_of_the_request_replaces_that_of_the_definition(twin: Twin, platform: Platform) -> None:
    command = ["platform-publisher", "publish", "0" * 64]
    twin.endpoint.client("ecs").run_task(
        cluster=platform.cluster,
        taskDefinition=platform.publisher.arn,
        overrides={"containerOverrides": [{"name": "release-publisher", "command": command}]},
    )
    request = twin.requests[-1]
    assert request.definition == platform.publisher.arn
    assert request.overrides == {"release-publisher": Overrides(command=tuple(command))}


# The tasks of services.
def service_task(platform: Platform, role: str, id: str, **state: Any) -> ServiceTask:
    (service,) = [each for each in platform.services if each.role == role]
    return ServiceTask(id=id, service=service.name, definition=service.definition, state=TaskState(**state))


def test_the_tasks_of_a_service_are_those_that_shall_run(twin: Twin, platform: Platform) -> None:
    twin.tasks = [
        service_task(platform, "worker", "a" * 32, status="RUNNING", started_at=1_700_000_000.5),
        service_task(platform, "worker", "b" * 32, status="STOPPING", started_at=1_700_000_000.0),
        service_task(platform, "worker", "c" * 32, status="PROVISIONING"),
        service_task(platform, "triggerer", "d" * 32),
    ]
    ecs, service = twin.endpoint.client("ecs"), twin.tasks[0].service
    listed = ecs.list_tasks(cluster=platform.cluster, serviceName=service)["taskArns"]
    assert [arn.rpartition("/")[2][0] for arn in listed] == ["a", "c"]
    running, provisioning = ecs.describe_tasks(cluster=platform.cluster, tasks=listed)["tasks"]
    assert running["startedAt"].timestamp() == 1_700_000_000.5
    assert (running["lastStatus"], running["group"]) == ("RUNNING", f"service:{service}")
    assert running["taskArn"] == f"arn:aws:ecs:eu-west-1:111111111111:task/{platform.cluster}/{'a' * 32}"
    assert "startedAt" not in provisioning


def test_the_operators_program_finds_the_running_readers(twin: Twin, platform: Platform) -> None:
    twin.tasks = [service_task(platform, "worker", "a" * 32, started_at=1_700_000_000.0)]
    names = [each.name for each in platform.services if each.role in {"worker", "triggerer"}]
    (found,) = Fleet(twin.endpoint.client("ecs"), platform.cluster, names).running()
    assert (found.service, found.task_id) == (twin.tasks[0].service, "a" * 32)


def test_an_unknown_service_is_refused(twin: Twin, platform: Platform) -> None:
    with pytest.raises(ClientError, match="ServiceNotFoundException"):
        twin.endpoint.client("ecs").list_tasks(cluster=platform.cluster, serviceName="lost")


def test_the_operators_program_runs_the_publisher_and_quotes_its_log(twin: Twin, platform: Platform) -> None:
    """With the definition's own log group, which it asks for."""
    twin.state = TaskState(status=STOPPED, exit_codes={"release-publisher": 65})
    (container,) = platform.publisher.containers
    assert container.log is not None
    group = container.log.group

    class Logs(dict[tuple[str, str], list[str]]):
        def get(self, key: tuple[str, str], default: Any = None) -> Any:
            right = key[0] == group and key[1].startswith("task/release-publisher/")
            return ["one", '{"error": "the archive is broken", "ok": false}'] if right else default

    twin.logs = Logs()
    place = PublisherPlace(
        cluster=platform.cluster,
        task_definition=platform.publisher.arn,
        subnets=("subnet-1",),
        security_groups=("sg-1",),
    )
    task = PublisherTask(twin.endpoint.client("ecs"), twin.endpoint.client("logs"), place, Clock())
    with pytest.raises(OperationError, match=r"failed with exit code 65: the archive is broken \(log group"):
        task.publish("0" * 64, git_commit="c", published_by="p", say=lambda _: None)
    assert twin.requests[-1].overrides["release-publisher"].command is not None


# What ECS tells containers.
def test_a_container_learns_who_its_task_is(twin: Twin, platform: Platform) -> None:
    definition = platform.publisher
    document = metadata(
        "a" * 32,
        definition,
        cluster_arn=platform.cluster_arn,
        service="dev-worker",
        state=TaskState(),
    )
    own = document["Containers"][0]["DockerId"]
    twin.metadata = {own: document}
    address = f"{twin.endpoint.url}/v4/{own}"

    found = identity.read({identity.METADATA: address})

    digest = definition.containers[0].image.partition("@")[2]
    assert found == identity.Identity(service="dev-worker", task_id="a" * 32, image_digest=digest)
    assert fetched(address)[1]["Name"] == "release-publisher"
    assert fetched(f"{twin.endpoint.url}/v4/other/task")[0] == 404


# From outside.
def test_outside_only_those_are_answered_who_know_the_key(twin: Twin) -> None:
    endpoint = twin.endpoint
    stranger = Endpoint(endpoint.outside_url, "eu-west-1")
    for service, call in (("sts", "get_caller_identity"), ("ecs", "list_clusters"), ("s3", "list_buckets")):
        with pytest.raises(ClientError, match="InvalidClientTokenId"):
            getattr(stranger.client(service), call)()
    sts = boto3.client(
        "sts",
        endpoint_url=endpoint.outside["AWS_ENDPOINT_URL"],
        region_name=endpoint.outside["AWS_REGION"],
        aws_access_key_id=endpoint.outside["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=endpoint.outside["AWS_SECRET_ACCESS_KEY"],
    )
    assert sts.get_caller_identity()["Account"] == "111111111111"
    assert fetched(f"{endpoint.outside_url}/moto-api/data.json")[0] == 403
    assert fetched(f"{endpoint.outside_url}/v4/x/task")[0] == 403


def fetched(url: str) -> tuple[int, Any]:
    """Return status and document of an answer."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, None


def test_an_unknown_cluster_is_refused(twin: Twin, platform: Platform) -> None:
    with pytest.raises(ClientError, match="Cluster not found"):
        twin.endpoint.client("ecs").run_task(cluster="lost", taskDefinition=platform.bootstrap.arn)


def test_an_unknown_user_is_refused(twin: Twin) -> None:
    before = len(twin.users)
    with pytest.raises(ClientError, match="User lost not found"):
        twin.endpoint.client("elasticache").modify_user(UserId="lost", AccessString="on ~* +@all")
    assert len(twin.users) == before


def test_a_refused_transaction_loses_nothing_that_others_write(twin: Twin, platform: Platform) -> None:
    """Two releases at the same time end so, while containers write their proofs."""
    client, table, writes = twin.endpoint.client("dynamodb"), platform.ledger.name, 60
    taken = {"pk": {"S": "RACE"}, "sk": {"S": "taken"}}
    client.put_item(TableName=table, Item=taken)
    for batch in range(40):  # a table of some size, so that a transaction takes some time
        rows = [{"pk": {"S": "MANY"}, "sk": {"S": f"{batch} {row}"}} for row in range(25)]
        client.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": row}} for row in rows]})
    condition = {"ConditionExpression": "attribute_not_exists(pk)"}

    def refused() -> None:
        with pytest.raises(client.exceptions.TransactionCanceledException):
            client.transact_write_items(
                TransactItems=[{"Put": {"TableName": table, "Item": taken, **condition}}]
            )

    def written(number: int) -> None:
        client.put_item(TableName=table, Item={"pk": {"S": "WRITTEN"}, "sk": {"S": str(number)}})

    with ThreadPoolExecutor(8) as pool:
        both = [(pool.submit(refused), pool.submit(written, each)) for each in range(writes)]
        for done in (each for pair in both for each in pair):
            done.result()
    values = {":pk": {"S": "WRITTEN"}}
    found = client.query(TableName=table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues=values)
    assert found["Count"] == writes
