"""What both are asked about: the cases of our rules, and small stacks for our relations.

Whether a policy of ours accepts a sample is asked, not taken from the case: some checks of checkov are about one port
or one way to start tasks only, so that a case has to be adapted before they look at it at all.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from policies.crossguard.findings import Violation
from policies.crossguard.resources import Resource
from policies.crossguard.rules import Policy, Rule
from policies.crossguard.values import View
from policies.security.pack import RELATIONS, RULES
from policies.security.rules.security_groups import GROUP, INGRESS_RULE, OLD_RULE
from tests.policies.cases import REMOVED, Case, changed
from tests.policies.checkov.more import MORE
from tests.policies.checkov.stacks import STACKS
from tests.policies.checkov.terraform import Block, Link, block, document, type_of
from tests.policies.security.test_rules import CASES

AS_IT_SHOULD_BE: Final = "as it should be"
OF_DOCUMENTS: Final = frozenset(
    {"CKV_AWS_107", "CKV_AWS_108", "CKV_AWS_109", "CKV_AWS_110", "CKV_AWS_111", "CKV_AWS_358"}
)
"""Ids about policy documents that are data sources."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Resources of a plan, and what our policy says about them."""

    ids: tuple[str, ...]
    """Checks of checkov that our policy refers to."""
    policy: str
    on: str
    """The type of what our policy judges."""
    what: str
    """AS_IT_SHOULD_BE with the number of the case, or what is changed."""
    accepted: bool
    """Whether our policy does."""
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Beside:
    """A resource that checks are about instead of the one with the setting."""

    ids: frozenset[str]
    token: str
    property: str
    """The property that connects them."""
    of_case: bool = True
    """Whether it is a property of the resource of the case, not of the one beside it."""


NEVER_ABSENT: Final = frozenset(
    {
        "authorizationType",
        "cidrBlock",
        "cidrIpv4",
        "logPublishingOptions[0].logType",
        "parameters[0].name",
        "parameters[0].value",
        "settings[0].value",
    }
)
"""Where the provider or AWS wants a value, so that nothing is no default."""
BESIDE: Final = {
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": Beside(
        frozenset({"CKV2_AWS_12"}), "aws:ec2/vpc:Vpc", "vpcId"
    ),
    "aws:kms/keyPolicy:KeyPolicy": Beside(frozenset({"CKV2_AWS_64"}), "aws:kms/key:Key", "keyId"),
    "aws:lb/listener:Listener": Beside(
        frozenset({"CKV2_AWS_20"}), "aws:lb/loadBalancer:LoadBalancer", "loadBalancerArn"
    ),
    "aws:rds/parameterGroup:ParameterGroup": Beside(
        frozenset({"CKV2_AWS_69"}), "aws:rds/instance:Instance", "parameterGroupName", of_case=False
    ),
    "aws:route53/hostedZoneDnsSec:HostedZoneDnsSec": Beside(
        frozenset({"CKV2_AWS_38"}), "aws:route53/zone:Zone", "hostedZoneId"
    ),
    "aws:s3/bucketVersioning:BucketVersioning": Beside(
        frozenset({"CKV_AWS_21"}), "aws:s3/bucket:Bucket", "bucket"
    ),
}
"""By the type of the case."""


def _opened(kind: str, port: int, protocol: str) -> dict[str, Any]:
    name = "ipProtocol" if kind == INGRESS_RULE else "protocol"
    place = "ingress[0]." if kind == GROUP else ""
    return {f"{place}fromPort": port, f"{place}toPort": port, f"{place}{name}": protocol}


PORTS: Final = {
    "CKV_AWS_24": (22, "tcp"),
    "CKV_AWS_25": (3389, "tcp"),
    "CKV_AWS_260": (80, "tcp"),
    "CKV_AWS_277": (0, "-1"),
}
ADAPTED: Final[Mapping[tuple[str, str], Mapping[str, Any]]] = {
    **{
        (id, kind): _opened(kind, *port)
        for id, port in PORTS.items()
        for kind in (INGRESS_RULE, OLD_RULE, GROUP)
    },
    **{
        ("CKV_AWS_62", f"aws:iam/{kind}"): {"policy.Statement[1].Resource": "*"}
        for kind in (
            "policy:Policy",
            "rolePolicy:RolePolicy",
            "userPolicy:UserPolicy",
            "groupPolicy:GroupPolicy",
        )
    },
    # A condition of any kind is enough for both.
    ("CKV_AWS_33", "aws:kms/key:Key"): {"policy.Statement[0].Condition": REMOVED},
    ("CKV_AWS_169", "aws:sns/topicPolicy:TopicPolicy"): {"policy.Statement.Condition": REMOVED},
    ("CKV_AWS_332", "aws:ecs/service:Service"): {
        "capacityProviderStrategies": REMOVED,
        "launchType": "FARGATE",
    },
}
"""Properties with which a check looks at a resource, by id and type."""


