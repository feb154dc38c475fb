"""A small client of Airflow's public API, for a person's commands, for tests and for drills.

It goes the way of any other client: through the balancer, with a token for a user's name and password. While a drill
breaks things, whatever waits here takes an unreachable API for "not known yet".
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

PAGE: Final = 100
"""Entries of one answer; the API gives no more."""
FINISHED: Final = frozenset({"success", "failed"})
"""States in which a run stays."""
REFUSED: Final = frozenset({401, 403})
"""An outdated token gets 401, one that was signed with another key 403."""
UNAVAILABLE: Final = frozenset({502, 503, 504})
ANSWER_CHARACTERS: Final = 500
"""How much of an answer an error shows."""
DEFAULT_POOL: Final = "default_pool"

Counts = Mapping[str, int]


class AirflowError(Exception):
    """The API refused something; the message names the address and the answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        """Keep the status for callers that know what to do about it."""
        super().__init__(message)
        self.status = status


class Unavailable(AirflowError):
    """Nobody answered for Airflow; it may do so later."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run of a DAG."""

    dag_id: str
    id: str
    state: str
    start: str | None
    end: str | None


@dataclass(frozen=True, kw_only=True)
class TaskInstance:
    """A task of a run; a mapped one has an index."""

    task_id: str
    map_index: int
    state: str
    """`none` before the scheduler has looked at it."""
    try_number: int
    hostname: str
    queued: str | None
    start: str | None
    end: str | None


