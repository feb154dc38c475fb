"""What the rules about settings of an account accept, beyond their cases."""

from __future__ import annotations

from policies.security.rules.accounts import FARGATE_AGENT, RUNTIME_MONITORING
from tests.policies.security.cases_accounts import FEATURE
from tests.policies.security.test_rules import judged, violated


def test_another_feature_of_guardduty_may_be_off() -> None:
    feature = {"name": "S3_DATA_EVENTS", "status": "DISABLED"}
    assert judged("guardduty-watches-containers", FEATURE, feature) == []


def test_another_agent_does_not_watch_fargate() -> None:
    feature = {
        "name": RUNTIME_MONITORING,
        "status": "ENABLED",
        "additionalConfigurations": [{"name": "EKS_ADDON_MANAGEMENT", "status": "ENABLED"}],
    }
    (found,) = judged("guardduty-watches-containers", FEATURE, feature)
    assert FARGATE_AGENT in str(found)
    assert violated([found])
