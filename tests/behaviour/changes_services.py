"""Changes that the rules of services decide: each rule with a row for it and one against it."""

from __future__ import annotations

import json
from typing import Any, Final

from tests.behaviour.changes import (
    ACCOUNT,
    CACHE,
    DELETE,
    DOMAIN,
    FUNCTION,
    GROUPS,
    KEY_ARN,
    PARAMETER,
    REGION,
    ROLE,
    SERVICE,
    SERVICE_ROLE,
    SUBNETS,
    SUBSCRIPTION,
    VERSIONED,
    ChangeRow,
    policy,
)

_ACL_LOGS: Final = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"
_BROKER: Final = "aws:mq/broker:Broker"
_CACHE: Final = "aws:elasticache/replicationGroup:ReplicationGroup"
_CERTIFICATE: Final = "aws:acm/certificate:Certificate"
_DOMAIN: Final = "aws:opensearch/domain:Domain"
_ENCRYPTION: Final = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
_FUNCTION: Final = "aws:lambda/function:Function"
_INVOCATION: Final = "aws:lambda/invocation:Invocation"
_LOGS: Final = "aws:cloudwatch/logGroup:LogGroup"
_PARAMETER: Final = "aws:ssm/parameter:Parameter"
_QUEUE: Final = "aws:sqs/queue:Queue"
_ROLE: Final = "aws:iam/role:Role"
_SERVICE: Final = "aws:ecs/service:Service"
_SERVICE_ROLE: Final = "aws:iam/serviceLinkedRole:ServiceLinkedRole"
_SUBSCRIPTION: Final = "aws:sns/topicSubscription:TopicSubscription"
_VALIDATION: Final = "aws:acm/certificateValidation:CertificateValidation"
_LOG_POLICY: Final = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
_VAULT_POLICY: Final = "aws:backup/vaultPolicy:VaultPolicy"
_VERSIONING: Final = "aws:s3/bucketVersioning:BucketVersioning"


def _vault_policy(action: str, *, spaced: bool = False) -> str:
    """Write a refusal; `spaced` in another layout with the same meaning."""
    actions: Any = [action] if spaced else action
    statement = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": actions, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=1 if spaced else None)


def _log_policy(action: str, *, spaced: bool = False) -> str:
    """Write a grant to EventBridge, in the same two layouts."""
    return _vault_policy(action, spaced=spaced).replace("Deny", "Allow").replace('"AWS": "*"', EVENTS)


