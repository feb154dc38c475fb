"""The entry point as a process: what the command gets, what it does not, and how a refusal looks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from functions.platform_gate import values
from images.airflow.platform_runtime import entrypoint
from images.airflow.platform_runtime.start import Start
from images.airflow.platform_runtime.variables import Refusal
from tests.image.test_start import COMMON, ENVIRONMENTS

IMAGE = Path(__file__).parents[2] / "images" / "airflow"
SHOW = "import json, os; print(json.dumps([os.getpid(), dict(os.environ)]))"
BY_THE_SYSTEM = {"LC_CTYPE", "LD_PRELOAD"}
CERTIFICATE_KEY = values.private_key()
CERTIFICATE = values.certificate(CERTIFICATE_KEY, "api-server.internal")


class Container:
    """A role's variables, with its files in a folder of the test's."""

    def __init__(self, role: str, folder: Path) -> None:
        (folder / "dags").mkdir()
        (folder / "releases").mkdir()
        (folder / "apache_airflow_core-3.3.2.dist-info").mkdir()
        given = COMMON | ENVIRONMENTS[role] | {"PLATFORM_ROLE": role}
        if "PLATFORM_API_SERVER_CERTIFICATE" in given:
            given["PLATFORM_API_SERVER_CERTIFICATE"] = CERTIFICATE
        if "PLATFORM_API_SERVER_PRIVATE_KEY" in given:
            given["PLATFORM_API_SERVER_PRIVATE_KEY"] = CERTIFICATE_KEY
        self.environment = {
            name: value.replace("/opt/airflow/state", str(folder))
            .replace("/opt/airflow/releases", str(folder / "releases"))
            .replace("/mnt/dags", str(folder / "dags"))
            for name, value in given.items()
        }
        # The folder of the fake Airflow, and the interpreter that this machine calls python.
        self.environment |= {
            "PYTHONPATH": f"{IMAGE}:{folder}",
            "PATH": f"{IMAGE / 'bin'}:{Path(sys.executable).parent}:/usr/bin:/bin",
        }

    def start(self, *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [IMAGE / "bin" / "platform-entrypoint", *command],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *command: str) -> tuple[int, str, str]:
        process = self.start(*command)
        output, errors = process.communicate(timeout=60)
        return process.returncode, output, errors


def seen(container: Container) -> dict[str, str]:
    code, output, errors = container.run("python", "-c", SHOW)
    assert (code, errors) == (0, "")
    environment: dict[str, str] = json.loads(output)[1]
    return environment


def test_it_becomes_the_command(tmp_path: Path) -> None:
    """SIGTERM reaches the command itself, and its exit code is the container's."""
    process = Container("scheduler", tmp_path).start("python", "-c", SHOW)
    output, _ = process.communicate(timeout=60)
    assert json.loads(output)[0] == process.pid


def test_the_exit_code_is_the_commands(tmp_path: Path) -> None:
    assert Container("scheduler", tmp_path).run("python", "-c", "raise SystemExit(7)")[0] == 7


def test_a_worker_sees_addresses_and_no_password_of_its_own(tmp_path: Path) -> None:
    environment = seen(Container("worker", tmp_path))
    assert environment["AIRFLOW__CELERY__BROKER_URL"].startswith("rediss://u:broker-password@b:6379/0?")
    assert environment["AIRFLOW__CELERY__WORKER_CONCURRENCY"] == "8"
    assert [
        name for name in environment if name.endswith(("_PASSWORD", "_CERTIFICATE", "_PRIVATE_KEY"))
    ] == []


def test_a_workers_certificate_is_a_file(tmp_path: Path) -> None:
    environment = seen(Container("worker", tmp_path))
    assert Path(environment["AIRFLOW__API__SSL_CA_FILE"]).read_text() == CERTIFICATE


@pytest.mark.parametrize("role", ["release-agent", "release-publisher"])
def test_what_handles_releases_gets_no_address_of_airflow(tmp_path: Path, role: str) -> None:
    container = Container(role, tmp_path)
    assert seen(container).keys() - container.environment.keys() - BY_THE_SYSTEM == set()


def test_an_api_servers_key_is_a_private_file(tmp_path: Path) -> None:
    environment = seen(Container("api-server", tmp_path))
    key = Path(environment["AIRFLOW__API__SSL_KEY"])
    assert (key.read_text(), key.stat().st_mode & 0o777) == (CERTIFICATE_KEY, 0o600)


def test_the_bootstrap_task_keeps_what_it_needs(tmp_path: Path) -> None:
    assert seen(Container("bootstrap", tmp_path))["PLATFORM_METASTORE_PASSWORD"] == "metastore-password"


def test_it_may_run_again_beside_the_process(tmp_path: Path) -> None:
    container = Container("flower", tmp_path)
    seen(container)
    before = (tmp_path / "flower.key").read_text()
    seen(container)
    assert (tmp_path / "flower.key").read_text() == before


