"""Changes that the rules for networks and load balancers decide: each rule with a row for it and one against it."""

from __future__ import annotations

from typing import Final

from tests.behaviour.changes import (
    ACCOUNT,
    BALANCER,
    DELETE,
    GROUPS,
    HEX,
    INGRESS,
    LISTENER,
    NAT,
    NETWORK,
    OTHER_TARGETS_ARN,
    PRIVATE_NAT,
    REGION,
    SUBNET,
    SUBNETS,
    TARGETS,
    TARGETS_ARN,
    VPC,
    VPC_ID,
    ChangeRow,
)

_BALANCER: Final = "aws:lb/loadBalancer:LoadBalancer"
_EGRESS: Final = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
_INGRESS: Final = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
_LISTENER: Final = "aws:lb/listener:Listener"
_LISTENER_RULE: Final = "aws:lb/listenerRule:ListenerRule"
_NAT: Final = "aws:ec2/natGateway:NatGateway"
_SUBNET: Final = "aws:ec2/subnet:Subnet"
_TARGETS: Final = "aws:lb/targetGroup:TargetGroup"
_VPC: Final = "aws:ec2/vpc:Vpc"

MAPPINGS: Final = [{"subnetId": subnet} for subnet in SUBNETS]
MAPPED: Final = {"name": "web", "internal": True, "subnetMappings": MAPPINGS[:2]}
MAPPED_NETWORK: Final = {**MAPPED, "loadBalancerType": "network"}
FIXED: Final = {"subnetId": SUBNETS[0], "privateIpv4Address": "10.0.0.10"}
GUARDED_NETWORK: Final = {**NETWORK, "securityGroups": GROUPS[:1]}
SPREAD_NETWORK: Final = {**NETWORK, "secondaryIpsAutoAssignedPerSubnet": 2}
LOGS_OFF: Final = {"bucket": "logs", "prefix": "a", "enabled": False}
LOGGED: Final = {**BALANCER, "accessLogs": LOGS_OFF, "connectionLogs": LOGS_OFF}
LOGS_ON: Final = {**BALANCER, "accessLogs": {**LOGS_OFF, "enabled": True}}
LAMBDA_TARGETS: Final = {"name": "notify", "targetType": "lambda"}
TCP_TARGETS: Final = {**TARGETS, "protocol": "TCP", "healthCheck": {"protocol": "TCP"}}
STICKY: Final = {"enabled": True, "type": "lb_cookie", "cookieDuration": 60}
STICKY_TCP: Final = {"enabled": True, "type": "source_ip", "cookieDuration": 60}
REDIRECT: Final = {
    "type": "redirect",
    "redirect": {"statusCode": "HTTP_301", "port": "443", "protocol": "HTTPS"},
}
FIXED_RESPONSE: Final = {"contentType": "text/plain", "statusCode": "404"}
WEIGHTED: Final = {"targetGroups": [{"arn": TARGETS_ARN, "weight": 1}]}
REDIRECTED: Final = {**LISTENER, "defaultActions": [REDIRECT]}
FORWARDED: Final = {**LISTENER, "defaultActions": [{"type": "forward", "forward": WEIGHTED}]}
LISTENER_ARN: Final = (
    f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:listener/app/web/0123456789abcdef/0123456789abcdef"
)
PATHS: Final = {
    "listenerArn": LISTENER_ARN,
    "priority": 10,
    "conditions": [{"pathPattern": {"values": ["/api/*"]}}],
    "actions": [{"type": "forward", "targetGroupArn": TARGETS_ARN}],
}
EGRESS: Final = {"securityGroupId": GROUPS[0], "cidrIpv4": "0.0.0.0/0", "ipProtocol": "-1"}
ZONE_A: Final = {"allocationIds": [f"eipalloc-{HEX}"], "availabilityZone": "eu-west-1a"}
ZONE_A_BY_ID: Final = {"allocationIds": [f"eipalloc-{HEX}"], "availabilityZoneId": "euw1-az1"}
ZONE_B: Final = {"allocationIds": [f"eipalloc-{HEX[:-1]}1"], "availabilityZone": "eu-west-1b"}
REGIONAL: Final = {"vpcId": VPC_ID, "availabilityMode": "regional"}
MANUAL: Final = {**REGIONAL, "availabilityZoneAddresses": [ZONE_A]}
BOTH_NAMES: Final = {"availabilityZoneAddresses": [{**ZONE_A, "availabilityZoneId": "euw1-az1"}]}

