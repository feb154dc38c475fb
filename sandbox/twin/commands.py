"""`python -m sandbox twin`: starts a twin of an applied stack, and works with one that runs.

Every command but `start` and `rewrites` only asks the twin's daemon. What is slow to import is imported by the
command that needs it.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from sandbox.cli import SandboxError, say

if TYPE_CHECKING:
    from sandbox.twin.airflow_api import Airflow
    from sandbox.twin.client import Twin
    from sandbox.twin.dag_check import Check

PORT: Final = 8080
RUN_SECONDS: Final = 600.0

app = typer.Typer(
    help="A twin: real Airflow on this machine, booted from a stack's rendered task definitions.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Stack = Annotated[
    str | None, typer.Option("--stack", help="Whose twin; default: the one that runs.", show_default=False)
]
Service = Annotated[
    str, typer.Argument(help="A service's role, such as worker, or name.", show_default=False)
]
Task = Annotated[
    str | None,
    typer.Option("--task", help="Beginning of a task's id; default: every one.", show_default=False),
]


@app.command()
def start(
    context: typer.Context,
    stack: Annotated[str, typer.Argument(help="An applied stack.", show_default=False)],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on localhost; 0: a free one.")] = PORT,
    plain: Annotated[
        bool, typer.Option("--plain", help="Plain processes, also where namespaces are possible.")
    ] = False,
    timers: Annotated[
        str | None,
        typer.Option(help="`drill` shortens the timers that faults run into.", show_default=False),
    ] = None,
) -> None:
    """Start the twin of a stack, or bring one that runs up to date, and wait until it is healthy."""
    if timers not in {None, "drill"}:
        raise SandboxError(f"--timers: want drill, got {timers!r}")
    options = [
        "--port",
        str(port),
        *(["--plain"] if plain else []),
        *(["--timers", timers] if timers else []),
    ]
    welcomed(context, stack, *options)


def welcomed(context: typer.Context, stack: str, *options: str, check: Check | None = None) -> None:
    """Start a twin, or bring it up to date, and say how to use it."""
    from sandbox.twin import client
    from sandbox.twin.status import welcome

    twin = client.start(_project(context), stack, *options, told=say, check=check)
    typer.echo(welcome(twin.status(), twin.call("login"), client.PROGRAM))


@app.command()
def status(
    context: typer.Context,
    stack: Stack = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show services, tasks, their health and memory."""
    from sandbox.twin.status import table

    found = _twin(context, stack).status()
    typer.echo(json.dumps(found, indent=2) if as_json else table(found))


@app.command()
def logs(
    context: typer.Context,
    service: Service,
    stack: Stack = None,
    task: Task = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as they grow, until Ctrl-C.")] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=1, help="Lines of each log to begin with.")
    ] = 100,
) -> None:
    """Show what a service's containers have written."""
    from sandbox.twin import log_view
    from sandbox.twin.status import SHORT

    twin = _twin(context, stack)
    name, id = twin.service(service)["name"], task and twin.task(service, task)

    def files() -> list[log_view.LogFile]:
        found: list[log_view.LogFile] = twin.call("logs_path", service=name, task=id)
        return found

    for file, line in log_view.follow(files, lines, ever=follow):
        typer.echo(f"{file['task'][:SHORT]} {file['container']}: {line}")


@app.command("exec")
def execute(
    context: typer.Context,
    service: Service,
    command: Annotated[list[str], typer.Argument(help="The command, after --.", show_default=False)],
    stack: Stack = None,
    task: Task = None,
    container: Annotated[
        str | None, typer.Option(help="Default: the one that the service is about.", show_default=False)
    ] = None,
) -> None:
    """Run a command in a container of a service, as ECS does: without what its entry point has set."""
    twin = _twin(context, stack)
    ids = twin.tasks(service, task)
    if not ids:
        raise SandboxError(f"no task of {service} runs")
    sys.stdout.flush()
    code = twin.call(
        "exec",
        timeout_seconds=None,
        descriptors=(sys.stdout.fileno(), sys.stderr.fileno()),
        service=twin.service(service)["name"],
        task=ids[0],
        container=container,
        command=command,
    )
    if code:
        # A process that a signal has ended has a negative code; shells have it so.
        raise SystemExit(code if code > 0 else 128 - code)


@app.command()
def stop(
    context: typer.Context,
    service: Annotated[
        str | None, typer.Argument(help="Stop only tasks of this service.", show_default=False)
    ] = None,
    stack: Stack = None,
    task: Task = None,
) -> None:
    """End the twin; or stop tasks of a service as ECS does, which then starts others."""
    twin = _twin(context, stack)
    if service is not None:
        _on_tasks(twin, "stop_task", service, task, "being stopped")
    elif task is not None:
        raise SandboxError("--task: want the task's service as well")
    else:
        twin.stop()
        say(f"the twin of {twin.stack} has ended")


