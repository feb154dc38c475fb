"""What checkov accepts and we refuse, each read in the source of checkov 3.3.30."""

from __future__ import annotations

from typing import Final

from tests.policies.checkov.compare import Direction
from tests.policies.checkov.known import Known

CLOUDSPLAINING: Final = (
    "Checkov asks cloudsplaining, which looks only at statements whose resource is `*` itself and which have no "
    "condition at all. Half a wildcard, and a condition that limits nothing, open as much."
)
FIRST_ROLE: Final = "assumeRolePolicy.Statement[0]"
EXEC: Final = "configuration.executeCommandConfiguration"


def _accepts(ids: str, policy: str, *what: str, reason: str) -> Known:
    return Known(
        ids=tuple(ids.split()),
        policy=policy,
        direction=Direction.ACCEPTS,
        what=what,
        reason=reason,
    )


def _any_key(id: str, policy: str, path: str) -> Known:
    return _accepts(
        id,
        policy,
        f"{path} = ",
        reason="Any key will do for checkov. One that AWS manages is nothing that we can take away from anybody.",
    )


KEYS: Final = (
    _any_key("CKV_AWS_26", "topic-encrypted", "kmsMasterKeyId"),
    _any_key("CKV_AWS_158", "log-group-customer-key", "kmsKeyId"),
    _any_key("CKV_AWS_166", "backup-vault-own-key", "kmsKeyArn"),
    _any_key("CKV_AWS_184", "efs-own-key", "kmsKeyId"),
    _any_key("CKV_AWS_191", "elasticache-own-key", "kmsKeyId"),
    _any_key("CKV_AWS_247", "opensearch-own-key", "encryptAtRest.kmsKeyId"),
    _any_key("CKV_AWS_327", "rds-cluster-own-key", "kmsKeyId"),
    _any_key("CKV_AWS_354", "rds-instance-insights-own-key", "performanceInsightsKmsKeyId"),
    _accepts(
        "CKV_AWS_136",
        "ecr-encrypted",
        "encryptionConfigurations[0].kmsKey = ",
        reason="Checkov looks at the type alone. KMS without a key means the one that AWS manages.",
    ),
    _accepts(
        "CKV_AWS_33",
        "key-policy-named",
        "policy.Statement[0].NotPrincipal = ",
        reason="Checkov does not look at NotPrincipal, which lets in everybody else.",
    ),
    _accepts(
        "CKV2_AWS_64",
        "key-policy-set",
        "policy = nothing",
        reason="A key policy beside the key is enough for checkov, also one that says nothing.",
    ),
)
IDENTITIES: Final = (
    _accepts(
        "CKV_AWS_62 CKV_AWS_63 CKV2_AWS_40",
        "iam-actions-named",
        "policy.Statement[1].Action = ",
        "policy.Statement[1].NotAction = ",
        reason="The first two look for an action that is `*` itself, the third for `iam:*` as well. Every other "
        "wildcard, and NotAction, grants what nobody has named, too.",
    ),
    _accepts(
        "CKV_AWS_355 CKV_AWS_290 CKV_AWS_111",
        "iam-resources-named",
        "policy.Statement[1].Resource = ",
        "policy.Statement[1].NotResource = ",
        "policy.Statement[2].Resource = ",
        "policy.Statement[5].Condition = ",
        reason=CLOUDSPLAINING,
    ),
    _accepts(
        "CKV_AWS_111",
        "iam-resources-named",
        "inlinePolicies[0].policy.Statement[1].Resource = ",
        reason="It is about actions that write. The checks of the others are not about policies inside of a role.",
    ),
    _accepts(
        "CKV_AWS_286 CKV_AWS_110",
        "iam-no-privilege-escalation",
        "policy.Statement[0].Condition",
        "policy.Statement[0].Resource = ",
        "policy.Statement[1].Resource = ",
        "policy.Statement[1].Action = ",
        reason=CLOUDSPLAINING,
    ),
    _accepts(
        "CKV_AWS_287 CKV_AWS_107",
        "iam-no-credentials",
        "policy.Statement[3].Resource = ",
        "policy.Statement[3].Action = ",
        'policy.Statement[1] = {"Effect": "Allow", "Action": "iam:CreateAccessKey", "Resource": "arn:',
        reason=CLOUDSPLAINING,
    ),
    _accepts(
        "CKV_AWS_288 CKV_AWS_108",
        "iam-data-named",
        "policy.Statement[3].Resource[0] = ",
        reason=CLOUDSPLAINING,
    ),
    _accepts(
        "CKV_AWS_289 CKV_AWS_109",
        "iam-access-management-named",
        "policy.Statement[4].Resource = ",
        reason=CLOUDSPLAINING,
    ),
    _accepts(
        "CKV_AWS_60 CKV_AWS_61",
        "iam-trust-named",
        f'{FIRST_ROLE}.Principal = "*"',
        f"{FIRST_ROLE}.Principal.Service = ",
        f"{FIRST_ROLE}.NotPrincipal = ",
        f"{FIRST_ROLE}.NotAction = ",
        reason="Both look at Principal.AWS alone. Everybody is also let in by a principal that is `*` itself, by "
        "every service and by NotPrincipal.",
    ),
    _accepts(
        "CKV_AWS_358 CKV_AWS_393",
        "iam-trust-github-subject",
        f"{FIRST_ROLE}.Condition.StringEquals = ",
        f"{FIRST_ROLE}.Condition = ",
        reason="Every repository of an organization is enough for both, under any operator. Among them are those "
        "that anybody in it makes, and StringLike takes wildcards.",
    ),
    _accepts(
        "CKV_AWS_274 CKV2_AWS_56",
        "iam-no-administrators",
        'managedPolicyArns[0] = "arn:aws:iam::aws:policy/PowerUserAccess"',
        reason="They know AdministratorAccess and IAMFullAccess. PowerUserAccess may do everything but those.",
    ),
)
TASKS: Final = (
    _accepts(
        "CKV_AWS_334",
        "container-unprivileged",
        "containerDefinitions[0].privileged = ",
        reason="A mistake of checkov: it looks for `privilege`, and ECS calls it `privileged`.",
    ),
    _accepts(
        "CKV_AWS_335",
        "ecs-task-own-processes",
        "pidMode = ",
        "ipcMode = ",
        reason="A mistake of checkov: it looks for `pidMode` in containers, and ECS has it in the task definition. "
        "At `ipcMode` it does not look.",
    ),
    _accepts(
        "CKV_AWS_249",
        "ecs-task-roles-apart",
        "executionRoleArn = ",
        "taskRoleArn = ",
        reason="Checkov compares the roles where both are given. We want both.",
    ),
    _accepts(
        "CKV_AWS_224",
        "ecs-cluster-exec-encrypted",
        f'{EXEC}.kmsKeyId = ""',
        reason="An empty text is a key for checkov.",
    ),
    _accepts(
        "CKV_AWS_223",
        "ecs-cluster-exec-recorded",
        f"{EXEC}.logging = ",
        f"{EXEC}.logConfiguration.cloudWatchLogGroupName = ",
        reason="Checkov refuses NONE. The default records only what runs in containers that log with awslogs, into "
        "their own logs; we want a place for sessions.",
    ),
    _accepts(
        "CKV_AWS_364",
        "lambda-caller-named",
        'sourceArn = ""',
        reason="An empty text is an ARN for checkov.",
    ),
    _accepts(
        "CKV_AWS_301",
        "lambda-not-public",
        "functionUrlAuthType = ",
        reason="Checkov looks at the principal alone. Without authentication the URL is everybody's.",
    ),
    _accepts(
        "CKV_AWS_363",
        "lambda-runtime-supported",
        "runtime = ",
        reason="Checkov has a list of what is too old, and we have one of what AWS supports.",
    ),
    _accepts(
        "CKV_AWS_115",
        "lambda-concurrency-limited",
        "reservedConcurrentExecutions = -1",
        reason="Checkov compares with the text `${-1}`, as it reads it in a program. A plan has the number.",
    ),
    _accepts(
        "CKV_AWS_50",
        "lambda-traced",
        'tracingConfig.mode = "PassThrough"',
        reason="Checkov takes PassThrough, too, which traces only what the caller traces already.",
    ),
    _accepts(
        "CKV_AWS_319",
        "alarm-tells-somebody",
        "alarmActions = ",
        reason="Checkov looks at actions_enabled alone. Without an action nobody is told.",
    ),
    _accepts(
        "CKV_AWS_66",
        "log-group-expires",
        "retentionInDays = 0",
        reason="Any number will do for checkov. 0 means never.",
    ),
    _accepts(
        "CKV_AWS_315",
        "autoscaling-group-launch-template",
        "launchConfiguration = ",
        reason="A template is enough for checkov, also beside a launch configuration.",
    ),
    _accepts(
        "CKV_AWS_88",
        "instance-no-public-address",
        'networkInterfaces[0].associatePublicIpAddress = "perhaps"',
        reason="Checkov refuses true. We refuse all that is not false: here, the provider takes a text.",
    ),
)
STORES: Final = (
    _accepts(
        "CKV_AWS_32",
        "ecr-named-accounts",
        "policy.Statement[1].Condition = nothing",
        reason="Checkov looks for everybody. A service without a condition comes in the name of any account.",
    ),
    _accepts(
        "CKV_AWS_169",
        "topic-policy-named",
        "policy.Statement.NotPrincipal = ",
        reason="Checkov does not look at NotPrincipal, which lets in everybody else.",
    ),
    _accepts(
        "CKV_AWS_70",
        "s3-not-for-everybody",
        "policy.Statement[1].NotPrincipal = ",
        "policy.Statement[2].Condition.StringEquals.aws:PrincipalOrgID = ",
        reason="Checkov does not look at NotPrincipal, nor at the value of a condition.",
    ),
    _accepts(
        "CKV_AWS_330",
        "efs-access-point-user",
        "posixUser.uid = ",
        reason="Any group will do for checkov. User 0 is root.",
    ),
    _accepts(
        "CKV_AWS_30",
        "elasticache-tls",
        "transitEncryptionMode = ",
        reason="Checkov looks whether there is TLS. Under `preferred` clients may do without.",
    ),
    _accepts(
        "CKV_AWS_31",
        "elasticache-sign-in",
        "userGroupIds = []",
        'authToken = ""',
        reason="An empty list is a group for checkov, and an empty text a password.",
    ),
    _accepts(
        "CKV2_AWS_50",
        "elasticache-multi-az",
        "multiAzEnabled = ",
        "numCacheClusters = ",
        "replicasPerNodeGroup = ",
        reason="Checkov looks at the fail-over alone. It needs a second node, in another zone.",
    ),
    _accepts(
        "CKV_AWS_133",
        "rds-instance-backups",
        "backupRetentionPeriod = ",
        reason="One day is enough for checkov, and we want seven. It takes nothing for AWS's default of one day, "
        "but the provider sends 0, which is no backup.",
    ),
    _accepts(
        "CKV_AWS_129",
        "rds-instance-exports-logs",
        "enabledCloudwatchLogsExports = ",
        reason="Any log will do for checkov. We want those that the engine has.",
    ),
    _accepts(
        "CKV_AWS_324",
        "rds-cluster-exports-logs",
        "enabledCloudwatchLogsExports = ",
        reason="Any log will do for checkov. We want those that the engine has.",
    ),
    _accepts(
        "CKV2_AWS_52",
        "opensearch-fine-grained-access",
        "advancedSecurityOptions.anonymousAuthEnabled = ",
        reason="Checkov does not look at anonymous access.",
    ),
    _accepts(
        "CKV_AWS_83",
        "opensearch-https",
        "domainEndpointOptions = nothing",
        reason="Checkov accepts what is not set. By default a domain answers over HTTP.",
    ),
    _accepts(
        "CKV_AWS_137",
        "opensearch-in-vpc",
        "vpcOptions.subnetIds = ",
        reason="The block is enough for checkov, also without a subnet.",
    ),
    _accepts(
        "CKV_AWS_84 CKV_AWS_317",
        "opensearch-logs",
        "logPublishingOptions[0].logType = ",
        reason="Any log will do for the first, and the audit log for the second. We want that of errors as well.",
    ),
    _accepts(
        "CKV_AWS_228",
        "opensearch-tls-policy",
        'domainEndpointOptions.tlsSecurityPolicy = "Policy-Min-TLS-1-2-2019-07"',
        reason="Checkov takes the older policy, too, which has ciphers without forward secrecy.",
    ),
)
NETWORKS: Final = (
    _accepts(
        "CKV_AWS_2 CKV2_AWS_20",
        "lb-listener-tls",
        'protocol = "TCP"',
        reason="Both refuse HTTP alone. Over TCP, too, everything may be readable.",
    ),
    _accepts(
        "CKV_AWS_103 CKV2_AWS_74",
        "lb-listener-tls-policy",
        'sslPolicy = "ELBSecurityPolicy-TLS13-1-2-2021-06"',
        reason="TLS 1.2 is enough for both. We want one of the policies that AWS recommends.",
    ),
    _accepts(
        "CKV_AWS_261",
        "lb-target-health-check",
        "healthCheck.enabled = ",
        reason="A path is enough for checkov, also of a check that is off.",
    ),
    _accepts(
        "CKV_AWS_378",
        "lb-target-tls",
        "protocol = ",
        reason="Checkov refuses HTTP alone. We want HTTPS or TLS.",
    ),
    _accepts(
        "CKV2_AWS_38",
        "route53-signs",
        "signingStatus = ",
        reason="Checkov looks whether there is a resource for DNSSEC. It can be switched off.",
    ),
    _accepts(
        "CKV_AWS_352",
        "nacl-no-administration",
        "cidrBlock = ",
        reason="Checkov refuses what begins at port 0, and nothing else. We ask who reaches ports 22 and 3389.",
    ),
    _accepts(
        "CKV_AWS_23",
        "sg-described",
        "description = ",
        "ingress[0].description = ",
        reason="An empty text is a description for checkov, and so is the provider's default.",
    ),
    _accepts(
        "CKV_AWS_24 CKV_AWS_25 CKV_AWS_260 CKV_AWS_277",
        "sg-not-open-to-everybody",
        'cidrIpv4 = "128.0.0.0/1"',
        "cidrIpv6 = ",
        reason="Checkov knows 0.0.0.0/0 and ::/0, and not half of the world. A mistake of it besides: it goes "
        "through the letters of `cidr_ipv6`, which is no list.",
    ),
    _accepts(
        "CKV_AWS_277",
        "sg-not-open-to-everybody",
        'cidrIpv4 = "0.0.0.0/0"',
        reason="A mistake of checkov: it reads `protocol`, which this resource calls `ip_protocol`.",
    ),
    _accepts(
        "CKV_AWS_382",
        "sg-everything-out-only-of-workers",
        "everything, from anything",
        reason="A mistake of checkov: it reads `protocol`, which this resource calls `ip_protocol`, and looks no "
        "further where there are no ports.",
    ),
)
ACCEPTS: Final = (*KEYS, *IDENTITIES, *TASKS, *STORES, *NETWORKS)
