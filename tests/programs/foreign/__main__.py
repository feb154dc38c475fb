"""An order queue worked off by a function: network, bucket, role, queue; with the default provider and no awsx."""

import json

import pulumi
import pulumi_aws as aws

config = pulumi.Config()
region = aws.get_region()
account = aws.get_caller_identity().account_id

network = aws.ec2.Vpc("orders", cidr_block="172.20.0.0/16", enable_dns_hostnames=True)
zones = aws.get_availability_zones(state="available").names[:2]
subnets = [
    aws.ec2.Subnet(
        f"orders-{index}", vpc_id=network.id, cidr_block=f"172.20.{index}.0/24", availability_zone=zone
    )
    for index, zone in enumerate(zones)
]
inside = aws.ec2.SecurityGroup(
    "inside",
    vpc_id=network.id,
    ingress=[{"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": [network.cidr_block]}],
)
outward = aws.ec2.SecurityGroup(
    "outward",
    vpc_id=network.id,
    egress=[{"protocol": "tcp", "from_port": 443, "to_port": 443, "security_groups": [inside.id]}],
)

archive = aws.s3.Bucket("archive")
dead = aws.sqs.Queue("dead", message_retention_seconds=1209600)
queue = aws.sqs.Queue(
    "orders",
    visibility_timeout_seconds=180,
    redrive_policy=pulumi.Output.json_dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 5}),
)

trust = aws.iam.get_policy_document(
    statements=[
        {
            "actions": ["sts:AssumeRole"],
            "principals": [{"type": "Service", "identifiers": ["lambda.amazonaws.com"]}],
        }
    ]
)
role = aws.iam.Role("worker", assume_role_policy=trust.json)
aws.iam.RolePolicy(
    "worker",
    role=role.id,
    policy=pulumi.Output.json_dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
                    "Resource": queue.arn,
                },
                {
                    "Effect": "Allow",
                    "Action": "s3:PutObject",
                    "Resource": pulumi.Output.concat(archive.arn, "/orders/*"),
                },
            ],
        }
    ),
)
function = aws.lambda_.Function(
    "worker",
    runtime="python3.12",
    handler="index.handler",
    role=role.arn,
    timeout=60,
    code=pulumi.AssetArchive(
        {"index.py": pulumi.StringAsset("def handler(event, context):\n    return event\n")}
    ),
    vpc_config={"subnet_ids": [subnet.id for subnet in subnets], "security_group_ids": [outward.id]},
    environment={"variables": {"ARCHIVE": archive.bucket, "WORKERS": config.require("workers")}},
)

pulumi.export("queueUrl", queue.url)
pulumi.export("functionArn", function.arn)
pulumi.export("region", region.region)
pulumi.export("account", account)
pulumi.export("token", config.require_secret("apiToken"))
pulumi.export("layout", json.dumps({"zones": zones}))
