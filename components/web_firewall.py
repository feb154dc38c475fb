"""The web application firewall of a load balancer that faces the internet.

It lets everything through that no rule refuses: who may connect at all is the security group's matter. Requests are
counted and sampled, not logged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

REQUESTS_PER_ADDRESS = 20_000
"""In five minutes. An open page of Airflow asks a few times every three seconds, about 500 requests; an office with
40 such pages comes from one address."""
REPUTATION_GROUP = "AWSManagedRulesAmazonIpReputationList"
BAD_INPUTS_GROUP = "AWSManagedRulesKnownBadInputsRuleSet"
COMMON_GROUP = "AWSManagedRulesCommonRuleSet"
COUNTED_COMMON_RULES = (
    "SizeRestrictions_BODY",  # variables, connections and configurations of runs are larger than 8 KB
    "SizeRestrictions_QUERYSTRING",  # lists of DAGs ask for many ids at once
    "GenericRFI_BODY",  # connections and variables hold URLs with addresses in them
)
"""What Airflow's own requests look like is counted instead of refused."""


@dataclass(frozen=True, kw_only=True)
class WebFirewallArgs:
    """Inputs of a WebFirewall."""

    load_balancer_arn: pulumi.Input[str]
    """The load balancer that it stands before."""


class WebFirewall(pulumi.ComponentResource):
    """One web ACL for one load balancer; all its rules are AWS's own but the limit of requests."""

    ready: tuple[pulumi.Resource, ...]
    """What must depend on being guarded: before it, requests pass without any inspection."""

    def __init__(self, name: str, args: WebFirewallArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the web ACL and put it before the load balancer."""
        super().__init__("airflow:edge:WebFirewall", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        acl = aws.wafv2.WebAcl(
            f"{name}-acl",
            description="Airflow web entry",
            scope="REGIONAL",
            default_action=aws.wafv2.WebAclDefaultActionArgs(allow=aws.wafv2.WebAclDefaultActionAllowArgs()),
            rules=[
                _rate_limit(name, 0),
                _managed(name, 1, "reputation", REPUTATION_GROUP),
                _managed(name, 2, "bad-inputs", BAD_INPUTS_GROUP),
                _managed(name, 3, "common", COMMON_GROUP, COUNTED_COMMON_RULES),
            ],
            visibility_config=aws.wafv2.WebAclVisibilityConfigArgs(
                metric_name=name, cloudwatch_metrics_enabled=True, sampled_requests_enabled=True
            ),
            tags={"Name": name},
            opts=self._child,
        )
        association = aws.wafv2.WebAclAssociation(
            f"{name}-association",
            web_acl_arn=acl.arn,
            resource_arn=args.load_balancer_arn,
            opts=self._child,
        )
        self.ready = (association,)
        self.register_outputs({"webAclArn": acl.arn})


def _rate_limit(name: str, priority: int) -> aws.wafv2.WebAclRuleArgs:
    return aws.wafv2.WebAclRuleArgs(
        name="rate-limit",
        priority=priority,
        action=aws.wafv2.WebAclRuleActionArgs(block=aws.wafv2.WebAclRuleActionBlockArgs()),
        statement=aws.wafv2.WebAclRuleStatementArgs(
            rate_based_statement=aws.wafv2.WebAclRuleStatementRateBasedStatementArgs(
                aggregate_key_type="IP", limit=REQUESTS_PER_ADDRESS, evaluation_window_sec=300
            )
        ),
        visibility_config=_visibility(f"{name}-rate-limit"),
    )


def _managed(
    name: str, priority: int, rule: str, group: str, counted: Sequence[str] = ()
) -> aws.wafv2.WebAclRuleArgs:
    """Return a rule that applies a rule group of AWS, in the version that AWS recommends at the time."""
    count = aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseArgs(
        count=aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseCountArgs()
    )
    override = aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideArgs
    keep = aws.wafv2.WebAclRuleOverrideActionNoneArgs()  # type: ignore[no-untyped-call]  # the SDK's own lapse
    statement = aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementArgs(
        vendor_name="AWS",
        name=group,
        rule_action_overrides=[override(name=one, action_to_use=count) for one in counted] or None,
    )
    return aws.wafv2.WebAclRuleArgs(
        name=rule,
        priority=priority,
        # The group's own actions hold.
        override_action=aws.wafv2.WebAclRuleOverrideActionArgs(none=keep),
        statement=aws.wafv2.WebAclRuleStatementArgs(managed_rule_group_statement=statement),
        visibility_config=_visibility(f"{name}-{rule}"),
    )


def _visibility(metric_name: str) -> aws.wafv2.WebAclRuleVisibilityConfigArgs:
    return aws.wafv2.WebAclRuleVisibilityConfigArgs(
        metric_name=metric_name, cloudwatch_metrics_enabled=True, sampled_requests_enabled=True
    )
