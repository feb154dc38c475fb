"""The explicit provider."""

from __future__ import annotations

import json

from components.provider import aws_provider
from tests.harness import PROVIDER, Deployment


def test_provider_is_bound_to_account_region_and_tags(deploy: Deployment) -> None:
    """That the real provider refuses another account is its own logic."""

    def program() -> None:
        aws_provider(account_id="111111111111", region="eu-west-1", tags={"owner": "data"})

    inputs = deploy.run(program).one(PROVIDER).inputs
    assert (inputs["region"], json.loads(inputs["allowedAccountIds"]), json.loads(inputs["defaultTags"])) == (
        "eu-west-1",
        ["111111111111"],
        {"tags": {"owner": "data"}},
    )
