"""Values written differently that mean the same, and values that AWS keeps when the program drops them.

Each form has a row for it and one in which the meaning changes too.
"""

from __future__ import annotations

import json
from typing import Any, Final

from tests.behaviour.bases import COMMON
from tests.behaviour.changes import (
    ALARM,
    CACHE,
    DELETE,
    GROUP,
    HEX,
    KEY_ARN,
    LIFECYCLE,
    OTHER_KEY_ARN,
    REGION,
    ROLE,
    TASK,
    ChangeRow,
    containers,
    policy,
)
from tests.behaviour.rare_bases import RARE
from tests.behaviour.values import plain

_ACL: Final = "aws:wafv2/webAcl:WebAcl"
_ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
_ALIAS: Final = "aws:kms/alias:Alias"
_BUDGET: Final = "aws:budgets/budget:Budget"
_CACHE: Final = "aws:elasticache/replicationGroup:ReplicationGroup"
_DASHBOARD: Final = "aws:cloudwatch/dashboard:Dashboard"
_DATABASE: Final = "aws:rds/instance:Instance"
_ENDPOINT: Final = "aws:ec2/vpcEndpoint:VpcEndpoint"
_EVENTS: Final = "aws:cloudwatch/eventRule:EventRule"
_FLOWS: Final = "aws:ec2/flowLog:FlowLog"
_GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
_IMAGES: Final = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
_IPS: Final = "aws:wafv2/ipSet:IpSet"
_MACHINE: Final = "aws:sfn/stateMachine:StateMachine"
_NACL_RULE: Final = "aws:ec2/networkAclRule:NetworkAclRule"
_OIDC: Final = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
_POLICY: Final = "aws:iam/policy:Policy"
_RECORD: Final = "aws:route53/record:Record"
_REPOSITORY: Final = "aws:ecr/repository:Repository"
_ROUTE: Final = "aws:ec2/route:Route"
_SCHEDULE: Final = "aws:scheduler/schedule:Schedule"
_SUBNETS: Final = "aws:elasticache/subnetGroup:SubnetGroup"
_TASK: Final = "aws:ecs/taskDefinition:TaskDefinition"

BUDGET: Final = plain(RARE[_BUDGET])
ACL_RULE: Final = plain(RARE[_NACL_RULE])
MACHINE: Final = plain(RARE[_MACHINE])
ACL: Final = plain(RARE[_ACL])
REPOSITORY: Final = plain(COMMON[_REPOSITORY])
INTERFACE: Final = plain(COMMON[_ENDPOINT])
BRIDGED: Final = {**TASK, "networkMode": "bridge", "requiresCompatibilities": ["EC2"]}
FLOWS: Final = {
    "vpcId": f"vpc-{HEX}",
    "trafficType": "ALL",
    "logDestinationType": "s3",
    "logDestination": "arn:aws:s3:::flows",
    "destinationOptions": {"fileFormat": "parquet"},
}
IPV6_ROUTE: Final = {
    "routeTableId": f"rtb-{HEX}",
    "destinationIpv6CidrBlock": "2001:db8::/32",
    "gatewayId": f"igw-{HEX}",
}
REPLICA: Final = {
    "identifier": "replica",
    "instanceClass": "db.t4g.micro",
    "replicateSourceDb": "metadata",
    "skipFinalSnapshot": True,
}
SOURCE_ARN: Final = f"arn:aws:rds:{REGION}:111111111111:db:metadata"
IPS: Final = {
    "scope": "REGIONAL",
    "ipAddressVersion": "IPV6",
    "addresses": ["2001:db8::/32", "2001:db9::/32"],
}
ALIASED: Final = {
    "zoneId": "Z0123456789ABCDEFGHIJ",
    "name": "web.example.com",
    "type": "A",
    "aliases": [{"name": "web.elb.amazonaws.com", "zoneId": "Z32O12XQLNTSW2", "evaluateTargetHealth": True}],
}
SCHEDULED: Final = {
    "flexibleTimeWindow": {"mode": "OFF"},
    "scheduleExpression": "rate(1 hour)",
    "target": {
        "arn": f"arn:aws:ecs:{REGION}:111111111111:cluster/airflow",
        "roleArn": "arn:aws:iam::111111111111:role/schedule",
        "retryPolicy": {"maximumRetryAttempts": 3},
        "ecsParameters": {
            "taskDefinitionArn": f"arn:aws:ecs:{REGION}:111111111111:task-definition/web:1",
            "placementStrategies": [{"type": "binpack", "field": "cpu"}],
        },
    },
}
EVENTS: Final = {
    "name": "e",
    "eventPattern": '{"source": ["aws.ecs"], "detail-type": ["a"]}',
    "state": "DISABLED",
}


