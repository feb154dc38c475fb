"""Reading variables: every problem is collected, and none shows a value."""

from __future__ import annotations

import pytest

from images.airflow.platform_runtime.variables import Refusal, Variables

HIGH = 10


@pytest.mark.parametrize(
    ("given", "problem"),
    [({}, "A is missing"), ({"A": ""}, "A is empty"), ({"A": " \n"}, "A is empty")],
    ids=["missing", "empty", "blank"],
)
def test_needed(given: dict[str, str], problem: str) -> None:
    variables = Variables(given)
    assert variables.need("A") == ""
    assert variables.problems == [problem]


def test_a_value_is_returned_as_it_is() -> None:
    variables = Variables({"A": " x "})
    assert variables.need("A") == " x "
    assert variables.problems == []


@pytest.mark.parametrize("text", ["0", "11", "-1", "1.0", "x", "1_0", "²", "1 "])
def test_refused_numbers(text: str) -> None:
    variables = Variables({"A": text})
    assert variables.number("A", 1, HIGH) == 1
    assert variables.problems == ["A: want a whole number from 1 to 10"]


@pytest.mark.parametrize("text", ["1", "10", "007"])
def test_numbers(text: str) -> None:
    variables = Variables({"A": text})
    assert variables.number("A", 1, HIGH) == int(text)
    assert variables.problems == []


def test_booleans_as_airflow_reads_them() -> None:
    variables = Variables({"A": "true", "B": "False"})
    variables.must_be("A", "True", "reason")
    variables.must_be("B", "True", "it is verified")
    variables.must_be("C", "True", "it is verified")
    assert variables.problems == ["B: want True: it is verified", "C: want True: it is verified"]


def test_what_must_not_be_there() -> None:
    variables = Variables({"A": ""})
    variables.must_not_have("A", "a worker must not know it")
    variables.must_not_have("B", "a worker must not know it")
    assert variables.problems == ["A must not be set: a worker must not know it"]


def test_refusal_has_them_all() -> None:
    variables = Variables({})
    variables.refuse()
    variables.need("A")
    variables.need("B")
    with pytest.raises(Refusal, match=r"^A is missing; B is missing$") as caught:
        variables.refuse()
    assert caught.value.problems == ["A is missing", "B is missing"]


def test_no_problem_shows_a_value() -> None:
    variables = Variables({"A": "hunter2"})
    variables.number("A", 1, HIGH)
    variables.must_be("A", "True", "reason")
    variables.must_not_have("A", "reason")
    assert [problem for problem in variables.problems if "hunter2" in problem] == []
