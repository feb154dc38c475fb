"""Breaks the wiring, one entry at a time, under real Airflow: each time a named check must turn red.

A check that stays green where something is broken proves nothing, and neither does an entry of the wiring whose loss
nobody notices. Broken are variables of a service, or the image's own code, of which the service then gets a copy. One
that has other values before this drill: the logins of metastore and broker, which hold every character that means
something in an address.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sandbox.twin.image import FOLDER
from tests.twin import checks
from tests.twin.checks import Check
from tests.twin.drills import preparation, report
from tests.twin.drills.place import place
from tests.twin.running import RunningTwin, running

RUNTIME: Final = "/opt/platform/lib/platform_runtime"
"""Where the image has its own code."""
BUNDLE: Final = FOLDER / "certificates" / "rds-global-bundle.pem"
OTHER_SECRET: Final = "another secret, " * 4
OTHER_FERNET_KEY: Final = "YW5vdGhlciBrZXksIG9mIHRoaXJ0eS10d28gYnl0ZXM="
OTHER_CERTIFICATE: Final = "-----BEGIN " + BUNDLE.read_text().split("-----BEGIN ")[1]
"""Of somebody else; it is none of the server that it is used for."""
IMPATIENT: Final = {"AIRFLOW__WORKERS__EXECUTION_API_RETRIES": "2"}
"""A worker whose tasks give up at once; as rendered they try for 80 seconds."""
STARTS: Final = "the service starts"
SEEN_CHARACTERS: Final = 150


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One thing that is broken."""

    name: str
    role: str
    """Whose containers get it."""
    symptom: str
    """What people would see who had made this mistake."""
    red: Check | None = None
    """Which check must turn red; None: the service must not start."""
    variables: Mapping[str, str | None] = field(default_factory=dict)
    """By name; None takes one away."""
    runtime: tuple[str, str, str] | None = None
    """Module of the image's own code, what stands there, and what shall stand there instead."""
    restart: tuple[str, ...] = ()
    """Services that remember what was broken."""
    patience_seconds: float = checks.START_SECONDS
    """How long the service may take to start."""

    @property
    def check(self) -> str:
        """The check's name."""
        return checks.name(self.red) if self.red else STARTS


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one mutation ended."""

    mutation: Mutation
    red: str | None
    """The check that turned red; None: all stayed green."""
    seen: str
    seconds: float

    @property
    def good(self) -> bool:
        """Whether the right check turned red."""
        return self.red == self.mutation.check

    @property
    def row(self) -> Mapping[str, Any]:
        """For the table."""
        return {
            "mutation": self.mutation.name,
            "service": self.mutation.role,
            "symptom": self.mutation.symptom,
            "red": self.red or "NOTHING",
            "seen": self.seen,
            "seconds": round(self.seconds, 1),
            **({} if self.good else {"expected": self.mutation.check}),
        }


MUTATIONS: Final = (
    # Keys and tokens.
    Mutation(
        name="the api-server has another JWT secret than the scheduler",
        role="api-server",
        symptom="every task fails within seconds, without a log",
        variables={"AIRFLOW__API_AUTH__JWT_SECRET": OTHER_SECRET},
        red=checks.a_task_runs,
    ),
    Mutation(
        name="the scheduler has no JWT secret",
        role="scheduler",
        symptom="it would make one up: every task fails",
        variables={"AIRFLOW__API_AUTH__JWT_SECRET": None},
    ),
    Mutation(
        name="a worker knows the JWT secret",
        role="worker",
        symptom="the code of DAGs could sign for every task",
        variables={"AIRFLOW__API_AUTH__JWT_SECRET": OTHER_SECRET},
    ),
    Mutation(
        name="the api-server has another Fernet key",
        role="api-server",
        symptom="connections cannot be decrypted: tasks hear that they are not defined",
        variables={"AIRFLOW__CORE__FERNET_KEY": OTHER_FERNET_KEY},
        red=checks.a_connection_reaches_a_task,
    ),
    Mutation(
        name="the triggerer has another Fernet key",
        role="triggerer",
        symptom="it dies of the first trigger that the scheduler has stored, and again after each start",
        variables={"AIRFLOW__CORE__FERNET_KEY": OTHER_FERNET_KEY},
        red=checks.a_trigger_of_the_scheduler_ends,
    ),
    Mutation(
        # Another key would be worse: no triggerer survives a trigger that it cannot read.
        name="the scheduler has no Fernet key",
        role="scheduler",
        symptom="it would make one up: every triggerer would die of the triggers that it stores",
        variables={"AIRFLOW__CORE__FERNET_KEY": None},
    ),
    Mutation(
        name="the worker has another API secret key",
        role="worker",
        symptom="no log of a running task",
        variables={"AIRFLOW__API__SECRET_KEY": OTHER_SECRET},
        red=checks.the_log_of_a_running_task_can_be_read,
    ),
    Mutation(
        name="the triggerer has another API secret key",
        role="triggerer",
        symptom="no log of a running trigger",
        variables={"AIRFLOW__API__SECRET_KEY": OTHER_SECRET},
        red=checks.the_log_of_a_running_trigger_can_be_read,
    ),
    # Execution API.
    Mutation(
        name="the Execution API's address is missing",
        role="worker",
        symptom="workers would ask localhost: every task fails",
        variables={"AIRFLOW__CORE__EXECUTION_API_SERVER_URL": None},
    ),
    Mutation(
        name="the Execution API's address lacks /execution/",
        role="worker",
        symptom="Method Not Allowed: every task fails",
        variables={"AIRFLOW__CORE__EXECUTION_API_SERVER_URL": "https://api.airflow-dev.internal:8080/"},
    ),
    Mutation(
        name="the Execution API's address has another port",
        role="worker",
        symptom="connection refused: every task fails",
        variables={"AIRFLOW__CORE__EXECUTION_API_SERVER_URL": "https://HOST:8081/execution/", **IMPATIENT},
        red=checks.a_task_runs,
    ),
    Mutation(
        name="the worker trusts another certificate",
        role="worker",
        symptom="certificate verify failed: every task fails",
        variables={"PLATFORM_API_SERVER_CERTIFICATE": OTHER_CERTIFICATE, **IMPATIENT},
        red=checks.a_task_runs,
    ),
    Mutation(
        name="the worker trusts all public authorities",
        role="worker",
        symptom="whoever has any certificate could be the api-server",
        variables={"AIRFLOW__API__CLIENT_USE_PUBLIC_CERTS": "True"},
    ),
    # Metastore.
    Mutation(
        name="the driver of the metastore's address is asynchronous",
        role="scheduler",
        symptom="it ends at its first query",
        runtime=("addresses", '"postgresql+psycopg2"', '"postgresql+asyncpg"'),
    ),
    Mutation(
        name="the asynchronous driver knows no TLS parameters of libpq",
        role="api-server",
        symptom="connect() got an unexpected keyword argument 'sslmode'",
        runtime=("addresses", '"postgresql+psycopg"', '"postgresql+asyncpg"'),
        red=checks.a_client_can_wait_for_a_run,
    ),
    Mutation(
        name="the metastore's password is not quoted",
        role="scheduler",
        symptom="what follows a special character is taken for something else",
        runtime=("addresses", "{quote(login.password, safe='')}", "{login.password}"),
    ),
    Mutation(
        name="the metastore's authority is another one",
        role="scheduler",
        symptom="certificate verify failed",
        variables={"PLATFORM_METASTORE_CA_BUNDLE": "/etc/ssl/certs/ca-certificates.crt"},
    ),
    Mutation(
        name="the metastore's certificate is not verified",
        role="scheduler",
        symptom="whoever is in between reads everything",
        # With a file of authorities libpq takes `require` for `verify-ca`.
        runtime=("addresses", '"verify-full",\n            "sslrootcert": self.ca_bundle', '"require"'),
        red=checks.the_metastore_must_show_a_certificate_of_its_authority,
    ),
    Mutation(
        name="the name in the metastore's certificate is not compared",
        role="scheduler",
        symptom="any database of the same authority will do",
        runtime=("addresses", '"sslmode": "verify-full"', '"sslmode": "verify-ca"'),
        red=checks.the_metastore_must_show_a_certificate_with_its_name,
    ),
    Mutation(
        name="the scheduler is of another Airflow version than the settings say",
        role="scheduler",
        symptom="versions that do not fit each other share a metastore",
        variables={"PLATFORM_AIRFLOW_VERSION": "3.3.1"},
    ),
    # Broker and results.
    Mutation(
        name="the broker's password is wrong",
        role="worker",
        symptom="no worker takes a task: all stay queued",
        variables={"PLATFORM_BROKER_PASSWORD": "another password"},
        patience_seconds=60,
    ),
    Mutation(
        name="the broker's password is not quoted",
        role="worker",
        symptom="what follows a special character is taken for something else",
        runtime=("addresses", "{quote(login.password, safe='')}", "{login.password}"),
    ),
    Mutation(
        name="TLS to the broker is off in Airflow's configuration",
        role="worker",
        symptom="the certificate would not be verified",
        variables={"AIRFLOW__CELERY__SSL_ACTIVE": "False"},
    ),
    Mutation(
        name="the broker's certificate is not verified",
        role="worker",
        symptom="whoever is in between reads and writes messages",
        runtime=("addresses", "ssl_cert_reqs=CERT_REQUIRED", "ssl_cert_reqs=CERT_NONE"),
        red=checks.the_broker_must_show_a_certificate_of_its_authority,
    ),
    Mutation(
        name="the worker keeps results in another database",
        role="worker",
        symptom="nothing fails, until as many tasks have run as may run at once; then nothing runs any more",
        runtime=("addresses", "RESULT_DATABASE: Final = 1", "RESULT_DATABASE: Final = 2"),
        red=checks.all_slots_are_free_after_more_tasks_than_there_are,
        restart=("scheduler",),
    ),
    Mutation(
        name="the task definition brings a result backend of its own",
        role="worker",
        symptom="an address without TLS or quoting would win",
        variables={"AIRFLOW__CELERY__RESULT_BACKEND": "redis://localhost/0"},
    ),
    Mutation(
        name="the worker promises more tasks than its memory holds",
        role="worker",
        symptom="the kernel would kill it in the middle of its tasks",
        variables={"PLATFORM_TASK_MEMORY_MIB": "512"},
    ),
    # DAGs.
    Mutation(
        name="example DAGs are loaded",
        role="dag-processor",
        symptom="a hundred DAGs of others",
        variables={"AIRFLOW__CORE__LOAD_EXAMPLES": "True"},
        red=checks.only_our_own_dags_are_known,
    ),
    Mutation(
        name="the worker looks for DAGs where there is nothing",
        role="worker",
        symptom="DAG not found: every task fails",
        variables={"PLATFORM_RELEASES_PATH": "/opt/airflow/nothing"},
    ),
    Mutation(
        name="the worker looks for DAGs in another folder",
        role="worker",
        symptom="DAG not found: every task fails",
        variables={"PLATFORM_RELEASES_PATH": "/opt/airflow"},
        red=checks.a_task_runs,
    ),
    Mutation(
        name="the dag-processor looks for a release as rarely as Airflow does for new files",
        role="dag-processor",
        symptom="a release is there after 5 minutes",
        variables={"AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "300"},
        red=checks.a_new_dag_is_seen_soon,
    ),
    Mutation(
        name="tasks have no second attempt by default",
        role="dag-processor",
        symptom="a message that the broker loses fails its task",
        variables={"AIRFLOW__CORE__DEFAULT_TASK_RETRIES": None},
        red=checks.a_lost_task_has_a_second_attempt,
    ),
    # Logs.
    Mutation(
        name="the worker writes down a host name that does not resolve",
        role="worker",
        symptom="no log of a running task",
        variables={"AIRFLOW__CORE__HOSTNAME_CALLABLE": None},
        red=checks.the_log_of_a_running_task_can_be_read,
    ),
    Mutation(
        name="the triggerer writes down a host name that does not resolve",
        role="triggerer",
        symptom="its own health check does not find it",
        variables={"AIRFLOW__CORE__HOSTNAME_CALLABLE": None},
        patience_seconds=60,
    ),
    Mutation(
        name="the api-server asks for logs at another port",
        role="api-server",
        symptom="no log of a running task",
        variables={"AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": "8795"},
        red=checks.the_log_of_a_running_task_can_be_read,
    ),
    Mutation(
        name="the worker does not send logs to S3",
        role="worker",
        symptom="logs are gone with the container",
        variables={"AIRFLOW__LOGGING__REMOTE_LOGGING": "False"},
        red=checks.the_log_of_a_finished_task_lies_in_s3,
    ),
    Mutation(
        name="the api-server looks for logs elsewhere in S3",
        role="api-server",
        symptom="no log of a finished task",
        variables={"AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER": "s3://elsewhere/task-logs"},
        red=checks.the_log_of_a_finished_task_lies_in_s3,
    ),
    Mutation(
        name="the worker keeps copies of its logs",
        role="worker",
        symptom="the scratch fills up",
        variables={"AIRFLOW__LOGGING__DELETE_LOCAL_LOGS": "False"},
        red=checks.no_log_of_a_finished_task_stays_on_the_worker,
    ),
    # Connections.
    Mutation(
        name="the worker does not look into Secrets Manager",
        role="worker",
        symptom="a connection that lies there is not defined",
        variables={"AIRFLOW__WORKERS__SECRETS_BACKEND": None},
        red=checks.a_connection_of_secrets_manager_reaches_a_task,
    ),
    # Web.
    Mutation(
        name="the api-server has Airflow's own auth manager",
        role="api-server",
        symptom="nobody can log in with the password of the secret",
        variables={"AIRFLOW__CORE__AUTH_MANAGER": None},
        red=checks.the_administrator_can_log_in,
    ),
    Mutation(
        name="the api-server has no private key",
        role="api-server",
        symptom="it would serve plain HTTP",
        variables={"PLATFORM_API_SERVER_PRIVATE_KEY": None},
    ),
    Mutation(
        name="the api-server believes nobody about the user's address",
        role="api-server",
        symptom="redirects lead to https where there is none, and to http where there is only https",
        variables={"FORWARDED_ALLOW_IPS": "192.0.2.0/24"},
        red=checks.redirects_stay_at_the_address_of_the_user,
    ),
    Mutation(
        name="Flower has no password",
        role="flower",
        symptom="it would be open to everybody",
        variables={"PLATFORM_FLOWER_PASSWORD": None},
    ),
    Mutation(
        name="Flower is started without its login",
        role="flower",
        symptom="it is open to everybody",
        runtime=("start", "given.start.assign[FLOWER_BASIC_AUTH] =", "_ ="),
        red=checks.flower_wants_its_login,
    ),
    Mutation(
        name="Flower does not know its path",
        role="flower",
        symptom="the load balancer's check finds nothing",
        variables={"AIRFLOW__CELERY__FLOWER_URL_PREFIX": None},
        patience_seconds=60,
    ),
    # Health.
    Mutation(
        name="the scheduler answers no health check",
        role="scheduler",
        symptom="ECS replaces it for ever",
        variables={"AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False"},
        patience_seconds=60,
    ),
)

BASELINE: Final[tuple[Check, ...]] = (
    checks.every_service_is_healthy,
    *dict.fromkeys(mutation.red for mutation in MUTATIONS if mutation.red),
)


class Drill:
    """Breaks one thing after the other on one platform."""

    def __init__(self, twin: RunningTwin, folder: Path) -> None:
        """Take a twin that is prepared.

        Args:
            twin: Of dev.
            folder: For copies of the image's code, readable for containers.

        """
        self._twin, self._folder = twin, folder

    def baseline(self) -> list[str]:
        """Run every check with nothing broken; return what is red all the same."""
        red = []
        for check in BASELINE:
            began = time.monotonic()
            seen = self._seen(check)
            report.say(
                f"{'red  ' if seen else 'green'} {time.monotonic() - began:5.1f} s  {checks.name(check)}"
            )
            if seen:
                red.append(f"{checks.name(check)}: {seen}")
        return red

    def run(self, mutation: Mutation) -> Outcome:
        """Break something, and look."""
        began = time.monotonic()
        red, seen = self._break(mutation)
        return Outcome(mutation=mutation, red=red, seen=seen, seconds=time.monotonic() - began)

    def _break(self, mutation: Mutation) -> tuple[str | None, str]:
        since = time.time()
        base = preparation.BASE.get(mutation.role, {})
        self._twin.call(
            "change",
            service=mutation.role,
            variables={**base, **self._variables(mutation)},
            mounts=self._mounts(mutation),
        )
        try:
            checks.starts(self._twin, mutation.role, since, seconds=mutation.patience_seconds)
        except AssertionError as error:
            return STARTS, str(error)
        if mutation.red and (seen := self._seen(mutation.red)):
            return checks.name(mutation.red), seen
        return None, "it goes on as if nothing had happened"

    def undo(self, mutation: Mutation) -> None:
        """Go back to how it was, and see that tasks run.

        Raises:
            AssertionError: They do not.

        """
        # One after the other: what remembers must not begin again while the broken one still works.
        for role in (mutation.role, *mutation.restart):
            since = time.time()
            self._twin.change(role, preparation.BASE.get(role, {}), wait=False)
            checks.starts(self._twin, role, since, alone=bool(mutation.restart))
        checks.a_task_runs(self._twin)

    def _seen(self, check: Check) -> str:
        """Return what a check says against the platform; empty where it is green."""
        try:
            check(self._twin)
        except Exception as error:
            return str(error) or type(error).__name__
        return ""

    def _variables(self, mutation: Mutation) -> Mapping[str, str | None]:
        url = self._twin.environment("worker")["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"]
        host = url.split("//")[1].split(":")[0]
        return {name: value and value.replace("HOST", host) for name, value in mutation.variables.items()}

    def _mounts(self, mutation: Mutation) -> Mapping[str, str]:
        if mutation.runtime is None:
            return {}
        module, old, new = mutation.runtime
        copy = self._folder / mutation.name.replace(" ", "-")
        shutil.copytree(FOLDER / "platform_runtime", copy, ignore=shutil.ignore_patterns("__pycache__"))
        path = copy / f"{module}.py"
        text = path.read_text()
        assert text.count(old) == 1, f"{module}.py has {old!r} {text.count(old)} times"
        path.write_text(text.replace(old, new))
        return {RUNTIME: str(copy)}


def main(results: Path, only: str = "") -> bool:
    """Run the drill; return whether every mutation turned its check red.

    Args:
        results: Folder for the result as JSON.
        only: Part of the name of the mutations to run; empty: all of them.

    """
    chosen = [mutation for mutation in MUTATIONS if only in mutation.name]
    # Copies of the image's code must be readable for containers.
    os.umask(0o022)
    with place() as folder, running(folder / "platform") as twin:
        report.say("preparing: logins that are hard to quote, few slots")
        preparation.prepare(twin)
        drill = Drill(twin, folder)
        if red := drill.baseline():
            report.say("\n".join(["nothing is broken yet, and this is red:", *red]))
            return False
        outcomes = run(drill, chosen)
    report.show(f"{len(outcomes)} mutations", [shown(outcome) for outcome in outcomes])
    bad = [outcome for outcome in outcomes if not outcome.good]
    report.write(results, "mutations", {"good": not bad, "mutations": [dict(each.row) for each in outcomes]})
    report.say(f"{len(outcomes) - len(bad)} of {len(outcomes)} mutations turned the right check red")
    return not bad


def run(drill: Drill, mutations: Sequence[Mutation]) -> list[Outcome]:
    """Break one thing after the other, service by service; those that must not start come first."""
    order = sorted(mutations, key=lambda each: (each.role, each.red is not None))
    outcomes = []
    for mutation, following in zip(order, [*order[1:], None], strict=True):
        outcomes.append(outcome := drill.run(mutation))
        tell(outcome)
        # What never started has done nothing, and the next deployment of its service replaces it.
        if outcome.red != STARTS or following is None or following.role != mutation.role:
            drill.undo(mutation)
    return outcomes


def tell(outcome: Outcome) -> None:
    """Print how one mutation ended."""
    sign = "red" if outcome.good else f"NOT AS EXPECTED ({outcome.mutation.check})"
    report.say(f"{sign} {outcome.seconds:5.1f} s  {outcome.mutation.role}: {outcome.mutation.name}")
    report.say(f"      {outcome.red}: {outcome.seen}")


def shown(outcome: Outcome) -> Mapping[str, Any]:
    """Return the row of the table: short, and with every column."""
    row = {key: value for key, value in outcome.row.items() if key not in {"symptom", "expected"}}
    return row | {"seen": outcome.seen[:SEEN_CHARACTERS], "good": "yes" if outcome.good else "NO"}
