"""Types of resources that can be had under several tokens, compared with those of the installed provider."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest

from policies.crossguard.types import canonical, canonical_properties
from policies.crossguard.values import UNKNOWN, Secret

SAME_BY_HAND: Final = {
    # The provider has two implementations of an object of S3; both write the same object.
    "aws:s3/bucketObject:BucketObject": "aws:s3/bucketObjectv2:BucketObjectv2",
    # A domain of Elasticsearch is a domain of OpenSearch Service: one API, one console, one set of settings.
    "aws:elasticsearch/domain:Domain": "aws:opensearch/domain:Domain",
    "aws:elasticsearch/domainSamlOptions:DomainSamlOptions": (
        "aws:opensearch/domainSamlOptions:DomainSamlOptions"
    ),
}
ONLY_HERE: Final = re.compile(r"tagsAll|policy\b.*|.*\.blockedEncryptionTypes\b.*")
"""Properties of Bucket or BucketV2 that the other does not have, and the document that one of them has as data."""

_TOKEN = re.compile(r"super\(\w+, __self__\).__init__\(\s*'(aws:[^']+)'")
_ALIAS = re.compile(r'type_="(aws:[^"]+)"')
_DEPRECATED = re.compile(r"(aws\.[\w/]+\.\w+) has been deprecated in favor of (aws\.[\w/]+\.\w+)")
_DOCUMENTED = re.compile(r":param pulumi\.Input\[.*?\]+ ([^\n]*)")


@pytest.fixture(scope="module")
def provider() -> Path:
    spec = find_spec("pulumi_aws")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0])


@pytest.fixture(scope="module")
def sources(provider: Path) -> Mapping[str, str]:
    """Return the source of each resource of the provider, by token."""
    texts = [path.read_text(encoding="utf-8") for path in provider.glob("*/*.py")]
    return {found[1]: text for text in texts if (found := _TOKEN.search(text))}


@pytest.fixture(scope="module")
def aliases(sources: Mapping[str, str]) -> set[tuple[str, str]]:
    return {(token, alias) for token, text in sources.items() for alias in _ALIAS.findall(text)}


@pytest.fixture(scope="module")
def deprecated(sources: Mapping[str, str]) -> set[tuple[str, str]]:
    """Return the pairs of old and new resource that the notes of deprecation name, in lower case."""
    names = {_dotted(token): token for token in sources}
    notes = {note for text in sources.values() for note in _DEPRECATED.findall(text)}
    return {(names[old.lower()], names[new.lower()]) for old, new in notes if old.lower() in names}


@pytest.fixture(scope="module")
def twins(sources: Mapping[str, str]) -> list[list[str]]:
    """Return the groups of resources of one name, in several modules, that are documented word for word alike."""
    groups: dict[tuple[str, frozenset[str]], list[str]] = defaultdict(list)
    for token, text in sources.items():
        groups[token.rpartition(":")[2], frozenset(_DOCUMENTED.findall(text))].append(token)
    return [sorted(group) for group in groups.values() if len(group) > 1]


def _dotted(token: str) -> str:
    return token.lower().replace(":", ".")


def test_the_provider_has_been_read(
    sources: Mapping[str, str], aliases: set[tuple[str, str]], deprecated: set[tuple[str, str]]
) -> None:
    """Guards the tests below: a provider that is written in another way would leave them nothing to compare."""
    assert len(sources) > 1500
    assert (
        "aws:lb/loadBalancer:LoadBalancer",
        "aws:elasticloadbalancingv2/loadBalancer:LoadBalancer",
    ) in aliases
    assert (
        "aws:s3/bucketVersioningV2:BucketVersioningV2",
        "aws:s3/bucketVersioning:BucketVersioning",
    ) in deprecated


def test_all_aliases_of_the_provider_are_known(aliases: set[tuple[str, str]]) -> None:
    assert {(token, alias) for token, alias in aliases if canonical(token) != canonical(alias)} == set()


def test_what_is_deprecated_in_favour_of_another_is_known(deprecated: set[tuple[str, str]]) -> None:
    assert {(old, new) for old, new in deprecated if canonical(old) != new} == set()


def test_what_is_documented_word_for_word_alike_is_one(twins: list[list[str]]) -> None:
    """The load balancers of alb and lb are not named as aliases anywhere in the package."""
    assert ["aws:alb/loadBalancer:LoadBalancer", "aws:lb/loadBalancer:LoadBalancer"] in twins
    assert [group for group in twins if len({canonical(token) for token in group}) > 1] == []


def test_every_canonical_token_is_one_of_the_provider(sources: Mapping[str, str]) -> None:
    assert {token for token in sources if canonical(token) not in sources} == set()


def test_a_canonical_token_is_its_own(sources: Mapping[str, str], aliases: set[tuple[str, str]]) -> None:
    tokens = {*sources, *(alias for _, alias in aliases)}
    assert {token for token in tokens if canonical(canonical(token)) != canonical(token)} == set()


def test_nothing_else_is_taken_for_another_type(
    sources: Mapping[str, str],
    aliases: set[tuple[str, str]],
    deprecated: set[tuple[str, str]],
    twins: list[list[str]],
) -> None:
    same = {frozenset(pair) for pair in (*aliases, *deprecated, *SAME_BY_HAND.items())}
    same |= {frozenset((one, other)) for group in twins for one in group for other in group}
    merged = {frozenset((token, canonical(token))) for token in sources if canonical(token) != token}
    assert merged - same == set()


@pytest.mark.parametrize(("token", "known"), SAME_BY_HAND.items(), ids=SAME_BY_HAND)
def test_same_resources_that_nothing_names_as_such(token: str, known: str) -> None:
    assert canonical(token) == known


@pytest.mark.parametrize(
    "token",
    [
        "airflow:compute:AirflowTask",
        "awsx:ec2:Vpc",
        "pulumi:pulumi:Stack",
        "alb",
        "",
        "other:alb/listener:Listener",
    ],
)
def test_tokens_of_others_are_their_own(token: str) -> None:
    assert canonical(token) == token


def test_both_buckets_have_the_same_properties_after_renaming(provider: Path) -> None:
    known, other = (_properties(provider, name) for name in ("bucket", "bucket_v2"))
    renamed = _paths(canonical_properties("aws:s3/bucketV2:BucketV2", other))
    assert {path for path in renamed ^ _paths(known) if not ONLY_HERE.fullmatch(path)} == set()


def test_types_of_one_token_keep_their_properties() -> None:
    properties = {"versionings": [{"enabled": True}]}
    assert canonical_properties("aws:s3/bucket:Bucket", properties) == properties


@pytest.mark.parametrize(
    ("given", "want"),
    [
        pytest.param({"versionings": [{"enabled": True}]}, {"versioning": {"enabled": True}}, id="one"),
        pytest.param({"versionings": []}, {"versioning": []}, id="none"),
        pytest.param({"versionings": [{}, {}]}, {"versioning": [{}, {}]}, id="two stay for a rule to refuse"),
        pytest.param({"versionings": UNKNOWN}, {"versioning": UNKNOWN}, id="unknown"),
        pytest.param({"versionings": [UNKNOWN]}, {"versioning": UNKNOWN}, id="one unknown"),
        pytest.param(
            {"versionings": Secret([{"enabled": True}])},
            {"versioning": Secret({"enabled": True})},
            id="secret",
        ),
        pytest.param(
            {"versionings": [Secret({"enabled": True})]},
            {"versioning": Secret({"enabled": True})},
            id="secret one",
        ),
        pytest.param({"acl": "private"}, {"acl": "private"}, id="same name"),
        pytest.param(
            {"lifecycleRules": [{"expirations": [{"days": 1}]}]},
            {"lifecycleRules": [{"expiration": {"days": 1}}]},
            id="inside of a list that stays one",
        ),
        pytest.param(
            {"versionings": [{"enabled": False}], "versioning": {"enabled": True}},
            {"versioning": {"enabled": False}},
            id="what the type does not have hides nothing",
        ),
    ],
)
def test_properties_of_the_other_bucket(given: dict[str, Any], want: dict[str, Any]) -> None:
    assert canonical_properties("aws:s3/bucketV2:BucketV2", given) == want


def _properties(provider: Path, name: str) -> dict[str, Any]:
    """Return an example of all inputs of a bucket: lists have one item."""
    modules = [
        ast.parse((provider / "s3" / file).read_text(encoding="utf-8"))
        for file in ("_inputs.py", f"{name}.py")
    ]
    classes = {
        node.name: node for module in modules for node in module.body if isinstance(node, ast.ClassDef)
    }
    names = [node.name for node in modules[1].body if isinstance(node, ast.ClassDef)]
    return _example(classes, names[0])


def _example(classes: Mapping[str, ast.ClassDef], name: str) -> dict[str, Any]:
    start = next(
        node for node in classes[name].body if isinstance(node, ast.FunctionDef) and node.name == "__init__"
    )
    arguments = [*start.args.args, *start.args.kwonlyargs]
    found = {}
    for argument in arguments:
        if argument.annotation is None:
            continue
        kind = ast.unparse(argument.annotation)
        inner = next((each for each in re.findall(r"'(\w+Args)'", kind) if each in classes), None)
        value: Any = "text" if inner is None else _example(classes, inner)
        head, *rest = argument.arg.split("_")
        found[head + "".join(map(str.capitalize, rest))] = [value] if "Sequence[" in kind else value
    return found


def _paths(value: Any, before: str = "") -> set[str]:
    """Return the paths of all properties; a list shows as [] behind its name."""
    if isinstance(value, list):
        return {f"{before}[]"} | _paths(value[0], before)
    if not isinstance(value, Mapping):
        return {before}
    dot = f"{before}." if before else ""
    return {path for key, inner in value.items() for path in _paths(inner, f"{dot}{key}")}
