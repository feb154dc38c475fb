"""Properties on the wire: known, unknown, secret, files."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import struct_pb2
from hypothesis import given
from hypothesis import strategies as st
from pulumi_policy import proxy

from policies.crossguard.values import UNKNOWN, Secret
from policies.crossguard.wire import (
    ARCHIVE,
    ASSET,
    OUTPUT,
    REFERENCE,
    SECRET,
    SIGNATURE,
    UNKNOWNS,
    properties,
)

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def read(value: Any) -> Any:
    struct = struct_pb2.Struct()
    struct.update({"a": value})
    return properties(struct)["a"]


@given(PLAIN)
def test_plain_data_arrives_as_it_was(value: Any) -> None:
    assert read(value) == value


def test_a_whole_number_is_an_int() -> None:
    assert type(read(3.0)) is int


def test_a_fraction_stays_one() -> None:
    assert read(0.5) == 0.5


def test_the_marks_of_unknown_values_are_those_of_pulumis_sdk() -> None:
    theirs = {value for name, value in vars(proxy).items() if name.startswith("UNKNOWN_")}
    assert theirs == UNKNOWNS


@pytest.mark.parametrize("mark", sorted(UNKNOWNS))
def test_an_unknown_value_is_marked_where_it_is(mark: str) -> None:
    assert read({"x": [1, mark]}) == {"x": [1, UNKNOWN]}


def test_a_secret_is_marked() -> None:
    assert read({SIGNATURE: SECRET, "value": {"x": 1}}) == Secret({"x": 1})


def test_a_secret_in_an_encrypted_state_is_there_and_not_known() -> None:
    assert read({SIGNATURE: SECRET, "ciphertext": "v1:abc"}) == Secret(UNKNOWN)


def test_what_an_exported_state_blanks_is_there_and_not_known() -> None:
    assert read("[secret]") == Secret(UNKNOWN)


def test_an_output_without_a_value_is_unknown() -> None:
    assert read({SIGNATURE: OUTPUT}) is UNKNOWN


def test_an_output_with_a_value_is_that_value() -> None:
    assert read({SIGNATURE: OUTPUT, "value": "x"}) == "x"


def test_an_output_can_be_secret() -> None:
    assert read({SIGNATURE: OUTPUT, "value": "x", "secret": True}) == Secret("x")


def test_a_reference_keeps_what_it_names() -> None:
    assert read({SIGNATURE: REFERENCE, "urn": "urn:x", "id": "i"}) == {"urn": "urn:x", "id": "i"}


@pytest.mark.parametrize(("signature", "kind"), [(ASSET, "asset"), (ARCHIVE, "archive"), ("new", "new")])
def test_files_are_named_and_not_read(signature: str, kind: str) -> None:
    assert read({SIGNATURE: signature, "text": "x"}) == {"kind": kind}
