"""Namespaces for an ordinary user: the same containers, in a process that is nobody's root."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sandbox

NOBODY = 65534
FROM_OUTSIDE = """
import json, sys
from sandbox.twin.isolation import Streams, exec_from
variables = {"PATH": "/usr/bin:/bin", "GIVEN": "7"}
ran = exec_from(json.loads(sys.argv[1]), ["sh", "-c", "exit $GIVEN"], variables, Streams())
sys.exit(ran.wait())
"""


@pytest.fixture
def world() -> Iterator[Path]:
    """Return a folder that everybody may reach, with the program in it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in (
            "sandbox/__init__.py",
            "sandbox/cli.py",
            *(f"sandbox/twin/{path.name}" for path in _sources()),
        ):
            (folder / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(sandbox.__file__).parents[1] / part, folder / part)
        (folder / "tests/twin/unit").mkdir(parents=True)
        for support in ("containers.py", "ordinary_user.py"):
            shutil.copy(Path(__file__).parent / support, folder / "tests/twin/unit" / support)
        (folder / "run").mkdir()
        (folder / "run").chmod(0o777)
        subprocess.run(["chmod", "-R", "a+rX", name], check=True)
        yield folder


def _sources() -> list[Path]:
    return list((Path(sandbox.__file__).parent / "twin").glob("*.py"))


def _as_ordinary_user() -> dict[str, Any]:
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


def _python() -> str:
    """Return an interpreter that an ordinary user may execute."""
    for candidate in (sys.executable, "/usr/bin/python3"):
        wanted = "import sys; sys.exit(sys.version_info < (3, 11))"
        try:
            if subprocess.run([candidate, "-c", wanted], check=False, **_as_ordinary_user()).returncode == 0:
                return candidate
        except OSError:
            continue
    pytest.skip("no Python 3.11 that an ordinary user may execute")


def _allowed() -> None:
    if sys.platform != "linux" or shutil.which("unshare") is None:
        pytest.skip("needs Linux with util-linux")
    command = [
        "unshare",
        "--user",
        "--map-root-user",
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--mount-proc",
        "true",
    ]
    asked = subprocess.run(command, capture_output=True, text=True, check=False, **_as_ordinary_user())
    if asked.returncode:
        pytest.skip(asked.stderr.strip())


def test_an_ordinary_user_gets_the_same_containers(world: Path) -> None:
    """As rendered: user 50000, no capability, read-only root. Another user than itself it cannot be."""
    _allowed()
    python = _python()
    options: dict[str, Any] = {
        "cwd": world,
        "env": {"PATH": os.environ["PATH"]},
        "text": True,
        **_as_ordinary_user(),
    }
    with subprocess.Popen(
        [python, "-m", "tests.twin.unit.ordinary_user", str(world / "run")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        **options,
    ) as daemon:
        assert daemon.stdout is not None
        assert daemon.stdin is not None
        found = json.loads(daemon.stdout.readline())
        entry = json.dumps(found.pop("entry"))
        entered = subprocess.run([python, "-c", FROM_OUTSIDE, entry], check=False, **options)
        daemon.stdin.close()
        end = daemon.stdout.read()
    said = "containers run in Linux namespaces with their user, root file system and address"
    assert found == {
        "mode": "namespaces",
        "said": [f"{said}, by a user namespace instead of root"],
        "code": 3,
        "log": ["50000", "0", "5", "touch: cannot touch '/x': Read-only file system"],
        "refused": "without root containers run as 50000:0, not as 1000:0",
    }
    assert entered.returncode == 7
    assert end == "137\n"