CHANGES: Final = (
    ChangeRow("vpc-region", _VPC, VPC, {"region": "eu-west-2"}, "replace", "region"),
    ChangeRow("vpc-region-of-the-provider", _VPC, VPC, {"region": REGION}, "none"),
    ChangeRow(
        "vpc-tenancy-same",
        _VPC,
        {**VPC, "instanceTenancy": "dedicated"},
        {"instanceTenancy": "dedicated"},
        "none",
    ),
    ChangeRow(
        "subnet-ipv6-left-out",
        _SUBNET,
        {**SUBNET, "ipv6CidrBlock": "2a05:d018:1:1100::/64"},
        {"ipv6CidrBlock": DELETE},
        "none",
    ),
    ChangeRow("nat-private-other", _NAT, PRIVATE_NAT, {"tags": {"Name": "a"}}, "update", "tags"),
    ChangeRow(
        "nat-private-count-left-out", _NAT, PRIVATE_NAT, {"secondaryPrivateIpAddressCount": DELETE}, "none"
    ),
    ChangeRow(
        "nat-public-secondary",
        _NAT,
        {**NAT, "secondaryAllocationIds": [f"eipalloc-{HEX[:-1]}1"]},
        {"secondaryAllocationIds.0": f"eipalloc-{HEX[:-1]}2"},
        "update",
        "secondaryAllocationIds[0]",
    ),
    ChangeRow(
        "nat-to-manual",
        _NAT,
        REGIONAL,
        {"availabilityZoneAddresses": [ZONE_A]},
        "replace",
        "availabilityZoneAddresses",
    ),
    ChangeRow(
        "nat-to-auto",
        _NAT,
        MANUAL,
        {"availabilityZoneAddresses": DELETE},
        "replace",
        "availabilityZoneAddresses",
    ),
    ChangeRow(
        "nat-zone-more",
        _NAT,
        MANUAL,
        {"availabilityZoneAddresses": [ZONE_A, ZONE_B]},
        "update",
        "availabilityZoneAddresses[1]",
    ),
    ChangeRow(
        "nat-zone-other-address",
        _NAT,
        MANUAL,
        {"availabilityZoneAddresses.0.allocationIds": ZONE_B["allocationIds"]},
        "update",
        "availabilityZoneAddresses[0].allocationIds[0]",
    ),
    ChangeRow(
        "nat-zone-by-id",
        _NAT,
        MANUAL,
        {"availabilityZoneAddresses": [ZONE_A_BY_ID]},
        "none",
        outputs=BOTH_NAMES,
    ),
    ChangeRow(
        "nat-zone-by-other-id",
        _NAT,
        MANUAL,
        {"availabilityZoneAddresses": [{**ZONE_A_BY_ID, "availabilityZoneId": "euw1-az2"}]},
        "update",
        "availabilityZoneAddresses[0].availabilityZoneId",
        outputs=BOTH_NAMES,
    ),
    ChangeRow("egress-value", _EGRESS, EGRESS, {"cidrIpv4": "10.0.0.0/8"}, "update", "cidrIpv4"),
    ChangeRow(
        "egress-kind", _EGRESS, EGRESS, {"cidrIpv4": DELETE, "cidrIpv6": "::/0"}, "replace", "cidrIpv6"
    ),
    ChangeRow(
        "egress-prefix-list",
        _EGRESS,
        EGRESS,
        {"cidrIpv4": DELETE, "prefixListId": f"pl-{HEX}"},
        "replace",
        "cidrIpv4",
    ),
    ChangeRow("rule-description", _INGRESS, INGRESS, {"description": "db"}, "update", "description"),
    ChangeRow(
        "network-group-swapped",
        _BALANCER,
        GUARDED_NETWORK,
        {"securityGroups": GROUPS[1:]},
        "update",
        "securityGroups[0]",
    ),
    ChangeRow(
        "network-last-group",
        _BALANCER,
        GUARDED_NETWORK,
        {"securityGroups": []},
        "replace",
        "securityGroups[0]",
    ),
    ChangeRow(
        "balancer-group", _BALANCER, BALANCER, {"securityGroups": GROUPS}, "update", "securityGroups[1]"
    ),
    ChangeRow(
        "network-subnets-fewer",
        _BALANCER,
        {**NETWORK, "subnets": SUBNETS},
        {"subnets": SUBNETS[:2]},
        "replace",
        "subnets[0]",
    ),
    ChangeRow(
        "network-subnets-more-and-other",
        _BALANCER,
        {**NETWORK, "subnets": SUBNETS[:1]},
        {"subnets": SUBNETS[1:]},
        "update",
        "subnets[0]",
    ),
    ChangeRow(
        "network-ips-fewer",
        _BALANCER,
        SPREAD_NETWORK,
        {"secondaryIpsAutoAssignedPerSubnet": 1},
        "replace",
        "secondaryIpsAutoAssignedPerSubnet",
    ),
    ChangeRow(
        "network-ips-more",
        _BALANCER,
        SPREAD_NETWORK,
        {"secondaryIpsAutoAssignedPerSubnet": 3},
        "update",
        "secondaryIpsAutoAssignedPerSubnet",
    ),
    ChangeRow("balancer-ips", _BALANCER, BALANCER, {"secondaryIpsAutoAssignedPerSubnet": 1}, "none"),
    ChangeRow(
        "network-mapping-more",
        _BALANCER,
        MAPPED_NETWORK,
        {"subnetMappings": MAPPINGS},
        "update",
        "subnetMappings[2]",
    ),
    ChangeRow(
        "network-mapping-fewer",
        _BALANCER,
        {**MAPPED_NETWORK, "subnetMappings": MAPPINGS},
        {"subnetMappings": MAPPINGS[:2]},
        "replace",
        "subnetMappings[0]",
    ),
    ChangeRow(
        "network-mapping-changed",
        _BALANCER,
        MAPPED_NETWORK,
        {"subnetMappings": [FIXED, *MAPPINGS[1:]]},
        "replace",
        "subnetMappings[0].privateIpv4Address",
    ),
    ChangeRow(
        "balancer-mapping-more",
        _BALANCER,
        MAPPED,
        {"subnetMappings": MAPPINGS},
        "update",
        "subnetMappings[2]",
    ),
    ChangeRow(
        "balancer-mapping-fewer",
        _BALANCER,
        {**MAPPED, "subnetMappings": MAPPINGS},
        {"subnetMappings": MAPPINGS[:2]},
        "update",
        "subnetMappings[0]",
    ),
    ChangeRow(
        "balancer-mapping-swapped",
        _BALANCER,
        MAPPED,
        {"subnetMappings.1": MAPPINGS[2]},
        "replace",
        "subnetMappings[1].subnetId",
    ),
    ChangeRow("balancer-mapping-order", _BALANCER, MAPPED, {"subnetMappings": MAPPINGS[1::-1]}, "none"),
    ChangeRow(
        "balancer-logs-off",
        _BALANCER,
        LOGGED,
        {"accessLogs.bucket": "other", "accessLogs.prefix": "b", "connectionLogs.prefix": "b"},
        "none",
    ),
    ChangeRow(
        "balancer-logs-on", _BALANCER, LOGS_ON, {"accessLogs.bucket": "other"}, "update", "accessLogs.bucket"
    ),
    ChangeRow(
        "balancer-logs-turned-on",
        _BALANCER,
        LOGGED,
        {"connectionLogs.enabled": True},
        "update",
        "connectionLogs.enabled",
    ),
    ChangeRow("balancer-logs-left-out", _BALANCER, LOGS_ON, {"accessLogs": DELETE}, "none"),
    ChangeRow(
        "targets-lambda-health",
        _TARGETS,
        {**LAMBDA_TARGETS, "healthCheck": {"enabled": True, "port": "80"}},
        {"healthCheck.port": "81"},
        "none",
    ),
    ChangeRow(
        "targets-health-port",
        _TARGETS,
        {**TARGETS, "healthCheck": {"port": "80"}},
        {"healthCheck.port": "81"},
        "update",
        "healthCheck.port",
    ),
    ChangeRow(
        "targets-lambda-path",
        _TARGETS,
        {**LAMBDA_TARGETS, "healthCheck": {"enabled": True, "path": "/a"}},
        {"healthCheck.path": "/b"},
        "update",
        "healthCheck.path",
    ),
    ChangeRow(
        "targets-lambda-address",
        _TARGETS,
        LAMBDA_TARGETS,
        {"port": 80, "protocol": "HTTP", "vpcId": VPC_ID},
        "none",
    ),
    ChangeRow(
        "targets-version", _TARGETS, TARGETS, {"protocolVersion": "HTTP2"}, "replace", "protocolVersion"
    ),
    ChangeRow("targets-version-case", _TARGETS, TARGETS, {"protocolVersion": "http1"}, "none"),
    ChangeRow("targets-tcp-version", _TARGETS, TCP_TARGETS, {"protocolVersion": "HTTP2"}, "none"),
    ChangeRow(
        "targets-cookie",
        _TARGETS,
        {**TARGETS, "stickiness": STICKY},
        {"stickiness.cookieDuration": 90},
        "update",
        "stickiness.cookieDuration",
    ),
    ChangeRow(
        "targets-tcp-cookie",
        _TARGETS,
        {**TCP_TARGETS, "stickiness": STICKY_TCP},
        {"stickiness.cookieDuration": 90},
        "none",
    ),
    ChangeRow(
        "listener-foreign-block",
        _LISTENER,
        REDIRECTED,
        {"defaultActions.0.fixedResponse": FIXED_RESPONSE},
        "none",
    ),
    ChangeRow(
        "listener-foreign-targets",
        _LISTENER,
        REDIRECTED,
        {"defaultActions.0.targetGroupArn": TARGETS_ARN},
        "none",
    ),
    ChangeRow(
        "listener-own-block",
        _LISTENER,
        REDIRECTED,
        {"defaultActions.0.redirect.port": "8443"},
        "update",
        "defaultActions[0].redirect.port",
    ),
    ChangeRow(
        "listener-type",
        _LISTENER,
        LISTENER,
        {"defaultActions.0": REDIRECT},
        "update",
        "defaultActions[0].redirect",
    ),
    ChangeRow(
        "listener-forward-left-out",
        _LISTENER,
        {
            **LISTENER,
            "defaultActions": [{"type": "forward", "targetGroupArn": TARGETS_ARN, "forward": WEIGHTED}],
        },
        {"defaultActions.0.forward": DELETE},
        "none",
    ),
    ChangeRow(
        "listener-weight",
        _LISTENER,
        FORWARDED,
        {"defaultActions.0.forward.targetGroups.0.weight": 2},
        "update",
        "defaultActions[0].forward.targetGroups[0].weight",
    ),
    ChangeRow("path-priority", _LISTENER_RULE, PATHS, {"priority": 11}, "update", "priority"),
    ChangeRow(
        "path-listener",
        _LISTENER_RULE,
        PATHS,
        {"listenerArn": LISTENER_ARN[:-1] + "0"},
        "replace",
        "listenerArn",
    ),
    ChangeRow(
        "path-targets",
        _LISTENER_RULE,
        PATHS,
        {"actions.0.targetGroupArn": OTHER_TARGETS_ARN},
        "update",
        "actions[0].targetGroupArn",
    ),
    ChangeRow(
        "path-foreign-block", _LISTENER_RULE, PATHS, {"actions.0.fixedResponse": FIXED_RESPONSE}, "none"
    ),
)
