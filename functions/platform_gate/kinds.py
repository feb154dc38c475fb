"""The secrets of an environment, by name, for the program that creates them and the gate that fills them."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class SecretKind(StrEnum):
    """What the gate can make; the value is the name that everything else uses."""

    FERNET_KEY = "fernet-key"
    JWT_SECRET = "jwt-secret"
    API_SECRET_KEY = "api-secret-key"
    METASTORE_USER = "metastore-user"
    """The application's database user, not the owner of the database."""
    BROKER_USER = "broker-user"
    ADMIN_USER = "admin-user"
    FLOWER_USER = "flower-user"
    API_SERVER_PRIVATE_KEY = "api-server-private-key"
    API_SERVER_CERTIFICATE = "api-server-certificate"
    """Self-signed, made from the private key."""


LOGINS = frozenset(
    {SecretKind.METASTORE_USER, SecretKind.BROKER_USER, SecretKind.ADMIN_USER, SecretKind.FLOWER_USER}
)

JSON_KEYS: Mapping[SecretKind, tuple[str, ...]] = MappingProxyType(
    {kind: ("username", "password") if kind in LOGINS else () for kind in SecretKind}
)
"""The keys of a secret that is a JSON object; none for a secret that is plain text."""

USER_NAMES: Mapping[SecretKind, str] = MappingProxyType(
    {
        SecretKind.METASTORE_USER: "airflow",
        SecretKind.ADMIN_USER: "admin",
        SecretKind.FLOWER_USER: "flower",
    }
)
"""The user names inside logins. The broker's user has another one in every environment."""
