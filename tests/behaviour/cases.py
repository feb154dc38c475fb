"""Wrong inputs: one change to valid inputs each, and what must be said about it."""

from __future__ import annotations

from typing import Final

from tests.behaviour.bases import BASES
from tests.behaviour.case import REMOVE, Case
from tests.behaviour.rare_cases import RARE_CASES
from tests.behaviour.table_cases import TABLES
from tests.behaviour.values import ACCOUNT, KEY, QUEUE, REGION, ROLE

CERTIFICATE = "aws:acm/certificate:Certificate"
SCALING_POLICY = "aws:appautoscaling/policy:Policy"
SCALING_TARGET = "aws:appautoscaling/target:Target"
PLAN = "aws:backup/plan:Plan"
RESTORE_PLAN = "aws:backup/restoreTestingPlan:RestoreTestingPlan"
EVENT_RULE = "aws:cloudwatch/eventRule:EventRule"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
FLOW_LOG = "aws:ec2/flowLog:FlowLog"
NAT = "aws:ec2/natGateway:NatGateway"
ROUTE = "aws:ec2/route:Route"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
GROUP_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
SUBNET = "aws:ec2/subnet:Subnet"
VPC = "aws:ec2/vpc:Vpc"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
LIFECYCLE = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
REPOSITORY = "aws:ecr/repository:Repository"
REPOSITORY_POLICY = "aws:ecr/repositoryPolicy:RepositoryPolicy"
CLUSTER = "aws:ecs/cluster:Cluster"
CLUSTER_CAPACITY = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
SERVICE = "aws:ecs/service:Service"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
ACCESS_POINT = "aws:efs/accessPoint:AccessPoint"
FILE_SYSTEM = "aws:efs/fileSystem:FileSystem"
MOUNT_TARGET = "aws:efs/mountTarget:MountTarget"
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
POLICY = "aws:iam/policy:Policy"
ROLE_TYPE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
SERVICE_ROLE = "aws:iam/serviceLinkedRole:ServiceLinkedRole"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
ALIAS = "aws:kms/alias:Alias"
KMS_KEY = "aws:kms/key:Key"
FUNCTION = "aws:lambda/function:Function"
LISTENER = "aws:lb/listener:Listener"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
TARGET_GROUP = "aws:lb/targetGroup:TargetGroup"
DATABASE = "aws:rds/instance:Instance"
DATABASE_SUBNETS = "aws:rds/subnetGroup:SubnetGroup"
RECORD = "aws:route53/record:Record"
BUCKET = "aws:s3/bucket:Bucket"
BUCKET_LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
BUCKET_BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
BUCKET_ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
SCHEDULE = "aws:scheduler/schedule:Schedule"
SECRET_TYPE = "aws:secretsmanager/secret:Secret"
SECRET_VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
NAMESPACE = "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace"
TOPIC_TYPE = "aws:sns/topic:Topic"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
QUEUE_TYPE = "aws:sqs/queue:Queue"
PARAMETER = "aws:ssm/parameter:Parameter"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
IP_SET = "aws:wafv2/ipSet:IpSet"

C0 = "containerDefinitions[0]"

