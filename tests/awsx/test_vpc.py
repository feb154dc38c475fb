"""Facts about the VPC's children that no recording shows."""

from __future__ import annotations

import pytest

from sandbox.awsx.vpc import ConstructOptions, LayoutError, construct
from sandbox.behaviour.values import UNKNOWN
from tests.awsx.recorder import STACK, Recorder, arguments, build, shown


def test_zones_default_to_the_first_three_of_the_region() -> None:
    recorder, _ = build(arguments(availabilityZoneNames=None))
    assert recorder.find("Subnet::main-public-3")["inputs"]["availabilityZone"] == "eu-west-1c"
    assert len(recorder.names("Subnet")) == 9


def test_zones_are_looked_up_in_the_region_of_the_arguments() -> None:
    asked: list[str] = []

    def zones(region: str) -> list[str]:
        asked.append(region)
        return ["eu-central-1a"]

    args = arguments(availabilityZoneNames=None, numberOfAvailabilityZones=1, region="eu-central-1")
    construct("main", args, ConstructOptions(region="eu-west-1"), Recorder(), zones, preview=False)
    assert asked == ["eu-central-1"]


def test_region_is_handed_to_every_child() -> None:
    recorder, _ = build(arguments(region="eu-west-1"))
    custom = [item for item in recorder.resources if item["custom"]]
    assert [item["inputs"].get("region") for item in custom] == ["eu-west-1"] * 26


def test_single_to_one_per_zone_adds_two_resources_and_changes_one_route() -> None:
    before, _ = build(arguments())
    after, _ = build(arguments(natGateways={"strategy": "OnePerAz"}))
    old = {(item["type"], item["name"]): item for item in before.resources}
    new = {(item["type"], item["name"]): item for item in after.resources}
    assert {name for _, name in new.keys() - old.keys()} == {"main-2"}
    assert len(new) == len(old) + 2
    changed = [key for key, item in old.items() if new[key]["inputs"] != item["inputs"]]
    assert changed == [("aws:ec2/route:Route", "main-private-2")]
    assert new[changed[0]]["inputs"]["natGatewayId"] == "${NatGateway::main-2.id}"


def test_given_addresses_replace_the_elastic_ips() -> None:
    ids = ["eipalloc-a", "eipalloc-b"]
    recorder, constructed = build(
        arguments(natGateways={"strategy": "OnePerAz", "elasticIpAllocationIds": ids})
    )
    assert constructed.outputs["eips"] == []
    assert recorder.names("Eip") == []
    nats = [recorder.find(f"NatGateway::main-{number}") for number in (1, 2)]
    assert [nat["inputs"]["allocationId"] for nat in nats] == ids
    assert nats[0]["propertyDependencies"] == {"subnetId": ["Subnet::main-public-1"]}


def test_given_addresses_bring_their_dependencies() -> None:
    args = arguments(natGateways={"strategy": "Single", "elasticIpAllocationIds": [UNKNOWN]})
    options = ConstructOptions(
        STACK, input_dependencies={"natGateways.elasticIpAllocationIds[0]": ["Eip::mine"]}
    )
    recorder, _ = build(args, options=options)
    nat = recorder.find("NatGateway::main-1")
    assert nat["propertyDependencies"]["allocationId"] == ["Eip::mine"]
    assert nat["dependsOn"] == ["Eip::mine", "Subnet::main-public-1"]


def test_public_and_isolated_only_makes_a_nat_that_nothing_uses() -> None:
    specs = [{"type": "Public"}, {"type": "Isolated"}]
    recorder, _ = build(arguments(subnetSpecs=specs))
    assert recorder.names("NatGateway") == ["main-1"]
    assert recorder.names("Route") == ["main-public-1", "main-public-2"]


def test_isolated_only_still_has_an_internet_gateway() -> None:
    recorder, _ = build(arguments(subnetSpecs=[{"type": "Isolated"}], natGateways={"strategy": "None"}))
    assert recorder.names("InternetGateway") == ["main"]
    assert recorder.names("Route") == []


def test_nat_strategy_is_one_per_zone_when_omitted() -> None:
    assert build(arguments(natGateways=None))[0].names("NatGateway") == ["main-1", "main-2"]


def test_zone_strategy_changes_only_the_name_tag_of_subnets_and_tables() -> None:
    before, _ = build(arguments())
    after, _ = build(arguments(subnetNameTagStrategy="AvailabilityZone"))
    old = {(item["type"], item["name"]): item["inputs"] for item in before.resources}
    new = {(item["type"], item["name"]): item["inputs"] for item in after.resources}
    changed = {kind for kind, name in old if old[kind, name] != new[kind, name]}
    assert old.keys() == new.keys()
    assert changed == {"aws:ec2/subnet:Subnet", "aws:ec2/routeTable:RouteTable"}
    assert after.find("Subnet::main-public-1")["inputs"]["tags"]["Name"] == "main-public-1a"
    assert after.find("RouteTable::main-data-2")["inputs"]["tags"]["Name"] == "main-data-1b"


