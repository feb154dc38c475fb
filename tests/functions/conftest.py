"""The simulated account of the gate's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from functions.platform_gate.aws import Clients
from tests.functions.account import Account, account, connect, simulation


@pytest.fixture(scope="package")
def clients() -> Iterator[Clients]:
    """Give the clients; making them is slow, and the accounts leave them as they were."""
    with simulation():
        yield connect()


@pytest.fixture
def aws(clients: Clients) -> Iterator[Account]:
    """Give a new account."""
    with account(clients) as made:
        yield made