SCHEMA: Final = [
    Case("unknown property", VPC, {"cidrBlok": "10.0.0.0/16"}, "cidrBlok", 'did you mean "cidrBlock"?'),
    Case(
        "unknown nested property", SERVICE, {"networkConfiguration.assignPublicIP": True},
        "networkConfiguration.assignPublicIP", 'did you mean "assignPublicIp"?',
    ),
    Case("unknown list property", PLAN, {"rules[0].retention": 5}, "rules[0].retention", "is not a property of"),
    Case("output as input", VPC, {"arn": "arn:aws:ec2:x"}, "arn", "is not a property of aws:ec2/vpc:Vpc"),
    Case("missing", SUBNET, {"vpcId": REMOVE}, "vpcId", "is required, but missing"),
    Case(
        "missing nested", FUNCTION, {"vpcConfig": {"subnetIds": ["subnet-0a"]}}, "vpcConfig.securityGroupIds",
        "is required, but missing",
    ),
    Case("text for number", LISTENER, {"port": "443"}, "port", 'expected a whole number, got the string "443"'),
    Case("boolean for number", QUEUE_TYPE, {"delaySeconds": True}, "delaySeconds", "got the boolean true"),
    Case("number for text", TASK, {"cpu": 1024}, "cpu", "expected a string, got the number 1024"),
    Case("text for boolean", BUCKET, {"forceDestroy": "yes"}, "forceDestroy", "expected a boolean"),
    Case("text for list", DATABASE_SUBNETS, {"subnetIds": "subnet-0a"}, "subnetIds", "expected a list"),
    Case("fraction", SCALING_TARGET, {"maxCapacity": 2.5}, "maxCapacity", "expected a whole number"),
    Case("number in tags", VPC, {"tags.Name": 5}, "tags.Name", "expected a string, got the number 5"),
    Case("list for object", SERVICE, {"networkConfiguration": []}, "networkConfiguration", "expected an object"),
    Case("number in list", ALARM, {"alarmActions[0]": 7}, "alarmActions[0]", "expected a string"),
    Case("enum", REPOSITORY, {"imageTagMutability": "FROZEN"}, "imageTagMutability", "allowed: MUTABLE, IMMUTABLE"),
    Case("nested enum", TASK, {"volumes[0].efsVolumeConfiguration.transitEncryption": "YES"},
         "volumes[0].efsVolumeConfiguration.transitEncryption", "allowed: ENABLED, DISABLED"),
    Case("retention enum", LOG_GROUP, {"retentionInDays": 31}, "retentionInDays", "got the number 31, allowed: 0, 1,"),
    Case("runtime enum", FUNCTION, {"runtime": "python3.99"}, "runtime", "allowed: "),
    Case("record type", RECORD, {"type": "ALIAS"}, "type", "allowed: "),
    Case("over maximum", FUNCTION, {"timeout": 901}, "timeout", "must be at most 900, got 901"),
    Case("below minimum", KMS_KEY, {"deletionWindowInDays": 6}, "deletionWindowInDays", "must be at least 7, got 6"),
    Case("queue timeout", QUEUE_TYPE, {"visibilityTimeoutSeconds": 43201}, "visibilityTimeoutSeconds",
         "must be at most 43200"),
    Case("session duration", ROLE_TYPE, {"maxSessionDuration": 600}, "maxSessionDuration", "must be at least 3600"),
    Case("backup days", DATABASE, {"backupRetentionPeriod": 36}, "backupRetentionPeriod", "must be at most 35"),
    Case("too long", BALANCER, {"name": "a" * 33}, "name", "cannot be longer than 32 characters, got 33"),
    Case("pattern", SECRET_TYPE, {"name": "air flow"}, "name", "does not match"),
    Case("role name", ROLE_TYPE, {"name": "a/b"}, "name", "does not match"),
    Case("service", SERVICE_ROLE, {"awsServiceName": "ecs"}, "awsServiceName", "does not match"),
    Case("suffix", SERVICE_ROLE, {"customSuffix": "a/b"}, "customSuffix", "does not match"),
    Case("alias pattern", ALIAS, {"name": "airflow"}, "name", "does not match ^alias/"),
    Case("database name", DATABASE, {"identifier": "Airflow"}, "identifier", "does not match"),
    Case("arn", FLOW_LOG, {"iamRoleArn": "worker"}, "iamRoleArn", 'expected an ARN, got "worker"'),
    Case("arn of role", DATABASE, {"monitoringInterval": 60, "monitoringRoleArn": "worker"}, "monitoringRoleArn",
         "expected an ARN"),
    Case("cidr", ROUTE, {"destinationCidrBlock": "everywhere"}, "destinationCidrBlock", "expected an IPv4 CIDR block"),
    Case("host bits", SUBNET, {"cidrBlock": "10.0.1.5/24"}, "cidrBlock", 'did you mean "10.0.1.0/24"?'),
    Case("json", EVENT_RULE, {"scheduleExpression": REMOVE, "eventPattern": "{"}, "eventPattern", "invalid JSON"),
    Case("conflict", GROUP, {"name": "a", "namePrefix": "b"}, "name", "conflicts with namePrefix"),
    Case("exactly one", CERTIFICATE, {"domainName": REMOVE, "validationMethod": REMOVE}, "domainName",
         "exactly one of domainName, privateKey, privateKeyWo is required"),
    Case("two of one", FLOW_LOG, {"subnetId": "subnet-0a"}, "subnetId", "is allowed, got"),
    Case("needs both", VPC, {"ipv6NetmaskLength": 56}, "ipv6NetmaskLength", "needs ipv6IpamPoolId as well"),
    Case("at least one", EVENT_RULE, {"scheduleExpression": REMOVE}, "eventPattern",
         "one of scheduleExpression, eventPattern is required"),
    Case("region", VPC, {"region": "eu-west-9"}, "region", '"eu-west-9" is not an AWS region'),
    Case("partition", TOPIC_TYPE, {"region": "cn-north-1"}, "region", "is not a region of the partition aws"),
]  # fmt: skip
"""What the schema refuses."""

