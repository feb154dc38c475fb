"""Access to single modules of the Python SDK."""

from __future__ import annotations

import importlib
import warnings
from types import ModuleType


def sdk_module(package: str, file: str) -> ModuleType:
    """Import one module of pulumi_aws; `package` is empty for the modules at its top.

    The SDK's packages load when an attribute is first asked for. Importing a module inside one that is not loaded yet
    would leave the package without its resources for the rest of the process, so the package is loaded first.
    """
    parent = f"pulumi_aws.{package}" if package else "pulumi_aws"
    with warnings.catch_warnings():
        # Loading a package warns about everything in it that has been renamed.
        warnings.simplefilter("ignore", DeprecationWarning)
        # Introspection attributes load nothing; the absence of this one shows that the package has been loaded.
        assert not hasattr(importlib.import_module(parent), "any_attribute_loads_the_package")
        return importlib.import_module(f"{parent}.{file}")
