"""VPC endpoints that strategy Auto completes, and what endpoints depend on."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.awsx.vpc import ConstructOptions
from sandbox.behaviour.values import UNKNOWN
from tests.awsx.recorder import STACK, arguments, build

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