CONTAINERS: Final = [
    Case("fargate size", TASK, {"cpu": "256", "memory": "4096"}, "memory", "allowed: 512, 1024, 2048"),
    Case("fargate cpu", TASK, {"cpu": "300"}, "cpu", "300 is no Fargate size"),
    Case("fargate memory missing", TASK, {"memory": REMOVE}, "memory", "is required for a Fargate task"),
    Case("fargate network", TASK, {"networkMode": "bridge"}, "networkMode", 'Fargate needs "awsvpc", got bridge'),
    Case("execution role", TASK, {"executionRoleArn": REMOVE}, "executionRoleArn", "is required on Fargate"),
    Case("no array", TASK, {"containerDefinitions": "{}"}, "containerDefinitions", "must be a JSON array"),
    Case("broken json", TASK, {"containerDefinitions": "[{"}, "containerDefinitions", "contains invalid JSON"),
    Case("empty container", TASK, {C0: {}}, C0, "invalid container definition supplied at index (0)"),
    Case("unknown member", TASK, {f"{C0}.enviroment": []}, f"{C0}.enviroment", 'did you mean "environment"?'),
    Case("member type", TASK, {f"{C0}.essential": "true"}, f"{C0}.essential", "expected a boolean"),
    Case("member enum", TASK, {f"{C0}.logConfiguration.logDriver": "cloudwatch"},
         f"{C0}.logConfiguration.logDriver", "allowed: json-file"),
    Case("no image", TASK, {f"{C0}.image": REMOVE}, f"{C0}.image", "is required, but missing"),
    Case("same name", TASK, {"containerDefinitions[1].dependsOn": [], "containerDefinitions[1].name": "scheduler"},
         "containerDefinitions[1].name", "is defined twice"),
    Case("none essential", TASK, {f"{C0}.essential": False}, "containerDefinitions", "one essential container"),
    Case("secret in environment", TASK, {f"{C0}.environment[1]": {"name": "DB_PASSWORD", "value": "hunter2"}},
         f"{C0}.environment[1].value", "DB_PASSWORD looks like a secret in plain text"),
    Case("key in environment", TASK, {f"{C0}.environment[1]": {"name": "A", "value": "AKIAIOSFODNN7EXAMPLE"}},
         f"{C0}.environment[1].value", "A holds an AWS access key"),
    Case("password in URL", TASK, {f"{C0}.environment[1]": {"name": "A", "value": "postgresql://a:b@db/x"}},
         f"{C0}.environment[1].value", "A holds a URL with a password"),
    Case("private key", TASK, {f"{C0}.environment[1]": {"name": "A", "value": "-----BEGIN RSA PRIVATE KEY-----"}},
         f"{C0}.environment[1].value", "A holds a private key"),
    Case("variable twice", TASK, {f"{C0}.environment[1]": {"name": "AIRFLOW__CORE__EXECUTOR", "value": "x"}},
         f"{C0}.environment[1].name", "is set twice"),
    Case("secret reference", TASK, {f"{C0}.secrets[0].valueFrom": "airflow/fernet"}, f"{C0}.secrets[0].valueFrom",
         "expected the ARN of a secret or SSM parameter"),
    Case("stray brace", TASK, {f"{C0}.secrets[0].valueFrom": f"{BASES[SECRET_VERSION]['secretId']}:key::}}"},
         f"{C0}.secrets[0].valueFrom", "is malformed"),
    Case("volume", TASK, {f"{C0}.mountPoints[0].sourceVolume": "plugins"}, f"{C0}.mountPoints[0].sourceVolume",
         'there is no volume "plugins" (declared: dags)'),
    Case("host port", TASK, {f"{C0}.portMappings[0].hostPort": 80}, f"{C0}.portMappings[0].hostPort",
         "must equal containerPort 8974"),
    Case("stop timeout", TASK, {f"{C0}.stopTimeout": 600}, f"{C0}.stopTimeout", "must be 2 to 120 seconds"),
    Case("health interval", TASK, {f"{C0}.healthCheck.interval": 400}, f"{C0}.healthCheck.interval", "5 to 300"),
    Case("depends on nobody", TASK, {"containerDefinitions[1].dependsOn[0].containerName": "web"},
         "containerDefinitions[1].dependsOn[0].containerName", 'there is no container "web"'),
    Case("cycle", TASK, {f"{C0}.dependsOn": [{"containerName": "sidecar", "condition": "START"}]},
         f"{C0}.dependsOn", "scheduler -> sidecar -> scheduler"),
    Case("access point without TLS", TASK, {"volumes[0].efsVolumeConfiguration.transitEncryption": "DISABLED"},
         "volumes[0].efsVolumeConfiguration.transitEncryption", 'must be "ENABLED" with an access point'),
    Case("access point with root", TASK, {"volumes[0].efsVolumeConfiguration.rootDirectory": "/dags"},
         "volumes[0].efsVolumeConfiguration.rootDirectory", 'must be left out or "/"'),
    Case("host path", TASK, {"volumes[0]": {"name": "dags", "hostPath": "/dags"}}, "volumes[0].hostPath",
         "is not supported on Fargate"),
    Case("two capacities", SERVICE, {"launchType": "FARGATE"}, "capacityProviderStrategies",
         "conflicts with launchType"),
    Case("no network", SERVICE, {"networkConfiguration": REMOVE}, "networkConfiguration", "is required"),
    Case("percents", SERVICE, {"deploymentMaximumPercent": 100},
         "deploymentMaximumPercent", "no task could be replaced"),
    Case("weights", SERVICE,
         {"capacityProviderStrategies": [{"capacityProvider": "FARGATE"}, {"capacityProvider": "FARGATE_SPOT"}]},
         "capacityProviderStrategies", "needs a weight above 0"),
    Case("daemon", SERVICE, {"schedulingStrategy": "DAEMON", "deploymentMinimumHealthyPercent": 0,
                             "deploymentMaximumPercent": 100},
         "schedulingStrategy", "DAEMON is not supported on Fargate"),
    Case("grace period", SERVICE, {"healthCheckGracePeriodSeconds": 60}, "healthCheckGracePeriodSeconds",
         "needs a load balancer"),
    Case("cluster setting", CLUSTER, {"settings[0].value": "on"}, "settings[0].value", 'got "on", allowed: enabled'),
    Case("foreign strategy", CLUSTER_CAPACITY, {"capacityProviders": ["FARGATE_SPOT"]},
         "defaultCapacityProviderStrategies[0].capacityProvider", '"FARGATE" is not among capacityProviders'),
]  # fmt: skip
"""What ECS refuses."""

