"""The harness must be as strict as the sandbox: what it lets through, other tests prove nothing about."""

from __future__ import annotations

from collections.abc import Callable

import pulumi
import pulumi_aws as aws
import pytest

from tests.harness import Deployment
from tests.unit.programs import provided


def explicit() -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(provider=provided().providers[0])  # type: ignore[index]


def wrong_enum() -> None:
    aws.ecr.Repository("images", image_tag_mutability="SOMETIMES", opts=explicit())


def default_provider() -> None:
    aws.s3.Bucket("logs")


def unknown_invoke() -> None:
    aws.ec2.get_spot_price(instance_type="t3.micro", opts=pulumi.InvokeOptions(provider=explicit().provider))


def failing_assertion_in_apply() -> None:
    bucket = aws.s3.Bucket("logs", opts=explicit())

    def check(_: str) -> None:
        raise AssertionError("inside apply")

    bucket.arn.apply(check)


FAILURES: dict[str, tuple[Callable[[], None], str]] = {
    "refused input": (wrong_enum, "imageTagMutability"),
    "default provider": (default_provider, "no explicit provider"),
    "undeclared invoke": (unknown_invoke, "getSpotPrice"),
    "assertion inside apply": (failing_assertion_in_apply, "inside apply"),
}


@pytest.mark.parametrize(("program", "message"), FAILURES.values(), ids=FAILURES)
def test_failure_ends_the_program(deploy: Deployment, program: Callable[[], None], message: str) -> None:
    with pytest.raises(Exception, match=message):
        deploy.run(program)


def test_run_after_a_failed_one_starts_from_nothing(deploy: Deployment) -> None:
    with pytest.raises(Exception, match="no explicit provider"):
        deploy.run(default_provider)
    assert deploy.run(lambda: None).registered == []


def test_exports_are_recorded(deploy: Deployment) -> None:
    assert deploy.run(lambda: pulumi.export("answer", 42)).exports == {"answer": 42}
