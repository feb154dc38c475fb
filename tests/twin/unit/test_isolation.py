"""What a container can see, do and leave behind. Real processes; what needs root is skipped where it is refused."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.twin import isolation, launch, network
from sandbox.twin import plain as plain_processes
from sandbox.twin.isolation import (
    CannotStartError,
    Mode,
    NetworkError,
    Plain,
    Streams,
    choose,
    enter_vpc,
    exec_from,
    host_name,
)
from sandbox.twin.model import Mount
from sandbox.twin.network import TaskNetworks, in_thread
from tests.twin.unit.containers import CIDR, PATH, PYTHON, Place, commands_with, ended, until

SERVER = """
import socket, sys
server = socket.create_server(("", int(sys.argv[1])))
print("up", flush=True)
while True:
    connection, _ = server.accept()
    connection.sendall(sys.argv[2].encode())
    connection.close()
"""
ASK_ADDRESS = "import socket; print(socket.create_connection(({!r}, {}), 5).recv(99).decode())"
TELL_WHO_GETS_A_SIGNAL = """
import os, signal, sys, time
child = os.fork()
name = "main" if child else "child"
def tell(number, frame):
    print(name, "got", signal.Signals(number).name, flush=True)
    if child: time.sleep(0.3); os._exit(7)
signal.signal(signal.SIGTERM, tell)
print(name, "ready", flush=True)
time.sleep(60)
"""
LEAVE_A_PROCESS_BEHIND = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv("/bin/sleep", ["sleep", sys.argv[1]])
    os._exit(0)
os.wait()
print("up", flush=True)
time.sleep(60)
"""
DIE_AND_LEAVE_A_CONTAINER = """
import os, pathlib, sys
from sandbox.twin.isolation import Namespaces, Plain, enter_vpc
from tests.twin.unit.containers import Place
folder = pathlib.Path(sys.argv[1])
isolation = Plain() if sys.argv[2] == "plain" else Namespaces(enter_vpc("10.20.0.0/16"))
place = Place(isolation, folder, None)
place.start(place.booted("sleep", sys.argv[3], address=isolation.address()))
os.kill(os.getpid(), 9)
"""


def _up(place: Place) -> bool:
    return "up" in place.log.read_text()


def _unusual_seconds() -> str:
    """Return a number that no other process of this machine has on its command line."""
    return f"61.{os.getpid()}{os.urandom(4).hex().translate(str.maketrans('abcdef', '123456'))}"


# What both ways have in common.


@pytest.mark.parametrize("code", [0, 1, 78])
def test_the_exit_code_is_the_commands(place: Place, code: int) -> None:
    assert ended(place.start(place.booted("sh", "-c", f"exit {code}"))) == code


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, 137)])
def test_a_command_that_a_signal_ends_has_128_and_its_number(place: Place, number: int, code: int) -> None:
    process = place.start(place.booted("sleep", "60"))
    process.signal(number)
    assert ended(process) == code


def test_the_environment_is_exactly_what_was_given(place: Place) -> None:
    given = {"PATH": PATH, "ONE": "1", "ODD": "a=b\n%d ü"}
    told = place.output("env", "-0", environment=given)
    assert dict(item.split("=", 1) for item in told.strip("\0").split("\0")) == given


def test_a_command_gets_no_open_file_but_the_standard_ones(place: Place) -> None:
    assert sorted(place.shell("ls /proc/self/fd").split()) == ["0", "1", "2", "3"]  # 3 is the listing itself


def test_a_command_starts_with_the_default_handling_of_signals(place: Place) -> None:
    """Python ignores SIGPIPE; a shell pipeline would never end."""
    words = place.shell("grep -E 'Sig(Ign|Blk)' /proc/self/status").split()
    blocked, ignored = int(words[1], 16), int(words[3], 16)
    # The C library keeps the signals 32 and 33 for itself; nobody can set how they are handled.
    assert (blocked, ignored & ~(0b11 << 31)) == (0, 0)


def test_output_and_errors_are_appended_to_the_log(place: Place) -> None:
    place.log.write_text("before\n")
    assert ended(place.start(place.booted("sh", "-c", "echo out; echo err >&2"))) == 0
    assert place.log.read_text() == "before\nout\nerr\n"


