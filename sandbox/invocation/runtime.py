"""What a child process runs in place of AWS's Python runtime: one call of one handler.

It is run as a script of its own, with this interpreter's packages but without this package. The request comes as JSON
on standard input; the answer goes as JSON into a file, since the handler may print.
"""

import importlib
import json
import sys
import time
import traceback
from pathlib import Path
from typing import Any


class Context:
    """What Lambda tells a handler about the call."""

    def __init__(self, facts: dict[str, Any]) -> None:
        """Start the clock."""
        self.function_name = facts["name"]
        self.function_version = "$LATEST"
        self.invoked_function_arn = facts["arn"]
        self.memory_limit_in_mb = str(facts["memory"])
        self.aws_request_id = facts["request"]
        self.log_group_name = facts["logGroup"]
        self.log_stream_name = facts["request"]
        self.identity = None
        self.client_context = None
        self._end = time.monotonic() + facts["timeout"]

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function still lives."""
        return max(int((self._end - time.monotonic()) * 1000), 0)


def answer(facts: dict[str, Any]) -> dict[str, Any]:
    """Call the handler; an error becomes what Lambda makes of it."""
    module, _, function = facts["handler"].replace("/", ".").rpartition(".")
    try:
        handler = getattr(importlib.import_module(module), function)
        return {"payload": json.dumps(handler(facts["event"], Context(facts)))}
    except BaseException as error:  # as the runtime does; SystemExit too ends one call only
        trace = traceback.format_tb(error.__traceback__)[1:]
        failed = {
            "errorMessage": str(error),
            "errorType": type(error).__name__,
            "requestId": facts["request"],
            "stackTrace": trace,
        }
        return {"error": True, "payload": json.dumps(failed)}


def main() -> None:
    """Read, call, write."""
    facts = json.load(sys.stdin)
    # At the end: packages of the archive may be built for another processor, those of this interpreter are not.
    sys.path.append(facts["code"])
    answered = answer(facts)
    Path(sys.argv[1]).write_text(json.dumps(answered), encoding="utf-8")


if __name__ == "__main__":
    main()
