"""A ledger's table in moto, for the tests that keep one."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core.base_backend import BackendDict

from images.airflow.platform_runtime.releases.ledger import Ledger, Pointer, Proof, Release, Target

TABLE, REGION = "airflow-dev-ledger", "eu-west-1"
START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
A, B, C = ("a" * 64, "b" * 64, "c" * 64)
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}
NO_PATIENCE = Config(retries={"mode": "standard", "total_max_attempts": 1})


@contextmanager
def simulation() -> Iterator[boto3.Session]:
    """Let moto answer, for no identity of this machine."""
    strange = {name: "" for name in os.environ if name.startswith("AWS_")}
    with patch.dict(os.environ, CREDENTIALS), mock_aws():
        for name in strange.keys() - CREDENTIALS.keys():
            del os.environ[name]
        yield boto3.Session(region_name=REGION)


def empty(client: Any) -> Any:
    """Forget everything that moto has, and make an empty table; return its client."""
    BackendDict.reset()
    create(client)
    return client


def create(client: Any) -> None:
    """Make an empty table."""
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )


class Serial:
    """A client whose calls come one after the other.

    DynamoDB's transactions are serializable; moto's threads would undo each other's work.
    """

    def __init__(self, client: Any) -> None:
        self._client, self._lock = client, threading.Lock()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name not in {"get_item", "put_item", "transact_write_items", "update_item"}:
            return found

        def one_at_a_time(**request: Any) -> Any:
            with self._lock:
                return found(**request)

        return one_at_a_time


class Failing:
    """A client that fails as told: `failures` has, by method, what its next calls raise; None lets one through."""

    def __init__(self, client: Any, **failures: list[Exception | None]) -> None:
        self._client, self.failures = client, failures
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.lost = 0
        """How many of the next transactions are made, and their answer is lost."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name not in {"get_item", "put_item", "transact_write_items", "update_item"}:
            return found

        def call(**request: Any) -> Any:
            self.calls.append((name, request))
            if self.failures.get(name) and (failure := self.failures[name].pop(0)):
                raise failure
            answer = found(**request)
            if name == "transact_write_items" and self.lost:
                self.lost -= 1
                # The client repeats it, and by a token that DynamoDB has forgotten.
                return found(**request)
            return answer

        return call


def refused(code: str, operation: str = "GetItem", message: str = "refused", **more: Any) -> ClientError:
    """Return an error of AWS."""
    return ClientError({"Error": {"Code": code, "Message": message}, **more}, operation)


def release(release_id: str = A, **changes: Any) -> Release:
    """Return a published release."""
    facts: dict[str, Any] = {
        "release_id": release_id,
        "git_commit": release_id[0] * 40,
        "files": 3,
        "size_bytes": 1024,
        "published_at": START,
        "published_by": "arn:aws:ecs:eu-west-1:123456789012:task/airflow-dev/1",
    }
    return Release(**facts | changes)


def proof(**changes: Any) -> Proof:
    """Return a proof that all is well with release A."""
    facts: dict[str, Any] = {
        "service": "worker",
        "task_id": "1",
        "release_id": A,
        "computed_id": changes.get("release_id", A),
        "sequence": 1,
        "files": 3,
        "status": "verified",
        "detail": "",
        "verified_at": START,
        "image_digest": "sha256:1",
        "versions": (A,),
        "request": "",
    }
    return Proof(**facts | changes)


def moved(ledger: Ledger, expected: Pointer | None, release_id: str, **changes: Any) -> Pointer:
    """Move the pointer; every move is a minute after the one before."""
    facts: dict[str, Any] = {
        "git_commit": release_id[0] * 40,
        "image_digest": "sha256:1",
        "publisher": "ada",
        "reason": "release",
        "now": START + timedelta(minutes=expected.sequence if expected else 0),
    } | changes
    now = facts.pop("now")
    return ledger.move(Target(release_id=release_id, **facts), expected=expected, now=now)
