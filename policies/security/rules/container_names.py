"""Container definitions: how their parts are spelled.

The provider takes names in any case of letters: a `Privileged` counts, and no other rule would see it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from policies.crossguard.findings import Finding, Violation, judged
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View
from policies.security.rules.containers import ON, containers

NAMES: Final = frozenset(
    """
    add appProtocol capabilities command condition containerName containerPath containerPort containerPortRange cpu
    credentialSpecs credentialsParameter dependsOn devices disableNetworking dnsSearchDomains dnsServers dockerLabels
    dockerSecurityOptions drop enabled entryPoint environment environmentFiles essential extraHosts
    firelensConfiguration hardLimit healthCheck hostPath hostPort hostname ignoredExitCodes image initProcessEnabled
    interactive interval ipAddress links linuxParameters logConfiguration logDriver maxComputePercent maxSwap memory
    memoryReservation mountOptions mountPoints name namespace nvidiaMps options permissions portMappings privileged
    protocol pseudoTerminal readOnly readonlyRootFilesystem repositoryCredentials resourceRequirements
    restartAttemptPeriod restartPolicy retries secretOptions secrets sharedMemorySize sharingStrategy size softLimit
    sourceContainer sourceVolume startPeriod startTimeout stopTimeout swappiness systemControls timeout tmpfs type
    ulimits user value valueFrom versionConsistency volumesFrom workingDirectory
    """.split()  # noqa: SIM905  as a list it would be a page
)
"""All names in a container definition of ECS."""
FREE: Final = frozenset({"dockerLabels", "options"})
"""Objects whose names are the program's own."""
_BY_LETTERS: Final = {name.casefold(): name for name in NAMES}


def _spelled(view: View) -> Iterator[Finding]:
    # What is not known here is left undecided by the rules that read it.
    value = None if view.unknown or view.absent else view.known()
    if isinstance(value, list | tuple):
        for item in view.items():
            yield from judged(_spelled, item)
    elif isinstance(value, Mapping):
        for key, inner in view.entries():
            name = _BY_LETTERS.get(key.casefold(), key)
            if key != name:
                yield Violation(f"{inner.path} is spelled {name}")
            if name not in FREE:
                yield from judged(_spelled, inner)


RULES: Final = (
    Rule(
        name="container-names-spelled",
        why="AWS gets what is spelled in another way as well, but no rule looks at it.",
        fix="Spell the names in container definitions as ECS does, with a small letter first.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("2", "6", "15"),
        on=ON,
        check=containers(_spelled),
    ),
)
