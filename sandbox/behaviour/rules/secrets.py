"""Secrets Manager and Parameter Store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import Case, rule

MAX_SECRET: Final = 65536
_VALUES: Final = ("secretString", "secretBinary", "secretStringWo")
_SIZES: Final = {"Standard": 4096, "Advanced": 8192, "Intelligent-Tiering": 8192}


@rule("aws:secretsmanager/secret:Secret")
def secret(case: Case) -> Iterator[Failure]:
    """Check the recovery window."""
    days = case.known("recoveryWindowInDays")
    if days is not None and days != 0 and not 7 <= days <= 30:
        yield Failure("recoveryWindowInDays", f"must be 0, or 7 to 30, got {days}")


@rule("aws:secretsmanager/secretVersion:SecretVersion")
def version(case: Case) -> Iterator[Failure]:
    """Check that there is a value, and its size."""
    if not any(case.has(key) for key in _VALUES):
        yield Failure("secretString", f"one of {', '.join(_VALUES)} is required, got none")
    value = case.known("secretString")
    if value is not None and len(value.encode()) > MAX_SECRET:
        yield Failure("secretString", f"takes at most {MAX_SECRET} bytes, got {len(value.encode())}")


@rule("aws:secretsmanager/secretRotation:SecretRotation")
def rotation(case: Case) -> Iterator[Failure]:
    """Check that a rotation that is on has its rules."""
    if case.inputs.get("rotationEnabled", True) is True and not case.has("rotationRules"):
        yield Failure("rotationRules", "is required unless rotationEnabled is false")


@rule("aws:ssm/parameter:Parameter")
def parameter(case: Case) -> Iterator[Failure]:
    """Check name and size of a parameter."""
    if case.has("insecureValue") and case.known("type") == "SecureString":
        yield Failure("insecureValue", "is not for type SecureString")
    name = case.known("name")
    if name is not None and "/" in name.strip("/") and not name.startswith("/"):
        yield Failure("name", f'a name with / inside must begin with /, got "{name}"')
    if name is not None and name.lstrip("/").lower().startswith(("aws", "ssm")):
        yield Failure("name", "must not begin with aws or ssm")
    value, tier = case.known("value"), case.known("tier", "Standard")
    if value is not None and len(value.encode()) > _SIZES.get(tier, 4096):
        yield Failure(
            "value", f"takes at most {_SIZES.get(tier, 4096)} bytes in tier {tier}, got {len(value.encode())}"
        )
