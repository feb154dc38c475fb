"""Serves a policy pack to the engine, in the protocol that Pulumi's own SDK for policies speaks.

That SDK takes every resource apart again for every policy, loses what is secret, and ends a whole policy at the first
unknown value, without a trace at any level but advisory; docs/decisions/0017 has the measurements.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, plugin_pb2

from policies.crossguard import wire
from policies.crossguard.exceptions import Exceptions
from policies.crossguard.resources import Provider, Resource, Stack
from policies.crossguard.rules import Level, Policy, Relation, Rule, Severity
from policies.crossguard.types import canonical, canonical_properties
from policies.crossguard.values import View
from policies.crossguard.verdicts import OWN_POLICIES, Diagnostic, Verdicts

MESSAGE_BYTES: Final = 400 * 1024 * 1024
"""As large as the engine's own messages may be."""

_SEVERITIES: Final = {
    Severity.LOW: analyzer_pb2.POLICY_SEVERITY_LOW,
    Severity.MEDIUM: analyzer_pb2.POLICY_SEVERITY_MEDIUM,
    Severity.HIGH: analyzer_pb2.POLICY_SEVERITY_HIGH,
    Severity.CRITICAL: analyzer_pb2.POLICY_SEVERITY_CRITICAL,
}
_LEVELS: Final = {Level.ADVISORY: analyzer_pb2.ADVISORY, Level.MANDATORY: analyzer_pb2.MANDATORY}
_CONFIGURED: Final[Mapping[int, Level | None]] = {
    analyzer_pb2.ADVISORY: Level.ADVISORY,
    analyzer_pb2.MANDATORY: Level.MANDATORY,
    # Nothing is changed on the way: what is wrong has to be mended where it is written.
    analyzer_pb2.REMEDIATE: Level.MANDATORY,
    analyzer_pb2.DISABLED: None,
}


@dataclass(frozen=True, kw_only=True)
class Pack:
    """What a pack consists of."""

    name: str
    version: str
    """The same as in PulumiPolicy.yaml."""
    description: str
    rules: tuple[Rule, ...]
    relations: tuple[Relation, ...]
    exceptions: Exceptions

    @property
    def policies(self) -> tuple[Policy, ...]:
        """All that can be configured."""
        return (*self.rules, *self.relations, *OWN_POLICIES)


class Analyzer(analyzer_pb2_grpc.AnalyzerServicer):
    """Answers the engine."""

    def __init__(self, pack: Pack) -> None:
        """Judge at the strictest level until the engine has sent a configuration."""
        self._pack = pack
        self._configure({})

    def _configure(self, levels: Mapping[str, Level | None]) -> None:
        self._verdicts = Verdicts(self._pack.rules, self._pack.relations, levels, self._pack.exceptions)

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Accept the engine."""
        return analyzer_pb2.AnalyzerHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Name the version."""
        return plugin_pb2.PluginInfo(version=self._pack.version)

    def GetAnalyzerInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        """List the rules."""
        return analyzer_pb2.AnalyzerInfo(
            name=self._pack.name,
            version=self._pack.version,
            supportsConfig=True,
            description=self._pack.description,
            policies=[_info(policy) for policy in self._pack.policies],
        )

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Take the levels of a configuration file."""
        levels = {name: _CONFIGURED[given.enforcementLevel] for name, given in request.policyConfig.items()}
        self._configure(levels)
        return empty_pb2.Empty()

    def ConfigureStack(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Begin with a stack."""
        return analyzer_pb2.AnalyzerStackConfigureResponse()

    def Analyze(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Judge one resource."""
        return self._response(self._verdicts.resource(_resource(request)))

    def AnalyzeStack(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Judge a stack."""
        return self._response(self._verdicts.stack(Stack([_related(each) for each in request.resources])))

    def Remediate(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Change nothing."""
        return analyzer_pb2.RemediateResponse()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Have nothing to end."""
        return empty_pb2.Empty()

    def _response(self, diagnostics: Iterable[Diagnostic]) -> Any:
        return analyzer_pb2.AnalyzeResponse(
            diagnostics=[
                analyzer_pb2.AnalyzeDiagnostic(
                    policyName=each.policy.name,
                    policyPackName=self._pack.name,
                    policyPackVersion=self._pack.version,
                    description=each.policy.why,
                    message=f"{each.message}\n{each.policy.why} {each.policy.fix}",
                    urn=each.urn,
                    enforcementLevel=_LEVELS[each.level],
                    severity=_SEVERITIES[each.policy.severity],
                )
                for each in diagnostics
            ]
        )


def _info(policy: Policy) -> Any:
    kind = analyzer_pb2.POLICY_TYPE_RESOURCE if isinstance(policy, Rule) else analyzer_pb2.POLICY_TYPE_STACK
    return analyzer_pb2.PolicyInfo(
        name=policy.name,
        description=policy.why,
        enforcementLevel=analyzer_pb2.MANDATORY,
        policy_type=kind,
        severity=_SEVERITIES[policy.severity],
        remediation_steps=policy.fix,
        framework=analyzer_pb2.PolicyComplianceFramework(reference=", ".join(policy.references)),
    )


def _resource(request: Any) -> Resource:
    provider = None
    if request.HasField("provider"):
        given = request.provider
        props = View.of(wire.properties(given.properties))
        provider = Provider(urn=given.urn, name=given.name, props=props)
    return Resource(
        urn=request.urn,
        type=canonical(request.type),
        token=request.type,
        name=request.name,
        props=View.of(canonical_properties(request.type, wire.properties(request.properties))),
        protect=request.options.protect,
        parent=request.options.parent,
        provider=provider,
    )


def _related(request: Any) -> Resource:
    alone = _resource(request)
    return Resource(
        **{
            name: getattr(alone, name)
            for name in ("urn", "type", "token", "name", "props", "protect", "provider")
        },
        parent=request.parent,
        dependencies=tuple(request.dependencies),
        property_dependencies={
            name: tuple(depended.urns) for name, depended in request.propertyDependencies.items()
        },
    )


def serve(pack: Pack) -> None:
    """Serve until the engine ends this process; the engine reads the port from standard output."""
    options = [("grpc.max_receive_message_length", MESSAGE_BYTES)]
    server = grpc.server(ThreadPoolExecutor(max_workers=4), options=options)
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Analyzer(pack), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()
