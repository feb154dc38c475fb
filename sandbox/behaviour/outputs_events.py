"""What AWS answers for SNS, SQS, EventBridge, Scheduler, Step Functions and Route 53."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from sandbox.behaviour.model import Properties
from sandbox.behaviour.outputs_base import LOWER, New, Pending, Shape, known_text, stamp

ZONE: Final = "aws:route53/zone:Zone"
PRIVATE_SERVERS: Final = [
    "ns-0.awsdns-00.com",
    "ns-1024.awsdns-00.org",
    "ns-1536.awsdns-00.co.uk",
    "ns-512.awsdns-00.net",
]


def default_topic_policy(new: New) -> str:
    """Write the policy that AWS gives to a topic without one."""
    actions = "GetTopicAttributes SetTopicAttributes AddPermission RemovePermission DeleteTopic Subscribe"
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in f"{actions} ListSubscriptionsByTopic Publish".split()],
        "Resource": new.outputs["arn"],
        "Condition": {"StringEquals": {"AWS:SourceOwner": new.account}},
    }
    document = {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}
    return json.dumps(document, separators=(",", ":"))


def _topic(new: New) -> Properties:
    fifo = new.outputs.get("fifoTopic") is True
    return {
        "owner": new.account,
        "beginningArchiveTime": "",
        "policy": default_topic_policy(new),
        "signatureVersion": 0,
        "maximumMessageSize": 262144,
        "fifoThroughputScope": "Topic" if fifo else "",
    }


def _subscription(new: New) -> Properties:
    pending = new.outputs.get("protocol") in ("email", "email-json", "http", "https")
    return {
        "confirmationWasAuthenticated": not pending,
        "ownerId": new.account,
        "pendingConfirmation": pending,
        "filterPolicyScope": "MessageAttributes" if new.text("filterPolicy") else "",
    }


def _subscription_refresh(new: New, _old: Properties, changed: frozenset[str]) -> Properties:
    """Give the scope of a filter: it goes with the filter, and back to the default when it is left out."""
    if not changed & {"filterPolicy", "filterPolicyScope"} or "filterPolicyScope" in new.inputs:
        return {}
    return {"filterPolicyScope": "MessageAttributes" if new.text("filterPolicy") else ""}


def _queue_url(new: New) -> str:
    return f"https://sqs.{new.region}.{new.dns}/{new.account}/{new.text('name')}"


def _queue(new: New) -> Properties:
    fifo = new.outputs.get("fifoQueue") is True
    return {
        "url": new.id,
        "kmsDataKeyReusePeriodSeconds": 300,
        "sqsManagedSseEnabled": "kmsMasterKeyId" not in new.inputs,
        "deduplicationScope": "queue" if fifo else "",
        "fifoThroughputLimit": "perQueue" if fifo else "",
    }


def _bus_path(new: New, separator: str) -> str:
    bus = new.text("eventBusName", "default")
    return "" if bus == "default" else f"{bus.rpartition('/')[2]}{separator}"


def _target_id(new: New) -> str:
    target = new.outputs.setdefault("targetId", f"terraform-{new.ids.text(LOWER, 26, 'target')}")
    return f"{_bus_path(new, '-')}{new.text('rule')}-{target}"


def _machine(new: New) -> Properties:
    published = new.outputs.get("publish") is True
    return {
        "creationDate": stamp(new.ids.moment()),
        "description": "",
        "revisionId": new.ids.uuid("revision") if published else "",
        "stateMachineVersionArn": f"{new.id}:1" if published else "",
        "status": "ACTIVE",
        "versionDescription": "",
        "encryptionConfiguration": {
            "type": "AWS_OWNED_KEY",
            "kmsKeyId": "",
            "kmsDataKeyReusePeriodSeconds": 0,
        },
        "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
        "tracingConfiguration": {"enabled": False},
    }


def _machine_refresh(new: New, old: Properties, changed: frozenset[str]) -> Properties:
    if new.inputs.get("publish") is not True or not changed - {"tags", "tagsAll"}:
        return {}
    number = str(old.get("stateMachineVersionArn", "")).rpartition(":")[2]
    version = int(number) + 1 if number.isdigit() else 1
    return {"revisionId": new.ids.uuid("revision"), "stateMachineVersionArn": f"{new.id}:{version}"}


def _zone(new: New) -> Properties:
    hosts = [new.ids.number(0, 511, f"host{part}") + 512 * part for part in range(4)]
    numbers = [new.ids.number(0, 63, f"net{part}") for part in range(4)]
    ends = ("com", "net", "org", "co.uk")
    public = [
        f"ns-{host}.awsdns-{number:02}.{end}" for host, number, end in zip(hosts, numbers, ends, strict=True)
    ]
    servers = list(PRIVATE_SERVERS) if new.items("vpcs") else sorted(public)
    primary = PRIVATE_SERVERS[0] if new.items("vpcs") else public[0]
    for vpc in new.items("vpcs"):
        vpc.setdefault("vpcRegion", new.region)
    return {"nameServers": servers, "primaryNameServer": primary, "zoneId": new.id}


def _fqdn(new: New) -> str:
    name = new.text("name").rstrip(".").lower()
    zone = known_text(new.lookup(ZONE, new.outputs.get("zoneId")).get("name")).rstrip(".").lower()
    if not zone or name == zone or name.endswith(f".{zone}"):
        return name
    return f"{name}.{zone}" if name else zone


def _record_id(new: New) -> str:
    suffix = new.text("setIdentifier")
    parts = [new.text("zoneId"), new.text("name").rstrip(".").lower(), str(new.outputs.get("type", ""))]
    return "_".join(parts + ([suffix] if suffix else []))


def _record_refresh(new: New, _old: Properties, changed: frozenset[str]) -> Properties:
    return {"fqdn": _fqdn(new)} if "name" in changed else {}


SHAPES: Final[Mapping[str, Shape]] = {
    "aws:sns/topic:Topic": Shape(id="{arn}", arn="sns:{region}:{account}:{name}", fill=_topic),
    "aws:sns/topicPolicy:TopicPolicy": Shape(id="{arn}", values={"owner": "{account}"}),
    "aws:sns/topicSubscription:TopicSubscription": Shape(
        id="{arn}",
        arn=lambda new: f"{new.text('topic').partition(f'arn:{new.session.partition}:')[2]}:{new.ids.uuid()}",
        fill=_subscription,
        refresh=_subscription_refresh,
        pending=(
            Pending(
                ("filterPolicyScope",), "it follows the filter", when=("filterPolicy", "filterPolicyScope")
            ),
        ),
    ),
    "aws:sqs/queue:Queue": Shape(id=_queue_url, arn="sqs:{region}:{account}:{name}", fill=_queue),
    "aws:sqs/queuePolicy:QueuePolicy": Shape(id="{queueUrl}"),
    "aws:cloudwatch/eventRule:EventRule": Shape(
        id=lambda new: f"{_bus_path(new, '/')}{new.text('name')}",
        arn=lambda new: new.format(f"events:{{region}}:{{account}}:rule/{_bus_path(new, '/')}{{name}}"),
    ),
    "aws:cloudwatch/eventTarget:EventTarget": Shape(id=_target_id),
    "aws:scheduler/schedule:Schedule": Shape(
        id="{groupName}/{name}",
        arn="scheduler:{region}:{account}:schedule/{groupName}/{name}",
        values={"actionAfterCompletion": "NONE"},
    ),
    "aws:scheduler/scheduleGroup:ScheduleGroup": Shape(
        id="{name}",
        arn="scheduler:{region}:{account}:schedule-group/{name}",
        fill=lambda new: {
            "creationDate": stamp(new.ids.moment()),
            "lastModificationDate": stamp(new.ids.moment()),
            "state": "ACTIVE",
        },
    ),
    "aws:sfn/stateMachine:StateMachine": Shape(
        id="{arn}",
        arn="states:{region}:{account}:stateMachine:{name}",
        fill=_machine,
        refresh=_machine_refresh,
        pending=(
            Pending(("revisionId", "stateMachineVersionArn"), "every change is published", only_if="publish"),
        ),
    ),
    ZONE: Shape(id="Z0{upper19}", arn="route53:::hostedzone/{id}", fill=_zone),
    "aws:route53/record:Record": Shape(
        id=_record_id, fill=lambda new: {"fqdn": _fqdn(new)}, refresh=_record_refresh
    ),
}
