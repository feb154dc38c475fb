"""What data sources answer, and that every one of them is one of the SDK's, with the SDK's result names."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable
from typing import Any

import pytest

from sandbox.behaviour.invokes import INVOKES, invoke
from sandbox.behaviour.model import AwsError, EmptyWorld, Properties, Session
from sandbox.behaviour.outputs import created
from sandbox.behaviour.schema import UnknownType
from tests.sdk import sdk_module

ACCOUNT, REGION = "111111111111", "eu-west-1"
SESSION = Session(ACCOUNT, REGION, {"owner": "data"})
DOCUMENT = "aws:iam/getPolicyDocument:getPolicyDocument"


class World:
    """Resources as the simulated AWS makes them."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.resources: dict[tuple[str, str], Properties] = {}

    def add(self, token: str, inputs: Properties) -> str:
        """Create a resource and return its id."""
        made = created(token, "it", inputs, SESSION, self, str(len(self.resources)).encode())
        self.resources[token, made.id] = made.outputs
        return made.id

    def find(self, token: str, id: str) -> Properties | None:
        """Find by id."""
        return self.resources.get((token, id))

    def all(self, token: str) -> Iterable[tuple[str, Properties]]:
        """List by type."""
        return [(key, found) for (kind, key), found in self.resources.items() if kind == token]


@pytest.fixture(scope="module")
def world() -> World:
    world = World()
    vpc = world.add("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16", "tags": {"Name": "main"}})
    world.add("aws:ec2/vpc:Vpc", {"cidrBlock": "10.1.0.0/16", "tags": {"Name": "other"}})
    for letter, third in (("a", 1), ("b", 2)):
        subnet = {"vpcId": vpc, "cidrBlock": f"10.0.{third}.0/24", "availabilityZone": f"{REGION}{letter}"}
        world.add("aws:ec2/subnet:Subnet", {**subnet, "tags": {"tier": "private"}})
    world.add("aws:ec2/securityGroup:SecurityGroup", {"name": "web", "vpcId": vpc})
    key = world.add("aws:kms/key:Key", {"description": "data"})
    world.add("aws:kms/alias:Alias", {"name": "alias/data", "targetKeyId": key})
    world.add("aws:route53/zone:Zone", {"name": "example.com"})
    world.add("aws:route53/zone:Zone", {"name": "example.com", "vpcs": [{"vpcId": vpc}]})
    world.add("aws:secretsmanager/secret:Secret", {"name": "db"})
    world.add("aws:ssm/parameter:Parameter", {"name": "/a/b", "type": "String", "value": "1"})
    world.add("aws:sns/topic:Topic", {"name": "alarms"})
    world.add("aws:sqs/queue:Queue", {"name": "work"})
    world.add("aws:s3/bucket:Bucket", {"bucket": "dags"})
    world.add("aws:iam/role:Role", {"name": "task", "assumeRolePolicy": "{}", "path": "/"})
    return world


ARGS: dict[str, Properties] = {
    "aws:ec2/getVpc:getVpc": {"tags": {"Name": "main"}},
    "aws:ec2/getSubnet:getSubnet": {"cidrBlock": "10.0.1.0/24"},
    "aws:ec2/getSecurityGroup:getSecurityGroup": {"name": "web"},
    "aws:ec2/getPrefixList:getPrefixList": {"name": "com.amazonaws.eu-west-1.s3"},
    "aws:ec2/getManagedPrefixList:getManagedPrefixList": {"name": "com.amazonaws.eu-west-1.dynamodb"},
    "aws:kms/getKey:getKey": {"keyId": "alias/data"},
    "aws:kms/getAlias:getAlias": {"name": "alias/data"},
    "aws:ssm/getParameter:getParameter": {"name": "/a/b"},
    "aws:route53/getZone:getZone": {"name": "example.com"},
    "aws:secretsmanager/getSecret:getSecret": {"name": "db"},
    "aws:index/getAvailabilityZone:getAvailabilityZone": {"name": "eu-west-1b"},
    "aws:index/getServicePrincipal:getServicePrincipal": {"serviceName": "ecs-tasks"},
    "aws:index/getArn:getArn": {"arn": f"arn:aws:s3:::{ACCOUNT}"},
    "aws:sns/getTopic:getTopic": {"name": "alarms"},
    "aws:sqs/getQueue:getQueue": {"name": "work"},
    "aws:s3/getBucket:getBucket": {"bucket": "dags"},
    "aws:iam/getRole:getRole": {"name": "task"},
}


