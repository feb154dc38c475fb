"""Where images come from, what tags things have, where providers work, and how secrets are renewed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from policies.crossguard.findings import Undecided, Violation
from policies.crossguard.resources import Provider, Resource, Stack
from policies.crossguard.values import UNKNOWN, View
from policies.security.relations import image_sources, providers, rotations, tags
from policies.security.relations.image_sources import REFERENCE
from policies.security.relations.providers import STACK
from policies.security.rules.containers import TASK_DEFINITION
from policies.security.rules.registries import REPOSITORY
from policies.security.rules.secrets_and_keys import ROTATION, SECRET
from tests.policies.made import BAD, GOOD, OPEN, made, verdict

(IMAGES,), (TAGS,), (PROVIDERS,), (ROTATIONS,) = (
    module.RELATIONS for module in (image_sources, tags, providers, rotations)
)
ADDRESS = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/airflow-platform/airflow"
DIGEST = f"{ADDRESS}@sha256:{'0' * 64}"
OWN = made(REPOSITORY, "repository", repositoryUrl=ADDRESS)
SHARED = made(
    REFERENCE, "shared", outputs={"repositoryUrl": ADDRESS, "contractVersion": 1, "nameServers": ["x"]}
)
OTHER = made(REFERENCE, "other", outputs={"zoneName": "example.com"})


def task(containers: Any) -> Resource:
    text = json.dumps(containers) if isinstance(containers, list) else containers
    return made(TASK_DEFINITION, "task", containerDefinitions=text)


@pytest.mark.parametrize("source", [OWN, SHARED])
@pytest.mark.parametrize(
    ("image", "found"),
    [
        (DIGEST, GOOD),
        (f"{ADDRESS}:3.3.2", GOOD),
        (ADDRESS, GOOD),
        (f"{ADDRESS}-fork@sha256:{'0' * 64}", BAD),
        ("docker.io/apache/airflow:3.3.2", BAD),
        ("registry:5000/airflow", BAD),
        ({"of": "another type"}, BAD),
    ],
)
def test_an_image_is_of_a_repository_that_is_scanned(source: Resource, image: Any, found: str) -> None:
    assert verdict(IMAGES, "task", task([{"image": image}]), source, OTHER) == found


def test_without_a_repository_no_image_is_known() -> None:
    assert verdict(IMAGES, "task", task([{"image": DIGEST}]), OTHER) == BAD


def test_an_engine_that_shows_no_other_stacks_leaves_it_open() -> None:
    assert verdict(IMAGES, "task", task([{"image": DIGEST}])) == OPEN


@pytest.mark.parametrize(
    "source",
    [
        made(REPOSITORY, "repository", repositoryUrl=UNKNOWN),
        made(REFERENCE, "shared", outputs=UNKNOWN),
        made(REFERENCE, "shared", outputs={"repositoryUrl": UNKNOWN}),
    ],
)
def test_an_unknown_repository_leaves_it_open(source: Resource) -> None:
    assert verdict(IMAGES, "task", task([{"image": DIGEST}]), source) == OPEN


def test_an_unknown_image_does_not_hide_another() -> None:
    partly = replace(task([]), props=View.of({"containerDefinitions": [{"image": UNKNOWN}, {"image": "x"}]}))
    assert [about.finding for about in IMAGES.judge(Stack([partly, OWN, OTHER]))] == [
        Undecided("containerDefinitions[0].image"),
        Violation(
            "containerDefinitions[1].image is 'x', want an image of a repository of this stack, or of one that it "
            "refers to"
        ),
    ]
    assert verdict(IMAGES, "task", task(UNKNOWN), OWN) == OPEN


ALL = {"owner": "data", "costCenter": "7", "environment": "dev"}


def provider(name: str = "aws", **props: Any) -> Provider:
    given = {"region": "eu-west-1", "allowedAccountIds": json.dumps(["111122223333"]), **props}
    return Provider(urn=f"provider-{name}", name=name, props=View.of(given))


def resource(by: Provider | None = None, **props: Any) -> Resource:
    return replace(made("aws:s3/bucket:Bucket", "bucket", **props), provider=by)


def defaults(found: Any) -> Provider:
    return provider(defaultTags=found if found is UNKNOWN else json.dumps({"tags": found}))


@pytest.mark.parametrize(
    ("bucket", "found"),
    [
        (resource(tagsAll=ALL), GOOD),
        (resource(tags=ALL), GOOD),
        (resource(defaults(ALL), tags={"Name": "x"}, tagsAll=UNKNOWN), GOOD),
        (resource(defaults(ALL), tags=None, tagsAll=UNKNOWN), GOOD),
        (
            resource(
                defaults({"owner": "data"}), tags={"costCenter": "7", "environment": "dev"}, tagsAll=UNKNOWN
            ),
            GOOD,
        ),
        (resource(defaults(ALL), bucket="without tags at all"), GOOD),
        (resource(tagsAll={"owner": "data", "costCenter": "7"}), BAD),
        (resource(tagsAll={**ALL, "owner": ""}), BAD),
        (resource(defaults(ALL), tags={"owner": ""}, tagsAll=UNKNOWN), BAD),
        (resource(tagsAll={}), BAD),
        (resource(provider(), tags={}, tagsAll=UNKNOWN), BAD),
        (resource(tagsAll="text"), BAD),
        (resource(tagsAll={**ALL, "owner": 7}), BAD),
        (resource(tagsAll={**ALL, "owner": UNKNOWN}), OPEN),
        (resource(defaults(UNKNOWN), tags={}, tagsAll=UNKNOWN), OPEN),
        (resource(defaults(ALL), tags=UNKNOWN, tagsAll=UNKNOWN), OPEN),
    ],
)
def test_every_resource_says_whose_it_is(bucket: Resource, found: str) -> None:
    assert verdict(TAGS, "bucket", bucket) == found


def test_what_is_missing_is_named() -> None:
    (about,) = TAGS.judge(Stack([resource(tagsAll={"environment": "dev"})]))
    assert about.finding == Violation("it has no tags costCenter, owner")


def test_components_have_no_tags() -> None:
    assert verdict(TAGS, "x", made("airflow:data:Broker", "x", tags={})) == GOOD


@pytest.mark.parametrize(
    ("by", "found"),
    [
        (provider(), GOOD),
        (provider("default_7_51_1"), BAD),
        (provider(allowedAccountIds=None), BAD),
        (provider(allowedAccountIds="[]"), BAD),
        (provider(allowedAccountIds=json.dumps(["111122223333", "444455556666"])), BAD),
        (provider(allowedAccountIds=json.dumps(["airflow"])), BAD),
        (provider(allowedAccountIds="no list"), BAD),
        (provider(region=""), BAD),
        (provider(region=None), BAD),
        (provider(allowedAccountIds=UNKNOWN), OPEN),
        (provider(region=UNKNOWN), OPEN),
    ],
)
def test_a_provider_works_in_one_account_and_region(by: Provider, found: str) -> None:
    assert verdict(PROVIDERS, by.urn, resource(by)) == found


@pytest.mark.parametrize(
    ("place", "found"),
    [
        (made(STACK, "stack", accountId="111122223333", region="eu-west-1"), GOOD),
        (made(STACK, "stack", accountId="444455556666"), BAD),
        (made(STACK, "stack", region="us-east-1"), BAD),
        (made(STACK, "stack", accountId=UNKNOWN), OPEN),
        (made(REFERENCE, "shared", outputs={"accountId": "111122223333"}), GOOD),
        (made(REFERENCE, "shared", outputs={"accountId": "444455556666"}), BAD),
        (made(REFERENCE, "shared", outputs={"region": "us-east-1"}), BAD),
        (made(REFERENCE, "shared", outputs={"accountId": 7}), BAD),
    ],
)
def test_account_and_region_are_those_that_the_stack_declares(place: Resource, found: str) -> None:
    assert verdict(PROVIDERS, "provider-aws", resource(provider()), place) == found


@pytest.mark.parametrize(
    ("props", "found"),
    [
        ({"region": "eu-west-1"}, GOOD),
        ({"region": "us-east-1"}, BAD),
        ({"region": UNKNOWN}, OPEN),
        ({"region": {"of": "another type"}}, BAD),
        ({"arn": "arn:aws:sqs:eu-west-1:111122223333:x"}, GOOD),
        ({"arn": "arn:aws:s3:::x"}, GOOD),
        ({"arn": "arn:aws:iam::aws:policy/x"}, GOOD),
        ({"arn": "arn:aws:sqs:eu-west-1:444455556666:x"}, BAD),
        ({"arn": UNKNOWN}, GOOD),
    ],
)
def test_a_resource_is_where_its_provider_works(props: dict[str, Any], found: str) -> None:
    assert verdict(PROVIDERS, "bucket", resource(provider(), **props)) == found


def test_what_has_no_provider_is_no_matter_of_it() -> None:
    assert verdict(PROVIDERS, "bucket", resource(region="us-east-1")) == GOOD


@pytest.mark.parametrize(
    ("secret", "rotation", "found"),
    [
        (made(SECRET, "secret", id="arn:x"), made(ROTATION, "rotation", secretId="arn:x"), GOOD),
        (made(SECRET, "secret", id="arn:x", tags={"rotation": "by the runbook"}), None, GOOD),
        (made(SECRET, "secret", id="arn:x"), None, BAD),
        (made(SECRET, "secret", id="arn:x", tags={"rotation": ""}), None, BAD),
        (made(SECRET, "secret", id="arn:x"), made(ROTATION, "rotation", secretId="arn:y"), BAD),
        (
            made(SECRET, "secret", id="arn:x"),
            made(ROTATION, "rotation", secretId={"of": "another type"}),
            BAD,
        ),
        (made(SECRET, "secret", id="arn:x", tags=UNKNOWN), None, OPEN),
        (made(SECRET, "secret", id=UNKNOWN), made(ROTATION, "rotation", secretId=UNKNOWN), OPEN),
        (
            made(SECRET, "secret"),
            made(ROTATION, "rotation", {"secretId": ["secret"]}, secretId=UNKNOWN),
            GOOD,
        ),
        (made(SECRET, "secret"), made(ROTATION, "rotation", {"secretId": ["other"]}, secretId=UNKNOWN), BAD),
    ],
)
def test_a_secret_is_renewed(secret: Resource, rotation: Resource | None, found: str) -> None:
    other = made(SECRET, "other", id="arn:y")
    stack = [secret, other] if rotation is None else [secret, other, rotation]
    assert verdict(ROTATIONS, "secret", *stack) == found
