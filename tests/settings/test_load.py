"""How settings are read, and what the error looks like as a whole."""

from __future__ import annotations

import builtins
import json
import os
import socket
from collections.abc import Iterator
from typing import Any, NoReturn

import pulumi
import pytest
from pulumi import runtime

from settings import EnvironmentSettings, SettingsError, load, parse
from settings.errors import show, show_path, stack_file
from tests.settings.samples import ENVIRONMENT, KEY, SAMPLES, changed

SECTION = "a section with the key kind: shared, environment"


@pytest.fixture(autouse=True)
def _clean_runtime() -> Iterator[None]:
    yield
    runtime.reset_options()
    runtime.set_all_config({})


def load_in(stack: str, config: dict[str, str]) -> object:
    runtime.reset_options(project="airflow-platform", stack=stack)
    runtime.set_all_config(config)
    return load(pulumi.Config("airflow-platform"))


def test_load_reads_the_real_configuration_of_the_current_stack() -> None:
    settings = load_in("dev", {KEY: json.dumps(ENVIRONMENT), "aws:region": "us-east-1"})
    assert isinstance(settings, EnvironmentSettings)
    assert settings.account.region == "eu-west-1"


def test_missing_settings_name_file_and_key() -> None:
    with pytest.raises(SettingsError) as error:
        load_in("dev", {})
    assert str(error.value) == (
        "Pulumi.dev.yaml: 1 mistake in airflow-platform:platform\n"
        f"  airflow-platform:platform: is required, allowed: {SECTION}"
    )


def test_load_knows_the_stack() -> None:
    with pytest.raises(SettingsError) as error:
        load_in("staging", {KEY: json.dumps(ENVIRONMENT)})
    assert error.value.mistakes == ('environment: got "dev", allowed: staging, the name of the stack',)


def test_message_counts_and_lists_the_mistakes() -> None:
    wrong = changed(ENVIRONMENT, {"network/nat": "two", "network/dataMask": 9})
    with pytest.raises(SettingsError) as error:
        parse(json.dumps(wrong), "dev")
    assert str(error.value) == (
        "Pulumi.dev.yaml: 2 mistakes in airflow-platform:platform\n"
        '  network.nat: got "two", allowed: none, single, perZone\n'
        "  network.dataMask: got 9, allowed: a whole number from 18 to 28"
    )


def test_pulumi_shows_the_error_without_a_traceback() -> None:
    """Pulumi's Python hosts print the text of a RunError and nothing else; shown in tests/engine."""
    assert issubclass(SettingsError, pulumi.RunError)


def test_error_hides_where_it_came_from() -> None:
    with pytest.raises(SettingsError) as error:
        parse(json.dumps(changed(ENVIRONMENT, {"network/nat": "two"})), "dev")
    assert error.value.__suppress_context__


@pytest.mark.parametrize(
    ("raw", "given"),
    [
        ("", '""'),
        ("hello", '"hello"'),
        ("{", '"{"'),
        ("[]", "[]"),
        ("null", "null"),
        ("7", "7"),
        ('"text"', '"text"'),
        ("[" * 100_000, f'"{"[" * 56}...'),
        ("1" * 5000, f'"{"1" * 56}...'),
    ],
    ids=lambda value: value[:12] or "empty",
)
def test_anything_but_a_section_is_refused(raw: str, given: str) -> None:
    with pytest.raises(SettingsError) as error:
        parse(raw, "dev")
    assert error.value.mistakes == (f"{KEY}: got {given}, allowed: {SECTION}",)


@pytest.mark.parametrize("kind", SAMPLES)
def test_reading_asks_nothing_outside(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither valid nor wrong settings open a file or a connection, or look at the environment."""
    stack, sample = SAMPLES[kind]
    texts = [json.dumps(sample), json.dumps(changed(sample, {"account/id": 7})), json.dumps(sample)]

    outcome(
        texts[1], stack
    )  # the first mistake makes pydantic build a schema, for which it asks for its plugins

    def refuse(*_: Any, **__: Any) -> NoReturn:
        pytest.fail("settings must be read from their text alone")

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "open", refuse)
        patch.setattr(socket, "socket", refuse)
        patch.setattr(type(os.environ), "__getitem__", refuse)
        outcomes = [outcome(text, stack) for text in texts]
    assert outcomes == ["accepted", "refused", "accepted"]


def outcome(text: str, stack: str) -> str:
    try:
        parse(text, stack)
    except SettingsError:
        return "refused"
    return "accepted"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a\nb", '"a\\nb"'),
        ("\u2028\x9b\ud800", '"\\u2028\\x9b\\ud800"'),
        ("x" * 58, f'"{"x" * 58}"'),
        ("x" * 59, f'"{"x" * 56}...'),
        ("Zoë", '"Zoë"'),
        (float("nan"), "NaN"),
    ],
    ids=ascii,
)
def test_values_are_shown_on_one_printable_line(value: object, shown: str) -> None:
    assert show(value) == shown


def test_paths_are_shown_as_in_yaml() -> None:
    assert show_path(("network", "zones", 0)) == "network.zones[0]"
    assert show_path(("tags", "extra", "a.b")) == 'tags.extra["a.b"]'
    assert show_path(()) == KEY


def test_odd_stack_names_stay_on_one_line() -> None:
    assert stack_file("a\nb") == 'Pulumi."a\\nb".yaml'
