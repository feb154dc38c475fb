"""Which rule a request meets, and what the balancer refuses to be told. AWS's words, from its documentation."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from sandbox.twin.balancer_rules import ConfigurationError, Fixed, HealthSettings, Rule, read

DOCUMENT: dict[str, Any] = {
    "rules": [
        {"priority": 30, "hosts": ["airflow.example"], "target_group": "api"},
        {"priority": 10, "paths": ["/execution", "/execution/*"], "fixed": {"status": 404, "body": "no"}},
    ],
    "default": {"status": 404},
    "target_groups": {"api": {"deregistration_seconds": 90, "health": {"path": "/up", "interval": 15}}},
    "targets": {"api": ["10.0.0.1:8080"]},
    "idle_seconds": 90,
    "response_headers": {"Strict-Transport-Security": "max-age=1"},
}


@pytest.mark.parametrize(
    ("pattern", "path", "met"),
    [
        ("/flower/*", "/flower/", True),
        ("/flower/*", "/flower/a/b", True),
        ("/flower/*", "/flower", False),
        ("/flower", "/flower", True),
        ("/flower", "/Flower", False),
        ("/flower", "/flower/", False),
        ("/v?/x", "/v2/x", True),
        ("/v?/x", "/v/x", False),
        ("/v?/x", "/v22/x", False),
        ("*.png", "/static/pin_32.png", True),
        ("*.png", "/static/pin_32xpng", False),
        ("/a+b(c)", "/a+b(c)", True),
        ("/execution/*", "/%65xecution/", False),
        ("/execution/*", "//execution/", False),
        ("/x*", "/x\ny", True),
    ],
)
def test_a_path_pattern_is_for_the_whole_path_as_written(pattern: str, path: str, met: bool) -> None:
    assert Rule(priority=1, paths=(pattern,), target_group="g").meets("any", path) is met


@pytest.mark.parametrize(
    ("path", "met"), [("/%65xecution", True), ("/a%", True), ("/api/v2/a%2Fb", False), ("/execution", False)]
)
def test_a_regular_expression_is_searched_in_the_path(path: str, met: bool) -> None:
    assert Rule(priority=1, path_regexes=("^/[^/]*%",), target_group="g").meets("any", path) is met


@pytest.mark.parametrize(
    ("host", "met"),
    [
        ("airflow.example", True),
        ("AIRFLOW.Example", True),
        ("airflow.example:8080", True),
        ("x.airflow.example", False),
        ("a.dev.example", True),
        ("dev.example", False),
        ("", False),
    ],
)
def test_a_host_name_has_neither_case_nor_port(host: str, met: bool) -> None:
    rule = Rule(priority=1, hosts=("airflow.example", "?.dev.example"), target_group="g")

    assert rule.meets(host, "/") is met


def test_all_kinds_of_conditions_must_hold() -> None:
    rule = Rule(priority=1, hosts=("a.b",), paths=("/x",), target_group="g")

    assert [rule.meets("a.b", "/x"), rule.meets("a.b", "/y"), rule.meets("c.d", "/x")] == [True, False, False]


def test_the_lowest_priority_is_tried_first() -> None:
    configuration = read(DOCUMENT)

    found = configuration.rule("airflow.example", "/execution/")
    assert found is not None
    assert found.priority == 10


def test_what_meets_no_rule_is_for_the_default_action() -> None:
    assert read(DOCUMENT).rule("localhost", "/") is None


@pytest.mark.parametrize(
    ("matcher", "good"), [("200", {200}), ("200-202", {200, 201, 202}), ("200,204-205", {200, 204, 205})]
)
def test_a_matcher_lists_codes_and_ranges(matcher: str, good: set[int]) -> None:
    settings = HealthSettings(matcher=matcher)

    assert {code for code in range(100, 600) if settings.accepts(code)} == good


def test_a_configuration_survives_its_way_through_json() -> None:
    configuration = read(DOCUMENT)

    assert read(json.loads(json.dumps(asdict(configuration)))) == configuration


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rules": [{"priority": 1}]}, "rule 1: want either target_group or fixed"),
        (
            {"rules": [{"priority": 1, "target_group": "api", "fixed": {"status": 1}}]},
            "rule 1: want either target_group or fixed",
        ),
        (
            {"rules": [{"priority": 1, "target_group": "web"}]},
            "balancer: no target group 'web'; there are: ['api']",
        ),
        ({"targets": {"web": []}}, "balancer: no target group 'web'; there are: ['api']"),
        (
            {"rules": [{"priority": 1, "target_group": "api", "path": "/"}]},
            "unexpected keyword argument 'path'",
        ),
        ({"idle": 3}, "unexpected keyword argument 'idle'"),
        ({"target_groups": {"api": {"health": {"url": "/"}}}}, "unexpected keyword argument 'url'"),
        ({"default": {}}, "missing 1 required keyword-only argument: 'status'"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(DOCUMENT | change)
    assert message in str(refused.value)


def test_a_missing_key_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"^balancer: default is missing$"):
        read({"rules": [], "target_groups": {}})


def test_a_fixed_response_is_plain_and_empty_unless_told_otherwise() -> None:
    assert Fixed(status=404) == Fixed(status=404, type="text/plain", body="")
