"""No service writes DAG files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policies.crossguard.findings import Violation
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.values import UNKNOWN
from policies.security.relations.dag_writers import RELATIONS
from policies.security.rules.containers import TASK_DEFINITION
from policies.security.rules.efs import ACCESS_POINT, FILE_SYSTEM
from policies.security.rules.iam_policies import ROLE, ROLE_POLICY
from policies.security.rules.services import SERVICE
from tests.policies.made import BAD, GOOD, OPEN, left_open, made, verdict

(RELATION,) = RELATIONS
OWNER = {"ownerUid": 50001, "ownerGid": 0, "permissions": "0755"}


def point(
    name: str = "reader", *, uid: Any = 50000, gid: Any = 0, known: bool = True, **owner: Any
) -> Resource:
    return made(
        ACCESS_POINT,
        name,
        arn=f"arn:{name}" if known else UNKNOWN,
        id=f"fsap-{name}" if known else UNKNOWN,
        posixUser={"uid": uid, "gid": gid},
        rootDirectory={"path": "/releases", "creationInfo": {**OWNER, **owner}},
    )


def volume(access_point: Any) -> dict[str, Any]:
    return {
        "name": "dags",
        "efsVolumeConfiguration": {"authorizationConfig": {"accessPointId": access_point}},
    }


def definition(*volumes: Any, behind: Any = (), role: Any = "arn:task") -> Resource:
    listed = UNKNOWN if volumes == (UNKNOWN,) else [{"name": "tmp"}, *volumes]
    return made(
        TASK_DEFINITION,
        "definition",
        {"volumes": behind, "taskRoleArn": ["task"] if role is UNKNOWN else []},
        arn="arn:definition",
        volumes=listed,
        taskRoleArn=role,
    )


def policy(action: Any, effect: str = "Allow") -> Resource:
    text = json.dumps({"Statement": {"Effect": effect, "Action": action, "Resource": "arn:files"}})
    return made(ROLE_POLICY, "policy", role="task", policy=text)


DEPLOYED = made(SERVICE, "service", taskDefinition="arn:definition")
TASK = made(ROLE, "task", arn="arn:task", name="task")
READING = policy("elasticfilesystem:ClientMount")


def says(access_point: Resource, *more: Resource, mounted: Any = "fsap-reader") -> str:
    return verdict(RELATION, "definition", definition(volume(mounted)), DEPLOYED, TASK, access_point, *more)


def test_a_reader_is_good() -> None:
    assert says(point(), READING) == GOOD
    assert verdict(RELATION, "definition", definition(), DEPLOYED, TASK) == GOOD


@pytest.mark.parametrize(
    "access_point",
    [
        point(uid=50001),
        point(uid=0),
        point(permissions="0775"),
        point(permissions="777"),
        point(gid=5, permissions="0757"),
        point(permissions="rwxr-xr-x"),
        point(uid="50000"),
        made(ACCESS_POINT, "reader", id="fsap-reader", rootDirectory={"creationInfo": OWNER}),
        made(ACCESS_POINT, "reader", id="fsap-reader", posixUser={"uid": 50000, "gid": 0}),
    ],
)
def test_a_way_in_for_writers_is_bad(access_point: Resource) -> None:
    assert says(access_point) == BAD


def test_a_group_that_does_not_own_may_have_the_right() -> None:
    assert says(point(gid=5, permissions="0775")) == GOOD


@pytest.mark.parametrize("name", ["uid", "gid", "ownerUid", "ownerGid", "permissions"])
def test_an_unknown_owner_leaves_it_open(name: str) -> None:
    unknown: dict[str, Any] = {name: UNKNOWN}
    assert says(point(**unknown)) == OPEN


@pytest.mark.parametrize(
    ("action", "found"),
    [
        ("elasticfilesystem:ClientWrite", BAD),
        ("elasticfilesystem:ClientRootAccess", BAD),
        ("elasticfilesystem:*", BAD),
        (["s3:GetObject", "elasticfilesystem:Client*"], BAD),
        ("elasticfilesystem:ClientMount", GOOD),
    ],
)
def test_rights_to_write_are_bad(action: Any, found: str) -> None:
    assert says(point(), policy(action)) == found


def test_a_refusal_is_no_right() -> None:
    assert says(point(), policy("elasticfilesystem:ClientWrite", "Deny")) == GOOD


def test_what_no_service_runs_may_write() -> None:
    writing = policy("elasticfilesystem:ClientWrite")
    stack = [definition(volume("fsap-writer")), TASK, writing, point("writer", uid=50001)]
    assert verdict(RELATION, "definition", *stack) == GOOD
    assert verdict(RELATION, "definition", *stack, DEPLOYED) == BAD
    unknown = made(SERVICE, "service", taskDefinition=UNKNOWN)
    assert verdict(RELATION, "definition", *stack, unknown) == OPEN


@pytest.mark.parametrize(
    ("mounted", "found"),
    [(UNKNOWN, OPEN), ({"of": "another type"}, BAD), ("fsap-stranger", BAD), (None, GOOD)],
)
def test_a_volume_is_judged_by_what_is_known(mounted: Any, found: str) -> None:
    assert says(point(), mounted=mounted) == found


def preview(*volume_of: str, policy_of: Any = ("reader", "files")) -> str:
    """Judge a service that is not there yet."""
    unknown = made(
        ROLE_POLICY, "policy", {"role": ["task"], "policy": policy_of or ()}, role=UNKNOWN, policy=UNKNOWN
    )
    return verdict(
        RELATION,
        "definition",
        definition(volume(UNKNOWN), behind=volume_of, role=UNKNOWN),
        made(SERVICE, "service", {"taskDefinition": ["definition"]}, taskDefinition=UNKNOWN),
        made(ROLE, "task"),
        made(FILE_SYSTEM, "files"),
        point(known=False),
        point("writer", uid=50001, known=False),
        left_open(unknown, "policy") if policy_of is None else unknown,
    )


def test_a_preview_follows_what_things_were_made_of() -> None:
    assert preview("reader") == GOOD
    assert preview("writer") == BAD
    assert preview("reader", policy_of=["writer", "files"]) == BAD
    assert preview("reader", policy_of=["log"]) == GOOD
    assert preview("reader", policy_of=["files"]) == OPEN
    assert preview("reader", policy_of=None) == OPEN
    assert preview("reader", "writer") == OPEN


def test_the_messages_say_what() -> None:
    writing = policy("elasticfilesystem:ClientWrite")
    stack = [definition(volume("fsap-writer")), TASK, DEPLOYED, writing, point("writer", uid=50001)]
    assert [about.finding for about in RELATION.judge(Stack(stack))] == [
        Violation(
            "volumes[1].efsVolumeConfiguration.authorizationConfig.accessPointId is writer, whose user may write, "
            "want one that only reads"
        ),
        Violation("policy lets it write to the file system, want elasticfilesystem:ClientWrite of nothing"),
    ]
