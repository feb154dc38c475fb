"""Ways to run containers, for the tests."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.twin.isolation import Isolation, Namespaces, Plain, enter_vpc
from tests.twin.unit.containers import CIDR, Place


@functools.cache
def refusal() -> str:
    """Return why namespaces cannot be had here, or nothing; asks others than the code under test."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return "needs Linux with util-linux"
    if os.geteuid() != 0:
        # A user namespace would take the whole test process along.
        return "needs root"
    asked = subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stderr.strip()


@pytest.fixture
def contained(tmp_path: Path) -> Iterator[Place]:
    """Containers in namespaces, in a network of this test's own."""
    if refusal():
        pytest.skip(refusal())
    with ThreadPoolExecutor(1) as thread:
        # Only this thread enters the network; the rest of the tests stays where it is.
        vpc = thread.submit(enter_vpc, CIDR).result()
        yield from _place(Namespaces(vpc), tmp_path, thread)


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Place]:
    """Containers as plain processes."""
    with ThreadPoolExecutor(1) as thread:
        yield from _place(Plain(), tmp_path, thread)


@pytest.fixture(params=["contained", "beside"])
def place(request: pytest.FixtureRequest) -> Place:
    """Containers in either way."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Place)
    return found


def _place(isolation: Isolation, folder: Path, thread: ThreadPoolExecutor) -> Iterator[Place]:
    try:
        yield Place(isolation, folder, thread)
    finally:
        isolation.close()
