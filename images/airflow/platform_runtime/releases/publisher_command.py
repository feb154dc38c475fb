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
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from ..variables import BAD_CONFIGURATION, Refusal, Variables
from .collecting import OLDER_THAN_DAYS, Answer, Needed, Tools, Wish, collect, collect_afterwards
from .keeping import Unknown
from .ledger import LedgerError, Release, connect
from .manifest import genesis
from .publisher import BrokenContent, Published, Publisher, PublishError
from .source import S3Source, Source

DONE: Final = 0
FAILED: Final = 1
BROKEN: Final = 65
"""EX_DATAERR of sysexits.h."""

Connect = Callable[[Mapping[str, str]], Tools]


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
    except (PublishError, LedgerError, Needed, Unknown) as error:
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
    publish.add_argument(
        "--readers",
        nargs="*",
        default=[],
        metavar="SERVICE",
        help="services that read DAGs; their proofs say which releases runs need, so old ones can go afterwards",
    )
    publish.set_defaults(run=_publish)
    collecting = commands.add_parser(
        "collect", help="take old releases away, except those that somebody may need"
    )
    # At least one: nobody else knows the runs.
    collecting.add_argument(
        "--readers",
        nargs="+",
        required=True,
        metavar="SERVICE",
        help="services that read DAGs; their proofs say which releases runs need",
    )
    collecting.add_argument("--keep", nargs="*", default=[], metavar="ID", help="releases that stay besides")
    collecting.add_argument("--older-than-days", type=_days, default=OLDER_THAN_DAYS, metavar="DAYS")
    collecting.add_argument(
        "--only",
        metavar="ID",
        help="take this one away, whatever its age, unless it is current or runs need it",
    )
    collecting.set_defaults(run=_collect)
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
    collection = collect_afterwards(tools, asked.readers)
    say(f"clean-up: {collection.get('skipped') or _done(collection)}")
    return {"release_id": release_id, **asdict(published), "collection": collection}


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
    wish = Wish(
        readers=asked.readers, keep=asked.keep, older_than_days=asked.older_than_days, only=asked.only
    )
    collected = collect(tools, wish)
    for release_id, reason in collected["kept"].items():
        say(f"{release_id} stays: {reason}")
    say(_done(collected))
    return collected


def _done(collected: Answer) -> str:
    return f"{len(collected['collected'])} releases taken away, {len(collected['emptied'])} removed from the disk"


def _end(about: Answer, code: int, **more: Any) -> int:
    if more:
        say(f"platform-publisher: {more['error']}")
    say(json.dumps({**about, "ok": code == DONE, **more}, sort_keys=True))
    return code


def say(line: str) -> None:
    """Write to the container's log."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
