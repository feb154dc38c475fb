"""Invoked functions that run: their answer, their errors, and what they see of the simulated account.

Not proven here: that the platform gate opens; the engine tests run it.
"""

from __future__ import annotations

import json
import re
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2 as proto
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.behaviour.model import AwsError
from sandbox.behaviour.values import Archive, Asset
from sandbox.invocation.runner import FUNCTION, INVOCATION, Functions, endpoint_of
from sandbox.provider.inventory import Inventory
from sandbox.provider.server import SimulatedProvider, serve
from sandbox.provider.wire import decode, encode
from tests.endpoint import Endpoint, serving

ACCOUNT, REGION = "111111111111", "eu-west-1"
NOTE = """\
import json, os, boto3

def tell(event, context):
    print("noise")
    return {
        "event": event,
        "name": context.function_name,
        "left": 0 < context.get_remaining_time_in_millis() <= 60_000,
        "greeting": os.environ["GREETING"],
        "person": sorted(key for key in os.environ if key.startswith("PERSON")),
    }

def fill(event, context):
    client = boto3.client("secretsmanager")
    client.put_secret_value(SecretId=event["secret"], SecretString="made here")

def look(event, context):
    ecs, rds, cache = (boto3.client(service) for service in ("ecs", "rds", "elasticache"))
    started = ecs.run_task(cluster=event["cluster"], taskDefinition=event["definition"], launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-0a"], "securityGroups": ["sg-0a"]}})
    arn = started["tasks"][0]["taskArn"]
    (task,) = ecs.describe_tasks(cluster=event["cluster"], tasks=[arn])["tasks"]
    services = ecs.list_services(cluster=event["cluster"])["serviceArns"]
    (service,) = ecs.describe_services(cluster=event["cluster"], services=services)["services"]
    cache.modify_user(UserId="airflow", AccessString="on ~* +@all",
        AuthenticationMode={"Type": "password", "Passwords": ["0123456789abcdef"]})
    return {
        "task": [task["lastStatus"], task["containers"][0]["exitCode"]],
        "definition": task["taskDefinitionArn"].rpartition("/")[2],
        "wanted": service["runningCount"] + service["pendingCount"],
        "database": rds.describe_db_instances(DBInstanceIdentifier="airflow")["DBInstances"][0]["DBInstanceStatus"],
        "user": cache.describe_users(UserId="airflow")["Users"][0]["AccessString"],
    }

def refuse(event, context):
    raise ValueError("the schema differs")

def dawdle(event, context):
    import time
    time.sleep(60)

def vanish(event, context):
    print("out of memory")
    os._exit(9)
"""
CODE = Archive("h", (("note.py", Asset("h", text=NOTE)),))


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with serving() as endpoint:
        yield endpoint


@pytest.fixture
def inventory(tmp_path: Path) -> Inventory:
    return Inventory(tmp_path / "cloud.jsonl")


@pytest.fixture
def functions(endpoint: Endpoint, inventory: Inventory, tmp_path: Path) -> Functions:
    return Functions(endpoint.url, inventory, tmp_path)


def put(inventory: Inventory, token: str, id: str, **outputs: Any) -> str:
    urn = f"urn:pulumi:dev::probe::{token}::{id}"
    inventory.put(token, id, urn, ACCOUNT, {"region": REGION, **outputs})
    return urn


def known(inventory: Inventory, functions: Functions, handler: str, code: Any = CODE, **more: Any) -> None:
    """Make a function of the simulated account known."""
    settings = {"runtime": "python3.13", "timeout": 60, "arn": "arn:function", **more}
    variables = {"variables": {"GREETING": "hello"}}
    urn = put(inventory, FUNCTION, "note", handler=handler, environment=variables, **settings)
    functions.remember(urn, {"code": code})


def call(functions: Functions, event: Any = None, name: str = "note") -> Any:
    inputs = {"functionName": name, "input": json.dumps(event or {})}
    return json.loads(functions.invoke(inputs, ACCOUNT, REGION, threading.Event()))


