"""Real servers behind TLS and the image's own scripts, for the tests that use the installed Airflow."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from functions.platform_gate import values
from sandbox.twin import certificates
from sandbox.twin.backends import PostgreSql, Redis, TlsFront
from sandbox.twin.image import Image
from sandbox.twin.tls_front import POSTGRESQL, REDIS, Front

DATABASE, OWNER, USER, BROKER_USER = "airflow", "owner", "airflow", "airflow-dev"
PASSWORD = "p@s/w:o%r#d?&$HOME+ =ü~,;'\"\\"
"""Every character that means something to somebody on the way."""


@dataclass
class Servers:
    """A metastore and a broker as the containers see them."""

    metastore: PostgreSql
    broker: Redis
    ports: Mapping[str, int]
    authority: Path

    def environment(self, image: Image, role: str, home: Path) -> dict[str, str]:
        """Return the variables of a container without those of Airflow itself."""
        return {
            **image.environment_in_place,
            "HOME": str(home),
            "AIRFLOW_HOME": str(home),
            "PLATFORM_ROLE": role,
            "PLATFORM_AIRFLOW_VERSION": image.airflow_version,
            "PLATFORM_METASTORE_HOST": "localhost",
            "PLATFORM_METASTORE_PORT": str(self.ports["metastore"]),
            "PLATFORM_METASTORE_DATABASE": DATABASE,
            "PLATFORM_METASTORE_CA_BUNDLE": str(self.authority),
            "PLATFORM_METASTORE_USERNAME": USER,
            "PLATFORM_METASTORE_PASSWORD": PASSWORD,
            "PLATFORM_BROKER_HOST": "localhost",
            "PLATFORM_BROKER_PORT": str(self.ports["broker"]),
            "PLATFORM_BROKER_USERNAME": BROKER_USER,
            "PLATFORM_BROKER_PASSWORD": PASSWORD,
            "SSL_CERT_FILE": str(self.authority),
        }


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """Run both servers and the TLS front for as long as the block takes."""
    metastore, broker = PostgreSql(folder, database=DATABASE, owner=OWNER), Redis(folder)
    files = certificates.write(folder / "tls", ["localhost"])
    front = TlsFront(
        [
            Front(
                name=name,
                protocol=protocol,
                host="127.0.0.1",
                port=0,
                backend=str(server.socket),
                certificate=str(files.certificate),
                key=str(files.key),
            )
            for name, protocol, server in (
                ("metastore", POSTGRESQL, metastore),
                ("broker", REDIS, broker),
            )
        ],
        folder / "tls.log",
    )
    try:
        metastore.start()
        broker.start()
        broker.set_user(BROKER_USER, "on ~* &* +@all", [PASSWORD])
        front.start()
        yield Servers(metastore, broker, front.ports, files.authority)
    finally:
        front.stop()
        metastore.close()
        broker.close()
        # As root their data lies elsewhere, where their own account may enter.
        shutil.rmtree(metastore.data, ignore_errors=True)
        shutil.rmtree(broker.data, ignore_errors=True)


def run(
    command: tuple[str, ...], environment: Mapping[str, str], seconds: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run one of the image's scripts to its end."""
    program = shutil.which(command[0], path=environment["PATH"])
    assert program, command[0]
    return subprocess.run(
        [program, *command[1:]],
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        cwd=os.path.sep,
    )


BOOTSTRAP: dict[str, str] = {
    "PLATFORM_METASTORE_OWNER_USERNAME": OWNER,
    "PLATFORM_ADMIN_USERNAME": "admin",
    "PLATFORM_ADMIN_PASSWORD": f"-{PASSWORD}",
    "PLATFORM_SERVICES_RUNNING": "false",
    "AIRFLOW__CORE__FERNET_KEY": values.fernet_key(),
    "AIRFLOW__CORE__AUTH_MANAGER": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
    "AIRFLOW__CORE__DEFAULT_POOL_TASK_SLOT_COUNT": "48",
}
