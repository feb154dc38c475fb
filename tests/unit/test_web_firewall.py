"""The web application firewall. What the rule groups of AWS refuse is not proved here."""

from __future__ import annotations

from typing import Any

from components.web_firewall import WebFirewall, WebFirewallArgs
from tests.harness import Deployment, RecordingMonitor
from tests.unit.programs import ACCOUNT, REGION, built, run

ACL = "aws:wafv2/webAcl:WebAcl"
ASSOCIATION = "aws:wafv2/webAclAssociation:WebAclAssociation"
BALANCER_ARN = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/web/0123456789abcdef"
ARGS = WebFirewallArgs(load_balancer_arn=BALANCER_ARN)


def firewall(deploy: Deployment) -> RecordingMonitor:
    return run(deploy, lambda opts: WebFirewall("wall", ARGS, opts))


def managed(priority: int, name: str, group: str, *counted: str) -> dict[str, Any]:
    statement: dict[str, Any] = {"vendorName": "AWS", "name": group}
    if counted:
        statement["ruleActionOverrides"] = [{"name": one, "actionToUse": {"count": {}}} for one in counted]
    return {
        "name": name,
        "priority": priority,
        "overrideAction": {"none": {}},
        "statement": {"managedRuleGroupStatement": statement},
        "visibilityConfig": visibility(f"wall-{name}"),
    }


def visibility(metric_name: str) -> dict[str, Any]:
    return {"metricName": metric_name, "cloudwatchMetricsEnabled": True, "sampledRequestsEnabled": True}


def test_web_acl(deploy: Deployment) -> None:
    """What Airflow's own requests look like is counted, the rest of AWS's rules refuse."""
    assert firewall(deploy).inputs(ACL) == {
        "wall-acl": {
            "description": "Airflow web entry",
            "scope": "REGIONAL",
            "defaultAction": {"allow": {}},
            "rules": [
                {
                    "name": "rate-limit",
                    "priority": 0,
                    "action": {"block": {}},
                    "statement": {
                        "rateBasedStatement": {
                            "aggregateKeyType": "IP",
                            "limit": 20000,
                            "evaluationWindowSec": 300,
                        }
                    },
                    "visibilityConfig": visibility("wall-rate-limit"),
                },
                managed(1, "reputation", "AWSManagedRulesAmazonIpReputationList"),
                managed(2, "bad-inputs", "AWSManagedRulesKnownBadInputsRuleSet"),
                managed(
                    3,
                    "common",
                    "AWSManagedRulesCommonRuleSet",
                    "SizeRestrictions_BODY",
                    "SizeRestrictions_QUERYSTRING",
                    "GenericRFI_BODY",
                ),
            ],
            "visibilityConfig": visibility("wall"),
            "tags": {"Name": "wall"},
        }
    }


def test_association(deploy: Deployment) -> None:
    monitor = firewall(deploy)
    assert monitor.inputs(ASSOCIATION) == {
        "wall-association": {"webAclArn": monitor.state(ACL)["arn"], "resourceArn": BALANCER_ARN}
    }


def test_counts(deploy: Deployment) -> None:
    types = ("pulumi:providers:aws", "airflow:edge:WebFirewall", ACL, ASSOCIATION)
    assert firewall(deploy).counts == dict.fromkeys(types, 1)


def test_ready_is_the_association(deploy: Deployment) -> None:
    """A web ACL guards nothing before it is associated."""
    _, component = built(deploy, lambda opts: WebFirewall("wall", ARGS, opts))
    assert [resource.pulumi_resource_name for resource in component.ready] == ["wall-association"]


def test_outputs(deploy: Deployment) -> None:
    monitor = firewall(deploy)
    assert monitor.outputs["wall"] == {"webAclArn": monitor.state(ACL)["arn"]}
