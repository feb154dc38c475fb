"""The tracked stack files with the mistakes that people make in them, and all that is said about each."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.settings.samples import KEY, ROOT, mistakes
from tests.settings.tables import files_dev, files_prod
from tests.settings.tables.files_dev import Edit


@pytest.mark.parametrize(
    "edit", [*files_dev.EDITS, *files_prod.EDITS], ids=lambda edit: edit.what.replace(" ", "-")
)
def test_bad_file(edit: Edit) -> None:
    text = (ROOT / f"Pulumi.{edit.stack}.yaml").read_text(encoding="utf-8")
    for old, new in edit.texts.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    assert mistakes(yaml.safe_load(text)["config"][KEY], edit.stack) == edit.lines


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_file_without_an_edit_is_accepted(stack: str) -> None:
    content = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    assert mistakes(json.loads(json.dumps(content["config"][KEY])), stack) == ()
