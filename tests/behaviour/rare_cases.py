"""Wrong inputs of the less used types and the less usual mistakes: more rows for `cases.py`."""

from __future__ import annotations

from typing import Final

from tests.behaviour.case import REMOVE, Case
from tests.behaviour.values import ACCOUNT, QUEUE, REGION, ROLE

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
ALIAS = "aws:kms/alias:Alias"
ACCESS_POINT = "aws:efs/accessPoint:AccessPoint"
ACL = "aws:wafv2/webAcl:WebAcl"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
BUCKET = "aws:s3/bucket:Bucket"
BUDGET = "aws:budgets/budget:Budget"
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
CACHE_GROUP = "aws:elasticache/parameterGroup:ParameterGroup"
CACHE_USER = "aws:elasticache/user:User"
CAPACITY = "aws:ecs/capacityProvider:CapacityProvider"
CLUSTER = "aws:ecs/cluster:Cluster"
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
DATABASE = "aws:rds/instance:Instance"
DISCOVERY = "aws:servicediscovery/service:Service"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
EVENT_RULE = "aws:cloudwatch/eventRule:EventRule"
EVENT_TARGET = "aws:cloudwatch/eventTarget:EventTarget"
FILE_SYSTEM = "aws:efs/fileSystem:FileSystem"
FLOW_LOG = "aws:ec2/flowLog:FlowLog"
FUNCTION = "aws:lambda/function:Function"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
IP_SET = "aws:wafv2/ipSet:IpSet"
LIFECYCLE = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
LISTENER = "aws:lb/listener:Listener"
LISTENER_RULE = "aws:lb/listenerRule:ListenerRule"
LOCK = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"
MACHINE = "aws:sfn/stateMachine:StateMachine"
LOG_POLICY = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
METRIC_FILTER = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
MOUNT_TARGET = "aws:efs/mountTarget:MountTarget"
NAT = "aws:ec2/natGateway:NatGateway"
NETWORK_ACL = "aws:ec2/networkAcl:NetworkAcl"
NETWORK_ACL_RULE = "aws:ec2/networkAclRule:NetworkAclRule"
OBJECT_LOCK = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
PARAMETER = "aws:ssm/parameter:Parameter"
PERMISSION = "aws:lambda/permission:Permission"
PLAN = "aws:backup/plan:Plan"
POLICY = "aws:iam/policy:Policy"
PROXY = "aws:rds/proxy:Proxy"
QUEUE_TYPE = "aws:sqs/queue:Queue"
RECORD = "aws:route53/record:Record"
REPOSITORY = "aws:ecr/repository:Repository"
RESTORE_PLAN = "aws:backup/restoreTestingPlan:RestoreTestingPlan"
ROLE_TYPE = "aws:iam/role:Role"
SERVICE_ROLE = "aws:iam/serviceLinkedRole:ServiceLinkedRole"
ROUTE_TABLE = "aws:ec2/routeTable:RouteTable"
SCALING_GROUP = "aws:autoscaling/group:Group"
SCALING_POLICY = "aws:appautoscaling/policy:Policy"
SCALING_TARGET = "aws:appautoscaling/target:Target"
SCANNING = "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration"
SCHEDULED = "aws:appautoscaling/scheduledAction:ScheduledAction"
SERVICE = "aws:ecs/service:Service"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
TARGET_GROUP = "aws:lb/targetGroup:TargetGroup"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
VAULT_POLICY = "aws:backup/vaultPolicy:VaultPolicy"
VPC = "aws:ec2/vpc:Vpc"
WAF_LOGGING = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"
ZONE = "aws:route53/zone:Zone"

C0 = "containerDefinitions[0]"
S0 = "policy.Statement[0]"
L0 = "policyDocument.Statement[0]"
TRACKING = "targetTrackingScalingPolicyConfiguration"
LABEL = f"{TRACKING}.predefinedMetricSpecification.resourceLabel"
COMMAND = "configuration.executeCommandConfiguration"
FIFO = f"arn:aws:sqs:{REGION}:{ACCOUNT}:tasks.fifo"

