"""Python language host for an engine that was built from source.

Pulumi publishes its Python language host only with the official CLI. The engine finds this one beside itself as
`pulumi-language-python`: it prints its port and serves `LanguageRuntime`. Programs run in this process; policy packs
run as child processes. It ends with its engine, and at once on SIGINT or SIGTERM.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import ctypes
import gc
import logging
import os
import platform
import runpy
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2
from pulumi import RunError, log
from pulumi.runtime import reset_options, run_in_stack, set_all_config
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

PARENT_POLL_SECONDS: Final = 0.5
PR_SET_PDEATHSIG: Final = 1
"""Linux: ask the kernel for a signal when the parent process dies (linux/prctl.h)."""


class Host(language_pb2_grpc.LanguageRuntimeServicer):
    """Runs programs in process, and policy packs as children."""

    def __init__(self) -> None:
        """Start with no children; the engine gives its address as the last argument, and again by handshake."""
        self._engine_address = sys.argv[-1]
        self._children: set[subprocess.Popen[bytes]] = set()

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Accept the engine, and remember where it takes log messages."""
        self._engine_address = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Name the host."""
        return plugin_pb2.PluginInfo(version="0.0.0-sandbox")

    def GetRequiredPackages(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Require no plugins: the sandbox serves them all."""
        return language_pb2.GetRequiredPackagesResponse()

    def About(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Describe the interpreter."""
        return language_pb2.AboutResponse(executable=sys.executable, version=platform.python_version())

    def InstallDependencies(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """Install nothing: the sandbox's set-up has done so."""
        yield language_pb2.InstallDependenciesResponse(
            stdout=b"sandbox: dependencies are installed by `make setup`\n"
        )

    def GetProgramDependencies(self, request: Any, context: grpc.ServicerContext) -> Any:
        """List no dependencies: requirements.lock does."""
        return language_pb2.GetProgramDependenciesResponse()

    def Run(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Run the program's entry point in this process."""
        directory = Path(request.info.program_directory or request.pwd)
        entry = directory / (request.info.entry_point or ".")
        if entry.is_dir():
            entry = entry / "__main__.py"
        if not entry.exists():
            return language_pb2.RunResponse(error=f"no Python program at {entry}")
        os.chdir(directory)
        _step_aside(entry.parent)
        return contextvars.copy_context().run(_run, request, entry, self._engine_address)

    def RunPlugin(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """Run a policy pack and stream its output; other plugins written in Python are refused."""
        if request.kind != "analyzer":
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"plugins of kind {request.kind} do not run here")
        directory = request.info.program_directory
        command = [sys.executable, "-u", "-m", "pulumi.policy", *request.args, directory]
        environment = dict(item.partition("=")[::2] for item in request.env)
        child = subprocess.Popen(
            command,
            cwd=directory,
            env=environment or None,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._children.add(child)
        context.add_callback(child.kill)
        yield from _streamed(child)
        self._children.discard(child)
        yield language_pb2.RunPluginResponse(exitcode=child.wait())

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        """End what runs."""
        self.end()
        return empty_pb2.Empty()

    def end(self) -> None:
        """Kill the children."""
        for child in list(self._children):
            child.kill()


def _run(request: Any, entry: Path, engine_address: str) -> Any:
    """Run one program to its end; an error that the engine has not shown yet is shown once."""
    reset_options(
        project=request.project,
        monitor_address=request.monitor_address,
        engine_address=engine_address,
        stack=request.stack,
        parallel=request.parallel,
        preview=request.dryRun,
        organization=request.organization or "organization",
    )
    set_all_config(dict(request.config), list(request.configSecretKeys))
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    # A program ends long before its garbage matters; searching for it is a fifth of the program's time.
    gc.disable()
    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(max_workers=max(request.parallel, 1) * 4))
    try:
        loop.run_until_complete(run_in_stack(lambda: _program(entry)))
    except RunError as error:
        log.error(str(error))
        return language_pb2.RunResponse(bail=True)
    except BaseException as error:  # a program may raise anything, SystemExit included
        if _MONITOR_GONE in str(error):
            return language_pb2.RunResponse(bail=True)
        log.error("".join(traceback.format_exception(error)))
        return language_pb2.RunResponse(bail=True)
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
            with contextlib.suppress(BaseException):
                loop.run_until_complete(task)
        loop.close()
        sys.stdout.flush()
        sys.stderr.flush()
    return language_pb2.RunResponse()


def _step_aside(folder: Path) -> None:
    """Give the program its own import path: nothing of this project may stand in for a module of the program's."""
    ours = Path(__file__).parent.parent
    sys.path[:] = [str(folder), *(entry for entry in sys.path if not entry or Path(entry) != ours)]
    for name in [name for name in sys.modules if name.partition(".")[0] == "sandbox"]:
        del sys.modules[name]


def _program(entry: Path) -> None:
    runpy.run_path(str(entry), run_name="__main__")


_MONITOR_GONE: Final = "resource monitor shut down"
"""What every call says after the first failure, which the engine itself has reported."""


def _streamed(child: subprocess.Popen[bytes]) -> Iterator[Any]:
    """Yield the child's output as it comes: stderr from a thread of its own, so that neither pipe can block it."""
    import queue

    pieces: queue.Queue[Any] = queue.Queue()

    def pump(name: str, pipe: Any) -> None:
        while piece := pipe.read1(65536):
            pieces.put(language_pb2.RunPluginResponse(**{name: piece}))
        pieces.put(None)

    for name, pipe in (("stdout", child.stdout), ("stderr", child.stderr)):
        threading.Thread(target=pump, args=(name, pipe), daemon=True).start()
    open_pipes = 2
    while open_pipes:
        piece = pieces.get()
        if piece is None:
            open_pipes -= 1
        else:
            yield piece


def end_with_parent(signal_number: int) -> None:
    """Ask Linux to signal this process when its parent dies; other systems rely on polling."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)


def _watch_parent(parent: int, host: Host) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_SECONDS)
    host.end()
    os._exit(1)


def main() -> None:
    """Serve until the engine is gone."""
    parent = os.getppid()
    end_with_parent(signal.SIGTERM)
    host = Host()

    def leave(*_: object) -> None:
        host.end()
        os._exit(0)

    signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, leave)
    threading.Thread(target=_watch_parent, args=(parent, host), daemon=True).start()
    options = [("grpc.max_receive_message_length", 400 * 1024 * 1024)]
    server = grpc.server(ThreadPoolExecutor(max_workers=8), options=options)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)  # noqa: T201  the protocol: the engine reads the port from stdout
    server.wait_for_termination()


if __name__ == "__main__":
    main()
