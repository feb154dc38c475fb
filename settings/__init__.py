"""Typed settings of a stack; `load` is the only reader of the Pulumi configuration.

The models stop at the program and at the component that composes the platform: everything below takes
plain values.
Reading settings never asks AWS, the environment or the file system.
"""

from settings.account import AccountClass, AccountSettings, Environment
from settings.backups import BackupsSettings
from settings.broker import BrokerSettings
from settings.credentials import CredentialsSettings
from settings.dags import DagDelivery, DagSettings
from settings.endpoints import InterfaceEndpoint
from settings.errors import SettingsError
from settings.image import Architecture, ImageSettings
from settings.load import load, parse
from settings.metastore import MetastoreSettings
from settings.network import NatMode, NetworkSettings
from settings.observability import ObservabilitySettings
from settings.services import (
    ApiServerSettings,
    DagProcessorSettings,
    FlowerSettings,
    SchedulerSettings,
    ServicesSettings,
    TaskSize,
    TriggererSettings,
)
from settings.shared import ServiceLinkedRole, SharedReference, SharedServicesSettings, SharedStack
from settings.stacks import EnvironmentSettings, Settings, SharedSettings
from settings.tags import TagSettings
from settings.web import WebAccess, WebSettings
from settings.workers import WorkerPoolSettings, WorkersSettings

__all__ = [
    "AccountClass",
    "AccountSettings",
    "ApiServerSettings",
    "Architecture",
    "BackupsSettings",
    "BrokerSettings",
    "CredentialsSettings",
    "DagDelivery",
    "DagProcessorSettings",
    "DagSettings",
    "Environment",
    "EnvironmentSettings",
    "FlowerSettings",
    "ImageSettings",
    "InterfaceEndpoint",
    "MetastoreSettings",
    "NatMode",
    "NetworkSettings",
    "ObservabilitySettings",
    "SchedulerSettings",
    "ServiceLinkedRole",
    "ServicesSettings",
    "Settings",
    "SettingsError",
    "SharedReference",
    "SharedServicesSettings",
    "SharedSettings",
    "SharedStack",
    "TagSettings",
    "TaskSize",
    "TriggererSettings",
    "WebAccess",
    "WebSettings",
    "WorkerPoolSettings",
    "WorkersSettings",
    "load",
    "parse",
]
