"""Where the Pulumi CLI comes from, and what is said when it cannot be had.

Not proven here: that a build succeeds; `make up` on a fresh machine does that.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from sandbox.engine import EngineError, build, find
from sandbox.engine.build import BuildError, cli_version
from sandbox.engine.discovery import Engine


@pytest.fixture(autouse=True)
def nothing_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Start without CLI, Go, cache or network."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("SANDBOX_ENGINE", raising=False)
    cache = tmp_path / "cache" / "pulumi-test"
    cache.mkdir(parents=True)
    monkeypatch.setattr("sandbox.engine.discovery.cache_folder", lambda: cache)
    monkeypatch.setattr("sandbox.engine.build.cache_folder", lambda: cache)
    monkeypatch.setattr("sandbox.engine.discovery.DOWNLOAD_HOST", "localhost.invalid")
    return tmp_path


def program(folder: Path, name: str, output: str, code: int = 0) -> Path:
    path = folder / "bin" / name
    path.write_text(f"#!/bin/sh\necho {output}\nexit {code}\n")
    path.chmod(0o755)
    return path


def test_without_any_way_one_message_names_all_three() -> None:
    with pytest.raises(EngineError) as caught:
        find(lambda _: None)
    assert "install Pulumi 3.249.0 or newer on PATH; internet access" in str(caught.value)
    assert "  path: no `pulumi` on PATH" in str(caught.value)
    assert "  download: localhost.invalid is out of reach" in str(caught.value)
    assert "  build: no `go` on PATH" in str(caught.value)


def test_a_cli_on_path_is_used(nothing_there: Path) -> None:
    path = program(nothing_there, "pulumi", "v3.274.1")
    program(nothing_there, "pulumi-language-python", "")
    assert find(lambda _: None) == Engine(path, "v3.274.1", "path")


def test_a_cli_that_is_too_old_is_not(nothing_there: Path) -> None:
    program(nothing_there, "pulumi", "v3.248.9")
    with pytest.raises(EngineError, match=r"is v3.248.9; 3.249.0 or newer is needed"):
        find(lambda _: None)


def test_a_cli_without_its_language_host_is_not(nothing_there: Path) -> None:
    program(nothing_there, "pulumi", "v3.274.1")
    with pytest.raises(EngineError, match="has no pulumi-language-python beside it"):
        find(lambda _: None)


def test_an_updated_cli_is_asked_for_its_version_again(nothing_there: Path) -> None:
    path = program(nothing_there, "pulumi", "v3.274.1")
    program(nothing_there, "pulumi-language-python", "")
    find(lambda _: None)
    path.write_text("#!/bin/sh\necho v3.280.0 # newer\n")
    assert find(lambda _: None).version == "v3.280.0"


def test_an_earlier_build_is_used_before_a_download(nothing_there: Path) -> None:
    path = nothing_there / "cache" / "pulumi-test" / "pulumi"
    path.touch()
    assert find(lambda _: None) == Engine(path, cli_version(), "build")


def test_go_that_is_too_old_is_named(nothing_there: Path) -> None:
    program(nothing_there, "go", "go1.24.1")
    with pytest.raises(BuildError, match=r"is go1.24.1; 1.25 or newer is needed"):
        build.build(lambda _: None)


def test_a_failing_build_shows_what_the_compiler_said(nothing_there: Path) -> None:
    path = program(nothing_there, "go", "go1.26.0")
    path.write_text('#!/bin/sh\n[ "$1" = env ] && echo go1.26.0 && exit\necho no space left >&2\nexit 1\n')
    with pytest.raises(BuildError, match=r"downloading modules failed:\nno space left"):
        build.build(lambda _: None)
    assert [entry.name for entry in (nothing_there / "cache" / "pulumi-test").iterdir()] == ["lock"]


def test_a_build_ends_in_place_with_its_language_host(nothing_there: Path) -> None:
    path = program(nothing_there, "go", "")
    path.write_text(
        "#!/bin/sh\n"
        '[ "$1" = env ] && echo go1.26.0 && exit\n'
        '[ "$1" = list ] && echo a && exit\n'
        'while [ "$1" != -o ]; do shift; done\n'
        'echo built > "$2"\n'
    )
    monkey = os.environ["PATH"]
    os.environ["PATH"] = f"{monkey}:/bin:/usr/bin"
    target = build.build(lambda _: None)
    os.environ["PATH"] = monkey
    assert target.read_text() == "built\n"
    assert os.access(target.with_name("pulumi-language-python"), os.X_OK)


def test_the_ways_can_be_restricted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_ENGINE", "path")
    with pytest.raises(EngineError) as caught:
        find(lambda _: None)
    assert "download:" not in str(caught.value)


def test_an_unknown_way_is_refused_with_those_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_ENGINE", "magic")
    with pytest.raises(EngineError, match=r"unknown way magic; allowed: path, download, build"):
        find(lambda _: None)


def test_a_download_is_installed_once_and_remembered(
    nothing_there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The installer is replaced; that the real one works is not proven here."""
    calls: list[str] = []

    def install(root: str) -> None:
        calls.append(root)
        (Path(root) / "bin").mkdir(parents=True)
        program(Path(root), "pulumi", "v3.272.0")

    monkeypatch.setattr("socket.create_connection", lambda address, timeout: socket.socket())
    monkeypatch.setattr("pulumi.automation.PulumiCommand.install", install)
    first, second = find(lambda _: None), find(lambda _: None)
    assert first == second
    assert (first.version, first.origin, len(calls)) == ("v3.272.0", "download", 1)


def test_a_file_that_is_no_program_is_passed_over(nothing_there: Path) -> None:
    broken = nothing_there / "bin" / "pulumi"
    broken.write_bytes(b"\x7fELF broken")
    broken.chmod(0o755)
    with pytest.raises(EngineError, match=r"  path: .*pulumi does not run"):
        find(lambda _: None)