S0 = "policy.Statement[0]"

POLICIES: Final = [
    Case("iam star", POLICY, {f"{S0}.Action": "iam:*"}, "policy", "iam:* lets its holder become anybody"),
    Case("all on all", ROLE_POLICY, {f"{S0}.Action": ["*"], f"{S0}.Resource": "*"}, "policy", "allows everything"),
    Case("no version", POLICY, {"policy.Version": REMOVE}, "policy", 'Version must be "2012-10-17", got none'),
    Case("old version", ROLE_POLICY, {"policy.Version": "2008-10-17"}, "policy", 'got "2008-10-17"'),
    Case("unknown action", POLICY, {f"{S0}.Action": "s3:GetObjekt"}, "policy", "Unknown action s3:GetObjekt"),
    Case("malformed resource", POLICY, {f"{S0}.Resource": "releases"}, "policy", "malformed resource: releases"),
    Case("bucket for objects", POLICY, {f"{S0}.Resource": "arn:aws:s3:::releases"}, "policy",
         "no resource fits s3:GetObject"),
    Case("unknown operator", POLICY, {f"{S0}.Condition": {"StringIs": {"aws:SourceAccount": ACCOUNT}}}, "policy",
         "unknown condition operator"),
    Case("unknown condition", POLICY, {f"{S0}.Condition": {"StringEquals": {"s3:colour": "red"}}}, "policy",
         "Unknown condition s3:colour"),
    Case("statement element", POLICY, {f"{S0}.Actions": "s3:GetObject"}, "policy", '"Actions" is no element'),
    Case("principal in identity", ROLE_POLICY, {f"{S0}.Principal": "*"}, "policy",
         "Principal is not allowed in an identity policy"),
    Case("effect", POLICY, {f"{S0}.Effect": "allow"}, "policy", "Effect must be Allow or Deny"),
    Case("no object", POLICY, {"policy": "[]"}, "policy", 'a JSON object that begins with "{"'),
    Case("no principal", BUCKET_POLICY, {f"{S0}.Principal": REMOVE}, "policy", "Principal is required"),
    Case("other bucket", BUCKET_POLICY, {f"{S0}.Resource": "arn:aws:s3:::other/*"}, "policy", "is not this bucket"),
    Case("trust without principal", ROLE_TYPE, {"assumeRolePolicy.Statement[0].Principal": REMOVE},
         "assumeRolePolicy", "Principal is required"),
    Case("trust with resource", ROLE_TYPE, {"assumeRolePolicy.Statement[0].Resource": "*"}, "assumeRolePolicy",
         "a trust policy has no Resource"),
    Case("service principal", ROLE_TYPE, {"assumeRolePolicy.Statement[0].Principal.Service": "ecs-tasks"},
         "assumeRolePolicy", '"ecs-tasks" is no service principal'),
    Case("repository resource", REPOSITORY_POLICY, {f"{S0}.Resource": "*"}, "policy",
         "a repository policy has no Resource"),
    Case("key policy", KMS_KEY, {f"{S0}.Principal": REMOVE}, "policy", "Principal is required"),
    Case("role path", POLICY, {"path": "airflow"}, "path", "must begin and end with a slash"),
    Case("role by arn", ROLE_POLICY, {"role": ROLE}, "role", "expected the name of a role"),
    Case("attachment by arn", ATTACHMENT, {"role": ROLE}, "role", "expected the name of a role"),
]  # fmt: skip
"""What IAM and the linter refuse."""

