"""What a container needs before Airflow starts: the variables to set, to take away, and the files to write.

Pure: it reads the given variables and returns a `Start`. The parts of a role stand in one table, and so does what a
role must not hold. The entry point carries it out.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from . import addresses, workers
from .releases.state import REQUESTS
from .variables import Variables

SQL_ALCHEMY_CONN: Final = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
SQL_ALCHEMY_CONN_ASYNC: Final = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"
BROKER_URL: Final = "AIRFLOW__CELERY__BROKER_URL"
RESULT_BACKEND: Final = "AIRFLOW__CELERY__RESULT_BACKEND"
FLOWER_BASIC_AUTH: Final = "FLOWER_BASIC_AUTH"
"""Flower's own variable: in Airflow's, a $ in the password would begin the name of another variable."""
BUNDLES: Final = "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"
FERNET_KEY: Final = "AIRFLOW__CORE__FERNET_KEY"
JWT_SECRET: Final = "AIRFLOW__API_AUTH__JWT_SECRET"
API_SECRET_KEY: Final = "AIRFLOW__API__SECRET_KEY"
SHORTEST_SECRET: Final = 32
"""Characters; a shorter signing secret can be guessed."""
FERNET_BYTES: Final = 32
DAG_BUNDLE: Final = "dags"
BUNDLE_CLASSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "release": "platform_runtime.releases.bundle.ReleaseBundle",
        "image": "platform_runtime.releases.image_bundle.ImageBundle",
    }
)
"""Class of the DAG bundle, by the way in which DAGs are delivered."""
EXECUTION_PATH: Final = "/execution/"

MADE_HERE: Final = (
    SQL_ALCHEMY_CONN,
    SQL_ALCHEMY_CONN_ASYNC,
    BROKER_URL,
    RESULT_BACKEND,
    FLOWER_BASIC_AUTH,
    BUNDLES,
)
"""Never in a task definition: an address without quoting or TLS would win over ours unseen."""
USED_UP: Final = (
    "PLATFORM_METASTORE_PASSWORD",
    "PLATFORM_BROKER_PASSWORD",
    "PLATFORM_FLOWER_PASSWORD",
    "PLATFORM_API_SERVER_CERTIFICATE",
    "PLATFORM_API_SERVER_PRIVATE_KEY",
)
"""Taken away before Airflow starts: what it needs of them stands elsewhere. So no child inherits them, and nothing that
prints its environment shows them. They are not hidden from code that looks for them: ECS's init, process 1, keeps the
variables of the container, and the addresses made here have them. A worker is not given what a DAG must not know."""


@dataclass(kw_only=True)
class Start:
    """What the entry point carries out."""

    assign: dict[str, str] = field(default_factory=dict)
    """Variables by name."""
    take_away: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    """Contents by path."""
    served_pair: tuple[str, str] | None = None
    """Paths of a certificate and key among the files, which must belong together."""
    pair: tuple[str, str] | None = None
    """Paths of a certificate and key to make up, for a server whose clients ask for no signer."""
    folders: list[str] = field(default_factory=list)
    """What must exist."""


@dataclass(frozen=True)
class Given:
    """What a part is made from."""

    role: str
    variables: Variables
    command: Sequence[str]
    start: Start


Part = Callable[[Given], None]


def compose(environment: Mapping[str, str], command: Sequence[str], installed_version: str) -> Start:
    """Return what has to be done before `command` starts.

    Args:
        environment: The container's variables.
        command: What will run.
        installed_version: Version of the Airflow in this image.

    Raises:
        Refusal: with everything that is missing or contradictory.

    """
    variables = Variables(environment)
    if not command:
        variables.problems.append("the container has no command")
    role = variables.need("PLATFORM_ROLE")
    given = Given(role, variables, command, Start(take_away=() if role == "bootstrap" else USED_UP))
    wanted = variables.need("PLATFORM_AIRFLOW_VERSION")
    if wanted and wanted != installed_version:
        variables.problems.append(
            f"PLATFORM_AIRFLOW_VERSION: the settings say {wanted}, the image has {installed_version}"
        )
    variables.need("AIRFLOW_HOME")
    for name in MADE_HERE:
        variables.must_not_have(name, "it is put together here, from its parts")
    if role and role not in PARTS:
        variables.problems.append(f"PLATFORM_ROLE: want one of {', '.join(PARTS)}, got {role}")
    for part in PARTS.get(role, ()):
        part(given)
    variables.refuse()
    return given.start


def _metastore(given: Given) -> None:
    where, login = addresses.metastore(given.variables), addresses.login(given.variables, "METASTORE")
    for name, driver in (
        (SQL_ALCHEMY_CONN, addresses.SYNC_DRIVER),
        (SQL_ALCHEMY_CONN_ASYNC, addresses.ASYNC_DRIVER),
    ):
        given.start.assign[name] = where.url(driver, login, f"airflow-{given.role}")
    _fernet_key(given.variables)


def _fernet_key(variables: Variables) -> None:
    key = variables.need(FERNET_KEY)
    try:
        length = len(base64.b64decode(key, altchars="-_", validate=True))
    except (binascii.Error, ValueError):
        length = 0
    if key and length != FERNET_BYTES:
        variables.problems.append(f"{FERNET_KEY}: want 32 bytes in URL-safe base64")


def _broker(given: Given) -> None:
    where, login = addresses.broker(given.variables), addresses.login(given.variables, "BROKER")
    given.start.assign[BROKER_URL] = where.url(login, addresses.BROKER_DATABASE)
    given.start.assign[RESULT_BACKEND] = where.url(login, addresses.RESULT_DATABASE)
    given.variables.must_be("AIRFLOW__CELERY__SSL_ACTIVE", "True", "the broker's certificate is verified")
    given.variables.must_be("AIRFLOW__CELERY__SSL_MUTUAL_TLS", "False", "clients have no certificate")


def _secret(name: str) -> Part:
    def part(given: Given) -> None:
        value = given.variables.need(name)
        if value and len(value) < SHORTEST_SECRET:
            given.variables.problems.append(f"{name}: want {SHORTEST_SECRET} characters or more")

    return part


def _serves_https(given: Given) -> None:
    variables = given.variables
    certificate, key = variables.need("AIRFLOW__API__SSL_CERT"), variables.need("AIRFLOW__API__SSL_KEY")
    given.start.files[certificate] = _pem(variables, "PLATFORM_API_SERVER_CERTIFICATE")
    given.start.files[key] = _pem(variables, "PLATFORM_API_SERVER_PRIVATE_KEY")
    given.start.served_pair = certificate, key


def _trusts_proxies(given: Given) -> None:
    text = given.variables.need("FORWARDED_ALLOW_IPS")
    for address in filter(None, text.split(",")):
        try:
            network = ipaddress.ip_network(address.strip())
        except ValueError:
            given.variables.problems.append(
                "FORWARDED_ALLOW_IPS: want addresses or networks, with commas between"
            )
            return
        if network.prefixlen == 0:
            given.variables.problems.append(
                "FORWARDED_ALLOW_IPS: want the load balancer's network, got everybody"
            )


def _asks_execution_api(given: Given) -> None:
    variables = given.variables
    url = variables.need("AIRFLOW__CORE__EXECUTION_API_SERVER_URL")
    if url and not (url.startswith("https://") and url.endswith(EXECUTION_PATH)):
        variables.problems.append(
            f"AIRFLOW__CORE__EXECUTION_API_SERVER_URL: want https:// and the path {EXECUTION_PATH}"
        )
    # With this file and without public authorities a worker trusts the api-server's certificate and no other.
    path = variables.need("AIRFLOW__API__SSL_CA_FILE")
    given.start.files[path] = _pem(variables, "PLATFORM_API_SERVER_CERTIFICATE")
    variables.must_be(
        "AIRFLOW__API__CLIENT_USE_PUBLIC_CERTS", "False", "one certificate is trusted, and no other"
    )


def _pem(variables: Variables, name: str) -> str:
    text = variables.need(name)
    if text and not text.lstrip().startswith("-----BEGIN "):
        variables.problems.append(f"{name}: want PEM text")
    return text


def _reads_dags(given: Given) -> None:
    releases, home = given.variables.need("PLATFORM_RELEASES_PATH"), given.variables.get("AIRFLOW_HOME")
    given.variables.need("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH")
    delivery = given.variables.need("PLATFORM_DAG_DELIVERY")
    if delivery and delivery not in BUNDLE_CLASSES:
        given.variables.problems.append(f"PLATFORM_DAG_DELIVERY: want one of {', '.join(BUNDLE_CLASSES)}")
    kwargs = {"releases_path": releases, "requests_path": f"{home}/{REQUESTS}"}
    given.start.assign[BUNDLES] = json.dumps(
        [{"name": DAG_BUNDLE, "classpath": BUNDLE_CLASSES.get(delivery), "kwargs": kwargs}]
    )
    if releases:
        given.start.folders.append(releases)


def _handles_releases(given: Given) -> None:
    """Leave the rest to the program, which says itself what it lacks."""
    if path := given.variables.need("PLATFORM_DAG_STORAGE_PATH"):
        given.start.folders.append(path)


def _flower(given: Given) -> None:
    variables = given.variables
    login = addresses.login(variables, "FLOWER")
    if ":" in login.username or "," in login.username + login.password:
        variables.problems.append(
            "Flower's login: want a user name without : and no comma; Flower separates with them"
        )
    given.start.assign[FLOWER_BASIC_AUTH] = f"{login.username}:{login.password}"
    given.start.pair = variables.need("FLOWER_CERTFILE"), variables.need("FLOWER_KEYFILE")


def _concurrency(given: Given) -> None:
    given.start.assign.update(workers.concurrency(given.variables, given.command))


def _holds_no_key_of_the_platform(given: Given) -> None:
    """Note what the code of DAGs, which runs here, could give away."""
    for name in (
        "PLATFORM_METASTORE_USERNAME",
        "PLATFORM_METASTORE_PASSWORD",
        "PLATFORM_METASTORE_OWNER_PASSWORD",
        "PLATFORM_API_SERVER_PRIVATE_KEY",
        FERNET_KEY,
        JWT_SECRET,
    ):
        given.variables.must_not_have(name, f"a {given.role} must not know it")


PARTS: Final[Mapping[str, tuple[Part, ...]]] = MappingProxyType(
    {
        "api-server": (
            _metastore, _secret(JWT_SECRET), _secret(API_SECRET_KEY), _serves_https, _trusts_proxies,
        ),
        "scheduler": (_metastore, _broker, _secret(JWT_SECRET)),
        "dag-processor": (_metastore, _reads_dags),
        "triggerer": (_metastore, _secret(API_SECRET_KEY), _reads_dags),
        "worker": (
            _broker, _secret(API_SECRET_KEY), _asks_execution_api, _reads_dags, _concurrency,
            _holds_no_key_of_the_platform,
        ),
        "flower": (_broker, _flower, _holds_no_key_of_the_platform),
        "bootstrap": (_metastore,),
        "release-agent": (_handles_releases, _holds_no_key_of_the_platform),
        "release-publisher": (_handles_releases, _holds_no_key_of_the_platform),
    }
)  # fmt: skip
