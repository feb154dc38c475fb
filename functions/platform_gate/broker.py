"""Switches the broker's user on.

Pulumi creates it without rights and without a password, so that no password is in its state.
"""

from __future__ import annotations

import logging
from typing import Any

from botocore.exceptions import ClientError

from .aws import code_of
from .errors import GateError
from .missing_secrets import Login
from .pace import Pace

POLL_SECONDS = 1
BUSY = ("InvalidUserState", "InvalidUserStateFault")

log = logging.getLogger(__name__)


def enable(elasticache: Any, user_id: str, access_string: str, login: Login, pace: Pace) -> None:
    """Give the user its rights and its password, and wait until the broker knows them.

    This is done every time: nobody can ask AWS which password a user has, and the same one again changes nothing for
    connected clients but puts right what was changed by hand.

    Raises:
        GateError: the user is another one than the secret's, is being deleted, or stays busy.

    """
    _wait_until_active(elasticache, user_id, login, pace)
    while True:
        try:
            elasticache.modify_user(
                UserId=user_id,
                AccessString=access_string,
                AuthenticationMode={"Type": "password", "Passwords": [login.password]},
            )
            break
        except ClientError as error:
            if code_of(error) not in BUSY:
                raise
        # A change of its user group, made by the same update, makes a user busy.
        pace.pause(POLL_SECONDS, f"the broker's user {user_id} is busy with another change")
    _wait_until_active(elasticache, user_id, login, pace)
    log.info("the broker's user %s is on", user_id)


def _wait_until_active(elasticache: Any, user_id: str, login: Login, pace: Pace) -> None:
    while True:
        (user,) = elasticache.describe_users(UserId=user_id)["Users"]
        if user["UserName"] != login.username:
            raise GateError(
                f'the broker\'s user {user_id} is called "{user["UserName"]}", its secret says otherwise',
                "correct the user name in the secret",
            )
        if user["Status"] == "active":
            return
        if user["Status"] == "deleting":
            raise GateError(
                f"the broker's user {user_id} is being deleted", "run `pulumi refresh`, then `pulumi up`"
            )
        pace.pause(POLL_SECONDS, f"the broker's user {user_id} is {user['Status']}")
