"""What a platform looks like before a drill breaks it: logins that are hard to quote, few slots, something to read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from sandbox import recovery
from sandbox.twin import platform
from sandbox.twin.platform import Platform
from sandbox.workspace import Workspace
from tests.twin import checks
from tests.twin.running import RunningTwin

BASE: Final[Mapping[str, Mapping[str, str | None]]] = {"scheduler": {"AIRFLOW__CORE__PARALLELISM": "4"}}
"""Variables by service for the whole drill: few slots fill soon where they are not given back."""
HARD: Final = "p@ss:/%#?&$ w0rd+[]"
"""A password with everything that means something in an address, and long enough for ElastiCache."""

# What an operator does to change a password by hand; the metastore's own user may change its own.
ROTATE: Final = """
import json, os, sys
import boto3, psycopg2
from platform_runtime import addresses
from platform_runtime.variables import Variables

order = json.loads(sys.argv[1])
secrets = boto3.client("secretsmanager")
variables = Variables(os.environ)
where, login = addresses.metastore(variables), addresses.login(variables, "METASTORE")
connection = psycopg2.connect(
    host=where.host, port=where.port, dbname=where.database, user=login.username, password=login.password,
    **where.parameters("drill"),
)
with connection, connection.cursor() as cursor:
    cursor.execute("ALTER ROLE CURRENT_USER PASSWORD %s", (order["password"],))
boto3.client("elasticache").modify_user(
    UserId=order["broker"]["userId"], AccessString=order["broker"]["accessString"],
    AuthenticationMode={"Type": "password", "Passwords": [order["password"]]},
)
for arn in order["secrets"]:
    login = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])
    secrets.put_secret_value(SecretId=arn, SecretString=json.dumps(login | {"password": order["password"]}))
secrets.create_secret(Name=order["connection"], SecretString=json.dumps(
    {"conn_type": "generic", "password": order["connection_password"]}))
print("done")
"""


def prepare(twin: RunningTwin) -> None:
    """Make the platform what the drill needs, and wait until it is."""
    found = platform.read(recovery.resources(Workspace(twin.project), twin.stack))
    code, said = twin.exec("scheduler", "python", "-c", ROTATE, json.dumps(_order(twin, found)))
    assert (code, said.strip()) == (0, "done"), f"the logins cannot be changed: {said}"
    for service in twin.call("status")["services"]:
        twin.change(service["role"], BASE.get(service["role"], {}), wait=False)
    twin.wait_ready()
    twin.airflow.set_connection(checks.CONNECTION, "generic", password=checks.PASSWORD)


def _order(twin: RunningTwin, found: Platform) -> dict[str, object]:
    kwargs = json.loads(twin.environment("worker")["AIRFLOW__WORKERS__SECRETS_BACKEND_KWARGS"])
    return {
        "password": HARD,
        "broker": json.loads(found.gate.invocation["input"])["broker"],
        "secrets": [found.secrets["metastore-user"], found.secrets["broker-user"]],
        "connection": f"{kwargs['connections_prefix']}/drill_secret",
        "connection_password": checks.PASSWORD,
    }
