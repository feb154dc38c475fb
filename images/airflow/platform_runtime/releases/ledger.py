"""The ledger: which release is the current one, which were before, and what every container has proved to hold.

The pointer moves by one transaction that names the pointer it replaces, so of two writers exactly one wins, and every
move is in the history. Nothing here decides anything: whoever moves the pointer looks at the proofs.
"""

from __future__ import annotations

import math
import random
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, Final, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError, NoCredentialsError

from .items import Item, in_utc, item_of, key_of, pointer_of, proof_of, release_of, row_of, text_of
from .manifest import genesis
from .records import LedgerError, Pointer, Proof, Reason, Release, State, Status, Target

__all__ = [
    "CONFIG",
    "CONFLICTS",
    "GENESIS",
    "Ledger",
    "LedgerBusy",
    "LedgerError",
    "NotPublished",
    "Pointer",
    "PointerMoved",
    "Proof",
    "Reason",
    "Release",
    "State",
    "Status",
    "StillCurrent",
    "Target",
    "connect",
    "following",
]

CONFIG: Final = Config(
    retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=5, read_timeout=10
)
"""For the client: throttled and failed calls are repeated for some seconds, by the client itself."""
PROOF_HOURS: Final = 2
"""A container that says nothing for so long is gone; DynamoDB removes its proof some time after."""
DETAIL_LIMIT: Final = 1000
"""Characters of a proof's detail."""
CONFLICTS: Final = 6
"""Tries of a transaction that meets another one of the same items; the client does not repeat those."""
CONFLICT_SECONDS: Final = 0.05
GENESIS: Final = genesis().release_id
"""The empty release is nowhere recorded and never removed: nothing has to be published for it."""

_POINTER, _CURRENT, _VERIFY = "POINTER", "CURRENT", "VERIFY"
_HISTORY, _RELEASE = "HISTORY", "RELEASE"
_BUSY: Final = frozenset(
    {
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingError",
        "ThrottlingException",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
_EXPIRED: Final = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}
)
_FAILED_CONDITION: Final = "ConditionalCheckFailed"
_PUBLISHED: Final = 2
"""Place in the move's transaction of the check that the release is published."""


class LedgerBusy(LedgerError):
    """It throttles or does not answer: the same call may work later. A move may have been made nevertheless."""


class PointerMoved(LedgerError):
    """The pointer is not the one that was to be replaced: somebody else has moved it. Nothing was changed."""

    def __init__(self, actual: Pointer | None) -> None:
        """Keep the pointer that was found."""
        found = "there is no pointer" if actual is None else str(actual)
        super().__init__(f"the pointer has been moved by somebody else: {found}")
        self.actual = actual


class NotPublished(LedgerError):
    """The release is not on the file system, or is being removed from it. Nothing was changed."""


class StillCurrent(LedgerError):
    """The release is the current one, so it must stay. Nothing was changed."""


def connect(table_name: str, session: Any = None) -> Ledger:
    """Return the ledger, through a client with our patience."""
    import boto3

    return Ledger(table_name, (session or boto3.Session()).client("dynamodb", config=CONFIG))


