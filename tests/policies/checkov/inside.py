"""Runs in the environment of checkov, whose command says only what it found, not what it looked at.

Takes a plan and ids, and writes as JSON what checkov says about each resource, and which types each id is about.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from checkov.runner_filter import RunnerFilter  # type: ignore[import-not-found]
from checkov.terraform.plan_runner import Runner, data_registry, resource_registry  # type: ignore[import-not-found]
from checkov.version import version  # type: ignore[import-not-found]


def main(plan: str, wanted: str, answer: str) -> None:
    """Judge a plan.

    Args:
        plan: Where it is.
        wanted: Ids, with commas in between.
        answer: Where to write.

    """
    ids = wanted.split(",")
    runner = Runner()
    report = runner.run(files=[plan], runner_filter=RunnerFilter(framework=["terraform_plan"], checks=ids))
    if report.parsing_errors:
        raise SystemExit("checkov cannot read the plan")
    records = [*report.passed_checks, *report.failed_checks]
    found = {
        "version": version,
        "types": {id: sorted(set(_types(runner, id))) for id in ids},
        "verdicts": [
            [record.check_id, record.resource, record.check_result["result"].value] for record in records
        ],
    }
    Path(answer).write_text(json.dumps(found), encoding="utf-8")


def _types(runner: Any, id: str) -> Iterator[str]:
    for registry, prefix in ((resource_registry, ""), (data_registry, "data.")):
        check = registry.get_check_by_id(id)
        if check is not None:
            yield from (f"{prefix}{each}" for each in check.supported_entities)
    for check in runner.graph_registry.checks:
        if check.id == id:
            yield from _of_graph(check)


def _of_graph(check: Any) -> Iterator[str]:
    kinds = check.resource_types
    yield from [kinds] if isinstance(kinds, str) else kinds
    if check.attribute == "resource_type":
        yield from check.attribute_value
    for part in check.sub_checks:
        yield from _of_graph(part)


if __name__ == "__main__":
    main(*sys.argv[1:])
