"""When two different texts mean the same to the provider, so that one for the other is no change."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

from sandbox.behaviour.schema import Facts

Same = Callable[[Any, Any], bool]
Canonical = Callable[[str], Any]

PROTOCOLS: Final = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": "-1"}


@lru_cache(maxsize=512)
def _json(text: str) -> Any:
    return json.dumps(json.loads(text), sort_keys=True)


def _sorted_text(items: list[Any]) -> list[str]:
    return sorted(json.dumps(item, sort_keys=True) for item in items)


def _policy_part(value: Any, key: str = "") -> Any:
    """Bring one part of a policy into one form: a list of one is its item, order of lists does not count."""
    if isinstance(value, dict):
        return {name: _policy_part(item, name) for name, item in value.items()}
    if isinstance(value, list):
        parts = [_policy_part(item) for item in value]
        return parts[0] if len(parts) == 1 and key != "Statement" else _sorted_text(parts)
    if isinstance(value, bool):  # conditions: "true" and true are the same
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


@lru_cache(maxsize=512)
def _policy(text: str) -> Any:
    document = json.loads(text)
    if isinstance(document, dict) and isinstance(document.get("Statement"), dict):
        document = {**document, "Statement": [document["Statement"]]}
    return json.dumps(_policy_part(document), sort_keys=True)


@lru_cache(maxsize=512)
def _containers(text: str) -> Any:
    """Bring container definitions into the form that ECS gives back: AWS's defaults, environment in order."""
    containers = json.loads(text)
    result = []
    for container in containers:
        kept = {key: value for key, value in container.items() if value not in (None, [], {}, "")}
        if kept.get("cpu") == 0:
            del kept["cpu"]
        kept["essential"] = container.get("essential") is not False
        for key in ("environment", "secrets"):
            if key in kept:
                kept[key] = _sorted_text(kept[key])
        kept["portMappings"] = _sorted_text([_port(port) for port in kept.get("portMappings", [])])
        result.append(kept)
    return json.dumps(result, sort_keys=True)


def _port(mapping: Mapping[str, Any]) -> dict[str, Any]:
    port = {key: value for key, value in mapping.items() if value is not None}
    port.setdefault("protocol", "tcp")
    if port.get("hostPort") in (None, 0) or port.get("hostPort") == port.get("containerPort"):
        port.pop("hostPort", None)
    return port


@lru_cache(maxsize=128)
def _lifecycle(text: str) -> Any:
    rules = json.loads(text).get("rules", [])
    for rule in rules:
        for key in ("tagPatternList", "tagPrefixList"):
            if key in rule.get("selection", {}):
                rule["selection"][key].sort()
    return json.dumps(sorted(rules, key=lambda rule: int(rule.get("rulePriority", 0))), sort_keys=True)


def _decimal(text: str) -> Any:
    return Decimal(text)


def _cidr(text: str) -> Any:
    return ipaddress.ip_network(text, strict=False)


def _protocol(text: str) -> Any:
    return PROTOCOLS.get(text.lower(), text.lower())


def _domain(text: str) -> Any:
    return text.rstrip(".").lower()


def _key(text: str) -> Any:
    return text.rpartition("key/")[2]


def _url(text: str) -> Any:
    return text.removeprefix("https://")


def _ending(text: str) -> Any:
    return text.rpartition(":")[2]


