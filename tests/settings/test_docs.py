"""The generated documentation: up to date, complete, and its command says when it is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from settings import InterfaceEndpoint
from settings.__main__ import documents, main, stale
from settings.markdown import CHOICES, member_docs, render
from settings.rules import MODULES, RULES
from settings.schema import platform_schema, stack_file_schema
from tests.settings.samples import KEY, ROOT

FILES = ["docs/settings.schema.json", "docs/settings.md"]


def properties(node: Any) -> Iterator[tuple[str, Any]]:
    """Yield every declared property below `node`, by name."""
    if isinstance(node, dict):
        yield from node.get("properties", {}).items()
        for child in node.values():
            yield from properties(child)


def test_documentation_is_up_to_date() -> None:
    """If this fails: `python -m settings docs --write`."""
    assert stale(ROOT) == []


def test_check_names_stale_and_missing_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs", "--write"], tmp_path) == 0
    assert main(["docs", "--check"], tmp_path) == 0
    (tmp_path / FILES[0]).unlink()
    (tmp_path / FILES[1]).write_text("old")
    assert main(["docs", "--check"], tmp_path) == 1
    assert capsys.readouterr().err == "".join(
        f"{path} is stale: run `python -m settings docs --write`\n" for path in FILES
    )


def test_write_makes_what_check_wants(tmp_path: Path) -> None:
    main(["docs", "--write"], tmp_path)
    assert {path: (tmp_path / path).read_text(encoding="utf-8") for path in FILES} == documents()


@pytest.mark.parametrize("arguments", [[], ["docs"], ["docs", "--write", "--check"]], ids=str)
def test_command_needs_one_mode(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments)


def test_keys_are_camel_case() -> None:
    names = {name for name, _ in properties(platform_schema()["$defs"])}
    assert "flowLogRetentionDays" in names
    assert all(name.isalnum() and name[0].islower() for name in names)


def test_every_section_refuses_unknown_keys() -> None:
    sections = [node for node in platform_schema()["$defs"].values() if node["type"] == "object"]
    assert {section["additionalProperties"] for section in sections} == {False}
    assert len(sections) == 23


def test_schema_describes_the_whole_stack_file() -> None:
    schema = stack_file_schema()
    platform = schema["properties"]["config"]["properties"][KEY]
    assert schema["properties"]["config"]["required"] == [KEY]
    assert [choice["$ref"] for choice in platform["oneOf"]] == [
        "#/$defs/SharedSettings",
        "#/$defs/EnvironmentSettings",
    ]


def test_references_of_the_schema_resolve() -> None:
    schema = stack_file_schema()
    references = {part.split('"')[0] for part in json.dumps(schema).split('"$ref": "#/$defs/')[1:]}
    assert references <= set(schema["$defs"])


def test_every_setting_has_a_meaning() -> None:
    schema = platform_schema()
    for name, node in properties(schema["$defs"]):
        definition = schema["$defs"][node["$ref"].rsplit("/", 1)[1]] if "$ref" in node else {}
        assert node.get("description") or definition.get("description"), name


@pytest.mark.parametrize("choices", [InterfaceEndpoint, *(choices for _, _, choices in CHOICES)])
def test_every_choice_has_a_meaning(choices: type[StrEnum]) -> None:
    meanings = member_docs(choices)
    assert [name for name, meaning in meanings.items() if not meaning.endswith(".")] == []
    assert len(meanings) == len(choices)


def test_page_lists_every_key_once_per_kind() -> None:
    page = render()
    assert page.count("| `network.nat` | none, single, perZone | required |") == 1
    assert page.count("| `account.id` |") == 2
    assert "| `shared.keyDeletionDays` | a whole number from 7 to 30 | `30` |" in page


def test_page_describes_pools_and_optional_sections() -> None:
    page = render()
    keys = "cpuUnits, memoryMib, queues, concurrency, minCount, maxCount, spotPercent"
    assert f"| `workers.pools` | a section of 1 to 10 keys, each a section with the keys {keys} |" in page
    assert "| `workers.pools.<name>.concurrency` | a whole number from 1 to 64 | required |" in page
    assert "| `services.flower` | a section with the keys cpuUnits, memoryMib | none |" in page
    assert "| `services.flower.memoryMib` | a whole number from 512 to 122880 | required |" in page
    assert "| `backups` | a section with the keys retentionDays, lock | none |" in page
    assert "| `backups.retentionDays` | a whole number from 7 to 3650 | required |" in page
    assert "| `services.scheduler` |" not in page


def test_page_shows_defaults_as_they_stand_in_yaml() -> None:
    page = render()
    assert "| `services.execEnabled` | true or false | `false` |" in page
    assert '| `metastore.engineVersion` | 16, 17 | `"17"` |' in page


def test_page_lists_every_rule_once_under_its_subject() -> None:
    page = render()
    for rule in RULES:
        assert page.count(f"- {(rule.__doc__ or '').splitlines()[0]}\n") == 1
    for module in MODULES:
        assert f"### {(module.__doc__ or '').splitlines()[0].removesuffix('.')}\n" in page