@app.command()
def kill(
    context: typer.Context,
    service: Service,
    stack: Stack = None,
    task: Task = None,
    name: Annotated[str, typer.Option("--signal", help="Such as KILL, TERM or STOP.")] = "KILL",
    container: Annotated[
        str | None, typer.Option(help="Default: the one that the service is about.", show_default=False)
    ] = None,
) -> None:
    """Send a signal to the main process of a service's tasks, and let the service find out."""
    number = getattr(signal, f"SIG{name.upper().removeprefix('SIG')}", None)
    if not isinstance(number, signal.Signals):
        raise SandboxError(f"--signal: no signal {name!r}")
    twin = _twin(context, stack)
    more = {} if container is None else {"container": container}
    _on_tasks(twin, "kill", service, task, f"got {number.name}", signal=int(number), **more)


@app.command()
def deploy(context: typer.Context, service: Service, stack: Stack = None) -> None:
    """Replace the tasks of a service one by one, as a new deployment does."""
    twin = _twin(context, stack)
    name = twin.service(service)["name"]
    twin.call("deploy", service=name)
    say(f"{name}: a deployment has begun")


@app.command()
def scale(
    context: typer.Context,
    service: Service,
    count: Annotated[int, typer.Argument(min=0, help="Desired number of tasks.", show_default=False)],
    stack: Stack = None,
) -> None:
    """Change how many tasks of a service run."""
    twin = _twin(context, stack)
    name = twin.service(service)["name"]
    twin.call("scale", service=name, count=count)
    say(f"{name}: desired count {count}")


@app.command()
def trigger(
    context: typer.Context,
    dag_id: Annotated[str, typer.Argument(help="Id of a DAG.", show_default=False)],
    stack: Stack = None,
    conf: Annotated[str, typer.Option(help="The run's configuration, as JSON.")] = "{}",
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the run has finished.")] = False,
) -> None:
    """Start a run of a DAG, and let the DAG run if it is paused."""
    from sandbox.twin.airflow_api import AirflowError

    try:
        settings = json.loads(conf)
    except json.JSONDecodeError as error:
        raise SandboxError(f"--conf: want JSON, got {conf!r}: {error}") from error
    try:
        state = _run(_twin(context, stack).airflow(), dag_id, settings, wait=wait)
    except AirflowError as error:
        raise SandboxError(str(error)) from error
    if wait and state != "success":
        raise SystemExit(1)


@app.command()
def release(context: typer.Context, stack: Stack = None) -> None:
    """Release the project's DAGs as they are, with the operators' own command; a start does it, too."""
    from sandbox.twin import client

    client.release(_project(context), _twin(context, stack), say)


@app.command()
def events(context: typer.Context, stack: Stack = None) -> None:
    """Show what the services have done, as ECS lists it."""
    for moment, text in _twin(context, stack).call("events"):
        typer.echo(f"{time.strftime('%H:%M:%S', time.localtime(moment))} {text}")


@app.command("env")
def environment(
    context: typer.Context,
    stack: Annotated[
        str | None, typer.Argument(help="Whose twin; default: the one that runs.", show_default=False)
    ] = None,
) -> None:
    """Print exports for a shell in which AWS tools, and `python -m operations`, talk to the twin alone."""
    from sandbox.twin.status import exports

    found = _twin(context, stack).brief_status()
    if not found["aws"]:
        raise SandboxError(f"the twin is not that far yet: {found['phase']}")
    typer.echo("\n".join(exports(found["aws"])))


@app.command()
def rewrites() -> None:
    """Show all that may differ between a container as rendered and as it runs here."""
    from sandbox.twin.rewrites import described
    from sandbox.twin.status import aligned

    typer.echo("\n".join(aligned([("KIND", "WHERE", "BECOMES", "WHEN", "WHY"), *described()])))


def _run(airflow: Airflow, dag_id: str, conf: dict[str, Any], *, wait: bool) -> str:
    """Start a run and return its state; when it is to be waited for, the last one."""
    run = airflow.trigger(dag_id, conf)
    airflow.pause(dag_id, paused=False)
    say(f"{dag_id}: {airflow.url}/dags/{dag_id}/runs/{run.id}")
    if not wait:
        return run.state
    begun = time.monotonic()
    found = airflow.wait(
        dag_id,
        [run.id],
        RUN_SECONDS,
        lambda counts: say(f"{dag_id}: {', '.join(counts)} after {time.monotonic() - begun:.1f} s"),
    )
    for (task_id, index), state in sorted(airflow.states(dag_id, run.id).items()):
        typer.echo(f"{task_id}{'' if index < 0 else f'[{index}]'} {state}")
    return found[run.id].state


def _project(context: typer.Context) -> Path:
    """Return the project that the option before the commands chose."""
    return Path(context.find_root().params.get("project") or ".")


def _twin(context: typer.Context, stack: str | None) -> Twin:
    from sandbox.twin.client import Twin

    return Twin.find(_project(context), stack)


def _on_tasks(twin: Twin, command: str, service: str, task: str | None, done: str, **arguments: Any) -> None:
    """Do something with a task of a service, or with each that runs."""
    from sandbox.twin.status import SHORT

    name, ids = twin.service(service)["name"], twin.tasks(service, task)
    for id in ids:
        twin.call(command, service=name, task=id, **arguments)
    say(f"{name}: {len(ids)} task(s) {done}: {', '.join(id[:SHORT] for id in ids)}")
