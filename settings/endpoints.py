"""The AWS services that can be reached through an interface endpoint, by their short name."""

from __future__ import annotations

from enum import StrEnum


class InterfaceEndpoint(StrEnum):
    """Short service names; the endpoint's service is `com.amazonaws.<region>.<short name>`.

    S3 and DynamoDB are no members: the network always builds them as gateway endpoints, which cost nothing.
    """

    ATHENA = "athena"
    """Queries of DAGs on Athena."""
    BATCH = "batch"
    """Jobs of DAGs on AWS Batch."""
    ECR_API = "ecr.api"
    """Image pull: authorisation and manifests."""
    ECR_DKR = "ecr.dkr"
    """Image pull: the Docker registry; the layers come from S3 through its gateway endpoint."""
    ECS = "ecs"
    """The ECS API, for tasks that start or watch other tasks."""
    ECS_AGENT = "ecs-agent"
    """The ECS agent of EC2 instances; Fargate does not need it."""
    ECS_TELEMETRY = "ecs-telemetry"
    """Metrics of the ECS agent of EC2 instances; Fargate does not need it."""
    ELASTICFILESYSTEM = "elasticfilesystem"
    """The EFS API; mounting a file system does not need it, that goes to the mount targets in the VPC."""
    EVENTS = "events"
    """EventBridge."""
    GLUE = "glue"
    """Jobs and the catalogue of AWS Glue."""
    KMS = "kms"
    """Client-side encryption and ECS Exec; Secrets Manager and S3 decrypt on their own side."""
    LAMBDA = "lambda"
    """Invocation of Lambda functions."""
    LOGS = "logs"
    """CloudWatch Logs: the log driver of every container."""
    MONITORING = "monitoring"
    """CloudWatch metrics: the scaling signals that the platform publishes."""
    RDS = "rds"
    """The RDS API; a connection to the database does not need it."""
    REDSHIFT_DATA = "redshift-data"
    """SQL on Redshift through its data API."""
    SECRETSMANAGER = "secretsmanager"
    """Secrets that a container gets when it starts, and Airflow's connections."""
    SNS = "sns"
    """Notifications."""
    SQS = "sqs"
    """Queues that DAGs listen to."""
    SSM = "ssm"
    """Parameters of Systems Manager; the platform itself keeps none."""
    SSMMESSAGES = "ssmmessages"
    """The channel of ECS Exec."""
    STATES = "states"
    """Step Functions."""
    STS = "sts"
    """Role assumption by Airflow's AWS connections."""
