"""Cases of the rules about search domains."""

from __future__ import annotations

from typing import Any, Final

from policies.security.rules.opensearch import DOMAIN, OLD_DOMAIN
from tests.policies.cases import REMOVED, Case, Change
from tests.policies.security.cases_rds import KEY

LOG_GROUP: Final = "arn:aws:logs:eu-west-1:111111111111:log-group:search"
GOOD: Final[dict[str, Any]] = {
    "encryptAtRest": {"enabled": True, "kmsKeyId": KEY},
    "nodeToNodeEncryption": {"enabled": True},
    "vpcOptions": {"subnetIds": ["subnet-1", "subnet-2", "subnet-3"]},
    "domainEndpointOptions": {"enforceHttps": True, "tlsSecurityPolicy": "Policy-Min-TLS-1-2-PFS-2023-10"},
    "advancedSecurityOptions": {"enabled": True, "anonymousAuthEnabled": False},
    "logPublishingOptions": [
        {"logType": "ES_APPLICATION_LOGS", "cloudwatchLogGroupArn": LOG_GROUP},
        {"logType": "AUDIT_LOGS", "cloudwatchLogGroupArn": LOG_GROUP, "enabled": True},
    ],
    "clusterConfig": {
        "instanceCount": 3,
        "zoneAwarenessEnabled": True,
        "dedicatedMasterEnabled": True,
        "dedicatedMasterCount": 3,
    },
}
CHANGES: Final[dict[str, tuple[Change, ...]]] = {
    "opensearch-encrypted": (Change(path="encryptAtRest.enabled", bad=False),),
    "opensearch-own-key": (
        Change(path="encryptAtRest.kmsKeyId", bad=REMOVED),
        Change(path="encryptAtRest.kmsKeyId", bad="alias/aws/es"),
    ),
    "opensearch-encrypted-between-nodes": (Change(path="nodeToNodeEncryption.enabled", bad=False),),
    "opensearch-in-vpc": (
        Change(path="vpcOptions", bad=REMOVED),
        Change(path="vpcOptions.subnetIds", bad=[], typed=False),
    ),
    "opensearch-https": (
        Change(path="domainEndpointOptions.enforceHttps", bad=False, absent=False),
        Change(path="domainEndpointOptions", bad=REMOVED, typed=False),
    ),
    "opensearch-tls-policy": (
        Change(path="domainEndpointOptions.tlsSecurityPolicy", bad="Policy-Min-TLS-1-0-2019-07"),
        Change(path="domainEndpointOptions.tlsSecurityPolicy", bad="Policy-Min-TLS-1-2-2019-07"),
    ),
    "opensearch-fine-grained-access": (
        Change(path="advancedSecurityOptions.enabled", bad=False),
        Change(path="advancedSecurityOptions.anonymousAuthEnabled", bad=True, absent=False),
    ),
    "opensearch-logs": (
        Change(path="logPublishingOptions[0].logType", bad="SEARCH_SLOW_LOGS"),
        Change(path="logPublishingOptions[1]", bad=REMOVED),
        Change(path="logPublishingOptions[1].enabled", bad=False, absent=False),
        Change(path="logPublishingOptions", bad=[]),
    ),
    "opensearch-data-nodes": (
        Change(path="clusterConfig.instanceCount", bad=2),
        Change(path="clusterConfig.zoneAwarenessEnabled", bad=False),
    ),
    "opensearch-master-nodes": (
        Change(path="clusterConfig.dedicatedMasterEnabled", bad=False),
        Change(path="clusterConfig.dedicatedMasterCount", bad=2),
    ),
}
CASES: Final = tuple(
    Case(rule=rule, type=on, good=GOOD, changes=changes, golden=None)
    for rule, changes in CHANGES.items()
    for on in (DOMAIN, OLD_DOMAIN)
)
