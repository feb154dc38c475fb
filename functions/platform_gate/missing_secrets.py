"""Gives a value to every secret that has none, and never touches one that has.

Values stay inside this package: they are neither logged nor returned, and no error repeats one.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from . import values
from .aws import code_of
from .errors import RUN_AGAIN, GateError
from .kinds import SecretKind
from .pace import Pace

CURRENT = "AWSCURRENT"
SETTLE_SECONDS = 30
"""How long what was just written may stay invisible."""
POLL_SECONDS = 3

log = logging.getLogger(__name__)


class Login(NamedTuple):
    """A user name and its password."""

    username: str
    password: str


class Store:
    """The environment's secrets in Secrets Manager."""

    def __init__(self, client: Any, arns: Mapping[SecretKind, str], pace: Pace) -> None:
        """Work on the secrets with these ARNs."""
        self._client, self._arns, self._pace = client, arns, pace

    def fill(self, *, host_name: str, broker_user: str, made: list[SecretKind]) -> None:
        """Make what is missing.

        Args:
            host_name: What the certificate is for.
            broker_user: User name in the broker's login.
            made: Every kind made is added here, also when a later one fails.

        """
        kind = SecretKind.API_SERVER_CERTIFICATE
        for other in self._arns:
            if other is not kind and not self._has_value(other):
                self._put_first(other, values.alone(other, broker_user), made)
        # The certificate is made from the key that is stored, which another gate may have made meanwhile.
        key = self._read(SecretKind.API_SERVER_PRIVATE_KEY)
        if not self._has_value(kind):
            self._put_first(kind, self._certificate(key, host_name), made)
        if problem := values.certificate_problem(self._read(kind), key, host_name):
            raise GateError(
                f"the certificate in the secret {self._arns[kind]} {problem}",
                "replace the secrets of the certificate and of its key (`pulumi up --target-replace`): "
                "the gate fills the new ones",
            )

    def login(self, kind: SecretKind) -> Login:
        """Return the login in a secret that has one."""
        try:
            content = json.loads(self._read(kind))
            return Login(username=content["username"], password=content["password"])
        except (ValueError, TypeError, KeyError):
            # The causes quote what they could not read.
            raise GateError(
                f"the secret {self._arns[kind]} holds no user name and password", "correct its value as JSON"
            ) from None

    def _certificate(self, key: str, host_name: str) -> str:
        try:
            return values.certificate(key, host_name)
        except ValueError:
            arn = self._arns[SecretKind.API_SERVER_PRIVATE_KEY]
            raise GateError(
                f"the secret {arn} holds no PEM key that a certificate can be made for",
                "replace the secret (`pulumi up --target-replace`): the gate fills the new one",
            ) from None

    def _has_value(self, kind: SecretKind) -> bool:
        versions = self._client.describe_secret(SecretId=self._arns[kind]).get("VersionIdsToStages") or {}
        return any(CURRENT in stages for stages in versions.values())

    def _put_first(self, kind: SecretKind, value: str, made: list[SecretKind]) -> None:
        """Write the first version of a secret, unless another gate has done so."""
        arn = self._arns[kind]
        try:
            self._client.put_secret_value(
                SecretId=arn, ClientRequestToken=first_version(arn), SecretString=value
            )
        except ClientError as error:
            if code_of(error) != "ResourceExistsException":
                raise
            # Two gates found the secret empty. The version id is fixed, so only the first could write.
            log.info("another gate made %s", kind.value)
            self._wait_for_value(kind)
        else:
            log.info("made %s", kind.value)
            made.append(kind)

    def _wait_for_value(self, kind: SecretKind) -> None:
        give_up_at = self._pace.now() + SETTLE_SECONDS
        while not self._has_value(kind):
            state = f"the secret {self._arns[kind]} has versions, and none of them is {CURRENT}"
            if self._pace.now() >= give_up_at:
                raise GateError(
                    state, f"mark one as {CURRENT} (`aws secretsmanager update-secret-version-stage`)"
                )
            self._pace.pause(POLL_SECONDS, state)

    def _read(self, kind: SecretKind) -> str:
        give_up_at = self._pace.now() + SETTLE_SECONDS
        while True:
            try:
                return str(self._client.get_secret_value(SecretId=self._arns[kind])["SecretString"])
            except ClientError as error:
                # What Secrets Manager says about a secret without a current version, also shortly after it got one.
                if code_of(error) != "ResourceNotFoundException" or self._pace.now() >= give_up_at:
                    raise
            except KeyError:
                raise GateError(
                    f"the secret {self._arns[kind]} holds binary data", f"give it text, then {RUN_AGAIN}"
                ) from None
            self._pace.pause(POLL_SECONDS, f"the secret {self._arns[kind]} has no value yet")


def first_version(arn: str) -> str:
    """Return the version id of the first value: always the same for a secret, so that there is only one first."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, arn))
