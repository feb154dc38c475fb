"""Names and lifecycle of the docker, random and tls types."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pulumi_docker
import pulumi_random
import pulumi_tls
import pytest

from sandbox.behaviour import utilities
from sandbox.behaviour.model import Properties
from sandbox.behaviour.schema import UnknownType, facts_of
from sandbox.behaviour.values import UNKNOWN
from tests.behaviour.utility_types import (
    CLASSES,
    IMAGE,
    KEY,
    PASSWORD,
    SEED,
    SELF_SIGNED,
    SESSION,
    TOKENS,
    make,
    required,
    sdk_names,
    self_signed,
)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_inputs_are_those_of_the_sdk(cls: type) -> None:
    facts = facts_of(TOKENS[cls])
    arguments = inspect.getmodule(cls).__dict__[f"{cls.__name__}Args"]
    assert set(facts["properties"]) == sdk_names(arguments)
    assert {name for name, fact in facts["properties"].items() if fact.get("required")} == required(arguments)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_computed_outputs_are_those_of_the_sdk(cls: type) -> None:
    facts = facts_of(TOKENS[cls])
    computed = sdk_names(cls) - set(facts["properties"])
    assert set(facts["computedOutputs"]) == computed


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_replacing_properties_are_the_force_new_ones(cls: type) -> None:
    facts = facts_of(TOKENS[cls])
    forced = [name for name, fact in facts["properties"].items() if fact.get("forceNew")]
    assert facts["replaceOnChange"] == forced


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_secret_outputs_are_those_of_the_sdk(cls: Any) -> None:
    source = inspect.getsource(cls._internal_init)
    listed = re.search(r"additional_secret_outputs=\[(.*)\]", source)
    names = set(re.findall(r'"(\w+)"', listed.group(1))) if listed else set()
    assert utilities.secret_outputs(TOKENS[cls]) == names


@pytest.mark.parametrize("token", ["random:index/randomCoin:RandomCoin", "docker:index/volume:Volume"])
def test_unknown_types_are_refused(token: str) -> None:
    with pytest.raises(UnknownType, match=re.escape(token)):
        make(token)
    with pytest.raises(UnknownType, match=re.escape(token)):
        utilities.plan(token, {})


INPUTS: dict[str, Properties] = {
    IMAGE: {"imageName": "docker.io/a/b:1"},
    "docker:index/registryImage:RegistryImage": {"name": "docker.io/a/b:1"},
    "docker:index/remoteImage:RemoteImage": {"name": "docker.io/a/b:1"},
    "docker:index/tag:Tag": {"sourceImage": "a:1", "targetImage": "b:1"},
    "random:index/randomBytes:RandomBytes": {"length": 4},
    "random:index/randomId:RandomId": {"byteLength": 4},
    "random:index/randomInteger:RandomInteger": {"min": 1, "max": 9},
    PASSWORD: {"length": 20},
    "random:index/randomPet:RandomPet": {},
    "random:index/randomShuffle:RandomShuffle": {"inputs": ["a", "b"]},
    "random:index/randomString:RandomString": {"length": 20},
    "random:index/randomUuid:RandomUuid": {},
    KEY: {"algorithm": "ED25519"},
}


@pytest.mark.parametrize("token", sorted(INPUTS))
def test_preview_knows_all_but_the_computed_outputs(token: str) -> None:
    created, planned = make(token, **INPUTS[token]).outputs, utilities.plan(token, INPUTS[token])
    unknown = {key for key, value in planned.items() if value is UNKNOWN}
    assert unknown == set(facts_of(token)["computedOutputs"])
    assert {key: created[key] for key in planned.keys() - unknown} == {
        key: planned[key] for key in planned.keys() - unknown
    }
    assert created.keys() - {"platform"} == planned.keys() - {"platform"}


@pytest.mark.parametrize("token", sorted(INPUTS))
def test_internal_keys_never_show(token: str) -> None:
    assert "__defaults" not in make(token, **INPUTS[token], __defaults=["name"]).outputs
    assert "__defaults" not in utilities.plan(token, {**INPUTS[token], "__defaults": []})


def test_built_on_preview_the_image_is_known() -> None:
    inputs: Properties = {
        "imageName": "docker.io/a/b:1",
        "buildOnPreview": True,
        "build": {"platform": "linux/arm64"},
    }
    assert utilities.plan(IMAGE, inputs) == make(IMAGE, **inputs).outputs


def test_update_builds_an_image_again() -> None:
    old = make(IMAGE, imageName="docker.io/a/b:1").outputs
    inputs: Properties = {"imageName": "docker.io/a/b:1", "build": {"args": {"A": "1"}}}
    new = utilities.update(IMAGE, "it", old, inputs, SESSION, SEED)
    assert new["repoDigest"] != old["repoDigest"]
    assert new == make(IMAGE, **inputs).outputs
    assert utilities.plan_update(IMAGE, old, inputs)["repoDigest"] is UNKNOWN


def test_update_keeps_a_certificate() -> None:
    old = self_signed()
    inputs = {key: value for key, value in old.outputs.items() if key in facts_of(SELF_SIGNED)["properties"]}
    new = utilities.update(
        SELF_SIGNED, "it", old.outputs, {**inputs, "earlyRenewalHours": 5}, SESSION, b"other"
    )
    assert new == {**old.outputs, "earlyRenewalHours": 5}


def test_the_packages_are_those_the_facts_were_taken_from() -> None:
    versions = [module._utilities.get_version() for module in (pulumi_docker, pulumi_random, pulumi_tls)]
    assert versions == ["4.11.2", "4.21.4", "5.6.2"]
