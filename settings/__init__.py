"""Typed settings of a stack; `load` is the only reader of the Pulumi configuration.

The models stop at the program and at the component that composes the platform: everything below takes
plain values.
Reading settings never asks AWS, the environment or the file system.
"""

from settings.account import AccountClass, AccountSettings, Environment
from settings.endpoints import InterfaceEndpoint
from settings.errors import SettingsError
from settings.load import load, parse
from settings.network import NatMode, NetworkSettings
from settings.shared import SharedReference, SharedServicesSettings, SharedStack
from settings.stacks import EnvironmentSettings, Settings, SharedSettings
from settings.tags import TagSettings

__all__ = [
    "AccountClass",
    "AccountSettings",
    "Environment",
    "EnvironmentSettings",
    "InterfaceEndpoint",
    "NatMode",
    "NetworkSettings",
    "Settings",
    "SettingsError",
    "SharedReference",
    "SharedServicesSettings",
    "SharedSettings",
    "SharedStack",
    "TagSettings",
    "load",
    "parse",
]
