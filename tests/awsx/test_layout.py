"""Facts about the layout that no recording shows."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi_awsx.ec2 import NatGatewayConfigurationArgs, SubnetSpecArgs, VpcArgs, VpcEndpointSpecArgs
from pulumi_awsx.ec2 import _enums as enums

from sandbox.awsx import arguments as known
from sandbox.awsx.allocation import zone_suffix
from sandbox.awsx.layout import plan
from tests.awsx.layouts import BLOCKS, ISOLATED, PRIVATE, PUBLIC, ZONES, cidrs, make, refused
from tests.awsx.recorder import arguments


@pytest.mark.parametrize(
    ("sdk", "ours"),
    [
        (VpcArgs, {**known.PASSED_TO_VPC, **known.LAYOUT}),
        (SubnetSpecArgs, known.SUBNET_SPEC),
        (NatGatewayConfigurationArgs, known.NAT_GATEWAYS),
        (VpcEndpointSpecArgs, known.ENDPOINT_SPEC),
    ],
    ids=["VpcArgs", "SubnetSpecArgs", "NatGatewayConfigurationArgs", "VpcEndpointSpecArgs"],
)
def test_argument_names_are_those_of_the_sdk(sdk: type, ours: dict[str, Any]) -> None:
    getters: list[Any] = [item.fget for item in vars(sdk).values() if isinstance(item, property)]
    assert {getattr(getter, "_pulumi_name", getter.__name__) for getter in getters} == set(ours)


@pytest.mark.parametrize(
    ("sdk", "ours"),
    [
        (enums.SubnetAllocationStrategy, known.LAYOUT["subnetStrategy"]),
        (enums.SubnetNameTagStrategy, known.LAYOUT["subnetNameTagStrategy"]),
        (enums.VpcEndpointStrategy, known.LAYOUT["vpcEndpointStrategy"]),
        (enums.SubnetType, known.SUBNET_TYPES),
    ],
    ids=["SubnetAllocationStrategy", "SubnetNameTagStrategy", "VpcEndpointStrategy", "SubnetType"],
)
def test_enum_values_are_those_of_the_sdk(sdk: Any, ours: tuple[str, ...]) -> None:
    assert {item.value for item in sdk} == set(ours)


@pytest.mark.parametrize("strategy", ["Auto", "Legacy", None])
def test_omitted_specs_are_half_private_and_a_quarter_public(strategy: str | None) -> None:
    chosen = {"subnetStrategy": strategy} if strategy else {}
    assert cidrs(make(3, **chosen)) == {
        "main-public-1": "10.0.32.0/20",
        "main-private-1": "10.0.0.0/19",
        "main-public-2": "10.0.96.0/20",
        "main-private-2": "10.0.64.0/19",
        "main-public-3": "10.0.160.0/20",
        "main-private-3": "10.0.128.0/19",
    }


def test_omitted_cidr_is_10_0_0_0_16() -> None:
    layout = plan("main", {}, ZONES)
    assert layout.vpc == {"cidrBlock": "10.0.0.0/16"}
    assert cidrs(layout)["main-private-3"] == "10.0.128.0/19"


def test_legacy_with_omitted_specs_reports_a_wrong_layout() -> None:
    assert make(3).subnet_layout == (
        {"cidrMask": 19, "type": "Private"},
        {"cidrMask": 19, "type": "Unused"},
        {"cidrMask": 19, "type": "Private"},
    )


def test_auto_with_omitted_specs_reports_the_right_layout() -> None:
    assert make(3, subnetStrategy="Auto").subnet_layout == (
        {"cidrMask": 19, "type": "Private"},
        {"cidrMask": 20, "type": "Public"},
    )


def test_legacy_lays_private_before_public_before_isolated() -> None:
    specs = [{**ISOLATED, "cidrMask": 24}, {**PUBLIC, "cidrMask": 20}, {**PRIVATE, "cidrMask": 20}]
    assert cidrs(make(2, subnetSpecs=specs)) == {
        "main-public-1": "10.0.16.0/20",
        "main-private-1": "10.0.0.0/20",
        "main-isolated-1": "10.0.32.0/24",
        "main-public-2": "10.0.144.0/20",
        "main-private-2": "10.0.128.0/20",
        "main-isolated-2": "10.0.160.0/24",
    }


def test_legacy_masks_default_to_19_20_24() -> None:
    assert cidrs(make(1, subnetSpecs=[PRIVATE, PUBLIC, ISOLATED])) == {
        "main-public-1": "10.0.32.0/20",
        "main-private-1": "10.0.0.0/19",
        "main-isolated-1": "10.0.48.0/24",
    }


def test_legacy_moves_a_wider_subnet_behind_a_narrow_one() -> None:
    specs = [{**PRIVATE, "cidrMask": 24}, {**PUBLIC, "cidrMask": 20}]
    assert cidrs(make(1, subnetSpecs=specs)) == {
        "main-public-1": "10.0.16.0/20",
        "main-private-1": "10.0.0.0/24",
    }


def test_legacy_by_default_warns_with_the_layout_to_use() -> None:
    specs = [{**PUBLIC, "cidrMask": 20}, {**PRIVATE, "cidrMask": 24}]
    assert make(1, subnetSpecs=specs).warnings == (
        (
            'The default subnetStrategy will change from "Legacy" to "Auto" in the next major version. Please '
            "specify the "
            'subnetStrategy explicitly. The current subnet layout can be specified via "Auto" as:\n\n'
            '[{"cidrMask":24,"type":"Private"},{"cidrMask":24,"type":"Unused"},{"cidrMask":23,"type":"Unused"},'
            '{"cidrMask":22,"type":"Unused"},{"cidrMask":21,"type":"Unused"},{"cidrMask":20,"type":"Public"}]'
        ),
    )


@pytest.mark.parametrize("args", [{}, {"subnetStrategy": "Legacy", "subnetSpecs": [PRIVATE]}])
def test_legacy_is_silent_when_chosen_or_without_specs(args: dict[str, Any]) -> None:
    assert make(1, **args).warnings == ()


def test_explicit_blocks_are_taken_as_they_are() -> None:
    assert cidrs(make(2, subnetStrategy="Auto", subnetSpecs=BLOCKS)) == {
        "main-public-1": "10.0.64.0/18",
        "main-private-1": "10.0.0.0/18",
        "main-public-2": "10.0.192.0/18",
        "main-private-2": "10.0.128.0/18",
    }


def test_explicit_blocks_show_in_the_resolved_layout() -> None:
    assert make(2, subnetStrategy="Auto", subnetSpecs=BLOCKS).subnet_layout[0] == {
        "type": "Public",
        "cidrBlocks": ["10.0.64.0/18", "10.0.192.0/18"],
    }


def test_explicit_blocks_are_ignored_by_legacy() -> None:
    assert cidrs(make(2, subnetStrategy="Legacy", subnetSpecs=BLOCKS))["main-public-1"] == "10.0.32.0/20"


def test_exact_demands_the_order_of_the_specs() -> None:
    assert refused(2, subnetStrategy="Exact", subnetSpecs=BLOCKS) == (
        "There are gaps in the subnet ranges. Please fix the following gaps: "
        "main-public-1 (10.0.64.0/18) does not start at the beginning of the VPC (10.0.0.0/16), "
        "main-public-1 (10.0.64.0/18) <=> main-private-1 (10.0.0.0/18), "
        "main-private-1 (10.0.0.0/18) <=> main-public-2 (10.0.192.0/18), "
        "main-public-2 (10.0.192.0/18) <=> main-private-2 (10.0.128.0/18), "
        "main-private-2 (ending 10.0.191.254) ends before VPC ends (at 10.0.255.254})"
    )


def test_exact_takes_a_layout_without_gaps_and_unused_makes_nothing() -> None:
    specs = [
        {"type": kind, "cidrMask": mask}
        for kind, mask in [("Public", 19), ("Private", 19), ("Isolated", 19), ("Unused", 19)]
    ]
    layout = make(2, subnetStrategy="Exact", subnetSpecs=specs)
    assert [subnet.name for subnet in layout.subnets] == [
        f"main-{kind}-{zone}" for zone in (1, 2) for kind in ("public", "private", "isolated")
    ]
    assert layout.subnet_layout[3] == {"type": "Unused", "cidrMask": 19, "size": 8192}


def test_auto_accepts_blocks_outside_the_vpc() -> None:
    specs = [{**PRIVATE, "cidrBlocks": ["192.168.0.0/24"]}]
    assert cidrs(make(1, subnetStrategy="Auto", subnetSpecs=specs)) == {"main-private-1": "192.168.0.0/24"}


def test_size_stands_for_a_mask() -> None:
    layout = make(1, subnetStrategy="Auto", subnetSpecs=[{**PRIVATE, "size": 256}])
    assert cidrs(layout) == {"main-private-1": "10.0.0.0/24"}
    assert layout.subnet_layout == ({"type": "Private", "cidrMask": 24, "size": 256},)


def test_auto_merge_adds_the_missing_default_type() -> None:
    layout = make(1, subnetStrategy="AutoMerge", subnetSpecs=[{**PUBLIC, "cidrMask": 24, "tags": {"a": "b"}}])
    assert cidrs(layout) == {"main-public-1": "10.0.128.0/24", "main-private-1": "10.0.0.0/17"}


@pytest.mark.parametrize(
    ("zone", "suffix"),
    [("eu-west-1a", "1a"), ("us-gov-west-1b", "1b"), ("us-west-2-lax-1a", "2-lax-1a"), ("zone7", "zone7")],
)
def test_zone_suffix(zone: str, suffix: str) -> None:
    assert zone_suffix(zone) == suffix


def test_unchanged_arguments_of_a_recording_have_no_warnings() -> None:
    assert plan("main", arguments("a"), ZONES[:2]).warnings == ()
