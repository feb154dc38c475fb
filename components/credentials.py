"""The secrets of an environment, empty.

The platform gate makes their values, once; they never pass this program, its state or a preview. Nor does it
rotate them: who needs a new value follows the runbook. No secret has a resource policy: only such a policy
could let another account in, and there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import checks
from functions.platform_gate.kinds import SecretKind

DESCRIPTIONS: Mapping[SecretKind, str] = {
    SecretKind.FERNET_KEY: "Encrypts connections and variables in the metastore",
    SecretKind.JWT_SECRET: "Signs the tokens of the APIs",
    SecretKind.API_SECRET_KEY: "Signs the sessions of the user interface",
    SecretKind.METASTORE_USER: "Login of Airflow to the metastore",
    SecretKind.BROKER_USER: "Login of Airflow to the broker",
    SecretKind.ADMIN_USER: "Login of the first administrator of Airflow",
    SecretKind.FLOWER_USER: "Login to Flower",
    SecretKind.API_SERVER_PRIVATE_KEY: "Private key of the api-server's certificate",
    SecretKind.API_SERVER_CERTIFICATE: "Certificate of the api-server that workers trust",
}
NO_RECOVERY = 0
MIN_RECOVERY_DAYS, MAX_RECOVERY_DAYS = 7, 30


@dataclass(frozen=True, kw_only=True)
class CredentialsArgs:
    """Inputs of Credentials."""

    key_arn: pulumi.Input[str]
    """Key that encrypts the values; readers need rights on it as well."""
    recovery_days: int
    """Days that a deleted secret can be brought back, 7 to 30; 0 means that it is gone at once."""
    flower: bool
    """Whether Flower runs, which has a login of its own."""
    protect: bool = True
    """Refuse to delete the secrets: without the Fernet key connections and variables cannot be read."""

    def __post_init__(self) -> None:
        """Refuse what Secrets Manager would refuse only when a secret is deleted."""
        if self.recovery_days != NO_RECOVERY:
            checks.between("recovery_days", self.recovery_days, MIN_RECOVERY_DAYS, MAX_RECOVERY_DAYS)


class Credentials(pulumi.ComponentResource):
    """One secret for each kind.

    Their physical names are made by Pulumi: a deleted secret keeps its name until it can no longer be brought
    back, and would block a stack that is built again.
    """

    arns: Mapping[SecretKind, pulumi.Output[str]]
    """ARN by kind; without Flower there is none for its login."""

    def __init__(self, name: str, args: CredentialsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the secrets."""
        super().__init__("airflow:data:Credentials", name, {}, opts)
        kinds = [kind for kind in SecretKind if args.flower or kind is not SecretKind.FLOWER_USER]
        self.arns = {kind: self._make_secret(f"{name}-{kind}", kind, args) for kind in kinds}
        self.register_outputs({"arns": {str(kind): arn for kind, arn in self.arns.items()}})

    def _make_secret(self, secret_name: str, kind: SecretKind, args: CredentialsArgs) -> pulumi.Output[str]:
        secret = aws.secretsmanager.Secret(
            secret_name,
            description=DESCRIPTIONS[kind],
            kms_key_id=args.key_arn,
            recovery_window_in_days=args.recovery_days,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        return secret.arn