def images(*tags: str, priority: Any = 1) -> str:
    """Write a lifecycle policy with two rules, the first for some tags."""
    selection = {"countType": "imageCountMoreThan", "countNumber": 10}
    tagged = {**selection, "tagStatus": "tagged", "tagPrefixList": list(tags)}
    rules = [
        {"rulePriority": priority, "selection": tagged, "action": {"type": "expire"}},
        {"rulePriority": 5, "selection": {**selection, "tagStatus": "any"}, "action": {"type": "expire"}},
    ]
    return json.dumps({"rules": rules if priority == 1 else rules[::-1]})


def reversed_images(*tags: str) -> str:
    """Write the same policy with its rules in the other order."""
    return json.dumps({"rules": json.loads(images(*tags))["rules"][::-1]})


def condition(value: Any, key: str = "StringEquals") -> str:
    """Write a policy with a condition."""
    document = json.loads(policy("s3:GetObject"))
    document["Statement"][0]["Condition"] = {key: {"aws:SecureTransport": value}}
    return json.dumps(document)


CHANGES: Final = (
    ChangeRow("budget-decimals", _BUDGET, BUDGET, {"limitAmount": "100"}, "none"),
    ChangeRow("budget-amount", _BUDGET, BUDGET, {"limitAmount": "100.5"}, "update", "limitAmount"),
    ChangeRow("protocol-name", _NACL_RULE, ACL_RULE, {"protocol": "6"}, "none"),
    ChangeRow("protocol", _NACL_RULE, ACL_RULE, {"protocol": "17"}, "replace", "protocol"),
    ChangeRow("action", _NACL_RULE, ACL_RULE, {"ruleAction": "deny"}, "replace", "ruleAction"),
    ChangeRow("route-ipv6-written-out", _ROUTE, IPV6_ROUTE,
              {"destinationIpv6CidrBlock": "2001:0db8:0:0:0:0:0:0/32"}, "none"),
    ChangeRow("route-ipv6", _ROUTE, IPV6_ROUTE, {"destinationIpv6CidrBlock": "2001:db9::/32"}, "replace",
              "destinationIpv6CidrBlock"),
    ChangeRow("endpoint-type-case", _ENDPOINT, {**INTERFACE, "ipAddressType": "ipv4"}, {}, "none",
              outputs={"ipAddressType": "IPV4"}),
    ChangeRow("action-case", _NACL_RULE, ACL_RULE, {}, "none", outputs={"ruleAction": "ALLOW"}),
    ChangeRow("alarm-case", _ALARM, ALARM, {}, "none", outputs={"treatMissingData": "Breaching"}),
    ChangeRow("endpoint-type", _ENDPOINT, {**INTERFACE, "ipAddressType": "ipv4"}, {"ipAddressType": "dualstack"},
              "update", "ipAddressType"),
    ChangeRow("alarm-missing-data", _ALARM, ALARM, {"treatMissingData": "ignore"}, "update", "treatMissingData"),
    ChangeRow("alias-same-key-by-arn", _ALIAS, {"name": "alias/a", "targetKeyId": KEY_ARN},
              {"targetKeyId": KEY_ARN.rpartition("/")[2]}, "none"),
    ChangeRow("alias-key", _ALIAS, {"name": "alias/a", "targetKeyId": KEY_ARN}, {"targetKeyId": OTHER_KEY_ARN},
              "update", "targetKeyId"),
    ChangeRow("oidc-scheme", _OIDC, plain(RARE[_OIDC]), {}, "none",
              outputs={"url": "token.actions.githubusercontent.com"}),
    ChangeRow("oidc-url", _OIDC, plain(RARE[_OIDC]), {"url": "https://gitlab.com"}, "replace", "url"),
    ChangeRow("replica-by-arn", _DATABASE, REPLICA, {"replicateSourceDb": SOURCE_ARN}, "none"),
    ChangeRow("cache-window-case", _CACHE, {**CACHE, "maintenanceWindow": "sun:05:00-sun:06:00"},
              {"maintenanceWindow": "SUN:05:00-SUN:06:00"}, "none"),
    ChangeRow("cache-window", _CACHE, {**CACHE, "maintenanceWindow": "sun:05:00-sun:06:00"},
              {"maintenanceWindow": "mon:05:00-mon:06:00"}, "update", "maintenanceWindow"),
    ChangeRow("subnets-name-case", _SUBNETS, {"name": "broker", "subnetIds": [f"subnet-{HEX}"]}, {"name": "Broker"},
              "none"),
    ChangeRow("subnets-name", _SUBNETS, {"name": "broker", "subnetIds": [f"subnet-{HEX}"]}, {"name": "other"},
              "replace", "name"),
    ChangeRow("images-tag-order", _IMAGES, {**LIFECYCLE, "policy": images("b", "a")}, {"policy": images("a", "b")},
              "none"),
    ChangeRow("images-rule-order", _IMAGES, {**LIFECYCLE, "policy": images("a")}, {"policy": reversed_images("a")},
              "none"),
    ChangeRow("images-tags", _IMAGES, {**LIFECYCLE, "policy": images("a")}, {"policy": images("c")}, "replace",
              "policy"),
    ChangeRow("ips-written-out", _IPS, IPS, {"addresses.0": "2001:0db8::/32"}, "none"),
    ChangeRow("ips-order", _IPS, IPS, {"addresses": IPS["addresses"][::-1]}, "none"),
    ChangeRow("ips-address", _IPS, IPS, {"addresses.1": "2001:dba::/32"}, "update", "addresses[1]"),
    ChangeRow("record-alias-case", _RECORD, ALIASED, {"aliases.0.name": "WEB.elb.amazonaws.com."}, "none"),
    ChangeRow("record-alias", _RECORD, ALIASED, {"aliases.0.name": "api.elb.amazonaws.com"}, "update",
              "aliases[0].name"),
    ChangeRow("strategy-case", _SCHEDULE, SCHEDULED,
              {"target.ecsParameters.placementStrategies.0.field": "CPU"}, "none"),
    ChangeRow("strategy", _SCHEDULE, SCHEDULED, {"target.ecsParameters.placementStrategies.0.field": "memory"},
              "update", "target.ecsParameters.placementStrategies[0].field"),
    ChangeRow("dashboard-layout", _DASHBOARD, {"dashboardName": "a", "dashboardBody": '{"widgets":[],"start":"-P1D"}'},
              {"dashboardBody": '{"start": "-P1D", "widgets": []}'}, "none"),
    ChangeRow("dashboard-body", _DASHBOARD, {"dashboardName": "a", "dashboardBody": '{"widgets":[]}'},
              {"dashboardBody": '{"widgets":[],"start":"-P2D"}'}, "update", "dashboardBody"),
    ChangeRow("policy-boolean", _POLICY, {"name": "p", "policy": condition("true", "Bool")},
              {"policy": condition(True, "Bool")}, "none"),
    ChangeRow("policy-condition", _POLICY, {"name": "p", "policy": condition("true", "Bool")},
              {"policy": condition("false", "Bool")}, "update", "policy"),
    ChangeRow("group-protocol-all", _GROUP, {**GROUP, "ingress": [{"protocol": "-1", "fromPort": 0, "toPort": 0,
              "cidrBlocks": ["10.0.0.0/8"]}]}, {"ingress.0.protocol": "all"}, "none"),
    ChangeRow("task-cpu", _TASK, TASK, {"containerDefinitions": containers("web:1", cpu=128)}, "replace",
              "containerDefinitions"),
    ChangeRow("task-port", _TASK, TASK, {"containerDefinitions": containers("web:1", portMappings=[
              {"containerPort": 8080, "protocol": "udp"}])}, "replace", "containerDefinitions"),
    ChangeRow("policy-one-statement", _POLICY, {"name": "p", "policy": policy("s3:GetObject", "s3:ListBucket")},
              {"policy": policy("s3:GetObject", "s3:ListBucket", spaced=True)}, "none"),
    ChangeRow("task-port-as-written-by-aws", _TASK, BRIDGED,
              {"containerDefinitions": containers("web:1", portMappings=[{"containerPort": 8080, "hostPort": 0}])},
              "none"),
    ChangeRow("task-other-host-port", _TASK, BRIDGED,
              {"containerDefinitions": containers("web:1", portMappings=[{"containerPort": 8080, "hostPort": 80}])},
              "replace", "containerDefinitions"),
    ChangeRow("events-state-left-out", _EVENTS, EVENTS, {"state": DELETE}, "none"),
    ChangeRow("events-state", _EVENTS, EVENTS, {"state": "ENABLED"}, "update", "state"),
    ChangeRow("events-enabled-left-out", _EVENTS, {"name": "e", "scheduleExpression": "rate(1 day)",
              "isEnabled": True}, {"isEnabled": DELETE}, "none"),
    ChangeRow("events-pattern-layout", _EVENTS, EVENTS,
              {"eventPattern": '{"detail-type":["a"],"source":["aws.ecs"]}'}, "none"),
    ChangeRow("events-pattern", _EVENTS, EVENTS, {"eventPattern": '{"source":["aws.ecr"]}'}, "update", "eventPattern"),
    ChangeRow("repository-encryption-left-out", _REPOSITORY, REPOSITORY, {"encryptionConfigurations": DELETE}, "none"),
    ChangeRow("repository-encryption", _REPOSITORY, REPOSITORY,
              {"encryptionConfigurations": [{"encryptionType": "AES256"}]}, "replace",
              "encryptionConfigurations[0].encryptionType"),
    ChangeRow("repository-scanning-left-out", _REPOSITORY,
              {**REPOSITORY, "imageScanningConfiguration": {"scanOnPush": True}},
              {"imageScanningConfiguration": DELETE}, "none"),
    ChangeRow("repository-scanning", _REPOSITORY,
              {**REPOSITORY, "imageScanningConfiguration": {"scanOnPush": True}},
              {"imageScanningConfiguration.scanOnPush": False}, "update", "imageScanningConfiguration.scanOnPush"),
    ChangeRow("schedule-retries-left-out", _SCHEDULE, SCHEDULED, {"target.retryPolicy": DELETE}, "none"),
    ChangeRow("schedule-retries", _SCHEDULE, SCHEDULED, {"target.retryPolicy.maximumRetryAttempts": 4}, "update",
              "target.retryPolicy.maximumRetryAttempts"),
    ChangeRow("machine-blocks-left-out", _MACHINE, {**MACHINE, "tracingConfiguration": {"enabled": True}},
              {"loggingConfiguration": DELETE, "tracingConfiguration": DELETE}, "none"),
    ChangeRow("machine-tracing", _MACHINE, {**MACHINE, "tracingConfiguration": {"enabled": True}},
              {"tracingConfiguration.enabled": False}, "update", "tracingConfiguration.enabled"),
    ChangeRow("flows-options-left-out", _FLOWS, FLOWS, {"destinationOptions": DELETE}, "none"),
    ChangeRow("flows-options", _FLOWS, FLOWS, {"destinationOptions.fileFormat": "plain-text"}, "replace",
              "destinationOptions.fileFormat"),
    ChangeRow("acl-empty-block-counts", _ACL, ACL, {"defaultAction": {"block": {}}}, "update", "defaultAction.block"),
    ChangeRow("role-description-emptied", "aws:iam/role:Role", ROLE, {"description": ""}, "none"),
)  # fmt: skip
