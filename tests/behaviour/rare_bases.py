"""Valid inputs of resource types that are used less."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.behaviour.values import (
    ACCOUNT,
    BALANCER,
    KEY,
    QUEUE,
    REGION,
    ROLE,
    SECRET,
    TARGETS,
    TOPIC,
    Json,
    policy,
)

VISIBILITY = {"cloudwatchMetricsEnabled": True, "metricName": "web", "sampledRequestsEnabled": True}
VAULT = f"arn:aws:backup:{REGION}:{ACCOUNT}:backup-vault:airflow"

RARE: Mapping[str, dict[str, Any]] = {
    "aws:appautoscaling/scheduledAction:ScheduledAction": {
        "serviceNamespace": "ecs",
        "scalableDimension": "ecs:service:DesiredCount",
        "resourceId": "service/airflow/worker",
        "schedule": "cron(0 18 * * ? *)",
        "scalableTargetAction": {"minCapacity": 0, "maxCapacity": 0},
    },
    "aws:autoscaling/group:Group": {
        "minSize": 0,
        "maxSize": 2,
        "desiredCapacity": 1,
        "vpcZoneIdentifiers": ["subnet-0a"],
        "launchTemplate": {"id": "lt-0a"},
        "tags": [{"key": "owner", "value": "data", "propagateAtLaunch": True}],
    },
    "aws:backup/selection:Selection": {"iamRoleArn": ROLE, "planId": "p", "resources": [VAULT]},
    "aws:backup/vault:Vault": {"kmsKeyArn": KEY},
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": {
        "backupVaultName": "airflow",
        "minRetentionDays": 7,
        "maxRetentionDays": 35,
    },
    "aws:backup/vaultPolicy:VaultPolicy": {
        "backupVaultName": "airflow",
        "policy": policy(Principal={"AWS": "*"}, Action=["backup:DeleteRecoveryPoint"], Resource="*"),
    },
    "aws:dynamodb/table:Table": {
        "billingMode": "PAY_PER_REQUEST",
        "hashKey": "pk",
        "rangeKey": "sk",
        "attributes": [{"name": "pk", "type": "S"}, {"name": "sk", "type": "S"}, {"name": "at", "type": "N"}],
        "globalSecondaryIndexes": [
            {
                "name": "by-time",
                "keySchemas": [
                    {"attributeName": "pk", "keyType": "HASH"},
                    {"attributeName": "at", "keyType": "RANGE"},
                ],
                "projectionType": "KEYS_ONLY",
            }
        ],
        "localSecondaryIndexes": [
            {"name": "late", "rangeKey": "at", "projectionType": "INCLUDE", "nonKeyAttributes": ["release"]}
        ],
        "ttl": {"attributeName": "expiresAt", "enabled": True},
        "pointInTimeRecovery": {"enabled": True},
        "serverSideEncryption": {"enabled": True, "kmsKeyArn": KEY},
        "deletionProtectionEnabled": True,
    },
    "aws:budgets/budget:Budget": {
        "budgetType": "COST",
        "timeUnit": "MONTHLY",
        "limitAmount": "100.0",
        "limitUnit": "USD",
        "notifications": [
            {
                "comparisonOperator": "GREATER_THAN",
                "notificationType": "ACTUAL",
                "threshold": 80,
                "thresholdType": "PERCENTAGE",
                "subscriberSnsTopicArns": [TOPIC],
            }
        ],
    },
    "aws:cloudwatch/dashboard:Dashboard": {
        "dashboardName": "airflow",
        "dashboardBody": Json({"widgets": [{"type": "metric", "properties": {"region": REGION}}]}),
    },
    "aws:cloudwatch/eventTarget:EventTarget": {"rule": "stop", "arn": QUEUE},
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": {
        "policyName": "events",
        "policyDocument": policy(
            Principal={"Service": "events.amazonaws.com"},
            Action=["logs:PutLogEvents"],
            Resource=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/events/airflow:*",
        ),
    },
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": {
        "logGroupName": "/airflow",
        "pattern": "ERROR",
        "metricTransformation": {"name": "Errors", "namespace": "Airflow", "value": "1", "defaultValue": "0"},
    },
    "aws:sns/topicPolicy:TopicPolicy": {
        "arn": TOPIC,
        "policy": policy(Principal={"Service": "cloudwatch.amazonaws.com"}, Action=["sns:Publish"], Resource=TOPIC),
    },
    "aws:ec2/launchTemplate:LaunchTemplate": {
        "userData": "IyEvYmluL3No",
        "vpcSecurityGroupIds": ["sg-0a"],
        "networkInterfaces": [{"deviceIndex": 0}],
    },
    "aws:ec2/networkAcl:NetworkAcl": {
        "vpcId": "vpc-0a",
        "ingress": [
            {"ruleNo": 100, "protocol": "tcp", "action": "allow", "cidrBlock": "10.0.0.0/16", "fromPort": 0,
             "toPort": 65535},
            {"ruleNo": 200, "protocol": "-1", "action": "deny", "cidrBlock": "0.0.0.0/0", "fromPort": 0, "toPort": 0},
        ],
    },
    "aws:ec2/networkAclRule:NetworkAclRule": {
        "networkAclId": "acl-0a",
        "ruleNumber": 100,
        "protocol": "tcp",
        "ruleAction": "allow",
        "cidrBlock": "10.0.0.0/16",
        "fromPort": 443,
        "toPort": 443,
    },
    "aws:ec2/routeTable:RouteTable": {
        "vpcId": "vpc-0a",
        "routes": [{"cidrBlock": "0.0.0.0/0", "gatewayId": "igw-0a"}],
    },
    "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration": {
        "scanType": "ENHANCED",
        "rules": [
            {"scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}]}
        ],
    },
    "aws:ecs/capacityProvider:CapacityProvider": {
        "autoScalingGroupProvider": {
            "autoScalingGroupArn": f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:x:autoScalingGroupName/a",
            "managedTerminationProtection": "ENABLED",
            "managedScaling": {"status": "ENABLED"},
        }
    },
    "aws:elasticache/parameterGroup:ParameterGroup": {"name": "broker", "family": "valkey8"},
    "aws:elasticache/user:User": {
        "userId": "worker",
        "userName": "worker",
        "engine": "valkey",
        "accessString": "on ~* +@all",
        "authenticationMode": {"type": "iam"},
    },
    "aws:elasticache/userGroup:UserGroup": {"userGroupId": "broker", "engine": "valkey", "userIds": ["worker"]},
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": {
        "url": "https://token.actions.githubusercontent.com",
        "clientIdLists": ["sts.amazonaws.com"],
    },
    "aws:lambda/invocation:Invocation": {"functionName": "drain", "input": Json({"a": 1}), "lifecycleScope": "CRUD"},
    "aws:lambda/permission:Permission": {
        "action": "lambda:InvokeFunction",
        "function": "drain",
        "principal": "events.amazonaws.com",
    },
    "aws:lb/listenerRule:ListenerRule": {
        "listenerArn": BALANCER.replace("loadbalancer", "listener") + "/0123456789abcdef",
        "priority": 10,
        "conditions": [{"pathPattern": {"values": ["/api/*"]}}],
        "actions": [{"type": "forward", "targetGroupArn": TARGETS}],
    },
    "aws:rds/eventSubscription:EventSubscription": {
        "snsTopic": TOPIC,
        "sourceType": "db-instance",
        "sourceIds": ["airflow"],
    },
    "aws:rds/parameterGroup:ParameterGroup": {
        "family": "postgres17",
        "parameters": [{"name": "rds.force_ssl", "value": "1"}],
    },
    "aws:rds/proxy:Proxy": {
        "engineFamily": "POSTGRESQL",
        "roleArn": ROLE,
        "vpcSubnetIds": ["subnet-0a", "subnet-0b"],
        "requireTls": True,
        "auths": [{"authScheme": "SECRETS", "iamAuth": "REQUIRED", "secretArn": SECRET}],
    },
    "aws:rds/proxyTarget:ProxyTarget": {
        "dbProxyName": "airflow",
        "targetGroupName": "default",
        "dbInstanceIdentifier": "airflow",
    },
    "aws:route53/zone:Zone": {"name": "airflow.example.com"},
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": {
        "bucket": "airflow-releases",
        "rule": {"defaultRetention": {"mode": "GOVERNANCE", "days": 30}},
    },
    "aws:s3/bucketVersioning:BucketVersioning": {
        "bucket": "airflow-releases",
        "versioningConfiguration": {"status": "Enabled"},
    },
    "aws:secretsmanager/secretRotation:SecretRotation": {
        "secretId": SECRET,
        "rotationRules": {"automaticallyAfterDays": 30},
    },
    "aws:servicediscovery/service:Service": {
        "name": "api",
        "dnsConfig": {"namespaceId": "ns-0a", "dnsRecords": [{"type": "A", "ttl": 10}]},
    },
    "aws:sfn/stateMachine:StateMachine": {
        "roleArn": ROLE,
        "definition": Json(
            {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 1, "Next": "Done"}, "Done": {"Type": "Succeed"}}}
        ),
        "loggingConfiguration": {
            "level": "ALL",
            "logDestination": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/sfn:*",
        },
    },
    "aws:sqs/queuePolicy:QueuePolicy": {
        "queueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/dead",
        "policy": policy(
            Principal={"Service": "events.amazonaws.com"},
            Action="sqs:SendMessage",
            Resource=QUEUE,
            Condition={"ArnEquals": {"aws:SourceArn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/stop"}},
        ),
    },
    "aws:wafv2/webAcl:WebAcl": {
        "scope": "REGIONAL",
        "defaultAction": {"allow": {}},
        "visibilityConfig": VISIBILITY,
        "rules": [
            {
                "name": "common",
                "priority": 1,
                "overrideAction": {"none": {}},
                "visibilityConfig": VISIBILITY,
                "statement": {
                    "managedRuleGroupStatement": {"name": "AWSManagedRulesCommonRuleSet", "vendorName": "AWS"}
                },
            },
            {
                "name": "countries",
                "priority": 2,
                "action": {"block": {}},
                "visibilityConfig": VISIBILITY,
                "statement": {"geoMatchStatement": {"countryCodes": ["US"]}},
            },
        ],
    },
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": {
        "resourceArn": f"arn:aws:wafv2:{REGION}:{ACCOUNT}:regional/webacl/a/b",
        "logDestinationConfigs": [f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:aws-waf-logs-web"],
    },
}  # fmt: skip
"""Type: inputs that are refused in no point."""
