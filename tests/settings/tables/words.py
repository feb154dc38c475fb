"""What fields allow, in the words of the messages and of the documentation."""

from __future__ import annotations

ACCOUNT_ID = '12 digits in quotes, such as "111111111111"'
QUOTE = "; put it in quotes: YAML reads bare digits as a number, and leading zeros are lost"
REGION = "a region of the standard AWS partition, such as eu-west-1"
CIDR = (
    "a range of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16, /16 to /20, without host bits, "
    "such as 10.20.0.0/16"
)
ZONE = "an availability zone of the account's region, such as eu-west-1a"
NETWORK_KEYS = "cidr, zones, nat, interfaceEndpoints, publicMask, privateMask, dataMask, flowLogRetentionDays"
SERVICES = (
    "athena, batch, ecr.api, ecr.dkr, ecs, ecs-agent, ecs-telemetry, elasticfilesystem, events, glue, kms, "
    "lambda, logs, monitoring, rds, redshift-data, secretsmanager, sns, sqs, ssm, ssmmessages, states, sts"
)
EMAILS = "a list of 0 to 10, each an e-mail address, such as airflow-alarms@example.com"
PERIODS = (
    "1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653"
)
DOMAIN = "a lower-case DNS name of at most 40 characters without a final dot, such as nonprod.example.com"
LINKED_ROLES = "ecs, ecs.application-autoscaling, rds, elasticache, elasticloadbalancing, backup"
SECTIONS = (
    "kind, environment, account, network, web, image, metastore, broker, dags, credentials, services, workers, "
    "observability, backups, shared, tags"
)
RANGE = "an IPv4 range without host bits, such as 198.51.100.0/24"
LABEL = "1 to 15 lower-case letters, digits and inner hyphens, a letter first"
DIGEST = "sha256: and 64 lower-case hexadecimal digits"
RELEASE = 'a release of Airflow 3 in quotes, such as "3.3.2"'
CLASSES = (
    "db.t4g.micro, db.t4g.small, db.t4g.medium, db.t4g.large, db.m7g.large, db.m7g.xlarge, db.m7g.2xlarge, "
    "db.m7g.4xlarge, db.r7g.large, db.r7g.xlarge, db.r7g.2xlarge, db.r7g.4xlarge"
)
NODES = (
    "cache.t4g.micro, cache.t4g.small, cache.t4g.medium, cache.m7g.large, cache.m7g.xlarge, cache.m7g.2xlarge, "
    "cache.r7g.large, cache.r7g.xlarge, cache.r7g.2xlarge"
)
CPUS = "256, 512, 1024, 2048, 4096, 8192, 16384"
MEMORY = "a whole number from 512 to 122880"
POOL_KEYS = "cpuUnits, memoryMib, queues, concurrency, minCount, maxCount, spotPercent"
POOL_NAME = "1 to 16 lower-case letters, digits and inner hyphens, a letter first"
QUEUE = "1 to 64 letters, digits and _.-, a letter or digit first"
SIGNS = "letters a to z, digits, spaces and _.:/=+-@"
