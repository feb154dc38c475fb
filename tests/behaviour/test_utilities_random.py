"""Facts about the random provider."""

from __future__ import annotations

import base64
import re
import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.behaviour import utilities
from sandbox.behaviour.model import AwsError, Failure, Properties
from sandbox.behaviour.values import UNKNOWN
from tests.behaviour.utility_types import PASSWORD, made


def test_same_seed_gives_the_same_value_and_another_one_another() -> None:
    first, again, other = made("Uuid"), made("Uuid"), made("Uuid", b"other")
    assert first == again
    assert first.id != other.id


@settings(max_examples=60, deadline=None)
@given(
    minimums=st.tuples(*[st.integers(0, 5)] * 4),
    extra=st.integers(0, 20),
    switched_on=st.tuples(*[st.booleans()] * 4),
    seed=st.binary(max_size=4),
)
def test_password_has_length_minimums_and_only_the_classes_asked_for(
    minimums: tuple[int, ...], extra: int, switched_on: tuple[bool, ...], seed: bytes
) -> None:
    classes = {
        "Upper": string.ascii_uppercase,
        "Lower": string.ascii_lowercase,
        "Numeric": string.digits,
        "Special": "!@#$%&*()-_=+[]{}<>:?",
    }
    extra = extra if any(switched_on) else 0
    length = sum(minimums) + extra
    if not length:
        return
    inputs: dict[str, Any] = {f"min{name}": least for name, least in zip(classes, minimums, strict=True)}
    inputs |= {name.lower(): on for name, on in zip(classes, switched_on, strict=True)}
    result = made("Password", seed, length=length, **inputs).outputs["result"]
    assert len(result) == length
    for (_, letters), least, on in zip(classes.items(), minimums, switched_on, strict=True):
        count = sum(letter in letters for letter in result)
        assert least <= count <= (length if on else least)
    assert set(result) <= set("".join(classes.values()))


def test_password_takes_special_characters_from_override() -> None:
    inputs: Properties = {"upper": False, "lower": False, "numeric": False, "overrideSpecial": "_-"}
    assert set(made("Password", length=40, **inputs).outputs["result"]) == {"_", "-"}


def test_password_defaults_show_in_the_outputs() -> None:
    outputs = made("Password", length=8).outputs
    assert {key: value for key, value in outputs.items() if key not in ("result", "bcryptHash")} == {
        "length": 8,
        "lower": True,
        "minLower": 0,
        "minNumeric": 0,
        "minSpecial": 0,
        "minUpper": 0,
        "number": True,
        "numeric": True,
        "special": True,
        "upper": True,
    }


@pytest.mark.parametrize("given_name", ["number", "numeric"])
def test_number_is_the_old_name_of_numeric(given_name: str) -> None:
    outputs = made("String", length=40, **{given_name: False}).outputs
    assert (outputs["number"], outputs["numeric"]) == (False, False)
    assert not set(outputs["result"]) & set(string.digits)


def test_password_id_hides_the_value_and_its_hash_has_the_form_of_bcrypt() -> None:
    created = made("Password", length=8)
    assert created.id == "none"
    assert re.fullmatch(r"\$2a\$10\$[./A-Za-z0-9]{53}", created.outputs["bcryptHash"])


def test_string_id_is_the_value() -> None:
    created = made("String", length=8)
    assert created.id == created.outputs["result"]


@pytest.mark.parametrize(
    ("inputs", "failures"),
    [
        pytest.param({"length": 4, "minLower": 2, "minUpper": 2}, (), id="just long enough"),
        pytest.param(
            {"length": 3, "minLower": 2, "minUpper": 2},
            (
                Failure(
                    "length",
                    "got 3, must be at least 4, the sum of minUpper, minLower, minNumeric and minSpecial",
                ),
            ),
            id="too short",
        ),
        pytest.param({"length": UNKNOWN, "minLower": 2}, (), id="length not known"),
        pytest.param({"length": 1, "minLower": UNKNOWN}, (), id="minimum not known"),
        pytest.param(
            {"length": 3, "number": True, "numeric": False},
            (Failure("number", "got True, but numeric, its new name, is False"),),
            id="number against numeric",
        ),
    ],
)
def test_password_check(inputs: Properties, failures: tuple[Failure, ...]) -> None:
    assert utilities.complete(PASSWORD, inputs).failures == failures


def test_id_shows_one_value_in_four_forms() -> None:
    created = made("Id", byteLength=7, prefix="p-")
    value = base64.urlsafe_b64decode(created.id + "==")
    assert len(value) == 7
    assert created.outputs == {
        "byteLength": 7,
        "prefix": "p-",
        "b64Url": f"p-{created.id}",
        "b64Std": f"p-{base64.b64encode(value).decode()}",
        "dec": f"p-{int.from_bytes(value, 'big')}",
        "hex": f"p-{value.hex()}",
    }


def test_bytes() -> None:
    created = made("Bytes", length=5)
    assert len(created.outputs["hex"]) == 10
    assert base64.b64decode(created.outputs["base64"]).hex() == created.outputs["hex"]
    assert created.id == created.outputs["base64"]


def test_uuid_has_version_4() -> None:
    created = made("Uuid")
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", created.id)
    assert created.outputs == {"result": created.id}


def test_integer_stays_within_its_bounds() -> None:
    results = {made("Integer", bytes([seed]), min=1, max=3).outputs["result"] for seed in range(60)}
    assert results == {1, 2, 3}


def test_integer_id_is_the_value() -> None:
    assert made("Integer", min=5, max=5).id == "5"


def test_integer_bounds_the_wrong_way_round_fail_at_create() -> None:
    with pytest.raises(AwsError, match="minimum"):
        made("Integer", min=2, max=1)


@pytest.mark.parametrize(
    ("kind", "inputs"), [("Integer", {"min": 0, "max": 10**9}), ("Shuffle", {"inputs": list("abcdefgh")})]
)
def test_seed_input_decides_the_value(kind: str, inputs: Properties) -> None:
    assert made(kind, b"one", seed="s", **inputs) == made(kind, b"two", seed="s", **inputs)
    assert made(kind, b"one", seed="s", **inputs) != made(kind, b"one", seed="t", **inputs)


@pytest.mark.parametrize(("count", "length"), [(None, 3), (2, 2), (7, 7)])
def test_shuffle_repeats_each_input_once_a_round(count: int | None, length: int) -> None:
    inputs: Properties = {"inputs": ["a", "b", "c"], **({"resultCount": count} if count else {})}
    created = made("Shuffle", **inputs)
    results = created.outputs["results"]
    assert (created.id, len(results)) == ("-", length)
    for start in range(0, length, 3):
        assert len(set(results[start : start + 3])) == len(results[start : start + 3])


@pytest.mark.parametrize(
    ("inputs", "pattern"),
    [
        ({}, r"[a-z]+-[a-z]+"),
        ({"length": 1}, r"[a-z]+"),
        ({"length": 4, "separator": "_"}, r"[a-z]+_[a-z]+_[a-z]+_[a-z]+"),
        ({"prefix": "my"}, r"my-[a-z]+-[a-z]+"),
    ],
)
def test_pet(inputs: Properties, pattern: str) -> None:
    created = made("Pet", **inputs)
    assert re.fullmatch(pattern, created.id)
    assert created.outputs == {"length": 2, "separator": "-", **inputs}
