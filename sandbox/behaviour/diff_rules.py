"""What decides between update, replacement and refusal beyond single properties, one function a type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.behaviour import diff_rules_network
from sandbox.behaviour.diff_comparison import Comparison, version
from sandbox.behaviour.model import ChangeKind
from sandbox.behaviour.values import UNKNOWN, has_unknown


def _ecs_service(case: Comparison) -> None:
    forced = case.after("forceNewDeployment")
    if case.changed("capacityProviderStrategies") and forced not in (True, UNKNOWN):
        case.refuse(
            "capacityProviderStrategies",
            "force_new_deployment should be true when capacity_provider_strategy is being updated",
        )
    if forced is not True or not case.after("triggers"):
        case.drop("triggers")


def _replication_group(case: Comparison) -> None:
    old_engine, new_engine = (str(engine).lower() for engine in (case.before("engine"), case.after("engine")))
    if case.changed("engine") and (old_engine, new_engine) != ("redis", "valkey"):
        case.replace("engine")
    actual = version(case.outputs.get("engineVersionActual", case.before("engineVersion")))
    wanted = version(case.after("engineVersion"))
    if case.changed("engineVersion") and wanted and wanted < actual[: len(wanted)]:
        case.replace("engineVersion")
    if case.changed("transitEncryptionEnabled") and actual < (7, 0, 5):
        case.replace("transitEncryptionEnabled")
    old, new = case.before("nodeGroupConfigurations") or [], case.after("nodeGroupConfigurations")
    if old and new is None:
        case.add("nodeGroupConfigurations", ChangeKind.DELETE, replace=True)
    elif case.changed("nodeGroupConfigurations") and (
        has_unknown(new) or sorted(map(_node_group, old)) != sorted(map(_node_group, new))
    ):
        case.replace("nodeGroupConfigurations")


def _node_group(group: Mapping[str, Any]) -> str:
    return repr([group.get(key) for key in ("nodeGroupId", "replicaCount", "slots")])


def _bucket_versioning(case: Comparison) -> None:
    old, new = case.before("versioningConfiguration.status"), case.after("versioningConfiguration.status")
    if new == "Disabled" and old in ("Enabled", "Suspended"):
        case.refuse(
            "versioningConfiguration.status",
            f"versioning_configuration.status cannot be updated from '{old}' to 'Disabled'",
        )


def _parameter(case: Comparison) -> None:
    if (case.before("tier"), case.after("tier")) == ("Advanced", "Standard"):
        case.replace("tier")
    if case.after("tier") == "Intelligent-Tiering" and case.before("tier"):
        case.drop("tier")


def _subscription(case: Comparison) -> None:
    scope = case.before("filterPolicyScope")
    if not case.after("filterPolicy"):
        case.drop("filterPolicyScope")
    elif "filterPolicyScope" not in case.new and scope not in (None, "", "MessageAttributes"):
        case.add("filterPolicyScope", ChangeKind.UPDATE)


def _function(case: Comparison) -> None:
    if bool(case.before("durableConfig")) != bool(case.after("durableConfig")):
        case.replace("durableConfig")
    for block in ("environment", "imageConfig", "vpcConfig"):
        if _blank(case.before(block)) and _blank(case.after(block)):
            case.drop(block)
    for level in ("applicationLogLevel", "systemLogLevel"):
        if not case.after(f"loggingConfig.{level}"):
            case.drop(f"loggingConfig.{level}")


def _blank(block: Any) -> bool:
    """Say whether a block is missing or has nothing in it."""
    return not block or (isinstance(block, dict) and not any(block.values()))


def _invocation(case: Comparison) -> None:
    if case.after("lifecycleScope") in (None, "CREATE_ONLY"):
        case.replace("input")


def _domain(case: Comparison) -> None:
    old, new = case.before("engineVersion"), case.after("engineVersion")
    if isinstance(old, str) and isinstance(new, str) and not _upgrade_path(old, new):
        case.replace("engineVersion")
    for block in ("encryptAtRest", "nodeToNodeEncryption"):
        on, off = case.after(f"{block}.enabled") is True, case.before(f"{block}.enabled") is True
        if (off and not on) or (on and not off and not _modern(str(old))):
            case.replace(f"{block}.enabled")
    if (
        case.before("advancedSecurityOptions.enabled") is True
        and case.after("advancedSecurityOptions.enabled") is False
    ):
        case.replace("advancedSecurityOptions.enabled")
    if (case.before("ipAddressType"), case.after("ipAddressType")) == ("dualstack", "ipv4"):
        case.replace("ipAddressType")
    if bool(case.before("vpcOptions")) == bool(case.after("vpcOptions")):
        case.in_place("vpcOptions")
    else:
        case.replace("vpcOptions")


def _upgrade_path(old: str, new: str) -> bool:
    """Accept upgrades, from Elasticsearch to OpenSearch too; the real list of paths needs an API call."""
    family_old, _, number_old = old.partition("_")
    family_new, _, number_new = new.partition("_")
    if family_old != family_new:
        return family_new == "OpenSearch" and version(number_old) >= (6, 8)
    return version(number_new) >= version(number_old)


def _modern(engine: str) -> bool:
    family, _, number = engine.partition("_")
    return family == "OpenSearch" or version(number) >= (6, 7)


def _broker(case: Comparison) -> None:
    if str(case.after("engineType")).lower() == "rabbitmq":
        case.drop("users")


def _log_group(case: Comparison) -> None:
    if case.after("logGroupClass") == "DELIVERY":
        case.drop("retentionInDays")


def _bucket_owner(case: Comparison) -> None:
    """Replace for another owner; writing down the caller's own account, the first one, is an update."""
    if case.before("expectedBucketOwner"):
        case.replace("expectedBucketOwner")


