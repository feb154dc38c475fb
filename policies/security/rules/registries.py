"""Container registries.

Whether images are scanned and old ones removed are relations: both can be said elsewhere, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.crossguard.checks import all_of, is_set, one_of
from policies.crossguard.findings import Finding, Violation, judged
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View
from policies.security.documents import Statement, each_statement
from policies.security.principals import account_of

REPOSITORY: Final = "aws:ecr/repository:Repository"
TEMPLATE: Final = "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate"
"""Makes repositories on the first push, of replications and of pull-through caches."""
REPOSITORY_POLICY: Final = "aws:ecr/repositoryPolicy:RepositoryPolicy"
REGISTRY_POLICY: Final = "aws:ecr/registryPolicy:RegistryPolicy"

_ENCRYPTED = all_of(
    one_of("encryptionType", {"KMS", "KMS_DSSE"}, default="AES256"), is_set("kmsKey", "a key of our own")
)


def _own_key(repository: View) -> Iterator[Finding]:
    configurations = list(repository["encryptionConfigurations"].items())
    if not configurations:
        yield Violation("encryptionConfigurations is not set, want KMS with a key of our own")
    for configuration in configurations:
        yield from judged(_ENCRYPTED, configuration)


def _only_accounts(view: View) -> Iterator[Finding]:
    """Let services in for certain accounts or their resources only: they act for whoever asks them."""
    statement = Statement(view)
    if not statement.allows:
        return
    principals = statement.principals
    sources = [*statement.condition("aws:SourceAccount"), *statement.condition("aws:SourceArn")]
    named = [
        bool(account_of(name)) if kind == "AWS" else kind == "Service" and bool(sources)
        for kind, name in principals
    ]
    if not named or not all(named):
        yield Violation(
            f"{view.path}.Principal is {view['Principal'].shown()}, want accounts by their number"
        )


RULES: Final = (
    Rule(
        name="ecr-immutable-tags",
        why="Who may push can replace an image that was tested by another one of the same name.",
        fix="Set `imageTagMutability` to IMMUTABLE.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("74",),
        references=("ECR.2", "CKV_AWS_51", "AWS-0031", "ecr/Repository/disallowMutableImage"),
        on=(REPOSITORY, TEMPLATE),
        check=one_of("imageTagMutability", {"IMMUTABLE"}, default="MUTABLE"),
    ),
    Rule(
        name="ecr-encrypted",
        why="Only a key of our own can be taken away from who should not read the images any more.",
        fix="Set `encryptionConfigurations` to KMS with a `kmsKey`.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("75",),
        references=(
            "ECR.5",
            "CKV_AWS_136",
            "AWS-0033",
            "ecr/Repository/disallowUnencryptedRepository",
            "ecr/Repository/configureCustomerManagedKey",
        ),
        on=(REPOSITORY, TEMPLATE),
        check=_own_key,
    ),
    Rule(
        name="ecr-named-accounts",
        why="Everybody can pull the images, or push some that we run.",
        fix="Name accounts in `Principal`; let services in with a condition on aws:SourceAccount.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("76",),
        references=("CKV_AWS_32", "AWS-0032"),
        on=(REPOSITORY_POLICY, REGISTRY_POLICY, TEMPLATE),
        check=all_of(
            each_statement("policy", _only_accounts), each_statement("repositoryPolicy", _only_accounts)
        ),
    ),
)