EVENTS: Final = '"Service": "events.amazonaws.com"'
VAULT_POLICY: Final = {"backupVaultName": "a", "policy": _vault_policy("backup:DeleteRecoveryPoint")}
LOG_POLICY: Final = {"policyName": "a", "policyDocument": _log_policy("logs:PutLogEvents")}
SUFFIXED: Final = {"awsServiceName": "autoscaling.amazonaws.com", "customSuffix": "a"}
FORCED: Final = {**SERVICE, "forceNewDeployment": True}
SHARDED: Final = {
    "replicationGroupId": "shards",
    "description": "shards",
    "engine": "redis",
    "engineVersion": "7.1",
    "nodeType": "cache.t4g.micro",
    "automaticFailoverEnabled": True,
    "parameterGroupName": "default.redis7.cluster.on",
}
SHARD: Final = {
    "nodeGroupId": "0001",
    "replicaCount": 1,
    "slots": "0-8191",
    "primaryAvailabilityZone": "eu-west-1a",
}
LAST_SHARD: Final = {"nodeGroupId": "0002", "replicaCount": 1, "slots": "8192-16383"}
SHARDS: Final = {**SHARDED, "nodeGroupConfigurations": [SHARD, LAST_SHARD]}
DURABLE: Final = {**FUNCTION, "durableConfig": {"executionTimeout": 60, "retentionPeriod": 7}}
LOGGED: Final = {
    **FUNCTION,
    "loggingConfig": {"logFormat": "JSON", "applicationLogLevel": "INFO", "systemLogLevel": "INFO"},
}
INVOCATION: Final = {"functionName": "notify", "input": "{}", "triggers": {"at": "1"}}
REPEATED: Final = {**INVOCATION, "lifecycleScope": "CRUD"}
OLD_DOMAIN: Final = {
    "domainName": "logs",
    "engineVersion": "Elasticsearch_6.5",
    "ebsOptions": {"ebsEnabled": True, "volumeSize": 10},
    "encryptAtRest": {"enabled": False},
    "nodeToNodeEncryption": {"enabled": False},
}
LATE_DOMAIN: Final = {**OLD_DOMAIN, "engineVersion": "Elasticsearch_6.8"}
PLAIN_DOMAIN: Final = {**OLD_DOMAIN, "engineVersion": "OpenSearch_2.15"}
INSIDE: Final = {**DOMAIN, "vpcOptions": {"subnetIds": SUBNETS[:1], "securityGroupIds": GROUPS[:1]}}
GUARDED: Final = {
    **DOMAIN,
    "nodeToNodeEncryption": {"enabled": True},
    "domainEndpointOptions": {"enforceHttps": True, "tlsSecurityPolicy": "Policy-Min-TLS-1-2-2019-07"},
    "advancedSecurityOptions": {
        "enabled": True,
        "masterUserOptions": {"masterUserArn": f"arn:aws:iam::{ACCOUNT}:role/master"},
    },
}
USERS: Final = [{"username": "airflow", "password": "correct-horse-battery"}]
RABBIT: Final = {
    "brokerName": "events",
    "engineType": "RabbitMQ",
    "engineVersion": "3.13",
    "hostInstanceType": "mq.m7g.medium",
    "users": USERS,
    "autoMinorVersionUpgrade": True,
}
ACTIVE: Final = {
    **RABBIT,
    "engineType": "ActiveMQ",
    "engineVersion": "5.18",
    "hostInstanceType": "mq.m5.large",
}
ENCRYPTED: Final[dict[str, Any]] = {
    "bucket": "dags-111111111111",
    "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}],
}
OWNED: Final = {**ENCRYPTED, "expectedBucketOwner": ACCOUNT}
CERTIFICATE: Final = {
    "domainName": "a.example.com",
    "subjectAlternativeNames": ["b.example.com"],
    "validationMethod": "DNS",
}
VALIDATION: Final = {
    "certificateArn": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/12345678-1234-4123-8123-123456789012",
    "validationRecordFqdns": ["_a.a.example.com.", "_b.b.example.com"],
}
FILTERED: Final = {**SUBSCRIPTION, "filterPolicy": '{"kind": ["a"]}', "filterPolicyScope": "MessageBody"}
INLINE: Final = {**ROLE, "inlinePolicies": [{"name": "read", "policy": policy("s3:GetObject")}]}
REDACTED: Final = {
    "resourceArn": f"arn:aws:wafv2:{REGION}:{ACCOUNT}:regional/webacl/a/12345678-1234-4123-8123-123456789012",
    "logDestinationConfigs": [f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:aws-waf-logs-web"],
    "redactedFields": [{"singleHeader": {"name": "authorization"}}, {"queryString": {}}],
}

CACHES: Final = (
    ChangeRow("cache-engine-case", _CACHE, CACHE, {"engine": "Redis"}, "none"),
    ChangeRow("cache-engine-case-and-kind", _CACHE, CACHE, {"engine": "Valkey", "engineVersion": "8.0"}, "update",
              "engine"),
    ChangeRow("cache-downgrade-to-any-6", _CACHE, CACHE, {"engineVersion": "6.x"}, "replace", "engineVersion"),
    ChangeRow("cache-downgrade-of-the-patch", _CACHE, {**CACHE, "engineVersion": "7.1"}, {"engineVersion": "7.2"},
              "replace", "engineVersion", outputs={"engineVersionActual": "8.0.1"}),
    ChangeRow("cache-tls-at-last-old-patch", _CACHE, {**CACHE, "engineVersion": "7.0"},
              {"transitEncryptionEnabled": False}, "replace", "transitEncryptionEnabled",
              outputs={"engineVersionActual": "7.0.4"}),
    ChangeRow("cache-tls-at-first-new-patch", _CACHE, {**CACHE, "engineVersion": "7.0"},
              {"transitEncryptionEnabled": False}, "update", "transitEncryptionEnabled",
              outputs={"engineVersionActual": "7.0.5"}),
    ChangeRow("cache-first-shards", _CACHE, SHARDED, {"nodeGroupConfigurations": [SHARD, LAST_SHARD]}, "replace",
              "nodeGroupConfigurations"),
    ChangeRow("cache-no-shards", _CACHE, SHARDS, {"nodeGroupConfigurations": DELETE}, "replace",
              "nodeGroupConfigurations"),
    ChangeRow("cache-fewer-shards", _CACHE, SHARDS, {"nodeGroupConfigurations": [SHARD]}, "replace",
              "nodeGroupConfigurations[0]"),
    ChangeRow("cache-shard-slots", _CACHE, SHARDS, {"nodeGroupConfigurations.0.slots": "0-8190"}, "replace",
              "nodeGroupConfigurations[0].slots"),
    ChangeRow("cache-shard-replicas", _CACHE, SHARDS, {"nodeGroupConfigurations.0.replicaCount": 2}, "replace",
              "nodeGroupConfigurations[0].replicaCount"),
    ChangeRow("cache-shard-id", _CACHE, SHARDS, {"nodeGroupConfigurations.0.nodeGroupId": "0003"}, "replace",
              "nodeGroupConfigurations[0].nodeGroupId"),
    ChangeRow("cache-shard-zone", _CACHE, SHARDS, {"nodeGroupConfigurations.0.primaryAvailabilityZone": "eu-west-1b"},
              "update", "nodeGroupConfigurations[0].primaryAvailabilityZone"),
    ChangeRow("cache-shard-order", _CACHE, SHARDS, {"nodeGroupConfigurations": [LAST_SHARD, SHARD]}, "none"),
)  # fmt: skip
FUNCTIONS: Final = (
    ChangeRow("function-durable", _FUNCTION, FUNCTION, {"durableConfig": DURABLE["durableConfig"]}, "replace",
              "durableConfig"),
    ChangeRow("function-durable-left-out", _FUNCTION, DURABLE, {"durableConfig": DELETE}, "replace", "durableConfig"),
    ChangeRow("function-durable-timeout", _FUNCTION, DURABLE, {"durableConfig.executionTimeout": 90}, "update",
              "durableConfig.executionTimeout"),
    ChangeRow("function-empty-environment", _FUNCTION, FUNCTION, {"environment": {"variables": {}}}, "none"),
    ChangeRow("function-environment", _FUNCTION, FUNCTION, {"environment": {"variables": {"A": "1"}}}, "update",
              "environment"),
    ChangeRow("function-empty-network", _FUNCTION, FUNCTION,
              {"vpcConfig": {"subnetIds": [], "securityGroupIds": []}}, "none"),
    ChangeRow("function-network", _FUNCTION, FUNCTION,
              {"vpcConfig": {"subnetIds": SUBNETS[:1], "securityGroupIds": GROUPS[:1]}}, "update", "vpcConfig"),
    ChangeRow("function-empty-image", _FUNCTION, FUNCTION, {"imageConfig": {"commands": []}}, "none"),
    ChangeRow("function-command", _FUNCTION, FUNCTION, {"imageConfig": {"commands": ["run"]}}, "update",
              "imageConfig"),
    ChangeRow("function-levels-left-out", _FUNCTION, LOGGED,
              {"loggingConfig.applicationLogLevel": DELETE, "loggingConfig.systemLogLevel": DELETE}, "none"),
    ChangeRow("function-level", _FUNCTION, LOGGED, {"loggingConfig.applicationLogLevel": "DEBUG"}, "update",
              "loggingConfig.applicationLogLevel"),
    ChangeRow("invocation-triggers", _INVOCATION, INVOCATION, {"triggers.at": "2"}, "replace", "triggers.at"),
    ChangeRow("invocation-repeated-input", _INVOCATION, REPEATED, {"input": '{"a": 1}'}, "update", "input"),
    ChangeRow("invocation-repeated-triggers", _INVOCATION, REPEATED, {"triggers.at": "2"}, "replace", "triggers.at"),
    ChangeRow("invocation-input-layout", _INVOCATION, INVOCATION, {"input": "{ }"}, "replace", "input"),
)  # fmt: skip
DOMAINS: Final = (
    ChangeRow("domain-encryption-on-old", _DOMAIN, OLD_DOMAIN, {"encryptAtRest.enabled": True}, "replace",
              "encryptAtRest.enabled"),
    ChangeRow("domain-encryption-on-late", _DOMAIN, LATE_DOMAIN, {"encryptAtRest.enabled": True}, "update",
              "encryptAtRest.enabled"),
    ChangeRow("domain-encryption-on", _DOMAIN, PLAIN_DOMAIN, {"encryptAtRest.enabled": True}, "update",
              "encryptAtRest.enabled"),
    ChangeRow("domain-nodes-on-old", _DOMAIN, OLD_DOMAIN, {"nodeToNodeEncryption.enabled": True}, "replace",
              "nodeToNodeEncryption.enabled"),
    ChangeRow("domain-nodes-on", _DOMAIN, PLAIN_DOMAIN, {"nodeToNodeEncryption.enabled": True}, "update",
              "nodeToNodeEncryption.enabled"),
    ChangeRow("domain-nodes-off", _DOMAIN, {**DOMAIN, "nodeToNodeEncryption": {"enabled": True}},
              {"nodeToNodeEncryption.enabled": False}, "replace", "nodeToNodeEncryption.enabled"),
    ChangeRow("domain-access-off", _DOMAIN, GUARDED, {"advancedSecurityOptions": {"enabled": False}}, "replace",
              "advancedSecurityOptions.enabled"),
    ChangeRow("domain-access-on", _DOMAIN, {**GUARDED, "advancedSecurityOptions": {"enabled": False}},
              {"advancedSecurityOptions": GUARDED["advancedSecurityOptions"]}, "update",
              "advancedSecurityOptions.enabled"),
    ChangeRow("domain-to-ipv4", _DOMAIN, {**DOMAIN, "ipAddressType": "dualstack"}, {"ipAddressType": "ipv4"},
              "replace", "ipAddressType"),
    ChangeRow("domain-to-dualstack", _DOMAIN, {**DOMAIN, "ipAddressType": "ipv4"}, {"ipAddressType": "dualstack"},
              "update", "ipAddressType"),
    ChangeRow("domain-into-vpc", _DOMAIN, DOMAIN, {"vpcOptions": INSIDE["vpcOptions"]}, "replace", "vpcOptions"),
    ChangeRow("domain-out-of-vpc", _DOMAIN, INSIDE, {"vpcOptions": DELETE}, "replace", "vpcOptions"),
    ChangeRow("domain-groups", _DOMAIN, INSIDE, {"vpcOptions.securityGroupIds": GROUPS}, "update",
              "vpcOptions.securityGroupIds[1]"),
    ChangeRow("domain-to-opensearch", _DOMAIN, LATE_DOMAIN, {"engineVersion": "OpenSearch_1.3"}, "update",
              "engineVersion"),
    ChangeRow("domain-to-opensearch-too-early", _DOMAIN, OLD_DOMAIN, {"engineVersion": "OpenSearch_1.3"}, "replace",
              "engineVersion"),
    ChangeRow("domain-back-to-elasticsearch", _DOMAIN, PLAIN_DOMAIN, {"engineVersion": "Elasticsearch_7.10"},
              "replace", "engineVersion"),
)  # fmt: skip
CHANGES: Final = (
    *CACHES,
    *FUNCTIONS,
    *DOMAINS,
    ChangeRow("service-triggers-forced", _SERVICE, FORCED, {"triggers": {"at": "1"}}, "update", "triggers"),
    ChangeRow("service-triggers-left-out", _SERVICE, {**FORCED, "triggers": {"at": "1"}}, {"triggers": DELETE},
              "none"),
    ChangeRow("service-controller", _SERVICE, SERVICE, {"deploymentController": {"type": "EXTERNAL"}}, "update",
              "deploymentController"),
    ChangeRow("broker-users", _BROKER, RABBIT, {"users.0.password": "another-horse-battery"}, "none"),
    ChangeRow("broker-instance", _BROKER, RABBIT, {"hostInstanceType": "mq.m7g.large"}, "update", "hostInstanceType"),
    ChangeRow("broker-active-users", _BROKER, ACTIVE, {"users.0.password": "another-horse-battery"}, "update",
              "users[0].password"),
    ChangeRow("logs-delivery-retention", _LOGS, {"name": "/a", "logGroupClass": "DELIVERY"}, {"retentionInDays": 7},
              "none"),
    ChangeRow("logs-class", _LOGS, {"name": "/a", "logGroupClass": "STANDARD"},
              {"logGroupClass": "INFREQUENT_ACCESS"}, "replace", "logGroupClass"),
    ChangeRow("encryption-owner", _ENCRYPTION, ENCRYPTED, {"expectedBucketOwner": ACCOUNT}, "update",
              "expectedBucketOwner"),
    ChangeRow("encryption-other-owner", _ENCRYPTION, OWNED, {"expectedBucketOwner": "222222222222"}, "replace",
              "expectedBucketOwner"),
    ChangeRow("encryption-owner-left-out", _ENCRYPTION, OWNED, {"expectedBucketOwner": DELETE}, "replace",
              "expectedBucketOwner"),
    ChangeRow("versioning-off-when-suspended", _VERSIONING,
              {**VERSIONED, "versioningConfiguration": {"status": "Suspended"}},
              {"versioningConfiguration.status": "Disabled"}, "refuse", "versioningConfiguration.status"),
    ChangeRow("versioning-on", _VERSIONING, {**VERSIONED, "versioningConfiguration": {"status": "Disabled"}},
              {"versioningConfiguration.status": "Enabled"}, "update", "versioningConfiguration.status"),
    ChangeRow("certificate-own-name", _CERTIFICATE, CERTIFICATE,
              {"subjectAlternativeNames": ["b.example.com", "a.example.com"]}, "none"),
    ChangeRow("certificate-more-names", _CERTIFICATE, CERTIFICATE,
              {"subjectAlternativeNames": ["b.example.com", "c.example.com"]}, "replace", "subjectAlternativeNames[1]"),
    ChangeRow("certificate-first-name", _CERTIFICATE, CERTIFICATE, {"domainName": "c.example.com"}, "replace",
              "domainName"),
    ChangeRow("validation-dot", _VALIDATION, VALIDATION,
              {"validationRecordFqdns": ["_b.b.example.com.", "_a.a.example.com"]}, "none"),
    ChangeRow("validation-record", _VALIDATION, VALIDATION, {"validationRecordFqdns.0": "_c.c.example.com"}, "replace",
              "validationRecordFqdns[0]"),
    ChangeRow("queue-reuse-without-key", _QUEUE, {"name": "q"}, {"kmsDataKeyReusePeriodSeconds": 600}, "none"),
    ChangeRow("queue-reuse", _QUEUE, {"name": "q", "kmsMasterKeyId": KEY_ARN}, {"kmsDataKeyReusePeriodSeconds": 600},
              "update", "kmsDataKeyReusePeriodSeconds"),
    ChangeRow("role-no-inline-policies", _ROLE, ROLE, {"inlinePolicies": [{}]}, "none"),
    ChangeRow("role-inline-policy", _ROLE, INLINE, {"inlinePolicies.0.policy": policy("s3:PutObject")}, "update",
              "inlinePolicies[0].policy"),
    ChangeRow("role-inline-policies-emptied", _ROLE, INLINE, {"inlinePolicies": [{}]}, "update",
              "inlinePolicies[0].name"),
    ChangeRow("role-inline-layout", _ROLE, INLINE, {"inlinePolicies.0.policy": policy("s3:GetObject", spaced=True)},
              "none"),
    ChangeRow("log-policy-layout", _LOG_POLICY, LOG_POLICY,
              {"policyDocument": _log_policy("logs:PutLogEvents", spaced=True)}, "none"),
    ChangeRow("log-policy-content", _LOG_POLICY, LOG_POLICY, {"policyDocument": _log_policy("logs:CreateLogStream")},
              "update", "policyDocument"),
    ChangeRow("log-policy-name", _LOG_POLICY, LOG_POLICY, {"policyName": "b"}, "replace", "policyName"),
    ChangeRow("vault-policy-layout", _VAULT_POLICY, VAULT_POLICY,
              {"policy": _vault_policy("backup:DeleteRecoveryPoint", spaced=True)}, "none"),
    ChangeRow("vault-policy-content", _VAULT_POLICY, VAULT_POLICY, {"policy": _vault_policy("backup:StartCopyJob")},
              "update", "policy"),
    ChangeRow("vault-policy-vault", _VAULT_POLICY, VAULT_POLICY, {"backupVaultName": "b"}, "replace",
              "backupVaultName"),
    ChangeRow("service-role-tags", _SERVICE_ROLE, SERVICE_ROLE, {"tags": {"team": "b"}}, "update", "tags"),
    ChangeRow("service-role-no-description", _SERVICE_ROLE, SERVICE_ROLE, {"description": DELETE}, "update",
              "description"),
    ChangeRow("service-role-suffix", _SERVICE_ROLE, SUFFIXED, {"customSuffix": "b"}, "replace", "customSuffix"),
    ChangeRow("service-role-suffix-left-out", _SERVICE_ROLE, SUFFIXED, {"customSuffix": DELETE}, "replace",
              "customSuffix"),
    ChangeRow("service-role-scaling", _SERVICE_ROLE, {"awsServiceName": "ecs.application-autoscaling.amazonaws.com"},
              {"customSuffix": ""}, "none"),
    ChangeRow("subscription-scope-alone", _SUBSCRIPTION, SUBSCRIPTION, {"filterPolicyScope": "MessageBody"}, "none"),
    ChangeRow("subscription-scope", _SUBSCRIPTION, {**FILTERED, "filterPolicyScope": "MessageAttributes"},
              {"filterPolicyScope": "MessageBody"}, "update", "filterPolicyScope"),
    ChangeRow("subscription-scope-left-out", _SUBSCRIPTION, FILTERED, {"filterPolicyScope": DELETE}, "update",
              "filterPolicyScope"),
    ChangeRow("subscription-default-scope-left-out", _SUBSCRIPTION,
              {**FILTERED, "filterPolicyScope": "MessageAttributes"}, {"filterPolicyScope": DELETE}, "none"),
    ChangeRow("parameter-tier-intelligent", _PARAMETER, {**PARAMETER, "tier": "Standard"},
              {"tier": "Intelligent-Tiering"}, "none"),
    ChangeRow("acl-redacted-order", _ACL_LOGS, REDACTED, {"redactedFields": REDACTED["redactedFields"][::-1]}, "none"),
    ChangeRow("acl-redacted", _ACL_LOGS, REDACTED, {"redactedFields.1": {"uriPath": {}}}, "update",
              "redactedFields[1].queryString"),
)  # fmt: skip
