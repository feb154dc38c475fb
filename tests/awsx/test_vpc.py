"""Facts about the VPC's children that no recording shows, and the order of their registration."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from sandbox.awsx.registration import RegistrationError
from sandbox.awsx.vpc import ConstructOptions, LayoutError, Registered, construct
from sandbox.behaviour.values import UNKNOWN
from tests.awsx.recorder import STACK, ZONES, Recorder, arguments, build, shown

SERVICE = "com.amazonaws.eu-west-1"
AUTO_ENDPOINTS: dict[str, Any] = {
    "natGateways": {"strategy": "None"},
    "enableDnsHostnames": None,
    "vpcEndpointStrategy": "Auto",
    "vpcEndpointSpecs": [
        {"serviceName": f"{SERVICE}.s3"},
        {"serviceName": f"{SERVICE}.logs", "vpcEndpointType": "Interface", "tags": {"Env": "test"}},
    ],
}


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


def test_auto_gateway_endpoint_gets_all_route_tables() -> None:
    endpoint = build(arguments(**AUTO_ENDPOINTS))[0].find(f"VpcEndpoint::{SERVICE}.s3")
    assert endpoint["inputs"] == {
        "serviceName": f"{SERVICE}.s3",
        "vpcId": "${Vpc::main.id}",
        "tags": {"Name": "main", "Env": "prod", "Project": "shop"},
        "routeTableIds": [
            f"${{RouteTable::main-{kind}-{zone}.id}}"
            for zone in (1, 2)
            for kind in ("public", "private", "data")
        ],
    }


def test_auto_interface_endpoint_gets_private_subnets_and_its_own_group() -> None:
    endpoint = build(arguments(**AUTO_ENDPOINTS))[0].find(f"VpcEndpoint::{SERVICE}.logs")
    assert endpoint["inputs"] == {
        "serviceName": f"{SERVICE}.logs",
        "vpcEndpointType": "Interface",
        "privateDnsEnabled": True,
        "vpcId": "${Vpc::main.id}",
        "tags": {"Name": "main", "Env": "test", "Project": "shop"},
        "subnetIds": ["${Subnet::main-private-1.id}", "${Subnet::main-private-2.id}"],
        "securityGroupIds": [f"${{SecurityGroup::{SERVICE}.logs-sg.id}}"],
    }
    assert endpoint["propertyDependencies"]["securityGroupIds"] == [f"SecurityGroup::{SERVICE}.logs-sg"]
    assert endpoint["parent"] == "Vpc::main"


def test_auto_security_group_admits_https_from_the_vpc() -> None:
    recorder, _ = build(arguments(**AUTO_ENDPOINTS))
    group = recorder.find(f"SecurityGroup::{SERVICE}.logs-sg")
    rule = recorder.find(f"SecurityGroupRule::{SERVICE}.logs-ingress")
    assert group["inputs"] == {
        "vpcId": "${Vpc::main.id}",
        "description": "Managed by Pulumi",
        "tags": {"Name": "main", "Env": "test", "Project": "shop"},
    }
    assert rule["inputs"] == {
        "type": "ingress",
        "protocol": "tcp",
        "fromPort": 443,
        "toPort": 443,
        "cidrBlocks": ["10.0.0.0/16"],
        "securityGroupId": f"${{SecurityGroup::{SERVICE}.logs-sg.id}}",
    }
    assert (group["parent"], rule["parent"]) == ("Vpc::main", "Vpc::main")
    assert rule["dependsOn"] == [f"SecurityGroup::{SERVICE}.logs-sg", "Vpc::main"]


@pytest.mark.parametrize(
    ("kinds", "chosen"), [(("Public", "Isolated"), "isolated"), (("Public",), "public")], ids=str
)
def test_auto_interface_endpoint_without_private_subnets(kinds: tuple[str, ...], chosen: str) -> None:
    args = arguments(**AUTO_ENDPOINTS, subnetSpecs=[{"type": kind} for kind in kinds])
    endpoint = build(args)[0].find(f"VpcEndpoint::{SERVICE}.logs")
    assert endpoint["inputs"]["subnetIds"] == [f"${{Subnet::main-{chosen}-{zone}.id}}" for zone in (1, 2)]


def test_auto_interface_endpoint_turns_dns_on() -> None:
    inputs = build(arguments(**AUTO_ENDPOINTS))[0].find("Vpc::main")["inputs"]
    assert (inputs["enableDnsHostnames"], inputs["enableDnsSupport"]) == (True, True)


def test_auto_keeps_what_the_endpoint_gives() -> None:
    spec = {
        "serviceName": "s",
        "vpcEndpointType": "Interface",
        "subnetIds": [UNKNOWN],
        "securityGroupIds": ["sg-1"],
        "privateDnsEnabled": False,
    }
    recorder, _ = build(arguments(**{**AUTO_ENDPOINTS, "vpcEndpointSpecs": [spec]}))
    inputs = recorder.find("VpcEndpoint::s")["inputs"]
    assert {name: inputs[name] for name in spec} == spec
    assert recorder.names("SecurityGroup") == []
    assert "enableDnsHostnames" not in recorder.find("Vpc::main")["inputs"]


@pytest.mark.parametrize(
    "path",
    ["vpcEndpointSpecs", "vpcEndpointSpecs[0].securityGroupIds", "vpcEndpointSpecs[0].securityGroupIds[0]"],
)
def test_endpoint_depends_on_what_it_references(path: str) -> None:
    spec = {
        "serviceName": "s",
        "vpcEndpointType": "Interface",
        "securityGroupIds": [UNKNOWN],
        "subnetIds": ["s-1"],
    }
    options = ConstructOptions(STACK, input_dependencies={path: ["SecurityGroup::mine"]})
    args = arguments(natGateways={"strategy": "None"}, vpcEndpointSpecs=[spec])
    endpoint = build(args, options=options)[0].find("VpcEndpoint::s")
    assert endpoint["propertyDependencies"]["securityGroupIds"] == ["SecurityGroup::mine"]
    assert endpoint["dependsOn"] == ["SecurityGroup::mine", "Vpc::main"]


def test_dependencies_of_a_part_beat_those_of_the_whole() -> None:
    spec = {"vpcEndpointType": "Interface", "securityGroupIds": [UNKNOWN], "subnetIds": ["s-1"]}
    given = {
        "vpcEndpointSpecs": ["SecurityGroup::mine"],
        "vpcEndpointSpecs[1].securityGroupIds[0]": ["SecurityGroup::mine"],
    }
    args = arguments(
        natGateways={"strategy": "None"},
        vpcEndpointSpecs=[{**spec, "serviceName": "one"}, {**spec, "serviceName": "two"}],
    )
    recorder, _ = build(args, options=ConstructOptions(STACK, input_dependencies=given))
    assert recorder.find("VpcEndpoint::one")["dependsOn"] == ["Vpc::main"]
    assert recorder.find("VpcEndpoint::two")["dependsOn"] == ["SecurityGroup::mine", "Vpc::main"]


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
    def before(urn: str) -> None:
        if urn.startswith("NatGateway"):
            time.sleep(0.3)

    started = time.monotonic()
    build(arguments("b"), Recorder(before=before))
    assert time.monotonic() - started < 0.8


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
