"""Faults at chosen calls, and what must hold after the gate has opened."""

from __future__ import annotations

import json

from functions.platform_gate import values
from functions.platform_gate.kinds import SecretKind
from tests.functions.account import HOST, Account, Hook

CALLS = 33
"""Calls of a gate that has everything to do."""


class CutOff(BaseException):
    """The end of the function, as when Lambda takes its machine away."""


def at(number: int, error: BaseException) -> Hook:
    """Return a hook that fails one call."""

    def fail(call: int, _: str) -> None:
        if call == number:
            raise error

    return fail


def finished(aws: Account) -> None:
    """Check the account after a gate that opened."""
    made = aws.values()
    assert set(made) == set(SecretKind)
    certificate, key = made[SecretKind.API_SERVER_CERTIFICATE], made[SecretKind.API_SERVER_PRIVATE_KEY]
    assert values.certificate_problem(certificate, key, HOST) is None
    password = json.loads(made[SecretKind.BROKER_USER])["password"]
    assert {user["AuthenticationMode.Passwords.member.1"] for user in aws.users.modified} == {password}
    assert all(task.stopped for task in aws.fargate.tasks)
    assert aws.fargate.most_at_once == 1


def again(aws: Account, before: dict[SecretKind, str]) -> None:
    """Call the gate again, undisturbed, and compare with the values from before."""
    aws.before = aws.after = None
    aws.gate()
    assert {kind: aws.values()[kind] for kind in before} == before
    finished(aws)
