"""DynamoDB tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import Case, known, objects, rule
from sandbox.behaviour.values import UNKNOWN, has_unknown

TABLE: Final = "aws:dynamodb/table:Table"
RESTORED: Final = ("restoreSourceName", "restoreSourceTableArn", "restoreBackupArn")
"""Inputs with which the keys come from another table."""
MAX_INDEXES: Final = {"globalSecondaryIndexes": 20, "localSecondaryIndexes": 5}
MAX_INDEX_KEYS: Final = 4
"""HASH elements, and RANGE elements, that one global index may have."""
CAPACITIES: Final = ("readCapacity", "writeCapacity")


@rule(TABLE)
def name(case: Case) -> Iterator[Failure]:
    """Check the name, which the provider leaves to AWS."""
    given = case.known("name")
    if isinstance(given, str) and not re.fullmatch(r"[a-zA-Z0-9_.-]{3,255}", given):
        yield Failure("name", f'"{given}" must have 3 to 255 characters, letters, digits, _, . and - only')


@rule(TABLE)
def keys(case: Case) -> Iterator[Failure]:
    """Check that the attributes are exactly the keys of the table and of its indexes."""
    restored = any(case.has(key) for key in RESTORED)
    if not restored and not case.has("hashKey"):
        yield Failure("hashKey", "is required: a table without a partition key cannot be created")
    indexes = [case.inputs.get(key, []) for key in ("globalSecondaryIndexes", "localSecondaryIndexes")]
    attributes = case.inputs.get("attributes", [])
    table = [case.inputs.get(key) for key in ("hashKey", "rangeKey")]
    if restored or has_unknown([indexes, attributes, table]):
        return
    wanted = {key for key in table if key} | {key for index in indexes for key in _index_keys(index)}
    defined = {attribute["name"] for attribute in attributes}
    if unused := ", ".join(sorted(defined - wanted)):
        yield Failure("attributes", f"all attributes must be indexed. Unused attributes: {unused}")
    elif missing := ", ".join(sorted(wanted - defined)):
        yield Failure(
            "attributes", f"all indexes must match a defined attribute. Unmatched indexes: {missing}"
        )


def _index_keys(indexes: list[dict[str, Any]]) -> Iterator[str]:
    for index in indexes:
        yield from (index[key] for key in ("hashKey", "rangeKey") if index.get(key))
        yield from (element["attributeName"] for element in index.get("keySchemas", []))


@rule(TABLE)
def capacity(case: Case) -> Iterator[Failure]:
    """Check that throughput is given for the billing mode that has it, and for no other."""
    mode = case.known("billingMode")
    if mode == "PAY_PER_REQUEST":
        yield from (
            Failure(key, "must not be given with billingMode PAY_PER_REQUEST")
            for key in CAPACITIES
            if case.known(key)
        )
    if mode != "PROVISIONED":
        return
    if case.has("onDemandThroughput"):
        yield Failure("onDemandThroughput", "needs billingMode PAY_PER_REQUEST")
        return
    if any(case.has(key) for key in RESTORED):
        return
    yield from _provisioned(case.inputs, "")
    for path, index in objects(case.inputs.get("globalSecondaryIndexes"), "globalSecondaryIndexes"):
        yield from _provisioned(index, f"{path}.")


def _provisioned(throughput: dict[str, Any], path: str) -> Iterator[Failure]:
    for key in CAPACITIES:
        value = throughput.get(key, 0)
        if value is not UNKNOWN and value < 1:
            yield Failure(f"{path}{key}", f"must be at least 1 with billingMode PROVISIONED, got {value}")


@rule(TABLE)
def stream_and_expiry(case: Case) -> Iterator[Failure]:
    """Check what a stream shows, and by which attribute items expire."""
    enabled, view = case.inputs.get("streamEnabled"), case.inputs.get("streamViewType")
    if enabled is True and not view:
        yield Failure("streamViewType", "is required with streamEnabled true")
    if not enabled and view not in (None, "", UNKNOWN):
        yield Failure("streamViewType", "needs streamEnabled true")
    expiry = case.known("ttl")
    if known(expiry, "enabled") is True and expiry.get("attributeName", "") == "":
        yield Failure("ttl.attributeName", "is required with ttl.enabled true")


@rule(TABLE)
def indexes(case: Case) -> Iterator[Failure]:
    """Check the number of indexes, their keys and what they project."""
    for key, limit in MAX_INDEXES.items():
        found = case.known(key, [])
        if len(found) > limit:
            yield Failure(key, f"takes at most {limit}, got {len(found)}")
        for path, index in objects(found, key):
            yield from _projection(index, path)
            if key == "globalSecondaryIndexes":
                yield from _global_keys(index, path)
    if case.known("localSecondaryIndexes") and not case.has("rangeKey"):
        yield Failure("localSecondaryIndexes", "need a table with a rangeKey")


def _projection(index: dict[str, Any], path: str) -> Iterator[Failure]:
    kind, attributes = known(index, "projectionType"), index.get("nonKeyAttributes")
    if kind == "INCLUDE" and not attributes:
        yield Failure(f"{path}.nonKeyAttributes", "is required with projectionType INCLUDE")
    if kind in ("ALL", "KEYS_ONLY") and attributes:
        yield Failure(f"{path}.nonKeyAttributes", f"must not be given with projectionType {kind}")


def _global_keys(index: dict[str, Any], path: str) -> Iterator[Failure]:
    elements = index.get("keySchemas")
    if bool(index.get("hashKey")) == bool(elements):
        yield Failure(path, "takes exactly one of hashKey and keySchemas")
    if index.get("rangeKey") and elements:
        yield Failure(f"{path}.rangeKey", "conflicts with keySchemas")
    if not elements or has_unknown(elements):
        return
    kinds = [element["keyType"] for element in elements]
    hashes, ranges = kinds.count("HASH"), kinds.count("RANGE")
    if not 1 <= hashes <= MAX_INDEX_KEYS or ranges > MAX_INDEX_KEYS:
        yield Failure(
            f"{path}.keySchemas",
            f"takes 1 to {MAX_INDEX_KEYS} HASH and at most {MAX_INDEX_KEYS} RANGE elements, got {hashes} and {ranges}",
        )
    elif kinds != ["HASH"] * hashes + ["RANGE"] * ranges:
        yield Failure(f"{path}.keySchemas", "takes its HASH elements before its RANGE elements")
