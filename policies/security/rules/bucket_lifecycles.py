"""Buckets: how long objects, their old versions and the parts of unfinished uploads are kept.

Each setting is a resource of its own, or a property inside of the bucket, which is the older way. Whether a bucket has
them at all are relations.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.crossguard.checks import all_of, is_absent, is_true, one_of
from policies.crossguard.findings import Check, Finding, Violation, judged
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View
from policies.security.existence import one_item
from policies.security.rules.buckets import BUCKET, one_or_many

VERSIONING: Final = "aws:s3/bucketVersioning:BucketVersioning"
LIFECYCLE: Final = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"

LIMITS: Final = (
    "prefix",
    "tags",
    "filter.and",
    "filter.prefix",
    "filter.tag",
    "filter.objectSizeGreaterThan",
    "filter.objectSizeLessThan",
)
"""What makes a rule of a lifecycle be about some objects only."""


def _versioned(settings: View) -> Iterator[Finding]:
    if not settings["versioningConfiguration"].absent:
        yield from one_of("versioningConfiguration.status", {"Enabled"})(settings)
    for versioning in one_or_many(settings, "versioning"):
        yield from judged(is_true("enabled"), versioning)


def _lifecycle(message: str, *checks: Check) -> Check:
    """Return a check that one of the rules of a lifecycle that are in force is as wanted."""

    def check(settings: View) -> Iterator[Finding]:
        for place in ("rules", "lifecycleRules"):
            if not settings[place].absent:
                yield from one_item(message, settings[place].items(), all_of(_in_force, *checks))

    return check


def _in_force(rule: View) -> Iterator[Finding]:
    if rule["enabled"].absent:
        yield from one_of("status", {"Enabled"})(rule)
    else:
        yield from is_true("enabled")(rule)


def _of_everything(rule: View) -> Iterator[Finding]:
    for limit in LIMITS:
        yield from judged(is_absent(limit), rule)


def _expires(rule: View) -> Iterator[Finding]:
    for when in one_or_many(rule, "expiration"):
        if when["days"].number() or when["date"].text() or when["expiredObjectDeleteMarker"].flag():
            return
    yield Violation(f"{rule.path} keeps everything")


def _forgets_versions(rule: View) -> Iterator[Finding]:
    for when in one_or_many(rule, "noncurrentVersionExpiration"):
        if when["noncurrentDays"].number() or when["days"].number():
            return
    yield Violation(f"{rule.path} keeps old versions")


def _aborts_uploads(rule: View) -> Iterator[Finding]:
    days = rule.at("abortIncompleteMultipartUpload.daysAfterInitiation").number()
    if not days and not rule["abortIncompleteMultipartUploadDays"].number():
        yield Violation(f"{rule.path} keeps parts of uploads")


RULES: Final = (
    Rule(
        name="s3-versions",
        why="What is overwritten or deleted by mistake is gone.",
        fix="Set the versioning of the bucket to Enabled.",
        severity=Severity.LOW,
        tier=Tier.EVERYWHERE,
        controls=("80",),
        references=("S3.14", "CKV_AWS_21", "AWS-0090", "s3_bucket_versioning_enabled"),
        implies=frozenset({"s3-has-versions"}),
        on=(VERSIONING, BUCKET),
        check=_versioned,
    ),
    Rule(
        name="s3-expires",
        why="What nobody ever deletes is paid for, and can be stolen, for ever.",
        fix="Add a rule with `expiration`; for objects that must stay, of delete markers that have expired.",
        severity=Severity.LOW,
        tier=Tier.EVERYWHERE,
        controls=("80",),
        on=(LIFECYCLE, BUCKET),
        check=_lifecycle("no rule that is in force lets anything expire", _expires),
    ),
    Rule(
        name="s3-forgets-versions",
        why="Each version of each object is paid for, and can be stolen, for ever.",
        fix="Add a rule for the whole bucket with `noncurrentVersionExpiration`.",
        severity=Severity.LOW,
        tier=Tier.EVERYWHERE,
        controls=("80",),
        on=(LIFECYCLE, BUCKET),
        check=_lifecycle(
            "no rule that is in force deletes the old versions of every object",
            _of_everything,
            _forgets_versions,
        ),
    ),
    Rule(
        name="s3-aborts-uploads",
        why="Parts of uploads that never ended are paid for, and no list of objects shows them.",
        fix="Add a rule for the whole bucket with `abortIncompleteMultipartUpload`.",
        severity=Severity.LOW,
        tier=Tier.EVERYWHERE,
        controls=("80",),
        references=("CKV_AWS_300",),
        on=(LIFECYCLE, BUCKET),
        check=_lifecycle(
            "no rule that is in force aborts every incomplete upload", _of_everything, _aborts_uploads
        ),
    ),
)
