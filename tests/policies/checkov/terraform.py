"""Resources of Pulumi's AWS provider as a plan of Terraform has them.

Pulumi's provider is made from Terraform's, so that names follow from each other: camel case becomes snake case, and a
list of blocks, which Pulumi names in the plural, has the name of one block in Terraform. The names that do not follow
stand in tables here; a name that is missing shows as a difference, since checkov does not find what it looks for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

SCHEMAS: Final = Path(__file__).parents[3] / "sandbox" / "data"
BLOCKS: Final = {
    "aliases": "alias",
    "capacityProviderStrategies": "capacity_provider_strategy",
    "ebsBlockDevices": "ebs_block_device",
    "encryptionConfigurations": "encryption_configuration",
    "inlinePolicies": "inline_policy",
    "lifecycleRules": "lifecycle_rule",
    "overrides": "override",
    "parameters": "parameter",
    "repositoryFilters": "repository_filter",
    "rules": "rule",
    "settings": "setting",
    "volumes": "volume",
    "vpcZoneIdentifiers": "vpc_zone_identifier",
    "vpcs": "vpc",
}
"""Names of lists whose name in Terraform is a singular."""
TYPES: Final = {"aws:route53/hostedZoneDnsSec:HostedZoneDnsSec": "aws_route53_hosted_zone_dnssec"}
"""Types that the simulated provider does not know, and whose name does not follow from the token."""
AS_THEY_ARE: Final = frozenset({"tags", "variables"})
"""Properties whose keys are the program's own."""
TEXTS: Final = frozenset(
    {"accessPolicies", "assumeRolePolicy", "containerDefinitions", "policy", "repositoryPolicy"}
)
"""Properties that are JSON as a text."""
_UPPER: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Link:
    """A value that is an output of another resource, which has it only once it exists."""

    to: str
    """Address of the resource, as in `aws_vpc.main`."""
    output: str = "id"


@dataclass(frozen=True, kw_only=True)
class Block:
    """A resource of a plan, or a data source."""

    type: str
    name: str
    values: Mapping[str, Any]
    links: Mapping[str, Any] = field(default_factory=dict)
    """The values that are links, as the configuration part of a plan has them."""
    data: bool = False

    @property
    def address(self) -> str:
        """What names it in the plan."""
        return f"{'data.' if self.data else ''}{self.type}.{self.name}"

    def planned(self) -> dict[str, Any]:
        """Return it as it will be."""
        return {
            "address": self.address,
            "mode": "data" if self.data else "managed",
            "type": self.type,
            "name": self.name,
            "provider_name": "registry.terraform.io/hashicorp/aws",
            "schema_version": 0,
            "values": self.values,
        }


def block(token: str, name: str, properties: Mapping[str, Any]) -> Block:
    """Translate a resource."""
    values, links = _translated(properties)
    return Block(type=type_of(token), name=name, values=values, links=links)


def plan(blocks: Iterable[Block]) -> str:
    """Return the plan that makes resources."""
    every = list(blocks)
    return json.dumps(
        {
            "format_version": "1.2",
            "terraform_version": "1.9.0",
            "planned_values": {"root_module": {"resources": [each.planned() for each in every]}},
            "resource_changes": [],
            "configuration": {
                "root_module": {
                    "resources": [
                        {
                            "address": each.address,
                            "mode": "managed",
                            "type": each.type,
                            "name": each.name,
                            "provider_config_key": "aws",
                            "expressions": each.links,
                        }
                        for each in every
                        if each.links
                    ]
                }
            },
        }
    )


def type_of(token: str) -> str:
    """Return the name of a type in Terraform."""
    if token in TYPES:
        return TYPES[token]
    known = _schema().get(token)
    if known is not None:
        return str(known["terraform"])
    _, module, name = re.split("[:/]", token.rpartition(":")[0])
    return f"aws_{snake(name)}" if module == "ec2" else f"aws_{module}_{snake(name)}"


def snake(name: str) -> str:
    """Return the name of a property in Terraform."""
    return BLOCKS.get(name) or _UPPER.sub("_", name).lower()


@cache
def _schema() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("aws_schema.json", "aws_schema_extra.json"):
        found |= json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    return found


def _translated(properties: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    values: dict[str, Any] = {}
    links: dict[str, Any] = {}
    for name, value in properties.items():
        key = snake(name)
        if isinstance(value, Link):
            links[key] = {"references": [f"{value.to}.{value.output}", value.to]}
        elif isinstance(value, list) and any(isinstance(item, Link) for item in value):
            links[key] = {
                "references": [text for item in value for text in (f"{item.to}.{item.output}", item.to)]
            }
        elif name in TEXTS:
            values[key] = value if isinstance(value, str) else json.dumps(value)
        elif name in AS_THEY_ARE:
            values[key] = value
        elif isinstance(value, Mapping) or (
            isinstance(value, list) and any(isinstance(item, Mapping) for item in value)
        ):
            # Where only one block may be, Pulumi has an object; a plan has a list of one.
            blocks = [value] if isinstance(value, Mapping) else value
            pairs = [_translated(item) for item in blocks]
            values[key] = [pair[0] for pair in pairs]
            if any(pair[1] for pair in pairs):
                links[key] = [pair[1] for pair in pairs]
        elif value is not None:
            values[key] = value
    return values, links


def document(name: str, policy: Any) -> Block:
    """Return a policy document as a data source, which is how most programs for Terraform write one."""
    content = json.loads(policy) if isinstance(policy, str) else policy
    statements = content.get("Statement", [])
    every = statements if isinstance(statements, list) else [statements]
    return Block(
        type="aws_iam_policy_document",
        name=name,
        values={"statement": [_statement(each) for each in every]},
        data=True,
    )


def _statement(statement: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"effect": statement.get("Effect", "Allow")}
    for key in ("Action", "NotAction", "Resource", "NotResource"):
        if key in statement:
            found[f"{snake(key)}s"] = _listed(statement[key])
    for key in ("Principal", "NotPrincipal"):
        if key in statement:
            found[f"{snake(key)}s"] = list(_principals(statement[key]))
    if statement.get("Condition"):
        found["condition"] = [
            {"test": test, "variable": variable, "values": _listed(values)}
            for test, pairs in statement["Condition"].items()
            for variable, values in pairs.items()
        ]
    return found


def _principals(principal: Any) -> Iterator[dict[str, Any]]:
    pairs = principal if isinstance(principal, Mapping) else {"*": principal}
    for kind, names in pairs.items():
        yield {"type": kind, "identifiers": _listed(names)}


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
