"""The stacks for our relations that name checks of checkov: what is right, what is wrong, and what needs a reason."""

from __future__ import annotations

from typing import Any, Final

from policies.security.relations.bucket_settings import LOGGING
from policies.security.relations.group_rules import WORKER_POOL
from policies.security.relations.load_balancing import ASSOCIATION
from policies.security.relations.repositories import SCANNING
from policies.security.relations.vpcs import VPC
from policies.security.relations.zones import QUERY_LOG, RECORD, ZONE
from policies.security.rules.bucket_lifecycles import LIFECYCLE, VERSIONING
from policies.security.rules.buckets import ACCESS_BLOCK, BUCKET, ENCRYPTION, OWNERSHIP
from policies.security.rules.dns import SIGNING
from policies.security.rules.efs import FILE_SYSTEM
from policies.security.rules.functions import FUNCTION, PERMISSION
from policies.security.rules.load_balancers import LOAD_BALANCER
from policies.security.rules.networks import DEFAULT_GROUP, FLOW_LOG
from policies.security.rules.registries import REPOSITORY
from policies.security.rules.secrets_and_keys import ROTATION, SECRET
from policies.security.rules.security_groups import EGRESS_RULE, GROUP, INGRESS_RULE
from policies.security.selections import SELECTION
from tests.policies.checkov.parts import Part, Small
from tests.policies.checkov.terraform import Link

PLAN: Final = "aws:backup/plan:Plan"
QUEUE: Final = "aws:sqs/queue:Queue"
SERVICE: Final = "aws:ecs/service:Service"


def _bucket(relation: str, what: str, *parts: Part, **properties: Any) -> Small:
    return Small(relation=relation, what=what, about="data", parts=(Part(BUCKET, "data", properties), *parts))


def _beside(token: str, property: str, to: str, **properties: Any) -> Part:
    return Part(token, "beside", {property: Link(to), **properties})


def _encryption(algorithm: str) -> Part:
    default = {"applyServerSideEncryptionByDefault": {"sseAlgorithm": algorithm}}
    return _beside(ENCRYPTION, "bucket", "data", rules=[default])


BLOCKED: Final = {
    "blockPublicAcls": True,
    "blockPublicPolicy": True,
    "ignorePublicAcls": True,
    "restrictPublicBuckets": True,
}
EXPIRES: Final = [{"id": "old", "status": "Enabled", "expiration": {"days": 90}}]
LOGS_OF_BALANCER: Final = Part(
    LOAD_BALANCER, "balancer", {"accessLogs": {"bucket": Link("data", "bucket"), "enabled": True}}
)
BUCKETS: Final = (
    _bucket("s3-has-access-block", "with a block", _beside(ACCESS_BLOCK, "bucket", "data", **BLOCKED)),
    _bucket("s3-has-access-block", "without a block"),
    _bucket("s3-has-encryption", "with aws:kms", _encryption("aws:kms")),
    _bucket("s3-has-encryption", "without encryption"),
    _bucket("s3-has-encryption", "with AES256", _encryption("AES256")),
    _bucket("s3-has-encryption", "that takes logs", _encryption("AES256"), LOGS_OF_BALANCER),
    _bucket(
        "s3-has-versions",
        "with versions",
        _beside(VERSIONING, "bucket", "data", versioningConfiguration={"status": "Enabled"}),
    ),
    _bucket("s3-has-versions", "with versions inside", versioning={"enabled": True}),
    _bucket("s3-has-versions", "without versions"),
    _bucket("s3-has-lifecycle", "with a lifecycle", _beside(LIFECYCLE, "bucket", "data", rules=EXPIRES)),
    _bucket("s3-has-lifecycle", "without a lifecycle"),
    _bucket(
        "s3-has-access-log",
        "with a log",
        _beside(LOGGING, "bucket", "data", targetBucket="logs", targetPrefix="data/"),
    ),
    _bucket("s3-has-access-log", "without a log"),
    _bucket("s3-has-access-log", "that takes logs", LOGS_OF_BALANCER),
    _bucket(
        "s3-has-ownership",
        "with controls",
        _beside(OWNERSHIP, "bucket", "data", rule={"objectOwnership": "BucketOwnerEnforced"}),
    ),
    _bucket("s3-has-ownership", "without controls"),
)


def _files(relation: str, what: str, *parts: Part) -> Small:
    files = Part(FILE_SYSTEM, "files", {"encrypted": True})
    return Small(relation=relation, what=what, about="files", parts=(files, *parts))


def _call(*parts: Part, what: str, **properties: Any) -> Small:
    function = Part(FUNCTION, "function", {"runtime": "python3.13", **properties})
    return Small(relation="lambda-dead-letters", what=what, about="function", parts=(function, *parts))


NOTIFIED: Final = _beside(PERMISSION, "function", "function", principal="sns.amazonaws.com")
LETTERS: Final = {"targetArn": Link("queue", "arn")}


def _secret(what: str, *parts: Part, **properties: Any) -> Small:
    secret = Part(SECRET, "secret", {"name": "airflow", **properties})
    return Small(relation="secret-rotated", what=what, about="secret", parts=(secret, *parts))


STORES: Final = (
    _files(
        "efs-in-backup-plan",
        "in a plan",
        Part(PLAN, "plan", {"name": "daily"}),
        Part(SELECTION, "selection", {"planId": Link("plan"), "resources": [Link("files", "arn")]}),
    ),
    _files("efs-in-backup-plan", "in no plan"),
    _call(NOTIFIED, Part(QUEUE, "queue"), what="with a queue", deadLetterConfig=LETTERS),
    _call(NOTIFIED, what="without a queue"),
    _call(what="that nobody calls asynchronously"),
    _secret("with a rotation", _beside(ROTATION, "secretId", "secret", rotationLambdaArn="arn")),
    _secret("without a rotation"),
    _secret("with a reason", tags={"rotation": "by the runbook"}),
)