def test_a_function_runs_with_its_event_and_variables_only(
    functions: Functions, inventory: Inventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSON_TOKEN", "secret")
    known(inventory, functions, "note.tell")
    assert call(functions, {"n": 1}) == {
        "event": {"n": 1},
        "name": "note",
        "left": True,
        "greeting": "hello",
        "person": [],
    }


def test_a_function_is_found_by_its_arn(functions: Functions, inventory: Inventory) -> None:
    known(inventory, functions, "note.tell")
    assert call(functions, name="arn:function")["name"] == "note"


def test_a_secret_is_filled_under_its_simulated_arn(
    endpoint: Endpoint, functions: Functions, inventory: Inventory
) -> None:
    arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:fernet-key-1234567-AbCdEf"
    put(inventory, "aws:secretsmanager/secret:Secret", arn, arn=arn, name="fernet-key-1234567")
    known(inventory, functions, "note.fill")
    assert call(functions, {"secret": arn}) is None
    assert endpoint.secret(arn) == "made here"
    # What exists at the endpoint is left alone by the next invocation.
    call(functions, {"secret": arn})


@pytest.fixture
def platform(inventory: Inventory) -> dict[str, str]:
    """Make a cluster with a service, a second revision of a task definition, a database and a broker's user."""
    cluster = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/airflow"
    definition = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/bootstrap:2"
    containers = json.dumps([{"name": "bootstrap", "image": "airflow"}])
    put(inventory, "aws:ecs/cluster:Cluster", cluster, name="airflow")
    put(
        inventory,
        "aws:ecs/taskDefinition:TaskDefinition",
        "bootstrap",
        family="bootstrap",
        revision=2,
        containerDefinitions=containers,
    )
    put(
        inventory,
        "aws:ecs/service:Service",
        "api",
        name="api",
        cluster=cluster,
        taskDefinition=definition,
        desiredCount=2,
    )
    put(
        inventory,
        "aws:rds/instance:Instance",
        "db-1",
        identifier="airflow",
        instanceClass="db.t4g.micro",
        engine="postgres",
        allocatedStorage=20,
    )
    put(
        inventory,
        "aws:elasticache/user:User",
        "airflow",
        userId="airflow",
        userName="airflow",
        engine="valkey",
        accessString="off -@all",
    )
    return {"cluster": cluster, "definition": definition}


def test_a_function_sees_the_account(
    endpoint: Endpoint, functions: Functions, inventory: Inventory, platform: dict[str, str]
) -> None:
    known(inventory, functions, "note.look")
    endpoint.exit_code = 64
    assert call(functions, platform) == {
        "task": ["STOPPED", 64],
        "definition": "bootstrap:2",
        "wanted": 2,
        "database": "available",
        "user": "on ~* +@all",
    }
    assert endpoint.modified[-1]["AuthenticationMode"]["Passwords"] == ["0123456789abcdef"]


def test_what_another_region_holds_is_not_shown(
    endpoint: Endpoint, functions: Functions, inventory: Inventory
) -> None:
    arn = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:other-AbCdEf"
    put(inventory, "aws:secretsmanager/secret:Secret", arn, arn=arn, region="us-east-1")
    known(inventory, functions, "note.tell")
    call(functions)
    names = [secret["Name"] for secret in endpoint.client("secretsmanager").list_secrets()["SecretList"]]
    assert "other-AbCdEf" not in names


def refused(functions: Functions, stop: threading.Event | None = None) -> str:
    with pytest.raises(AwsError) as caught:
        functions.invoke({"functionName": "note", "input": "{}"}, ACCOUNT, REGION, stop or threading.Event())
    return str(caught.value)


def test_an_error_is_what_lambda_makes_of_it(functions: Functions, inventory: Inventory) -> None:
    known(inventory, functions, "note.refuse")
    text = refused(functions)
    assert text.startswith(
        'FunctionError: Lambda function (note) returned error: ({"errorMessage": "the schema'
    )
    assert '"errorType": "ValueError"' in text


@pytest.mark.parametrize("handler", ["gone.tell", "note.gone"])
def test_a_handler_that_is_not_there_is_an_error_of_the_function(
    functions: Functions, inventory: Inventory, handler: str
) -> None:
    known(inventory, functions, handler)
    assert "returned error" in refused(functions)
    assert "gone" in refused(functions)


def test_a_function_ends_with_its_time(functions: Functions, inventory: Inventory) -> None:
    known(inventory, functions, "note.dawdle", timeout=1)
    assert "Task timed out after 1.00 seconds" in refused(functions)


def test_a_function_is_stopped_with_the_update(functions: Functions, inventory: Inventory) -> None:
    known(inventory, functions, "note.dawdle")
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    started = time.monotonic()
    assert "RequestCanceled" in refused(functions, stop)
    assert time.monotonic() - started < 30


def test_a_process_that_dies_is_an_error_with_what_it_said(
    functions: Functions, inventory: Inventory
) -> None:
    known(inventory, functions, "note.vanish")
    text = refused(functions)
    assert "Runtime exited with status 9: out of memory" in text


def folder_code(folder: Path) -> Archive:
    (folder / "own").mkdir()
    (folder / "own" / "note.py").write_text(NOTE)
    return Archive("h", path="own")


def zip_code(folder: Path) -> Archive:
    with zipfile.ZipFile(folder / "note.zip", "w") as file:
        file.writestr("note.py", NOTE)
    return Archive("h", path=str(folder / "note.zip"))


def nested_code(folder: Path) -> Archive:
    (folder / "note.py").write_text(NOTE)
    inner = Archive("h", (("note.py", Asset("h", path="note.py")), ("__init__.py", Asset("h", text=""))))
    return Archive("h", (("package", inner), ("data/empty.txt", Asset("h", text=""))))


@pytest.mark.parametrize(
    ("make", "handler"),
    [(folder_code, "note.tell"), (zip_code, "note.tell"), (nested_code, "package/note.tell")],
    ids=["folder", "zip", "nested"],
)
def test_code_comes_from_any_archive(
    functions: Functions, inventory: Inventory, tmp_path: Path, make: Any, handler: str
) -> None:
    known(inventory, functions, handler, make(tmp_path))
    assert call(functions)["greeting"] == "hello"


def test_packages_of_this_interpreter_come_first(functions: Functions, inventory: Inventory) -> None:
    """Those of the archive are built for Lambda's processor."""
    broken = Archive("h", (*(CODE.assets or ()), ("boto3.py", Asset("h", text="raise ImportError"))))
    known(inventory, functions, "note.tell", broken)
    assert call(functions)["name"] == "note"


@pytest.mark.parametrize(
    ("code", "more", "message"),
    [
        (Archive("h", uri="https://example.com/a.zip"), {}, "on this machine only"),
        (Archive("h", path="note.txt"), {}, "not from note.txt"),
        (CODE, {"runtime": "nodejs22.x"}, "handlers in Python only"),
        (CODE, {"handler": ""}, "handlers in Python only"),
    ],
)
def test_what_cannot_run_here_is_refused(
    functions: Functions,
    inventory: Inventory,
    tmp_path: Path,
    code: Any,
    more: dict[str, Any],
    message: str,
) -> None:
    (tmp_path / "note.txt").write_text("no archive")
    known(inventory, functions, more.pop("handler", "note.tell"), code, **more)
    assert message in refused(functions)


def test_a_function_whose_code_is_not_known_is_refused(functions: Functions, inventory: Inventory) -> None:
    put(inventory, FUNCTION, "note", handler="note.tell", runtime="python3.13", arn="arn")
    assert "its program did not register it" in refused(functions)


def test_a_function_that_does_not_exist_is_refused(functions: Functions) -> None:
    assert refused(functions) == "ResourceNotFoundException: Function not found: note"


def test_an_endpoint_that_fails_is_no_silence(inventory: Inventory, tmp_path: Path) -> None:
    """Nothing answers there."""
    functions = Functions("http://127.0.0.1:9", inventory, tmp_path)
    put(inventory, "aws:ecs/cluster:Cluster", "airflow", name="airflow")
    known(inventory, functions, "note.tell")
    assert "EndpointFailed: --functions-endpoint http://127.0.0.1:9: Could not connect" in refused(functions)


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:5000", "http://example.com", "http://127.0.0.1/x", "5000"]
)
def test_an_endpoint_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=re.escape("want http://127.0.0.1:PORT")):
        endpoint_of(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:5000", "http://localhost:5000/", "http://[::1]:5000"])
def test_an_endpoint_here_is_taken(url: str) -> None:
    assert endpoint_of(url) == url.rstrip("/")


class Client:
    """A connection as the engine's aws provider has it."""

    def __init__(self, port: int) -> None:
        options = [("grpc.use_local_subchannel_pool", 1)]
        channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=options)
        self.stub = provider_pb2_grpc.ResourceProviderStub(channel)
        args = encode({"region": REGION, "allowedAccountIds": json.dumps([ACCOUNT])})
        self.stub.Configure(proto.ConfigureRequest(args=args, type="pulumi:providers:aws"))

    def create(self, token: str, inputs: dict[str, Any]) -> dict[str, Any]:
        urn = f"urn:pulumi:dev::probe::{token}::note"
        checked = self.stub.Check(proto.CheckRequest(urn=urn, news=encode(inputs), randomSeed=b"seed"))
        assert not checked.failures
        made = self.stub.Create(proto.CreateRequest(urn=urn, properties=checked.inputs))
        return decode(made.properties).values


