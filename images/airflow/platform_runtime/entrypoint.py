"""The image's entry point: puts together what Airflow needs, then becomes the command.

It replaces itself, so the command is the container's main process and the only one that gets SIGTERM: Celery's warm
shutdown lets running tasks end, and nothing reaches the tasks. It is safe to run again beside the main process.
"""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final, NoReturn

from . import files
from .start import Start, compose
from .variables import BAD_CONFIGURATION, Refusal

NOT_FOUND: Final = 127
"""What a shell answers."""


def main() -> NoReturn:
    """Prepare the container and become the command."""
    command = sys.argv[1:]
    try:
        start = compose(os.environ, command, installed_version())
        prepare(start)
    except Refusal as refusal:
        say("this container cannot start:", *(f"  - {problem}" for problem in refusal.problems))
        sys.exit(BAD_CONFIGURATION)
    for name in start.take_away:
        os.environ.pop(name, None)
    os.environ.update(start.assign)
    as_the_official_image(os.environ)
    try:
        os.execvp(command[0], command)  # noqa: S606  becoming the command is the purpose
    except OSError as error:
        say(f"cannot run {command[0]}: {error.strerror}")
        sys.exit(NOT_FOUND)


def installed_version() -> str:
    """Return the version of Airflow in this image, by the folder's name: importlib.metadata takes 40 ms."""
    found = (path for folder in sys.path for path in Path(folder).glob("apache_airflow_core-*.dist-info"))
    return next((path.name.split("-")[1].removesuffix(".dist") for path in found), "no Airflow")


def as_the_official_image(environment: MutableMapping[str, str], root: str = "/") -> None:
    """Do what the entry point of the base image does and what a DAG may rely on.

    Loaded first, the C++ library finds room that it may lack once a DAG imports it late: "cannot allocate memory in
    static TLS block", on ARM above all. And with PIP_USER no virtual environment of a DAG could install anything.
    """
    library = Path(root) / f"usr/lib/{os.uname().machine}-linux-gnu/libstdc++.so.6"
    if library.exists():
        environment.setdefault("LD_PRELOAD", str(library))
    environment.pop("PIP_USER", None)


def prepare(start: Start) -> None:
    """Write the files and look for the folders.

    Raises:
        Refusal: with what cannot be written, is not there, or does not belong together.

    """
    problems = [f"{path} is no folder" for path in start.folders if not Path(path).is_dir()]
    try:
        for path, content in start.files.items():
            files.write(path, content)
        if start.pair:
            files.throw_away_pair(*start.pair)
    except OSError as error:
        problems.append(f"{error.filename} cannot be written: {error.strerror}")
    else:
        if start.served_pair:
            problems += _pair_problems(*start.served_pair)
    if problems:
        raise Refusal(problems)


def _pair_problems(certificate: str, key: str) -> list[str]:
    """Say when certificate and key do not belong together; gunicorn would say so in each of its processes."""
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        return [f"the api-server's certificate and key cannot be used: {error.reason or 'no PEM text'}"]
    return []


def say(*lines: str) -> None:
    """Write to the container's log."""
    for line in lines:
        sys.stderr.write(f"platform-entrypoint: {line}\n")
