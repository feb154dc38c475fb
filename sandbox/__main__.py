"""`python -m sandbox`: Pulumi on simulated AWS.

up, preview and down work on stacks; `pulumi` passes any other command on.
"""

from __future__ import annotations

import contextlib
import gc
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sandbox.arguments import parse
from sandbox.run import READ_ONLY, InterruptedRunError, Options, Sandbox, SandboxError, opened, say
from sandbox.twin.commands import PORT, welcomed
from sandbox.twin.commands import app as twin

if TYPE_CHECKING:
    from sandbox.twin.dag_check import Check

app = typer.Typer(
    help="Run the real Pulumi engine on simulated AWS: no account, no credentials, nothing real is created.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # importing rich for help texts would cost every command 50 ms
)
app.add_typer(twin, name="twin")


SERVICE: Final = "aws:ecs/service:Service"
"""A stack with one has something to run."""
INTERRUPTED: Final = 130
"""Exit code of a command that was stopped by Ctrl-C, as shells have it."""


class Choices:
    """What the options before the command chose."""

    project = Path()
    options = Options()


@app.callback()
def choose(
    project: Annotated[Path, typer.Option(help="Folder with the program's Pulumi.yaml.")] = Path(),
    account: Annotated[
        str | None,
        typer.Option(help="Account id of the simulated credentials; default: the one the program allows."),
    ] = None,
    latency: Annotated[
        float,
        typer.Option(
            min=0.0, help="Scale of AWS's own latencies: 1 waits as long as AWS takes, 0 not at all."
        ),
    ] = 0.0,
    fail: Annotated[
        list[str] | None,
        typer.Option(help="Plant a failure: TYPE::NAME[=once|always], globs allowed; repeatable."),
    ] = None,
    port: Annotated[
        int,
        typer.Option(min=0, max=65535, help="Port of the simulated providers on 127.0.0.1; 0: a free one."),
    ] = 0,
    functions_endpoint: Annotated[
        str | None,
        typer.Option(
            help="Run invoked Lambda functions with this URL on this machine (a moto server) as their AWS; "
            "default: nothing runs."
        ),
    ] = None,
    checkpoints: Annotated[
        bool,
        typer.Option(
            help="Save the state of a new stack while it is applied; without, once at the end, which takes a third "
            "of the time: what a killed run has made is then deleted by the next."
        ),
    ] = True,
    policies: Annotated[
        bool,
        typer.Option(help="Judge what is previewed and applied by the packs in the project's `policies`."),
    ] = True,
    stats: Annotated[
        Path | None,
        typer.Option(help="Write what the simulated provider cost (calls, seconds) to this JSON file."),
    ] = None,
) -> None:
    """Run the real Pulumi engine on simulated AWS."""
    Choices.project = project
    Choices.options = Options(
        account, latency, tuple(fail or ()), port, functions_endpoint, checkpoints, policies, stats
    )


@app.command()
def up(
    context: typer.Context,
    stacks: Annotated[list[str], typer.Argument(help="Stacks to apply, with what they reference.")],
    with_twin: Annotated[
        bool, typer.Option("--twin", help="Then run the real Airflow of each environment on this machine.")
    ] = False,
    twin_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of Airflow on localhost; 0: a free one.")
    ] = PORT,
) -> None:
    """Apply stacks and the stacks that they reference."""
    with contextlib.ExitStack() as meanwhile:
        with opened(Choices.project, Choices.options, writes=True) as sandbox:
            banner(sandbox)
            # Applying leaves processors idle.
            check = meanwhile.enter_context(_checking_dags()) if with_twin else None
            for stack in stacks:
                sandbox.up(stack)
        say(f"simulated AWS: up {', '.join(stacks)} finished")
        if with_twin:
            from sandbox.recovery import resources

            for stack in stacks:
                if any(each["type"] == SERVICE for each in resources(sandbox.workspace, stack)):
                    welcomed(context, stack, "--port", str(twin_port), check=check)


def _checking_dags() -> contextlib.AbstractContextManager[Check]:
    from sandbox.twin.dag_check import checking

    return checking(Choices.project)


@app.command()
def preview(stack: Annotated[str, typer.Argument(help="Stack to preview.")]) -> None:
    """Preview a stack and check its mandatory edges."""
    # Applying a missing referenced stack writes, so this must not run beside an update.
    with opened(Choices.project, Choices.options, writes=True) as sandbox:
        banner(sandbox)
        code = sandbox.preview(stack)
    if code:
        raise SystemExit(code)


