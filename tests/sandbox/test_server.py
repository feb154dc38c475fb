"""The provider protocol over a real gRPC connection, without an engine.

Not proven here: how the engine shows the answers; the engine tests do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2 as proto
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.behaviour.values import UNKNOWN
from sandbox.provider.faults import Faults
from sandbox.provider.inventory import Inventory
from sandbox.provider.server import SimulatedProvider, serve
from sandbox.provider.wire import decode, encode
from tests.behaviour.case import Case
from tests.behaviour.cases import CASES

ACCOUNT = "111111111111"
QUEUE = "aws:sqs/queue:Queue"
PASSWORD = "random:index/randomPassword:RandomPassword"


def urn(token: str, name: str = "work") -> str:
    return f"urn:pulumi:dev::probe::{token}::{name}"


class Client:
    """One connection, configured as the engine configures a provider instance."""

    def __init__(self, port: int, **config: Any) -> None:
        # A connection of its own, as each of the engine's providers has; channels of one process share them else.
        options = [("grpc.use_local_subchannel_pool", 1)]
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=options)
        self.stub = provider_pb2_grpc.ResourceProviderStub(self.channel)
        if config:
            args = {
                key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()
            }
            self.stub.Configure(proto.ConfigureRequest(args=encode(args), type="pulumi:providers:aws"))

    def check(self, token: str, inputs: dict[str, Any], secrets: tuple[str, ...] = ()) -> Any:
        return self.stub.Check(
            proto.CheckRequest(urn=urn(token), news=encode(inputs, secrets), randomSeed=b"seed")
        )

    def create(self, token: str, inputs: dict[str, Any], *, preview: bool = False) -> Any:
        checked = self.check(token, inputs)
        request = proto.CreateRequest(urn=urn(token), properties=checked.inputs, preview=preview)
        return self.stub.Create(request)


@pytest.fixture
def provider(tmp_path: Path) -> SimulatedProvider:
    return SimulatedProvider(Inventory(tmp_path / "cloud.jsonl"), faults=Faults([f"{QUEUE}::broken=always"]))


@pytest.fixture
def port(provider: SimulatedProvider) -> Iterator[int]:
    with serve(provider) as port:
        yield port


@pytest.fixture
def client(port: int) -> Client:
    return Client(port, region="eu-west-1", allowedAccountIds=[ACCOUNT])


def refused(call: Any, *args: Any) -> str:
    with pytest.raises(grpc.RpcError) as caught:
        call(*args)
    return str(caught.value.details())


def test_created_resources_are_in_the_inventory(client: Client, provider: SimulatedProvider) -> None:
    made = client.create(QUEUE, {})
    assert [(entry.token, entry.id, entry.account) for entry in provider.inventory] == [
        (QUEUE, made.id, ACCOUNT)
    ]


@pytest.fixture(scope="module")
def checking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Return one connection for all rows of a table that create nothing."""
    provider = SimulatedProvider(Inventory(tmp_path_factory.mktemp("checking") / "cloud.jsonl"))
    with serve(provider) as port:
        yield Client(port, region="eu-west-1")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.token.rpartition(':')[2]}: {case.id}")
def test_a_wrong_input_is_one_failure_that_names_the_property(checking: Client, case: Case) -> None:
    """The engine shows the reason as it is, after the resource's type and name."""
    (failure,) = checking.check(case.token, case.inputs()).failures
    assert failure.property == ""
    assert failure.reason.startswith(f"{case.property}: ")
    assert case.reason in failure.reason


def test_a_preview_creates_nothing(client: Client, provider: SimulatedProvider) -> None:
    planned = decode(client.create(QUEUE, {}, preview=True).properties).values
    assert planned["arn"] is UNKNOWN
    assert len(provider.inventory) == 0


def test_two_connections_have_their_own_region(client: Client, port: int) -> None:
    other = Client(port, region="us-east-1", allowedAccountIds=[ACCOUNT])
    arns = [decode(each.create(QUEUE, {}).properties).values["arn"] for each in (client, other)]
    assert [arn.split(":")[3] for arn in arns] == ["eu-west-1", "us-east-1"]


