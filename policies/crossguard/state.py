"""Resources of an exported state: what `pulumi stack export` writes, and what the file backend keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policies.crossguard.resources import Provider, Resource
from policies.crossguard.types import canonical, canonical_properties
from policies.crossguard.values import UNKNOWN, Secret, View
from policies.crossguard.wire import SECRET, SIGNATURE


def resources(content: Mapping[str, Any], properties: str) -> list[Resource]:
    """Return the resources of a state.

    Args:
        content: The parsed file.
        properties: What to look at: "inputs", as rules do, or "outputs", as relations do.

    """
    deployment = content.get("deployment") or content["checkpoint"]["latest"]
    rows = [row for row in deployment.get("resources") or () if not row.get("delete")]
    providers = {row["urn"]: row for row in rows if row["type"].startswith("pulumi:providers:")}
    return [_resource(row, providers, properties) for row in rows]


def _resource(
    row: Mapping[str, Any], providers: Mapping[str, Mapping[str, Any]], properties: str
) -> Resource:
    token = row["type"]
    # A reference to a provider ends with its id.
    provider = providers.get(row.get("provider", "").rpartition("::")[0])
    return Resource(
        urn=row["urn"],
        type=canonical(token),
        token=token,
        name=row["urn"].rpartition("::")[2],
        props=View.of(canonical_properties(token, _plain(row.get(properties) or {}))),
        protect=bool(row.get("protect")),
        parent=row.get("parent", ""),
        provider=None if provider is None else _provider(provider),
        dependencies=tuple(row.get("dependencies") or ()),
        property_dependencies={
            name: tuple(urns or ()) for name, urns in (row.get("propertyDependencies") or {}).items()
        },
    )


def _provider(row: Mapping[str, Any]) -> Provider:
    name = row["urn"].rpartition("::")[2]
    return Provider(urn=row["urn"], name=name, props=View.of(_plain(row.get("inputs") or {})))


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(SIGNATURE) == SECRET:
        return Secret(UNKNOWN)
    return {key: _plain(item) for key, item in value.items()}