def function(handler: str) -> dict[str, Any]:
    role = f"arn:aws:iam::{ACCOUNT}:role/note"
    variables = {"variables": {"GREETING": "hello"}}
    settings = {"runtime": "python3.13", "timeout": 60, "environment": variables}
    return {"name": "note", "role": role, "handler": handler, "code": CODE, **settings}


INVOKE = {"functionName": "note", "input": '{"n": 1}'}


def test_a_created_invocation_has_the_answer(inventory: Inventory, functions: Functions) -> None:
    with serve(SimulatedProvider(inventory, functions=functions)) as port:
        client = Client(port)
        client.create(FUNCTION, function("note.tell"))
        result = client.create(INVOCATION, INVOKE)["result"]
    assert json.loads(result)["event"] == {"n": 1}


def test_an_invocation_that_fails_does_not_exist(inventory: Inventory, functions: Functions) -> None:
    with serve(SimulatedProvider(inventory, functions=functions)) as port:
        client = Client(port)
        client.create(FUNCTION, function("note.refuse"))
        with pytest.raises(grpc.RpcError) as caught:
            client.create(INVOCATION, INVOKE)
    assert "Lambda function (note) returned error" in str(caught.value.details())
    assert inventory.of_type(INVOCATION, ACCOUNT) == []


def test_without_an_endpoint_the_answer_says_that_nothing_ran(inventory: Inventory) -> None:
    with serve(SimulatedProvider(inventory)) as port:
        client = Client(port)
        client.create(FUNCTION, function("note.refuse"))
        result = client.create(INVOCATION, INVOKE)["result"]
    assert json.loads(result) == {
        "simulated": True,
        "function": "note",
        "note": "nothing ran: the sandbox runs functions only with --functions-endpoint",
    }


def test_nothing_of_a_function_stays_behind(
    functions: Functions, inventory: Inventory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    known(inventory, functions, "note.tell")
    call(functions)
    assert list((tmp_path / "temporary").iterdir()) == []
