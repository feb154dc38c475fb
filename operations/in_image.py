"""Puts together what releases and rolls back where the image has the DAGs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from images.airflow.platform_runtime.releases.ledger import Ledger
from operations.clock import Clock
from operations.deploy import Deployer
from operations.fleet import Fleet
from operations.gate import Gate
from operations.image_build import Base, Builder
from operations.image_release import ImagePublisher, ImageReleasing, ImageRollingBack, ImageSwitch
from operations.release import Tree
from operations.reporting import Report
from operations.stack_outputs import StackOutputs
from operations.uploads import ReleaseBucket

PROVE_SECONDS: Final = 900.0
"""Every container is replaced: a new one needs a minute or two, and one of before may end its tasks first."""


@dataclass(frozen=True, kw_only=True)
class InImage:
    """A stack whose image has the DAGs, and how it is deployed."""

    outputs: StackOutputs
    ledger: Ledger
    fleet: Fleet
    clock: Clock
    report: Report
    stack: str
    program: Path
    """Folder of the Pulumi program."""
    deploy_command: str = ""
    timeout_seconds: float | None = None
    """For the proofs, once it is deployed."""

    def switch(self) -> ImageSwitch:
        """Return what moves the pointer and deploys."""
        return ImageSwitch(
            self.ledger,
            self.fleet,
            self.report.screen,
            self.clock,
            self.report.interrupts,
            PROVE_SECONDS if self.timeout_seconds is None else self.timeout_seconds,
            deployer=Deployer(self.stack, self.program, self.deploy_command),
            before=self.outputs.dag_image_digest,
        )

    def releasing(
        self, tree: Tree, bucket: ReleaseBucket, gate: Gate, *, build_command: str, patience_seconds: float
    ) -> ImageReleasing:
        """Return the procedure of a release."""
        self.report.add({"delivery": "image"})
        self.report.screen.note("the DAGs go into an image: every container that reads them is replaced")
        builder = Builder(base=base(self.outputs), command=build_command, patience_seconds=patience_seconds)
        return ImageReleasing(
            ledger=self.ledger,
            bucket=bucket,
            publisher=ImagePublisher(tree, builder, self.ledger, self.clock),
            switch=self.switch(),
            gate=gate,
            screen=self.report.screen,
            deployed=self.outputs.dag_image_digest,
        )

    def rolling_back(self) -> ImageRollingBack:
        """Return the procedure of a rollback."""
        self.report.add({"delivery": "image"})
        self.report.screen.note("the DAGs are in an image: every container that reads them is replaced")
        return ImageRollingBack(
            ledger=self.ledger,
            switch=self.switch(),
            screen=self.report.screen,
            platform=self.outputs.image_digest,
        )


def base(outputs: StackOutputs) -> Base:
    """Return what an image with DAGs is made from on a stack."""
    return Base(
        repository=outputs.repository_url, digest=outputs.image_digest, architecture=outputs.architecture
    )
