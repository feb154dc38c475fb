"""What AWS answers for VPC endpoints, load balancers, target groups, listeners and listener rules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sandbox.behaviour import regions
from sandbox.behaviour.model import Properties
from sandbox.behaviour.outputs_base import New, Pending, Shape, known_text
from sandbox.behaviour.outputs_network import SUBNET, default_group, vpc_of

LOAD_BALANCER: Final = "aws:lb/loadBalancer:LoadBalancer"
FULL_ACCESS: Final = json.dumps(
    {
        "Statement": [{"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"}],
        "Version": "2008-10-17",
    },
    separators=(",", ":"),
)
KINDS: Final = {"application": "app", "network": "net", "gateway": "gwy"}
_HTTP: Final = ("HTTP", "HTTPS")
_BALANCED_BY_NETWORK: Final = ("TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC")


def _endpoint(new: New) -> Properties:
    kind = new.outputs.get("vpcEndpointType", "Gateway")
    service = new.text("serviceName")
    short = service.removeprefix(f"com.amazonaws.{new.region}.")
    answer: Properties = {
        "state": "available",
        "requesterManaged": False,
        "serviceRegion": new.region,
        "ipAddressType": "ipv4",
        "dnsEntries": [],
        "networkInterfaceIds": [],
        "cidrBlocks": [],
        "prefixListId": "",
        "policy": FULL_ACCESS,
    }
    if kind == "Gateway":
        prefix, cidrs = regions.prefix_list(new.region, short)
        return answer | {"prefixListId": prefix, "cidrBlocks": list(cidrs), "ipAddressType": ""}
    subnets = [subnet for subnet in new.items("subnetIds") if isinstance(subnet, str)]
    interfaces = [f"eni-{new.ids.hex(17, f'eni{subnet}')}" for subnet in sorted(subnets)]
    answer["networkInterfaceIds"] = interfaces
    if kind == "Interface":
        answer |= {
            "dnsEntries": _dns_entries(new, short, subnets),
            "securityGroupIds": [default_group(new, new.text("vpcId"))],
            "dnsOptions": {"dnsRecordIpType": "ipv4", "privateDnsOnlyForInboundResolverEndpoint": False},
            "subnetConfigurations": [{"subnetId": subnet} for subnet in sorted(subnets)],
        }
    return answer


def _dns_entries(new: New, short: str, subnets: list[str]) -> list[Properties]:
    label, host = (
        f"{new.id}-{new.ids.text('abcdefghijklmnopqrstuvwxyz0123456789', 8, 'dns')}",
        short.split("."),
    )
    # AWS writes com.amazonaws.REGION.ecr.api, but api.ecr.REGION.amazonaws.com.
    dotted = ".".join(reversed(host))
    domain = f"{dotted}.{new.region}.vpce.{new.dns}"
    zone = regions.hosted_zone({"service": ""}, f"vpce{new.region}")
    names = [f"{label}.{domain}"]
    zones = {known_text(new.lookup(SUBNET, subnet).get("availabilityZone")) for subnet in subnets} - {""}
    names += [f"{label}-{name}.{domain}" for name in sorted(zones)]
    entries = [{"dnsName": name, "hostedZoneId": zone} for name in names]
    if new.outputs.get("privateDnsEnabled") is True:
        private = f"{dotted}.{new.region}.{new.dns}"
        entries.append({"dnsName": private, "hostedZoneId": f"Z0{new.ids.hex(18, 'zone').upper()}"})
    return entries


def _endpoint_refresh(new: New, _old: Properties, changed: frozenset[str]) -> Properties:
    if not changed & {"subnetIds", "subnetConfigurations", "privateDnsEnabled"}:
        return {}
    made = _endpoint(new)
    kept = [key for key in ("networkInterfaceIds", "subnetConfigurations", "dnsEntries") if key in made]
    return {key: made[key] for key in kept if key not in new.inputs}


def _balancer_arn(new: New) -> str:
    kind = KINDS.get(str(new.outputs.get("loadBalancerType", "application")), "app")
    return new.format(f"elasticloadbalancing:{{region}}:{{account}}:loadbalancer/{kind}/{{name}}/{{hex16}}")


def _balancer(new: New) -> Properties:
    subnets = new.items("subnets") or [item.get("subnetId") for item in new.items("subnetMappings")]
    vpc = vpc_of(new, subnets)
    kind = str(new.outputs.get("loadBalancerType", "application"))
    internal = "internal-" if new.outputs.get("internal") is True else ""
    name = new.text("name")
    if kind == "application":
        dns = f"{internal}{name}-{new.ids.number(100000000, 2147483647, 'dns')}.{new.region}.elb.{new.dns}"
        table = regions.APPLICATION_LB_ZONES
    else:
        dns = f"{name}-{new.ids.hex(16, 'hex16')}.elb.{new.region}.{new.dns}"
        table = regions.NETWORK_LB_ZONES
    return {
        "arnSuffix": new.outputs["arn"].partition(":loadbalancer/")[2],
        "dnsName": dns,
        "zoneId": regions.hosted_zone(table, new.region),
        "vpcId": vpc,
        "securityGroups": [default_group(new, vpc)] if kind == "application" else [],
        "subnets": subnets,
        "subnetMappings": [{"subnetId": subnet} for subnet in subnets],
        "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "",
    }


def _balancer_refresh(new: New, _old: Properties, changed: frozenset[str]) -> Properties:
    if "subnets" in changed and "subnetMappings" not in new.inputs:
        return {"subnetMappings": [{"subnetId": subnet} for subnet in new.items("subnets")]}
    if "subnetMappings" in changed and "subnets" not in new.inputs:
        return {"subnets": [item.get("subnetId") for item in new.items("subnetMappings")]}
    return {}


def _target_group(new: New) -> Properties:
    protocol, kind = new.text("protocol"), new.text("targetType", "instance")
    lambda_target = kind == "lambda"
    health = new.outputs.setdefault("healthCheck", {})
    checks: dict[str, Any] = {
        "enabled": not lambda_target,
        "healthyThreshold": 5 if lambda_target else 3,
        "interval": 35 if lambda_target else 30,
        "port": "traffic-port",
        "protocol": "" if lambda_target else "HTTP" if protocol in _HTTP else "TCP",
        "unhealthyThreshold": 2 if lambda_target else 3,
    }
    for key, value in checks.items():
        health.setdefault(key, value)
    web = health["protocol"] in _HTTP or lambda_target
    health.setdefault("timeout", 30 if lambda_target else 6 if web else 10)
    health.setdefault("matcher", ("200" if protocol in _HTTP or lambda_target else "200-399") if web else "")
    health.setdefault("path", "/" if web else "")
    application = protocol in _HTTP
    return {
        "arnSuffix": new.outputs["arn"].rpartition(":")[2],
        "loadBalancerArns": [],
        "ipAddressType": "" if lambda_target else "ipv4",
        "protocolVersion": "HTTP1" if application else "",
        "loadBalancingAlgorithmType": "round_robin" if application else "",
        "loadBalancingAnomalyMitigation": "off" if application else "",
        "loadBalancingCrossZoneEnabled": "" if lambda_target else "use_load_balancer_configuration",
        "connectionTermination": False,
        "preserveClientIp": "" if application or kind == "ip" else "true",
        "stickiness": {
            "enabled": False,
            "type": "lb_cookie" if application else "source_ip",
            "cookieDuration": 86400 if application else 0,
            "cookieName": "",
        },
        "targetGroupHealth": {
            "dnsFailover": {"minimumHealthyTargetsCount": "1", "minimumHealthyTargetsPercentage": "off"},
            "unhealthyStateRouting": {
                "minimumHealthyTargetsCount": 1,
                "minimumHealthyTargetsPercentage": "off",
            },
        },
    }


def _listener_arn(new: New) -> str:
    balancer = new.text("loadBalancerArn").partition(":loadbalancer/")[2]
    return new.format(f"elasticloadbalancing:{{region}}:{{account}}:listener/{balancer}/{{hex16}}")


def _listener(new: New) -> Properties:
    protocol = new.text("protocol", "HTTP")
    for number, action in enumerate(new.items("defaultActions"), start=1):
        action.setdefault("order", number)
    return {
        "protocol": protocol,
        "sslPolicy": "ELBSecurityPolicy-2016-08" if protocol in ("HTTPS", "TLS") else "",
        "tcpIdleTimeoutSeconds": 350 if protocol in _BALANCED_BY_NETWORK else 0,
        "routingHttpResponseServerEnabled": protocol in _HTTP,
        "mutualAuthentication": {"mode": "off", "trustStoreArn": "", "advertiseTrustStoreCaNames": ""},
    }


def _rule_arn(new: New) -> str:
    listener = new.text("listenerArn").partition(":listener/")[2]
    return new.format(f"elasticloadbalancing:{{region}}:{{account}}:listener-rule/{listener}/{{hex16}}")


def _rule(new: New) -> Properties:
    for number, action in enumerate(new.items("actions"), start=1):
        action.setdefault("order", number)
    used = [
        found.get("priority", 0)
        for _, found in new.world.all("aws:lb/listenerRule:ListenerRule")
        if found.get("listenerArn") == new.outputs.get("listenerArn")
    ]
    return {"priority": max(used, default=0) + 1}


SHAPES: Final[Mapping[str, Shape]] = {
    "aws:ec2/vpcEndpoint:VpcEndpoint": Shape(
        id="vpce-{hex17}",
        arn="ec2:{region}:{account}:vpc-endpoint/{id}",
        values={"ownerId": "{account}"},
        fill=_endpoint,
        refresh=_endpoint_refresh,
        pending=(
            Pending(
                ("networkInterfaceIds", "subnetConfigurations", "dnsEntries"),
                "other subnets have other network interfaces and zonal names",
                when=("subnetIds",),
            ),
            Pending(("networkInterfaceIds", "subnetIds"), "as above", when=("subnetConfigurations",)),
            Pending(("dnsEntries",), "the private name comes or goes", when=("privateDnsEnabled",)),
        ),
    ),
    LOAD_BALANCER: Shape(
        id="{arn}",
        arn=_balancer_arn,
        fill=_balancer,
        refresh=_balancer_refresh,
        pending=(
            Pending(("subnetMappings",), "one follows from the other", when=("subnets",)),
            Pending(("subnets",), "one follows from the other", when=("subnetMappings",)),
        ),
    ),
    "aws:lb/targetGroup:TargetGroup": Shape(
        id="{arn}",
        arn="elasticloadbalancing:{region}:{account}:targetgroup/{name}/{hex16}",
        fill=_target_group,
        without_defaults=frozenset(
            {
                "connectionTermination",
                "healthCheck",
                "ipAddressType",
                "loadBalancingAlgorithmType",
                "loadBalancingAnomalyMitigation",
                "loadBalancingCrossZoneEnabled",
                "protocolVersion",
            }
        ),
    ),
    "aws:lb/listener:Listener": Shape(
        id="{arn}",
        arn=_listener_arn,
        fill=_listener,
        without_defaults=frozenset({"sslPolicy", "tcpIdleTimeoutSeconds"}),
    ),
    "aws:lb/listenerRule:ListenerRule": Shape(id="{arn}", arn=_rule_arn, fill=_rule),
}