@app.command()
def down(
    stacks: Annotated[list[str] | None, typer.Argument(help="Stacks to destroy; default: all.")] = None,
) -> None:
    """Destroy stacks, those that reference others first, and show what is left."""
    with opened(Choices.project, Choices.options, writes=True) as sandbox:
        banner(sandbox)
        applied = sandbox.workspace.applied()
        wanted = stacks or applied
        for stack in sorted(wanted, key=lambda stack: -len(sandbox.workspace.references(stack))):
            _end_twin(stack)
            sandbox.down(stack)
        left = list(sandbox.inventory)
        say(f"simulated AWS: {len(wanted)} stack(s) destroyed; the inventory holds {len(left)} resource(s)")
        if not stacks and left:
            lines = "\n".join(f"  {entry.token} {entry.id} ({entry.urn})" for entry in left)
            raise SandboxError(f"resources exist that no state knows:\n{lines}")


def _end_twin(stack: str) -> None:
    """End the twin of a stack that is about to be destroyed, if one runs."""
    from sandbox.twin.client import Twin, folders
    from sandbox.twin.control import NoTwinError

    with contextlib.suppress(NoTwinError):
        Twin(folders(Choices.project) / stack).stop()
        say(f"{stack}: its twin has ended")


@app.command()
def inventory() -> None:
    """List what exists in simulated AWS, and whether a state knows it."""
    from sandbox.provider.inventory import Inventory
    from sandbox.recovery import unknown_to_state
    from sandbox.workspace import Workspace

    workspace = Workspace(Choices.project.resolve())
    _ = workspace.name  # refuses a folder that is no project
    everything = Inventory(workspace.journal)
    stacks = {entry.urn.split("::")[0].rsplit(":", 1)[-1] for entry in everything}
    lost = {entry.key for stack in stacks for entry in unknown_to_state(workspace, stack, everything)}
    for entry in everything:
        known = "in no state" if entry.key in lost else "in state"
        typer.echo(f"{entry.account} {entry.token} {entry.id} {known} {entry.urn}")
    say(f"simulated AWS: {len(everything)} resource(s), {len(lost)} of them in no state")


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
def pulumi(context: typer.Context) -> None:
    """Run any Pulumi command: `python -m sandbox pulumi stack ls`."""
    arguments = parse(context.args)
    writes = arguments.command not in READ_ONLY and not arguments.has("--help", "-h")
    with opened(Choices.project, Choices.options, writes=writes) as sandbox:
        banner(sandbox)
        code = sandbox.passthrough(context.args)
    if code:
        raise SystemExit(code)


@app.command()
def image(
    context: Annotated[Path, typer.Argument(help="Folder with a Dockerfile.", show_default=False)],
    metadata_file: Annotated[
        Path | None, typer.Option(help="Write the digest to this file, as BuildKit does.", show_default=False)
    ] = None,
) -> None:
    """Build an image with DAGs for twins, without a container engine: a stand-in for `docker buildx build --push`."""
    from sandbox.twin import dag_image
    from sandbox.workspace import FOLDER

    images = Choices.project.resolve() / FOLDER / dag_image.FOLDER
    digest = dag_image.build(context, images, metadata_file)
    say(f"simulated build: {digest} is kept in {images} and pushed nowhere")
    typer.echo(digest)


@app.command()
def engine() -> None:
    """Find or build the Pulumi CLI and print its path."""
    from sandbox.engine import find

    found = find(say)
    typer.echo(f"{found.path} {found.version} ({found.origin})")


def banner(sandbox: Sandbox) -> None:
    """Say, before anything else, that nothing here is real."""
    say(
        f"simulated AWS: nothing real is read or changed ({sandbox.workspace.name}, {sandbox.workspace.root})"
    )


def _interrupted(*_: object) -> None:
    """Raise what `main` answers: typer ends on a KeyboardInterrupt without a word."""
    raise InterruptedRunError


def main() -> None:
    """Run the command line; every expected failure is one message."""
    from sandbox.engine.build import BuildError
    from sandbox.engine.discovery import EngineError
    from sandbox.workspace import WorkspaceError

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupted)
    try:
        app()
    except (InterruptedRunError, KeyboardInterrupt):
        say(f"simulated AWS: {InterruptedRunError()}")
        sys.exit(INTERRUPTED)
    except (SandboxError, EngineError, BuildError, WorkspaceError, OSError, ValueError) as error:
        say(f"simulated AWS: error: {error}")
        sys.exit(1)
    finally:
        # Half a million objects need not be searched for garbage on the way out: saves 45 ms of every command.
        gc.freeze()


if __name__ == "__main__":
    main()
