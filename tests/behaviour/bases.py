"""Valid inputs of many resource types: the starting points of `cases.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.behaviour.rare_bases import RARE
from tests.behaviour.values import (
    ACCOUNT,
    BALANCER,
    CERTIFICATE,
    CONTAINER,
    KEY,
    QUEUE,
    READ,
    REGION,
    ROLE,
    SECRET,
    SIDECAR,
    TARGETS,
    TOPIC,
    TRUST,
    Json,
    policy,
)  # fmt: skip

COMMON: Mapping[str, dict[str, Any]] = {
    "aws:acm/certificate:Certificate": {"domainName": "airflow.example.com", "validationMethod": "DNS"},
    "aws:appautoscaling/policy:Policy": {
        "serviceNamespace": "ecs",
        "scalableDimension": "ecs:service:DesiredCount",
        "resourceId": "service/airflow/worker",
        "policyType": "TargetTrackingScaling",
        "targetTrackingScalingPolicyConfiguration": {
            "targetValue": 50,
            "predefinedMetricSpecification": {"predefinedMetricType": "ECSServiceAverageCPUUtilization"},
        },
    },
    "aws:appautoscaling/target:Target": {
        "serviceNamespace": "ecs",
        "scalableDimension": "ecs:service:DesiredCount",
        "resourceId": "service/airflow/worker",
        "minCapacity": 0,
        "maxCapacity": 10,
    },
    "aws:backup/plan:Plan": {
        "rules": [{"ruleName": "daily", "targetVaultName": "airflow", "lifecycle": {"deleteAfter": 35}}]
    },
    "aws:backup/restoreTestingPlan:RestoreTestingPlan": {
        "name": "weekly",
        "scheduleExpression": "cron(0 5 ? * 1 *)",
        "recoveryPointSelection": {
            "algorithm": "LATEST_WITHIN_WINDOW",
            "includeVaults": ["*"],
            "recoveryPointTypes": ["SNAPSHOT"],
        },
    },
    "aws:cloudwatch/eventRule:EventRule": {"scheduleExpression": "rate(5 minutes)"},
    "aws:cloudwatch/logGroup:LogGroup": {"retentionInDays": 30, "kmsKeyId": KEY},
    "aws:cloudwatch/metricAlarm:MetricAlarm": {
        "namespace": "Airflow",
        "metricName": "Heartbeat",
        "statistic": "Sum",
        "period": 60,
        "evaluationPeriods": 3,
        "comparisonOperator": "LessThanThreshold",
        "threshold": 1,
        "treatMissingData": "breaching",
        "alarmActions": [TOPIC],
    },
    "aws:ec2/flowLog:FlowLog": {
        "vpcId": "vpc-0a",
        "trafficType": "ALL",
        "iamRoleArn": ROLE,
        "logDestination": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/flow",
    },
    "aws:ec2/natGateway:NatGateway": {"subnetId": "subnet-0a", "allocationId": "eipalloc-0a"},
    "aws:ec2/route:Route": {
        "routeTableId": "rtb-0a",
        "destinationCidrBlock": "0.0.0.0/0",
        "natGatewayId": "nat-0a",
    },
    "aws:ec2/securityGroup:SecurityGroup": {
        "vpcId": "vpc-0a",
        "description": "Workers",
        "egress": [{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}],
    },
    "aws:ec2/securityGroupRule:SecurityGroupRule": {
        "securityGroupId": "sg-0a",
        "type": "ingress",
        "protocol": "tcp",
        "fromPort": 443,
        "toPort": 443,
        "cidrBlocks": ["10.0.0.0/16"],
    },
    "aws:ec2/subnet:Subnet": {
        "vpcId": "vpc-0a",
        "cidrBlock": "10.0.1.0/24",
        "availabilityZone": f"{REGION}a",
        "mapPublicIpOnLaunch": False,
    },
    "aws:ec2/vpc:Vpc": {"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": True, "tags": {"Name": "airflow"}},
    "aws:ec2/vpcEndpoint:VpcEndpoint": {
        "vpcId": "vpc-0a",
        "serviceName": f"com.amazonaws.{REGION}.logs",
        "vpcEndpointType": "Interface",
        "subnetIds": ["subnet-0a"],
        "securityGroupIds": ["sg-0a"],
        "privateDnsEnabled": True,
    },
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": {
        "repository": "airflow",
        "policy": Json(
            {
                "rules": [
                    {
                        "rulePriority": 1,
                        "selection": {
                            "tagStatus": "any",
                            "countType": "imageCountMoreThan",
                            "countNumber": 20,
                        },
                        "action": {"type": "expire"},
                    }
                ]
            }
        ),
    },
    "aws:ecr/repository:Repository": {
        "imageTagMutability": "IMMUTABLE",
        "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": KEY}],
    },
    "aws:ecr/repositoryPolicy:RepositoryPolicy": {
        "repository": "airflow",
        "policy": policy(
            Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, Action="ecr:GetDownloadUrlForLayer"
        ),
    },
    "aws:ecs/cluster:Cluster": {"settings": [{"name": "containerInsights", "value": "enabled"}]},
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": {
        "clusterName": "airflow",
        "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
        "defaultCapacityProviderStrategies": [{"capacityProvider": "FARGATE", "weight": 1, "base": 1}],
    },
    "aws:ecs/service:Service": {
        "cluster": "airflow",
        "taskDefinition": "airflow:1",
        "capacityProviderStrategies": [{"capacityProvider": "FARGATE", "weight": 1}],
        "networkConfiguration": {"subnets": ["subnet-0a"], "securityGroups": ["sg-0a"]},
        "deploymentMinimumHealthyPercent": 100,
        "deploymentMaximumPercent": 200,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "desiredCount": 2,
    },
    "aws:ecs/taskDefinition:TaskDefinition": {
        "family": "airflow-scheduler",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "1024",
        "memory": "2048",
        "executionRoleArn": ROLE,
        "taskRoleArn": ROLE,
        "volumes": [
            {
                "name": "dags",
                "efsVolumeConfiguration": {
                    "fileSystemId": "fs-0a",
                    "transitEncryption": "ENABLED",
                    "authorizationConfig": {"accessPointId": "fsap-0a", "iam": "ENABLED"},
                },
            }
        ],
        "containerDefinitions": Json([CONTAINER, SIDECAR]),
    },
    "aws:efs/accessPoint:AccessPoint": {
        "fileSystemId": "fs-0a",
        "posixUser": {"uid": 50000, "gid": 0},
        "rootDirectory": {
            "path": "/dags",
            "creationInfo": {"ownerUid": 50000, "ownerGid": 0, "permissions": "0775"},
        },
    },
    "aws:efs/fileSystem:FileSystem": {"encrypted": True, "kmsKeyId": KEY, "throughputMode": "elastic"},
    "aws:efs/mountTarget:MountTarget": {
        "fileSystemId": "fs-0a",
        "subnetId": "subnet-0a",
        "securityGroups": ["sg-0a"],
    },
    "aws:elasticache/replicationGroup:ReplicationGroup": {
        "description": "Broker",
        "engine": "valkey",
        "engineVersion": "8.0",
        "nodeType": "cache.t4g.small",
        "numCacheClusters": 2,
        "automaticFailoverEnabled": True,
        "multiAzEnabled": True,
        "transitEncryptionEnabled": True,
        "authToken": "abcdefghijklmnop",
    },
    "aws:iam/policy:Policy": {"policy": READ, "path": "/airflow/"},
    "aws:iam/role:Role": {"assumeRolePolicy": TRUST, "maxSessionDuration": 3600},
    "aws:iam/rolePolicy:RolePolicy": {"role": "worker", "policy": READ},
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": {
        "role": "worker",
        "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess",
    },
    "aws:iam/serviceLinkedRole:ServiceLinkedRole": {
        "awsServiceName": "ecs.amazonaws.com",
        "description": "ECS",
    },
    "aws:kms/alias:Alias": {"name": "alias/airflow", "targetKeyId": KEY},
    "aws:kms/key:Key": {
        "enableKeyRotation": True,
        "deletionWindowInDays": 30,
        "policy": policy(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, Action="kms:*", Resource="*"),
    },
    "aws:lambda/function:Function": {
        "role": ROLE,
        "s3Bucket": "releases",
        "s3Key": "drain.zip",
        "handler": "drain.handler",
        "runtime": "python3.12",
        "memorySize": 256,
        "timeout": 60,
        "environment": {"variables": {"CLUSTER": "airflow"}},
    },
    "aws:lb/listener:Listener": {
        "loadBalancerArn": BALANCER,
        "port": 443,
        "protocol": "HTTPS",
        "certificateArn": CERTIFICATE,
        "defaultActions": [{"type": "forward", "targetGroupArn": TARGETS}],
    },
    "aws:lb/loadBalancer:LoadBalancer": {
        "subnets": ["subnet-0a", "subnet-0b"],
        "securityGroups": ["sg-0a"],
        "internal": True,
    },
    "aws:lb/targetGroup:TargetGroup": {
        "port": 8080,
        "protocol": "HTTP",
        "vpcId": "vpc-0a",
        "targetType": "ip",
        "healthCheck": {"path": "/api/v2/version", "interval": 30, "timeout": 5},
    },
    "aws:rds/instance:Instance": {
        "engine": "postgres",
        "engineVersion": "17.4",
        "instanceClass": "db.t4g.small",
        "allocatedStorage": 20,
        "maxAllocatedStorage": 100,
        "storageType": "gp3",
        "username": "airflow",
        "manageMasterUserPassword": True,
        "storageEncrypted": True,
        "backupRetentionPeriod": 7,
        "skipFinalSnapshot": True,
    },
    "aws:rds/subnetGroup:SubnetGroup": {"subnetIds": ["subnet-0a", "subnet-0b"]},
    "aws:route53/record:Record": {
        "zoneId": "Z0A",
        "name": "airflow.example.com",
        "type": "A",
        "ttl": 60,
        "records": ["10.0.0.1"],
    },
    "aws:s3/bucket:Bucket": {"bucket": "airflow-releases", "forceDestroy": False},
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": {
        "bucket": "airflow-releases",
        "rules": [{"id": "old", "status": "Enabled", "noncurrentVersionExpiration": {"noncurrentDays": 30}}],
    },
    "aws:s3/bucketPolicy:BucketPolicy": {
        "bucket": "airflow-releases",
        "policy": policy(
            Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            Action="s3:GetObject",
            Resource="arn:aws:s3:::airflow-releases/*",
        ),
    },
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": {
        "bucket": "airflow-releases",
        "blockPublicAcls": True,
    },
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": {
        "bucket": "airflow-releases",
        "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY}}],
    },
    "aws:scheduler/schedule:Schedule": {
        "scheduleExpression": "cron(0 8 * * ? *)",
        "flexibleTimeWindow": {"mode": "OFF"},
        "target": {
            "arn": "arn:aws:scheduler:::aws-sdk:ecs:updateService",
            "roleArn": ROLE,
            "input": Json({"Service": "worker"}),
        },
    },
    "aws:secretsmanager/secret:Secret": {"name": "airflow/fernet", "recoveryWindowInDays": 7},
    "aws:secretsmanager/secretVersion:SecretVersion": {"secretId": SECRET, "secretString": "x"},
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": {
        "name": "airflow.internal",
        "vpc": "vpc-0a",
    },
    "aws:sns/topic:Topic": {"kmsMasterKeyId": "alias/airflow"},
    "aws:sns/topicSubscription:TopicSubscription": {
        "topic": TOPIC,
        "protocol": "email",
        "endpoint": "ops@example.com",
    },
    "aws:sqs/queue:Queue": {
        "visibilityTimeoutSeconds": 300,
        "redrivePolicy": Json({"deadLetterTargetArn": QUEUE, "maxReceiveCount": 3}),
    },
    "aws:ssm/parameter:Parameter": {"type": "String", "name": "/airflow/release", "value": "abc"},
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": {
        "securityGroupId": "sg-0a",
        "ipProtocol": "-1",
        "cidrIpv4": "0.0.0.0/0",
    },
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {
        "securityGroupId": "sg-0a",
        "ipProtocol": "tcp",
        "fromPort": 8080,
        "toPort": 8080,
        "referencedSecurityGroupId": "sg-0b",
    },
    "aws:wafv2/ipSet:IpSet": {
        "scope": "REGIONAL",
        "ipAddressVersion": "IPV4",
        "addresses": ["192.0.2.0/24"],
    },
}
"""Type: inputs that are refused in no point; the types that the platform uses most."""

BASES: Mapping[str, dict[str, Any]] = {**COMMON, **RARE}
"""Type: inputs that are refused in no point."""