def test_a_refusal_lists_everything(tmp_path: Path) -> None:
    container = Container("worker", tmp_path)
    del container.environment["PLATFORM_BROKER_PASSWORD"]
    container.environment["PLATFORM_AIRFLOW_VERSION"] = "3.3.1"
    code, output, errors = container.run("python", "-c", SHOW)
    assert (code, output) == (78, "")
    assert errors.splitlines() == [
        "platform-entrypoint: this container cannot start:",
        "platform-entrypoint:   - PLATFORM_AIRFLOW_VERSION: the settings say 3.3.1, the image has 3.3.2",
        "platform-entrypoint:   - PLATFORM_BROKER_PASSWORD is missing",
    ]


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    assert Container("scheduler", tmp_path).run("no-such-command") == (
        127,
        "",
        "platform-entrypoint: cannot run no-such-command: No such file or directory\n",
    )


def test_missing_dags_and_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    start = Start(folders=[str(tmp_path / "dags")], files={str(tmp_path / "none" / "key"): "a"})
    with pytest.raises(Refusal) as caught:
        entrypoint.prepare(start)
    assert caught.value.problems[0] == f"{tmp_path / 'dags'} is no folder"
    assert caught.value.problems[1].endswith("cannot be written: No such file or directory")


def test_certificate_and_key_of_two_pairs(tmp_path: Path) -> None:
    container = Container("api-server", tmp_path)
    container.environment["PLATFORM_API_SERVER_PRIVATE_KEY"] = values.private_key()
    code, _, errors = container.run("python", "-c", SHOW)
    assert code == 78
    assert "the api-server's certificate and key cannot be used: KEY_VALUES_MISMATCH" in errors


def test_version_of_an_image_without_airflow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert entrypoint.installed_version() == "no Airflow"


def test_version_of_the_image(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "apache_airflow_core-3.4.0.dist-info").mkdir()
    monkeypatch.setattr(sys, "path", [os.devnull, str(tmp_path)])
    assert entrypoint.installed_version() == "3.4.0"


class Became(BaseException):
    """What execvp does to a process: nothing comes after it."""


def become(monkeypatch: pytest.MonkeyPatch, container: Container, *command: str) -> None:
    """Run the entry point in this process."""
    monkeypatch.setattr(sys, "argv", ["platform-entrypoint", *command])
    monkeypatch.setattr(entrypoint, "installed_version", lambda: "3.3.2")
    monkeypatch.setattr(os, "environ", dict(container.environment))
    entrypoint.main()


def test_nothing_runs_after_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def execvp(*words: object) -> None:
        assert words == ("airflow", ["airflow", "scheduler"])
        assert "PLATFORM_BROKER_PASSWORD" not in os.environ
        assert "AIRFLOW__CELERY__BROKER_URL" in os.environ
        raise Became

    monkeypatch.setattr(os, "execvp", execvp)
    with pytest.raises(Became):
        become(monkeypatch, Container("scheduler", tmp_path), "airflow", "scheduler")


@pytest.mark.parametrize(
    ("command", "code"), [((), 78), (("no-such-command",), 127)], ids=["none", "unknown"]
)
def test_exit_codes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: tuple[str, ...], code: int
) -> None:
    with pytest.raises(SystemExit) as caught:
        become(monkeypatch, Container("scheduler", tmp_path), *command)
    assert caught.value.code == code


def test_flowers_pair_is_made(tmp_path: Path) -> None:
    pair = str(tmp_path / "flower.pem"), str(tmp_path / "flower.key")
    entrypoint.prepare(Start(pair=pair))
    assert all(Path(path).exists() for path in pair)


def test_a_pair_that_belongs_together(tmp_path: Path) -> None:
    pair = str(tmp_path / "a.pem"), str(tmp_path / "a.key")
    content = dict(zip(pair, (CERTIFICATE, CERTIFICATE_KEY), strict=True))
    entrypoint.prepare(Start(files=content, served_pair=pair))
    assert [Path(path).read_text() for path in content] == list(content.values())


def test_a_pair_that_does_not(tmp_path: Path) -> None:
    pair = str(tmp_path / "a.pem"), str(tmp_path / "a.key")
    content = dict(zip(pair, (CERTIFICATE, values.private_key()), strict=True))
    with pytest.raises(Refusal, match="KEY_VALUES_MISMATCH"):
        entrypoint.prepare(Start(files=content, served_pair=pair))


LIBRARY = f"usr/lib/{os.uname().machine}-linux-gnu/libstdc++.so.6"


@pytest.mark.parametrize(
    ("there", "given", "loaded"),
    [(True, {}, LIBRARY), (True, {"LD_PRELOAD": "mine"}, "mine"), (False, {}, None)],
    ids=["there", "somebody's own", "not there"],
)
def test_the_library_that_is_loaded_first(
    tmp_path: Path, there: bool, given: dict[str, str], loaded: str | None
) -> None:
    """Of a library that is not there the loader would complain at each start of a program."""
    if there:
        (tmp_path / LIBRARY).parent.mkdir(parents=True)
        (tmp_path / LIBRARY).touch()
    environment = dict(given)
    entrypoint.as_the_official_image(environment, str(tmp_path))
    assert environment.get("LD_PRELOAD") == (str(tmp_path / LIBRARY) if loaded == LIBRARY else loaded)


def test_dags_may_install_into_environments_of_their_own(tmp_path: Path) -> None:
    container = Container("worker", tmp_path)
    container.environment["PIP_USER"] = "true"
    assert "PIP_USER" not in seen(container)
