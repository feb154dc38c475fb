"""Planted failures."""

from __future__ import annotations

import pytest

from sandbox.provider.faults import Faults, PlantedFailureError

NAT = "aws:ec2/natGateway:NatGateway"


def test_once_fails_the_first_time_only() -> None:
    faults = Faults([f"{NAT}::nat=once"])
    with pytest.raises(PlantedFailureError, match=r"planted failure of aws:ec2/natGateway:NatGateway::nat"):
        faults.strike(NAT, "nat")
    faults.strike(NAT, "nat")


def test_once_is_the_default() -> None:
    faults = Faults([f"{NAT}::nat"])
    with pytest.raises(PlantedFailureError):
        faults.strike(NAT, "nat")
    faults.strike(NAT, "nat")


def test_always_fails_every_time() -> None:
    faults = Faults([f"{NAT}::*=always"])
    for name in ("nat-1", "nat-1", "nat-2"):
        with pytest.raises(PlantedFailureError):
            faults.strike(NAT, name)


def test_other_resources_do_not_fail() -> None:
    Faults([f"{NAT}::nat=always"]).strike(NAT, "other")


@pytest.mark.parametrize("specification", ["x=twice", "=once", "x=Always"])
def test_a_malformed_specification_is_refused(specification: str) -> None:
    with pytest.raises(ValueError, match=r"want TYPE::NAME\[=once\|always\]"):
        Faults([specification])