NETWORK: Final = [
    Case("vpc size", VPC, {"cidrBlock": "10.0.0.0/8"}, "cidrBlock", "must be between /16 and /28"),
    Case("subnet size", SUBNET, {"cidrBlock": "10.0.1.0/29"}, "cidrBlock", "must be between /16 and /28"),
    Case("no block", SUBNET, {"cidrBlock": REMOVE}, "cidrBlock", "is required unless"),
    Case("zone of another region", SUBNET, {"availabilityZone": "us-east-1a"}, "availabilityZone",
         '"us-east-1a" is no zone of eu-west-1'),
    Case("zone of nowhere", SUBNET, {"availabilityZone": "eu-west-1z"}, "availabilityZone", "allowed: eu-west-1a"),
    Case("database zone", DATABASE, {"availabilityZone": "eu-west-2a"}, "availabilityZone", "is no zone of eu-west-1"),
    Case("all ports", EGRESS, {"fromPort": 0, "toPort": 0}, "fromPort", "must not be set with ipProtocol -1"),
    Case("no ports", INGRESS, {"toPort": REMOVE}, "toPort", "is required with ipProtocol tcp"),
    Case("ports reversed", INGRESS, {"toPort": 80}, "toPort", "must not be below fromPort 8080"),
    Case("no source", INGRESS, {"referencedSecurityGroupId": REMOVE}, "cidrIpv4", "is required, got none"),
    Case("two sources", INGRESS, {"cidrIpv4": "10.0.0.0/16"}, "cidrIpv4", "is allowed, got"),
    Case("inline ports", GROUP, {"egress[0].toPort": 443}, "egress[0].toPort", "must be 0 with protocol -1"),
    Case("inline source", GROUP, {"egress[0].cidrBlocks": REMOVE}, "egress[0]", "needs at least one of cidrBlocks"),
    Case("inline host bits", GROUP, {"egress[0].cidrBlocks[0]": "10.0.0.1/16"}, "egress[0].cidrBlocks[0]",
         'did you mean "10.0.0.0/16"?'),
    Case("older rule", GROUP_RULE, {"protocol": "-1"}, "fromPort", "must be 0 with protocol -1"),
    Case("older rule's type", GROUP_RULE, {"type": "in"}, "type", "allowed: egress, ingress"),
    Case("route tables of interface", ENDPOINT, {"routeTableIds": ["rtb-0a"]}, "routeTableIds",
         "is for endpoints of type Gateway only, this one is Interface"),
    Case("subnets of gateway", ENDPOINT,
         {"vpcEndpointType": "Gateway", "securityGroupIds": REMOVE, "privateDnsEnabled": REMOVE,
          "serviceName": f"com.amazonaws.{REGION}.s3"}, "subnetIds", "this one is Gateway"),
    Case("service of another region", ENDPOINT, {"serviceName": "com.amazonaws.us-east-1.logs"}, "serviceName",
         "expected a service of this region"),
    Case("public without address", NAT, {"allocationId": REMOVE}, "allocationId", "is required for a public NAT"),
    Case("private with address", NAT, {"connectivityType": "private"}, "allocationId", "is not supported"),
    Case("route without target", ROUTE, {"natGatewayId": REMOVE}, "carrierGatewayId", "is required, got none"),
    Case("flow log role", FLOW_LOG, {"iamRoleArn": REMOVE}, "iamRoleArn", "is required with a CloudWatch Logs"),
    Case("flow log traffic", FLOW_LOG, {"trafficType": REMOVE}, "trafficType", "is required for a VPC"),
    Case("one subnet", BALANCER, {"subnets": ["subnet-0a"]}, "subnets", "needs 2 subnets in 2 zones"),
    Case("https without certificate", LISTENER, {"certificateArn": REMOVE}, "certificateArn", "is required with"),
    Case("forward to nothing", LISTENER, {"defaultActions[0].targetGroupArn": REMOVE},
         "defaultActions[0].targetGroupArn", "targetGroupArn or forward is required"),
    Case("target without port", TARGET_GROUP, {"port": REMOVE}, "port", 'must be specified when targetType is "ip"'),
    Case("slow health check", TARGET_GROUP, {"healthCheck.timeout": 30},
         "healthCheck.timeout", "must be below interval"),
    Case("record without ttl", RECORD, {"ttl": REMOVE}, "ttl", "is required with records"),
    Case("record value", RECORD, {"records[0]": "example.com"}, "records[0]", "expected an IPv4 address"),
    Case("namespace", NAMESPACE, {"vpc": REMOVE}, "vpc", "is required, but missing"),
    Case("cloudfront", IP_SET, {"scope": "CLOUDFRONT"}, "scope", "exists in us-east-1 only"),
    Case("address without mask", IP_SET, {"addresses[0]": "192.0.2.1"}, "addresses[0]", "expected CIDR notation"),
]  # fmt: skip
"""What networks refuse."""

