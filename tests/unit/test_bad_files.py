"""The stack files with mistakes, through the program: refused before anything is registered."""

from __future__ import annotations

import pytest
import yaml

from settings import SettingsError
from tests.harness import PROJECT, Deployment
from tests.settings.tables import files_dev, files_prod
from tests.settings.tables.files_dev import Edit
from tests.unit.stacks import ROOT, run_program


@pytest.mark.parametrize(
    "edit", [*files_dev.EDITS, *files_prod.EDITS], ids=lambda edit: edit.what.replace(" ", "-")
)
def test_none_reaches_the_engine(deploy: Deployment, edit: Edit) -> None:
    text = (ROOT / f"Pulumi.{edit.stack}.yaml").read_text(encoding="utf-8")
    for old, new in edit.texts.items():
        text = text.replace(old, new)
    with pytest.raises(SettingsError) as error:
        run_program(deploy, edit.stack, yaml.safe_load(text)["config"][f"{PROJECT}:platform"])
    assert (error.value.mistakes, deploy.monitor.registered) == (edit.lines, [])
