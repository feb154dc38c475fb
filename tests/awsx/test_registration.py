"""When children are registered, with which options, and what stops them."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from sandbox.awsx.registration import RegistrationError
from sandbox.awsx.vpc import ConstructOptions, LayoutError, Registered
from tests.awsx.recorder import STACK, ZONES, Recorder, arguments, build


def test_component_options_reach_the_registrations() -> None:
    options = ConstructOptions(
        STACK, aliases=["old"], providers={"aws": "p::1"}, protect=True, depends_on=["Stack::x"]
    )
    recorder, _ = build(arguments(), options=options)
    component = recorder.find("awsx.Vpc::main")
    assert (component["parent"], component["dependsOn"], component["provider"]) == (STACK, ["Stack::x"], None)
    assert recorder.options["awsx.Vpc::main"] == {
        "protect": True,
        "aliases": ["old"],
        "providers": {"aws": "p::1"},
        "component": True,
    }
    assert {item["provider"] for item in recorder.resources if item["custom"]} == {"p::1"}
    assert all(item["protect"] for item in recorder.options.values())


def test_missing_output_of_a_child_is_named() -> None:
    class NoAllocation(Recorder):
        def register(self, type_token: str, name: str, *args: Any, **kwargs: Any) -> Registered:
            registered = super().register(type_token, name, *args, **kwargs)
            return Registered(registered.urn, registered.id, {})

    with pytest.raises(RegistrationError, match=r"aws:ec2/eip:Eip main-1 has no output allocationId"):
        build(arguments(), NoAllocation())


def test_nobody_waits_for_a_nat_gateway_but_its_users() -> None:
    others = threading.Event()
    seen: list[str] = []
    waits_for_nat = {"Route::main-private-1", "Route::main-private-2", "NatGateway::main-1"}

    def before(urn: str) -> None:
        if urn == "NatGateway::main-1":
            assert others.wait(5), f"these did not come while the NAT gateway was made: {26 - len(seen)}"
            assert not waits_for_nat & set(seen)
        seen.append(urn)
        if len(set(seen) - waits_for_nat) == 24:
            others.set()

    recorder, _ = build(arguments(), Recorder(before=before))
    assert len(recorder.resources) == 27


def test_independent_children_are_made_at_the_same_time() -> None:
    together = threading.Barrier(3)

    def before(urn: str) -> None:
        if urn.startswith("NatGateway"):
            together.wait(timeout=10)  # breaks, and fails the build, unless all of them get here

    build(arguments("b"), Recorder(before=before))
    assert together.n_waiting == 0


def test_first_error_stops_what_has_not_started() -> None:
    def before(urn: str) -> None:
        if urn == "NatGateway::main-1":
            raise RuntimeError("NatGatewayLimitExceeded")

    recorder = Recorder(before=before)
    with pytest.raises(RuntimeError, match=r"^NatGatewayLimitExceeded$"):
        build(arguments(), recorder)
    assert not any(
        item["name"].startswith("main-private") for item in recorder.resources if "Route:" in item["type"]
    )
    assert recorder.closed == []


def test_first_error_is_the_one_that_is_raised() -> None:
    def before(urn: str) -> None:
        if urn == "InternetGateway::main":
            raise RuntimeError("first")
        if urn.startswith("Subnet"):
            time.sleep(0.2)
            raise RuntimeError("second")

    with pytest.raises(RuntimeError, match="first"):
        build(arguments(), Recorder(before=before))


def test_nothing_is_registered_after_an_error_of_the_vpc() -> None:
    def before(urn: str) -> None:
        if urn == "Vpc::main":
            raise RuntimeError("VpcLimitExceeded")

    recorder = Recorder(before=before)
    with pytest.raises(RuntimeError, match="VpcLimitExceeded"):
        build(arguments(), recorder)
    assert [item["type"] for item in recorder.resources] == ["awsx:ec2:Vpc"]


def test_too_few_zones_leave_only_the_component() -> None:
    recorder = Recorder()
    with pytest.raises(LayoutError, match="at least 4 Availability Zones"):
        build(arguments(availabilityZoneNames=None, numberOfAvailabilityZones=len(ZONES) + 1), recorder)
    assert [item["name"] for item in recorder.resources] == ["main"]