DATA: Final = [
    Case("bucket name", BUCKET, {"bucket": "Airflow_Releases"}, "bucket", "lower case letters"),
    Case("bucket as address", BUCKET, {"bucket": "10.0.0.1"}, "bucket", "must not look like an IP address"),
    Case("bucket flag", BUCKET_BLOCK, {"blockPublicAcls": "true"}, "blockPublicAcls", "expected a boolean"),
    Case("early transition", BUCKET_LIFECYCLE,
         {"rules[0].transitions": [{"storageClass": "STANDARD_IA", "days": 7}]}, "rules[0].transitions[0].days",
         "must be at least 30"),
    Case("no rules", BUCKET_LIFECYCLE, {"rules": []}, "rules", "needs at least 1 items, got 0"),
    Case("key with AES256", BUCKET_ENCRYPTION,
         {"rules[0].applyServerSideEncryptionByDefault.sseAlgorithm": "AES256"},
         "rules[0].applyServerSideEncryptionByDefault.kmsMasterKeyId", "is not allowed with sseAlgorithm AES256"),
    Case("rotation of pairs", KMS_KEY, {"customerMasterKeySpec": "RSA_2048", "keyUsage": "SIGN_VERIFY"},
         "enableKeyRotation", "symmetric ENCRYPT_DECRYPT keys only"),
    Case("reserved alias", ALIAS, {"name": "alias/aws/airflow"}, "name", "must not begin with alias/aws/"),
    Case("no handler", FUNCTION, {"handler": REMOVE}, "handler", "is required with packageType Zip"),
    Case("function memory", FUNCTION, {"memorySize": 64}, "memorySize", "must be at least 128"),
    Case("secret in function", FUNCTION, {"environment.variables.API_TOKEN": "abc123"},
         "environment.variables.API_TOKEN", "looks like a secret in plain text"),
    Case("reserved variable", FUNCTION, {"environment.variables.AWS_REGION": REGION},
         "environment.variables.AWS_REGION", "is a name that Lambda keeps"),
    Case("fifo name", QUEUE_TYPE, {"fifoQueue": True, "name": "tasks", "redrivePolicy": REMOVE}, "name",
         "must end with .fifo"),
    Case("fifo only", QUEUE_TYPE, {"contentBasedDeduplication": True}, "contentBasedDeduplication",
         "needs fifoQueue true"),
    Case("receive count", QUEUE_TYPE, {"redrivePolicy.maxReceiveCount": "3"}, "redrivePolicy", "a whole number"),
    Case("standard to fifo", QUEUE_TYPE, {"redrivePolicy.deadLetterTargetArn": f"{QUEUE}.fifo"}, "redrivePolicy",
         "a FIFO queue needs a FIFO dead letter queue"),
    Case("topic name", TOPIC_TYPE, {"name": "air flow"}, "name", "letters, digits, _ and - only"),
    Case("mail address", SUBSCRIPTION, {"endpoint": "ops"}, "endpoint", "expected an e-mail address"),
    Case("no password", DATABASE, {"manageMasterUserPassword": REMOVE}, "password", "is required, got none"),
    Case("storage type", DATABASE, {"storageType": "ssd"}, "storageType", "allowed: standard, gp2, gp3"),
    Case("monitoring", DATABASE, {"monitoringInterval": 60}, "monitoringRoleArn", "is required"),
    Case("storage limit", DATABASE, {"maxAllocatedStorage": 20}, "maxAllocatedStorage", "must be above"),
    Case("one database subnet", DATABASE_SUBNETS, {"subnetIds": ["subnet-0a"]}, "subnetIds", "at least 2 zones"),
    Case("fail-over", CACHE, {"automaticFailoverEnabled": False}, "automaticFailoverEnabled",
         "must be true if multiAzEnabled is true"),
    Case("one node", CACHE, {"numCacheClusters": 1}, "numCacheClusters", "must be at least 2"),
    Case("token without TLS", CACHE, {"transitEncryptionEnabled": False}, "authToken",
         "needs transitEncryptionEnabled true"),
    Case("unencrypted key", FILE_SYSTEM, {"encrypted": False}, "encrypted", "must be set to true"),
    Case("mount groups", MOUNT_TARGET, {"securityGroups": [f"sg-{n}" for n in range(6)]}, "securityGroups",
         "at most 5"),
    Case("permissions", ACCESS_POINT, {"rootDirectory.creationInfo.permissions": "rwx"},
         "rootDirectory.creationInfo.permissions", "expected octal"),
    Case("repository name", REPOSITORY, {"name": "Airflow"}, "name", "lower case"),
    Case("key with AES", REPOSITORY, {"encryptionConfigurations[0].encryptionType": "AES256"},
         "encryptionConfigurations[0].kmsKey", "is not allowed with encryptionType AES256"),
    Case("image rule", LIFECYCLE, {"policy.rules[0].selection.tagStatus": "all"}, "policy",
         "rules[0]: selection.tagStatus"),
    Case("recovery window", SECRET_TYPE, {"recoveryWindowInDays": 3},
         "recoveryWindowInDays", "must be 0, or 7 to 30, got 3"),
    Case("no value", SECRET_VERSION, {"secretString": REMOVE}, "secretString", "is required, got none"),
    Case("parameter name", PARAMETER, {"name": "airflow/release"}, "name", "must begin with /"),
]  # fmt: skip
"""What stores and queues refuse."""