@dataclass
class Airflow:
    """Airflow as a user."""

    url: str
    """Without a path: http://localhost:8080."""
    username: str
    password: str = field(repr=False)
    timeout_seconds: float = 30.0
    poll_seconds: float = 1.0
    """How often whatever waits asks: each question costs the api-server some time of its processor."""
    _token: str | None = field(default=None, repr=False)

    def health(self) -> Mapping[str, Any]:
        """Return what Airflow says of its own parts; needs no login."""
        return dict(self._call("GET", "/api/v2/monitor/health", login=False))

    def version(self) -> str:
        """Return Airflow's version; needs no login."""
        return str(self._call("GET", "/api/v2/version", login=False)["version"])

    def dags(self) -> dict[str, Mapping[str, Any]]:
        """Return all DAGs by id, those that the last look at the files still saw."""
        return {dag["dag_id"]: dag for dag in self._all("/api/v2/dags", "dags")}

    def wait_for_dags(self, ids: Collection[str], seconds: float) -> None:
        """Wait until DAGs are known.

        Raises:
            AirflowError: They are not in time; the message has the import errors.

        """

        def missing() -> set[str] | None:
            return set(ids) - self.dags().keys() or None

        left = self._until(seconds, lambda: missing() is None)
        if not left:
            errors = "\n".join(f"{file}: {trace}" for file, trace in self.import_errors().items())
            raise AirflowError(f"DAGs {sorted(missing() or ())} are not known after {seconds:g} s; {errors}")

    def import_errors(self) -> dict[str, str]:
        """Return the trace of each DAG file that cannot be imported."""
        return {
            entry["filename"]: entry["stack_trace"]
            for entry in self._all("/api/v2/importErrors", "import_errors")
        }

    def pause(self, dag_id: str, *, paused: bool = True) -> None:
        """Pause a DAG, or let its runs go on."""
        self._call("PATCH", f"/api/v2/dags/{_part(dag_id)}", {"is_paused": paused})

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None) -> Run:
        """Start a run; one of a paused DAG waits."""
        body = {"logical_date": None, "conf": conf or {}}
        return _run(self._call("POST", f"/api/v2/dags/{_part(dag_id)}/dagRuns", body))

    def run(self, dag_id: str, run_id: str) -> Run:
        """Return a run as it is now."""
        return _run(self._call("GET", _run_path(dag_id, run_id)))

    def runs(self, dag_id: str, *, newest: int | None = None) -> list[Run]:
        """Return the runs of a DAG, newest first."""
        path = f"/api/v2/dags/{_part(dag_id)}/dagRuns"
        return [_run(entry) for entry in self._all(path, "dag_runs", newest, order_by="-run_after")]

    def wait(
        self,
        dag_id: str,
        run_ids: Collection[str],
        seconds: float,
        progress: Callable[[Counts], None] = lambda _: None,
    ) -> dict[str, Run]:
        """Wait until runs have finished, with one question at a time for all of them.

        Args:
            dag_id: Their DAG.
            run_ids: The runs.
            seconds: How long.
            progress: Called with the number of runs by state whenever it has changed.

        Returns:
            The runs by id, finished or not.

        """
        found: dict[str, Run] = {}
        told: Counts = {}

        def finished() -> bool:
            nonlocal told
            newest = None if len(run_ids) > PAGE else PAGE
            found.update({run.id: run for run in self.runs(dag_id, newest=newest) if run.id in run_ids})
            counts = Counter(run.state for run in found.values())
            if counts != told:
                told = counts
                progress(counts)
            return len(found) == len(set(run_ids)) and {run.state for run in found.values()} <= FINISHED

        self._until(seconds, finished)
        return found

    def task_instances(self, dag_id: str, run_id: str) -> list[TaskInstance]:
        """Return the tasks of a run, each index of a mapped one by itself."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances"
        return [_task_instance(entry) for entry in self._all(path, "task_instances")]

    def states(self, dag_id: str, run_id: str) -> dict[tuple[str, int], str]:
        """Return the state of each task of a run by its id and index; -1 for one that is not mapped."""
        return {(task.task_id, task.map_index): task.state for task in self.task_instances(dag_id, run_id)}

    def count(self, state: str, dag_id: str = "~", run_id: str = "~") -> int:
        """Return how many task instances are in a state: of a run, of a DAG, or of all; one cheap question."""
        query = urlencode({"state": state, "limit": 1})
        path = f"/api/v2/dags/{_part(dag_id)}/dagRuns/{_part(run_id)}/taskInstances?{query}"
        return int(self._call("GET", path)["total_entries"])

    def log(self, dag_id: str, run_id: str, task_id: str, try_number: int = 1, map_index: int = -1) -> str:
        """Return the log of a task, of a running one as far as it has come; a line for each event."""
        query = urlencode({"full_content": "true", "map_index": map_index})
        path = f"{_run_path(dag_id, run_id)}/taskInstances/{_part(task_id)}/logs/{try_number}?{query}"
        content = self._call("GET", path)["content"]
        if isinstance(content, str):
            return content
        return "\n".join(entry["event"] if isinstance(entry, dict) else entry for entry in content)

    def wait_for_log(
        self, dag_id: str, run_id: str, task_id: str, text: str, seconds: float, *, try_number: int = 1
    ) -> str:
        """Return a task's log once it has a text; the log as it is after that time otherwise."""
        seen = ""

        def there() -> bool:
            nonlocal seen
            try:
                seen = self.log(dag_id, run_id, task_id, try_number)
            except AirflowError as error:
                if error.status != http.client.NOT_FOUND:  # the try has not begun
                    raise
            return text in seen

        self._until(seconds, there)
        return seen

    def xcom(
        self, dag_id: str, run_id: str, task_id: str, key: str = "return_value", map_index: int = -1
    ) -> Any:
        """Return what a task has left for others, by default what it returned."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances/{_part(task_id)}/xcomEntries/{_part(key)}"
        return self._call("GET", f"{path}?{urlencode({'map_index': map_index, 'deserialize': 'true'})}")[
            "value"
        ]

    def pools(self) -> dict[str, Counts]:
        """Return slots, open_slots, running_slots, queued_slots, scheduled_slots and deferred_slots of each pool."""
        return {
            pool["name"]: {key: value for key, value in pool.items() if key.endswith("slots")}
            for pool in self._all("/api/v2/pools", "pools")
        }

    def open_slots(self, pool: str = DEFAULT_POOL) -> int:
        """Return how many more tasks a pool would let run now."""
        return self.pools()[pool]["open_slots"]

    def set_variable(self, key: str, value: str) -> None:
        """Create a variable, or change it."""
        self._put("/api/v2/variables", key, {"key": key, "value": value})

    def set_connection(self, connection_id: str, conn_type: str, **fields: Any) -> None:
        """Create a connection, or change it; fields are the API's: host, login, password, port, schema, extra."""
        body = {"connection_id": connection_id, "conn_type": conn_type, **fields}
        self._put("/api/v2/connections", connection_id, body)

    def _put(self, path: str, key: str, body: Mapping[str, Any]) -> None:
        try:
            self._call("POST", path, body)
        except AirflowError as error:
            if error.status != http.client.CONFLICT:
                raise
            self._call("PATCH", f"{path}/{_part(key)}", body)

    def _until(self, seconds: float, done: Callable[[], bool]) -> bool:
        """Ask again and again; an API that cannot be reached has not said yes."""
        end = time.monotonic() + seconds
        while True:
            try:
                if done():
                    return True
            except Unavailable:
                if time.monotonic() > end:
                    raise
            if time.monotonic() > end:
                return False
            time.sleep(self.poll_seconds)

    def _all(self, path: str, key: str, most: int | None = None, **query: Any) -> Iterator[Mapping[str, Any]]:
        """Give the entries of all pages, or so many of them."""
        offset = 0
        while True:
            limit = PAGE if most is None else min(PAGE, most - offset)
            answer = self._call("GET", f"{path}?{urlencode({**query, 'limit': limit, 'offset': offset})}")
            yield from answer[key]
            offset += len(answer[key])
            if not answer[key] or offset >= (most or offset + 1) or offset >= answer["total_entries"]:
                return

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, login: bool = True
    ) -> Any:
        """Ask once; with a new token a second time where the old one is no longer taken."""
        if not login:
            return self._ask(method, path, body, None)
        fresh = self._token is None
        token = self._token = self._token or self._login()
        try:
            return self._ask(method, path, body, token)
        except AirflowError as error:
            if fresh or error.status not in REFUSED:
                raise
        self._token = self._login()
        return self._ask(method, path, body, self._token)

    def _login(self) -> str:
        body = {"username": self.username, "password": self.password}
        return str(self._ask("POST", "/auth/token", body, None)["access_token"])

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None, token: str | None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the address is the twin's own
            f"{self.url}{path}",
            None if body is None else json.dumps(body).encode(),
            {"Accept": "application/json", "Content-Type": "application/json"},
            method=method,
        )
        if token is not None:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            # A proxy of the machine is not between it and the twin.
            with _DIRECT.open(request, timeout=self.timeout_seconds) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")[:ANSWER_CHARACTERS]
            kind = Unavailable if error.code in UNAVAILABLE else AirflowError
            raise kind(f"{method} {self.url}{path}: {error.code}: {said}", error.code) from None
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"{method} {self.url}{path}: {error}") from None
        return json.loads(text) if text else None


_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _part(value: str) -> str:
    return quote(value, safe="~")


def _run_path(dag_id: str, run_id: str) -> str:
    return f"/api/v2/dags/{_part(dag_id)}/dagRuns/{_part(run_id)}"


def _run(entry: Mapping[str, Any]) -> Run:
    return Run(
        dag_id=entry["dag_id"],
        id=entry["dag_run_id"],
        state=entry["state"],
        start=entry["start_date"],
        end=entry["end_date"],
    )


def _task_instance(entry: Mapping[str, Any]) -> TaskInstance:
    return TaskInstance(
        task_id=entry["task_id"],
        map_index=entry["map_index"],
        state=entry["state"] or "none",
        try_number=entry["try_number"],
        hostname=entry["hostname"] or "",
        queued=entry["queued_when"],
        start=entry["start_date"],
        end=entry["end_date"],
    )
