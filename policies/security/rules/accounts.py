"""Settings of a whole account: what a stack declares of them must be switched on.

That they are declared at all cannot be asked of a stack: an account has them once, from wherever it is managed. The
block of public access is judged together with that of buckets.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.crossguard.checks import all_of, holds, is_true
from policies.crossguard.findings import Check, Finding, Violation, judged
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View

RUNTIME_MONITORING: Final = "RUNTIME_MONITORING"
FARGATE_AGENT: Final = "ECS_FARGATE_AGENT_MANAGEMENT"


def _enabled(state: View) -> Iterator[Finding]:
    if state.text() != "ENABLED":
        yield Violation(f"{state.path} is {state.shown()}, want ENABLED")


def _watches_fargate(feature: View) -> Iterator[Finding]:
    if feature["name"].text() != RUNTIME_MONITORING:
        return
    yield from judged(_enabled, feature["status"])
    more = feature["additionalConfigurations"]
    states = [each["status"] for each in more.items() if each["name"].text() == FARGATE_AGENT]
    if not states:
        yield Violation(f"{more.path} has no {FARGATE_AGENT}, want it ENABLED")
    for state in states:
        yield from judged(_enabled, state)


def _setting(
    name: str,
    on: str | tuple[str, ...],
    check: Check,
    *references: str,
    why: str,
    fix: str,
) -> Rule:
    """Return a rule about a setting of an account: advisory, since most accounts are managed elsewhere."""
    return Rule(
        name=name,
        why=why,
        fix=fix,
        severity=Severity.HIGH,
        tier=Tier.NOWHERE,
        controls=("113",),
        references=references,
        on=(on,) if isinstance(on, str) else on,
        check=check,
    )


RULES: Final = (
    _setting(
        "guardduty-enabled",
        "aws:guardduty/detector:Detector",
        is_true("enable", default=True),
        why="Nobody looks for signs of a break-in.",
        fix="Set `enable`.",
    ),
    _setting(
        "guardduty-watches-containers",
        "aws:guardduty/detectorFeature:DetectorFeature",
        _watches_fargate,
        "GuardDuty.11",
        "GuardDuty.12",
        why="Nobody looks for signs of a break-in inside of containers.",
        fix=f"Set `status` to ENABLED, and for {RUNTIME_MONITORING} that of {FARGATE_AGENT}, too.",
    ),
    _setting(
        "inspector-scans-images",
        "aws:inspector2/enabler:Enabler",
        holds("resourceTypes", {"ECR"}),
        "Inspector.2",
        why="Nobody learns that an image has a known weakness.",
        fix="Add ECR to `resourceTypes`.",
    ),
    _setting(
        "config-records-everything",
        "aws:cfg/recorder:Recorder",
        all_of(
            is_true("recordingGroup.allSupported", default=True),
            is_true("recordingGroup.includeGlobalResourceTypes"),
        ),
        "Config.1",
        "4.3",
        why="What was changed, and when, cannot be found out afterwards.",
        fix="Set `allSupported` and `includeGlobalResourceTypes` of `recordingGroup`.",
    ),
    _setting(
        "config-recorder-runs",
        "aws:cfg/recorderStatus:RecorderStatus",
        is_true("isEnabled"),
        "Config.1",
        "4.3",
        why="What was changed, and when, cannot be found out afterwards.",
        fix="Set `isEnabled`.",
    ),
    _setting(
        "cloudtrail-everywhere",
        "aws:cloudtrail/trail:Trail",
        all_of(
            is_true("isMultiRegionTrail"),
            is_true("includeGlobalServiceEvents", default=True),
            is_true("enableLogging", default=True),
        ),
        "CloudTrail.1",
        "4.1",
        why="What somebody does in a region that nobody uses leaves no trace.",
        fix="Set `isMultiRegionTrail`, and leave `includeGlobalServiceEvents` and `enableLogging` on.",
    ),
    _setting(
        "ebs-encrypted-by-default",
        "aws:ebs/encryptionByDefault:EncryptionByDefault",
        is_true("enabled", default=True),
        "EC2.7",
        "6.1.1",
        why="A volume that somebody makes in a hurry is not encrypted.",
        fix="Set `enabled`.",
    ),
)
