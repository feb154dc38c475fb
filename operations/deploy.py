"""Deploys an image with DAGs: one command in the program's folder, and what became of it.

By default Pulumi changes the setting and applies the stack. Whoever applies stacks in another way, such as by a
pipeline of their own, gives their command; it has to end when the stack is applied, and to fail when it is not.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from operations.clock import Clock
from operations.errors import Interrupted, OperationError
from operations.interrupts import Interrupts

SETTING: Final = "airflow-platform:platform.dags.imageDigest"
POLL_SECONDS: Final = 0.5
LAST_LINES: Final = 20


@dataclass(frozen=True)
class Deployer:
    """Applies the stack with another image of DAGs."""

    stack: str
    folder: Path
    """The program's."""
    command: str = ""
    """What is run instead of Pulumi, by a shell: it finds DAG_IMAGE_DIGEST and STACK in its environment."""

    def deploy(self, digest: str, clock: Clock, interrupts: Interrupts | None = None) -> None:
        """Apply it.

        Args:
            digest: Which image.
            clock: The time.
            interrupts: Whoever may stop it on the way; None: nobody.

        Raises:
            OperationError: it is not applied, or not wholly; what the command said last is in the message.
            Interrupted: somebody has stopped it.

        """
        variables = {**os.environ, "DAG_IMAGE_DIGEST": digest, "STACK": self.stack}
        for words in self._commands(digest):
            with tempfile.TemporaryFile() as log:
                code = self._run(words, variables, log, clock, interrupts)
                if code:
                    shown = self.command or shlex.join(words)
                    raise OperationError(
                        f"the image {digest} is not deployed: `{shown}` ended with {code}:\n{_last_lines(log)}"
                    )

    def _commands(self, digest: str) -> list[list[str]]:
        if self.command:
            return [["/bin/sh", "-c", self.command]]
        stack = ["--stack", self.stack, "--non-interactive"]
        return [
            ["pulumi", "config", "set", "--path", SETTING, digest, *stack],
            ["pulumi", "up", "--yes", "--skip-preview", *stack],
        ]

    def _run(
        self,
        words: list[str],
        variables: dict[str, str],
        log: IO[bytes],
        clock: Clock,
        interrupts: Interrupts | None,
    ) -> int:
        try:
            # A session of its own: Ctrl-C reaches it by us, once, and never while it puts things right.
            process = subprocess.Popen(
                words,
                cwd=self.folder,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise OperationError(
                f"the image is not deployed: {words[0]} cannot be run in {self.folder} ({error.strerror}): install it,"
                " or give another command (--deploy-command)"
            ) from error
        return _waited(process, clock, interrupts)


def _waited(process: subprocess.Popen[Any], clock: Clock, interrupts: Interrupts | None) -> int:
    stopped: Interrupted | None = None
    while (code := process.poll()) is None:
        if interrupts is not None and stopped is None:
            try:
                interrupts.check()
            except Interrupted as error:
                stopped = error
                # Pulumi then ends what it has begun, and begins nothing more.
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGINT)
        clock.sleep(POLL_SECONDS)
    if stopped is not None:
        raise stopped
    return code


def _last_lines(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode(errors="replace").splitlines()[-LAST_LINES:]
    return "\n".join(f"  {line}" for line in lines) or "  it said nothing"
