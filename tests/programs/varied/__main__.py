"""300 resources of 20 types with typed SDK classes: what a preview of a larger stack costs (`make bench`)."""

import json

import pulumi
import pulumi_aws as aws

GROUPS = 15
"""Every group has 20 resources."""

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Tasks",
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)

provider = aws.Provider(
    "account",
    region="eu-west-1",
    allowed_account_ids=["111111111111"],
    default_tags={"tags": {"project": "bench"}},
)
options = pulumi.ResourceOptions(provider=provider)
network = aws.ec2.Vpc("network", cidr_block="10.0.0.0/16", opts=options)


def statement(action: str, resource: pulumi.Input[str]) -> pulumi.Output[str]:
    """Return a policy that allows one action on one resource."""
    allow = {"Sid": "Only", "Effect": "Allow", "Action": [action], "Resource": [resource]}
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": [allow]})


def group(index: int) -> None:
    """Register 20 resources that refer to each other."""
    name = f"group-{index}"
    key = aws.kms.Key(name, enable_key_rotation=True, opts=options)
    aws.kms.Alias(name, name=f"alias/{name}", target_key_id=key.key_id, opts=options)
    logs = aws.cloudwatch.LogGroup(name, retention_in_days=30, opts=options)
    bucket = aws.s3.Bucket(name, opts=options)
    aws.s3.BucketVersioning(
        name, bucket=bucket.bucket, versioning_configuration={"status": "Enabled"}, opts=options
    )
    aws.s3.BucketPublicAccessBlock(
        name,
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=options,
    )
    role = aws.iam.Role(name, assume_role_policy=TRUST, opts=options)
    aws.iam.RolePolicy(
        name,
        role=role.id,
        policy=statement("s3:GetObject", pulumi.Output.concat(bucket.arn, "/*")),
        opts=options,
    )
    guard = aws.ec2.SecurityGroup(name, vpc_id=network.id, description=f"Tasks of {name}", opts=options)
    aws.vpc.SecurityGroupIngressRule(
        name,
        security_group_id=guard.id,
        ip_protocol="tcp",
        from_port=8080,
        to_port=8080,
        cidr_ipv4="10.0.0.0/16",
        opts=options,
    )
    aws.vpc.SecurityGroupEgressRule(
        name, security_group_id=guard.id, ip_protocol="-1", cidr_ipv4="0.0.0.0/0", opts=options
    )
    queue = aws.sqs.Queue(name, visibility_timeout_seconds=120, sqs_managed_sse_enabled=True, opts=options)
    topic = aws.sns.Topic(name, opts=options)
    aws.sns.TopicSubscription(name, topic=topic.arn, protocol="sqs", endpoint=queue.arn, opts=options)
    cluster = aws.ecs.Cluster(
        name, settings=[{"name": "containerInsights", "value": "enabled"}], opts=options
    )
    aws.ecs.ClusterCapacityProviders(
        name, cluster_name=cluster.name, capacity_providers=["FARGATE", "FARGATE_SPOT"], opts=options
    )
    container = {
        "name": "main",
        "image": "111111111111.dkr.ecr.eu-west-1.amazonaws.com/main@sha256:" + "0" * 64,
        "essential": True,
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": logs.name,
                "awslogs-region": "eu-west-1",
                "awslogs-stream-prefix": "main",
            },
        },
    }
    aws.ecs.TaskDefinition(
        name,
        family=name,
        cpu="256",
        memory="512",
        network_mode="awsvpc",
        requires_compatibilities=["FARGATE"],
        execution_role_arn=role.arn,
        task_role_arn=role.arn,
        container_definitions=pulumi.Output.json_dumps([container]),
        opts=options,
    )
    aws.ssm.Parameter(name, type="String", value=cluster.arn, opts=options)
    aws.secretsmanager.Secret(name, kms_key_id=key.arn, recovery_window_in_days=7, opts=options)
    aws.ecr.Repository(name, image_tag_mutability="IMMUTABLE", opts=options)


for number in range(GROUPS):
    group(number)
