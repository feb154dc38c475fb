"""What must exist before databases, flow logs, backups and the settings of buckets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.edges.rules import (
    ACCESS_BLOCK,
    BACKUP_PLAN,
    BACKUP_SELECTION,
    BACKUP_VAULT,
    BUCKET,
    BUCKET_LIFECYCLE,
    BUCKET_LOGGING,
    BUCKET_POLICY,
    BUCKET_VERSIONING,
    DATABASE,
    FILE_SYSTEM,
    FLOW_LOG,
    LOG_GROUP,
    ROLE,
    TABLE,
    VAULT_GUARDS,
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


def _log_targets(graph: Graph) -> Pairs:
    for logging in graph.of_type(BUCKET_LOGGING):
        targets = urns_of(made_from(graph, logging, "targetBucket", BUCKET))
        yield from ((logging, policy) for policy in referring(graph, BUCKET_POLICY, "bucket", targets))


def _backup_rights(graph: Graph) -> Pairs:
    yield from _rights(graph, BACKUP_SELECTION, "iamRoleArn")


def _backup_guards(graph: Graph) -> Pairs:
    for selection in graph.of_type(BACKUP_SELECTION):
        for plan in made_from(graph, selection, "planId", BACKUP_PLAN):
            vaults = urns_of(made_from(graph, plan, "rules", BACKUP_VAULT))
            for token in VAULT_GUARDS:
                yield from (
                    (selection, guard) for guard in referring(graph, token, "backupVaultName", vaults)
                )


def _backup_data(graph: Graph) -> Pairs:
    for selection in graph.of_type(BACKUP_SELECTION):
        for token in (DATABASE, FILE_SYSTEM, TABLE):
            yield from ((selection, store) for store in graph.of_type(token))


EDGES: Final = (
    Edge("flow-log-role-policies", "the flow log's role may not write yet", _flow_logs),
    Edge("database-role-policies", "RDS refuses a monitoring role without the rights to monitor", _monitoring),
    Edge("database-log-groups", "RDS makes the log groups itself, without retention and key", _database_logs),
    Edge("bucket-policy-last", "S3 answers OperationAborted when both change at the same time", _policies),
    Edge("bucket-versions-first", "S3 refuses rules for noncurrent versions of a bucket without versions",
         _lifecycles),
    Edge("log-target-policy", "S3 refuses to log into a bucket that it may not write into yet", _log_targets),
    Edge("backup-role-policies", "AWS Backup refuses a role that may not look for resources", _backup_rights),
    Edge("backup-guards", "what is backed up before can be deleted, and is not held for its days", _backup_guards),
    Edge("backup-data", "what is not there yet is not backed up, and nobody notices", _backup_data),
)  # fmt: skip
