"""`operations image`: makes an image with DAGs and deploys nothing.

Two occasions need it: the first image of a stack that shall have its DAGs in images, and another version of the
platform, whose settings name both images at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from operations.commands import (
    EXIT_CODES,
    PUBLISH_SECONDS,
    AsJson,
    BuildCommand,
    Commit,
    Folder,
    OutputsFile,
    Python,
    Repository,
    Stack,
    Variable,
    _connected,
    _gate,
    _read,
    _variables,
    app,
)

if TYPE_CHECKING:
    from operations.image_build import Base
    from operations.reporting import Report


@app.command(epilog=EXIT_CODES)
def image(
    path: Repository = Path(),
    commit: Commit = "HEAD",
    folder: Folder = "dags",
    stack: Stack = "dev",
    outputs: OutputsFile = None,
    base: Annotated[
        str,
        typer.Option(
            help="The platform's image, REPOSITORY@DIGEST; default: that of the stack.", show_default=False
        ),
    ] = "",
    architecture: Annotated[
        str, typer.Option(help="Processor of the image given by --base: arm64 or x86_64.")
    ] = "arm64",
    build_command: BuildCommand = "",
    timeout: Annotated[
        float, typer.Option("--timeout", min=0, help="Seconds for the build.")
    ] = PUBLISH_SECONDS,
    python: Python = None,
    variable: Variable = None,
    as_json: AsJson = False,
) -> None:
    """Check the DAGs of a commit, build and push an image that has them, show its digest; nothing is deployed.

    For the setting dags.imageDigest, before a stack first gets its DAGs in an image, and whenever image.digest changes.
    """
    from operations.reporting import reported

    variables = _variables(variable or [])
    with reported("image", as_json=as_json) as report:
        from operations.clock import Clock
        from operations.image_build import Builder
        from operations.release import judged

        tree, gate = _read(report, path, commit, folder), _gate(report, python, variables)
        given = _given(base, architecture) if base else _of_stack(report, stack, outputs)
        with tree:
            with judged(), report.screen.step("check the DAGs with the image's Airflow"):
                gate.check(tree)
            builder = Builder(base=given, command=build_command, patience_seconds=timeout)
            with report.screen.step("build and push the image") as say:
                digest = builder.build(tree, Clock().now(), say)
        release_id = tree.manifest.release_id
        report.add({"release_id": release_id, "git_commit": tree.commit, "image_digest": digest})
        report.show(f"release {release_id} is in the image\n{digest}")


def _given(base: str, architecture: str) -> Base:
    from operations.errors import OperationError
    from operations.image_build import DIGEST, PLATFORMS, Base

    repository, sign, digest = base.partition("@")
    if not sign or not repository or not DIGEST.fullmatch(digest):
        raise OperationError(f"--base {base}: want REPOSITORY@DIGEST")
    if architecture not in PLATFORMS:
        raise OperationError(f"--architecture {architecture}: want one of {', '.join(PLATFORMS)}")
    return Base(repository=repository, digest=digest, architecture=architecture)


def _of_stack(report: Report, stack: str, outputs: Path | None) -> Base:
    from operations.errors import OperationError
    from operations.in_image import base

    found = base(_connected(report, stack, outputs).outputs)
    if not found.repository:
        raise OperationError(
            f"the outputs of the stack {stack} lack repositoryUrl: apply it with this version of the program, or give"
            " the platform's image by --base"
        )
    return found
