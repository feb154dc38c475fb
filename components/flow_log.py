"""The record of all traffic of a VPC, in CloudWatch Logs."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import checks, iam, naming
from components.rendering import as_json

SERVICE = "vpc-flow-logs.amazonaws.com"


@dataclass(frozen=True, kw_only=True)
class FlowLogArgs:
    """Inputs of a FlowLog."""

    account_id: str
    """The account of the VPC."""
    region: str
    """The region of the VPC."""
    vpc_id: pulumi.Input[str]
    """The VPC to record."""
    key_arn: pulumi.Input[str]
    """Key of the log group; its policy must let CloudWatch Logs use it."""
    retention_days: int
    """Days that the record is kept; a period that CloudWatch Logs knows."""
    role_path: str = "/airflow/"
    """IAM path of the role that writes it."""

    def __post_init__(self) -> None:
        """Refuse what AWS would refuse only when it is created."""
        checks.account_id(self.account_id)
        checks.retention_days("retention_days", self.retention_days)
        checks.matching(
            "role_path", self.role_path, r"/([\w+=,.@-]+/)*", "a path that begins and ends with /"
        )


class FlowLog(pulumi.ComponentResource):
    """Accepted and rejected traffic, in the default format and interval of ten minutes, the cheapest."""

    log_group_name: pulumi.Output[str]

    def __init__(self, name: str, args: FlowLogArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the log group, the role that may write into it, and the flow log."""
        super().__init__("airflow:network:FlowLog", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        group = aws.cloudwatch.LogGroup(
            f"{name}-group",
            retention_in_days=args.retention_days,
            kms_key_id=args.key_arn,
            opts=self._child,
        )
        self.log_group_name = group.name
        role, policy = self._make_role(name, args)
        aws.ec2.FlowLog(
            f"{name}-record",
            vpc_id=args.vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            tags={"Name": name},
            # AWS tries to write when the flow log is created; without the rights it stays broken.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.register_outputs({"logGroupName": self.log_group_name})

    def _make_role(self, name: str, args: FlowLogArgs) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        partition = iam.partition_of(args.region)
        trust = iam.service_trust(
            SERVICE,
            account_id=args.account_id,
            source_arn=f"arn:{partition}:ec2:{args.region}:{args.account_id}:vpc-flow-log/*",
        )
        role = aws.iam.Role(
            naming.fit(f"{name}-role", naming.ROLE_NAME_LIMIT),
            description="VPC flow logs write into their log group",
            path=args.role_path,
            assume_role_policy=as_json(trust),
            opts=self._child,
        )
        policy = aws.iam.RolePolicy(
            f"{name}-role-policy",
            role=role.name,
            policy=as_json(
                self.log_group_name.apply(
                    lambda group: iam.flow_log_writer(args.region, args.account_id, group)
                )
            ),
            opts=self._child,
        )
        return role, policy
