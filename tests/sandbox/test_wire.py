"""Pulumi's wire encoding: what goes in comes out, and marks are kept apart."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import struct_pb2
from hypothesis import given
from hypothesis import strategies as st

from sandbox.behaviour.values import UNKNOWN, Archive, Asset, ResourceReference
from sandbox.provider.wire import OUTPUT, SECRET, SIGNATURE, UNKNOWN_STRING, UNKNOWNS, decode, encode

plain = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-(2**53), 2**53),
        st.text().filter(lambda text: text not in UNKNOWNS),
        st.just(UNKNOWN),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text().filter(lambda key: key != SIGNATURE), inner, max_size=4),
    ),
    max_leaves=12,
)


def struct(values: dict[str, Any]) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(values)
    return made


@given(st.dictionaries(st.text().filter(lambda key: key != SIGNATURE), plain, max_size=5))
def test_values_survive_the_round_trip(values: dict[str, Any]) -> None:
    assert decode(encode(values)).values == values


@given(
    st.dictionaries(st.text(min_size=1).filter(lambda key: key != SIGNATURE), plain, min_size=1, max_size=5)
)
def test_secrets_survive_the_round_trip(values: dict[str, Any]) -> None:
    secret = set(list(values)[:1])
    decoded = decode(encode(values, secret))
    assert (decoded.values, decoded.secrets) == (values, secret)


@pytest.mark.parametrize(
    "value",
    [
        Asset(hash="aa", text="hello"),
        Asset(hash="bb", path="index.py"),
        Archive(hash="cc", path="dist.zip"),
        Archive(hash="dd", assets=(("index.py", Asset(hash="aa", text="hello")),)),
        ResourceReference("urn:pulumi:dev::probe::aws:sqs/queue:Queue::work", "https://queue"),
    ],
    ids=["text", "file", "archive", "archive of assets", "resource"],
)
def test_special_values_survive_the_round_trip(value: Any) -> None:
    assert decode(encode({"it": value})).values == {"it": value}


def test_a_resource_that_does_not_exist_yet_has_no_id() -> None:
    made = encode({"it": ResourceReference("urn:it", UNKNOWN)})
    assert made["it"]["id"] == ""


def test_integral_numbers_become_integers() -> None:
    values = decode(struct({"count": 3.0, "share": 0.5})).values
    assert values == {"count": 3, "share": 0.5}
    assert type(values["count"]) is int


def test_null_properties_are_dropped() -> None:
    assert decode(struct({"a": None, "b": {"c": None, "d": 1}})).values == {"b": {"d": 1}}


def test_a_secret_inside_marks_its_top_level_property() -> None:
    secret = {SIGNATURE: SECRET, "value": "hush"}
    decoded = decode(struct({"environment": {"variables": {"TOKEN": secret}}, "name": "x"}))
    assert decoded.values["environment"] == {"variables": {"TOKEN": "hush"}}
    assert decoded.secrets == {"environment"}


def test_an_output_value_brings_its_dependencies() -> None:
    output = {SIGNATURE: OUTPUT, "value": "vpc-1", "dependencies": ["urn:a", "urn:b", "urn:a"]}
    decoded = decode(struct({"vpcId": output}))
    assert decoded.values == {"vpcId": "vpc-1"}
    assert decoded.dependencies == {"vpcId": ["urn:a", "urn:b"]}


def test_an_output_without_value_is_unknown() -> None:
    assert decode(struct({"vpcId": {SIGNATURE: OUTPUT, "secret": True}})).values == {"vpcId": UNKNOWN}


@pytest.mark.parametrize("sentinel", sorted(UNKNOWNS))
def test_every_unknown_of_the_engine_is_one(sentinel: str) -> None:
    assert decode(struct({"it": sentinel})).values == {"it": UNKNOWN}


def test_unknown_is_written_as_the_engine_reads_it() -> None:
    assert encode({"it": UNKNOWN})["it"] == UNKNOWN_STRING


def test_an_unknown_signature_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown value signature abc"):
        decode(struct({"it": {SIGNATURE: "abc"}}))


def test_a_value_that_is_none_of_ours_is_refused() -> None:
    with pytest.raises(TypeError, match="object cannot be sent"):
        encode({"it": object()})
