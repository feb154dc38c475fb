"""The two kinds of stacks and the settings of each."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from settings.account import AccountSettings, Environment
from settings.backups import BackupsSettings
from settings.broker import BrokerSettings
from settings.credentials import CredentialsSettings
from settings.dags import DagSettings
from settings.image import ImageSettings
from settings.metastore import MetastoreSettings
from settings.network import NetworkSettings
from settings.observability import ObservabilitySettings
from settings.section import Section
from settings.services import ServicesSettings
from settings.shared import SharedReference, SharedServicesSettings
from settings.tags import TagSettings
from settings.web import WebSettings
from settings.workers import WorkersSettings


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
    web: WebSettings
    """The web entry: load balancer, name and who may reach it."""
    image: ImageSettings
    """The Airflow image."""
    metastore: MetastoreSettings
    """Airflow's database."""
    broker: BrokerSettings
    """The queues between scheduler and workers."""
    dags: DagSettings
    """The storage of DAG releases."""
    credentials: CredentialsSettings
    """How long deleted secrets and the deleted key can be brought back."""
    services: ServicesSettings
    """Airflow's own processes."""
    workers: WorkersSettings
    """The worker pools."""
    observability: ObservabilitySettings
    """How long logs are kept, and who is told when something is wrong."""
    backups: BackupsSettings | None = None
    """Backups in a vault of the environment, each night, of database, DAG releases and release ledger. Left out, there
    are only those that RDS keeps for metastore.backupRetentionDays and DynamoDB for 35 days."""
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
