"""`platform-publisher`: publishes a release, verifies what is there, takes away what nobody needs.

The last line that it writes is one JSON object: the command, whether it succeeded (`ok`), and what it did or why not.

Exit codes:
    0: it is done.
    1: it could not be done; another attempt may succeed.
    2: the command line is wrong.
    65: what is stored is not the release of its id; another attempt would find the same.
    78: a variable is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ..variables import BAD_CONFIGURATION, Refusal, Variables
from .ledger import Ledger, LedgerError, NotPublished, Release, StillCurrent, connect
from .manifest import genesis
from .publisher import BrokenContent, Published, Publisher, PublishError
from .source import S3Source, Source

DONE: Final = 0
FAILED: Final = 1
BROKEN: Final = 65
"""EX_DATAERR of sysexits.h."""
OLDER_THAN_DAYS: Final = 30
DAY_SECONDS: Final = 24 * 3600


@dataclass(frozen=True)
class Tools:
    """What the commands work with."""

    publisher: Publisher
    ledger: Ledger
    now: Callable[[], float]

    def date(self) -> datetime:
        """Return the time as the ledger has it."""
        return datetime.fromtimestamp(self.now(), UTC)


Connect = Callable[[Mapping[str, str]], Tools]
Answer = dict[str, Any]


class Incomplete(Exception):
    """Some of it is done and some is not; `answer` says what."""

    def __init__(self, reason: str, answer: Answer, code: int) -> None:
        """Keep what is to be told."""
        super().__init__(reason)
        self.answer, self.code = answer, code


def main(connect_tools: Connect | None = None) -> int:
    """Do what the arguments say."""
    asked = _arguments().parse_args()
    about: Answer = {"command": asked.command}
    try:
        tools = (connect_tools or tools_from)(os.environ)
        answer = asked.run(tools, asked)
    except Refusal as refusal:
        return _end(about, BAD_CONFIGURATION, error=str(refusal))
    except Incomplete as incomplete:
        return _end(about | incomplete.answer, incomplete.code, error=str(incomplete))
    except BrokenContent as broken:
        return _end(about, BROKEN, error=str(broken))
    except (PublishError, LedgerError) as error:
        return _end(about, FAILED, error=str(error))
    except Exception as error:
        # Nobody has thought of it, so whoever reads the log needs the place in the code.
        say(traceback.format_exc())
        return _end(about, FAILED, error=f"{type(error).__name__}: {error}")
    return _end(about | answer, DONE)


def tools_from(environment: Mapping[str, str]) -> Tools:
    """Connect as the variables say.

    Raises:
        Refusal: With those that are missing.

    """
    variables = Variables(environment)
    root = variables.need("PLATFORM_DAG_STORAGE_PATH")
    bucket = variables.need("PLATFORM_RELEASE_BUCKET")
    table = variables.need("PLATFORM_LEDGER_TABLE")
    variables.refuse()
    publisher = Publisher(Path(root), bucket_source(bucket))
    return Tools(publisher=publisher, ledger=connect(table), now=time.time)


def bucket_source(bucket: str) -> Source:
    """Return the release bucket, with the machine's own credentials."""
    import boto3

    return S3Source(bucket, boto3.client("s3"))


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="platform-publisher", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    publish = commands.add_parser("publish", help="make a release readable and record it in the ledger")
    publish.add_argument("release_id", metavar="ID")
    publish.add_argument("--git-commit", default="", help="where it comes from, for the ledger")
    publish.add_argument("--published-by", default="", help="who publishes it, for the ledger")
    publish.set_defaults(run=_publish)
    collect = commands.add_parser(
        "collect", help="take old releases away, except those named, the current one and the one before it"
    )
    # At least one: an empty list is more likely a query that failed than a wish.
    collect.add_argument("--keep", nargs="+", required=True, metavar="ID")
    collect.add_argument("--older-than-days", type=_days, default=OLDER_THAN_DAYS, metavar="DAYS")
    collect.set_defaults(run=_collect)
    verify = commands.add_parser("verify", help="read one release, or all, and compare with their ids")
    verify.add_argument("release_id", metavar="ID", nargs="?")
    verify.set_defaults(run=_verify)
    return parser


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"want a whole number of days, 0 or more, got {text!r}")
    return int(text)


def _publish(tools: Tools, asked: argparse.Namespace) -> Answer:
    release_id: str = asked.release_id

    def record(published: Published) -> None:
        # Nobody records the empty release; the pointer may always name it.
        if release_id != genesis().release_id:
            release = Release(
                release_id=release_id,
                git_commit=asked.git_commit,
                files=published.files,
                size_bytes=published.size_bytes,
                published_at=tools.date(),
                published_by=asked.published_by,
            )
            tools.ledger.record_release(release)

    published = tools.publisher.publish(release_id, record)
    done = "was there already and is right" if published.already else "is published"
    say(f"{release_id} {done}: {published.files} files, {published.size_bytes} bytes")
    return {"release_id": release_id, **asdict(published)}


def _verify(tools: Tools, asked: argparse.Namespace) -> Answer:
    if asked.release_id:
        return {"release_id": asked.release_id, **asdict(tools.publisher.verify(asked.release_id))}
    verified: list[str] = []
    problems: dict[str, str] = {}
    code = FAILED
    for release_id in tools.publisher.releases():
        try:
            tools.publisher.verify(release_id)
        except PublishError as error:
            problems[release_id] = str(error)
            say(str(error))
            if isinstance(error, BrokenContent):
                code = BROKEN
        else:
            verified.append(release_id)
            say(f"{release_id} is right")
    answer: Answer = {"verified": verified, "problems": problems}
    if problems:
        raise Incomplete(
            f"{len(problems)} of {len(problems) + len(verified)} releases are not verified", answer, code
        )
    return answer


def _collect(tools: Tools, asked: argparse.Namespace) -> Answer:
    pointer = tools.ledger.pointer()
    # A release that is not proved everywhere gives way to the one before it, which therefore has to be there.
    needed = {pointer.release_id, pointer.previous_release_id} if pointer else set()
    collected = tools.publisher.collect(
        {*asked.keep, *needed}, asked.older_than_days * DAY_SECONDS, LedgerRegister(tools)
    )
    say(f"{len(collected.collected)} releases taken away, {len(collected.emptied)} removed from the disk")
    return asdict(collected)


class LedgerRegister:
    """The ledger decides what may go: nobody can point to what it lets go."""

    def __init__(self, tools: Tools) -> None:
        """Ask the ledger of these tools."""
        self._tools = tools

    def unfinished(self) -> Collection[str]:
        """Return the releases that a clean-up has begun to take away."""
        return [each.release_id for each in self._tools.ledger.releases() if each.state == "collecting"]

    def begin(self, release_id: str) -> bool:
        """Let a release go unless it is the current one."""
        try:
            self._tools.ledger.begin_collecting(release_id, self._tools.date())
        except StillCurrent:
            return False
        except NotPublished:
            # Its publisher died before it recorded the release: nobody can point to it.
            return True
        return True

    def finish(self, release_id: str) -> None:
        """Note that a release is gone."""
        try:
            self._tools.ledger.finish_collecting(release_id)
        except NotPublished:
            return


def _end(about: Answer, code: int, **more: Any) -> int:
    if more:
        say(f"platform-publisher: {more['error']}")
    say(json.dumps({**about, "ok": code == DONE, **more}, sort_keys=True))
    return code


def say(line: str) -> None:
    """Write to the container's log."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
