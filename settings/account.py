"""Where a stack lives: the AWS account, its region, and the class of accounts an environment belongs to."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from settings.section import Section, allowed

AccountId = Annotated[
    str,
    Field(pattern=r"^[0-9]{12}$", json_schema_extra=allowed('12 digits in quotes, such as "111111111111"')),
]
Region = Annotated[
    str,
    Field(
        # The standard partition only: China, GovCloud and isolated regions have other endpoint names.
        pattern=r"^(af|ap|ca|eu|il|me|mx|sa|us)-(central|(north|south)?(east|west)|north|south)-[1-9]$",
        json_schema_extra=allowed("a region of the standard AWS partition, such as eu-west-1"),
    ),
]


class AccountClass(StrEnum):
    """The two accounts: what may be lost at night, and what must not."""

    NONPROD = "nonprod"
    """dev, staging and the image build."""
    PROD = "prod"
    """preprod and prod."""

    @property
    def shared_stack(self) -> str:
        """The name of the stack that holds what the environments of this account share."""
        return f"{self.value}-shared"


class Environment(StrEnum):
    """The environments, in the order of promotion; each is one stack of the same name."""

    DEV = "dev"
    STAGING = "staging"
    PREPROD = "preprod"
    PROD = "prod"

    @property
    def account_class(self) -> AccountClass:
        """The class of accounts this environment runs in."""
        return AccountClass.NONPROD if self in {Environment.DEV, Environment.STAGING} else AccountClass.PROD


class AccountSettings(Section):
    """The AWS account and region of the stack; any other account is refused by the provider."""

    id: AccountId
    """AWS account id. In quotes: YAML reads bare digits as a number, and leading zeros are lost."""
    region: Region
    """AWS region of every resource of the stack."""
