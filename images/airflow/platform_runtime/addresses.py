"""Addresses of metastore and broker, put together from parts; every part is quoted, every driver is named.

A password may contain anything: quoting turns `@/:%#?&$` into escapes that each reader turns back. Certificates are
always verified, and there is no way to switch that off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from .variables import Variables

SYNC_DRIVER: Final = "postgresql+psycopg2"
ASYNC_DRIVER: Final = "postgresql+psycopg"
"""Airflow would take asyncpg, which knows neither `sslmode` nor `sslrootcert`; psycopg reads the same parameters as
psycopg2, since both hand them to libpq."""
BROKER_DATABASE: Final = 0
RESULT_DATABASE: Final = 1
"""Results have a database number of their own: what clears one leaves the other alone."""
HIGHEST_PORT: Final = 65535


@dataclass(frozen=True)
class Login:
    """User and password; the password is not shown."""

    username: str
    password: str

    def __repr__(self) -> str:
        """Leave out the password, wherever a login is printed."""
        return f"Login({self.username!r})"


@dataclass(frozen=True, kw_only=True)
class Metastore:
    """Where the metastore is and how to get in."""

    host: str
    port: int
    database: str
    ca_bundle: str
    """File with the authorities that may have signed the server's certificate."""
    options: tuple[tuple[str, str], ...]
    """More parameters of libpq, such as timeouts."""

    def parameters(self, application: str) -> dict[str, str]:
        """Return libpq's parameters besides host, database and login; no option weakens the verification."""
        return {
            **dict(self.options),
            "application_name": application,
            "sslmode": "verify-full",
            "sslrootcert": self.ca_bundle,
        }

    def url(self, driver: str, login: Login, application: str) -> str:
        """Return the address for SQLAlchemy."""
        query = urlencode(self.parameters(application), quote_via=quote)
        return f"{driver}://{_user(login)}@{_host(self.host)}:{self.port}/{quote(self.database, safe='')}?{query}"


@dataclass(frozen=True)
class Broker:
    """Where the broker is."""

    host: str
    port: int

    def url(self, login: Login, database: int) -> str:
        """Return the address for Celery.

        Without the parameter kombu connects to anybody, and Celery refuses the address for results.
        """
        return (
            f"rediss://{_user(login)}@{_host(self.host)}:{self.port}/{database}?ssl_cert_reqs=CERT_REQUIRED"
        )


def metastore(variables: Variables) -> Metastore:
    """Read the metastore's parts."""
    return Metastore(
        host=variables.need("PLATFORM_METASTORE_HOST"),
        port=variables.number("PLATFORM_METASTORE_PORT", 1, HIGHEST_PORT),
        database=variables.need("PLATFORM_METASTORE_DATABASE"),
        ca_bundle=variables.need("PLATFORM_METASTORE_CA_BUNDLE"),
        options=tuple(parse_qsl(variables.get("PLATFORM_METASTORE_OPTIONS") or "")),
    )


def broker(variables: Variables) -> Broker:
    """Read the broker's parts."""
    return Broker(
        variables.need("PLATFORM_BROKER_HOST"), variables.number("PLATFORM_BROKER_PORT", 1, HIGHEST_PORT)
    )


def login(variables: Variables, whose: str) -> Login:
    """Read a login, such as that of BROKER."""
    return Login(
        variables.need(f"PLATFORM_{whose}_USERNAME"),
        variables.need(f"PLATFORM_{whose}_PASSWORD"),
    )


def _user(login: Login) -> str:
    return f"{quote(login.username, safe='')}:{quote(login.password, safe='')}"


def _host(host: str) -> str:
    # An IPv6 address has colons itself.
    return f"[{host}]" if ":" in host else host
