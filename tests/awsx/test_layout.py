"""Facts about the layout that no recording shows."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi_awsx.ec2 import NatGatewayConfigurationArgs, SubnetSpecArgs, VpcArgs, VpcEndpointSpecArgs
from pulumi_awsx.ec2 import _enums as enums

from sandbox.awsx import arguments as known
from sandbox.awsx.allocation import zone_suffix
from sandbox.awsx.blocks import Block, LayoutError
from sandbox.awsx.layout import Plan, plan
from sandbox.behaviour.values import UNKNOWN
from tests.awsx.recorder import arguments

ZONES = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
PRIVATE, PUBLIC, ISOLATED = ({"type": kind} for kind in ("Private", "Public", "Isolated"))


def cidrs(layout: Plan) -> dict[str, str]:
    return {subnet.name: subnet.cidr for subnet in layout.subnets}


def make(zones: int = 2, **args: Any) -> Plan:
    return plan(
        "main", {"cidrBlock": "10.0.0.0/16", "natGateways": {"strategy": "None"}, **args}, ZONES[:zones]
    )


def refused(zones: int = 2, **args: Any) -> str:
    with pytest.raises(LayoutError) as raised:
        make(zones, **args)
    return str(raised.value)


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
        'The default subnetStrategy will change from "Legacy" to "Auto" in the next major version. Please '
        "specify the "
        'subnetStrategy explicitly. The current subnet layout can be specified via "Auto" as:\n\n'
        '[{"cidrMask":24,"type":"Private"},{"cidrMask":24,"type":"Unused"},{"cidrMask":23,"type":"Unused"},'
        '{"cidrMask":22,"type":"Unused"},{"cidrMask":21,"type":"Unused"},{"cidrMask":20,"type":"Public"}]',
    )


@pytest.mark.parametrize("args", [{}, {"subnetStrategy": "Legacy", "subnetSpecs": [PRIVATE]}])
def test_legacy_is_silent_when_chosen_or_without_specs(args: dict[str, Any]) -> None:
    assert make(1, **args).warnings == ()


BLOCKS = [
    {**PUBLIC, "cidrBlocks": ["10.0.64.0/18", "10.0.192.0/18"]},
    {**PRIVATE, "cidrBlocks": ["10.0.0.0/18", "10.0.128.0/18"]},
]


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
    ("args", "message"),
    [
        pytest.param(
            {"subnetSpecs": [PRIVATE, PRIVATE]},
            'Invalid subnet specifications:\n- Multiple subnet specs of type "private" require unique names. '
            "You can have at most one unnamed subnet per type. All other subnets of the same type must have "
            "unique "
            '"name" properties to avoid duplicate resource names.',
            id="same type twice without names",
        ),
        pytest.param(
            {"subnetSpecs": [{**PRIVATE, "cidrMask": 24, "size": 512}]},
            "Invalid subnet specifications:\n- Subnet size 512 does not match the expected size for a /24 "
            "subnet (256).",
            id="mask and size differ",
        ),
        pytest.param(
            {"subnetSpecs": [BLOCKS[0], PRIVATE]},
            "Invalid subnet specifications:\n"
            "- If any subnet spec has explicit cidrBlocks, all subnets must have explicit cidrBlocks.",
            id="blocks in one spec only",
        ),
        pytest.param(
            {"subnetSpecs": [{**BLOCKS[0], "cidrMask": 20}]},
            "Invalid subnet specifications:\n"
            "- The cidrMask in subnetSpecs[0] must match all cidrBlocks or be left undefined.",
            id="blocks and mask differ",
        ),
        pytest.param(
            {"natGateways": {"strategy": "None", "elasticIpAllocationIds": ["eipalloc-a"]}},
            "Elastic IP allocation IDs cannot be specified when NAT Gateway strategy is 'None'.",
            id="address without NAT",
        ),
        pytest.param(
            {"natGateways": {"strategy": "Single", "elasticIpAllocationIds": ["eipalloc-a", "eipalloc-b"]}},
            "Exactly one Elastic IP may be specified when NAT Gateway strategy is 'Single'.",
            id="two addresses for one NAT",
        ),
        pytest.param(
            {"availabilityZoneNames": ZONES, "numberOfAvailabilityZones": 2},
            "Only one of [availabilityZoneNames] and [numberOfAvailabilityZones] can be specified",
            id="zones given twice",
        ),
        pytest.param(
            {"cidrBlock": "10.0.0.0/26", "subnetStrategy": "Auto"},
            "Automatic subnet creation requires a VPC with at least /26 available per AZ, but only /27 is "
            "available."
            "If you do need very small subnets, please specify them explicitly.",
            id="too small for default specs",
        ),
        pytest.param(
            {"subnetStrategy": "AutoMerge", "subnetSpecs": BLOCKS},
            'subnetStrategy="AutoMerge" does not support subnetSpecs with explicit cidrBlocks. '
            'Use subnetStrategy="Auto" or "Exact" to fully specify the subnet layout.',
            id="AutoMerge with blocks",
        ),
        pytest.param(
            {
                "vpcEndpointStrategy": "Auto",
                "enableDnsSupport": False,
                "vpcEndpointSpecs": [{"serviceName": "s", "vpcEndpointType": "Interface"}],
            },
            'vpcEndpointStrategy "Auto" requires enableDnsSupport to be true '
            "when Interface endpoint private DNS is enabled.",
            id="private DNS without DNS",
        ),
        pytest.param(
            {
                "vpcEndpointStrategy": "Auto",
                "vpcEndpointSpecs": [{"serviceName": "s", "vpcEndpointType": UNKNOWN}],
            },
            'vpcEndpointStrategy "Auto" requires vpcEndpointType for endpoint "s" to be omitted or a plain '
            "string. "
            'Use vpcEndpointStrategy "Legacy" for dynamic endpoint types.',
            id="endpoint type not known",
        ),
        pytest.param(
            {"ipv4IpamPoolId": "ipam-pool-1", "ipv4NetmaskLength": 16},
            "Only one of 'cidrBlock', 'ipv4NetmaskLength' is allowed.",
            id="block and netmask length",
        ),
    ],
)
def test_refused(args: dict[str, Any], message: str) -> None:
    assert refused(2, **args) == message


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"cidr": "10.0.0.0/16"}, "cidr: no such argument, allowed: assignGeneratedIpv6CidrBlock, "),
        ({"subnetStrategy": "auto"}, "subnetStrategy: got 'auto', allowed: Legacy, Auto, AutoMerge, Exact"),
        ({"subnetSpecs": [{"type": "Data"}]}, "subnetSpecs[0].type: got 'Data', allowed: Public, Private, "),
        ({"subnetSpecs": [{"cidrMask": 20}]}, "subnetSpecs[0].type: missing, it is required"),
        ({"subnetSpecs": [{**PRIVATE, "mask": 1}]}, "subnetSpecs[0].mask: no such argument, allowed: "),
        (
            {"subnetSpecs": [{**PRIVATE, "cidrMask": "20"}]},
            "subnetSpecs[0].cidrMask: got '20', expected an integer",
        ),
        ({"natGateways": {}}, "natGateways.strategy: missing, it is required"),
        (
            {"vpcEndpointSpecs": [{"service": "s3"}]},
            "vpcEndpointSpecs[0].serviceName: missing, it is required\n",
        ),
        ({"cidrBlock": UNKNOWN}, "cidrBlock: must be known at preview, got the output of another resource"),
        ({"cidrBlock": "10.0.0/16"}, "Invalid net address: 10.0.0/16"),
        ({"cidrBlock": "10.0.0.0/33"}, "Invalid mask for ip4: 33"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_argument_mistakes_are_named(args: dict[str, Any], message: str) -> None:
    assert refused(2, **args).startswith(message)


@pytest.mark.parametrize(
    ("zone", "suffix"),
    [("eu-west-1a", "1a"), ("us-gov-west-1b", "1b"), ("us-west-2-lax-1a", "2-lax-1a"), ("zone7", "zone7")],
)
def test_zone_suffix(zone: str, suffix: str) -> None:
    assert zone_suffix(zone) == suffix


def test_zones_with_one_suffix_are_refused_when_it_names_subnets() -> None:
    with pytest.raises(LayoutError, match='"eu-west-1a" and "us-east-1a" both reduce to "1a"'):
        plan("main", {"subnetNameTagStrategy": "AvailabilityZone"}, ["eu-west-1a", "us-east-1a"])


masks = st.one_of(st.none(), st.integers(17, 28))
specs = st.lists(
    st.builds(
        lambda kind, mask: {"type": kind, **({"cidrMask": mask} if mask else {})},
        st.sampled_from(["Public", "Private", "Isolated"]),
        masks,
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda spec: spec["type"],
)


@settings(max_examples=300, deadline=None)
@given(
    network=st.integers(0, 255),
    mask=st.integers(16, 24),
    zones=st.integers(1, 6),
    zone_mask=st.one_of(st.none(), st.integers(17, 28)),
    specs=specs,
)
def test_auto_stays_in_each_zones_share_or_refuses(
    network: int, mask: int, zones: int, zone_mask: int | None, specs: list[dict[str, Any]]
) -> None:
    args: dict[str, Any] = {
        "cidrBlock": f"10.{network}.0.0/{mask}",
        "subnetStrategy": "Auto",
        "subnetSpecs": specs,
    }
    if zone_mask is not None:
        args["availabilityZoneCidrMask"] = zone_mask
    names = [f"eu-west-1{letter}" for letter in "abcdef"[:zones]]
    try:
        layout = plan("main", {**args, "natGateways": {"strategy": "None"}}, names)
    except LayoutError:
        return
    share = zone_mask if zone_mask is not None else mask + (zones - 1).bit_length()
    base = Block.parse(f"10.{network}.0.0/{min(share, 32)}")
    assert len(layout.subnets) == zones * len(specs)
    wasted = _waste(specs, share)
    for subnet in layout.subnets:
        start = base.start + subnet.zone * base.size
        assert subnet.block.address % subnet.block.size == 0
        assert start <= subnet.block.start
        # Waste by alignment is not counted by the provider, so only then may the last zone's subnets run
        # over.
        assert wasted or subnet.block.end < start + base.size
    blocks = sorted((subnet.block for subnet in layout.subnets), key=lambda block: block.start)
    assert all(one.end < other.start for one, other in pairwise(blocks))


def _waste(specs: list[dict[str, Any]], share: int) -> bool:
    """Say whether a narrow subnet before a wider one leaves space unused."""
    sizes = [spec.get("cidrMask", share + (len(specs) - 1).bit_length()) for spec in specs]
    return any(one > other for one, other in pairwise(sizes))


@settings(max_examples=150, deadline=None)
@given(mask=st.integers(16, 22), zones=st.integers(1, 4), specs=specs)
def test_legacy_subnets_do_not_overlap_or_are_refused(
    mask: int, zones: int, specs: list[dict[str, Any]]
) -> None:
    names = [f"eu-west-1{letter}" for letter in "abcd"[:zones]]
    args = {"cidrBlock": f"10.0.0.0/{mask}", "subnetSpecs": specs, "natGateways": {"strategy": "None"}}
    try:
        layout = plan("main", args, names)
    except LayoutError:
        return
    assert len(layout.subnets) == zones * len(specs)
    blocks = sorted((subnet.block for subnet in layout.subnets), key=lambda block: block.start)
    assert all(one.end < other.start for one, other in pairwise(blocks))


def test_unchanged_arguments_of_a_recording_have_no_warnings() -> None:
    assert plan("main", arguments("a"), ZONES[:2]).warnings == ()
