"""Exact answers of the simulated AWS for endpoints, load balancers, caches, events and updates."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sandbox.behaviour import cloud, outputs
from sandbox.behaviour.model import EmptyWorld, Properties, Session
from sandbox.behaviour.schema import UnknownType
from sandbox.behaviour.values import UNKNOWN
from tests.behaviour.changes import (
    ACCOUNT,
    BALANCER,
    BALANCER_ARN,
    CACHE,
    INTERFACE,
    LISTENER,
    NETWORK,
    REGION,
    SUBNETS,
    SUBSCRIPTION,
    TARGETS,
)
from tests.behaviour.test_outputs import SESSION, WORLD, World, made

BALANCER_TYPE = "aws:lb/loadBalancer:LoadBalancer"
BROKER = "aws:mq/broker:Broker"
CACHES = "aws:elasticache/replicationGroup:ReplicationGroup"
DOMAIN = "aws:opensearch/domain:Domain"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
LISTENERS = "aws:lb/listener:Listener"
MACHINE = "aws:sfn/stateMachine:StateMachine"
RECORD = "aws:route53/record:Record"
RULE = "aws:lb/listenerRule:ListenerRule"
SUBSCRIPTIONS = "aws:sns/topicSubscription:TopicSubscription"
TARGET_GROUP = "aws:lb/targetGroup:TargetGroup"
USER = "aws:elasticache/user:User"
ZONE = "aws:route53/zone:Zone"

LISTENER_ARN = BALANCER_ARN.replace("loadbalancer", "listener") + "/0123456789abcdef"
FORWARD = {"listenerArn": LISTENER_ARN, "actions": [{"type": "forward"}, {"type": "forward"}]}
PLAIN = {**CACHE, "transitEncryptionEnabled": False}
CLUSTERED = {
    "replicationGroupId": "c",
    "description": "c",
    "numNodeGroups": 2,
    "replicasPerNodeGroup": 1,
    "transitEncryptionEnabled": True,
}
PLAIN_CLUSTER = {**CLUSTERED, "transitEncryptionEnabled": False}
ACTIVE = {"brokerName": "b", "engineType": "ActiveMQ", "deploymentMode": "ACTIVE_STANDBY_MULTI_AZ"}
PRIVATE = {
    "name": "in.example.com",
    "vpcs": [{"vpcId": "vpc-1"}, {"vpcId": "vpc-2", "vpcRegion": "eu-west-2"}],
}
PUBLISHED = {"name": "m", "roleArn": "r", "definition": "{}", "publish": True}
FILTERED = {**SUBSCRIPTION, "filterPolicy": '{"kind": ["a"]}', "filterPolicyScope": "MessageBody"}
UNSCOPED = {key: value for key, value in FILTERED.items() if key != "filterPolicyScope"}

VALUES: list[tuple[str, str, Properties, str, Any]] = [
    ("type of a resource endpoint", ENDPOINT, {"vpcEndpointType": "Resource"}, "ipAddressType", "ipv4"),
    ("type of a gateway endpoint", ENDPOINT, {"vpcEndpointType": "Gateway"}, "ipAddressType", ""),
    ("blocks of an unknown gateway", ENDPOINT, {"serviceName": "com.amazonaws.eu-west-1.s3"}, "cidrBlocks",
     ["52.218.0.0/17", "52.92.0.0/17", "3.5.64.0/21", "3.5.72.0/23"]),
    ("dns of an endpoint to a resource", ENDPOINT,
     {"vpcEndpointType": "Resource", "subnetIds": SUBNETS[:1]}, "dnsEntries", []),
    ("subnets of an interface endpoint", ENDPOINT, INTERFACE, "subnetConfigurations",
     [{"subnetId": subnet} for subnet in SUBNETS[:2]]),
    ("zone of a network load balancer", BALANCER_TYPE, NETWORK, "zoneId", "Z2IFOLAFXWLO4F"),
    ("groups of a network load balancer", BALANCER_TYPE, NETWORK, "securityGroups", []),
    ("subnets from mappings", BALANCER_TYPE,
     {"name": "m", "subnetMappings": [{"subnetId": SUBNETS[0]}]}, "subnets", SUBNETS[:1]),
    ("mappings from subnets", BALANCER_TYPE, BALANCER, "subnetMappings",
     [{"subnetId": subnet} for subnet in SUBNETS[:2]]),
    ("health of lambda targets", TARGET_GROUP, {"name": "l", "targetType": "lambda"}, "healthCheck",
     {"enabled": False, "healthyThreshold": 5, "interval": 35, "port": "traffic-port", "protocol": "",
      "unhealthyThreshold": 2, "timeout": 30, "matcher": "200", "path": "/"}),
    ("health of TCP targets", TARGET_GROUP, {"name": "t", "protocol": "TCP", "targetType": "ip"}, "healthCheck",
     {"enabled": True, "healthyThreshold": 3, "interval": 30, "port": "traffic-port", "protocol": "TCP",
      "unhealthyThreshold": 3, "timeout": 10, "matcher": "", "path": ""}),
    ("client addresses of TCP instances", TARGET_GROUP, {"name": "t", "protocol": "TCP"}, "preserveClientIp", "true"),
    ("client addresses of HTTP targets", TARGET_GROUP, TARGETS, "preserveClientIp", ""),
    ("stickiness of TCP targets", TARGET_GROUP, {"name": "t", "protocol": "TCP"}, "stickiness",
     {"enabled": False, "type": "source_ip", "cookieDuration": 0, "cookieName": ""}),
    ("policy of HTTPS", LISTENERS, {**LISTENER, "protocol": "HTTPS"}, "sslPolicy", "ELBSecurityPolicy-2016-08"),
    ("policy of HTTP", LISTENERS, LISTENER, "sslPolicy", ""),
    ("idle time of TCP", LISTENERS, {**LISTENER, "protocol": "TCP"}, "tcpIdleTimeoutSeconds", 350),
    ("idle time of HTTP", LISTENERS, LISTENER, "tcpIdleTimeoutSeconds", 0),
    ("first free priority", RULE, FORWARD, "priority", 1),
    ("order of actions", RULE, FORWARD, "actions",
     [{"type": "forward", "order": 1}, {"type": "forward", "order": 2}]),
    ("members of a cluster", CACHES, CLUSTERED, "memberClusters",
     ["c-0001-001", "c-0001-002", "c-0002-001", "c-0002-002"]),
    ("nodes of a cluster", CACHES, CLUSTERED, "numCacheClusters", 4),
    ("members without counts", CACHES, {"replicationGroupId": "r"}, "memberClusters", ["r-001"]),
    ("primary of a cluster", CACHES, CLUSTERED, "primaryEndpointAddress", ""),
    ("parameters of a cluster", CACHES, CLUSTERED, "parameterGroupName", "default.redis7.cluster.on"),
    ("parameters of Valkey", CACHES, {"replicationGroupId": "v", "engine": "valkey"}, "parameterGroupName",
     "default.valkey8"),
    ("parameters of Redis 6", CACHES, {**CACHE, "engineVersion": "6.2"}, "parameterGroupName", "default.redis6.x"),
    ("patch of Redis 5", CACHES, {**CACHE, "engineVersion": "5.0.6"}, "engineVersionActual", "5.0.6"),
    ("patch of a new version", CACHES, {**CACHE, "engineVersion": "9.0"}, "engineVersionActual", "9.0.0"),
    ("user without password", USER, {"userId": "u", "noPasswordRequired": True}, "authenticationMode",
     {"type": "no-password-required", "passwordCount": 0}),
    ("user with passwords", USER, {"userId": "u", "passwords": ["a" * 16, "b" * 16]}, "authenticationMode",
     {"type": "password", "passwordCount": 2}),
    ("disks of RabbitMQ", BROKER, {"brokerName": "b", "engineType": "RabbitMQ"}, "storageType", "ebs"),
    ("disks of ActiveMQ", BROKER, ACTIVE, "storageType", "efs"),
    ("servers of a private zone", ZONE, PRIVATE, "nameServers",
     ["ns-0.awsdns-00.com", "ns-1024.awsdns-00.org", "ns-1536.awsdns-00.co.uk", "ns-512.awsdns-00.net"]),
    ("first server of a private zone", ZONE, PRIVATE, "primaryNameServer", "ns-0.awsdns-00.com"),
    ("regions of a private zone", ZONE, PRIVATE, "vpcs",
     [{"vpcId": "vpc-1", "vpcRegion": "eu-west-1"}, {"vpcId": "vpc-2", "vpcRegion": "eu-west-2"}]),
    ("name of the zone itself", RECORD, {"zoneId": "Z1", "name": "", "type": "A"}, "fqdn", "example.com"),
    ("name with the zone in it", RECORD, {"zoneId": "Z1", "name": "A.example.com", "type": "A"}, "fqdn",
     "a.example.com"),
    ("name in a foreign zone", RECORD, {"zoneId": "Z9", "name": "a.example.org.", "type": "A"}, "fqdn",
     "a.example.org"),
    ("confirmation by mail", SUBSCRIPTIONS, {**SUBSCRIPTION, "protocol": "email"}, "pendingConfirmation", True),
    ("confirmation of a queue", SUBSCRIPTIONS, SUBSCRIPTION, "pendingConfirmation", False),
    ("scope of a filter", SUBSCRIPTIONS, UNSCOPED, "filterPolicyScope", "MessageAttributes"),
    ("scope without filter", SUBSCRIPTIONS, SUBSCRIPTION, "filterPolicyScope", ""),
    ("throughput of a FIFO topic", "aws:sns/topic:Topic", {"name": "t.fifo", "fifoTopic": True},
     "fifoThroughputScope", "Topic"),
    ("scope of a FIFO queue", "aws:sqs/queue:Queue", {"name": "q.fifo", "fifoQueue": True}, "deduplicationScope",
     "queue"),
    ("own encryption of a queue with a key", "aws:sqs/queue:Queue", {"name": "q", "kmsMasterKeyId": "k"},
     "sqsManagedSseEnabled", False),
    ("first version of a machine", MACHINE, PUBLISHED, "stateMachineVersionArn",
     f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:m:1"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("token", "inputs", "key", "expected"), [pytest.param(*row[1:], id=row[0]) for row in VALUES]
)
def test_answer(token: str, inputs: Properties, key: str, expected: Any) -> None:
    assert made(token, inputs).outputs[key] == expected


FORMS = [
    (CACHES, CLUSTERED, "configurationEndpointAddress", r"clustercfg\.c\.[a-z0-9]{6}\.euw1\.cache\.amazonaws\.com"),
    (CACHES, PLAIN_CLUSTER, "configurationEndpointAddress",
     r"c\.[a-z0-9]{6}\.clustercfg\.euw1\.cache\.amazonaws\.com"),
    (CACHES, PLAIN, "readerEndpointAddress", r"broker-ro\.[a-z0-9]{6}\.ng\.0001\.euw1\.cache\.amazonaws\.com"),
    (CACHES, CACHE, "readerEndpointAddress", r"replica\.broker\.[a-z0-9]{6}\.euw1\.cache\.amazonaws\.com"),
    (BALANCER_TYPE, NETWORK, "dnsName", r"net-[0-9a-f]{16}\.elb\.eu-west-1\.amazonaws\.com"),
    (DOMAIN, {"domainName": "d"}, "endpoint", r"search-d-[a-z0-9]{26}\.eu-west-1\.es\.amazonaws\.com"),
    (DOMAIN, {"domainName": "d", "vpcOptions": {"subnetIds": ["s"]}}, "endpoint",
     r"vpc-d-[a-z0-9]{26}\.eu-west-1\.es\.amazonaws\.com"),
    (DOMAIN, {"domainName": "d", "ipAddressType": "dualstack"}, "endpointV2",
     r"search-d-[a-z0-9]{26}\.eu-west-1\.on\.aws"),
    (RULE, FORWARD, "arn", re.escape(LISTENER_ARN.replace("listener", "listener-rule")) + "/[0-9a-f]{16}"),
]  # fmt: skip


@pytest.mark.parametrize(("token", "inputs", "key", "form"), FORMS)
def test_form_of_the_answer(token: str, inputs: Properties, key: str, form: str) -> None:
    assert re.fullmatch(form, made(token, inputs).outputs[key])


@pytest.mark.parametrize(
    ("inputs", "form"),
    [
        pytest.param(ACTIVE, [r"ssl://b-[0-9a-f-]{36}-1\.mq\.eu-west-1\.on\.aws:61617"] * 2, id="ActiveMQ"),
        pytest.param(
            {"brokerName": "b", "engineType": "RabbitMQ"},
            [r"amqps://b-[0-9a-f-]{36}\.mq\.eu-west-1\.on\.aws:5671"],
            id="RabbitMQ",
        ),
    ],
)
def test_endpoints_of_a_broker(inputs: Properties, form: list[str]) -> None:
    hosts = [
        instance["endpoints"][0].replace("-2.mq", "-1.mq")
        for instance in made(BROKER, inputs).outputs["instances"]
    ]

    assert [bool(re.fullmatch(one, host)) for one, host in zip(form, hosts, strict=True)] == [True] * len(
        form
    )


def test_priority_follows_the_rules_of_the_same_listener() -> None:
    world = World(
        (RULE, "a", {"listenerArn": LISTENER_ARN, "priority": 7}),
        (RULE, "b", {"listenerArn": "l", "priority": 9}),
    )

    assert made(RULE, FORWARD, world).outputs["priority"] == 8


UPDATES: list[tuple[str, str, Properties, Properties, str, Any]] = [
    ("subnets", BALANCER_TYPE, BALANCER, {"subnets": SUBNETS}, "subnetMappings",
     [{"subnetId": subnet} for subnet in SUBNETS]),
    ("name of a load balancer's tag", BALANCER_TYPE, BALANCER, {"tags": {"a": "b"}}, "subnetMappings",
     [{"subnetId": subnet} for subnet in SUBNETS[:2]]),
    ("mappings", BALANCER_TYPE, {"name": "m", "subnetMappings": [{"subnetId": SUBNETS[0]}]},
     {"subnetMappings": [{"subnetId": SUBNETS[0]}, {"subnetId": SUBNETS[1]}]}, "subnets", SUBNETS[:2]),
    ("subnets of an endpoint", ENDPOINT, INTERFACE, {"subnetIds": SUBNETS[:1]}, "subnetConfigurations",
     [{"subnetId": SUBNETS[0]}]),
    ("cache version", CACHES, {**CACHE, "engineVersion": "7.0"}, {"engineVersion": "7.1"}, "engineVersionActual",
     "7.1.0"),
    ("scope back to default", SUBSCRIPTIONS, FILTERED, {"filterPolicyScope": None}, "filterPolicyScope",
     "MessageAttributes"),
    ("filter taken away", SUBSCRIPTIONS, UNSCOPED, {"filterPolicy": None}, "filterPolicyScope", ""),
    ("filter added", SUBSCRIPTIONS, SUBSCRIPTION, {"filterPolicy": '{"a": ["b"]}'}, "filterPolicyScope",
     "MessageAttributes"),
    ("other queue options", SUBSCRIPTIONS, FILTERED, {"rawMessageDelivery": True}, "filterPolicyScope", "MessageBody"),
    ("record name", RECORD, {"zoneId": "Z1", "name": "a", "type": "A"}, {"name": "b"}, "fqdn", "b.example.com"),
    ("record values", RECORD, {"zoneId": "Z1", "name": "a", "type": "A"}, {"ttl": 5}, "fqdn", "a.example.com"),
    ("second version of a machine", MACHINE, PUBLISHED, {"definition": '{"a": 1}'}, "stateMachineVersionArn",
     f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:m:2"),
    ("tags of a machine", MACHINE, PUBLISHED, {"tags": {"a": "b"}}, "stateMachineVersionArn",
     f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:m:1"),
    ("first published version", MACHINE, {**PUBLISHED, "publish": False}, {"publish": True}, "stateMachineVersionArn",
     f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:m:1"),
    ("revision", "aws:mq/configuration:Configuration", {"name": "c", "data": "<a/>"}, {"data": "<b/>"},
     "latestRevision", 2),
    ("revision without change", "aws:mq/configuration:Configuration", {"name": "c", "data": "<a/>"},
     {"tags": {"a": "b"}}, "latestRevision", 1),
]  # fmt: skip


@pytest.mark.parametrize(
    ("token", "inputs", "change", "key", "expected"), [pytest.param(*row[1:], id=row[0]) for row in UPDATES]
)
def test_answer_to_an_update(
    token: str, inputs: Properties, change: Properties, key: str, expected: Any
) -> None:
    before = made(token, inputs)
    new = {name: value for name, value in {**inputs, **change}.items() if value is not None}

    assert cloud.update(token, before.id, before.outputs, new, SESSION, WORLD)[key] == expected


def test_cache_without_tls_has_other_names() -> None:
    before = made(CACHES, CACHE)
    after = cloud.update(CACHES, before.id, before.outputs, PLAIN, SESSION, WORLD)

    assert re.match(r"broker\.[a-z0-9]{6}\.ng\.0001\.", after["primaryEndpointAddress"])


def test_private_name_comes_with_private_dns() -> None:
    before = made(ENDPOINT, {**INTERFACE, "privateDnsEnabled": False})
    after = cloud.update(ENDPOINT, before.id, before.outputs, INTERFACE, SESSION, WORLD)

    assert [
        entry["dnsName"].startswith("logs.")
        for entry in (before.outputs["dnsEntries"][-1], after["dnsEntries"][-1])
    ] == [
        False,
        True,
    ]


def test_endpoint_keeps_its_interfaces_when_only_tags_change() -> None:
    before = made(ENDPOINT, INTERFACE)
    after = cloud.update(
        ENDPOINT, before.id, before.outputs, {**INTERFACE, "tags": {"a": "b"}}, SESSION, WORLD
    )

    assert after["networkInterfaceIds"] == before.outputs["networkInterfaceIds"]


@pytest.mark.parametrize(
    ("token", "inputs", "change", "unknown"),
    [
        pytest.param(BALANCER_TYPE, BALANCER, {"subnets": SUBNETS}, {"subnetMappings"}, id="subnets"),
        pytest.param(SUBSCRIPTIONS, SUBSCRIPTION, {"filterPolicy": "{}"}, {"filterPolicyScope"}, id="filter"),
        pytest.param(
            MACHINE, PUBLISHED, {"definition": "[]"}, {"revisionId", "stateMachineVersionArn"}, id="published"
        ),
        pytest.param(
            MACHINE, {**PUBLISHED, "publish": False}, {"definition": "[]"}, set(), id="not published"
        ),
        pytest.param(
            CACHES,
            CACHE,
            {"transitEncryptionEnabled": False},
            {"primaryEndpointAddress", "readerEndpointAddress", "configurationEndpointAddress"},
            id="TLS of a cache",
        ),
    ],
)
def test_preview_of_an_update(token: str, inputs: Properties, change: Properties, unknown: set[str]) -> None:
    before = made(token, inputs)
    planned = cloud.plan_update(token, before.id, before.outputs, {**inputs, **change}, SESSION)

    assert {key for key, value in planned.items() if value is UNKNOWN} == unknown


PASSWORD = "random:index/randomPassword:RandomPassword"
REMOTE_IMAGE = "docker:index/remoteImage:RemoteImage"


def test_random_value_is_planned_unknown() -> None:
    planned = cloud.plan(PASSWORD, "it", {"length": 8}, SESSION)

    assert (planned["length"], planned["result"], planned["bcryptHash"]) == (8, UNKNOWN, UNKNOWN)


def test_random_value_is_created() -> None:
    answer = cloud.create(PASSWORD, "it", {"length": 8}, SESSION, EmptyWorld(), b"seed")

    assert (answer.id, len(answer.outputs["result"])) == ("none", 8)


@pytest.mark.parametrize("action", ["plan_update", "update"])
def test_random_value_stays_when_updated(action: str) -> None:
    before = cloud.create(PASSWORD, "it", {"length": 8}, SESSION, EmptyWorld(), b"seed")
    new = {"length": 8, "keepers": {"a": "1"}}
    if action == "update":
        after = cloud.update(PASSWORD, before.id, before.outputs, new, SESSION, EmptyWorld())
    else:
        after = cloud.plan_update(PASSWORD, before.id, before.outputs, new, SESSION)

    assert after == {**before.outputs, "keepers": {"a": "1"}}


def test_image_is_planned_anew() -> None:
    planned = cloud.plan_update(REMOTE_IMAGE, "i", {"imageId": "sha256:1"}, {"name": "redis:8"}, SESSION)

    assert planned["imageId"] is UNKNOWN


def test_image_is_pulled_anew() -> None:
    before = cloud.create(REMOTE_IMAGE, "it", {"name": "redis:7"}, SESSION, EmptyWorld(), b"seed")
    after = cloud.update(REMOTE_IMAGE, before.id, before.outputs, {"name": "redis:8"}, SESSION, EmptyWorld())

    assert (after["name"], after["imageId"] == before.outputs["imageId"]) == ("redis:8", False)


@pytest.mark.parametrize("action", [cloud.plan_update, cloud.update])
def test_update_of_an_unknown_type_is_refused(action: Any) -> None:
    world = [EmptyWorld()] if action is cloud.update else []

    with pytest.raises(UnknownType, match="aws:ec2/instance:Instance"):
        action("aws:ec2/instance:Instance", "i", {}, {}, SESSION, *world)


def test_type_without_answers_is_named() -> None:
    with pytest.raises(UnknownType, match="does not know what AWS answers for aws:ec2/instance:Instance"):
        outputs.shape_of("aws:ec2/instance:Instance")


def test_resource_lives_in_the_region_of_its_inputs() -> None:
    answer = outputs.created(
        "aws:sns/topic:Topic",
        "it",
        {"name": "t", "region": "us-east-1"},
        Session(ACCOUNT, REGION),
        WORLD,
        b"",
    )

    assert answer.outputs["arn"] == f"arn:aws:sns:us-east-1:{ACCOUNT}:t"


def test_creation_answers_like_the_table() -> None:
    answer = cloud.create("aws:s3/bucket:Bucket", "it", {"bucket": "dags"}, SESSION, EmptyWorld(), b"seed")

    assert (answer.id, answer.outputs["arn"]) == ("dags", "arn:aws:s3:::dags")
