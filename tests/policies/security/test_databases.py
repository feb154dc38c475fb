"""Databases and what watches or relieves them, and defaults of RDS that depend on several values."""

from __future__ import annotations

from typing import Any

import pytest

from policies.crossguard.findings import Undecided, Violation
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.values import UNKNOWN
from policies.security.relations.databases import EVENTS, RELATIONS, SUBSCRIPTION
from policies.security.rules import rds, rds_clusters, rds_recovery
from policies.security.rules.rds import CLUSTER, CLUSTER_INSTANCE, INSTANCE
from tests.policies.made import BAD, GOOD, OPEN, left_open, made, verdict

REPORTED, MULTI_AZ = RELATIONS
RULES = {rule.name: rule for rule in (*rds.RULES, *rds_clusters.RULES, *rds_recovery.RULES)}
ARN = "arn:aws:rds:eu-west-1:111111111111:db:airflow"


def database(**props: Any) -> Resource:
    return made(INSTANCE, "database", arn=ARN, **props)


def subscription(*behind: str, **props: Any) -> Resource:
    return made(SUBSCRIPTION, str(props.get("sourceType")), {"sourceIds": behind}, **props)


def rest(*without: str) -> list[Resource]:
    return [subscription(sourceType=kind) for kind in EVENTS if kind not in without]


class TestEvents:
    """Somebody is told what happens to a database."""

    def said(self, *props: dict[str, Any], without: str = "db-instance") -> str:
        """Judge a database with subscriptions, and good ones for the other kinds of events."""
        return verdict(
            REPORTED, "database", database(), *rest(without), *(subscription(**each) for each in props)
        )

    def test_a_subscription_of_each_kind_is_enough(self) -> None:
        assert self.said(without="") == GOOD

    @pytest.mark.parametrize("kind", list(EVENTS))
    def test_each_kind_is_needed(self, kind: str) -> None:
        (about,) = REPORTED.judge(Stack([database(), *rest(kind)]))
        assert about.urn == "database"
        assert f"nobody is told of events of {kind}:" in str(about.finding)

    def test_one_for_every_source_is_enough(self) -> None:
        assert verdict(REPORTED, "database", database(), subscription()) == GOOD

    @pytest.mark.parametrize(
        ("categories", "said"),
        [
            (None, GOOD),
            ([], GOOD),
            (["maintenance", "configuration change", "failure", "backup"], GOOD),
            (["failure"], BAD),
            (["failure", UNKNOWN], OPEN),
            (UNKNOWN, OPEN),
            (["failure", 7], BAD),
        ],
    )
    def test_the_categories_that_matter_are_reported(self, categories: Any, said: str) -> None:
        assert self.said({"sourceType": "db-instance", "eventCategories": categories}) == said

    @pytest.mark.parametrize(
        ("enabled", "said"), [(True, GOOD), (None, GOOD), (False, BAD), (UNKNOWN, OPEN), ("yes", BAD)]
    )
    def test_it_is_switched_on(self, enabled: Any, said: str) -> None:
        assert self.said({"sourceType": "db-instance", "enabled": enabled}) == said

    @pytest.mark.parametrize("kind", ["db-snapshot", UNKNOWN, 7])
    def test_other_sources_do_not_count(self, kind: Any) -> None:
        assert self.said({"sourceType": kind}) == (OPEN if kind is UNKNOWN else BAD)

    @pytest.mark.parametrize(
        ("ids", "said"), [(["airflow"], GOOD), (["other"], BAD), ([], GOOD), (["other", UNKNOWN], OPEN)]
    )
    def test_where_databases_are_named_ours_is_among_them(self, ids: Any, said: str) -> None:
        assert self.said({"sourceType": "db-instance", "sourceIds": ids}) == said

    @pytest.mark.parametrize(("behind", "said"), [("database", GOOD), ("other", BAD)])
    def test_in_a_preview_the_dependency_tells(self, behind: str, said: str) -> None:
        named = subscription(behind, sourceType="db-instance", sourceIds=[UNKNOWN])
        other = made(INSTANCE, "other", arn=UNKNOWN)
        first = made(INSTANCE, "database", arn=UNKNOWN)
        assert verdict(REPORTED, "database", first, other, *rest("db-instance"), named) == said

    def test_without_a_database_nobody_has_to_be_told(self) -> None:
        assert list(REPORTED.judge(Stack([subscription(enabled=False)]))) == []


