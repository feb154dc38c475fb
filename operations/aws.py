"""The AWS clients, who we are there, and what AWS's refusals mean.

Credentials and endpoint are found as every AWS tool finds them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from operations.errors import AwsBusy, AwsError, OperationError

CONFIG: Final = Config(
    retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=5, read_timeout=30
)
SIGN_IN: Final = "sign in to AWS first (such as with `aws sso login`), or name a profile in AWS_PROFILE"
_BUSY: Final = frozenset(
    {
        "InternalError",
        "InternalServerError",
        "LimitExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServerException",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_STRANGERS: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_UNKNOWN_IDENTITY: Final = (
    CredentialRetrievalError,
    NoCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)


@dataclass(frozen=True)
class Caller:
    """Who acts."""

    arn: str
    account: str


class Aws:
    """Clients for one region, made when they are first used; their methods have no types."""

    def __init__(self, region: str) -> None:
        """Keep the region."""
        self.region = region

    @cached_property
    def session(self) -> Any:
        """Everything that finds credentials."""
        with explained("sign in to AWS"):
            return boto3.Session(region_name=self.region)

    @cached_property
    def s3(self) -> Any:
        """Client of the release bucket."""
        return self._client("s3")

    @cached_property
    def ecs(self) -> Any:
        """Client of the cluster."""
        return self._client("ecs")

    @cached_property
    def logs(self) -> Any:
        """Client of the publisher's log."""
        return self._client("logs")

    def caller(self, account: str | None) -> Caller:
        """Return who acts.

        Args:
            account: Where the stack is; None if that is unknown.

        Raises:
            OperationError: nobody, or somebody in another account.

        """
        with explained("sign in to AWS"):
            answer = self._client("sts").get_caller_identity()
        caller = Caller(arn=answer["Arn"], account=answer["Account"])
        if account is not None and caller.account != account:
            raise OperationError(
                f"the credentials are of account {caller.account} ({caller.arn}), the stack is in account {account}:"
                " use the credentials of that account, or name another stack"
            )
        return caller

    def _client(self, service: str) -> Any:
        with explained("sign in to AWS"):
            return self.session.client(service, config=CONFIG)


def code_of(error: ClientError) -> str:
    """Return AWS's name for an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn an error of AWS into one that a person can use; `what` follows "cannot"."""
    try:
        yield
    except ClientError as error:
        raise refusal(what, error) from error
    except _UNKNOWN_IDENTITY as error:
        raise AwsError(f"cannot {what}: {str(error).rstrip('.')}: {SIGN_IN}") from error
    except BotoCoreError as error:
        raise AwsBusy(
            f"cannot {what}: AWS does not answer ({type(error).__name__}: {error}): see whether there is a way to AWS"
            " from here, then try again"
        ) from error


def refusal(what: str, error: ClientError) -> AwsError:
    """Return our own error for a refused call."""
    code, message = code_of(error), str(error.response.get("Error", {}).get("Message", ""))
    if code in _BUSY:
        return AwsBusy(f"cannot {what}: AWS is busy ({code}): try again in a minute")
    if code in _STRANGERS:
        return AwsError(f"cannot {what}: AWS does not accept the credentials ({code}): {SIGN_IN}")
    if code.startswith("AccessDenied") or code == "403":
        return AwsError(
            f"cannot {what}: AWS does not allow it ({message}): use a role that may do it, or extend its policy"
        )
    return AwsError(f"cannot {what}: AWS refuses it ({code}: {message})")
