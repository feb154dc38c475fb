"""The server, asked as the engine asks it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import analyzer_pb2

from policies.crossguard import server
from policies.crossguard.exceptions import Exceptions
from policies.crossguard.resources import Stack
from policies.crossguard.rules import About
from policies.crossguard.server import Analyzer, Pack
from policies.crossguard.wire import SECRET, SIGNATURE
from tests.policies.packs import THING, failing, relation, rule, urn

PACK = Pack(
    name="things",
    version="1.2.3",
    description="About things",
    rules=(rule(),),
    relations=(relation(),),
    exceptions=Exceptions(),
)
UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def struct(**properties: Any) -> struct_pb2.Struct:
    found = struct_pb2.Struct()
    found.update(properties)
    return found


def request(**properties: Any) -> Any:
    return analyzer_pb2.AnalyzeRequest(
        type=THING, urn=urn("one"), name="one", properties=struct(**properties)
    )


def analyze(pack: Pack = PACK, levels: dict[str, Any] | None = None, **properties: Any) -> Any:
    analyzer = Analyzer(pack)
    if levels is not None:
        config = {name: analyzer_pb2.PolicyConfig(enforcementLevel=level) for name, level in levels.items()}
        analyzer.Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig=config), None)
    return analyzer.Analyze(request(**properties), None)


def test_good_properties_give_no_diagnostic() -> None:
    assert list(analyze(locked=True).diagnostics) == []


def test_a_violation_is_a_diagnostic() -> None:
    (found,) = analyze(locked=False).diagnostics
    assert found == analyzer_pb2.AnalyzeDiagnostic(
        policyName="thing-locked",
        policyPackName="things",
        policyPackVersion="1.2.3",
        description="An open thing is open.",
        message="locked is False, want true\nAn open thing is open. Lock it.",
        urn=urn("one"),
        enforcementLevel=analyzer_pb2.MANDATORY,
        severity=analyzer_pb2.POLICY_SEVERITY_HIGH,
    )


@pytest.mark.parametrize(
    ("configured", "level"),
    [
        (analyzer_pb2.ADVISORY, analyzer_pb2.ADVISORY),
        (analyzer_pb2.MANDATORY, analyzer_pb2.MANDATORY),
        (analyzer_pb2.REMEDIATE, analyzer_pb2.MANDATORY),
    ],
)
def test_the_configuration_decides_the_level(configured: Any, level: Any) -> None:
    assert [each.enforcementLevel for each in analyze(levels={"thing-locked": configured}).diagnostics] == [
        level
    ]


def test_a_disabled_rule_is_silent() -> None:
    assert list(analyze(levels={"thing-locked": analyzer_pb2.DISABLED}).diagnostics) == []


def test_a_secret_is_judged_and_not_shown() -> None:
    (found,) = analyze(locked={SIGNATURE: SECRET, "value": "hunter2"}).diagnostics
    assert found.message.splitlines()[0] == "locked is [secret], want true or false"


def related(name: str, **properties: Any) -> Any:
    return analyzer_pb2.AnalyzerResource(
        type=THING,
        urn=urn(name),
        name=name,
        parent=urn("parent"),
        properties=struct(**properties),
        options=analyzer_pb2.AnalyzerResourceOptions(protect=True),
        provider=analyzer_pb2.AnalyzerProviderResource(
            urn="p", name="aws", properties=struct(region="eu-west-1")
        ),
        dependencies=[urn("two")],
        propertyDependencies={"key": analyzer_pb2.AnalyzerPropertyDependencies(urns=[urn("two")])},
    )


def seen(*resources: Any) -> Stack:
    """Return the stack as a relation gets it."""
    stacks: list[Stack] = []

    def look(stack: Stack) -> Iterator[About]:
        stacks.append(stack)
        return iter(())

    pack = Pack(
        name="x",
        version="1",
        description="x",
        rules=(),
        relations=(relation(check=look),),
        exceptions=Exceptions(),
    )
    Analyzer(pack).AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=resources), None)
    return stacks[0]


def test_a_relation_gets_everything_about_a_resource() -> None:
    (found,) = seen(related("one", locked=True)).resources
    assert found.provider is not None
    assert (found.urn, found.type, found.name, found.parent, found.protect) == (
        urn("one"),
        THING,
        "one",
        urn("parent"),
        True,
    )
    assert (found.dependencies, found.property_dependencies) == ((urn("two"),), {"key": (urn("two"),)})
    assert found.props["locked"].flag()
    assert found.provider.props["region"].text() == "eu-west-1"


def test_what_a_property_was_made_of_is_found() -> None:
    stack = seen(related("one"), related("two"))
    assert [each.name for each in stack.behind(stack.by_urn[urn("one")], "key", THING)] == ["two"]


def test_a_violated_relation_is_a_diagnostic() -> None:
    answer = Analyzer(PACK).AnalyzeStack(
        analyzer_pb2.AnalyzeStackRequest(resources=[related("one", locked=True)]), None
    )
    assert [(each.policyName, each.urn) for each in answer.diagnostics] == [("thing-befriended", urn("one"))]


def test_what_is_undecided_is_advisory() -> None:
    analyzer = Analyzer(PACK)
    assert list(analyzer.Analyze(request(locked=UNKNOWN_TEXT), None).diagnostics) == []
    answer = analyzer.AnalyzeStack(
        analyzer_pb2.AnalyzeStackRequest(resources=[related("one", befriended=True)]), None
    )
    assert [(each.policyName, each.enforcementLevel) for each in answer.diagnostics] == [
        ("undecided", analyzer_pb2.ADVISORY)
    ]


def test_a_rule_that_fails_stops_the_preview() -> None:
    pack = Pack(
        name="x",
        version="1",
        description="x",
        rules=(rule(check=failing),),
        relations=(),
        exceptions=Exceptions(),
    )
    (found,) = analyze(pack).diagnostics
    assert found.enforcementLevel == analyzer_pb2.MANDATORY


def test_every_policy_is_listed_with_a_level_of_its_own() -> None:
    info = Analyzer(PACK).GetAnalyzerInfo(empty_pb2.Empty(), None)
    assert [(each.name, each.enforcementLevel) for each in info.policies] == [
        ("thing-locked", analyzer_pb2.MANDATORY),
        ("thing-befriended", analyzer_pb2.MANDATORY),
        ("exceptions", analyzer_pb2.MANDATORY),
        ("undecided", analyzer_pb2.MANDATORY),
    ]


def test_a_policy_is_listed_with_all_that_it_says_about_itself() -> None:
    found = Analyzer(PACK).GetAnalyzerInfo(empty_pb2.Empty(), None).policies[0]
    assert (found.description, found.remediation_steps, found.framework.reference) == (
        "An open thing is open.",
        "Lock it.",
        "X.1",
    )
    assert (found.policy_type, found.severity) == (
        analyzer_pb2.POLICY_TYPE_RESOURCE,
        analyzer_pb2.POLICY_SEVERITY_HIGH,
    )


def test_a_type_of_the_same_resource_is_judged_as_well() -> None:
    """Whoever writes `aws:alb/...` instead of `aws:lb/...` gets the same resource."""
    asked = analyzer_pb2.AnalyzeRequest(
        type="aws:alb/listener:Listener", urn="u", name="x", properties=struct()
    )
    found = server._resource(asked)
    assert (found.type, found.token) == ("aws:lb/listener:Listener", "aws:alb/listener:Listener")


def test_a_type_with_other_names_for_its_properties_is_judged_as_well() -> None:
    asked = analyzer_pb2.AnalyzeRequest(
        type="aws:s3/bucketV2:BucketV2", urn="u", name="x", properties=struct(versionings=[{"enabled": True}])
    )
    assert server._resource(asked).props.at("versioning.enabled").flag()