class TestSecondInstance:
    """Another instance of a cluster takes over."""

    def cluster(self, **props: Any) -> Resource:
        """Return a cluster of Aurora."""
        return made(CLUSTER, "cluster", clusterIdentifier="airflow", **props)

    def member(self, name: str, of: Any, *behind: str) -> Resource:
        """Return an instance."""
        return made(CLUSTER_INSTANCE, name, {"clusterIdentifier": behind}, clusterIdentifier=of)

    @pytest.mark.parametrize(
        ("of", "said"),
        [
            (["airflow", "airflow"], GOOD),
            (["airflow"], BAD),
            (["airflow", "other"], BAD),
            (["airflow", UNKNOWN], OPEN),
            (["airflow", 7], BAD),
            ([], BAD),
        ],
    )
    def test_two_instances_are_enough(self, of: list[Any], said: str) -> None:
        members = [self.member(str(number), each) for number, each in enumerate(of)]
        assert verdict(MULTI_AZ, "cluster", self.cluster(), *members) == said

    def test_in_a_preview_the_dependency_tells(self) -> None:
        cluster = made(CLUSTER, "cluster", clusterIdentifier=UNKNOWN)
        members = [self.member(name, UNKNOWN, "cluster") for name in ("0", "1")]
        assert verdict(MULTI_AZ, "cluster", cluster, *members) == GOOD

    def test_a_cluster_in_three_zones_needs_none(self) -> None:
        assert verdict(MULTI_AZ, "cluster", self.cluster(dbClusterInstanceClass="db.m6gd.large")) == GOOD

    def test_a_serverless_cluster_has_none(self) -> None:
        assert verdict(MULTI_AZ, "cluster", self.cluster(engineMode="serverless")) == GOOD

    def test_what_a_preview_leaves_open_was_not_given(self) -> None:
        open_ = self.cluster(dbClusterInstanceClass=UNKNOWN, engineMode=UNKNOWN)
        assert verdict(MULTI_AZ, "cluster", open_) == OPEN
        properties = ("dbClusterInstanceClass", "engineMode")
        assert verdict(MULTI_AZ, "cluster", left_open(open_, *properties)) == BAD


@pytest.mark.parametrize(
    ("props", "said"),
    [
        ({"dbClusterInstanceClass": "db.m6gd.large"}, [Violation]),
        ({"dbClusterInstanceClass": "db.m6gd.large", "dbSubnetGroupName": "default"}, [Violation]),
        ({"dbClusterInstanceClass": "db.m6gd.large", "dbSubnetGroupName": "data"}, []),
        ({"dbClusterInstanceClass": "db.m6gd.large", "dbSubnetGroupName": UNKNOWN}, [Undecided]),
        ({"dbSubnetGroupName": "default"}, []),
    ],
)
def test_rds_opens_a_cluster_that_names_no_subnets(props: dict[str, Any], said: list[type]) -> None:
    findings = RULES["rds-cluster-private"].judge(made(CLUSTER, "cluster", **props))
    assert [type(finding) for finding in findings] == said


@pytest.mark.parametrize(
    "rule",
    ["rds-instance-own-key", "rds-instance-managed-password", "rds-own-subnets", "rds-instance-backups"],
)
def test_a_copy_takes_from_its_source_what_it_does_not_say(rule: str) -> None:
    copy = made(INSTANCE, "copy", replicateSourceDb="airflow")
    assert list(RULES[rule].judge(copy)) == []
    assert list(RULES[rule].judge(made(INSTANCE, "primary"))) != []


@pytest.mark.parametrize("props", [{"passwordWo": "a secret word"}, {"manageMasterUserPassword": True}])
def test_a_password_that_no_state_keeps_is_good(props: dict[str, Any]) -> None:
    assert list(RULES["rds-instance-managed-password"].judge(made(INSTANCE, "database", **props))) == []


def test_a_password_is_not_shown() -> None:
    found = made(INSTANCE, "database", manageMasterUserPassword=True, password="Tr0ub4dor and 3")
    (finding,) = RULES["rds-instance-managed-password"].judge(found)
    assert finding == Violation("password is set, want a password that RDS makes and keeps")


@pytest.mark.parametrize(("engine", "count"), [("postgres", 1), (None, 1), ("mariadb", 0), ("oracle-ee", 0)])
def test_only_some_engines_have_extended_support(engine: str | None, count: int) -> None:
    found = RULES["rds-no-extended-support"].judge(made(INSTANCE, "database", engine=engine))
    assert len(list(found)) == count


def test_insights_of_the_advanced_mode_count() -> None:
    found = made(INSTANCE, "database", databaseInsightsMode="advanced")
    assert list(RULES["rds-instance-insights"].judge(found)) == []