def test_default_tags_belong_to_their_connection(client: Client, port: int) -> None:
    tagged = Client(port, region="eu-west-1", defaultTags={"tags": {"owner": "data"}})
    assert decode(tagged.check(QUEUE, {}).inputs).values["tagsAll"] == {"owner": "data"}
    assert "tagsAll" not in decode(client.check(QUEUE, {}).inputs).values


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"region": "eu-west-1", "allowedAccountIds": ["222222222222"]},
            "AWS account ID not allowed: 999999999999",
        ),
        ({"region": "eu-west-1", "forbiddenAccountIds": ["999999999999"]}, "AWS account ID not allowed"),
        ({"region": "eu-west"}, "Invalid AWS Region: eu-west"),
        ({"skipMetadataApiCheck": "true"}, "Missing region"),
    ],
    ids=["another account", "forbidden account", "bad region", "no region"],
)
def test_a_wrong_configuration_is_refused(
    tmp_path: Path, config: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with serve(SimulatedProvider(Inventory(tmp_path / "x"), account="999999999999")) as port:
        assert message in refused(lambda: Client(port, **config))


def test_wrong_inputs_are_reasons_without_values(client: Client) -> None:
    """The engine prints the value of a named property, which may be a secret."""
    failures = client.check(QUEUE, {"visibilityTimeoutSeconds": "soon"}).failures
    assert [(failure.property, failure.reason.split(":")[0]) for failure in failures] == [
        ("", "visibilityTimeoutSeconds")
    ]


def test_a_refused_secret_is_not_told(client: Client) -> None:
    failures = client.check(
        "aws:ssm/parameter:Parameter", {"type": "HUNTER2", "value": "x"}, secrets=("type",)
    ).failures
    assert "[secret]" in failures[0].reason
    assert "HUNTER2" not in failures[0].reason


def test_secret_inputs_stay_secret(client: Client) -> None:
    checked = client.check(QUEUE, {"name": "hush"}, secrets=("name",))
    assert decode(checked.inputs).secrets == {"name"}
    made = client.stub.Create(proto.CreateRequest(urn=urn(QUEUE), properties=checked.inputs))
    assert decode(made.properties).secrets == {"name"}


def test_outputs_that_are_secret_by_nature_are_marked(client: Client) -> None:
    assert "result" in decode(client.create(PASSWORD, {"length": 16}).properties).secrets


def test_an_unknown_type_is_named(client: Client) -> None:
    assert "does not simulate the resource type aws:iot/thing:Thing" in refused(
        client.check, "aws:iot/thing:Thing", {}
    )


def test_an_unknown_component_is_named(client: Client) -> None:
    request = proto.ConstructRequest(type="awsx:lb:ApplicationLoadBalancer", name="lb")
    assert "does not simulate the component awsx:lb:ApplicationLoadBalancer" in refused(
        client.stub.Construct, request
    )


def test_a_diff_names_what_replaces(client: Client) -> None:
    old = client.check(QUEUE, {"name": "a", "delaySeconds": 1}).inputs
    new = client.check(QUEUE, {"name": "b", "delaySeconds": 2}).inputs
    request = proto.DiffRequest(urn=urn(QUEUE), id="q", old_inputs=old, olds=old, news=new)
    answer = client.stub.Diff(request)
    kinds = {path: entry.kind for path, entry in answer.detailedDiff.items()}
    assert kinds == {"name": proto.PropertyDiff.UPDATE_REPLACE, "delaySeconds": proto.PropertyDiff.UPDATE}
    assert list(answer.replaces) == ["name"]


def test_no_difference_is_none(client: Client) -> None:
    inputs = client.check(QUEUE, {"name": "a"}).inputs
    answer = client.stub.Diff(
        proto.DiffRequest(urn=urn(QUEUE), id="q", old_inputs=inputs, olds=inputs, news=inputs)
    )
    assert answer.changes == proto.DiffResponse.DIFF_NONE


def test_an_update_keeps_the_id_and_changes_the_outputs(client: Client, provider: SimulatedProvider) -> None:
    made = client.create(QUEUE, {"name": "a"})
    news = client.check(QUEUE, {"name": "a", "delaySeconds": 9}).inputs
    request = proto.UpdateRequest(urn=urn(QUEUE), id=made.id, olds=made.properties, news=news)
    assert decode(client.stub.Update(request).properties).values["delaySeconds"] == 9
    assert [(entry.id, entry.outputs["delaySeconds"]) for entry in provider.inventory] == [(made.id, 9)]


def test_an_update_of_what_is_gone_is_refused(client: Client) -> None:
    inputs = client.check(QUEUE, {"name": "a"}).inputs
    request = proto.UpdateRequest(urn=urn(QUEUE), id="gone", olds=inputs, news=inputs)
    assert f"NotFound: {QUEUE} gone does not exist in account {ACCOUNT}" in refused(
        client.stub.Update, request
    )


def test_reading_what_is_gone_answers_nothing(client: Client) -> None:
    assert client.stub.Read(proto.ReadRequest(urn=urn(QUEUE), id="gone")).id == ""


def test_reading_without_inputs_answers_those_of_the_cloud(client: Client) -> None:
    """As for an import."""
    made = client.create(QUEUE, {"name": "a", "delaySeconds": 3})
    read = client.stub.Read(proto.ReadRequest(urn=urn(QUEUE), id=made.id))
    inputs = decode(read.inputs).values
    assert (read.id, inputs["name"], inputs["delaySeconds"]) == (made.id, "a", 3)
    assert "arn" not in inputs


def test_deleting_twice_is_no_error(client: Client, provider: SimulatedProvider) -> None:
    made = client.create(QUEUE, {})
    request = proto.DeleteRequest(urn=urn(QUEUE), id=made.id, properties=made.properties)
    client.stub.Delete(request)
    client.stub.Delete(request)
    assert len(provider.inventory) == 0


def test_a_planted_failure_says_so_and_creates_nothing(client: Client, provider: SimulatedProvider) -> None:
    request = proto.CreateRequest(urn=urn(QUEUE, "broken"), properties=client.check(QUEUE, {}).inputs)
    assert f"simulated AWS: planted failure of {QUEUE}::broken" in refused(client.stub.Create, request)
    assert len(provider.inventory) == 0


def test_a_data_source_answers(client: Client) -> None:
    answer = client.stub.Invoke(proto.InvokeRequest(tok="aws:index/getCallerIdentity:getCallerIdentity"))
    assert decode(getattr(answer, "return")).values["accountId"] == ACCOUNT


def test_an_undeclared_data_source_is_named(client: Client) -> None:
    request = proto.InvokeRequest(tok="aws:iot/getEndpoint:getEndpoint")
    assert "does not simulate the data source aws:iot/getEndpoint:getEndpoint" in refused(
        client.stub.Invoke, request
    )


def test_another_region_replaces_the_provider(client: Client) -> None:
    request = proto.DiffRequest(olds=encode({"region": "eu-west-1"}), news=encode({"region": "eu-west-2"}))
    answer = client.stub.DiffConfig(request)
    assert (list(answer.diffs), list(answer.replaces)) == (["region"], ["region"])


def test_calls_are_counted(client: Client, provider: SimulatedProvider) -> None:
    client.create(QUEUE, {})
    assert (provider.overhead.calls["Check"], provider.overhead.calls["Create"]) == (1, 1)


@pytest.mark.parametrize(
    ("method", "request_"),
    [("Parameterize", proto.ParameterizeRequest()), ("Call", proto.CallRequest(tok="awsx:ec2:Vpc/x"))],
)
def test_what_is_not_simulated_is_refused(client: Client, method: str, request_: Any) -> None:
    assert refused(getattr(client.stub, method), request_)


def test_a_taken_port_is_refused(provider: SimulatedProvider, tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="cannot be had"):  # noqa: SIM117
        with serve(provider, taken.getsockname()[1]):
            pytest.fail("served")
