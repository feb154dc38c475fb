"""The simulated docker, random and tls types: how to make one, and how the installed SDKs declare them."""

from __future__ import annotations

import inspect
import re
from typing import Any, Final

from pulumi_docker import Image, RegistryImage, RemoteImage, Tag
from pulumi_random import (
    RandomBytes,
    RandomId,
    RandomInteger,
    RandomPassword,
    RandomPet,
    RandomShuffle,
    RandomString,
    RandomUuid,
)
from pulumi_tls import CertRequest, LocallySignedCert, PrivateKey, SelfSignedCert

from sandbox.behaviour import utilities
from sandbox.behaviour.model import Created, Properties, Session

SESSION: Final = Session("111111111111", "eu-west-1")
SEED: Final = b"seed"
IMAGE: Final = "docker:index/image:Image"
KEY: Final = "tls:index/privateKey:PrivateKey"
LOCALLY_SIGNED: Final = "tls:index/locallySignedCert:LocallySignedCert"
PASSWORD: Final = "random:index/randomPassword:RandomPassword"
REQUEST: Final = "tls:index/certRequest:CertRequest"
SELF_SIGNED: Final = "tls:index/selfSignedCert:SelfSignedCert"

CLASSES: Final[list[Any]] = [
    Image,
    RegistryImage,
    RemoteImage,
    Tag,
    RandomBytes,
    RandomId,
    RandomInteger,
    RandomPassword,
    RandomPet,
    RandomShuffle,
    RandomString,
    RandomUuid,
    CertRequest,
    LocallySignedCert,
    PrivateKey,
    SelfSignedCert,
]


def token(cls: Any) -> str:
    """Return the type token that a class registers."""
    found = re.search(r"'(\w+:index/\w+:\w+)'", inspect.getsource(cls._internal_init))
    assert found
    return found.group(1)


TOKENS: Final[dict[Any, str]] = {cls: token(cls) for cls in CLASSES}


def sdk_names(cls: Any) -> set[str]:
    """Return the wire names of a class's properties."""
    getters: list[Any] = [item.fget for item in vars(cls).values() if isinstance(item, property)]
    return {getattr(getter, "_pulumi_name", getter.__name__) for getter in getters}


def required(arguments: Any) -> set[str]:
    """Return the wire names of the arguments without a default."""
    parameters = inspect.signature(arguments.__init__).parameters.values()
    needed = {item.name for item in parameters if item.default is inspect.Parameter.empty}
    names = {
        name: getattr(item.fget, "_pulumi_name", name)
        for name, item in vars(arguments).items()
        if isinstance(item, property)
    }
    return {names[name] for name in needed if name in names}


def make(token: str, seed: bytes = SEED, /, **inputs: Any) -> Created:
    """Create a resource named `it`."""
    return utilities.compute(token, "it", inputs, SESSION, seed)


def made(kind: str, seed: bytes = SEED, /, **inputs: Any) -> Created:
    """Create a random value, such as `Password`."""
    return make(f"random:index/random{kind}:Random{kind}", seed, **inputs)


def elliptic(curve: str = "P256") -> Properties:
    """Create a key on an elliptic curve."""
    return make(KEY, algorithm="ECDSA", ecdsaCurve=curve).outputs


def self_signed(**inputs: Any) -> Created:
    """Create a self-signed certificate, valid for a day."""
    arguments = {
        "privateKeyPem": elliptic()["privateKeyPem"],
        "allowedUses": ["cert_signing", "server_auth"],
        "validityPeriodHours": 24,
        "subject": {"commonName": "ca.example.com", "organization": "Example"},
    }
    return make(SELF_SIGNED, **{**arguments, **inputs})
