"""Property changes and what the real provider does about each, one row a change.

The base inputs are complete and valid on their own, with an engine and without. Ids of other resources are made
up (`VPC_ID` and so on): in an account that holds resources of that kind, rows that name them are refused.
"""

from __future__ import annotations

import builtins
import copy
import json
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Operation = Literal["update", "replace", "refuse", "none"]
DELETE: Final = object()
"""As a value of a change: take the property out."""

ACCOUNT: Final = "111111111111"
REGION: Final = "eu-west-1"
HEX: Final = "0123456789abcdef0"
VPC_ID: Final = f"vpc-{HEX}"
SUBNETS: Final = [f"subnet-{HEX}", f"subnet-{HEX[:-1]}1", f"subnet-{HEX[:-1]}2"]
GROUPS: Final = [f"sg-{HEX}", f"sg-{HEX[:-1]}1"]
KEY_ID: Final = "12345678-1234-4123-8123-123456789012"
KEY_ARN: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{KEY_ID}"
OTHER_KEY_ARN: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/87654321-1234-4123-8123-123456789012"
ROLE_ARN: Final = f"arn:aws:iam::{ACCOUNT}:role/task"
OTHER_ROLE_ARN: Final = f"arn:aws:iam::{ACCOUNT}:role/other"
CLUSTER_ARN: Final = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/airflow"
TASK_ARN: Final = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/web:1"
BALANCER_ARN: Final = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/web/0123456789abcdef"
TARGETS_ARN: Final = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/web/0123456789abcdef"
OTHER_TARGETS_ARN: Final = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/api/0123456789abcdef"
SECRET_ARN: Final = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:db-AbCdEf"
TOPIC_ARN: Final = f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"
QUEUE_ARN: Final = f"arn:aws:sqs:{REGION}:{ACCOUNT}:work"
GROUP_ARN: Final = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:{KEY_ID}:autoScalingGroupName/a"
SYSTEM_ID: Final = f"fs-{HEX}"


@dataclass(frozen=True)
class ChangeRow:
    """One change: `base` inputs, what is laid over them (dotted paths, `DELETE` takes out), and the outcome.

    `property` is the path of the change that decides; empty for `none`. `outputs` are laid over the outputs of the old
    resource, for what only AWS knows.
    """

    id: str
    token: str
    base: dict[str, Any]
    change: dict[str, Any]
    operation: Operation
    property: str = ""
    outputs: dict[str, Any] = field(default_factory=dict)

    @builtins.property
    def changed(self) -> dict[str, Any]:
        """Give the inputs after the change."""
        return laid_over(self.base, self.change)