def ids_of(policy: Policy) -> tuple[str, ...]:
    """Return the checks of checkov that a policy of ours refers to."""
    return tuple(name for name in policy.references if name.startswith("CKV"))


def samples() -> list[Sample]:
    """Return all samples about which checkov has something to say."""
    return [sample for sample in (*_of_rules(), *_of_relations()) if sample.ids]


def _of_rules() -> Iterator[Sample]:
    by_name = {rule.name: rule for rule in RULES}
    seen = Counter[tuple[str, str]]()
    for number, case in enumerate((*CASES, *MORE)):
        rule = by_name[case.rule]
        seen[case.rule, case.type] += 1
        title = f"{AS_IT_SHOULD_BE}, case {seen[case.rule, case.type]}"
        for variant, (adapted, ids) in enumerate(_variants(case, ids_of(rule)).items()):
            good = dict(case.good)
            for path, value in ADAPTED.get(adapted, {}).items():
                good = changed(good, path, value)
            for turn, (what, properties) in enumerate(_changes(case, good, title).items()):
                yield Sample(
                    ids=ids,
                    policy=rule.name,
                    on=case.type,
                    what=what,
                    accepted=_accepts(rule, case.type, properties),
                    blocks=tuple(_blocks(ids, case.type, properties, f"r{number}v{variant}c{turn}")),
                )


def _variants(case: Case, ids: Sequence[str]) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Return ids by what their checks need the case adapted to."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for id in ids:
        key = (id, case.type) if (id, case.type) in ADAPTED else ("", "")
        found[key] = (*found.get(key, ()), id)
    return found


def _changes(case: Case, good: Mapping[str, Any], title: str) -> Mapping[str, Mapping[str, Any]]:
    """Return what is good and each change of it; also what is changed to nothing, for the defaults."""
    found: dict[str, Mapping[str, Any]] = {title: good}
    for change in case.changes:
        # A part of a document has no default either.
        may_be_absent = change.path not in NEVER_ABSENT and "Statement" not in change.path
        for value in (change.bad, REMOVED) if may_be_absent else (change.bad,):
            shown = "nothing" if value is REMOVED else json.dumps(value)
            properties = changed(good, change.path, value)
            if properties not in found.values():
                found[f"{change.path} = {shown}"] = properties
    return found


def _accepts(rule: Rule, token: str, properties: Mapping[str, Any]) -> bool:
    resource = Resource(urn="urn", type=token, token=token, name="x", props=View.of(properties))
    findings = list(rule.judge(resource))
    if not all(isinstance(finding, Violation) for finding in findings):
        raise ValueError(f"{rule.name} cannot judge {properties}")
    return not findings


def _blocks(ids: Sequence[str], token: str, properties: Mapping[str, Any], name: str) -> Iterator[Block]:
    beside = BESIDE.get(token)
    if beside is None or beside.ids.isdisjoint(ids):
        yield block(token, name, properties)
    elif beside.of_case:
        yield block(token, name, {**properties, beside.property: Link(f"{type_of(beside.token)}.{name}")})
        yield block(beside.token, name, {})
    else:
        yield block(token, name, properties)
        yield block(beside.token, name, {beside.property: Link(f"{type_of(token)}.{name}")})
    if OF_DOCUMENTS.intersection(ids):
        for number, policy in enumerate(_documents(properties)):
            yield document(f"{name}d{number}", policy)


def _documents(properties: Mapping[str, Any]) -> Iterator[Any]:
    for key in ("policy", "assumeRolePolicy"):
        if key in properties:
            yield properties[key]
    for inline in properties.get("inlinePolicies", []):
        yield inline["policy"]


def _of_relations() -> Iterator[Sample]:
    by_name = {relation.name: relation for relation in RELATIONS}
    for number, small in enumerate(STACKS):
        relation = by_name[small.relation]
        yield Sample(
            ids=ids_of(relation),
            policy=relation.name,
            on=small.on,
            what=small.what,
            accepted=small.accepted(relation),
            blocks=tuple(small.blocks(f"s{number}")),
        )