TAGGED = arguments(
    tags={"Name": "mine", "Env": "prod", "SubnetType": "x"},
    subnetSpecs=[
        {"type": "Public", "tags": {"Env": "spec", "Tier": "web", "Name": "n", "SubnetType": "n"}},
        {"type": "Private"},
    ],
)


@pytest.mark.parametrize(
    ("urn", "tags"),
    [
        ("Vpc::main", {"Name": "mine", "Env": "prod", "SubnetType": "x"}),
        ("InternetGateway::main", {"Name": "mine", "Env": "prod", "SubnetType": "x"}),
        (
            "Subnet::main-public-1",
            {"Name": "main-public-1", "Env": "spec", "Tier": "web", "SubnetType": "Public"},
        ),
        ("RouteTable::main-public-1", {"Name": "main-public-1", "Env": "prod", "SubnetType": "Public"}),
        ("Eip::main-1", {"Name": "main-1", "Env": "prod", "SubnetType": "x"}),
        ("NatGateway::main-1", {"Name": "main-1", "Env": "prod", "SubnetType": "x"}),
    ],
)
def test_precedence_of_tags(urn: str, tags: dict[str, str]) -> None:
    assert build(TAGGED)[0].find(urn)["inputs"]["tags"] == tags


def test_without_tags_only_the_name_remains() -> None:
    assert build(arguments(tags=None))[0].find("Vpc::main")["inputs"]["tags"] == {"Name": "main"}


def test_unknown_tags_stay_unknown() -> None:
    recorder, _ = build(arguments(tags=UNKNOWN), Recorder(preview=True))
    assert recorder.find("Subnet::main-public-1")["inputs"]["tags"] is UNKNOWN


@pytest.mark.parametrize("path", ["tags", "tags.Owner"])
def test_tags_bring_their_dependencies_to_everything_tagged(path: str) -> None:
    options = ConstructOptions(STACK, input_dependencies={path: ["Owner::mine"]})
    recorder, _ = build(arguments(tags={"Owner": UNKNOWN}), options=options)
    depending = {item["type"] for item in recorder.resources if "Owner::mine" in item["dependsOn"]}
    assert depending == {item["type"] for item in recorder.resources if "tags" in item["inputs"]}


def test_tags_of_a_spec_bring_their_dependencies_to_subnets_only() -> None:
    options = ConstructOptions(STACK, input_dependencies={"subnetSpecs[0].tags.Owner": ["Owner::mine"]})
    recorder, _ = build(arguments(), options=options)
    depending = {item["type"] for item in recorder.resources if "Owner::mine" in item["dependsOn"]}
    assert depending == {"aws:ec2/subnet:Subnet"}


def test_ipv6_arguments_reach_the_vpc_and_number_the_subnets() -> None:
    recorder = Recorder(outputs={"Vpc::main": {"ipv6CidrBlock": "2600:1f13:1234:5600::/56"}})
    build(arguments(assignGeneratedIpv6CidrBlock=True), recorder)
    names = [f"Subnet::main-{kind}-{zone}" for kind in ("public", "private", "data") for zone in (1, 2)]
    blocks = [recorder.find(name)["inputs"]["ipv6CidrBlock"] for name in names]
    assert blocks == [f"2600:1f13:1234:560{number}::/64" for number in range(6)]
    assert recorder.find("Vpc::main")["inputs"]["assignGeneratedIpv6CidrBlock"] is True
    subnet = recorder.find("Subnet::main-public-1")
    assert subnet["inputs"]["assignIpv6AddressOnCreation"] is True
    assert subnet["propertyDependencies"]["ipv6CidrBlock"] == ["Vpc::main"]


def test_ipv6_subnets_need_an_ipv6_vpc() -> None:
    specs = [{"type": "Private", "assignIpv6AddressOnCreation": True}]
    with pytest.raises(LayoutError, match="require the VPC to have an IPv6 CIDR block"):
        build(arguments(subnetSpecs=specs, natGateways={"strategy": "None"}))


def test_ipv6_block_is_unknown_in_preview() -> None:
    recorder, _ = build(arguments(assignGeneratedIpv6CidrBlock=True), Recorder(preview=True))
    assert recorder.find("Subnet::main-public-1")["inputs"]["ipv6CidrBlock"] is UNKNOWN


def test_outputs_of_isolated_only_are_present_and_empty() -> None:
    _, constructed = build(arguments(subnetSpecs=[{"type": "Isolated"}], natGateways={"strategy": "None"}))
    empty = [
        "eips",
        "natGateways",
        "privateSubnetIds",
        "privateSubnets",
        "publicSubnetIds",
        "publicSubnets",
        "routes",
    ]
    assert [name for name, value in shown(constructed.outputs).items() if value == []] == [
        *empty,
        "vpcEndpoints",
    ]