def test_a_signal_reaches_the_command_alone(place: Place) -> None:
    """Airflow's tasks are children of the worker: a signal to them would cancel their remote jobs."""
    process = place.start(place.booted(PYTHON, "-c", TELL_WHO_GETS_A_SIGNAL))
    until(lambda: place.log.read_text().count("ready") == 2)
    process.signal(signal.SIGTERM)
    assert ended(process) == 7
    assert [line for line in place.log.read_text().splitlines() if "got" in line] == ["main got SIGTERM"]


def test_a_command_can_be_frozen_and_go_on(place: Place) -> None:
    process = place.start(place.booted("sh", "-c", "echo up; sleep 0.2; exit 5"))
    process.signal(signal.SIGSTOP)
    until(lambda: _state(process.pid) == "T")
    process.signal(signal.SIGCONT)
    assert ended(process) == 5


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_signal_after_the_end_does_nothing(place: Place) -> None:
    process = place.start(place.booted("true"))
    ended(process)
    process.signal(signal.SIGTERM)
    process.signal(signal.SIGKILL)
    process.kill()
    assert process.poll() == 0


@pytest.mark.parametrize("end", ["kill", "the command"])
def test_the_end_of_a_container_leaves_nothing(place: Place, end: str) -> None:
    seconds = _unusual_seconds()
    process = place.start(place.booted(PYTHON, "-c", LEAVE_A_PROCESS_BEHIND, seconds))
    until(lambda: _up(place) and commands_with(f"sleep {seconds}"))
    if end == "kill":
        process.kill()
    else:
        process.signal(signal.SIGKILL)
    assert ended(process) == 137
    until(lambda: not commands_with(seconds))


@pytest.mark.parametrize("kind", ["namespaces", "plain"])
def test_the_end_of_the_daemon_is_the_end_of_its_containers(
    kind: str, request: pytest.FixtureRequest
) -> None:
    """Even when it is killed: no container outlives the twin."""
    place: Place = request.getfixturevalue("contained" if kind == "namespaces" else "beside")
    seconds = _unusual_seconds()
    code = [sys.executable, "-c", DIE_AND_LEAVE_A_CONTAINER, str(place.folder), kind, seconds]
    assert subprocess.run(code, check=False).returncode == -9
    until(lambda: not commands_with(seconds))


def test_zombies_are_reaped(place: Place) -> None:
    ten_orphans = "for i in 0 1 2 3 4 5 6 7 8 9; do (true & true); done; sleep 0.2"
    assert place.shell(f"{ten_orphans}; ps --ppid $PPID -o stat= | grep -c ^Z || true").strip() == "0"


def test_memory_is_counted_without_the_init(place: Place) -> None:
    code = "import time; block = bytearray(64 << 20); print('up', flush=True); time.sleep(60)"
    process = place.start(place.booted(PYTHON, "-c", code))
    until(lambda: _up(place))
    assert 64 << 20 < process.memory_bytes() < 80 << 20


def test_a_container_that_is_over_has_no_memory(place: Place) -> None:
    process = place.start(place.booted("true"))
    ended(process)
    assert process.memory_bytes() == 0


def test_a_command_that_does_not_exist_cannot_start(place: Place) -> None:
    with pytest.raises(CannotStartError, match="exec: 'platform-entrypoint': No such file or directory"):
        place.start(place.booted("platform-entrypoint"))


def test_an_init_that_hangs_is_given_up(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "START_SECONDS", 0.0)
    with pytest.raises(CannotStartError, match="not started after 0 s"):
        place.start(place.booted("true"))


def test_exec_runs_a_further_command_with_its_own_environment(place: Place) -> None:
    """As ECS: variables that the entry point exported are not there."""
    process = place.start(place.booted("sh", "-c", "export FROM_ENTRY_POINT=1; sleep 60"))
    told = process.exec(["env"], {"PATH": PATH, "GIVEN": "1"}, stdout=subprocess.PIPE)
    assert sorted(told.communicate()[0].decode().split()) == ["GIVEN=1", f"PATH={PATH}"]
    assert told.returncode == 0


@pytest.mark.parametrize("code", [0, 3])
def test_exec_has_the_exit_code_of_its_command(place: Place, code: int) -> None:
    process = place.start(place.booted("sleep", "60"))
    ran = process.exec(["sh", "-c", f"exit {code}"], {"PATH": PATH})
    assert ran.wait() == code


