"""What an ordinary user does with containers: a program of its own, since it changes the rights of its process.

It prints what it found, waits for the end of its input, and prints how the last container ended.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sandbox.twin.isolation import CannotStartError, Namespaces, Process, choose, enter_vpc
from tests.twin.unit.containers import CIDR, Place, ended

LOOK = "id -u; id -g; grep -cE '^Cap.*:.0{16}' /proc/self/status; touch /tmp/x; touch /x; exit 3"


def main(folder: Path) -> None:
    """Start containers in a folder."""
    said: list[str] = []
    mode = choose(said.append)
    isolation = Namespaces(enter_vpc(CIDR))
    place = Place(isolation, folder, ThreadPoolExecutor(1))

    def start(*command: str, **options: Any) -> Process:
        return place.start(place.booted(*command, root_mounts=(), address=isolation.address(), **options))

    code = ended(start("sh", "-c", LOOK))
    found = {"mode": mode, "said": said, "code": code, "log": place.log.read_text().splitlines()}
    try:
        start("true", user="1000:0")
    except CannotStartError as error:
        found["refused"] = str(error)
    last = start("sleep", "60")
    print(json.dumps({**found, "entry": last.entry}), flush=True)  # noqa: T201  for the test
    sys.stdin.read()
    isolation.close()
    print(last.poll(), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