def laid_over(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Return inputs with changes at dotted paths; numbers are list indices."""
    result = copy.deepcopy(base)
    for path, value in change.items():
        *parents, last = path.split(".")
        place: Any = result
        for key in parents:
            place = place[int(key)] if isinstance(place, list) else place.setdefault(key, {})
        if value is DELETE:
            del place[int(last) if isinstance(place, list) else last]
        elif isinstance(place, list):
            place[int(last) :] = [value, *place[int(last) + 1 :]]
        else:
            place[last] = copy.deepcopy(value)
    return result


def policy(*actions: str, resource: str = "*", spaced: bool = False) -> str:
    """Write an IAM policy; `spaced` in another layout with the same meaning."""
    action: Any = list(actions) if len(actions) > 1 or spaced else actions[0]
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    document = {"Version": "2012-10-17", "Statement": [statement] if not spaced else statement}
    return json.dumps(document, indent=2 if spaced else None)


def trust(service: str, *, spaced: bool = False) -> str:
    """Write a trust policy for a service."""
    principal: Any = {"Service": [service] if spaced else service}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=1 if spaced else None)


def containers(image: str, **more: Any) -> str:
    """Write container definitions with one container."""
    environment = [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]
    web = {
        "name": "web",
        "image": image,
        "environment": environment,
        "portMappings": [{"containerPort": 8080}],
    }
    return json.dumps([{**web, **more}])


VPC: Final = {"cidrBlock": "10.0.0.0/16", "enableDnsSupport": True, "tags": {"Name": "main"}}
SUBNET: Final = {"vpcId": VPC_ID, "cidrBlock": "10.0.0.0/24", "availabilityZone": "eu-west-1a"}
IPV6: Final = {"ipv6CidrBlock": "2a05:d018:1:1100::/64"}
RULES: Final = [
    {"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.0.0.0/16"]},
    {"protocol": "tcp", "fromPort": 80, "toPort": 80, "cidrBlocks": ["10.0.0.0/16"]},
]
GROUP: Final = {"name": "web", "vpcId": VPC_ID, "description": "web", "ingress": RULES}
INGRESS: Final = {
    "securityGroupId": GROUPS[0],
    "cidrIpv4": "10.0.0.0/16",
    "ipProtocol": "tcp",
    "fromPort": 5432,
    "toPort": 5432,
}
INTERFACE: Final = {
    "vpcId": VPC_ID,
    "serviceName": "com.amazonaws.eu-west-1.logs",
    "vpcEndpointType": "Interface",
    "subnetIds": SUBNETS[:2],
    "securityGroupIds": GROUPS[:1],
    "privateDnsEnabled": True,
}
GATEWAY: Final = {"vpcId": VPC_ID, "serviceName": "com.amazonaws.eu-west-1.s3", "vpcEndpointType": "Gateway"}
RESOURCE: Final = {
    "vpcId": VPC_ID,
    "resourceConfigurationArn": f"arn:aws:vpc-lattice:{REGION}:{ACCOUNT}:resourceconfiguration/rcfg-{HEX}",
    "vpcEndpointType": "Resource",
    "subnetIds": SUBNETS[:1],
}
NAT: Final = {"subnetId": SUBNETS[0], "allocationId": f"eipalloc-{HEX}"}
PRIVATE_NAT: Final = {
    "subnetId": SUBNETS[0],
    "connectivityType": "private",
    "secondaryPrivateIpAddressCount": 1,
}
ROUTE: Final = {
    "routeTableId": f"rtb-{HEX}",
    "destinationCidrBlock": "0.0.0.0/0",
    "natGatewayId": f"nat-{HEX}",
}
SERVICE: Final = {
    "name": "web",
    "cluster": CLUSTER_ARN,
    "taskDefinition": TASK_ARN,
    "desiredCount": 2,
    "capacityProviderStrategies": [{"capacityProvider": "FARGATE", "weight": 1}],
    "networkConfiguration": {"subnets": SUBNETS[:2], "securityGroups": GROUPS[:1]},
}
TASK: Final = {
    "family": "web",
    "containerDefinitions": containers("web:1"),
    "cpu": "256",
    "memory": "512",
    "networkMode": "awsvpc",
    "requiresCompatibilities": ["FARGATE"],
    "executionRoleArn": ROLE_ARN,
}
SORTED: Final = containers("web:1", environment=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])
DEFAULTED: Final = containers(
    "web:1",
    essential=True,
    cpu=0,
    portMappings=[{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}],
)
DATABASE: Final = {
    "identifier": "metadata",
    "engine": "postgres",
    "engineVersion": "16.4",
    "instanceClass": "db.t4g.micro",
    "allocatedStorage": 20,
    "storageType": "gp3",
    "storageEncrypted": True,
    "kmsKeyId": KEY_ARN,
    "username": "airflow",
    "manageMasterUserPassword": True,
    "skipFinalSnapshot": True,
    "maintenanceWindow": "sun:04:30-sun:05:00",
}
CACHE: Final = {
    "replicationGroupId": "broker",
    "description": "broker",
    "engine": "redis",
    "engineVersion": "7.1",
    "nodeType": "cache.t4g.micro",
    "numCacheClusters": 2,
    "automaticFailoverEnabled": True,
    "atRestEncryptionEnabled": True,
    "transitEncryptionEnabled": True,
}
BALANCER: Final = {"name": "web", "internal": True, "subnets": SUBNETS[:2], "securityGroups": GROUPS[:1]}
NETWORK: Final = {"name": "net", "loadBalancerType": "network", "internal": True, "subnets": SUBNETS[:2]}
TARGETS: Final = {
    "name": "web",
    "port": 8080,
    "protocol": "HTTP",
    "targetType": "ip",
    "vpcId": VPC_ID,
    "healthCheck": {"path": "/health", "interval": 15},
}
LISTENER: Final = {
    "loadBalancerArn": BALANCER_ARN,
    "port": 80,
    "protocol": "HTTP",
    "defaultActions": [{"type": "forward", "targetGroupArn": TARGETS_ARN}],
}
BUCKET: Final = {"bucket": "dags-111111111111", "forceDestroy": False}
VERSIONED: Final = {"bucket": "dags-111111111111", "versioningConfiguration": {"status": "Enabled"}}
SERVICE_ROLE: Final = {"awsServiceName": "ecs.amazonaws.com", "description": "a"}
ROLE: Final = {"name": "task", "assumeRolePolicy": trust("ecs-tasks.amazonaws.com")}
KEY: Final = {"description": "data", "enableKeyRotation": True}
PARAMETER: Final = {"name": "/airflow/url", "type": "String", "value": "https://a.example.com"}
LIFECYCLE: Final = {
    "repository": "airflow",
    "policy": json.dumps(
        {
            "rules": [
                {
                    "rulePriority": 1,
                    "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 30},
                    "action": {"type": "expire"},
                }
            ]
        }
    ),
}
FUNCTION: Final = {
    "name": "notify",
    "role": ROLE_ARN,
    "packageType": "Image",
    "imageUri": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/notify:1",
}
TEMPLATE: Final = {"name": "workers", "instanceType": "t4g.small", "imageId": f"ami-{HEX}"}
ALARM: Final = {
    "name": "cpu",
    "comparisonOperator": "GreaterThanThreshold",
    "evaluationPeriods": 2,
    "metricName": "CPUUtilization",
    "namespace": "AWS/ECS",
    "period": 60,
    "statistic": "Average",
    "threshold": 80,
    "treatMissingData": "breaching",
}
COMPOSITE: Final = {"alarmName": "all", "alarmRule": "ALARM(cpu)", "actionsEnabled": True}
RECORD: Final = {
    "zoneId": "Z0123456789ABCDEFGHIJ",
    "name": "db.example.com",
    "type": "CNAME",
    "ttl": 60,
    "records": ["a.example.com"],
}
MOUNT: Final = {"fileSystemId": SYSTEM_ID, "subnetId": SUBNETS[0], "securityGroups": GROUPS[:1]}
ACCESS_POINT: Final = {"fileSystemId": SYSTEM_ID, "posixUser": {"uid": 50000, "gid": 0}}
SECRET_VERSION: Final = {"secretId": SECRET_ARN, "secretString": "one"}
PROVIDER_OF_GROUP: Final = {
    "name": "workers",
    "autoScalingGroupProvider": {
        "autoScalingGroupArn": GROUP_ARN,
        "managedScaling": {"status": "ENABLED", "targetCapacity": 80},
    },
}
DOMAIN: Final = {
    "domainName": "logs",
    "engineVersion": "OpenSearch_2.15",
    "clusterConfig": {"instanceType": "t3.small.search", "instanceCount": 1},
    "ebsOptions": {"ebsEnabled": True, "volumeSize": 10},
    "encryptAtRest": {"enabled": True},
}
SUBSCRIPTION: Final = {"topic": TOPIC_ARN, "protocol": "sqs", "endpoint": QUEUE_ARN}

_VPC: Final = "aws:ec2/vpc:Vpc"
_SUBNET: Final = "aws:ec2/subnet:Subnet"
_GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
_RULE: Final = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
_ENDPOINT: Final = "aws:ec2/vpcEndpoint:VpcEndpoint"
_NAT: Final = "aws:ec2/natGateway:NatGateway"
_SERVICE: Final = "aws:ecs/service:Service"
_TASK: Final = "aws:ecs/taskDefinition:TaskDefinition"
_DATABASE: Final = "aws:rds/instance:Instance"
_CACHE: Final = "aws:elasticache/replicationGroup:ReplicationGroup"
_BALANCER: Final = "aws:lb/loadBalancer:LoadBalancer"
_TARGETS: Final = "aws:lb/targetGroup:TargetGroup"
_LISTENER: Final = "aws:lb/listener:Listener"
_VERSIONING: Final = "aws:s3/bucketVersioning:BucketVersioning"
_ROLE: Final = "aws:iam/role:Role"
_SERVICE_ROLE: Final = "aws:iam/serviceLinkedRole:ServiceLinkedRole"
_DOMAIN: Final = "aws:opensearch/domain:Domain"
_PARAMETER: Final = "aws:ssm/parameter:Parameter"

CHANGES: Final = (
    ChangeRow("vpc-cidr", _VPC, VPC, {"cidrBlock": "10.1.0.0/16"}, "replace", "cidrBlock"),
    ChangeRow("vpc-tag", _VPC, VPC, {"tags.Name": "other"}, "update", "tags.Name"),
    ChangeRow("vpc-dns", _VPC, VPC, {"enableDnsHostnames": True}, "update", "enableDnsHostnames"),
    ChangeRow(
        "vpc-tenancy-to-dedicated", _VPC, VPC, {"instanceTenancy": "dedicated"}, "replace", "instanceTenancy"
    ),
    ChangeRow(
        "vpc-tenancy-to-default",
        _VPC,
        {**VPC, "instanceTenancy": "dedicated"},
        {"instanceTenancy": "default"},
        "update",
        "instanceTenancy",
    ),
    ChangeRow("vpc-default-given", _VPC, VPC, {"enableDnsHostnames": False}, "none"),
    ChangeRow(
        "subnet-zone", _SUBNET, SUBNET, {"availabilityZone": "eu-west-1b"}, "replace", "availabilityZone"
    ),
    ChangeRow("subnet-zone-dropped", _SUBNET, SUBNET, {"availabilityZone": DELETE}, "none"),
    ChangeRow(
        "subnet-public", _SUBNET, SUBNET, {"mapPublicIpOnLaunch": True}, "update", "mapPublicIpOnLaunch"
    ),
    ChangeRow(
        "subnet-ipv6",
        _SUBNET,
        {**SUBNET, **IPV6},
        {"ipv6CidrBlock": "2a05:d018:1:1101::/64"},
        "update",
        "ipv6CidrBlock",
    ),
    ChangeRow(
        "subnet-ipv6-on-creation",
        _SUBNET,
        {**SUBNET, **IPV6, "assignIpv6AddressOnCreation": True},
        {"ipv6CidrBlock": "2a05:d018:1:1101::/64"},
        "replace",
        "ipv6CidrBlock",
    ),
    ChangeRow("group-description", _GROUP, GROUP, {"description": "new"}, "replace", "description"),
    ChangeRow("group-order", _GROUP, GROUP, {"ingress": RULES[::-1]}, "none"),
    ChangeRow("group-port", _GROUP, GROUP, {"ingress.1.toPort": 81}, "update", "ingress[1].toPort"),
    ChangeRow("group-protocol-number", _GROUP, GROUP, {"ingress.0.protocol": "6"}, "none"),
    ChangeRow("group-rules-left-out", _GROUP, GROUP, {"ingress": DELETE}, "none"),
    ChangeRow("rule-value", _RULE, INGRESS, {"cidrIpv4": "10.1.0.0/16"}, "update", "cidrIpv4"),
    ChangeRow("rule-port", _RULE, INGRESS, {"toPort": 5433}, "update", "toPort"),
    ChangeRow(
        "rule-kind",
        _RULE,
        INGRESS,
        {"cidrIpv4": DELETE, "referencedSecurityGroupId": GROUPS[1]},
        "replace",
        "referencedSecurityGroupId",
    ),
    ChangeRow("rule-group", _RULE, INGRESS, {"securityGroupId": GROUPS[1]}, "replace", "securityGroupId"),
    ChangeRow(
        "endpoint-subnets", _ENDPOINT, INTERFACE, {"subnetIds.1": SUBNETS[2]}, "update", "subnetIds[1]"
    ),
    ChangeRow(
        "endpoint-dns", _ENDPOINT, INTERFACE, {"privateDnsEnabled": False}, "update", "privateDnsEnabled"
    ),
    ChangeRow(
        "endpoint-resource-dns",
        _ENDPOINT,
        RESOURCE,
        {"privateDnsEnabled": True},
        "replace",
        "privateDnsEnabled",
    ),
    ChangeRow("nat-address", _NAT, NAT, {"allocationId": f"eipalloc-{HEX[:-1]}1"}, "replace", "allocationId"),
    ChangeRow(
        "nat-private-count",
        _NAT,
        PRIVATE_NAT,
        {"secondaryPrivateIpAddressCount": 2},
        "replace",
        "secondaryPrivateIpAddressCount",
    ),
    ChangeRow(
        "route-target",
        "aws:ec2/route:Route",
        ROUTE,
        {"natGatewayId": DELETE, "gatewayId": f"igw-{HEX}"},
        "update",
        "gatewayId",
    ),
    ChangeRow(
        "route-destination",
        "aws:ec2/route:Route",
        ROUTE,
        {"destinationCidrBlock": "10.9.0.0/16"},
        "replace",
        "destinationCidrBlock",
    ),
    ChangeRow("service-count", _SERVICE, SERVICE, {"desiredCount": 3}, "update", "desiredCount"),
    ChangeRow(
        "service-task", _SERVICE, SERVICE, {"taskDefinition": TASK_ARN[:-1] + "2"}, "update", "taskDefinition"
    ),
    ChangeRow("service-cluster", _SERVICE, SERVICE, {"cluster": CLUSTER_ARN + "2"}, "replace", "cluster"),
    ChangeRow(
        "service-strategy",
        _SERVICE,
        SERVICE,
        {"capacityProviderStrategies.0.capacityProvider": "FARGATE_SPOT"},
        "refuse",
        "capacityProviderStrategies",
    ),
    ChangeRow(
        "service-strategy-forced",
        _SERVICE,
        {**SERVICE, "forceNewDeployment": True},
        {"capacityProviderStrategies.0.capacityProvider": "FARGATE_SPOT"},
        "update",
        "capacityProviderStrategies[0].capacityProvider",
    ),
    ChangeRow("service-triggers", _SERVICE, SERVICE, {"triggers": {"at": "1"}}, "none"),
    ChangeRow(
        "task-image",
        _TASK,
        TASK,
        {"containerDefinitions": containers("web:2")},
        "replace",
        "containerDefinitions",
    ),
    ChangeRow("task-environment-order", _TASK, TASK, {"containerDefinitions": SORTED}, "none"),
    ChangeRow("task-defaults", _TASK, TASK, {"containerDefinitions": DEFAULTED}, "none"),
    ChangeRow("task-latest", _TASK, TASK, {"trackLatest": True}, "update", "trackLatest"),
    ChangeRow("task-memory", _TASK, TASK, {"memory": "1024"}, "replace", "memory"),
    ChangeRow(
        "database-class", _DATABASE, DATABASE, {"instanceClass": "db.t4g.small"}, "update", "instanceClass"
    ),
    ChangeRow("database-rename", _DATABASE, DATABASE, {"identifier": "metadata-2"}, "update", "identifier"),
    ChangeRow("database-key", _DATABASE, DATABASE, {"kmsKeyId": OTHER_KEY_ARN}, "replace", "kmsKeyId"),
    ChangeRow("database-version", _DATABASE, DATABASE, {"engineVersion": "17.2"}, "update", "engineVersion"),
    ChangeRow("database-engine", _DATABASE, DATABASE, {"engine": "mysql"}, "replace", "engine"),
    ChangeRow("database-user", _DATABASE, DATABASE, {"username": "admin2"}, "replace", "username"),
    ChangeRow(
        "database-window-case", _DATABASE, DATABASE, {"maintenanceWindow": "Sun:04:30-Sun:05:00"}, "none"
    ),
    ChangeRow(
        "cache-to-valkey",
        _CACHE,
        CACHE,
        {"engine": "valkey", "engineVersion": "8.0"},
        "update",
        "engine",
    ),
    ChangeRow(
        "cache-back-to-redis",
        _CACHE,
        {**CACHE, "engine": "valkey", "engineVersion": "7.2"},
        {"engine": "redis", "engineVersion": "7.1"},
        "replace",
        "engine",
    ),
    ChangeRow("cache-downgrade", _CACHE, CACHE, {"engineVersion": "7.0"}, "replace", "engineVersion"),
    ChangeRow(
        "cache-upgrade",
        _CACHE,
        {**CACHE, "engineVersion": "7.0"},
        {"engineVersion": "7.1"},
        "update",
        "engineVersion",
    ),
    ChangeRow(
        "cache-tls-late",
        _CACHE,
        {**CACHE, "engineVersion": "6.2"},
        {"transitEncryptionEnabled": False},
        "replace",
        "transitEncryptionEnabled",
    ),
    ChangeRow(
        "cache-tls", _CACHE, CACHE, {"transitEncryptionEnabled": False}, "update", "transitEncryptionEnabled"
    ),
    ChangeRow("balancer-subnets", _BALANCER, BALANCER, {"subnets.1": SUBNETS[2]}, "update", "subnets[1]"),
    ChangeRow("balancer-internal", _BALANCER, BALANCER, {"internal": False}, "replace", "internal"),
    ChangeRow(
        "network-subnets-swapped", _BALANCER, NETWORK, {"subnets.1": SUBNETS[2]}, "replace", "subnets[1]"
    ),
    ChangeRow("network-subnets-more", _BALANCER, NETWORK, {"subnets": SUBNETS}, "update", "subnets[2]"),
    ChangeRow(
        "network-first-group", _BALANCER, NETWORK, {"securityGroups": GROUPS[:1]}, "replace", "securityGroups"
    ),
    ChangeRow("targets-port", _TARGETS, TARGETS, {"port": 8081}, "replace", "port"),
    ChangeRow(
        "targets-health", _TARGETS, TARGETS, {"healthCheck.path": "/live"}, "update", "healthCheck.path"
    ),
    ChangeRow("listener-port", _LISTENER, LISTENER, {"port": 81}, "update", "port"),
    ChangeRow(
        "listener-targets",
        _LISTENER,
        LISTENER,
        {"defaultActions.0.targetGroupArn": OTHER_TARGETS_ARN},
        "update",
        "defaultActions[0].targetGroupArn",
    ),
    ChangeRow(
        "listener-balancer",
        _LISTENER,
        LISTENER,
        {"loadBalancerArn": BALANCER_ARN[:-1] + "0"},
        "replace",
        "loadBalancerArn",
    ),
    ChangeRow(
        "bucket-name", "aws:s3/bucket:Bucket", BUCKET, {"bucket": "other-111111111111"}, "replace", "bucket"
    ),
    ChangeRow(
        "bucket-destroy", "aws:s3/bucket:Bucket", BUCKET, {"forceDestroy": True}, "update", "forceDestroy"
    ),
    ChangeRow(
        "versioning-off",
        _VERSIONING,
        VERSIONED,
        {"versioningConfiguration.status": "Disabled"},
        "refuse",
        "versioningConfiguration.status",
    ),
    ChangeRow(
        "versioning-suspended",
        _VERSIONING,
        VERSIONED,
        {"versioningConfiguration.status": "Suspended"},
        "update",
        "versioningConfiguration.status",
    ),
    ChangeRow(
        "role-layout",
        _ROLE,
        ROLE,
        {"assumeRolePolicy": trust("ecs-tasks.amazonaws.com", spaced=True)},
        "none",
    ),
    ChangeRow(
        "role-trust",
        _ROLE,
        ROLE,
        {"assumeRolePolicy": trust("lambda.amazonaws.com")},
        "update",
        "assumeRolePolicy",
    ),
    ChangeRow("role-path", _ROLE, ROLE, {"path": "/app/"}, "replace", "path"),
    ChangeRow(
        "service-role-service",
        _SERVICE_ROLE,
        SERVICE_ROLE,
        {"awsServiceName": "rds.amazonaws.com"},
        "replace",
        "awsServiceName",
    ),
    ChangeRow(
        "service-role-description", _SERVICE_ROLE, SERVICE_ROLE, {"description": "b"}, "update", "description"
    ),
    ChangeRow(
        "policy-description",
        "aws:iam/policy:Policy",
        {"name": "read", "policy": policy("s3:GetObject")},
        {"description": "read"},
        "replace",
        "description",
    ),
    ChangeRow(
        "policy-order",
        "aws:iam/policy:Policy",
        {"name": "read", "policy": policy("s3:GetObject", "s3:ListBucket")},
        {"policy": policy("s3:ListBucket", "s3:GetObject", spaced=True)},
        "none",
    ),
    ChangeRow(
        "key-rotation", "aws:kms/key:Key", KEY, {"enableKeyRotation": False}, "update", "enableKeyRotation"
    ),
    ChangeRow("key-description-dropped", "aws:kms/key:Key", KEY, {"description": DELETE}, "none"),
    ChangeRow(
        "alias-arn",
        "aws:kms/alias:Alias",
        {"name": "alias/data", "targetKeyId": KEY_ID},
        {"targetKeyId": KEY_ARN},
        "none",
    ),
    ChangeRow(
        "parameter-value", _PARAMETER, PARAMETER, {"value": "https://b.example.com"}, "update", "value"
    ),
    ChangeRow(
        "parameter-tier-down",
        _PARAMETER,
        {**PARAMETER, "tier": "Advanced"},
        {"tier": "Standard"},
        "replace",
        "tier",
    ),
    ChangeRow(
        "parameter-tier-up",
        _PARAMETER,
        {**PARAMETER, "tier": "Standard"},
        {"tier": "Advanced"},
        "update",
        "tier",
    ),
    ChangeRow(
        "secret-value",
        "aws:secretsmanager/secretVersion:SecretVersion",
        SECRET_VERSION,
        {"secretString": "two"},
        "replace",
        "secretString",
    ),
    ChangeRow(
        "images-kept",
        "aws:ecr/lifecyclePolicy:LifecyclePolicy",
        LIFECYCLE,
        {"policy": LIFECYCLE["policy"].replace("30", "10")},
        "replace",
        "policy",
    ),
    ChangeRow(
        "function-image",
        "aws:lambda/function:Function",
        FUNCTION,
        {"imageUri": FUNCTION["imageUri"][:-1] + "2"},
        "update",
        "imageUri",
    ),
    ChangeRow("function-name", "aws:lambda/function:Function", FUNCTION, {"name": "tell"}, "replace", "name"),
    ChangeRow(
        "invocation-input",
        "aws:lambda/invocation:Invocation",
        {"functionName": "notify", "input": "{}"},
        {"input": '{"a": 1}'},
        "replace",
        "input",
    ),
    ChangeRow(
        "template-type",
        "aws:ec2/launchTemplate:LaunchTemplate",
        TEMPLATE,
        {"instanceType": "t4g.large"},
        "update",
        "instanceType",
    ),
    ChangeRow(
        "alarm-threshold",
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        ALARM,
        {"threshold": 90},
        "update",
        "threshold",
    ),
    ChangeRow(
        "composite-actions",
        "aws:cloudwatch/compositeAlarm:CompositeAlarm",
        COMPOSITE,
        {"actionsEnabled": False},
        "replace",
        "actionsEnabled",
    ),
    ChangeRow(
        "record-type",
        "aws:route53/record:Record",
        RECORD,
        {"type": "A", "records": ["10.0.0.5"]},
        "update",
        "type",
    ),
    ChangeRow(
        "record-name", "aws:route53/record:Record", RECORD, {"name": "x.example.com"}, "replace", "name"
    ),
    ChangeRow("record-case", "aws:route53/record:Record", RECORD, {"name": "DB.example.com."}, "none"),
    ChangeRow(
        "mount-groups",
        "aws:efs/mountTarget:MountTarget",
        MOUNT,
        {"securityGroups": GROUPS},
        "update",
        "securityGroups[1]",
    ),
    ChangeRow(
        "mount-subnet",
        "aws:efs/mountTarget:MountTarget",
        MOUNT,
        {"subnetId": SUBNETS[1]},
        "replace",
        "subnetId",
    ),
    ChangeRow(
        "access-point-user",
        "aws:efs/accessPoint:AccessPoint",
        ACCESS_POINT,
        {"posixUser.uid": 50001},
        "replace",
        "posixUser.uid",
    ),
    ChangeRow(
        "capacity-target",
        "aws:ecs/capacityProvider:CapacityProvider",
        PROVIDER_OF_GROUP,
        {"autoScalingGroupProvider.managedScaling.targetCapacity": 100},
        "update",
        "autoScalingGroupProvider.managedScaling.targetCapacity",
    ),
    ChangeRow(
        "domain-encryption-off",
        _DOMAIN,
        DOMAIN,
        {"encryptAtRest.enabled": False},
        "replace",
        "encryptAtRest.enabled",
    ),
    ChangeRow(
        "domain-upgrade", _DOMAIN, DOMAIN, {"engineVersion": "OpenSearch_2.19"}, "update", "engineVersion"
    ),
    ChangeRow(
        "domain-downgrade", _DOMAIN, DOMAIN, {"engineVersion": "OpenSearch_2.11"}, "replace", "engineVersion"
    ),
    ChangeRow(
        "subscription-filter",
        "aws:sns/topicSubscription:TopicSubscription",
        SUBSCRIPTION,
        {"filterPolicy": '{"kind": ["a"]}'},
        "update",
        "filterPolicy",
    ),
    ChangeRow(
        "subscription-endpoint",
        "aws:sns/topicSubscription:TopicSubscription",
        SUBSCRIPTION,
        {"endpoint": QUEUE_ARN + "2"},
        "replace",
        "endpoint",
    ),
    ChangeRow(
        "log-retention",
        "aws:cloudwatch/logGroup:LogGroup",
        {"name": "/airflow/web", "retentionInDays": 7},
        {"retentionInDays": 30},
        "update",
        "retentionInDays",
    ),
)
