"""Delivery of the DAGs."""

from __future__ import annotations

from collections.abc import Iterator

from settings.dags import DagDelivery
from settings.errors import Mistake
from settings.rules.base import Rule, environments_only
from settings.stacks import EnvironmentSettings


@environments_only
def dag_image_is_for_image_delivery(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """With dags.delivery image, and only then, dags.imageDigest names an image: one of its own, with the DAGs."""
    dags = settings.dags
    if dags.delivery is DagDelivery.IMAGE:
        if dags.image_digest is None:
            yield Mistake(
                "dags.imageDigest",
                None,
                "the digest of an image with DAGs while dags.delivery is image; `operations image` makes the first",
            )
        elif dags.image_digest == settings.image.digest:
            yield Mistake(
                "dags.imageDigest", dags.image_digest, "another image than image.digest, which has no DAGs"
            )
    elif dags.image_digest is not None:
        yield Mistake("dags.imageDigest", dags.image_digest, f"none while dags.delivery is {dags.delivery}")


RULES: tuple[Rule, ...] = (dag_image_is_for_image_delivery,)