def result_names(token: str) -> set[str]:
    """Return the result names of the SDK's function, and prove that it calls this token."""
    _, path, name = token.split(":")
    module, _ = path.split("/")
    file = re.sub("([A-Z])", lambda match: f"_{match[1].lower()}", name)
    source = sdk_module("" if module == "index" else module, file)
    assert f"'{token}'" in inspect.getsource(source)
    result = getattr(source, f"{name[0].upper()}{name[1:]}Result")
    members = inspect.getmembers(result, lambda member: isinstance(member, property))
    return {getattr(value.fget, "_pulumi_name", key) for key, value in members}


@pytest.mark.parametrize("token", sorted(INVOKES))
def test_answers_have_the_names_of_the_sdk(token: str, world: World) -> None:
    answer = invoke(token, ARGS.get(token, {}), SESSION, world)

    assert answer.keys() - result_names(token) == set()


@pytest.mark.parametrize("token", sorted(INVOKES))
def test_answers_have_an_id(token: str, world: World) -> None:
    assert invoke(token, ARGS.get(token, {}), SESSION, world)["id"] != ""


def test_undeclared_data_source_is_named() -> None:
    with pytest.raises(UnknownType, match=r"aws:ec2/getAmi:getAmi.*sandbox/behaviour/invokes\.py"):
        invoke("aws:ec2/getAmi:getAmi", {}, SESSION, EmptyWorld())


@pytest.mark.parametrize(
    ("region", "letters"),
    [("eu-west-1", "abc"), ("us-east-1", "abcdef"), ("eu-central-1", "abc"), ("ap-northeast-1", "acd")],
)
def test_zones_of_a_region(region: str, letters: str) -> None:
    answer = invoke(
        "aws:index/getAvailabilityZones:getAvailabilityZones", {}, Session(ACCOUNT, region), EmptyWorld()
    )

    assert answer["names"] == [region + letter for letter in letters]


@pytest.mark.parametrize(
    ("args", "names"),
    [
        ({"excludeNames": ["eu-west-1a"]}, ["eu-west-1b", "eu-west-1c"]),
        ({"excludeZoneIds": ["euw1-az3"]}, ["eu-west-1a", "eu-west-1b"]),
        ({"filters": [{"name": "zone-name", "values": ["eu-west-1c"]}]}, ["eu-west-1c"]),
        ({"state": "impaired"}, []),
        ({"region": "us-west-1"}, ["us-west-1a", "us-west-1c"]),
    ],
)
def test_zones_are_filtered(args: Properties, names: list[str]) -> None:
    answer = invoke("aws:index/getAvailabilityZones:getAvailabilityZones", args, SESSION, EmptyWorld())

    assert answer["names"] == names


