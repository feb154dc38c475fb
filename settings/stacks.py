"""The two kinds of stacks and the settings of each."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from settings.account import AccountSettings, Environment
from settings.network import NetworkSettings
from settings.section import Section
from settings.shared import SharedReference, SharedServicesSettings
from settings.tags import TagSettings


class SharedSettings(Section):
    """A shared stack: what all environments of one account use."""

    kind: Literal["shared"]
    """What the stack builds: the shared services of an account."""
    account: AccountSettings
    """AWS account and region of the stack."""
    shared: SharedServicesSettings
    """The shared services."""
    tags: TagSettings
    """Tags of every resource of the stack."""


class EnvironmentSettings(Section):
    """An environment: one complete Airflow platform."""

    kind: Literal["environment"]
    """What the stack builds: one Airflow platform."""
    environment: Environment
    """Name of the environment, the same as the stack's."""
    account: AccountSettings
    """AWS account and region of the stack."""
    network: NetworkSettings
    """The VPC of the environment."""
    shared: SharedReference
    """Where the shared services of the account are."""
    tags: TagSettings
    """Tags of every resource of the stack."""


Settings = SharedSettings | EnvironmentSettings
DiscriminatedSettings = Annotated[Settings, Field(discriminator="kind")]
KINDS: dict[str, type[SharedSettings] | type[EnvironmentSettings]] = {
    "shared": SharedSettings,
    "environment": EnvironmentSettings,
}
