"""Backups that nobody can delete."""

from __future__ import annotations

from typing import Any

import pytest

from policies.crossguard.values import UNKNOWN
from policies.security.relations.vaults import LOCK, RELATIONS
from policies.security.rules.backup import VAULT
from tests.policies.made import BAD, GOOD, OPEN, made, verdict

(LOCKED,) = RELATIONS


def said(named: Any, *behind: str, name: Any = "airflow") -> str:
    lock = made(LOCK, "lock", {"backupVaultName": behind}, backupVaultName=named)
    return verdict(LOCKED, "vault", made(VAULT, "vault", name=name), made(VAULT, "other", name="other"), lock)


@pytest.mark.parametrize(
    ("named", "expected"), [("airflow", GOOD), ("other", BAD), (UNKNOWN, OPEN), (None, BAD), (7, BAD)]
)
def test_a_lock_names_the_vault(named: Any, expected: str) -> None:
    assert said(named) == expected


def test_in_a_preview_the_dependency_tells() -> None:
    assert said(UNKNOWN, "vault", name=UNKNOWN) == GOOD
    assert said(UNKNOWN, "other", name=UNKNOWN) == BAD


def test_without_a_lock_it_is_a_violation() -> None:
    assert verdict(LOCKED, "vault", made(VAULT, "vault", name="airflow")) == BAD