def test_exec_from_another_process_reads_its_input(place: Place) -> None:
    """`twin exec` is not the daemon."""
    entry = json.loads(json.dumps(place.start(place.booted("sleep", "60")).entry))
    streams = Streams(stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    told = exec_from(
        entry, ["sh", "-c", "read word; echo $word $GIVEN"], {"PATH": PATH, "GIVEN": "1"}, streams
    )
    assert told.communicate(b"hello\n")[0] == b"hello 1\n"


def test_exec_of_a_command_that_does_not_exist_is_refused(place: Place) -> None:
    process = place.start(place.booted("sleep", "60"))
    with pytest.raises(CannotStartError, match="exec: 'missing': No such file or directory"):
        process.exec(["missing"], {"PATH": PATH})


def test_exec_that_is_killed_is_gone(place: Place) -> None:
    """A health check that takes too long."""
    seconds = _unusual_seconds()
    process = place.start(place.booted("sleep", "60"))
    check = process.exec(["sleep", seconds], {"PATH": PATH})
    until(lambda: commands_with(f"sleep {seconds}"))
    check.kill()
    until(lambda: not commands_with(f"sleep {seconds}"))
    check.wait()


def test_close_ends_what_is_still_running(place: Place) -> None:
    process = place.start(place.booted("sleep", "60"))
    place.isolation.close()
    assert process.poll() == 137
    # The fixture closes once more what is open.
    place.isolation._lifeline, place.isolation._alive = os.pipe()  # type: ignore[attr-defined]


def test_a_command_leads_a_process_group_but_no_session(place: Place) -> None:
    """Airflow makes a group of its own unless it leads a session; tini starts commands so as well."""
    pid, group, session = place.shell("ps -o pid=,pgid=,sid= -p $$").split()
    assert group == pid
    assert session != pid


def test_a_command_ends_with_its_init(beside: Place) -> None:
    seconds = _unusual_seconds()
    process = beside.start(beside.booted("sleep", seconds))
    os.kill(process._init.pid, signal.SIGKILL)  # type: ignore[attr-defined]
    until(lambda: not commands_with(f"sleep {seconds}"))


# Namespaces: user and privileges.


def test_the_user_is_the_one_of_the_definition(contained: Place) -> None:
    assert contained.shell("id -u; id -g; id -G; id -un").split() == ["50000", "0", "0", "airflow"]


def test_nothing_of_the_daemons_own_rights_comes_along(contained: Place) -> None:
    groups, mask = os.getgroups(), os.umask(0o077)
    os.setgroups([0, 4])
    try:
        assert contained.shell("umask; id -G; id -un; ls -d /opt").split() == ["0022", "0", "airflow", "/opt"]
    finally:
        os.umask(mask)
        os.setgroups(groups)


def test_a_user_without_a_group_is_in_the_group_0(contained: Place) -> None:
    assert contained.shell("id -u; id -g", user="1000").split() == ["1000", "0"]


def test_a_user_by_name_is_refused(contained: Place) -> None:
    with pytest.raises(ValueError, match="container main: user must be numbers like 50000:0, got 'airflow'"):
        contained.start(contained.booted("true", user="airflow"))


@pytest.mark.parametrize("user", ["50000:0", "0:0"])
def test_a_command_has_no_capability_and_cannot_get_one(contained: Place, user: str) -> None:
    told = contained.shell("grep -E '^(Cap|NoNewPrivs)' /proc/self/status", user=user)
    empty = dict.fromkeys(("CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"), "0" * 16)
    assert dict(line.split() for line in told.splitlines()) == {**empty, "NoNewPrivs:": "1"}


def test_even_user_0_cannot_change_the_machine(contained: Place) -> None:
    told = contained.shell("echo 1 > /proc/sys/vm/swappiness || echo refused", user="0:0")
    assert "Read-only file system" in told
    assert told.endswith("refused\n")


# Namespaces: file system.


@pytest.mark.parametrize("path", ["/", "/usr", "/etc", "/opt", "/usr/local/bin"])
def test_a_read_only_root_takes_no_file(contained: Place, path: str) -> None:
    told = contained.shell(f"touch {path}/x || true", user="0:0")
    assert "Read-only file system" in told


def test_the_home_is_writable_where_the_root_is(contained: Place) -> None:
    """As in the image, when a definition leaves the root writable for ECS Exec."""
    environment = {"PATH": PATH, "HOME": "/home/airflow"}
    told = contained.shell("touch ~/x; ls ~", read_only_root=False, environment=environment)
    assert told == "x\n"


def test_scratch_is_the_users_and_writable(contained: Place) -> None:
    state = (Mount(volume="state", path="/opt/airflow/state", read_only=False),)
    told = contained.shell("cd /opt/airflow/state && touch x && stat -c '%u:%g %a' .", volumes=state)
    assert told == "50000:0 770\n"
    assert (contained.folder / "volumes" / "state" / "x").exists()


def test_a_mount_shows_what_lies_here(contained: Place) -> None:
    (contained.folder / "dags").mkdir()
    (contained.folder / "dags" / "etl.py").write_text("dag")
    told = contained.shell("cat /mnt/dags/etl.py", mounts={"/mnt/dags": contained.folder / "dags"})
    assert told == "dag"


@pytest.mark.parametrize(
    ("mounts", "outcome"),
    [
        ((Mount(volume="dags", path="/mnt/dags", read_only=True),), "refused"),
        ((Mount(volume="dags", path="/mnt/dags", read_only=False),), "written"),
        ((), "refused"),
    ],
    ids=["read-only volume", "writable volume", "a file of the image"],
)
def test_a_mount_is_as_writable_as_the_definition_says(
    contained: Place, mounts: tuple[Mount, ...], outcome: str
) -> None:
    dags = contained.folder / "dags"
    dags.mkdir()
    dags.chmod(0o777)
    booted = contained.booted(
        "sh", "-c", "touch /mnt/dags/x && echo written || echo refused", mounts={"/mnt/dags": dags}
    )
    booted = replace(booted, container=replace(booted.container, mounts=mounts))
    ended(contained.start(booted))
    assert contained.log.read_text().split()[-1] == outcome


def test_a_single_file_can_be_mounted(contained: Place) -> None:
    bundle = contained.folder / "bundle.pem"
    bundle.write_text("certificates")
    assert contained.shell("cat /opt/ca/bundle.pem", mounts={"/opt/ca/bundle.pem": bundle}) == "certificates"


def test_what_only_root_may_reach_is_there_for_the_user(contained: Place) -> None:
    """An interpreter installed below /root."""
    home = contained.folder / "root" / "python"
    home.mkdir(parents=True)
    (home / "program").write_text("here")
    home.parent.chmod(0o700)
    assert contained.shell(f"cat {home}/program", root_mounts=[home]) == "here"


def test_nothing_else_of_the_machine_is_there(contained: Place) -> None:
    (contained.folder / "secret").touch()
    names = ("/root", "/home", "/work", "/sys", "/boot", "/etc/shadow", "/etc/sudoers", str(contained.folder))
    told = contained.shell(f"ls -d {' '.join(names)} 2>/dev/null || true", root_mounts=())
    assert told == ""


def test_the_usual_devices_work(contained: Place) -> None:
    told = contained.shell(
        "echo x > /dev/null; head -c4 /dev/urandom | wc -c; echo y > /dev/shm/y; cat /dev/shm/y"
    )
    assert told.split() == ["4", "y"]


# Namespaces: names and network.


def test_names_come_from_the_hosts_file(contained: Place) -> None:
    (contained.folder / "hosts").write_text("10.20.0.2 metastore.internal\n")
    assert contained.shell("getent hosts metastore.internal").split() == ["10.20.0.2", "metastore.internal"]


def test_names_change_while_a_container_runs(contained: Place) -> None:
    hosts = contained.folder / "hosts"
    hosts.write_text("10.20.0.2 api.internal\n")
    process = contained.start(contained.booted("sleep", "60"))
    hosts.write_text("10.20.0.99 api.internal\n")
    told = process.exec(["getent", "hosts", "api.internal"], {"PATH": PATH}, stdout=subprocess.PIPE)
    assert told.communicate()[0].split() == [b"10.20.0.99", b"api.internal"]


def test_the_host_name_is_made_of_the_address(contained: Place) -> None:
    assert host_name("10.20.0.10") == "ip-10-20-0-10.compute.internal"
    assert contained.shell("hostname") == "ip-10-20-0-10.compute.internal\n"


def test_two_containers_listen_on_the_same_port_at_once(contained: Place) -> None:
    for name in ("first", "second"):
        contained.start(contained.booted(PYTHON, "-c", SERVER, "8080", name))
    until(lambda: contained.log.read_text().count("up") == 2)
    answers = [contained.inside(lambda a=a: _ask(a, 8080)) for a in ("10.20.0.10", "10.20.0.11")]  # type: ignore[misc]
    assert answers == ["first", "second"]


def test_a_container_reaches_another_one(contained: Place) -> None:
    contained.start(
        contained.booted(PYTHON, "-c", SERVER, "8080", "hello", address=(there := contained.address()))
    )
    until(lambda: _up(contained))
    assert contained.python(ASK_ADDRESS.format(there, 8080)) == "hello\n"


def test_containers_of_one_task_share_localhost(contained: Place) -> None:
    address = contained.address()
    contained.start(contained.booted(PYTHON, "-c", SERVER, "8080", "hello", address=address))
    until(lambda: _up(contained))
    assert contained.python(ASK_ADDRESS.format("127.0.0.1", 8080), address=address) == "hello\n"


def test_a_container_reaches_the_daemon_at_the_bridge(contained: Place) -> None:
    server = contained.inside(lambda: socket.create_server(("10.20.0.2", 5432)))
    with server:
        process = contained.start(contained.booted(PYTHON, "-c", ASK_ADDRESS.format("10.20.0.2", 5432)))
        connection, peer = server.accept()
        with connection:
            connection.sendall(b"ready")
        assert ended(process) == 0
    assert contained.log.read_text() == "ready\n"
    assert peer[0] == "10.20.0.10"


def test_nothing_beyond_the_network_is_reachable(contained: Place) -> None:
    code = "import socket\ntry: socket.create_connection(('192.0.2.1', 80), 5)\nexcept OSError as e: print(e)"
    assert contained.python(code) == "[Errno 101] Network is unreachable\n"


def test_addresses_are_never_given_twice(contained: Place) -> None:
    first = contained.address()
    contained.isolation.release(first)
    assert (first, contained.address()) == ("10.20.0.10", "10.20.0.11")


def test_a_released_network_is_gone(contained: Place) -> None:
    address = contained.address()
    contained.isolation.release(address)
    interfaces = "ip -brief link show type veth"
    until(lambda: contained.inside(lambda: subprocess.check_output(interfaces.split())) == b"")


def test_a_small_network_runs_out_of_addresses(contained: Place) -> None:
    def last() -> None:
        networks = TaskNetworks(enter_vpc("10.0.0.0/28"))
        try:
            for _ in range(99):
                networks.make()
        finally:
            networks.close()

    with pytest.raises(NetworkError, match=re.escape("no address is left in 10.0.0.0/28")):
        in_thread(last)


def test_the_gateway_keeps_its_ethernet_address_while_tasks_come_and_go(contained: Place) -> None:
    """Tasks remember it: with another one they reach neither database nor broker for most of a minute."""

    def address() -> str:
        told = subprocess.run(
            ["ip", "-json", "link", "show", network.BRIDGE], capture_output=True, check=True
        )
        return str(json.loads(told.stdout)[0]["address"])

    def over_time() -> list[str]:
        networks = TaskNetworks(enter_vpc(CIDR))
        seen = [address()]
        for _ in range(3):
            task = networks.make()
            seen.append(address())
            networks.release(task)
            seen.append(address())
        return seen

    assert in_thread(over_time) == [network.BRIDGE_ETHERNET_ADDRESS] * 7


# Namespaces: processes.


def test_a_container_sees_its_own_processes_only(contained: Place) -> None:
    assert contained.shell("ls /proc | grep -c '^[0-9]'", root_mounts=()).strip() in {"3", "4"}


def test_the_pid_is_the_commands_on_this_machine(contained: Place) -> None:
    process = contained.start(contained.booted("sleep", "60"))
    assert Path(f"/proc/{process.pid}/cmdline").read_bytes() == b"sleep\x0060\x00"


def test_exec_is_in_the_container_as_its_user(contained: Place) -> None:
    process = contained.start(contained.booted("sh", "-c", "echo x > /tmp/x; echo up; sleep 60"))
    until(lambda: _up(contained))
    line = "id -u; cat /tmp/x; hostname; grep CapBnd /proc/self/status | cut -f2"
    told = process.exec(["sh", "-c", line], {"PATH": PATH}, stdout=subprocess.PIPE)
    assert told.communicate()[0].split() == [b"50000", b"x", b"ip-10-20-0-10.compute.internal", b"0" * 16]


def test_exec_needs_a_running_container(contained: Place) -> None:
    process = contained.start(contained.booted("true"))
    ended(process)
    with pytest.raises(CannotStartError, match="the container is not running"):
        process.exec(["true"], {"PATH": PATH})


def test_a_mount_that_is_not_there_cannot_start(contained: Place) -> None:
    missing = contained.folder / "missing"
    with pytest.raises(CannotStartError, match="No such file or directory: mount"):
        contained.start(contained.booted("true", mounts={"/mnt/dags": missing}))


# Plain processes.


def test_plain_processes_share_the_loopback_address() -> None:
    plain = Plain()
    plain.release(plain.address())
    assert (plain.address(), plain.address()) == ("127.0.0.1", "127.0.0.1")
    plain.close()


def test_the_pid_of_a_plain_process_is_the_commands(beside: Place) -> None:
    process = beside.start(beside.booted("sleep", "60"))
    assert Path(f"/proc/{process.pid}/cmdline").read_bytes() == b"sleep\x0060\x00"


def test_a_plain_process_finds_its_scratch_folders(beside: Place) -> None:
    booted = beside.booted("ls", str(beside.folder / "volumes"))
    assert ended(beside.start(booted)) == 0
    assert beside.log.read_text() == "tmp\n"


# The choice.


def test_plain_processes_can_be_asked_for() -> None:
    said: list[str] = []
    assert choose(said.append, plain=True) is Mode.PLAIN
    assert said == ["containers run as plain processes on 127.0.0.1: as asked"]


def test_another_system_gets_plain_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(isolation.sys, "platform", "darwin")  # type: ignore[attr-defined]
    assert choose(said.append) is Mode.PLAIN
    assert said == ["containers run as plain processes on 127.0.0.1: namespaces need Linux, this is darwin"]


def test_a_system_that_refuses_gets_plain_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root in a container of somebody else's may not make namespaces."""
    said: list[str] = []
    monkeypatch.setattr(
        isolation, "_TRIAL", ("sh", "-c", "echo Operation not permitted: unshare >&2; exit 1")
    )
    assert choose(said.append) is Mode.PLAIN
    reason = "namespaces are refused here: Operation not permitted: unshare"
    assert said == [f"containers run as plain processes on 127.0.0.1: {reason}"]


def test_a_trial_without_a_word_is_a_refusal_too(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(isolation, "_TRIAL", ("sh", "-c", "exit 3"))
    assert choose(said.append) is Mode.PLAIN
    assert said[0].endswith("namespaces are refused here: the trial ends with 3")


def test_a_trial_tells_what_the_kernel_says(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(flags: int) -> None:
        raise OSError(1, "Operation not permitted: unshare(1073741824)")

    monkeypatch.setattr(network, "unshare", refuse)
    monkeypatch.setattr(network.os, "geteuid", lambda: 0)  # type: ignore[attr-defined]
    assert isolation.trial() == "[Errno 1] Operation not permitted: unshare(1073741824)"


def test_a_trial_that_works_says_nothing(contained: Place) -> None:
    assert in_thread(isolation.trial) == ""


@pytest.mark.parametrize(
    ("code", "seconds", "outcome"),
    [
        (0, 9.0, ""),
        (3, 9.0, "a container ends with 3: why"),
        (None, 0.0, "a container that should end at once does not"),
    ],
)
def test_a_trial_ends_well_or_with_a_reason(
    beside: Place, monkeypatch: pytest.MonkeyPatch, code: int | None, seconds: float, outcome: str
) -> None:
    monkeypatch.setattr(isolation, "_TRIAL_SECONDS", seconds)
    process = beside.start(
        beside.booted("sh", "-c", "sleep 60" if code is None else f"echo why; exit {code}")
    )
    assert isolation._outcome(process, beside.log) == outcome


def test_namespaces_are_said(contained: Place) -> None:
    said: list[str] = []
    assert choose(said.append) is Mode.NAMESPACES
    rights = "" if os.geteuid() == 0 else ", by a user namespace instead of root"
    assert said == [
        f"containers run in Linux namespaces with their user, root file system and address{rights}"
    ]


# What systems without /proc and refusals of `ip` look like.


def test_ip_says_what_it_refuses() -> None:
    with pytest.raises(NetworkError, match='ip: Cannot find device "nothing"'):
        network._ip("link set nothing up")


def test_ps_tells_the_parents_where_proc_does_not() -> None:
    assert (os.getpid(), os.getppid()) in plain_processes._parents_by_ps()


def test_ps_tells_the_memory_where_proc_does_not() -> None:
    assert launch._resident_bytes(os.getpid()) > 1 << 20


def test_a_process_that_is_gone_has_no_memory() -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    assert launch._proportional_bytes(gone.pid) == 0


def _ask(address: str, port: int) -> str:
    with socket.create_connection((address, port), 5) as connection:
        return connection.recv(99).decode()
