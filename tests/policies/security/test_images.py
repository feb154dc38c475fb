"""Images and the account that they run in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policies.crossguard.findings import Undecided, Violation
from policies.crossguard.resources import Provider, Resource, Stack
from policies.crossguard.rules import About
from policies.crossguard.values import UNKNOWN, View
from policies.security.relations.images import RELATIONS
from policies.security.rules.containers import TASK_DEFINITION

(OWN_ACCOUNT,) = RELATIONS
ACCOUNTS = json.dumps(["111111111111"])


def image(account: str) -> str:
    return f"{account}.dkr.ecr.eu-west-1.amazonaws.com/airflow@sha256:{'0' * 64}"


def said(containers: Any, accounts: Any = ACCOUNTS, *, explicit: bool = True) -> list[About]:
    provider = Provider(urn="provider", name="aws", props=View.of({"allowedAccountIds": accounts}))
    definition = Resource(
        urn="definition",
        type=TASK_DEFINITION,
        token=TASK_DEFINITION,
        name="d",
        props=View.of({"containerDefinitions": containers}),
        provider=provider if explicit else None,
    )
    return list(OWN_ACCOUNT.judge(Stack([definition])))


@pytest.mark.parametrize("accounts", [ACCOUNTS, ["111111111111"], ["222222222222", "111111111111"]])
def test_an_image_of_the_own_registry_is_good(accounts: Any) -> None:
    assert said([{"image": image("111111111111")}], accounts) == []


def test_an_image_of_another_account_is_a_violation() -> None:
    found = said(json.dumps([{"image": image("111111111111")}, {"image": image("333333333333")}]))
    assert [(about.urn, type(about.finding)) for about in found] == [("definition", Violation)]
    assert "want a registry of 111111111111" in str(found[0].finding)


@pytest.mark.parametrize("accounts", [None, [], "[]"])
def test_a_provider_that_names_no_account_is_judged_elsewhere(accounts: Any) -> None:
    assert said([{"image": image("333333333333")}], accounts) == []


def test_a_default_provider_is_judged_elsewhere() -> None:
    assert said([{"image": image("333333333333")}], explicit=False) == []


def test_other_registries_are_judged_elsewhere() -> None:
    assert said([{"image": "apache/airflow:3.3.2"}]) == []


@pytest.mark.parametrize(
    ("containers", "accounts", "path"),
    [
        (UNKNOWN, ACCOUNTS, "containerDefinitions"),
        ([{"image": UNKNOWN}], ACCOUNTS, "containerDefinitions[0].image"),
        ([{"image": image("333333333333")}], UNKNOWN, "allowedAccountIds"),
    ],
)
def test_what_is_not_known_leaves_it_undecided(containers: Any, accounts: Any, path: str) -> None:
    assert said(containers, accounts) == [About("definition", Undecided(path))]


def test_an_image_of_another_type_is_a_violation() -> None:
    assert said([{"image": 7}]) == [
        About("definition", Violation("containerDefinitions[0].image is 7, want a text"))
    ]
