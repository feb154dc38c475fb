"""The endpoint that stands in for AWS, and the gate that is really opened at it.

Buckets, tables and secrets are moto's; what is proved here is that they exist under the rendered names, and what the
stand-ins do. The one-off task is a stand-in of its own here.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.platform_gate.kinds import SecretKind
from sandbox.twin.aws_endpoint import RUNNING, STOPPED, ResourceInitializationError, TaskState, serving
from sandbox.twin.gate import GateClosedError, open_gate
from sandbox.twin.model import SecretSource
from sandbox.twin.platform import Platform
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
    with serving(twin.stand_ins, region=platform.region, account=platform.account) as endpoint:
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
    assert request.environment == {"bootstrap": {"PLATFORM_SERVICES_RUNNING": "false"}}
    assert request.started_by.startswith("gate-")


def test_the_certificate_is_for_the_rendered_name(opened: tuple[Twin, Any], platform: Platform) -> None:
    assert names(opened[0].value(platform.secrets["api-server-certificate"])) == [platform.gate.host_name]


def test_storage_is_there_under_its_names_and_empty(opened: tuple[Twin, Any], platform: Platform) -> None:
    endpoint = opened[0].endpoint
    (bucket,) = endpoint.client("s3").list_buckets()["Buckets"]
    table = endpoint.client("dynamodb").describe_table(TableName=platform.ledger.name)["Table"]
    assert bucket["Name"] == platform.buckets[0]
    assert "Contents" not in endpoint.client("s3").list_objects_v2(Bucket=bucket["Name"])
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
    assert twin.requests[-1].environment == {"bootstrap": {"PLATFORM_SERVICES_RUNNING": "true"}}
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


def test_an_unknown_cluster_is_refused(twin: Twin, platform: Platform) -> None:
    with pytest.raises(ClientError, match="Cluster not found"):
        twin.endpoint.client("ecs").run_task(cluster="lost", taskDefinition=platform.bootstrap.arn)


def test_an_unknown_user_is_refused(twin: Twin) -> None:
    before = len(twin.users)
    with pytest.raises(ClientError, match="User lost not found"):
        twin.endpoint.client("elasticache").modify_user(UserId="lost", AccessString="on ~* +@all")
    assert len(twin.users) == before
