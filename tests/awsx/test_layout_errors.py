"""Arguments that the component refuses, and the texts."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.awsx.blocks import LayoutError
from sandbox.awsx.layout import plan
from sandbox.behaviour.values import UNKNOWN
from tests.awsx.layouts import BLOCKS, PRIVATE, ZONES, refused


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


def test_zones_with_one_suffix_are_refused_when_it_names_subnets() -> None:
    with pytest.raises(LayoutError, match='"eu-west-1a" and "us-east-1a" both reduce to "1a"'):
        plan("main", {"subnetNameTagStrategy": "AvailabilityZone"}, ["eu-west-1a", "us-east-1a"])
