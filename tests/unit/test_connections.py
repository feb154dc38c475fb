"""Who talks to whom: the tables themselves, and what they become for some worker pools."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import connections
from components.connections import LINKS, WAYS_OUT, WORKERS, Link, Party, WayOut
from components.roles import DAG_READERS, Role

SERVERS = {Party.METASTORE, Party.BROKER, Party.DAG_STORAGE}


def test_links() -> None:
    """The whole table: a new connection is a decision that somebody reads here."""
    assert {link.name for link in LINKS} == {
        "load-balancer-to-api-server-8080",
        "load-balancer-to-flower-5555",
        "api-server-to-metastore-5432",
        "scheduler-to-metastore-5432",
        "dag-processor-to-metastore-5432",
        "triggerer-to-metastore-5432",
        "bootstrap-to-metastore-5432",
        "scheduler-to-broker-6379",
        "worker-to-broker-6379",
        "flower-to-broker-6379",
        "worker-to-api-server-8080",
        "api-server-to-worker-8793",
        "api-server-to-triggerer-8794",
        "dag-processor-to-dag-storage-2049",
        "triggerer-to-dag-storage-2049",
        "worker-to-dag-storage-2049",
        "release-publisher-to-dag-storage-2049",
    }


def test_each_link_stands_once() -> None:
    assert len({link.name for link in LINKS}) == len(LINKS)


def test_workers_do_not_reach_the_metastore() -> None:
    assert not [link for link in LINKS if (link.source, link.target) == (WORKERS, Party.METASTORE)]


def test_whoever_reads_or_writes_dags_reaches_their_storage() -> None:
    """The release agent stands in the tasks of those that read them."""
    sources = {link.source for link in LINKS if link.target == Party.DAG_STORAGE}
    assert sources == DAG_READERS | {Role.RELEASE_PUBLISHER}


def test_the_publisher_reaches_the_storage_and_nothing_else() -> None:
    links = [link for link in LINKS if Party.RELEASE_PUBLISHER in (link.source, link.target)]
    assert [link.target for link in links] == [Party.DAG_STORAGE]


@pytest.mark.parametrize("server", sorted(SERVERS))
def test_servers_open_no_connection(server: Party) -> None:
    assert server not in {link.source for link in LINKS} | {way.source for way in WAYS_OUT}


def test_load_balancer_has_no_way_out() -> None:
    assert Party.LOAD_BALANCER not in {way.source for way in WAYS_OUT}


def test_every_task_of_airflow_reaches_the_apis_of_aws() -> None:
    """Without it a task cannot even start: its image, its secrets and its log are behind such APIs."""
    assert {way.source for way in WAYS_OUT if way.port in (443, None)} == set(Role) - {Role.RELEASE_AGENT}


def test_only_workers_reach_any_port() -> None:
    assert [way.source for way in WAYS_OUT if way.port is None] == [WORKERS]


def test_each_party_has_one_way_out_at_most() -> None:
    assert len({way.source for way in WAYS_OUT}) == len(WAYS_OUT)


def test_every_role_with_a_task_of_its_own_is_a_party() -> None:
    assert set(Role) - set(Party) == {WORKERS, Role.RELEASE_AGENT}


def test_worker_party() -> None:
    assert connections.worker_party("default") == "worker-default"


@pytest.mark.parametrize(("flower", "parties"), [(True, {*Party}), (False, {*Party} - {Party.FLOWER})])
def test_parties(flower: bool, parties: set[str]) -> None:
    found = connections.parties_of(("default", "heavy"), flower=flower)
    assert set(found) == parties | {"worker-default", "worker-heavy"}
    assert len(found) == len(parties) + 2


def test_a_link_of_workers_stands_for_each_pool() -> None:
    found = connections.links_of(("default", "heavy"), flower=False)
    assert [link for link in found if link.port == 8793] == [
        Link("api-server", "worker-default", 8793, "Logs of running tasks"),
        Link("api-server", "worker-heavy", 8793, "Logs of running tasks"),
    ]


@pytest.mark.parametrize(("flower", "count"), [(True, 2), (False, 0)])
def test_flower_has_links_only_where_it_runs(flower: bool, count: int) -> None:
    found = connections.links_of(("default",), flower=flower)
    assert sum(Party.FLOWER in (link.source, link.target) for link in found) == count


def test_a_way_out_of_workers_stands_for_each_pool() -> None:
    found = connections.ways_out_of(("default", "heavy"), flower=False)
    why = "DAGs call anything; includes the APIs of AWS"
    assert [way for way in found if way.port is None] == [
        WayOut("worker-default", None, why),
        WayOut("worker-heavy", None, why),
    ]


@pytest.mark.parametrize(("flower", "count"), [(True, 1), (False, 0)])
def test_flower_has_a_way_out_only_where_it_runs(flower: bool, count: int) -> None:
    found = connections.ways_out_of(("default",), flower=flower)
    assert sum(way.source == Party.FLOWER for way in found) == count


POOLS = st.lists(
    st.from_regex(r"[a-z][a-z0-9-]{0,15}", fullmatch=True)
    | st.sampled_from(["to-broker", "a-to-broker", "broker", "x"]),
    unique=True,
    max_size=8,
)


@given(pools=POOLS, flower=st.booleans())
def test_no_pool_makes_two_links_alike(pools: list[str], flower: bool) -> None:
    """Rules are called after links: two of one name would be one resource."""
    found = connections.links_of(pools, flower=flower)
    assert len({link.name for link in found}) == len(found)


@given(pools=POOLS, flower=st.booleans())
def test_both_ends_of_a_link_are_parties(pools: list[str], flower: bool) -> None:
    ends = {end for link in connections.links_of(pools, flower=flower) for end in (link.source, link.target)}
    ends |= {way.source for way in connections.ways_out_of(pools, flower=flower)}
    assert ends <= set(connections.parties_of(pools, flower=flower))
