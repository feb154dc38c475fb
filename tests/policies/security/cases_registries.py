"""Cases of the rules about container registries."""

from __future__ import annotations

from typing import Any, Final

from policies.security.rules.registries import REGISTRY_POLICY, REPOSITORY, REPOSITORY_POLICY, TEMPLATE
from tests.policies.cases import REMOVED, Case, Change

KEY: Final = "arn:aws:kms:eu-west-1:111122223333:key/1"
POLICY: Final[dict[str, Any]] = {
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": ["111122223333", "arn:aws:iam::444455556666:role/pull"]},
            "Action": "ecr:BatchGetImage",
        },
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "ecr:BatchGetImage",
            "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}},
        },
        {"Effect": "Deny", "Principal": "*", "Action": "ecr:DeleteRepository"},
    ]
}
GOOD: Final[dict[str, Any]] = {
    "imageTagMutability": "IMMUTABLE",
    "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": KEY}],
}
GOOD_TEMPLATE: Final[dict[str, Any]] = {**GOOD, "repositoryPolicy": POLICY}


def _case(rule: str, *changes: Change, token: str, good: dict[str, Any]) -> Case:
    return Case(rule=rule, type=token, good=good, changes=changes)


def _policy_changes(place: str) -> tuple[Change, ...]:
    first, second = f"{place}.Statement[0]", f"{place}.Statement[1]"
    return (
        Change(path=f"{first}.Principal", bad="*"),
        Change(path=f"{first}.Principal", bad={"AWS": "*"}),
        Change(path=f"{first}.Principal.AWS[1]", bad="*", absent=False),
        Change(path=f"{first}.Principal.AWS[1]", bad="arn:aws:iam::*:role/pull", absent=False),
        Change(path=f"{second}.Condition", bad=REMOVED),
    )


CASES: Final = (
    *(
        case
        for token, good in ((REPOSITORY, GOOD), (TEMPLATE, GOOD_TEMPLATE))
        for case in (
            _case(
                "ecr-immutable-tags",
                Change(path="imageTagMutability", bad="MUTABLE"),
                Change(path="imageTagMutability", bad="IMMUTABLE_WITH_EXCLUSION"),
                token=token,
                good=good,
            ),
            _case(
                "ecr-encrypted",
                Change(path="encryptionConfigurations", bad=[]),
                Change(path="encryptionConfigurations[0].encryptionType", bad="AES256"),
                Change(path="encryptionConfigurations[0].kmsKey", bad=REMOVED, typed=False),
                token=token,
                good=good,
            ),
        )
    ),
    _case("ecr-named-accounts", *_policy_changes("policy"), token=REPOSITORY_POLICY, good={"policy": POLICY}),
    _case("ecr-named-accounts", *_policy_changes("policy"), token=REGISTRY_POLICY, good={"policy": POLICY}),
    _case("ecr-named-accounts", *_policy_changes("repositoryPolicy"), token=TEMPLATE, good=GOOD_TEMPLATE),
)
