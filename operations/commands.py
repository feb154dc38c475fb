"""The operator's command line. Every command reads the stack's outputs, does one thing, and says how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from images.airflow.platform_runtime.releases.ledger import Ledger
    from operations.aws import Aws
    from operations.clock import Clock
    from operations.fleet import Fleet
    from operations.gate import AirflowGate
    from operations.git_tree import GitTree
    from operations.in_image import InImage
    from operations.publisher_task import PublisherTask
    from operations.release import Who
    from operations.reporting import Report
    from operations.stack_outputs import Outputs, StackOutputs
    from operations.switch import Switch

PROGRAM: Final = Path(__file__).resolve().parent.parent
"""Folder with the Pulumi program."""
PROVE_SECONDS: Final = 180.0
PUBLISH_SECONDS: Final = 900.0
VERIFY_SECONDS: Final = 120.0
COLLECT_DAYS: Final = 30

EXIT_CODES: Final = """Exit codes:

- 0: done; except for `releases` and `collect`, every running container has proved it.

- 1: not done, and the pointer is where it was; `verify`: somebody holds something else or did not answer.

- 2: wrong usage.

- 3: somebody else moved the pointer meanwhile; theirs stands.

- 4: the pointer is on a release that is not proved everywhere; the message says what to do.

- 130: stopped by Ctrl-C; the message says where the pointer is.
"""

app = typer.Typer(
    help="Operate a running platform: release DAGs, go back, and prove what every container holds.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)

Stack = Annotated[str, typer.Option("--stack", "-s", help="The environment's stack, as Pulumi knows it.")]
OutputsFile = Annotated[
    Path | None,
    typer.Option(
        "--outputs",
        envvar="OPERATIONS_OUTPUTS",
        help="File with what `pulumi stack output --json` has written, - for standard input; default: Pulumi is asked.",
        show_default=False,
    ),
]
AsJson = Annotated[
    bool,
    typer.Option(
        "--json",
        help="One JSON document on standard output, also after an error; all else goes to standard error.",
    ),
]
Timeout = Annotated[
    float,
    typer.Option("--timeout", min=0, help="Seconds until every running container must have proved it."),
]
ProofTimeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        min=0,
        help="Seconds until every running container must have proved it; default 180, with DAGs in the image 900.",
        show_default=False,
    ),
]
BuildCommand = Annotated[
    str,
    typer.Option(
        help="Where the image has the DAGs: shell command that builds and pushes instead of `docker buildx build`; it "
        "finds CONTEXT, METADATA_FILE, DAG_IMAGE and PLATFORM in its environment.",
        show_default=False,
    ),
]
DeployCommand = Annotated[
    str,
    typer.Option(
        help="Where the image has the DAGs: shell command that deploys it instead of `pulumi config set` and "
        "`pulumi up`; it finds DAG_IMAGE_DIGEST and STACK in its environment.",
        show_default=False,
    ),
]


Repository = Annotated[Path, typer.Argument(help="Folder of the Git repository with the DAGs.")]
Commit = Annotated[str, typer.Option(help="What to release: a commit, a branch, a tag.")]
Folder = Annotated[
    str, typer.Option(help="Folder of the repository that becomes the release; . for all of it.")
]
Python = Annotated[
    Path | None,
    typer.Option(
        help="Python with the image's packages, which reads the DAGs; default: an environment is made once.",
        show_default=False,
    ),
]
Variable = Annotated[
    list[str] | None,
    typer.Option(
        help="NAME=VALUE that the DAGs need in their environment to be read; repeatable.",
        show_default=False,
    ),
]


@app.command(epilog=EXIT_CODES)
def check(
    path: Repository = Path(),
    commit: Commit = "HEAD",
    folder: Folder = "dags",
    python: Python = None,
    variable: Variable = None,
    record: Annotated[
        Path | None,
        typer.Option(
            help="File for the approval, with which `release --checked` need not read the DAGs again."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check the DAGs of a commit as a release would, without AWS: for pull requests.

    The tree is refused if no release can have it or if the image's Airflow cannot read its DAGs.
    """
    from operations.reporting import reported

    variables = _variables(variable or [])
    with reported("check", as_json=as_json) as report:
        from operations.check import Checking

        with _read(report, path, commit, folder) as tree:
            gate = _gate(report, python, variables)
            checked = Checking(gate, report.screen, record).run(tree)
        report.add(checked.document())
        report.show(*checked.shown())


