"""Search domains: what is encrypted, who reaches them, and what a failed node takes along."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.crossguard.checks import all_of, at_least, is_false, is_set, is_true, one_of
from policies.crossguard.findings import Check, Finding, Violation
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View
from policies.security.existence import one_item
from policies.security.keys import own_key

DOMAIN: Final = "aws:opensearch/domain:Domain"
OLD_DOMAIN: Final = "aws:elasticsearch/domain:Domain"
ON: Final = (DOMAIN, OLD_DOMAIN)
"""The same service under its former name, with the same properties."""

TLS_POLICIES: Final = frozenset(
    {
        "Policy-Min-TLS-1-2-PFS-2023-10",
        "Policy-Min-TLS-1-2-RFC9151-FIPS-2024-08",
        "Policy-Min-TLS-1-2-FIPS-PQ-2026-10",
    }
)
"""Without TLS below 1.2, and with keys that are of no use afterwards."""
NODES: Final = 3
LOGS: Final = ("ES_APPLICATION_LOGS", "AUDIT_LOGS")
"""What failed, and who did what."""


def _https(domain: View) -> Iterator[Finding]:
    options = domain["domainEndpointOptions"]
    enforced = options["enforceHttps"]
    # The provider enforces it where options are given without it, AWS does not where none are.
    if not enforced.flag(default=not options.absent):
        yield Violation(f"{enforced.path} is {enforced.shown()}, want true")


def _publishes(kind: str) -> Check:
    def is_it(log: View) -> Iterator[Finding]:
        if log["logType"].text() != kind or not log["enabled"].flag(default=True):
            yield Violation(f"{log.path} is not {kind}")

    def check(domain: View) -> Iterator[Finding]:
        logs = domain["logPublishingOptions"]
        yield from one_item(f"{logs.path} lacks {kind}", logs.items(), is_it)

    return check


RULES: Final = (
    Rule(
        name="opensearch-encrypted",
        why="Indices and snapshots that are not encrypted are read by whoever gets hold of them.",
        fix="Set `encryptAtRest.enabled` to true.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("82",),
        references=("Opensearch.1", "CKV_AWS_5", "AWS-0048"),
        on=ON,
        check=is_true("encryptAtRest.enabled"),
    ),
    Rule(
        name="opensearch-own-key",
        why="Who may use the key that AWS keeps for the service cannot be decided, and it cannot be taken away.",
        fix="Set `encryptAtRest.kmsKeyId` to a key of this account.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("82",),
        references=("CKV_AWS_247",),
        on=ON,
        check=own_key("encryptAtRest.kmsKeyId"),
    ),
    Rule(
        name="opensearch-encrypted-between-nodes",
        why="What nodes send each other is read by who listens between them.",
        fix="Set `nodeToNodeEncryption.enabled` to true.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("82",),
        references=("Opensearch.3", "CKV_AWS_6", "AWS-0043"),
        on=ON,
        check=is_true("nodeToNodeEncryption.enabled"),
    ),
    Rule(
        name="opensearch-in-vpc",
        why="A domain with a public address is open to everybody whom its policy does not refuse.",
        fix="Set `vpcOptions` with data subnets and security groups; the domain is replaced.",
        severity=Severity.CRITICAL,
        tier=Tier.EVERYWHERE,
        controls=("83",),
        references=("Opensearch.2", "CKV_AWS_137", "awsguard:elasticsearch-in-vpc-only"),
        on=ON,
        check=is_set("vpcOptions.subnetIds", "data subnets"),
    ),
    Rule(
        name="opensearch-https",
        why="Who listens on the network reads passwords and documents.",
        fix="Set `domainEndpointOptions.enforceHttps` to true.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("84",),
        references=("CKV_AWS_83", "AWS-0046"),
        implies=frozenset({"opensearch-tls-policy"}),
        on=ON,
        check=_https,
    ),
    Rule(
        name="opensearch-tls-policy",
        why="What was recorded can be read later, when a key is known, and old versions of TLS are broken.",
        fix="Set `domainEndpointOptions.tlsSecurityPolicy` to Policy-Min-TLS-1-2-PFS-2023-10.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("84",),
        references=("Opensearch.8", "CKV_AWS_228", "AWS-0126"),
        on=ON,
        check=one_of("domainEndpointOptions.tlsSecurityPolicy", TLS_POLICIES),
    ),
    Rule(
        name="opensearch-fine-grained-access",
        why="Who may use the domain may read and delete every index.",
        fix="Set `advancedSecurityOptions.enabled` to true, and `anonymousAuthEnabled` to false.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("85",),
        references=("Opensearch.7", "CKV2_AWS_52"),
        on=ON,
        check=all_of(
            is_true("advancedSecurityOptions.enabled"),
            is_false("advancedSecurityOptions.anonymousAuthEnabled"),
        ),
    ),
    Rule(
        name="opensearch-logs",
        why="Nobody can tell who read or deleted what, and why a query failed.",
        fix="Publish ES_APPLICATION_LOGS and AUDIT_LOGS in `logPublishingOptions`.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("85",),
        references=("Opensearch.4", "Opensearch.5", "CKV_AWS_84", "CKV_AWS_317", "AWS-0042"),
        on=ON,
        check=all_of(*(_publishes(kind) for kind in LOGS)),
    ),
    Rule(
        name="opensearch-data-nodes",
        why="When a node or its zone fails, documents are gone or cannot be written.",
        fix=f"Set `clusterConfig` with {NODES} instances at least and zoneAwarenessEnabled.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("86",),
        references=("Opensearch.6",),
        on=ON,
        check=all_of(
            at_least("clusterConfig.instanceCount", NODES, default=1),
            is_true("clusterConfig.zoneAwarenessEnabled"),
        ),
    ),
    Rule(
        name="opensearch-master-nodes",
        why="Nodes that are busy with queries fail to agree on who leads, and the domain stands still.",
        fix=f"Set `clusterConfig` with dedicatedMasterEnabled and {NODES} dedicated masters.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("86",),
        references=("Opensearch.11", "CKV_AWS_318", "CKV2_AWS_59"),
        on=ON,
        check=all_of(
            is_true("clusterConfig.dedicatedMasterEnabled"),
            at_least("clusterConfig.dedicatedMasterCount", NODES),
        ),
    ),
)