CASE: Final[Canonical] = str.lower
BY_FORMAT: Final[Mapping[str, Canonical]] = {"json": _json, "iamPolicyJson": _policy, "jsonOrYaml": _json}
BY_PATH: Final[Mapping[tuple[str, str], Canonical]] = {
    ("aws:acm/certificate:Certificate", "domainName"): _domain,
    ("aws:budgets/budget:Budget", "limitAmount"): _decimal,
    ("aws:budgets/budget:Budget", "plannedLimits.amount"): _decimal,
    ("aws:cloudwatch/metricAlarm:MetricAlarm", "treatMissingData"): CASE,
    ("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "egress.protocol"): _protocol,
    ("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "ingress.protocol"): _protocol,
    ("aws:ec2/networkAclRule:NetworkAclRule", "protocol"): _protocol,
    ("aws:ec2/networkAclRule:NetworkAclRule", "ruleAction"): CASE,
    ("aws:ec2/route:Route", "destinationIpv6CidrBlock"): _cidr,
    ("aws:ec2/securityGroup:SecurityGroup", "egress.protocol"): _protocol,
    ("aws:ec2/securityGroup:SecurityGroup", "ingress.protocol"): _protocol,
    ("aws:ec2/securityGroupRule:SecurityGroupRule", "protocol"): _protocol,
    ("aws:ec2/vpcEndpoint:VpcEndpoint", "ipAddressType"): CASE,
    ("aws:ec2/vpcEndpoint:VpcEndpoint", "policy"): _policy,
    ("aws:ecr/lifecyclePolicy:LifecyclePolicy", "policy"): _lifecycle,
    ("aws:ecr/repositoryPolicy:RepositoryPolicy", "policy"): _policy,
    ("aws:ecs/taskDefinition:TaskDefinition", "containerDefinitions"): _containers,
    ("aws:efs/fileSystemPolicy:FileSystemPolicy", "policy"): _policy,
    ("aws:elasticache/parameterGroup:ParameterGroup", "name"): CASE,
    ("aws:elasticache/replicationGroup:ReplicationGroup", "maintenanceWindow"): CASE,
    ("aws:elasticache/subnetGroup:SubnetGroup", "name"): CASE,
    ("aws:iam/openIdConnectProvider:OpenIdConnectProvider", "url"): _url,
    ("aws:iam/policy:Policy", "policy"): _policy,
    ("aws:iam/role:Role", "assumeRolePolicy"): _policy,
    ("aws:iam/role:Role", "inlinePolicies.policy"): _policy,
    ("aws:iam/rolePolicy:RolePolicy", "policy"): _policy,
    ("aws:kms/alias:Alias", "targetKeyId"): _key,
    ("aws:kms/key:Key", "policy"): _policy,
    ("aws:opensearch/domain:Domain", "accessPolicies"): _policy,
    ("aws:rds/instance:Instance", "maintenanceWindow"): CASE,
    ("aws:rds/instance:Instance", "replicateSourceDb"): _ending,
    ("aws:route53/record:Record", "aliases.name"): _domain,
    ("aws:route53/record:Record", "name"): _domain,
    ("aws:route53/zone:Zone", "name"): _domain,
    ("aws:s3/bucket:Bucket", "policy"): _policy,
    ("aws:s3/bucketPolicy:BucketPolicy", "policy"): _policy,
    ("aws:secretsmanager/secret:Secret", "policy"): _policy,
    ("aws:secretsmanager/secretPolicy:SecretPolicy", "policy"): _policy,
    ("aws:sns/topic:Topic", "policy"): _policy,
    ("aws:sns/topicPolicy:TopicPolicy", "policy"): _policy,
    ("aws:sqs/queue:Queue", "policy"): _policy,
    ("aws:sqs/queuePolicy:QueuePolicy", "policy"): _policy,
    ("aws:scheduler/schedule:Schedule", "target.ecsParameters.placementStrategies.field"): CASE,
    ("aws:wafv2/ipSet:IpSet", "addresses"): _cidr,
    ("aws:wafv2/webAcl:WebAcl", "ruleJson"): _json,
}
"""What is compared in a canonical form; on lists it applies to the items."""

EXACT: Final = frozenset({("aws:lambda/invocation:Invocation", "input")})
"""JSON texts that the provider compares letter by letter."""


def same_text(token: str, path: str, spec: Facts, old: Any, new: Any) -> bool:
    """Say whether two values of one property mean the same to the provider."""
    if old == new and isinstance(old, bool) == isinstance(new, bool):
        return True
    if not isinstance(old, str) or not isinstance(new, str) or (token, path) in EXACT:
        return False
    canonical = BY_PATH.get((token, path)) or BY_FORMAT.get(spec.get("format", ""))
    if canonical is None and "enumCaseInsensitive" in spec:
        canonical = CASE
    if canonical is None:
        return False
    try:
        return bool(canonical(old) == canonical(new))
    except (ValueError, TypeError, AttributeError, InvalidOperation):
        return False  # not what it should be: then letter by letter
