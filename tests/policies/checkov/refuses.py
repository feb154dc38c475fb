"""What checkov refuses and we accept, and where it looks at something else; read in the source of checkov 3.3.30."""

from __future__ import annotations

from typing import Final

from tests.policies.checkov.compare import Direction
from tests.policies.checkov.known import Known


def _refuses(ids: str, policy: str, *what: str, reason: str) -> Known:
    return Known(ids=tuple(ids.split()), policy=policy, direction=Direction.REFUSES, what=what, reason=reason)


def _elsewhere(id: str, policy: str, *, reason: str) -> Known:
    return Known(ids=(id,), policy=policy, direction=Direction.ELSEWHERE, reason=reason)


DEFAULTS: Final = (
    _refuses(
        "CKV_AWS_2",
        "lb-listener-tls",
        "protocol = nothing",
        reason="Checkov takes what is not set for HTTP. With a certificate, the provider makes it HTTPS.",
    ),
    _refuses(
        "CKV_AWS_29",
        "elasticache-encrypted",
        "atRestEncryptionEnabled = nothing",
        reason="Checkov takes what is not set for false. ElastiCache encrypts Valkey by default.",
    ),
    _refuses(
        "CKV_AWS_226",
        "rds-instance-minor-upgrades",
        "autoMinorVersionUpgrade = nothing",
        "as it should be, case 1",
        reason="Checkov takes what is not set for false. The default of the provider is true.",
    ),
    _refuses(
        "CKV_AWS_317",
        "opensearch-logs",
        "logPublishingOptions[1].enabled = nothing",
        reason="Checkov takes what is not set for false. The default of the provider is true.",
    ),
    _refuses(
        "CKV_AWS_338",
        "log-group-kept-a-year",
        "retentionInDays = nothing",
        reason="Checkov accepts 0, which keeps logs for ever, and refuses nothing, which is the same.",
    ),
)
REASONS: Final = (
    _refuses(
        "CKV_AWS_338",
        "log-group-kept-a-year",
        "as it should be, case 2",
        reason="A tag can say why logs are of no use for so long.",
    ),
    _refuses(
        "CKV2_AWS_57",
        "secret-rotated",
        "with a reason",
        reason="A tag can say how a secret is renewed that no function renews.",
    ),
    _refuses(
        "CKV_AWS_116",
        "lambda-dead-letters",
        "that nobody calls asynchronously",
        reason="Checkov wants it of every function. Who waits for the answer learns of the failure.",
    ),
    _refuses(
        "CKV_AWS_163",
        "ecr-scanned",
        "of a registry that scans",
        reason="Checkov looks at the repository alone. What the registry says counts in its place.",
    ),
    _refuses(
        "CKV_AWS_145",
        "s3-has-encryption",
        "that takes logs",
        reason="Load balancers and S3 write no logs into a bucket with a key of KMS.",
    ),
    _refuses(
        "CKV_AWS_18",
        "s3-has-access-log",
        "that takes logs",
        reason="Each line of the log would make another one.",
    ),
    _refuses(
        "CKV2_AWS_69",
        "rds-parameters-force-tls",
        "as it should be, case 3",
        reason="Checkov takes 1 for require_secure_transport and not ON, which MySQL takes as well.",
    ),
    _refuses(
        "CKV_AWS_315",
        "autoscaling-group-launch-template",
        "as it should be, case 2",
        reason="AWS makes no group that has neither a template nor a configuration.",
    ),
    _refuses(
        "CKV2_AWS_23",
        "route53-leads-somewhere",
        "to a private address",
        reason="Checkov wants every record connected to something. Nobody outside gets a private address.",
    ),
    _refuses(
        "CKV_AWS_352",
        "nacl-no-administration",
        "as it should be, case 1",
        reason="Checkov refuses what begins at port 0, whoever it is for. We ask who reaches ports 22 and 3389.",
    ),
    _refuses(
        "CKV_AWS_382",
        "sg-everything-out-only-of-workers",
        "everything, from workers, with ports",
        reason="Checkov cannot know whose group it is. Workers call what the authors of DAGs need.",
    ),
    _refuses(
        "CKV_AWS_358 CKV_AWS_393",
        "iam-trust-github-subject",
        "as it should be, case 2",
        reason="A mistake of checkov: it does not know that the names of GitHub's subjects can have an `@` and an "
        "id, so that nobody gets in who takes over a name.",
    ),
)
OTHERS: Final = (
    *(
        _elsewhere(
            id,
            policy,
            reason="Checkov looks at aws_elasticache_cluster, we at the replication group, which has the setting; "
            "elasticache-cluster-in-group refuses a cluster outside of one.",
        )
        for id, policy in (
            ("CKV_AWS_134", "elasticache-snapshots"),
            ("CKV_AWS_322", "elasticache-minor-upgrades"),
            ("CKV_AWS_323", "elasticache-own-subnets"),
        )
    ),
    _elsewhere(
        "CKV_AWS_130",
        "default-subnet-no-public-address",
        reason="Checkov does not look at aws_default_subnet, whose instances get a public address by default.",
    ),
    _elsewhere(
        "CKV2_AWS_65",
        "s3-has-ownership",
        reason="Checkov looks at the controls that there are. A bucket without any is not noticed.",
    ),
)
REFUSES: Final = (*DEFAULTS, *REASONS, *OTHERS)
