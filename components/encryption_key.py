"""The key of an environment: everything that the environment stores is encrypted with it.

It names no role of ours: the account's IAM policies decide who uses it. Databases, file system, table and
secrets use it with the rights of whoever creates or reads them; logs and alarms use it on their own account.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import checks, iam
from components.iam import alerts
from components.rendering import as_json

MIN_DELETION_DAYS, MAX_DELETION_DAYS = 7, 30


@dataclass(frozen=True, kw_only=True)
class EncryptionKeyArgs:
    """Inputs of an EncryptionKey."""

    account_id: str
    """The account it is built in."""
    region: str
    """The region it is built in."""
    alias: str
    """Name of the key for people and tools, such as alias/airflow-dev."""
    deletion_days: int
    """Days between the deletion of the key and its end, 7 to 30; in between it can be brought back."""
    protect: bool = True
    """Refuse to delete the key: without it all data of the environment is lost."""

    def __post_init__(self) -> None:
        """Refuse what KMS would refuse only when it is created."""
        checks.account_id(self.account_id)
        checks.matching(
            "alias",
            self.alias,
            r"alias/(?!aws/)[a-zA-Z0-9/_-]+",
            "alias/ and a name that does not begin with aws/",
        )
        checks.between("alias (its length)", len(self.alias), 1, 256)
        checks.between("deletion_days", self.deletion_days, MIN_DELETION_DAYS, MAX_DELETION_DAYS)


class EncryptionKey(pulumi.ComponentResource):
    """One symmetric key that KMS renews every year, and its alias."""

    key_arn: pulumi.Output[str]
    key_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: EncryptionKeyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Register the key and its alias."""
        super().__init__("airflow:data:EncryptionKey", name, {}, opts)
        key = aws.kms.Key(
            f"{name}-key",
            description=f"Data, secrets and logs of {name}",
            enable_key_rotation=True,
            deletion_window_in_days=args.deletion_days,
            policy=as_json(
                iam.shared_key(
                    args.region, args.account_id, alerts.alarms_use_key(args.region, args.account_id)
                )
            ),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        aws.kms.Alias(
            f"{name}-alias",
            name=args.alias,
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.key_arn, self.key_id = key.arn, key.key_id
        self.register_outputs({"keyArn": self.key_arn, "keyId": self.key_id})
