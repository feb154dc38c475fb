"""Databases and brokers use a parameter group of this stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from policies.crossguard.resources import Resource
from policies.crossguard.rules import Relation
from policies.crossguard.values import UNKNOWN
from policies.security.relations.attached_groups import RELATIONS
from policies.security.rules.elasticache import REPLICATION_GROUP
from policies.security.rules.parameter_groups import CACHE_PARAMETERS, CLUSTER_PARAMETERS, PARAMETERS
from policies.security.rules.rds import CLUSTER, INSTANCE
from tests.policies.made import BAD, GOOD, OPEN, left_open, made, verdict

DATABASES, CACHES = RELATIONS
PLACES = [
    (DATABASES, INSTANCE, "parameterGroupName", PARAMETERS),
    (DATABASES, CLUSTER, "dbClusterParameterGroupName", CLUSTER_PARAMETERS),
    (CACHES, REPLICATION_GROUP, "parameterGroupName", CACHE_PARAMETERS),
]


def owner(token: str, property: str, named: Any, behind: Sequence[str] = (), **more: Any) -> Resource:
    return made(token, "owner", {property: behind}, **({"engine": "mysql", property: named} | more))


@pytest.mark.parametrize(("relation", "token", "property", "kind"), PLACES)
@pytest.mark.parametrize(
    ("named", "behind", "said"),
    [
        ("ours", [], GOOD),
        (UNKNOWN, ["group"], GOOD),
        (UNKNOWN, [], OPEN),
        ("of-another-stack", [], OPEN),
        ("default.mysql8.4", [], BAD),
        ("", [], BAD),
        (None, [], BAD),
        (7, [], BAD),
    ],
)
def test_a_group_of_this_stack_is_named(
    relation: Relation, token: str, property: str, kind: str, named: Any, behind: Sequence[str], said: str
) -> None:
    group = made(kind, "group", name="ours")
    assert verdict(relation, "owner", group, owner(token, property, named, behind)) == said


@pytest.mark.parametrize(("relation", "token", "property", "kind"), PLACES)
def test_what_a_preview_leaves_open_names_none(
    relation: Relation, token: str, property: str, kind: str
) -> None:
    found = left_open(owner(token, property, UNKNOWN), property)
    assert verdict(relation, "owner", made(kind, "group", name="ours"), found) == BAD


def test_a_group_that_is_made_in_the_same_preview_is_named_by_the_dependency() -> None:
    found = owner(INSTANCE, "parameterGroupName", "ours", ["group"])
    assert verdict(DATABASES, "owner", made(PARAMETERS, "group", id=UNKNOWN), found) == GOOD


@pytest.mark.parametrize(
    ("engine", "said"), [("postgres", BAD), ("sqlserver-ee", BAD), (None, BAD), ("oracle-ee", GOOD), (7, BAD)]
)
def test_engines_without_a_setting_for_tls_need_none(engine: Any, said: str) -> None:
    found = owner(INSTANCE, "parameterGroupName", None, engine=engine)
    assert verdict(DATABASES, "owner", found) == said


def test_an_engine_that_is_not_known_is_undecided() -> None:
    found = owner(INSTANCE, "parameterGroupName", None, engine=UNKNOWN)
    assert verdict(DATABASES, "owner", found) == OPEN


def test_an_engine_that_a_preview_leaves_open_has_the_setting() -> None:
    found = left_open(owner(INSTANCE, "parameterGroupName", None, engine=UNKNOWN), "engine")
    assert verdict(DATABASES, "owner", found) == BAD


def test_a_copy_takes_the_group_of_its_source() -> None:
    found = owner(INSTANCE, "parameterGroupName", None, replicateSourceDb="airflow")
    assert verdict(DATABASES, "owner", found) == GOOD


def test_a_group_that_follows_one_of_another_region_takes_its_parameters() -> None:
    found = owner(REPLICATION_GROUP, "parameterGroupName", None, globalReplicationGroupId="global")
    assert verdict(CACHES, "owner", found) == GOOD
    unknown = owner(REPLICATION_GROUP, "parameterGroupName", None, globalReplicationGroupId=UNKNOWN)
    assert verdict(CACHES, "owner", unknown) == OPEN
    assert verdict(CACHES, "owner", left_open(unknown, "globalReplicationGroupId")) == BAD
