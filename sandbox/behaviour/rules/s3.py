"""S3 buckets and their configuration."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import Case, known, objects, rule

BUCKET: Final = "aws:s3/bucket:Bucket"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX: Final = re.compile(r"[a-z0-9][a-z0-9.-]*")
_RESERVED: Final = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDS: Final = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
INFREQUENT: Final = ("STANDARD_IA", "ONEZONE_IA")


def bucket_problem(name: str) -> str | None:
    """Return why a bucket's name is refused, or None."""
    if not _NAME.fullmatch(name):
        return "must be 3 to 63 lower case letters, digits, dots and hyphens, beginning and ending with letter or digit"
    if ".." in name or ".-" in name or "-." in name:
        return "must not hold two dots, or a dot and a hyphen, next to each other"
    if name.startswith(_RESERVED) or name.endswith(_RESERVED_ENDS):
        return "begins or ends with what AWS keeps for itself"
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return None
    return "must not look like an IP address"


@rule(BUCKET)
def bucket(case: Case) -> Iterator[Failure]:
    """Check the name, and an ACL that buckets no longer take."""
    name, prefix = case.known("bucket"), case.known("bucketPrefix")
    if name is not None and (problem := bucket_problem(name)):
        yield Failure("bucket", f'"{name}" {problem}')
    if prefix is not None and not _PREFIX.fullmatch(prefix):
        yield Failure(
            "bucketPrefix", f'"{prefix}" may hold lower case letters, digits, dots and hyphens only'
        )
    if case.known("acl") not in (None, "private"):
        yield Failure("acl", "is refused by AWS: new buckets have object ownership BucketOwnerEnforced")


@rule("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
def lifecycle(case: Case) -> Iterator[Failure]:
    """Check ids and transitions."""
    if not case.has("rules"):
        yield Failure("rules", "needs at least one rule")
    seen: set[str] = set()
    for path, item in objects(case.known("rules"), "rules"):
        name = known(item, "id")
        if name in seen:
            yield Failure(f"{path}.id", f'the id "{name}" is used twice')
        seen.add(name)
        for where, transition in objects(known(item, "transitions"), f"{path}.transitions"):
            if ("date" in transition) == ("days" in transition):
                got = "both" if "date" in transition else "none"
                yield Failure(f"{where}.days", f"exactly one of date, days is required, got {got}")
            days = known(transition, "days")
            if days is not None and days < 30 and known(transition, "storageClass") in INFREQUENT:
                yield Failure(
                    f"{where}.days", f"must be at least 30 for {transition['storageClass']}, got {days}"
                )


@rule("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration")
def encryption(case: Case) -> Iterator[Failure]:
    """Check that there is one rule and that key and algorithm fit."""
    rules = list(objects(case.known("rules"), "rules"))
    if len(rules) > 1:
        yield Failure("rules", f"takes exactly one rule, got {len(rules)}")
    for path, item in rules:
        default = known(item, "applyServerSideEncryptionByDefault")
        if known(default, "sseAlgorithm") == "AES256" and default.get("kmsMasterKeyId"):
            where = f"{path}.applyServerSideEncryptionByDefault.kmsMasterKeyId"
            yield Failure(where, "is not allowed with sseAlgorithm AES256")


@rule("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration")
def object_lock(case: Case) -> Iterator[Failure]:
    """Check the default retention."""
    retention = known(case.known("rule"), "defaultRetention")
    if not isinstance(retention, dict):
        return
    if "mode" not in retention:
        yield Failure("rule.defaultRetention.mode", "is required")
    if "days" not in retention and "years" not in retention:
        yield Failure("rule.defaultRetention.days", "one of days, years is required, got none")


@rule("aws:s3/bucketVersioning:BucketVersioning")
def versioning(case: Case) -> Iterator[Failure]:
    """Check that deletion by MFA has its device."""
    if known(case.known("versioningConfiguration"), "mfaDelete") == "Enabled" and not case.has("mfa"):
        yield Failure("mfa", "is required with mfaDelete Enabled")
