"""What a property change does: the demanded operation for each row, and the rules that hold for all types."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.behaviour import cloud
from sandbox.behaviour.check import check
from sandbox.behaviour.diff import diff
from sandbox.behaviour.model import ChangeKind, EmptyWorld, Session
from sandbox.behaviour.outputs import created
from sandbox.behaviour.schema import UnknownType, all_facts
from sandbox.behaviour.values import UNKNOWN, Archive
from tests.behaviour import changes, changes_network, changes_services, changes_tables, changes_values
from tests.behaviour.changes import ACCOUNT, DATABASE, REGION, SERVICE, SUBNETS, TASK, VPC, ChangeRow

SESSION = Session(ACCOUNT, REGION)
VPC_TYPE = "aws:ec2/vpc:Vpc"
CHANGES = (
    *changes.CHANGES,
    *changes_network.CHANGES,
    *changes_services.CHANGES,
    *changes_tables.CHANGES,
    *changes_values.CHANGES,
)


def outputs_of(token: str, inputs: dict[str, Any], session: Session = SESSION) -> dict[str, Any]:
    return created(token, "it", inputs, session, EmptyWorld(), b"seed").outputs


def operation(token: str, old: dict[str, Any], new: dict[str, Any], **outputs: Any) -> tuple[str, set[str]]:
    """Return the operation and the paths that decide it."""
    found = diff(token, old, new, {**outputs_of(token, old), **outputs})
    replacing = {change.path for change in found.changes if change.replace}
    if found.refused:
        return "refuse", {failure.property for failure in found.refused}
    if replacing:
        return "replace", replacing
    paths = {change.path for change in found.changes}
    return ("update", paths) if paths else ("none", {""})


@pytest.mark.parametrize("row", CHANGES, ids=lambda row: row.id)
def test_operation(row: ChangeRow) -> None:
    found, paths = operation(row.token, row.base, row.changed, **row.outputs)

    assert (found, row.property in paths or any(p.startswith(row.property + "[") for p in paths)) == (
        row.operation,
        True,
    )


@pytest.mark.parametrize("row", CHANGES, ids=lambda row: row.id)
def test_unchanged_inputs_are_no_change(row: ChangeRow) -> None:
    assert diff(row.token, row.base, row.base, outputs_of(row.token, row.base)).changes == ()


@pytest.mark.parametrize("row", CHANGES, ids=lambda row: row.id)
def test_inputs_of_the_table_are_valid(row: ChangeRow) -> None:
    checked = [check(row.token, "it", inputs, None, SESSION, b"seed") for inputs in (row.base, row.changed)]

    assert [str(failure) for one in checked for failure in one.failures] == []


@pytest.mark.parametrize("row", CHANGES, ids=lambda row: row.id)
def test_checked_inputs_are_no_change(row: ChangeRow) -> None:
    inputs = check(row.token, "it", row.base, None, SESSION, b"seed").inputs

    assert diff(row.token, inputs, inputs, outputs_of(row.token, inputs)).changes == ()


def test_table_is_broad() -> None:
    assert (len(CHANGES) >= 50, len({row.token for row in CHANGES}) >= 25) == (True, True)


def test_unknown_value_of_replacing_property_replaces() -> None:
    assert operation(VPC_TYPE, VPC, {**VPC, "cidrBlock": UNKNOWN}) == ("replace", {"cidrBlock"})


def test_unknown_value_of_other_property_updates() -> None:
    service = {**SERVICE, "taskDefinition": UNKNOWN}

    assert operation("aws:ecs/service:Service", SERVICE, service) == ("update", {"taskDefinition"})


def test_unknown_item_in_set_is_reported_at_its_index() -> None:
    network = {"subnets": SUBNETS[:2], "securityGroups": [UNKNOWN]}
    changed = {**SERVICE, "networkConfiguration": network}

    assert operation("aws:ecs/service:Service", SERVICE, changed) == (
        "update",
        {"networkConfiguration.securityGroups[0]"},
    )


def test_new_default_tag_alone_is_an_update() -> None:
    old = outputs_of(VPC_TYPE, VPC)

    found = diff(VPC_TYPE, VPC, {**VPC, "tagsAll": {"Name": "main", "owner": "data"}}, old)

    assert [(change.path, change.kind, change.replace) for change in found.changes] == [
        ("tagsAll.owner", ChangeKind.ADD, False)
    ]


def test_default_tags_taken_away_are_an_update() -> None:
    old_inputs = {**VPC, "tagsAll": {"Name": "main", "owner": "data"}}

    found = diff(VPC_TYPE, old_inputs, VPC, outputs_of(VPC_TYPE, old_inputs))

    assert [(change.path, change.kind) for change in found.changes] == [("tagsAll.owner", ChangeKind.DELETE)]


def test_tag_key_with_dots_is_quoted() -> None:
    changed = {**VPC, "tags": {"Name": "main", "a.b/c": "1"}}

    assert operation(VPC_TYPE, VPC, changed) == ("update", {'tags["a.b/c"]', 'tagsAll["a.b/c"]'})


def test_drift_in_the_state_is_a_change() -> None:
    service = "aws:ecs/service:Service"

    assert operation(service, SERVICE, SERVICE, desiredCount=9) == ("update", {"desiredCount"})


def test_internal_keys_do_not_count() -> None:
    old, new = {**VPC, "__defaults": []}, {**VPC, "__defaults": ["region"]}

    assert diff(VPC_TYPE, old, new, outputs_of(VPC_TYPE, old)).changes == ()


@pytest.mark.parametrize(
    ("defaults", "expected"),
    [
        pytest.param([], True, id="named by the program"),
        pytest.param(["identifier"], False, id="auto-named"),
        pytest.param(None, False, id="from before the list existed"),
    ],
)
def test_replacement_deletes_first_when_name_is_fixed(defaults: list[str] | None, expected: bool) -> None:
    marks = {} if defaults is None else {"__defaults": defaults}
    new = {**DATABASE, "engine": "mysql", **marks}

    found = diff(
        "aws:rds/instance:Instance", DATABASE, new, outputs_of("aws:rds/instance:Instance", DATABASE)
    )

    assert found.delete_before_replace is expected


def test_update_never_deletes_first() -> None:
    new = {**DATABASE, "instanceClass": "db.t4g.small", "__defaults": []}

    found = diff(
        "aws:rds/instance:Instance", DATABASE, new, outputs_of("aws:rds/instance:Instance", DATABASE)
    )

    assert found.delete_before_replace is False


def test_required_name_does_not_delete_first() -> None:
    new = {**TASK, "memory": "1024", "__defaults": []}

    found = diff("aws:ecs/taskDefinition:TaskDefinition", TASK, new, {})

    assert found.delete_before_replace is False


def test_mount_target_deletes_first() -> None:
    row = next(row for row in CHANGES if row.id == "mount-subnet")

    assert diff(row.token, row.base, row.changed, {}).delete_before_replace is True


def test_removed_property_without_default_is_a_deletion() -> None:
    old = {**VPC, "ipv4NetmaskLength": 16, "ipv4IpamPoolId": "ipam-pool-0"}

    found = diff(VPC_TYPE, old, VPC, outputs_of(VPC_TYPE, old))

    assert {(change.path, change.kind) for change in found.changes} == {
        ("ipv4IpamPoolId", ChangeKind.DELETE),
        ("ipv4NetmaskLength", ChangeKind.DELETE),
    }


def test_changed_code_is_an_update() -> None:
    old = {"name": "f", "role": "r", "code": Archive(hash="1", path="a")}
    new = {**old, "code": Archive(hash="2", path="a")}

    assert operation("aws:lambda/function:Function", old, new) == ("update", {"code"})


def test_promotion_of_a_replica_is_an_update() -> None:
    replica = {"identifier": "replica", "instanceClass": "db.t4g.micro", "replicateSourceDb": "metadata"}
    promoted = {key: value for key, value in replica.items() if key != "replicateSourceDb"}

    assert operation("aws:rds/instance:Instance", replica, promoted) == ("update", {"replicateSourceDb"})


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        pytest.param("cache-downgrade", "update", id="version"),
        pytest.param("cache-shard-slots", "replace", id="shards"),
        pytest.param("domain-upgrade", "update", id="domain version"),
        pytest.param("network-subnets-more", "replace", id="subnets of a network load balancer"),
        pytest.param("network-mapping-more", "replace", id="mappings of a network load balancer"),
        pytest.param("balancer-mapping-more", "replace", id="mappings of a load balancer"),
        pytest.param("certificate-own-name", "replace", id="names"),
        pytest.param("validation-dot", "replace", id="records"),
        pytest.param("acl-redacted-order", "update", id="redacted fields"),
        pytest.param("nat-zone-more", "update", id="zones of a regional NAT gateway"),
    ],
)
def test_rule_with_an_unknown_value(identifier: str, expected: str) -> None:
    row = next(row for row in CHANGES if row.id == identifier)
    (key,) = {path.partition(".")[0] for path in row.change}

    assert operation(row.token, row.base, {**row.base, key: UNKNOWN})[0] == expected


def test_unknown_force_does_not_refuse_another_strategy() -> None:
    row = next(row for row in CHANGES if row.id == "service-strategy")
    found, _ = operation(row.token, row.base, {**row.changed, "forceNewDeployment": UNKNOWN})

    assert found == "update"


@pytest.mark.parametrize(
    ("key", "old", "new", "expected"),
    [
        pytest.param("policy", "{", "}", "update", id="policy"),
        pytest.param("policy", "{", "{", "none", id="the same wrong policy"),
    ],
)
def test_text_of_the_wrong_form_is_compared_letter_by_letter(
    key: str, old: str, new: str, expected: str
) -> None:
    base = {"bucket": "dags-111111111111"}

    found, _ = operation("aws:s3/bucketPolicy:BucketPolicy", {**base, key: old}, {**base, key: new})

    assert found == expected


def test_tags_that_are_unknown_are_an_update() -> None:
    assert operation(VPC_TYPE, VPC, {**VPC, "tagsAll": UNKNOWN}) == ("update", {"tagsAll"})


def test_unknown_type_is_refused() -> None:
    with pytest.raises(UnknownType, match="aws:ec2/instance:Instance"):
        diff("aws:ec2/instance:Instance", {}, {}, {})


@pytest.mark.parametrize("token", sorted(token for token in all_facts() if token.startswith("aws:")))
def test_created_resource_without_inputs_shows_no_change(token: str) -> None:
    assert diff(token, {}, {}, outputs_of(token, {})).changes == ()


def test_plan_update_marks_what_the_change_makes_unknown() -> None:
    old = outputs_of("aws:rds/instance:Instance", DATABASE)

    planned = cloud.plan_update(
        "aws:rds/instance:Instance", "db-1", old, {**DATABASE, "engineVersion": "17.2"}, SESSION
    )

    assert {key for key, value in planned.items() if value is UNKNOWN} == {"engineVersionActual"}