CONTAINERS: Final = [
    Case("shared processes", TASK, {"pidMode": "host"}, "pidMode", '"host" is not supported on Fargate'),
    Case("small disk", TASK, {"ephemeralStorage": {"sizeInGib": 20}}, "ephemeralStorage.sizeInGib", "must be at least 21, got 20"),
    Case("cpu text", TASK, {"cpu": "one"}, "cpu", 'expected a number such as "1024", got "one"'),
    Case("volume twice", TASK, {"volumes[1]": {"name": "dags"}}, "volumes[1].name", '"dags" is declared twice'),
    Case("no container", TASK, {"containerDefinitions": "[]"}, "containerDefinitions", "at least one container"),
    Case("container name", TASK, {"containerDefinitions[1].name": "side car"}, "containerDefinitions[1].name",
         "may hold letters, digits"),
    Case("container as text", TASK, {"containerDefinitions[1]": "sidecar"}, "containerDefinitions[1]",
         "expected an object"),
    Case("list in container", TASK, {f"{C0}.command": "scheduler"}, f"{C0}.command", "expected a list"),
    Case("map in container", TASK, {f"{C0}.dockerLabels": []}, f"{C0}.dockerLabels", "expected a map"),
    Case("label type", TASK, {f"{C0}.dockerLabels": {"a": 1}}, f"{C0}.dockerLabels.a", "expected a string"),
    Case("half a secret", TASK, {f"{C0}.secrets[0].name": REMOVE}, f"{C0}.secrets[0].name", "is required, but missing"),
    Case("unnamed variable", TASK, {f"{C0}.environment[1]": {"value": "x"}}, f"{C0}.environment[1].name", "is required"),
    Case("secret and variable", TASK, {f"{C0}.secrets[0].name": "AIRFLOW__CORE__EXECUTOR"}, f"{C0}.secrets[0].name",
         "is set twice"),
    Case("no port", TASK, {f"{C0}.portMappings[0]": {"protocol": "tcp"}}, f"{C0}.portMappings[0].containerPort",
         "is required, but missing"),
    Case("port range", TASK, {f"{C0}.portMappings[0].containerPort": 70000}, f"{C0}.portMappings[0].containerPort",
         "a port from 0 to 65535"),
    Case("port twice", TASK, {f"{C0}.portMappings[1]": {"containerPort": 8974}}, f"{C0}.portMappings[1].containerPort",
         "is mapped twice"),
    Case("mount nowhere", TASK, {f"{C0}.mountPoints[0].containerPath": REMOVE}, f"{C0}.mountPoints[0].containerPath",
         "is required, but missing"),
    Case("health command", TASK, {f"{C0}.healthCheck.command": ["true"]}, f"{C0}.healthCheck.command", 'begin with "CMD"'),
    Case("reservation", TASK, {f"{C0}.memory": 512, f"{C0}.memoryReservation": 512}, f"{C0}.memoryReservation",
         "must be less than memory 512"),
    Case("log driver", TASK, {f"{C0}.logConfiguration": {"logDriver": "json-file"}}, f"{C0}.logConfiguration.logDriver",
         "is not supported on Fargate"),
    Case("privileged", TASK, {f"{C0}.privileged": True}, f"{C0}.privileged", "is not supported on Fargate"),
    Case("host names", TASK, {f"{C0}.hostname": "a"}, f"{C0}.hostname", "is not supported with awsvpc"),
    Case("waiting for no health", TASK, {f"{C0}.healthCheck": REMOVE}, "containerDefinitions[1].dependsOn[0].condition",
         "has no healthCheck"),
    Case("placement", SERVICE, {"orderedPlacementStrategies": [{"type": "spread", "field": "host"}]},
         "orderedPlacementStrategies", "not supported on Fargate"),
    Case("platform", SERVICE, {"capacityProviderStrategies": REMOVE, "launchType": "EC2", "platformVersion": "1.4.0"},
         "platformVersion", "is for Fargate only"),
    Case("two bases", SERVICE,
         {"capacityProviderStrategies": [{"capacityProvider": "FARGATE", "weight": 1, "base": 1},
                                         {"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 1}]},
         "capacityProviderStrategies[1].base", "only one entry may have a base"),
    Case("no task", SERVICE, {"taskDefinition": REMOVE}, "taskDefinition", "is required unless"),
    Case("circuit breaker", SERVICE, {"deploymentController": {"type": "CODE_DEPLOY"}}, "deploymentCircuitBreaker",
         "does not go with the deployment controller CODE_DEPLOY"),
    Case("service name", SERVICE, {"name": "air flow"}, "name", "may hold letters, digits"),
    Case("no subnets", SERVICE, {"networkConfiguration.subnets": []}, "networkConfiguration.subnets",
         "needs at least one subnet"),
    Case("many groups", SERVICE, {"networkConfiguration.securityGroups": [f"sg-{n}" for n in range(6)]},
         "networkConfiguration.securityGroups", "takes at most 5, got 6"),
    Case("no target group", SERVICE, {"loadBalancers": [{"containerName": "web", "containerPort": 8080}]},
         "loadBalancers[0].targetGroupArn", "is required"),
    Case("override without logs", CLUSTER, {"configuration": {"executeCommandConfiguration": {"logging": "OVERRIDE"}}},
         f"{COMMAND}.logConfiguration", "is required with logging OVERRIDE"),
    Case("logs without override", CLUSTER,
         {"configuration": {"executeCommandConfiguration": {"logConfiguration": {"cloudWatchLogGroupName": "a"}}}},
         f"{COMMAND}.logging", "must be OVERRIDE"),
    Case("logs with default", CLUSTER,
         {"configuration": {"executeCommandConfiguration": {"logging": "DEFAULT",
                                                            "logConfiguration": {"cloudWatchLogGroupName": "a"}}}},
         f"{COMMAND}.logging", "must be OVERRIDE with a logConfiguration, got DEFAULT"),
    Case("no group", CAPACITY, {"autoScalingGroupProvider": REMOVE}, "autoScalingGroupProvider", "got none"),
    Case("group and cluster", CAPACITY, {"cluster": "airflow"}, "cluster", "must not be set"),
    Case("reserved name", CAPACITY, {"name": "ecs-workers"}, "name", "not begin with aws, ecs or fargate"),
    Case("termination protection", CAPACITY, {"autoScalingGroupProvider.managedScaling": REMOVE},
         "autoScalingGroupProvider.managedTerminationProtection", "needs managedScaling.status ENABLED"),
]  # fmt: skip

POLICIES: Final = [
    Case("statement list", POLICY, {"policy.Statement": []}, "policy", "at least one statement"),
    Case("statement text", POLICY, {S0: "Allow"}, "policy", "Statement[0] must be an object"),
    Case("top element", POLICY, {"policy.Statements": []}, "policy", '"Statements" is no element of a policy'),
    Case("no action", POLICY, {f"{S0}.Action": REMOVE}, "policy", "Action or NotAction is required"),
    Case("two actions", POLICY, {f"{S0}.NotAction": "s3:GetObject"}, "policy", "exclude each other"),
    Case("action type", POLICY, {f"{S0}.Action": 5}, "policy", "Action must be a text or a list of texts"),
    Case("no resource", POLICY, {f"{S0}.Resource": REMOVE}, "policy", "Resource or NotResource is required"),
    Case("sid", POLICY, {f"{S0}.Sid": "read all"}, "policy", "letters and digits only"),
    Case("condition list", POLICY, {f"{S0}.Condition": ["x"]}, "policy", "Condition must look like"),
    Case("condition value", POLICY, {f"{S0}.Condition": {"Bool": {"aws:SecureTransport": "maybe"}}}, "policy",
         "a Bool or Null condition needs true or false"),
    Case("same sid", POLICY, {"policy.Statement[1]": {"Sid": "One", "Effect": "Deny", "Action": "s3:GetObject",
                                                      "Resource": "*"}}, "policy", 'the Sid "One" is used twice'),
    Case("duplicate key", POLICY, {"policy": '{"Version": "2012-10-17", "Version": "2012-10-17"}'}, "policy",
         'duplicate JSON key "Version"'),
    Case("empty policy", POLICY, {"policy": ""}, "policy", "got an empty string"),
    Case("too long", POLICY, {f"{S0}.Resource": [f"arn:aws:s3:::releases/{n:0100}" for n in range(60)]}, "policy",
         "cannot be longer than 6144 characters"),
    Case("inline policy", ROLE_TYPE, {"inlinePolicies": [{"name": "a", "policy": '{"Version": "2012-10-17"}'}]},
         "inlinePolicies[0].policy", "at least one statement"),
    Case("principal kind", ROLE_TYPE, {"assumeRolePolicy.Statement[0].Principal": {"Role": "x"}}, "assumeRolePolicy",
         '"Role" is no kind of principal'),
    Case("principal text", ROLE_TYPE, {"assumeRolePolicy.Statement[0].Principal": "ecs"}, "assumeRolePolicy",
         'Principal must be "*" or an object'),
    Case("principal account", ROLE_TYPE, {"assumeRolePolicy.Statement[0].Principal": {"AWS": "worker"}},
         "assumeRolePolicy", "unknown principal: worker"),
    Case("description", ROLE_TYPE, {"description": "\u201cquoted\u201d"}, "description", "Latin-1"),
    Case("no service", SERVICE_ROLE, {"awsServiceName": REMOVE}, "awsServiceName", "is required"),
    Case("end of the service", SERVICE_ROLE, {"awsServiceName": "ecs.amazonaws.com.de"}, "awsServiceName", "does not match"),
    Case("unknown service", SERVICE_ROLE, {"awsServiceName": "x.amazonaws.com"}, "awsServiceName",
         'does not know the role of "x.amazonaws.com"; the services it knows: autoscaling.amazonaws.com, '),
    Case("needless suffix", SERVICE_ROLE, {"customSuffix": "airflow"}, "customSuffix",
         "Custom suffix is not allowed for ecs.amazonaws.com"),
    Case("long suffix", SERVICE_ROLE, {"customSuffix": "a" * 65}, "customSuffix", "longer than 64 characters"),
    Case("long description", SERVICE_ROLE, {"description": "a" * 1001}, "description", "longer than 1000 characters"),
    Case("description", SERVICE_ROLE, {"description": "\u201cquoted\u201d"}, "description", "Latin-1"),
    Case("provider url", "aws:iam/openIdConnectProvider:OpenIdConnectProvider", {"url": "http://example.com"}, "url",
         "expected a URL with https"),
    Case("queue policy", "aws:sqs/queuePolicy:QueuePolicy", {f"{S0}.Action": "sqs:Send"}, "policy",
         "Unknown action sqs:Send"),
]  # fmt: skip

NETWORK: Final = [
    Case("loopback", VPC, {"cidrBlock": "127.0.0.0/16"}, "cidrBlock", "cannot be used by a VPC"),
    Case("names without resolver", VPC, {"enableDnsSupport": False}, "enableDnsHostnames", "needs enableDnsSupport"),
    Case("two zones", "aws:ec2/subnet:Subnet", {"availabilityZoneId": "euw1-az1"}, "availabilityZone",
         "conflicts with availabilityZoneId"),
    Case("cache zone", CACHE, {"preferredCacheClusterAzs": ["eu-west-1a", "us-east-1b"]},
         "preferredCacheClusterAzs[1]", '"us-east-1b" is no zone of eu-west-1'),
    Case("zonal without subnet", NAT, {"subnetId": REMOVE}, "subnetId", "is required for a zonal NAT gateway"),
    Case("regional with subnet", NAT, {"availabilityMode": "regional", "vpcId": "vpc-0a", "allocationId": REMOVE},
         "subnetId", "is not supported with availabilityMode regional"),
    Case("regional without network", NAT, {"availabilityMode": "regional", "subnetId": REMOVE, "allocationId": REMOVE},
         "vpcId", "is required with availabilityMode regional"),
    Case("public with count", NAT, {"secondaryPrivateIpAddressCount": 1}, "secondaryPrivateIpAddressCount",
         "is not supported with connectivityType public"),
    Case("route to nowhere", ROUTE_TABLE, {"routes[0].gatewayId": REMOVE}, "routes[0].carrierGatewayId",
         "a route needs one target"),
    Case("two targets", ROUTE_TABLE, {"routes[0].natGatewayId": "nat-0a"}, "routes[0].natGatewayId",
         "a route takes one target, got gatewayId and natGatewayId"),
    Case("role for bucket", FLOW_LOG, {"logDestinationType": "s3", "logDestination": "arn:aws:s3:::logs"}, "iamRoleArn",
         "must not be set with an S3 destination"),
    Case("nowhere to log", FLOW_LOG, {"logDestination": REMOVE}, "logDestination", "is required"),
    Case("rule number twice", NETWORK_ACL, {"ingress[1].ruleNo": 100}, "ingress[1].ruleNo", "100 is used twice"),
    Case("ports of all", NETWORK_ACL, {"ingress[1].toPort": 80}, "ingress[1].fromPort", "must be 0 with protocol -1"),
    Case("entry without block", NETWORK_ACL, {"ingress[0].cidrBlock": REMOVE}, "ingress[0].cidrBlock", "is required"),
    Case("rule without block", NETWORK_ACL_RULE, {"cidrBlock": REMOVE}, "cidrBlock", "is required, got none"),
    Case("user data", TEMPLATE, {"userData": "#!/bin/sh"}, "userData", "must be base64 text"),
    Case("groups twice", TEMPLATE, {"networkInterfaces[0].securityGroups": ["sg-0a"]}, "vpcSecurityGroupIds",
         "conflicts with networkInterfaces.securityGroups"),
    Case("group description", GROUP, {"description": "Wor\u00fcker"}, "description", "may hold letters"),
    Case("group port", GROUP, {"egress[0].protocol": "tcp", "egress[0].toPort": 70000}, "egress[0].toPort",
         "must be a port from 0 to 65535"),
    Case("block without mask", INGRESS, {"referencedSecurityGroupId": REMOVE, "cidrIpv4": "10.0.0.1"}, "cidrIpv4",
         "expected an IPv4 CIDR block"),
    Case("no service", ENDPOINT, {"serviceName": REMOVE}, "serviceName", "is required, got none"),
    Case("gateway of logs", ENDPOINT,
         {"vpcEndpointType": "Gateway", "subnetIds": REMOVE, "securityGroupIds": REMOVE, "privateDnsEnabled": REMOVE},
         "vpcEndpointType", "Gateway endpoints exist for s3, dynamodb only"),
    Case("redirect without block", LISTENER, {"defaultActions[0]": {"type": "redirect"}}, "defaultActions[0].redirect",
         "is required for type redirect"),
    Case("certificate for HTTP", LISTENER, {"protocol": "HTTP"}, "certificateArn", "must not be set with protocol HTTP"),
    Case("two conditions in one", LISTENER_RULE, {"conditions[0].hostHeader": {"values": ["a.example.com"]}},
         "conditions[0]", "is required, got hostHeader and pathPattern"),
    Case("many values", LISTENER_RULE, {"conditions[0].pathPattern.values": [f"/{n}" for n in range(6)]}, "conditions",
         "at most 5 values, got 6"),
    Case("gateway with groups", BALANCER, {"loadBalancerType": "gateway"}, "securityGroups", "are not supported"),
    Case("network idle", BALANCER, {"loadBalancerType": "network", "idleTimeout": 60}, "idleTimeout",
         "is for application load balancers only"),
    Case("logs without bucket", BALANCER, {"accessLogs": {"enabled": True}}, "accessLogs.bucket", "is required"),
    Case("prefix of logs", BALANCER,
         {"connectionLogs": {"bucket": "logs", "prefix": "web/AWSLogs", "enabled": True}}, "connectionLogs.prefix",
         "must not hold AWSLogs"),
    Case("TCP path", TARGET_GROUP, {"protocol": "TCP", "healthCheck.protocol": "TCP"}, "healthCheck.path",
         "must not be set with health check protocol TCP"),
    Case("TCP for HTTP", TARGET_GROUP, {"healthCheck": {"protocol": "TCP"}}, "healthCheck.protocol",
         "cannot be TCP with protocol HTTP"),
    Case("no values", RECORD, {"records": REMOVE, "ttl": REMOVE}, "aliases", "is required, got none"),
    Case("two policies", RECORD,
         {"setIdentifier": "a", "weightedRoutingPolicies": [{"weight": 1}],
          "latencyRoutingPolicies": [{"region": REGION}]},
         "latencyRoutingPolicies", "conflicts with weightedRoutingPolicies"),
    Case("policy without id", RECORD, {"multivalueAnswerRoutingPolicy": True}, "multivalueAnswerRoutingPolicy",
         "needs setIdentifier as well"),
    Case("two names", RECORD, {"type": "CNAME", "records": ["a.example.com", "b.example.com"]}, "records",
         "a CNAME has one value, got 2"),
    Case("long text", RECORD, {"type": "TXT", "records": ["x" * 256]}, "records[0]", "must be split"),
    Case("zone name", ZONE, {"name": "air flow"}, "name", "is not a domain name"),
    Case("namespace name", "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace", {"name": "a" * 254}, "name",
         "cannot be longer than 253"),
    Case("discovery name", DISCOVERY, {"name": "a b"}, "name", "labels of letters"),
    Case("two health checks", DISCOVERY, {"healthCheckConfig": {"type": "TCP"}, "healthCheckCustomConfig": {}},
         "healthCheckCustomConfig", "conflicts with healthCheckConfig"),
    Case("HTTP with DNS", DISCOVERY, {"type": "HTTP"}, "dnsConfig", "is not allowed for a service of type HTTP"),
    Case("cname routing", DISCOVERY, {"dnsConfig.dnsRecords[0].type": "CNAME"}, "dnsConfig.routingPolicy", "WEIGHTED"),
    Case("record kinds", DISCOVERY, {"dnsConfig.dnsRecords[1]": {"type": "SRV", "ttl": 10}}, "dnsConfig.dnsRecords",
         "do not go together"),
    Case("address family", IP_SET, {"addresses[0]": "2001:db8::/56"}, "addresses[0]", "is not of IPV4"),
    Case("whole world", IP_SET, {"addresses[0]": "0.0.0.0/0"}, "addresses[0]", "must not be /0"),
    Case("no default action", ACL, {"defaultAction": {}}, "defaultAction.allow", "is required, got none"),
    Case("same priority", ACL, {"rules[1].priority": 1}, "rules[1].priority", "1 is used twice"),
    Case("action of a group", ACL, {"rules[0].overrideAction": REMOVE, "rules[0].action": {"block": {}}},
         "rules[0].action", "must be overrideAction for a rule group"),
    Case("override of a statement", ACL, {"rules[1].action": REMOVE, "rules[1].overrideAction": {"none": {}}},
         "rules[1].overrideAction", "is for rule groups only"),
    Case("log name", WAF_LOGGING, {"logDestinationConfigs[0]": "arn:aws:s3:::logs"}, "logDestinationConfigs[0]",
         "must begin with aws-waf-logs-"),
]  # fmt: skip

DATA: Final = [
    Case("two dots", BUCKET, {"bucket": "air..flow"}, "bucket", "two dots"),
    Case("reserved end", BUCKET, {"bucket": "airflow-s3alias"}, "bucket", "keeps for itself"),
    Case("prefix", BUCKET, {"bucket": REMOVE, "bucketPrefix": "Air"}, "bucketPrefix", "lower case letters"),
    Case("public acl", BUCKET, {"acl": "public-read"}, "acl", "BucketOwnerEnforced"),
    Case("days and years", OBJECT_LOCK, {"rule.defaultRetention.years": 1}, "rule.defaultRetention.days",
         "conflicts with years"),
    Case("no mode", OBJECT_LOCK, {"rule.defaultRetention.mode": REMOVE}, "rule.defaultRetention.mode", "is required"),
    Case("delete by MFA", "aws:s3/bucketVersioning:BucketVersioning", {"versioningConfiguration.mfaDelete": "Enabled"},
         "mfa", "is required with mfaDelete"),
    Case("id twice", "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
         {"rules[1]": {"id": "old", "status": "Enabled", "expiration": {"days": 9}}}, "rules[1].id", "is used twice"),
    Case("long alias", ALIAS, {"name": "alias/" + "a" * 251}, "name", "cannot be longer than 256"),
    Case("period without rotation", "aws:kms/key:Key", {"enableKeyRotation": False, "rotationPeriodInDays": 90},
         "rotationPeriodInDays", "needs enableKeyRotation true"),
    Case("no source", DATABASE, {"username": REMOVE}, "username", "is required unless one of"),
    Case("aurora", DATABASE, {"engine": "aurora-postgresql"}, "engine", "belong to aws:rds/clusterInstance"),
    Case("password", DATABASE, {"manageMasterUserPassword": REMOVE, "password": "p@ss word"}, "password",
         "8 to 128 printable characters"),
    Case("iops", DATABASE, {"storageType": "io2"}, "iops", "is required with storageType io2"),
    Case("throughput", DATABASE, {"storageType": "gp2", "storageThroughput": 500}, "storageThroughput", "gp3 only"),
    Case("small gp3", DATABASE, {"iops": 12000}, "iops", "needs at least 400 GiB"),
    Case("insights days", DATABASE, {"performanceInsightsRetentionPeriod": 7}, "performanceInsightsRetentionPeriod",
         "needs performanceInsightsEnabled true"),
    Case("advanced insights", DATABASE, {"databaseInsightsMode": "advanced"}, "databaseInsightsMode", "465 or more"),
    Case("replica by name", DATABASE, {"replicateSourceDb": "airflow", "dbSubnetGroupName": "a", "username": REMOVE,
                                           "manageMasterUserPassword": REMOVE}, "replicateSourceDb",
         "must be an ARN"),
    Case("parameter twice", "aws:rds/parameterGroup:ParameterGroup",
         {"parameters[1]": {"name": "rds.force_ssl", "value": "0"}}, "parameters[1].name", "is given twice"),
    Case("proxy without auth", PROXY, {"auths": REMOVE}, "auths", "is required unless"),
    Case("proxy subnet", PROXY, {"vpcSubnetIds": ["subnet-0a"]}, "vpcSubnetIds", "at least 2 zones"),
    Case("proxy name", PROXY, {"name": "a" * 64}, "name", "cannot be longer than 63"),
    Case("proxy timeout", PROXY, {"idleClientTimeout": 0}, "idleClientTimeout", "must be 1 to 28800"),
    Case("proxy TLS", PROXY, {"requireTls": False}, "auths[0].iamAuth", "REQUIRED needs requireTls true"),
    Case("proxy target", "aws:rds/proxyTarget:ProxyTarget", {"dbInstanceIdentifier": REMOVE}, "dbClusterIdentifier",
         "is required, got none"),
    Case("source type", "aws:rds/eventSubscription:EventSubscription", {"sourceType": REMOVE}, "sourceType",
         "is required with sourceIds"),
    Case("no node", CACHE, {"nodeType": REMOVE}, "nodeType", "is required unless"),
    Case("tiering", CACHE, {"nodeType": "cache.r6gd.xlarge"}, "dataTieringEnabled", "must be true for cache.r6gd"),
    Case("no tiering", CACHE, {"dataTieringEnabled": True}, "dataTieringEnabled", "is for r6gd nodes only"),
    Case("delete token", CACHE, {"authTokenUpdateStrategy": "DELETE"}, "authTokenUpdateStrategy", "to be left out"),
    Case("strategy without token", CACHE, {"authToken": REMOVE, "authTokenUpdateStrategy": "SET"},
         "authTokenUpdateStrategy", "SET needs authToken"),
    Case("group name", CACHE_GROUP, {"name": "a--b"}, "name", "single hyphens"),
    Case("user name", CACHE_USER, {"userName": "other"}, "userName", 'must equal userId "worker"'),
    Case("user id", CACHE_USER, {"engine": "redis", "userId": "1worker", "authenticationMode": REMOVE, "noPasswordRequired": True}, "userId",
         "beginning with a letter"),
    Case("password and none", CACHE_USER,
         {"engine": "redis", "authenticationMode": REMOVE, "noPasswordRequired": True, "passwords": ["abcdefghijklmnop"]},
         "passwords", "conflicts with noPasswordRequired"),
    Case("valkey without password", CACHE_USER, {"authenticationMode": {"type": "no-password-required"}},
         "authenticationMode", "not allowed for a user with engine Valkey"),
    Case("group id", "aws:elasticache/userGroup:UserGroup", {"userGroupId": "a_b"}, "userGroupId", "letters, digits"),
    Case("provisioned", FILE_SYSTEM, {"throughputMode": "provisioned"}, "provisionedThroughputInMibps", "is required"),
    Case("not provisioned", FILE_SYSTEM, {"provisionedThroughputInMibps": 10}, "provisionedThroughputInMibps",
         "needs throughputMode provisioned, got elastic"),
    Case("maxIO", FILE_SYSTEM, {"performanceMode": "maxIO"}, "performanceMode", "does not go with elastic"),
    Case("negative id", ACCESS_POINT, {"posixUser.uid": -1}, "posixUser.uid", "must be 0 to"),
    Case("deep path", ACCESS_POINT, {"rootDirectory.path": "/a/b/c/d/e"}, "rootDirectory.path", "up to 4 levels"),
    Case("second address", MOUNT_TARGET, {"ipv6Address": "2001:db8::1"}, "ipv6Address", "needs ipAddressType"),
    Case("exclusions", REPOSITORY, {"imageTagMutabilityExclusionFilters": [{"filter": "v*", "filterType": "WILDCARD"}]},
         "imageTagMutabilityExclusionFilters", "needs imageTagMutability"),
    Case("no rule", LIFECYCLE, {"policy.rules": []}, "policy", 'a list of "rules"'),
    Case("no selection", LIFECYCLE, {"policy.rules[0].selection": REMOVE}, "policy", "needs a selection"),
    Case("no priority", LIFECYCLE, {"policy.rules[0].rulePriority": 0}, "policy", "needs a rulePriority"),
    Case("selection key", LIFECYCLE, {"policy.rules[0].selection.tags": []}, "policy", "is not a key of a selection"),
    Case("no tags", LIFECYCLE, {"policy.rules[0].selection.tagStatus": "tagged"}, "policy", "is required with tagStatus"),
    Case("count type", LIFECYCLE, {"policy.rules[0].selection.countType": "days"}, "policy", "countType must be"),
    Case("count", LIFECYCLE, {"policy.rules[0].selection.countNumber": "20"}, "policy", "countNumber must be"),
    Case("count unit", LIFECYCLE, {"policy.rules[0].selection.countType": "sinceImagePushed"}, "policy", "countUnit"),
    Case("no expiry", LIFECYCLE, {"policy.rules[0].action.type": "keep"}, "policy", "action.type must be expire"),
    Case("basic scan", SCANNING, {"scanType": "BASIC"}, "rules[0].scanFrequency", "needs scanType ENHANCED"),
    Case("secret as file", PARAMETER, {"type": "SecureString", "value": REMOVE, "insecureValue": "a"}, "insecureValue",
         "is not for type SecureString"),
    Case("no parameter value", PARAMETER, {"value": REMOVE}, "insecureValue", "is required, got none"),
    Case("reserved parameter", PARAMETER, {"name": "/aws/release"}, "name", "must not begin with aws"),
    Case("large parameter", PARAMETER, {"value": "x" * 4097}, "value", "takes at most 4096 bytes in tier Standard"),
    Case("large secret", "aws:secretsmanager/secretVersion:SecretVersion", {"secretString": "x" * 65537}, "secretString",
         "takes at most 65536 bytes"),
    Case("rotation", "aws:secretsmanager/secretRotation:SecretRotation", {"rotationRules": REMOVE}, "rotationRules",
         "is required unless rotationEnabled is false"),
    Case("fifo for standard", QUEUE_TYPE, {"name": "a.fifo"}, "name", '"a.fifo" needs fifoQueue true'),
    Case("waiting", QUEUE_TYPE, {"receiveWaitTimeSeconds": 21}, "receiveWaitTimeSeconds", "must be 0 to 20"),
    Case("redrive list", QUEUE_TYPE, {"redrivePolicy": "[]"}, "redrivePolicy", "must be a JSON object"),
    Case("redrive target", QUEUE_TYPE, {"redrivePolicy.deadLetterTargetArn": "dead"}, "redrivePolicy", "ARN of a queue"),
    Case("firehose role", SUBSCRIPTION, {"protocol": "firehose", "endpoint": ROLE}, "subscriptionRoleArn", "is required"),
    Case("queue endpoint", SUBSCRIPTION, {"protocol": "sqs"}, "endpoint", "expected an ARN with protocol sqs"),
    Case("url endpoint", SUBSCRIPTION, {"protocol": "https"}, "endpoint", "expected a URL with https"),
]  # fmt: skip

OPERATIONS: Final = [
    Case("key without object", FUNCTION, {"s3Key": REMOVE}, "s3Bucket", "needs s3Key as well"),
    Case("no code", FUNCTION, {"s3Bucket": REMOVE, "s3Key": REMOVE}, "code", "is required, got none"),
    Case("no image", FUNCTION, {"packageType": "Image", "handler": REMOVE, "runtime": REMOVE, "s3Bucket": REMOVE,
                                "s3Key": REMOVE}, "code", "is required, got none"),
    Case("retired runtime", FUNCTION, {"runtime": "python3.8"}, "runtime", "is retired"),
    Case("function name", FUNCTION, {"name": "a" * 65}, "name", "cannot be longer than 64"),
    Case("large memory", FUNCTION, {"memorySize": 20000}, "memorySize", "must be at most 10240 MB"),
    Case("log level", FUNCTION, {"loggingConfig": {"logFormat": "Text", "systemLogLevel": "WARN"}},
         "loggingConfig.systemLogLevel", "needs logFormat JSON"),
    Case("environment size", FUNCTION, {"environment.variables": {"A": "x" * 4096}}, "environment.variables",
         "takes at most 4096 bytes"),
    Case("url permission", PERMISSION, {"functionUrlAuthType": "AWS_IAM"}, "functionUrlAuthType", "needs action"),
    Case("function of permission", PERMISSION, {"function": "a" * 65}, "function", "at most 64 characters"),
    Case("payload", "aws:lambda/invocation:Invocation", {"input": "[1]"}, "input", "must be a JSON object"),
    Case("start state", MACHINE, {"definition.StartAt": "Begin"}, "definition", 'must name one of the states, got "Begin"'),
    Case("no states", MACHINE, {"definition.States": {}}, "definition", "needs States"),
    Case("definition text", MACHINE, {"definition": "Wait"}, "definition", "contains invalid JSON"),
    Case("next state", MACHINE, {"definition.States.Wait.Next": "Gone"}, "definition", 'there is no state "Gone"'),
    Case("no end", MACHINE, {"definition.States.Wait.Next": REMOVE}, "definition", '"Wait" needs Next or End'),
    Case("no type", MACHINE, {"definition.States.Done": {}}, "definition", '"Done" needs a Type'),
    Case("log destination", MACHINE, {"loggingConfiguration.logDestination": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:a"},
         "loggingConfiguration.logDestination", 'must end with ":*"'),
    Case("no namespace", ALARM, {"namespace": REMOVE}, "namespace", "is required with metricName"),
    Case("alarm actions", ALARM, {"alarmActions": [f"{QUEUE}{n}" for n in range(6)]}, "alarmActions", "at most 5"),
    Case("data points", ALARM, {"datapointsToAlarm": 4}, "datapointsToAlarm", "must not be above evaluationPeriods 3"),
    Case("missing data", ALARM, {"treatMissingData": "alarm"}, "treatMissingData", "allowed: breaching"),
    Case("query", ALARM,
         {"metricName": REMOVE, "statistic": REMOVE, "period": REMOVE, "namespace": REMOVE,
          "metricQueries": [{"id": "a", "expression": "b", "returnData": True,
                             "metric": {"metricName": "a", "period": 60, "stat": "Sum"}}]},
         "metricQueries[0].expression", "conflicts with metric"),
    Case("widget region", DASHBOARD, {"dashboardBody.widgets[0].properties": {}}, "dashboardBody", "region is required"),
    Case("widget type", DASHBOARD, {"dashboardBody.widgets[0].type": REMOVE}, "dashboardBody", "widgets[0] needs a type"),
    Case("widgets", DASHBOARD, {"dashboardBody": "[]"}, "dashboardBody", 'a list of "widgets"'),
    Case("default and dimensions", METRIC_FILTER, {"metricTransformation.dimensions": {"a": "$.a"}},
         "metricTransformation.defaultValue", "conflicts with dimensions"),
    Case("default text", METRIC_FILTER, {"metricTransformation.defaultValue": "none"},
         "metricTransformation.defaultValue", "expected a number"),
    Case("policy of nothing", LOG_POLICY, {"policyName": REMOVE}, "policyName", "exactly one of policyName, resourceArn"),
    Case("policy of both", LOG_POLICY, {"resourceArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:a"}, "policyName",
         "exactly one of policyName, resourceArn is allowed"),
    Case("who may log", LOG_POLICY, {f"{L0}.Principal": REMOVE}, "policyDocument", "Principal"),
    Case("long log policy", LOG_POLICY, {f"{L0}.Resource": [f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{n}:*"
                                                            for n in range(120)]},
         "policyDocument", "cannot be longer than 5120 characters"),
    Case("everything with a topic", TOPIC_POLICY, {f"{S0}.Action[0]": "sns:*"}, "policy",
         "policy statement action out of service scope: sns:*"),
    Case("new topics", TOPIC_POLICY, {f"{S0}.Action[0]": "sns:CreateTopic"}, "policy", "out of service scope"),
    Case("other bus", EVENT_RULE, {"eventBusName": "airflow"}, "scheduleExpression", "default event bus only"),
    Case("target role", EVENT_TARGET, {"arn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/a"}, "roleArn", "is required"),
    Case("message group", EVENT_TARGET, {"arn": FIFO}, "sqsTarget.messageGroupId", "is required for a FIFO queue"),
    Case("event age", EVENT_TARGET, {"retryPolicy": {"maximumEventAgeInSeconds": 30}},
         "retryPolicy.maximumEventAgeInSeconds", "must be at least 60"),
    Case("window off", "aws:scheduler/schedule:Schedule", {"flexibleTimeWindow.maximumWindowInMinutes": 5},
         "flexibleTimeWindow.maximumWindowInMinutes", "must not be set with mode OFF"),
    Case("namespace", SCALING_TARGET, {"serviceNamespace": "airflow"}, "serviceNamespace", "allowed: appstream"),
    Case("dimension", SCALING_TARGET, {"scalableDimension": "rds:cluster:ReadReplicaCount"}, "scalableDimension",
         "does not belong to ecs"),
    Case("ecs dimension", SCALING_TARGET, {"scalableDimension": "ecs:service:Count"}, "scalableDimension",
         "must be ecs:service:DesiredCount"),
    Case("cron of scaling", SCHEDULED, {"schedule": "0 18 * * *"}, "schedule", "cron(...) with 6 fields"),
    Case("scheduled capacities", SCHEDULED, {"scalableTargetAction.minCapacity": 1}, "scalableTargetAction.maxCapacity",
         "must not be below minCapacity 1"),
    Case("label", SCALING_POLICY,
         {f"{TRACKING}.predefinedMetricSpecification.predefinedMetricType": "ALBRequestCountPerTarget"}, LABEL,
         "is required for ALBRequestCountPerTarget"),
    Case("needless label", SCALING_POLICY, {LABEL: "a"}, LABEL, "is for ALBRequestCountPerTarget only"),
    Case("second block", SCALING_POLICY, {"stepScalingPolicyConfiguration": {}}, "stepScalingPolicyConfiguration",
         "does not belong to policyType TargetTrackingScaling"),
    Case("sizes", SCALING_GROUP, {"minSize": 3, "desiredCapacity": REMOVE}, "maxSize", "must not be below minSize 3"),
    Case("wanted size", SCALING_GROUP, {"desiredCapacity": 5}, "desiredCapacity", "between minSize 0 and maxSize 2"),
    Case("nowhere", SCALING_GROUP, {"vpcZoneIdentifiers": REMOVE}, "vpcZoneIdentifiers", "at least one subnet"),
    Case("life time", SCALING_GROUP, {"maxInstanceLifetime": 60}, "maxInstanceLifetime", "0 or 86400"),
    Case("reserved tag", SCALING_GROUP, {"tags[0].key": "aws:owner"}, "tags[0].key", "must not begin with aws:"),
    Case("start window", PLAN, {"rules[0].startWindow": 30}, "rules[0].startWindow", "at least 60 minutes"),
    Case("completion", PLAN, {"rules[0].startWindow": 60, "rules[0].completionWindow": 90}, "rules[0].completionWindow",
         "at least startWindow + 60"),
    Case("continuous", PLAN, {"rules[0].enableContinuousBackup": True, "rules[0].lifecycle.deleteAfter": 40},
         "rules[0].lifecycle.deleteAfter", "at most 35 for continuous backup"),
    Case("plan name", PLAN, {"name": "a b"}, "name", "letters, digits"),
    Case("nothing selected", "aws:backup/selection:Selection", {"resources": REMOVE}, "resources", "got none"),
    Case("lock order", LOCK, {"maxRetentionDays": 5}, "maxRetentionDays", "must not be below minRetentionDays 7"),
    Case("lock days", LOCK, {"changeableForDays": 1}, "changeableForDays", "must be at least 3"),
    Case("least days", LOCK, {"minRetentionDays": 0}, "minRetentionDays", "must be at least 1"),
    Case("most days", LOCK, {"maxRetentionDays": 36501}, "maxRetentionDays", "must be at most 36500"),
    Case("no vault", VAULT_POLICY, {"backupVaultName": REMOVE}, "backupVaultName", "is required"),
    Case("no policy", VAULT_POLICY, {"policy": "deny"}, "policy", "JSON"),
    Case("wildcard of a vault", VAULT_POLICY, {f"{S0}.Action[0]": "backup:Delete*"}, "policy",
         '"backup:Delete*" is no action: a vault\'s policy takes no wildcard'),
    Case("vault", RESTORE_PLAN, {"recoveryPointSelection.includeVaults": ["airflow"]},
         "recoveryPointSelection.includeVaults[0]", 'expected an ARN or "*"'),
    Case("amount", BUDGET, {"limitAmount": "100 USD"}, "limitAmount", "expected a decimal number"),
    Case("no amount", BUDGET, {"limitAmount": REMOVE}, "limitAmount", "is required without"),
    Case("start", BUDGET, {"timePeriodStart": "2026-01-01"}, "timePeriodStart", "expected the form"),
    Case("budget name", BUDGET, {"name": "a:b"}, "name", "without :"),
    Case("nobody told", BUDGET, {"notifications[0].subscriberSnsTopicArns": REMOVE},
         "notifications[0].subscriberEmailAddresses", "needs an e-mail address or an SNS topic"),
    Case("many names", "aws:acm/certificate:Certificate",
         {"subjectAlternativeNames": [f"{n}.example.com" for n in range(10)]}, "subjectAlternativeNames", "at most 10"),
    Case("vault key", "aws:backup/vault:Vault", {"kmsKeyArn": "key"}, "kmsKeyArn", "expected an ARN"),
]  # fmt: skip

RARE_CASES: Final = [*CONTAINERS, *POLICIES, *NETWORK, *DATA, *OPERATIONS]
"""More wrong inputs."""