def _zone(relation: str, what: str, *parts: Part, **properties: Any) -> Small:
    zone = Part(ZONE, "zone", {"name": "example.com", **properties})
    return Small(relation=relation, what=what, about="zone", parts=(zone, *parts))


def _record(what: str, *parts: Part, **properties: Any) -> Small:
    record = Part(RECORD, "record", {"name": "airflow", "type": "A", "zoneId": "Z1", **properties})
    return Small(relation="route53-leads-somewhere", what=what, about="record", parts=(record, *parts))


def _alias(name: Any) -> list[dict[str, Any]]:
    return [{"name": name, "zoneId": "Z2", "evaluateTargetHealth": True}]


PRIVATE: Final = [{"vpcId": "vpc-1"}]
OLD_NAME: Final = "old.eu-west-1.elb.amazonaws.com"
ZONES: Final = (
    _zone("route53-has-query-log", "with a log", _beside(QUERY_LOG, "zoneId", "zone")),
    _zone("route53-has-query-log", "without a log"),
    _zone("route53-has-query-log", "that is private", vpcs=PRIVATE),
    _zone("route53-has-dnssec", "with DNSSEC", _beside(SIGNING, "hostedZoneId", "zone")),
    _zone("route53-has-dnssec", "without DNSSEC"),
    _zone("route53-has-dnssec", "that is private", vpcs=PRIVATE),
    _record(
        "to a load balancer",
        Part(LOAD_BALANCER, "balancer", {"internal": True}),
        aliases=_alias(Link("balancer", "dns_name")),
    ),
    _record("to nothing of the stack", aliases=_alias(OLD_NAME)),
    _record("to a private address", records=["10.0.0.7"], ttl=60),
)


def _balancer(what: str, *parts: Part, **properties: Any) -> Small:
    balancer = Part(LOAD_BALANCER, "balancer", {"loadBalancerType": "application", **properties})
    return Small(relation="lb-public-has-waf", what=what, about="balancer", parts=(balancer, *parts))


def _vpc(relation: str, what: str, *parts: Part) -> Small:
    vpc = Part(VPC, "vpc", {"cidrBlock": "10.0.0.0/16"})
    return Small(relation=relation, what=what, about="vpc", parts=(vpc, *parts))


def _opened(what: str, group: str) -> Small:
    rule = {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "10.0.0.0/16"}
    parts = (
        Part(VPC, "vpc", {"cidrBlock": "10.0.0.0/16"}),
        Part(DEFAULT_GROUP, "default", {"vpcId": Link("vpc"), "ingress": [], "egress": []}),
        Part(GROUP, "own", {"vpcId": Link("vpc"), "description": "Web"}),
        Part(INGRESS_RULE, "rule", {"securityGroupId": Link(group), **rule}),
    )
    return Small(relation="default-security-group-unused", what=what, about="rule", parts=parts)


def _out(what: str, *parts: Part, **properties: Any) -> Small:
    rule = {"securityGroupId": Link("group"), "description": "What DAGs call", **properties}
    every = (Part(GROUP, "group", {"description": "Workers"}), Part(EGRESS_RULE, "rule", rule), *parts)
    return Small(relation="sg-everything-out-only-of-workers", what=what, about="rule", parts=every)


EVERYTHING: Final = {"ipProtocol": "-1", "cidrIpv4": "0.0.0.0/0"}
WORKERS: Final = (
    Part(WORKER_POOL, "pool"),
    Part(SERVICE, "service", {"networkConfiguration": {"securityGroups": [Link("group")]}}, parent="pool"),
)
NETWORKS: Final = (
    _balancer("with a firewall", _beside(ASSOCIATION, "resourceArn", "balancer"), internal=False),
    _balancer("without a firewall", internal=False),
    _balancer("inside of the network", internal=True),
    _vpc("vpc-has-flow-log", "with a log", _beside(FLOW_LOG, "vpcId", "vpc", trafficType="ALL")),
    _vpc("vpc-has-flow-log", "without a log"),
    _vpc("vpc-has-empty-default-group", "with an empty group", _beside(DEFAULT_GROUP, "vpcId", "vpc")),
    _vpc("vpc-has-empty-default-group", "without a group"),
    _opened("of a group of its own", "own"),
    _opened("of the default group", "default"),
    _out("to a network", ipProtocol="tcp", fromPort=443, toPort=443, cidrIpv4="10.0.0.0/16"),
    _out("everything, from anything", **EVERYTHING),
    _out("everything, with ports", **EVERYTHING, fromPort=-1, toPort=-1),
    _out("everything, from workers", *WORKERS, **EVERYTHING),
    _out("everything, from workers, with ports", *WORKERS, **EVERYTHING, fromPort=-1, toPort=-1),
)


def _repository(what: str, *parts: Part, scan: bool) -> Small:
    properties = {"name": "airflow", "imageScanningConfiguration": {"scanOnPush": scan}}
    return Small(
        relation="ecr-scanned",
        what=what,
        about="repository",
        parts=(Part(REPOSITORY, "repository", properties), *parts),
    )


EVERY_IMAGE: Final = {
    "scanFrequency": "SCAN_ON_PUSH",
    "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}],
}
REGISTRIES: Final = (
    _repository("that scans", scan=True),
    _repository("that does not scan", scan=False),
    _repository("of a registry that scans", Part(SCANNING, "registry", {"rules": [EVERY_IMAGE]}), scan=False),
)
STACKS: Final = (*BUCKETS, *STORES, *ZONES, *NETWORKS, *REGISTRIES)
