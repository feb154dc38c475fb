"""KMS keys and aliases."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import Case, rule


@rule("aws:kms/key:Key")
def key(case: Case) -> Iterator[Failure]:
    """Check rotation, which exists for symmetric encryption keys only."""
    spec, usage = case.known("customerMasterKeySpec"), case.known("keyUsage")
    asymmetric = spec not in (None, "SYMMETRIC_DEFAULT") or usage not in (None, "ENCRYPT_DECRYPT")
    if case.known("enableKeyRotation") and asymmetric:
        yield Failure("enableKeyRotation", "works for symmetric ENCRYPT_DECRYPT keys only")
    if case.has("rotationPeriodInDays") and not case.inputs.get("enableKeyRotation"):
        yield Failure("rotationPeriodInDays", "needs enableKeyRotation true")


@rule("aws:kms/alias:Alias")
def alias(case: Case) -> Iterator[Failure]:
    """Check the reserved part of the name."""
    for name in ("name", "namePrefix"):
        value = case.known(name)
        if value is not None and value.startswith("alias/aws/"):
            yield Failure(name, "must not begin with alias/aws/, which AWS keeps for itself")
    name = case.known("name")
    if name is not None and len(name) > 256:
        yield Failure("name", f"cannot be longer than 256 characters, got {len(name)}")
