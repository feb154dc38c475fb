"""Cases of the rules about settings of a whole account."""

from __future__ import annotations

from typing import Any, Final

from policies.security.rules.accounts import FARGATE_AGENT, RUNTIME_MONITORING
from tests.policies.cases import Case, Change

DETECTOR: Final = "aws:guardduty/detector:Detector"
FEATURE: Final = "aws:guardduty/detectorFeature:DetectorFeature"
ENABLER: Final = "aws:inspector2/enabler:Enabler"
RECORDER: Final = "aws:cfg/recorder:Recorder"
RECORDER_STATUS: Final = "aws:cfg/recorderStatus:RecorderStatus"
TRAIL: Final = "aws:cloudtrail/trail:Trail"
ENCRYPTION: Final = "aws:ebs/encryptionByDefault:EncryptionByDefault"
GOOD: Final[dict[str, dict[str, Any]]] = {
    DETECTOR: {"enable": True},
    FEATURE: {
        "name": RUNTIME_MONITORING,
        "status": "ENABLED",
        "additionalConfigurations": [{"name": FARGATE_AGENT, "status": "ENABLED"}],
    },
    ENABLER: {"resourceTypes": ["ECR", "LAMBDA"]},
    RECORDER: {"recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True}},
    RECORDER_STATUS: {"isEnabled": True},
    TRAIL: {"isMultiRegionTrail": True, "includeGlobalServiceEvents": True, "enableLogging": True},
    ENCRYPTION: {"enabled": True},
}


def _case(rule: str, token: str, *changes: Change) -> Case:
    return Case(rule=rule, type=token, good=GOOD[token], changes=changes)


CASES: Final = (
    _case("guardduty-enabled", DETECTOR, Change(path="enable", bad=False, absent=False)),
    _case(
        "guardduty-watches-containers",
        FEATURE,
        Change(path="status", bad="DISABLED"),
        Change(path="additionalConfigurations[0].status", bad="DISABLED"),
        Change(path="additionalConfigurations", bad=[]),
    ),
    _case("inspector-scans-images", ENABLER, Change(path="resourceTypes", bad=["EC2"])),
    _case(
        "config-records-everything",
        RECORDER,
        Change(path="recordingGroup.allSupported", bad=False, absent=False),
        Change(path="recordingGroup.includeGlobalResourceTypes", bad=False),
    ),
    _case("config-recorder-runs", RECORDER_STATUS, Change(path="isEnabled", bad=False)),
    _case(
        "cloudtrail-everywhere",
        TRAIL,
        Change(path="isMultiRegionTrail", bad=False),
        Change(path="includeGlobalServiceEvents", bad=False, absent=False),
        Change(path="enableLogging", bad=False, absent=False),
    ),
    _case("ebs-encrypted-by-default", ENCRYPTION, Change(path="enabled", bad=False, absent=False)),
)