@pytest.mark.parametrize(
    ("token", "args", "key", "expected"),
    [
        ("aws:index/getCallerIdentity:getCallerIdentity", {}, "accountId", ACCOUNT),
        ("aws:index/getRegion:getRegion", {}, "name", REGION),
        ("aws:index/getRegion:getRegion", {}, "description", "Europe (Ireland)"),
        ("aws:index/getPartition:getPartition", {}, "dnsSuffix", "amazonaws.com"),
        ("aws:index/getDefaultTags:getDefaultTags", {}, "tags", {"owner": "data"}),
        (
            "aws:index/getServicePrincipal:getServicePrincipal",
            {"serviceName": "ec2"},
            "name",
            "ec2.amazonaws.com",
        ),
        ("aws:elb/getServiceAccount:getServiceAccount", {}, "arn", "arn:aws:iam::156460612806:root"),
        ("aws:lb/getHostedZoneId:getHostedZoneId", {}, "id", "Z32O12XQLNTSW2"),
        (
            "aws:ec2/getPrefixList:getPrefixList",
            {"prefixListId": "pl-6da54004"},
            "name",
            "com.amazonaws.eu-west-1.s3",
        ),
        ("aws:index/getArn:getArn", {"arn": "arn:aws:s3:::dags/a:b"}, "resource", "dags/a:b"),
        ("aws:ssm/getParameter:getParameter", {"name": "/a/b"}, "value", "1"),
        ("aws:kms/getKey:getKey", {"keyId": "alias/data"}, "description", "data"),
        ("aws:kms/getKey:getKey", {"keyId": "alias/aws/rds"}, "keyManager", "AWS"),
        ("aws:route53/getZone:getZone", {"name": "example.com.", "privateZone": True}, "privateZone", True),
        (
            "aws:ec2/getVpc:getVpc",
            {"filters": [{"name": "cidr", "values": ["10.1.*"]}]},
            "cidrBlock",
            "10.1.0.0/16",
        ),
        ("aws:ec2/getSubnet:getSubnet", {"availabilityZone": "eu-west-1b"}, "availableIpAddressCount", 251),
        ("aws:ecr/getAuthorizationToken:getAuthorizationToken", {}, "userName", "AWS"),
    ],
)
def test_answer(token: str, args: Properties, key: str, expected: Any, world: World) -> None:
    assert invoke(token, args, SESSION, world)[key] == expected


def test_registry_token_says_that_it_is_simulated() -> None:
    answer = invoke("aws:ecr/getAuthorizationToken:getAuthorizationToken", {}, SESSION, EmptyWorld())

    assert answer["password"].startswith("simulated-")


def test_subnets_by_tag_and_vpc(world: World) -> None:
    vpc = invoke("aws:ec2/getVpc:getVpc", {"tags": {"Name": "main"}}, SESSION, world)["id"]
    filters = [{"name": "vpc-id", "values": [vpc]}, {"name": "tag:tier", "values": ["priv*"]}]

    assert len(invoke("aws:ec2/getSubnets:getSubnets", {"filters": filters}, SESSION, world)["ids"]) == 2


def test_public_parameter_gives_the_same_image_in_both_forms() -> None:
    base = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended"
    token = "aws:ssm/getParameter:getParameter"
    document = invoke(token, {"name": base}, SESSION, EmptyWorld())["value"]

    assert (
        json.loads(document)["image_id"]
        == invoke(token, {"name": f"{base}/image_id"}, SESSION, EmptyWorld())["value"]
    )


@pytest.mark.parametrize(
    ("token", "args", "code"),
    [
        ("aws:ec2/getVpc:getVpc", {"id": "vpc-0"}, "NotFound"),
        ("aws:ec2/getVpc:getVpc", {}, "TooManyResults"),
        (
            "aws:ec2/getSubnets:getSubnets",
            {"filters": [{"name": "x", "values": ["y"]}]},
            "InvalidParameterValue",
        ),
        ("aws:ssm/getParameter:getParameter", {"name": "/x"}, "ParameterNotFound"),
        ("aws:kms/getKey:getKey", {"keyId": "x"}, "NotFoundException"),
        ("aws:kms/getAlias:getAlias", {"name": "alias/x"}, "NotFoundException"),
        ("aws:route53/getZone:getZone", {"name": "example.org"}, "NotFound"),
        ("aws:secretsmanager/getSecret:getSecret", {"name": "x"}, "NotFound"),
        ("aws:index/getRegion:getRegion", {"name": "mars-1"}, "InvalidParameterValue"),
        ("aws:index/getArn:getArn", {"arn": "x"}, "InvalidArn"),
        (
            "aws:index/getAvailabilityZones:getAvailabilityZones",
            {"filters": [{"name": "x", "values": []}]},
            "InvalidParameterValue",
        ),
        ("aws:ec2/getPrefixList:getPrefixList", {"name": "com.amazonaws.eu-west-1.sqs"}, "NotFound"),
        ("aws:elb/getServiceAccount:getServiceAccount", {"region": "eu-central-2"}, "UnsupportedRegion"),
    ],
)
def test_error(token: str, args: Properties, code: str, world: World) -> None:
    with pytest.raises(AwsError) as error:
        invoke(token, args, SESSION, world)

    assert error.value.code == code