def _certificate(case: Comparison) -> None:
    """Compare names with the domain name added, as the provider does."""
    old, new = (
        {*(names.get("subjectAlternativeNames") or []), names.get("domainName")}
        if not has_unknown(names.get("subjectAlternativeNames"))
        else {UNKNOWN}
        for names in (case.old, case.new)
    )
    if old == new:
        case.drop("subjectAlternativeNames")


def _queue(case: Comparison) -> None:
    if not case.after("kmsMasterKeyId") and not case.before("kmsMasterKeyId"):
        case.drop("kmsDataKeyReusePeriodSeconds")


def _role(case: Comparison) -> None:
    if not case.before("inlinePolicies") and case.after("inlinePolicies") == [{}]:
        case.drop("inlinePolicies")


def _service_linked_role(case: Comparison) -> None:
    """Take the end of a scaling role's name, which the provider reads as a suffix, for none."""
    scaling = ".application-autoscaling." in str(case.after("awsServiceName"))
    if scaling and not case.after("customSuffix"):
        case.drop("customSuffix")


def _bare(names: list[str]) -> set[str]:
    return {name.rstrip(".") for name in names}


def _validation(case: Comparison) -> None:
    """Compare record names without the trailing dot."""
    old, new = case.before("validationRecordFqdns") or [], case.after("validationRecordFqdns")
    if isinstance(new, list) and not has_unknown(new) and _bare(old) == _bare(new):
        case.drop("validationRecordFqdns")


def _table(case: Comparison) -> None:
    """Replace for less warm throughput and another source; alone, attributes change nothing."""
    for units in ("readUnitsPerSecond", "writeUnitsPerSecond"):
        path = f"warmThroughput.{units}"
        old, new = case.before(path), case.after(path)
        if isinstance(old, int) and isinstance(new, int) and 0 < new < old:
            case.replace(path)
    for source in ("restoreSourceName", "restoreSourceTableArn"):
        if case.after(source):
            case.replace(source)
    for block in ("serverSideEncryption", "pointInTimeRecovery"):
        if not case.before(f"{block}.enabled") and not case.after(f"{block}.enabled"):
            case.drop(block)
    if not case.after("pointInTimeRecovery.enabled"):
        case.drop("pointInTimeRecovery.recoveryPeriodInDays")
    if not case.before("ttl.attributeName") and not case.after("ttl.enabled"):
        case.drop("ttl.attributeName")
    if not case.changed("globalSecondaryIndexes"):
        case.drop("attributes")


def _web_acl_logging(case: Comparison) -> None:
    """Compare redacted fields without their order."""
    old, new = case.before("redactedFields"), case.after("redactedFields")
    if (
        isinstance(old, list)
        and isinstance(new, list)
        and not has_unknown(new)
        and sorted(map(repr, old)) == sorted(map(repr, new))
    ):
        case.drop("redactedFields")


RULES: Final[Mapping[str, Callable[[Comparison], None]]] = {
    **diff_rules_network.RULES,
    "aws:acm/certificate:Certificate": _certificate,
    "aws:acm/certificateValidation:CertificateValidation": _validation,
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:dynamodb/table:Table": _table,
    "aws:ecs/service:Service": _ecs_service,
    "aws:elasticache/replicationGroup:ReplicationGroup": _replication_group,
    "aws:iam/role:Role": _role,
    "aws:iam/serviceLinkedRole:ServiceLinkedRole": _service_linked_role,
    "aws:lambda/function:Function": _function,
    "aws:lambda/invocation:Invocation": _invocation,
    "aws:mq/broker:Broker": _broker,
    "aws:opensearch/domain:Domain": _domain,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _bucket_owner,
    "aws:s3/bucketVersioning:BucketVersioning": _bucket_versioning,
    "aws:sns/topicSubscription:TopicSubscription": _subscription,
    "aws:sqs/queue:Queue": _queue,
    "aws:ssm/parameter:Parameter": _parameter,
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": _web_acl_logging,
}
