"""Buckets and the settings beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final

from policies.crossguard.checks import all_of, parsed
from policies.crossguard.findings import Check, Finding, Violation, judged
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import About, Relation, Severity, Tier
from policies.crossguard.values import ABSENT, View
from policies.security.documents import Statement, statements
from policies.security.existence import exists
from policies.security.links import is_meant
from policies.security.principals import accounts
from policies.security.references import each_of, given
from policies.security.rules.bucket_lifecycles import LIFECYCLE, VERSIONING
from policies.security.rules.buckets import (
    ACCESS_BLOCK,
    BUCKET,
    ENCRYPTION,
    KMS,
    OWNERSHIP,
    POLICY,
    applied,
)
from policies.security.rules.load_balancers import LOAD_BALANCER, is_application

LOGGING: Final = "aws:s3/bucketLogging:BucketLogging"
LOG_SERVICES: Final = frozenset(
    {"logdelivery.elasticloadbalancing.amazonaws.com", "logging.s3.amazonaws.com"}
)
"""They write logs of load balancers and of buckets, and only into buckets that S3 encrypts with its own keys."""
LOGS_OF_LOAD_BALANCER: Final = ("accessLogs.bucket", "connectionLogs.bucket", "healthCheckLogs.bucket")


def _settings(stack: Stack, bucket: Resource, kind: str, place: str = "bucket") -> list[Check]:
    """Return a check for each resource of a type, content where that is about the bucket."""
    return [is_meant(stack, each, place, bucket) for each in stack.of(kind)]


def _there(value: View) -> bool:
    return not value.empty


def _inside(bucket: Resource, *names: str, test: Callable[[View], bool] = _there) -> Check:
    """Return a check that is content when one of several properties of the bucket itself is as wanted."""

    def check(_: View) -> Iterator[Finding]:
        if not any(test(given(bucket, name)) for name in names):
            yield Violation(f"{names[0]} is not set")

    return check


def _switched_on(versioning: View) -> bool:
    """Say whether versioning is there, in one of the two forms."""
    parts = [versioning] if versioning.absent or isinstance(versioning.known(), dict) else versioning.items()
    return any(part["enabled"].flag() for part in parts)


def _has(
    kind: str, what: str, *names: str, test: Callable[[View], bool] = _there
) -> Callable[[Stack], Iterator[About]]:
    """Return the check of a relation that each bucket has a setting.

    Args:
        kind: The type of resource that it is.
        what: What it is called in a message.
        names: Properties of the bucket that say the same.
        test: Whether such a property does.

    """

    def judge(stack: Stack, bucket: Resource) -> Iterator[Finding]:
        inside = [_inside(bucket, *names, test=test)] if names else []
        yield from exists(f"{bucket.name} has no {what}", *_settings(stack, bucket, kind), *inside)(
            bucket.props
        )

    return each_of(judge, BUCKET)


def _takes_logs(stack: Stack, bucket: Resource) -> list[Check]:
    """Return checks that are content when load balancers or other buckets write their logs into the bucket."""
    named = [
        all_of(_is_application(balancer), is_meant(stack, balancer, place, bucket))
        for balancer in stack.of(LOAD_BALANCER)
        for place in LOGS_OF_LOAD_BALANCER
    ]
    granted = [
        all_of(is_meant(stack, policy, "bucket", bucket), _grants_to_log_service(policy.props["policy"]))
        for policy in stack.of(POLICY)
    ]
    inside = _grants_to_log_service(given(bucket, "policy"))
    return [*named, *_settings(stack, bucket, LOGGING, "targetBucket"), *granted, inside]


def _is_application(balancer: Resource) -> Check:
    def check(_: View) -> Iterator[Finding]:
        if not is_application(balancer.props):
            yield Violation("another kind of load balancer")

    return check


def _grants_to_log_service(policy: View) -> Check:
    def check(_: View) -> Iterator[Finding]:
        allowed = (Statement(each.view) for each in statements(policy) if each.allows)
        services = {name for each in allowed for kind, name in each.principals if kind == "Service"}
        if not services & LOG_SERVICES:
            yield Violation("no service that writes logs is let in")

    return check


def _encrypted(stack: Stack, bucket: Resource) -> Iterator[Finding]:
    beside = [
        all_of(is_meant(stack, each, "bucket", bucket), partial(_uses_kms, [each.props]))
        for each in stack.of(ENCRYPTION)
    ]
    inside = partial(_uses_kms, _encryptions_inside(bucket))
    message = f"{bucket.name} has no default encryption with aws:kms, and takes no logs that rule it out"
    yield from exists(message, *beside, inside, *_takes_logs(stack, bucket))(bucket.props)


def _encryptions_inside(bucket: Resource) -> Iterator[View]:
    name = "serverSideEncryptionConfiguration"
    yield given(bucket, name)
    yield from given(bucket, f"{name}s").items()


def _uses_kms(places: Iterable[View], _: View) -> Iterator[Finding]:
    algorithms = [default["sseAlgorithm"].text() for place in places for _, default in applied(place)]
    if not algorithms or not all(algorithm.startswith(KMS) for algorithm in algorithms):
        yield Violation("another algorithm")


def _logged(stack: Stack, bucket: Resource) -> Iterator[Finding]:
    """Judge a bucket that takes no logs itself: there, each line would make another one."""
    inside = _inside(bucket, "logging", "loggings")
    checks = (*_settings(stack, bucket, LOGGING), inside, *_takes_logs(stack, bucket))
    yield from exists(f"{bucket.name} has no access log", *checks)(bucket.props)


def _strangers(_: Stack, holder: Resource) -> Iterator[Finding]:
    """Judge the policy of a bucket, or the one inside of it."""
    policy = given(holder, "policy")
    if not policy.empty:
        for statement in statements(policy):
            yield from judged(partial(_is_listed, _listed(holder)), statement.view)


def _listed(resource: Resource) -> View:
    """Return the accounts that the provider may work in: those that the settings name."""
    provider = resource.provider
    return View(ABSENT, "") if provider is None else provider.props["allowedAccountIds"]


def _is_listed(listed: View, view: View) -> Iterator[Finding]:
    statement = Statement(view)
    named = set(accounts(statement)) if statement.allows else set()
    if named and named - {account.text() for account in parsed(listed).items()}:
        yield Violation(f"{view.path} lets in an account that is none of `allowedAccountIds` of the provider")


RELATIONS: Final = (
    Relation(
        name="s3-has-access-block",
        why="One careless policy or list of rights is enough to show everything to everybody.",
        fix="Add a BucketPublicAccessBlock for the bucket.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("77",),
        references=("S3.8", "3.1.4", "CKV2_AWS_6", "AWS-0094"),
        check=_has(ACCESS_BLOCK, "public access block"),
    ),
    Relation(
        name="s3-has-encryption",
        why="With keys of S3, who may read the bucket may read the objects: nothing else has to be passed.",
        fix="Add a BucketServerSideEncryptionConfiguration with aws:kms; only what takes logs of a load balancer or "
        "of another bucket cannot have it.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("78",),
        references=(
            "S3.17",
            "CKV_AWS_145",
            "AWS-0132",
            "s3_default_encryption_kms",
            "s3/Bucket/enableServerSideEncryption",
            "s3/Bucket/configureServerSideEncryptionKms",
        ),
        check=each_of(_encrypted, BUCKET),
    ),
    Relation(
        name="s3-has-policy",
        why="Without a policy that denies it, objects and signed requests may travel over plain HTTP.",
        fix="Add a BucketPolicy that denies s3:* where aws:SecureTransport is false.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("79",),
        references=("S3.5", "3.1.1", "s3_bucket_ssl_requests_only"),
        check=_has(POLICY, "policy", "policy"),
    ),
    Relation(
        name="s3-listed-accounts",
        why="Another account reads or changes what is ours, and nobody here can take its rights away from its users.",
        fix="Remove the account from the policy, or record an exception that says why it is let in.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("79",),
        references=("S3.6",),
        check=each_of(_strangers, POLICY, BUCKET),
    ),
    Relation(
        name="s3-has-versions",
        why="What is overwritten or deleted by mistake is gone.",
        fix="Add a BucketVersioning for the bucket.",
        severity=Severity.LOW,
        tier=Tier.EVERYWHERE,
        controls=("80",),
        references=("S3.14", "CKV_AWS_21", "AWS-0090", "s3_bucket_versioning_enabled"),
        check=_has(VERSIONING, "versioning", "versioning", "versionings", test=_switched_on),
    ),
    Relation(
        name="s3-has-lifecycle",
        why="What nobody ever deletes is paid for, and can be stolen, for ever.",
        fix="Add a BucketLifecycleConfiguration for the bucket.",
        severity=Severity.LOW,
        tier=Tier.EVERYWHERE,
        controls=("80",),
        references=("S3.13", "CKV2_AWS_61"),
        check=_has(LIFECYCLE, "lifecycle", "lifecycleRules"),
    ),
    Relation(
        name="s3-has-access-log",
        why="Without one nobody can tell later who read what.",
        fix="Add a BucketLogging for the bucket.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("81",),
        references=("S3.9", "CKV_AWS_18", "AWS-0089", "s3_bucket_logging_enabled"),
        check=each_of(_logged, BUCKET),
    ),
    Relation(
        name="s3-has-ownership",
        why="A bucket from before April 2023 lets who writes an object keep its rights, until it says otherwise.",
        fix="Add BucketOwnershipControls for the bucket.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("81",),
        references=("S3.12", "CKV2_AWS_65"),
        check=_has(OWNERSHIP, "ownership controls"),
    ),
)