OPERATIONS: Final = [
    Case("alarm statistic", ALARM, {"statistic": REMOVE}, "statistic", "exactly one of statistic, extendedStatistic"),
    Case("alarm period", ALARM, {"period": 45}, "period", "a multiple of 60, got 45"),
    Case("alarm operator", ALARM, {"comparisonOperator": REMOVE}, "comparisonOperator", "is required with metricName"),
    Case("schedule", EVENT_RULE, {"scheduleExpression": "every 5 minutes"}, "scheduleExpression",
         "expected an expression such as rate(5 minutes)"),
    Case("window", SCHEDULE, {"flexibleTimeWindow.mode": "FLEXIBLE"}, "flexibleTimeWindow.maximumWindowInMinutes",
         "is required with mode FLEXIBLE"),
    Case("cron fields", SCHEDULE, {"scheduleExpression": "cron(0 8 * * *)"}, "scheduleExpression",
         "expected an expression"),
    Case("capacities", SCALING_TARGET, {"minCapacity": 20}, "maxCapacity", "must not be below minCapacity 20"),
    Case("resource of scaling", SCALING_TARGET, {"resourceId": "worker"}, "resourceId", "expected service/"),
    Case("policy type", SCALING_POLICY, {"policyType": "StepScaling"}, "stepScalingPolicyConfiguration",
         "is required with policyType StepScaling"),
    Case("cold storage", PLAN, {"rules[0].lifecycle.coldStorageAfter": 30}, "rules[0].lifecycle.deleteAfter",
         "at least coldStorageAfter + 90"),
    Case("auto-name of restore test", RESTORE_PLAN, {"name": REMOVE}, "name", "was made from the logical name"),
    Case("validation", CERTIFICATE, {"validationMethod": REMOVE}, "validationMethod", "is required with domainName"),
    Case("key for certificate", CERTIFICATE, {"privateKey": KEY, "validationMethod": REMOVE},
         "domainName", "is allowed, got"),
]  # fmt: skip
"""What operations refuse."""

CASES: Final = [*SCHEMA, *CONTAINERS, *POLICIES, *NETWORK, *DATA, *OPERATIONS, *RARE_CASES, *TABLES]
"""Every wrong input that a check refuses."""
