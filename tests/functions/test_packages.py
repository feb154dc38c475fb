"""The functions run where nothing of this project is installed."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import functions

ROOT = functions.FOLDER.parent
GATE = functions.FOLDER / "platform_gate"
MODULES = sorted(GATE.glob("*.py"))
OF_LAMBDA = {"boto3", "botocore"}
"""What the runtime brings."""


def imports(module: Path) -> set[str]:
    """Return the top-level names that a module imports absolutely."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
    return found


def pins(file: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", file.read_text(), re.MULTILINE))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_modules_import_only_what_the_archive_or_lambda_has(module: Path) -> None:
    assert imports(module) <= sys.stdlib_module_names | OF_LAMBDA | {"cryptography"}


def test_kinds_need_nothing() -> None:
    """The program imports them; it must not need the packages of the function."""
    assert imports(GATE / "kinds.py") | imports(GATE / "__init__.py") <= sys.stdlib_module_names


def test_handler_is_found_without_the_project(tmp_path: Path) -> None:
    shutil.copytree(GATE, tmp_path / "platform_gate", ignore=shutil.ignore_patterns("__pycache__"))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    code = "from platform_gate.handler import handle; handle({}, None)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.splitlines()[-1].startswith(
        'platform_gate.errors.GateError: event: want an object in "broker": only `pulumi up`'
    )


def test_packages_are_those_of_the_tests() -> None:
    wanted, tested = pins(functions.FOLDER / "requirements.in"), pins(ROOT / "requirements.lock")
    assert set(wanted) == {"cryptography"}
    locked = pins(functions.FOLDER / "requirements.lock")
    assert wanted.items() <= locked.items()
    assert {name: tested[name] for name in locked} == locked


def test_packages_are_locked_by_hash() -> None:
    lock = (functions.FOLDER / "requirements.lock").read_text()
    hashed = re.findall(r"^([\w.-]+)==[\w.]+ \\\n    --hash=sha256:", lock, re.MULTILINE)
    assert set(hashed) == set(pins(functions.FOLDER / "requirements.lock"))


def test_packages_are_for_the_machines_of_lambda() -> None:
    libraries = {path.name for path in (functions.FOLDER / "packages").glob("*.so")}
    assert libraries == {"_cffi_backend.cpython-313-aarch64-linux-gnu.so"}


def test_packages_have_no_bytecode() -> None:
    """It would change the archive's hash, and Lambda would get new code for nothing."""
    assert list((functions.FOLDER / "packages").rglob("*.pyc")) == []
