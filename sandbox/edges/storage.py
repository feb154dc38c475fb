"""What must exist before databases, flow logs and the settings of buckets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.edges.rules import (
    ACCESS_BLOCK,
    BUCKET,
    BUCKET_LIFECYCLE,
    BUCKET_POLICY,
    BUCKET_VERSIONING,
    DATABASE,
    FLOW_LOG,
    LOG_GROUP,
    ROLE,
    Edge,
    Pairs,
    made_from,
    policies_of,
    referring,
    urns_of,
)
from sandbox.graph import Graph, Node


def _rights(graph: Graph, token: str, key: str) -> Iterator[tuple[Node, Node]]:
    for node in graph.of_type(token):
        for role in made_from(graph, node, key, ROLE):
            yield from ((node, policy) for policy in policies_of(graph, role))


def _flow_logs(graph: Graph) -> Pairs:
    yield from _rights(graph, FLOW_LOG, "iamRoleArn")


def _monitoring(graph: Graph) -> Pairs:
    yield from _rights(graph, DATABASE, "monitoringRoleArn")


def _database_logs(graph: Graph) -> Pairs:
    for database in graph.of_type(DATABASE):
        prefix = f"/aws/rds/instance/{database.text('identifier') or '?'}/"
        for group in graph.of_type(LOG_GROUP):
            if group.text("name").startswith(prefix):
                yield database, group


def _of_the_same_bucket(graph: Graph, token: str, other: str) -> Pairs:
    for node in graph.of_type(token):
        buckets = urns_of(made_from(graph, node, "bucket", BUCKET))
        yield from ((node, before) for before in referring(graph, other, "bucket", buckets))


def _policies(graph: Graph) -> Pairs:
    yield from _of_the_same_bucket(graph, BUCKET_POLICY, ACCESS_BLOCK)


def _lifecycles(graph: Graph) -> Pairs:
    yield from _of_the_same_bucket(graph, BUCKET_LIFECYCLE, BUCKET_VERSIONING)


EDGES: Final = (
    Edge("flow-log-role-policies", "the flow log's role may not write yet", _flow_logs),
    Edge("database-role-policies", "RDS refuses a monitoring role without the rights to monitor", _monitoring),
    Edge("database-log-groups", "RDS makes the log groups itself, without retention and key", _database_logs),
    Edge("bucket-policy-last", "S3 answers OperationAborted when both change at the same time", _policies),
    Edge("bucket-versions-first", "S3 refuses rules for noncurrent versions of a bucket without versions",
         _lifecycles),
)  # fmt: skip
