"""SQS queues and SNS topics."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from sandbox.behaviour.formats import is_arn
from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import Case, rule
from sandbox.behaviour.rules.policy_document import Kind, problems, statements_of, texts

QUEUE: Final = "aws:sqs/queue:Queue"
TOPIC: Final = "aws:sns/topic:Topic"
TOPIC_POLICY: Final = "aws:sns/topicPolicy:TopicPolicy"
_LIMITS: Final = {QUEUE: 80, TOPIC: 256}
_FIFO_INPUT: Final = {QUEUE: "fifoQueue", TOPIC: "fifoTopic"}
_FIFO_ONLY: Final = {
    QUEUE: ("contentBasedDeduplication", "deduplicationScope", "fifoThroughputLimit"),
    TOPIC: ("contentBasedDeduplication", "archivePolicy", "fifoThroughputScope"),
}
_OF_TOPICS: Final = frozenset(
    {
        *("sns:addpermission", "sns:deletetopic", "sns:gettopicattributes", "sns:listsubscriptionsbytopic"),
        *("sns:publish", "sns:receive", "sns:removepermission", "sns:settopicattributes", "sns:subscribe"),
    }
)


@rule(QUEUE, TOPIC)
def fifo(case: Case) -> Iterator[Failure]:
    """Check the name and what only FIFO queues and topics take."""
    key, limit = _FIFO_INPUT[case.token], _LIMITS[case.token]
    is_fifo = case.inputs.get(key) or False
    name = case.known("name")
    if name is not None and isinstance(is_fifo, bool):
        body = name.removesuffix(".fifo") if is_fifo else name
        if is_fifo and not name.endswith(".fifo"):
            yield Failure("name", f'must end with .fifo when {key} is true, got "{name}"')
        elif not is_fifo and name.endswith(".fifo"):
            yield Failure("name", f'"{name}" needs {key} true')
        elif not re.fullmatch(r"[0-9A-Za-z_-]+", body) or len(name) > limit:
            yield Failure(
                "name", f'"{name}" may hold letters, digits, _ and - only, up to {limit} characters'
            )
    if is_fifo is False:
        for other in _FIFO_ONLY[case.token]:
            if other in case.given and case.known(other):
                yield Failure(other, f"needs {key} true")


@rule(QUEUE)
def queue(case: Case) -> Iterator[Failure]:
    """Check waiting time and dead letters."""
    wait = case.known("receiveWaitTimeSeconds")
    if wait is not None and not 0 <= wait <= 20:
        yield Failure("receiveWaitTimeSeconds", f"must be 0 to 20, got {wait}")
    text = case.known("redrivePolicy")
    if text:
        yield from _redrive(json.loads(text), case)


def _redrive(policy: Any, case: Case) -> Iterator[Failure]:
    if not isinstance(policy, dict):
        yield Failure("redrivePolicy", "must be a JSON object")
        return
    count, target = policy.get("maxReceiveCount"), policy.get("deadLetterTargetArn")
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= 1000:
        yield Failure(
            "redrivePolicy", f"maxReceiveCount must be a whole number from 1 to 1000, got {json.dumps(count)}"
        )
    if not isinstance(target, str) or not is_arn(target):
        yield Failure(
            "redrivePolicy", f"deadLetterTargetArn must be the ARN of a queue, got {json.dumps(target)}"
        )
    elif target.endswith(".fifo") != (case.inputs.get("fifoQueue") is True):
        yield Failure(
            "redrivePolicy", "a FIFO queue needs a FIFO dead letter queue, and no other queue may have one"
        )


@rule(TOPIC, TOPIC_POLICY)
def topic_policy(case: Case) -> Iterator[Failure]:
    """Check that a topic's policy speaks of what is done with a topic, as SNS demands."""
    text = case.known("policy")
    if not isinstance(text, str) or not text or problems(text, Kind.RESOURCE):
        return
    for statement in statements_of(json.loads(text)):
        for action in texts(statement.get("Action", [])):
            if action.lower() not in _OF_TOPICS:
                yield Failure("policy", f"policy statement action out of service scope: {action}")


@rule("aws:sns/topicSubscription:TopicSubscription")
def subscription(case: Case) -> Iterator[Failure]:
    """Check that endpoint and role fit the protocol."""
    protocol, endpoint = case.known("protocol"), case.known("endpoint")
    if protocol == "firehose" and not case.has("subscriptionRoleArn"):
        yield Failure("subscriptionRoleArn", "is required with protocol firehose")
    if endpoint is None:
        return
    if protocol in ("sqs", "lambda", "firehose", "application") and not is_arn(endpoint):
        yield Failure("endpoint", f'expected an ARN with protocol {protocol}, got "{endpoint}"')
    if protocol in ("email", "email-json") and "@" not in endpoint:
        yield Failure("endpoint", f'expected an e-mail address with protocol {protocol}, got "{endpoint}"')
    if protocol in ("http", "https") and not endpoint.startswith(f"{protocol}://"):
        yield Failure("endpoint", f'expected a URL with {protocol}, got "{endpoint}"')
