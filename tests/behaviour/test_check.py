"""Check completes inputs as the real provider does, and leaves alone what is not known yet."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.behaviour.check import check
from sandbox.behaviour.model import Checked, Failure, Session
from sandbox.behaviour.schema import UnknownType, all_facts
from sandbox.behaviour.specs import shape_of
from sandbox.behaviour.values import UNKNOWN, Archive, ResourceReference
from tests.behaviour.bases import BASES
from tests.behaviour.values import ACCOUNT, REGION, TRUST, plain

VPC = "aws:ec2/vpc:Vpc"
QUEUE = "aws:sqs/queue:Queue"
ROLE = "aws:iam/role:Role"
FUNCTION = "aws:lambda/function:Function"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
SESSION = Session(ACCOUNT, REGION)
TAGGED = Session(ACCOUNT, REGION, {"owner": "data", "stack": "dev"})


def checked(
    token: str, inputs: dict[str, Any], olds: dict[str, Any] | None = None, session: Session = SESSION
) -> Checked:
    return check(token, "thing", inputs, olds, session, b"seed")


def reasons(token: str, inputs: dict[str, Any]) -> list[str]:
    return [str(failure) for failure in checked(token, inputs).failures]


# -- completed inputs ---------------------------------------------------------------------------------------------


def test_inputs_are_completed() -> None:
    assert checked(VPC, {"cidrBlock": "10.0.0.0/16"}).inputs == {
        "cidrBlock": "10.0.0.0/16",
        "enableDnsSupport": True,
        "instanceTenancy": "default",
        "region": REGION,
        "__defaults": ["enableDnsSupport", "instanceTenancy", "region"],
    }


def test_given_values_are_no_defaults() -> None:
    inputs = {"cidrBlock": "10.0.0.0/16", "enableDnsSupport": True, "region": REGION}
    assert checked(VPC, inputs).inputs["__defaults"] == ["instanceTenancy"]


def test_nothing_filled_in_gives_an_empty_list() -> None:
    attachment = plain(BASES["aws:iam/rolePolicyAttachment:RolePolicyAttachment"])
    assert checked("aws:iam/rolePolicyAttachment:RolePolicyAttachment", attachment).inputs["__defaults"] == []


def test_region_is_filled_in_only_where_the_type_has_one() -> None:
    assert "region" not in checked(ROLE, plain({"assumeRolePolicy": TRUST})).inputs


def test_nested_defaults_are_filled_in() -> None:
    inputs = plain(BASES["aws:lb/targetGroup:TargetGroup"])
    assert checked("aws:lb/targetGroup:TargetGroup", inputs).inputs["healthCheck"] == {
        "enabled": True,
        "healthyThreshold": 3,
        "interval": 30,
        "path": "/api/v2/version",
        "port": "traffic-port",
        "protocol": "HTTP",
        "timeout": 5,
        "unhealthyThreshold": 3,
    }


def test_a_default_gives_way_to_what_it_conflicts_with() -> None:
    inputs = checked("aws:ec2/securityGroupRule:SecurityGroupRule", _rule()).inputs
    assert "self" not in inputs


def test_given_inputs_stay_untouched() -> None:
    inputs = plain(BASES[TASK])
    before = copy.deepcopy(inputs)
    checked(TASK, inputs, session=TAGGED)
    assert inputs == before


def _rule() -> dict[str, Any]:
    rule: dict[str, Any] = plain(BASES["aws:ec2/securityGroupRule:SecurityGroupRule"])
    return rule


@pytest.mark.parametrize(
    ("tags", "merged"),
    [
        (None, {"owner": "data", "stack": "dev"}),
        ({"stack": "prod", "Name": "a"}, {"owner": "data", "stack": "prod", "Name": "a"}),
        ({"Name": UNKNOWN}, {"owner": "data", "stack": "dev", "Name": UNKNOWN}),
        (UNKNOWN, UNKNOWN),
    ],
    ids=["no tags", "the resource wins", "one unknown", "all unknown"],
)
def test_default_tags_are_merged(tags: Any, merged: Any) -> None:
    inputs = {"cidrBlock": "10.0.0.0/16", **({} if tags is None else {"tags": tags})}
    assert checked(VPC, inputs, session=TAGGED).inputs["tagsAll"] == merged


def test_merged_tags_are_not_listed_as_default() -> None:
    assert "tagsAll" not in checked(VPC, {"cidrBlock": "10.0.0.0/16"}, session=TAGGED).inputs["__defaults"]


def test_no_default_tags_no_merged_tags() -> None:
    assert "tagsAll" not in checked(VPC, {"cidrBlock": "10.0.0.0/16", "tags": {"a": "b"}}).inputs


def test_types_without_tags_get_none() -> None:
    inputs = plain(BASES["aws:iam/rolePolicy:RolePolicy"])
    assert "tagsAll" not in checked("aws:iam/rolePolicy:RolePolicy", inputs, session=TAGGED).inputs


def test_a_policy_given_as_dictionary_is_written_as_json() -> None:
    inputs = checked(ROLE, {"assumeRolePolicy": TRUST.value}).inputs
    assert json.loads(inputs["assumeRolePolicy"]) == TRUST.value


def test_a_policy_given_as_dictionary_is_unknown_when_a_part_is() -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Action": UNKNOWN}]}
    assert checked(ROLE, {"assumeRolePolicy": document}).inputs["assumeRolePolicy"] is UNKNOWN


def test_a_resource_given_for_its_id_becomes_the_id() -> None:
    inputs = plain(BASES["aws:iam/rolePolicyAttachment:RolePolicyAttachment"])
    inputs["role"] = ResourceReference("urn:pulumi:a::b::aws:iam/role:Role::c", "worker")
    assert checked("aws:iam/rolePolicyAttachment:RolePolicyAttachment", inputs).inputs["role"] == "worker"


def test_code_is_an_archive() -> None:
    inputs = plain(BASES[FUNCTION])
    del inputs["s3Bucket"], inputs["s3Key"]
    assert reasons(FUNCTION, {**inputs, "code": Archive(path="./code")}) == []
    assert reasons(FUNCTION, {**inputs, "code": "./code"}) == [
        'code: expected an archive, got the string "./code"'
    ]


# -- auto-names ---------------------------------------------------------------------------------------------------


def test_an_auto_name_is_kept() -> None:
    first = checked(QUEUE, {}).inputs
    again = check(QUEUE, "thing", {"delaySeconds": 5}, first, SESSION, b"other seed").inputs
    assert again["name"] == first["name"]
    assert "name" in again["__defaults"]


def test_a_name_that_was_given_is_not_kept_as_auto_name() -> None:
    old = checked(QUEUE, {"name": "given"}).inputs
    assert checked(QUEUE, {}, old).inputs["name"].startswith("thing-")


def test_a_prefix_replaces_the_auto_name() -> None:
    assert "name" not in checked(QUEUE, {"namePrefix": "a"}).inputs


def test_a_logical_name_without_room_is_refused() -> None:
    (failure,) = check(ROLE, "r" * 57, plain({"assumeRolePolicy": TRUST}), None, SESSION, b"").failures
    assert failure == Failure(
        "name",
        f"could not make instance of 'aws:iam/role:Role': name '{'r' * 57}-' plus 7 random chars is longer than "
        "maximum length 64 (the logical name has 57 characters, at most 56 fit; give name or shorten it)",
    )


def test_an_auto_name_over_the_schema_limit_is_explained() -> None:
    inputs = plain(BASES["aws:lb/loadBalancer:LoadBalancer"])
    token = "aws:lb/loadBalancer:LoadBalancer"
    (failure,) = check(token, "b" * 25, inputs, None, SESSION, b"").failures
    assert failure.property == "name"
    assert failure.reason.startswith("cannot be longer than 32 characters, got 33 (")
    assert f'was made from the logical name "{"b" * 25}"; give name' in failure.reason


# -- what is refused, beyond the table of cases -------------------------------------------------------------------


def test_a_type_that_nobody_knows() -> None:
    with pytest.raises(UnknownType, match="aws:ec2/instance:Instance"):
        checked("aws:ec2/instance:Instance", {})


def test_every_failure_is_told() -> None:
    assert reasons(VPC, {"cidrBlock": 5, "colour": "red", "tags": []}) == [
        "cidrBlock: expected a string, got the number 5",
        "colour: is not a property of aws:ec2/vpc:Vpc",
        "tags: expected a map, got a list",
    ]


@pytest.mark.parametrize("key", ["a.b", "aws:x", "with space"])
def test_keys_of_maps_are_quoted_in_paths(key: str) -> None:
    assert reasons(VPC, {"cidrBlock": "10.0.0.0/16", "tags": {key: 1}}) == [
        f'tags["{key}"]: expected a string, got the number 1'
    ]


def test_false_counts_as_given_in_conflicts() -> None:
    inputs = {"kmsMasterKeyId": "alias/a", "sqsManagedSseEnabled": False}
    assert reasons(QUEUE, inputs) == ["kmsMasterKeyId: conflicts with sqsManagedSseEnabled"]


def test_an_unknown_value_does_not_conflict() -> None:
    assert reasons(QUEUE, {"kmsMasterKeyId": UNKNOWN, "sqsManagedSseEnabled": False}) == []


def test_an_unknown_value_satisfies_a_need() -> None:
    assert (
        reasons("aws:acm/certificate:Certificate", {"domainName": UNKNOWN, "validationMethod": "DNS"}) == []
    )


def test_enums_that_ignore_case() -> None:
    base = plain(BASES["aws:lb/listener:Listener"])
    assert reasons("aws:lb/listener:Listener", {**base, "protocol": "https"}) == []


def test_recursive_statements_are_walked() -> None:
    visibility = {"cloudwatchMetricsEnabled": True, "metricName": "m", "sampledRequestsEnabled": True}
    countries = {"geoMatchStatement": {"countryCodes": "US"}}
    statement = {"notStatement": {"statement": {"andStatement": {"statements": [countries, countries]}}}}
    rule = {"name": "a", "priority": 1, "action": {"block": {}}, "visibilityConfig": visibility}
    inputs = {"scope": "REGIONAL", "defaultAction": {"allow": {}}, "visibilityConfig": visibility}
    where = "rules[0].statement.notStatement.statement.andStatement.statements"
    assert reasons("aws:wafv2/webAcl:WebAcl", {**inputs, "rules": [{**rule, "statement": statement}]}) == [
        f'{where}[{index}].geoMatchStatement.countryCodes: expected a list, got the string "US"'
        for index in (0, 1)
    ]


def test_a_property_that_aws_sets() -> None:
    base = plain(BASES[FUNCTION])
    vpc = {"subnetIds": ["subnet-0a"], "securityGroupIds": ["sg-0a"], "vpcId": "vpc-0a"}
    assert reasons(FUNCTION, {**base, "vpcConfig": vpc}) == [
        "vpcConfig.vpcId: is set by AWS and cannot be given"
    ]


# -- every place of every base ------------------------------------------------------------------------------------


def _places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _places(item, (*path, key))


def _with(token: str, path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    inputs: Any = plain(BASES[token])
    inner = inputs
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return dict(inputs)


PLACES = [(token, path) for token, base in BASES.items() for path in _places(plain(base))]
IDS = [f"{token.rpartition(':')[2]}.{'.'.join(map(str, path))}" for token, path in PLACES]


def test_places_are_many() -> None:
    assert len(PLACES) > 250


@pytest.mark.parametrize(("token", "path"), PLACES, ids=IDS)
def test_unknown_parts_are_never_refused(token: str, path: tuple[str | int, ...]) -> None:
    assert reasons(token, _with(token, path, UNKNOWN)) == []


@pytest.mark.parametrize(("token", "path"), PLACES, ids=IDS)
def test_a_wrong_type_is_refused_where_it_stands(token: str, path: tuple[str | int, ...]) -> None:
    where = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")
    failures = checked(token, _with(token, path, Archive())).failures
    assert [failure.property for failure in failures] == [where]
    assert "got a value of type Archive" in failures[0].reason


@pytest.mark.parametrize("token", sorted(all_facts()))
def test_every_type_compiles_and_reports_what_is_missing(token: str) -> None:
    required = set(shape_of(token).required)
    missing = {
        failure.property
        for failure in checked(token, {}).failures
        if failure.reason == "is required, but missing"
    }
    assert missing == required


# -- speed --------------------------------------------------------------------------------------------------------


def test_a_check_is_fast() -> None:
    inputs = {token: plain(BASES[token]) for token in (VPC, ROLE, TASK, FUNCTION)}
    for token, values in inputs.items():
        checked(token, values)
    started = time.process_time()
    for _ in range(50):
        for token, values in inputs.items():
            checked(token, values)
    assert (time.process_time() - started) / 200 < 0.001


def test_changed_files_of_a_docker_image_show_as_a_change(tmp_path: Path) -> None:
    """Its check puts a digest of the build context among the inputs, as the real docker provider does."""
    token = "docker:index/image:Image"
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    inputs = {"imageName": "registry.example.com/airflow:1", "build": {"context": str(tmp_path)}}

    def digest() -> str:
        checked = check(token, "image", inputs, None, SESSION, b"seed")
        assert checked.failures == ()
        return str(checked.inputs["build"]["contextDigest"])

    before = digest()
    (tmp_path / "entrypoint.sh").write_text("exec airflow\n")
    assert digest() != before


def test_rules_between_properties_hold_for_utility_types() -> None:
    inputs = {"length": 3, "minUpper": 2, "minLower": 2}
    failures = check(
        "random:index/randomPassword:RandomPassword", "password", inputs, None, SESSION, b"seed"
    ).failures
    assert [failure.property for failure in failures] == ["length"]
