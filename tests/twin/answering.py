"""Stand-ins behind an endpoint that remember what they were asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509

from sandbox.twin.aws_endpoint import (
    STOPPED,
    Endpoint,
    ServiceTask,
    StandIns,
    TaskRefusedError,
    TaskRequest,
    TaskState,
)
from sandbox.twin.model import SecretSource, TaskDefinition


@dataclass
class Twin:
    """What the stand-ins were asked for, and what they answer."""

    state: TaskState = field(default_factory=lambda: TaskState(status=STOPPED, exit_codes={"bootstrap": 0}))
    refusal: str = ""
    running: int = 0
    requests: list[TaskRequest] = field(default_factory=list)
    users: list[dict[str, Any]] = field(default_factory=list)
    tasks: list[ServiceTask] = field(default_factory=list)
    definitions: dict[str, TaskDefinition] = field(default_factory=dict)
    logs: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    metadata: dict[str, dict[str, Any]] = field(default_factory=dict)
    endpoint: Endpoint = field(init=False)

    def run(self, request: TaskRequest) -> Callable[[], TaskState]:
        """Start a task, or refuse to."""
        if self.refusal:
            raise TaskRefusedError(self.refusal)
        self.requests.append(request)
        return lambda: self.state

    @property
    def stand_ins(self) -> StandIns:
        """What an endpoint is given."""
        return StandIns(
            run_task=self.run,
            modify_user=lambda asked: self.users.append(dict(asked)),
            running=lambda _: self.running,
            tasks=lambda: self.tasks,
            definition=lambda arn: self.definitions.get(arn, None),
            log=lambda group, stream: self.logs.get((group, stream)),
            metadata=lambda own: self.metadata.get(own, None),
        )

    def value(self, arn: str) -> str:
        """Return a secret."""
        return self.endpoint.resolve(SecretSource(arn=arn, key=None))


def names(pem: str) -> list[str]:
    """Return the host names in a certificate."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return found.get_values_for_type(x509.DNSName)