@app.command(epilog=EXIT_CODES)
def release(
    path: Repository = Path(),
    commit: Commit = "HEAD",
    folder: Folder = "dags",
    stack: Stack = "dev",
    outputs: OutputsFile = None,
    timeout: ProofTimeout = None,
    publish_timeout: Annotated[
        float, typer.Option(min=0, help="Seconds for the publisher's task, from its start to its end.")
    ] = PUBLISH_SECONDS,
    build_command: BuildCommand = "",
    deploy_command: DeployCommand = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check and compare only; nothing is written anywhere.")
    ] = False,
    python: Python = None,
    variable: Variable = None,
    checked: Annotated[
        Path | None,
        typer.Option(
            help="Approval that `check --record` has written within the last hour; the DAGs are read again if it is "
            "for something else."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Release the DAGs of a commit: check, publish, make current, prove.

    PATH is a folder of the Git repository with the DAGs. What is committed is released, never the work tree. The tree
    is refused if no release can have it or if the image's Airflow cannot read its DAGs. The pointer moves once the
    release is on the file system; if a container then does not prove it in time, or holds something else, the pointer
    goes back. Where the image has the DAGs, an image is built and pushed instead, and deployed once the pointer has
    moved.
    """
    from operations.reporting import reported

    variables = _variables(variable or [])
    with reported("release", as_json=as_json) as report:
        from operations.checked import Checked
        from operations.release import Releasing
        from operations.uploads import ReleaseBucket

        tree, gate = _read(report, path, commit, folder), _gate(report, python, variables)
        parts = _connected(report, stack, outputs)
        bucket = ReleaseBucket(parts.aws.s3, parts.outputs.release_bucket)
        judge = Checked(gate=gate, file=checked, say=report.screen.note) if checked else gate
        if parts.outputs.dags_in_image:
            releasing: Releasing = parts.in_image(stack, deploy_command, timeout).releasing(
                tree, bucket, judge, build_command=build_command, patience_seconds=publish_timeout
            )
        else:
            releasing = Releasing(
                ledger=parts.ledger,
                bucket=bucket,
                publisher=parts.publisher(publish_timeout),
                switch=parts.switch(PROVE_SECONDS if timeout is None else timeout),
                gate=judge,
                screen=report.screen,
            )
        with tree:
            released = releasing.run(tree, parts.who, dry_run=dry_run)
        report.add(released.document())
        report.show(*released.shown())


@app.command(epilog=EXIT_CODES)
def rollback(
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            help="A release or commit, or its first 6 characters; `genesis` for no DAGs; default: one step back.",
            show_default=False,
        ),
    ] = None,
    stack: Stack = "dev",
    outputs: OutputsFile = None,
    timeout: ProofTimeout = None,
    deploy_command: DeployCommand = "",
    as_json: AsJson = False,
) -> None:
    """Go back to an earlier release; nothing is copied, so it takes seconds.

    By default to the release before the current one. Releases that were rolled back or never proved are not chosen, so
    each rollback goes a step further back. The pointer stays there even if a container does not prove it in time (exit
    code 4): what it left was worse. Runs that have begun end on the release they began with.
    """
    from operations.reporting import reported

    with reported("rollback", as_json=as_json) as report:
        from operations.rollback import RollingBack

        parts = _connected(report, stack, outputs)
        if parts.outputs.dags_in_image:
            rolling: RollingBack = parts.in_image(stack, deploy_command, timeout).rolling_back()
        else:
            switch = parts.switch(PROVE_SECONDS if timeout is None else timeout)
            rolling = RollingBack(ledger=parts.ledger, switch=switch, screen=report.screen)
        rolled = rolling.run(parts.who, to)
        report.add(rolled.document())
        report.show(*rolled.shown())


@app.command(epilog=EXIT_CODES)
def releases(
    stack: Stack = "dev",
    outputs: OutputsFile = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many, the newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List releases: when, by whom, what became of them, how many containers hold them and how many runs need them.

    Runs are those that have not ended, as the dag-processor has counted them within the last minutes; - if it has not.
    """
    from operations.reporting import reported

    with reported("releases", as_json=as_json) as report:
        from operations import listing

        parts = _connected(report, stack, outputs)
        rows = listing.read(parts.ledger, parts.fleet, parts.clock.now())
        report.add({"total": len(rows), "releases": [row.document() for row in rows[:limit]]})
        more = [f"and {len(rows) - limit} more: --limit shows them"] if len(rows) > limit else []
        report.show(listing.table(rows[:limit]), *more)


@app.command(epilog=EXIT_CODES)
def collect(
    stack: Stack = "dev",
    outputs: OutputsFile = None,
    older_than_days: Annotated[
        int, typer.Option(min=0, help="Releases that were published since so many days stay.")
    ] = COLLECT_DAYS,
    only: Annotated[
        str | None,
        typer.Option(
            help="Nothing but this release goes, whatever its age: for one that is broken. A release or commit, or its "
            "first 6 characters.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would go and why the rest stays; nothing is removed.")
    ] = False,
    publish_timeout: Annotated[
        float,
        typer.Option("--timeout", min=0, help="Seconds for the publisher's task, from its start to its end."),
    ] = PUBLISH_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Take old releases away from the file system; every release does that afterwards, too.

    The current release and the one before it stay, the last 20, whatever was current within the last hour, and every
    release that an unfinished run of a DAG needs. If the dag-processor has not counted the runs within the last 15
    minutes, nothing goes. Files are removed a day after their release has gone.
    """
    from operations.reporting import reported

    with reported("collect", as_json=as_json) as report:
        from operations.collect import Collecting
        from operations.errors import OperationError

        parts = _connected(report, stack, outputs)
        if parts.outputs.dags_in_image:
            raise OperationError(
                "the DAGs are in images, and the registry's lifecycle policy takes old ones away"
            )
        collecting = Collecting(
            ledger=parts.ledger,
            readers=parts.outputs.reader_services,
            publisher=parts.publisher(publish_timeout),
            screen=report.screen,
            clock=parts.clock,
        )
        collected = collecting.run(older_than_days=older_than_days, only=only, dry_run=dry_run)
        report.add(collected.document())
        report.show(*collected.shown())


@app.command(epilog=EXIT_CODES)
def verify(
    stack: Stack = "dev",
    outputs: OutputsFile = None,
    timeout: Timeout = VERIFY_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Ask every running container to read its copies again, and show what each has found."""
    from operations.reporting import reported

    with reported("verify", as_json=as_json) as report:
        from operations.errors import OperationError
        from operations.verify import Verifying

        parts = _connected(report, stack, outputs)
        verifying = Verifying(
            parts.ledger, parts.fleet, report.screen, parts.clock, report.interrupts, timeout
        )
        verified = verifying.run()
        report.add(verified.document())
        report.show(*verified.shown())
        if not verified.ok:
            raise OperationError(verified.problem)


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """What the commands work with."""

    report: Report
    outputs: StackOutputs
    aws: Aws
    who: Who
    ledger: Ledger
    fleet: Fleet
    clock: Clock

    def switch(self, timeout_seconds: float) -> Switch:
        from operations.switch import Switch

        report = self.report
        return Switch(self.ledger, self.fleet, report.screen, self.clock, report.interrupts, timeout_seconds)

    def in_image(self, stack: str, deploy_command: str, timeout_seconds: float | None) -> InImage:
        from operations.in_image import InImage

        return InImage(
            outputs=self.outputs,
            ledger=self.ledger,
            fleet=self.fleet,
            clock=self.clock,
            report=self.report,
            stack=stack,
            program=PROGRAM,
            deploy_command=deploy_command,
            timeout_seconds=timeout_seconds,
        )

    def publisher(self, timeout_seconds: float) -> PublisherTask:
        from operations.publisher_task import PublisherPlace, PublisherTask

        given = self.outputs
        place = PublisherPlace(
            cluster=given.cluster,
            task_definition=given.publisher_task_definition,
            subnets=given.publisher_subnets,
            security_groups=given.publisher_security_groups,
        )
        return PublisherTask(
            self.aws.ecs,
            self.aws.logs,
            place,
            self.clock,
            readers=given.reader_services,
            patience_seconds=timeout_seconds,
        )


def _read(report: Report, path: Path, commit: str, folder: str) -> GitTree:
    """Read the commit; its content is read only when it is needed."""
    from operations import git_tree

    with report.screen.step(f"read {folder} of {commit} in {path}") as say:
        tree = git_tree.read(path, commit, folder)
        say(f"commit {tree.commit[:12]}, release {tree.manifest.release_id[:12]}")
    if commit == "HEAD" and git_tree.dirty(path, folder):
        report.screen.warn(f"{folder} has changes that are not committed; they are left out")
    return tree


def _gate(report: Report, python: Path | None, variables: dict[str, str]) -> AirflowGate:
    from operations.gate import AirflowGate

    return AirflowGate(python=python, variables=variables, say=report.screen.note)


def _connected(report: Report, stack: str, file: Path | None) -> _Parts:
    """Read the outputs and sign in; nothing is changed by that."""
    from images.airflow.platform_runtime.releases.ledger import connect
    from operations.aws import Aws
    from operations.clock import Clock
    from operations.fleet import Fleet
    from operations.release import Who
    from operations.stack_outputs import FileOutputs, PulumiOutputs

    source: Outputs = FileOutputs(file) if file else PulumiOutputs(stack, PROGRAM)
    with report.screen.step(f"read the outputs of {file or stack}"):
        outputs = source.read()
    aws = Aws(outputs.region)
    with report.screen.step("sign in to AWS") as say:
        caller = aws.caller(outputs.account)
        say(caller.arn)
    return _Parts(
        report=report,
        outputs=outputs,
        aws=aws,
        who=Who(publisher=caller.arn, image_digest=outputs.image_digest),
        ledger=connect(outputs.ledger_table, aws.session),
        fleet=Fleet(aws.ecs, outputs.cluster, outputs.reader_services),
        clock=Clock(),
    )


def _variables(given: list[str]) -> dict[str, str]:
    pairs = [each.partition("=") for each in given]
    for name, sign, _ in pairs:
        if not name or not sign:
            raise typer.BadParameter(f"want NAME=VALUE, got {name + sign!r}", param_hint="--variable")
    return {name: value for name, _, value in pairs}