class Ledger:
    """The table. An instance may be shared by threads."""

    def __init__(self, table_name: str, client: Any, pause: Callable[[float], None] = time.sleep) -> None:
        """Keep the table's name and DynamoDB's client."""
        self._table, self._client, self._pause = table_name, client, pause

    # The pointer

    def pointer(self) -> Pointer | None:
        """Return the current pointer as it is now; None on a platform on which nothing was ever released."""
        item = self._get(_POINTER, _CURRENT)
        return None if item is None else pointer_of(item)

    def move(self, target: Target, *, expected: Pointer | None, now: datetime) -> Pointer:
        """Make a release the current one, if the pointer is still the expected one.

        Raises:
            PointerMoved: it is another one.
            NotPublished: the release was never published, or is being removed.
            LedgerBusy: no answer; the pointer may have moved, so read it.

        """
        wanted = following(expected, target, now)
        mark = uuid.uuid4().hex
        refused = self._transact("move the pointer", self._move(expected, wanted, mark))
        if not refused:
            return wanted
        item = self._get(_POINTER, _CURRENT)
        if item is not None and item.get("mark") == {"S": mark}:
            # The call was repeated because its answer was lost, and has found its own move.
            return wanted
        actual = None if item is None else pointer_of(item)
        if actual != expected:
            raise PointerMoved(actual)
        if _PUBLISHED in refused:
            raise NotPublished(
                f"the release {target.release_id} is not published, or is being removed: release its commit again"
            )
        raise LedgerError(
            f"cannot move the pointer: the history has a move number {wanted.sequence} already, so the ledger"
            f" {self._table} was changed by something else: put the pointer right from the history"
        )

    def _move(self, expected: Pointer | None, wanted: Pointer, mark: str) -> list[dict[str, Any]]:
        row = row_of(wanted) | {"mark": mark}
        unmoved: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if expected is not None:
            unmoved = {
                "ConditionExpression": "#sequence = :expected",
                "ExpressionAttributeNames": {"#sequence": "sequence"},
                "ExpressionAttributeValues": {":expected": {"N": str(expected.sequence)}},
            }
        put = [
            self._put({"pk": _POINTER, "sk": _CURRENT, **row}, **unmoved),
            self._put(
                {"pk": _HISTORY, "sk": f"{wanted.sequence:012d}", **row},
                ConditionExpression="attribute_not_exists(pk)",
            ),
        ]
        if wanted.release_id == GENESIS:
            return put
        published = {
            "TableName": self._table,
            "Key": key_of(_RELEASE, wanted.release_id),
            "ConditionExpression": "#state = :published",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {":published": {"S": "published"}},
        }
        return [*put, {"ConditionCheck": published}]

    def history(self, limit: int) -> list[Pointer]:
        """Return the last moves of the pointer, the newest first."""
        return [pointer_of(item) for item in self._query(_HISTORY, limit=limit, newest_first=True)]

    # Releases

    def record_release(self, release: Release) -> None:
        """Note a release that is on the file system; one that is noted already keeps its date and its publisher.

        The caller keeps clean-ups away meanwhile: one that is still noted as being removed belongs to a clean-up that
        died, and is published again.
        """
        row = {**row_of(release), "state": "published"}
        with (
            self._refusals("record a release"),
            suppress(self._client.exceptions.ConditionalCheckFailedException),
        ):
            self._client.put_item(
                TableName=self._table,
                Item=item_of({"pk": _RELEASE, "sk": release.release_id, **row}),
                ConditionExpression="attribute_not_exists(pk) OR #state <> :published",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={":published": {"S": "published"}},
            )

    def release(self, release_id: str) -> Release | None:
        """Return a release that was once published."""
        item = self._get(_RELEASE, release_id)
        return None if item is None else release_of(item)

    def releases(self) -> list[Release]:
        """Return every release that was ever published, the newest first."""
        found = [release_of(item) for item in self._query(_RELEASE)]
        return sorted(found, key=lambda release: (release.published_at, release.release_id), reverse=True)

    def begin_collecting(self, release_id: str, now: datetime, *, sequence: int | None = None) -> None:
        """Note that a release is about to be removed; from now on the pointer cannot move to it.

        One that is noted so already may be removed, too: a clean-up that died is finished by the next.

        Args:
            release_id: Which release.
            now: The date.
            sequence: Number of the pointer by which it was decided, 0 for none. If it has moved since, it may have
                been on this release meanwhile, and runs may have begun on it. None: whatever the pointer's number is.

        Raises:
            StillCurrent: the pointer names it.
            PointerMoved: the pointer has another number.
            NotPublished: there is no such release on the file system.

        """
        update = {
            "TableName": self._table,
            "Key": key_of(_RELEASE, release_id),
            "UpdateExpression": "SET #state = :collecting, collectingAt = :now",
            "ConditionExpression": "#state IN (:published, :collecting)",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": item_of(
                {":collecting": "collecting", ":published": "published", ":now": text_of(now)}
            ),
        }
        elsewhere = self._elsewhere(release_id, sequence)
        refused = self._transact("collect a release", [{"Update": update}, {"ConditionCheck": elsewhere}])
        if 1 in refused:
            actual = self.pointer()
            if sequence is not None and (actual is None or actual.release_id != release_id):
                raise PointerMoved(actual)
            raise StillCurrent(f"the release {release_id} is the current one: it stays")
        if refused:
            raise NotPublished(f"the release {release_id} is not on the file system: nothing to remove")

    def _elsewhere(self, release_id: str, sequence: int | None) -> dict[str, Any]:
        """Return the condition that the pointer does not name a release, and has a number if one is given."""
        check: dict[str, Any] = {"TableName": self._table, "Key": key_of(_POINTER, _CURRENT)}
        if sequence == 0:
            return check | {"ConditionExpression": "attribute_not_exists(pk)"}
        values: dict[str, Any] = {":id": release_id}
        if sequence is None:
            expression, names = "attribute_not_exists(pk) OR releaseId <> :id", {}
        else:
            expression, names = "releaseId <> :id AND #sequence = :sequence", {"#sequence": "sequence"}
            values[":sequence"] = sequence
        return check | {
            "ConditionExpression": expression,
            "ExpressionAttributeValues": item_of(values),
            **({"ExpressionAttributeNames": names} if names else {}),
        }

    def finish_collecting(self, release_id: str) -> None:
        """Note that a release is gone; once more is no harm.

        Raises:
            NotPublished: nobody has begun to remove it.

        """
        with self._refusals("collect a release"):
            try:
                self._client.update_item(
                    TableName=self._table,
                    Key=key_of(_RELEASE, release_id),
                    UpdateExpression="SET #state = :collected",
                    ConditionExpression="#state IN (:collecting, :collected)",
                    ExpressionAttributeNames={"#state": "state"},
                    ExpressionAttributeValues=item_of(
                        {":collecting": "collecting", ":collected": "collected"}
                    ),
                )
            except self._client.exceptions.ConditionalCheckFailedException:
                raise NotPublished(f"the release {release_id} is not being removed") from None

    # Proofs

    def write_proof(self, proof: Proof) -> None:
        """Write what a task has found; it replaces what the same task has written before."""
        row = row_of(proof) | {"detail": proof.detail[:DETAIL_LIMIT]}
        expiry = math.ceil((proof.verified_at + timedelta(hours=PROOF_HOURS)).timestamp())
        key = {"pk": f"PROOF#{proof.service}", "sk": proof.task_id}
        with self._refusals("write a proof"):
            self._client.put_item(TableName=self._table, Item=item_of({**key, **row, "expiresAt": expiry}))

    def proofs(self, services: Iterable[str]) -> list[Proof]:
        """Return what the tasks of these services have written; also of tasks that are gone, for a while."""
        return [proof_of(item) for service in services for item in self._query(f"PROOF#{service}")]

    def request_verify(self, now: datetime) -> str:
        """Ask every container to verify its copies again; the token is in the proofs that answer."""
        token = uuid.uuid4().hex
        item = {"pk": _POINTER, "sk": _VERIFY, "request": token, "requestedAt": text_of(now)}
        with self._refusals("ask for a verification"):
            self._client.put_item(TableName=self._table, Item=item_of(item))
        return token

    def verify_request(self) -> str:
        """Return the token of the last request to verify; empty if there was none."""
        item = self._get(_POINTER, _VERIFY)
        return "" if item is None else str(item["request"]["S"])

    # DynamoDB

    def _put(self, row: Mapping[str, Any], **condition: Any) -> dict[str, Any]:
        return {"Put": {"TableName": self._table, "Item": item_of(row), **condition}}

    def _get(self, partition: str, sort: str) -> Item | None:
        with self._refusals("read the ledger"):
            answer = self._client.get_item(
                TableName=self._table, Key=key_of(partition, sort), ConsistentRead=True
            )
        return cast("Item | None", answer.get("Item"))

    def _query(
        self, partition: str, *, limit: int | None = None, newest_first: bool = False
    ) -> Iterator[Item]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": partition}},
            ConsistentRead=True,
            ScanIndexForward=not newest_first,
            PaginationConfig={"MaxItems": limit, "PageSize": limit},
        )
        with self._refusals("read the ledger"):
            for page in pages:
                yield from page["Items"]

    def _transact(self, what: str, actions: list[dict[str, Any]]) -> set[int]:
        """Do all or nothing; return which actions' conditions did not hold.

        Every try has one token, by which DynamoDB knows a call that is repeated because its answer was lost.
        """
        for left in reversed(range(CONFLICTS)):
            with self._refusals(what):
                try:
                    self._client.transact_write_items(
                        TransactItems=actions, ClientRequestToken=str(uuid.uuid4())
                    )
                    return set()
                except self._client.exceptions.TransactionCanceledException as error:
                    codes = [str(each.get("Code")) for each in error.response.get("CancellationReasons", [])]
                    if refused := {at for at, code in enumerate(codes) if code == _FAILED_CONDITION}:
                        return refused
                    if left == 0 or not _BUSY.intersection(codes):
                        raise
            self._pause(CONFLICT_SECONDS * 2 ** (CONFLICTS - left) * random.uniform(0.5, 1))
        raise AssertionError("the last try returns or raises")

    @contextmanager
    def _refusals(self, what: str) -> Iterator[None]:
        """Turn what DynamoDB says into what a person can use."""
        try:
            yield
        except ClientError as error:
            raise self._refusal(what, error) from error
        except (NoCredentialsError, CredentialRetrievalError) as error:
            raise LedgerError(f"cannot {what}: no credentials for AWS ({error}): sign in first") from error
        except BotoCoreError as error:
            raise LedgerBusy(
                f"cannot {what}: the ledger {self._table} does not answer ({type(error).__name__}: {error}): see"
                " whether there is a way to DynamoDB from here, then try again"
            ) from error

    def _refusal(self, what: str, error: ClientError) -> LedgerError:
        details = error.response.get("Error", {})
        code, message = str(details.get("Code", "")), str(details.get("Message", ""))
        codes = {code, *(str(each.get("Code")) for each in error.response.get("CancellationReasons", []))}
        if codes & _BUSY:
            return LedgerBusy(
                f"cannot {what}: the ledger {self._table} is busy ({', '.join(sorted(codes & _BUSY))}): try again"
                " in a minute"
            )
        place = f"{self._table} in {self._client.meta.region_name}"
        if code == "ResourceNotFoundException":
            return LedgerError(
                f"cannot {what}: there is no table {place}: see whether account, region and stack are the right ones"
            )
        if code.startswith("AccessDenied"):
            return LedgerError(
                f"cannot {what}: AWS does not allow it on the table {place}: {message}: use a role that may do it"
            )
        if code in _EXPIRED:
            return LedgerError(f"cannot {what}: AWS does not accept the credentials ({code}): sign in again")
        return LedgerError(f"cannot {what}: DynamoDB refuses it on the table {place} ({code}: {message})")


def following(expected: Pointer | None, target: Target, now: datetime) -> Pointer:
    """Return the pointer that such a move writes. Whoever moves can tell by it whether a move was made."""
    return Pointer(
        sequence=1 if expected is None else expected.sequence + 1,
        release_id=target.release_id,
        git_commit=target.git_commit,
        image_digest=target.image_digest,
        publisher=target.publisher,
        moved_at=in_utc(now),
        reason=target.reason,
        previous_release_id=GENESIS if expected is None else expected.release_id,
    )