def document(**args: Any) -> Any:
    return json.loads(invoke(DOCUMENT, args, SESSION, EmptyWorld())["json"])


def statement(sid: str, action: str) -> Properties:
    return {"sid": sid, "actions": [action], "resources": ["*"]}


def test_document_layout() -> None:
    args = {
        "statements": [
            {
                "sid": "Read",
                "actions": ["s3:GetObject", "s3:ListBucket"],
                "resources": ["arn:aws:s3:::dags"],
                "principals": [{"type": "AWS", "identifiers": ["arn:aws:iam::1:root"]}],
                "conditions": [{"test": "StringEquals", "variable": "aws:a", "values": ["b"]}],
            }
        ]
    }

    assert invoke(DOCUMENT, args, SESSION, EmptyWorld())["json"] == (
        "{\n"
        '  "Version": "2012-10-17",\n'
        '  "Statement": [\n'
        "    {\n"
        '      "Sid": "Read",\n'
        '      "Effect": "Allow",\n'
        '      "Action": [\n'
        '        "s3:ListBucket",\n'
        '        "s3:GetObject"\n'
        "      ],\n"
        '      "Resource": "arn:aws:s3:::dags",\n'
        '      "Principal": {\n'
        '        "AWS": "arn:aws:iam::1:root"\n'
        "      },\n"
        '      "Condition": {\n'
        '        "StringEquals": {\n'
        '          "aws:a": "b"\n'
        "        }\n"
        "      }\n"
        "    }\n"
        "  ]\n"
        "}"
    )


def test_minified_document() -> None:
    answer = invoke(DOCUMENT, {"statements": [statement("A", "a:B")]}, SESSION, EmptyWorld())

    assert answer["minifiedJson"] == (
        '{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":"a:B","Resource":"*"}]}'
    )


def test_everybody_is_a_star() -> None:
    one = {**statement("A", "a:B"), "principals": [{"type": "*", "identifiers": ["*"]}]}

    assert document(statements=[one])["Statement"][0]["Principal"] == "*"


def test_all_accounts_stay_an_aws_principal() -> None:
    one = {**statement("A", "a:B"), "principals": [{"type": "AWS", "identifiers": ["*"]}]}

    assert document(statements=[one])["Statement"][0]["Principal"] == {"AWS": "*"}


def test_variables_are_written_with_a_dollar() -> None:
    one = {"actions": ["a:B"], "resources": ["arn:aws:s3:::b/&{aws:username}"]}

    assert document(statements=[one])["Statement"][0]["Resource"] == "arn:aws:s3:::b/${aws:username}"


def test_own_statement_replaces_that_of_a_source() -> None:
    source = invoke(
        DOCUMENT, {"statements": [statement("A", "a:Old"), statement("B", "b:B")]}, SESSION, EmptyWorld()
    )
    merged = document(sourcePolicyDocuments=[source["json"]], statements=[statement("A", "a:New")])

    assert [(item["Sid"], item["Action"]) for item in merged["Statement"]] == [("A", "a:New"), ("B", "b:B")]


def test_override_document_wins() -> None:
    override = invoke(DOCUMENT, {"statements": [statement("A", "a:New")]}, SESSION, EmptyWorld())["json"]
    merged = document(statements=[statement("A", "a:Old")], overridePolicyDocuments=[override])

    assert [item["Action"] for item in merged["Statement"]] == ["a:New"]


@pytest.mark.parametrize(
    "args",
    [
        pytest.param({"statements": [statement("A", "a:B"), statement("A", "a:C")]}, id="own"),
        pytest.param({"sourcePolicyDocuments": ['{"Statement": {"Sid": "A"}}'] * 2}, id="sources"),
    ],
)
def test_duplicate_statement_id_is_refused(args: Properties) -> None:
    with pytest.raises(AwsError, match="duplicate Sid"):
        invoke(DOCUMENT, args, SESSION, EmptyWorld())


def test_source_that_is_no_document_is_named() -> None:
    with pytest.raises(AwsError) as error:
        invoke(DOCUMENT, {"sourcePolicyDocuments": ["{}", "x"]}, SESSION, EmptyWorld())

    assert error.value.property == "sourcePolicyDocuments[1]"
