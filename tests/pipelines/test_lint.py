"""What the lint of the pipelines does on a machine that lacks its tools: it says so, and fails in CI."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.pipelines.files import ROOT


def lint(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the lint on a machine that has nothing but `dirname`."""
    (folder / "pipelines" / "lint").mkdir(parents=True)
    shutil.copy(ROOT / "pipelines" / "lint" / "run", folder / "pipelines" / "lint" / "run")
    (folder / "bin").mkdir()
    (folder / "bin" / "dirname").symlink_to(shutil.which("dirname") or "")
    return subprocess.run(
        [shutil.which("sh") or "sh", folder / "pipelines" / "lint" / "run"],
        env={"PATH": str(folder / "bin"), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_cannot_be_linted_is_said(tmp_path: Path) -> None:
    ended = lint(tmp_path)
    assert ended.returncode == 0
    assert ended.stderr.splitlines() == [
        "SKIPPED: actionlint: there is no program go on the PATH",
        "SKIPPED: npm-groovy-lint: there is no program npm on the PATH",
    ]


def test_in_ci_nothing_is_left_out(tmp_path: Path) -> None:
    ended = lint(tmp_path, CI="true")
    assert ended.returncode == 1
    assert ended.stderr == "SKIPPED: actionlint: there is no program go on the PATH\n"
