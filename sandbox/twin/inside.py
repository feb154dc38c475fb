"""The first process of a container: makes its root file system, starts the command without privileges, is its init.

It runs as a script (`python -I -S inside.py DESCRIPTOR`) and reads one marshalled order from the descriptor. It imports
little, because every container has one, and nothing of the project, which is not there after the change of root.

As init it does what the init of ECS (tini) does: it passes signals to the command alone, not to the command's
children, reaps what they leave behind, and ends with the command's exit code. When it ends everything in its PID
namespace is gone. It ends as well when the process that started it is gone.
"""

from __future__ import annotations

import _thread
import contextlib
import ctypes
import marshal
import os
import signal
import sys
import warnings  # noqa: F401  os.execvpe imports it, which would fail in the new root

TYPE_CHECKING = False  # typing itself is too heavy for an init
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Final, NoReturn

CLONE_NEWNS: Final = 0x00020000
CLONE_NEWUTS: Final = 0x04000000
CLONE_NEWIPC: Final = 0x08000000
CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWPID: Final = 0x20000000
CLONE_NEWNET: Final = 0x40000000

MS_RDONLY: Final = 1
MS_NOSUID: Final = 2
MS_NODEV: Final = 4
MS_NOEXEC: Final = 8
MS_REMOUNT: Final = 32
MS_NOATIME: Final = 1024
MS_NODIRATIME: Final = 2048
MS_BIND: Final = 4096
MS_REC: Final = 16384
MS_PRIVATE: Final = 1 << 18
_KEPT_FLAGS: Final = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME
"""Flags of a mount that a user namespace may not take away; statvfs numbers them as mount does."""
MNT_DETACH: Final = 2

PR_SET_PDEATHSIG: Final = 1
PR_CAPBSET_DROP: Final = 24
PR_SET_CHILD_SUBREAPER: Final = 36
PR_SET_NO_NEW_PRIVS: Final = 38
PR_CAP_AMBIENT: Final = 47
PR_CAP_AMBIENT_RAISE: Final = 2
PR_CAP_AMBIENT_CLEAR_ALL: Final = 4
_CAPABILITY_VERSION: Final = 0x20080522
_CAPABILITIES: Final = 64

CANNOT_START: Final = 125
"""Exit code when the container could not be made; the reason goes to the status pipe."""
KILL_COMMAND: Final = signal.SIGURG
"""Makes an init kill its command. Killed itself, it would leave a dead command to the machine's first process, and a
PID namespace cannot end before that one has reaped it; not every container that the twin runs in has one that does."""
KILLED: Final = 128 + signal.SIGKILL

_LIBC: Final = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: Any) -> None:
    """Call a function of the C library that answers 0.

    Raises:
        OSError: It answered something else.

    """
    if getattr(_LIBC, name)(*arguments) != 0:
        number = ctypes.get_errno()
        shown = ", ".join(repr(value) for value in arguments)
        raise OSError(number, f"{os.strerror(number)}: {name}({shown})")


def unshare(flags: int) -> None:
    """Give the calling thread namespaces of its own."""
    call("unshare", flags)


def join(namespace: int) -> None:
    """Put the calling thread into the namespace behind a file descriptor."""
    call("setns", namespace, 0)


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Attach a file system, or a part of one, as the mount system call does."""
    call("mount", source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode())


def exit_code(status: int) -> int:
    """Return the exit code that a container shows for a wait status: 128 and the signal for a violent end."""
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def make_root(root: str, steps: Sequence[Sequence[Any]], *, read_only: bool) -> None:
    """Build the file system at `root` and make it the root of this mount namespace.

    Args:
        root: An empty directory.
        steps: Name of a step of STEPS and its arguments.
        read_only: Whether nothing outside further mounts may be written.

    """
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    for name, path, *arguments in steps:
        STEPS[name](root + path, *arguments)
    os.chdir(root)
    call("pivot_root", b".", b".")
    # The old root now lies over the new one.
    call("umount2", b".", MNT_DETACH)
    os.chdir("/")
    if read_only:
        _remount_read_only("/")


def _directory(path: str, mode: int = 0o755, owner: tuple[int, int] | None = None) -> None:
    os.makedirs(path, exist_ok=True)  # noqa: PTH103  pathlib is too heavy for an init
    os.chmod(path, mode)  # noqa: PTH101
    if owner is not None:
        os.chown(path, *owner)


def _file(path: str, text: str) -> None:
    with open(path, "w") as out:  # noqa: PTH123
        out.write(text)


def _link(path: str, target: str) -> None:
    os.symlink(target, path)  # noqa: PTH211


def _bind(path: str, source: str, writable: bool) -> None:
    _make_mount_point(path, like=source)
    mount(source, path, flags=MS_BIND | MS_REC)
    if not writable:
        _remount_read_only(path)


def _make_mount_point(path: str, *, like: str) -> None:
    if os.path.exists(path):  # noqa: PTH110
        return
    if os.path.isdir(like):  # noqa: PTH112
        os.makedirs(path)  # noqa: PTH103
        return
    os.makedirs(path.rpartition("/")[0], exist_ok=True)  # noqa: PTH103
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))


def _remount_read_only(path: str) -> None:
    kept = os.statvfs(path).f_flag & _KEPT_FLAGS
    mount("none", path, flags=MS_BIND | MS_REMOUNT | MS_RDONLY | kept)


def _tmpfs(path: str, options: str) -> None:
    os.makedirs(path, exist_ok=True)  # noqa: PTH103
    mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options)


def _proc(path: str) -> None:
    os.makedirs(path, exist_ok=True)  # noqa: PTH103
    mount("proc", path, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)


def _guard(path: str) -> None:
    if os.path.exists(path):  # noqa: PTH110
        mount(path, path, flags=MS_BIND | MS_REC)
        _remount_read_only(path)


STEPS: Final[Mapping[str, Callable[..., None]]] = {
    "directory": _directory,
    "file": _file,
    "link": _link,
    "bind": _bind,
    "tmpfs": _tmpfs,
    "proc": _proc,
    "guard": _guard,
}


def keep_capabilities() -> None:
    """Hand the capabilities of this process on to what it executes, although its user is not 0."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()
    call("capget", header, sets)
    # Effective, permitted, inheritable; twice 32 of them.
    sets[2], sets[5] = sets[1], sets[4]
    call("capset", header, sets)
    for capability in range(_CAPABILITIES):
        # The kernel refuses those that it does not have.
        _LIBC.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0)


def give_up_privileges(user: int, group: int, *, switch: bool) -> None:
    """Lose every capability for good, then the user, where the namespace knows more than one."""
    for capability in range(_CAPABILITIES):
        # The kernel refuses those that it does not have.
        _LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    _LIBC.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    if switch:
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    call("capset", header, (ctypes.c_uint32 * 6)())
    call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def become(order: Mapping[str, Any]) -> NoReturn:
    """Turn this process, just forked, into the command."""
    try:
        # Not a session of its own: Airflow looks at that to decide whether it may make a process group.
        os.setpgid(0, 0)
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            # Python ignores SIGPIPE, and exec would hand that on.
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if order["isolated"]:
            give_up_privileges(order["user"], order["group"], switch=order["switch_user"])
        if sys.platform == "linux":
            # After the change of user, which takes it back.
            call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        os.execvpe(order["command"][0], order["command"], order["environment"])  # noqa: S606
    except OSError as error:
        name = order["command"][0]
        os.write(order["status"], f"exec: {name!r}: {error.strerror}\n".encode())
    os._exit(127)


def run(order: Mapping[str, Any]) -> int:
    """Start the command, look after it, and return its exit code."""
    everything = signal.valid_signals()
    # Before the fork: nothing that arrives meanwhile is lost.
    signal.pthread_sigmask(signal.SIG_BLOCK, everything)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # a wait gets only what is not ignored
    main = os.fork()
    if main == 0:
        become(order)
    os.write(order["status"], f"{main}\n".encode())
    os.close(order["status"])
    if order["lifeline"] is not None:
        _thread.start_new_thread(_end_with_starter, (order["lifeline"], main, order["isolated"]))
    while True:
        number = signal.sigwait(everything)
        if number != signal.SIGCHLD:
            os.kill(main, signal.SIGKILL if number == KILL_COMMAND else number)
            continue
        status = _reap(main)
        if status is not None:
            if not order["isolated"]:
                _sweep(main)
            return exit_code(status)


def _reap(main: int) -> int | None:
    """Take the exit status of every child that has ended; return that of the main process if it is among them."""
    found = None
    while True:
        try:
            child, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if child == 0:
            return found
        if child == main:
            found = status


def _end_with_starter(lifeline: int, main: int, isolated: bool) -> None:
    os.read(lifeline, 1)
    if not isolated:
        _sweep(main)
    os._exit(KILLED)


def _sweep(main: int) -> None:
    """Kill what the command left, without the help of a PID namespace."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(main, signal.SIGKILL)
    # Where this process adopts orphans: those of a child killed here are the children of the next round.
    while children := [pid for pid, parent in parents() if parent == os.getpid()]:
        for child in children:
            with contextlib.suppress(OSError):
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)


def parents() -> list[tuple[int, int]]:
    """Return every process of this machine with its parent, where /proc tells."""
    found = []
    for name in os.listdir("/proc") if sys.platform == "linux" else ():  # noqa: PTH208
        if name.isdigit():
            with contextlib.suppress(OSError):
                # The name of the program, in brackets, may contain anything.
                found.append((int(name), int(_text(f"/proc/{name}/stat").rpartition(")")[2].split()[1])))
    return found


def _text(path: str) -> str:
    with open(path) as file:  # noqa: PTH123
        return file.read()


def main() -> None:
    """Do what the order on standard input says."""
    with open(int(sys.argv[1]), "rb") as source:  # noqa: PTH123  a descriptor
        order = marshal.load(source)  # noqa: S302  from the process that started this one
    os.umask(0o022)
    for descriptor in (order["status"], order["lifeline"], *order["join"]):
        if descriptor is not None:
            os.set_inheritable(descriptor, False)
    try:
        for namespace in order["join"]:
            join(namespace)
            os.close(namespace)
        if order["join"]:
            os.chdir("/")
        if order["root"]:
            unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC)
            name = order["host_name"].encode()
            call("sethostname", name, len(name))
            make_root(order["root"], order["steps"], read_only=order["read_only"])
        elif sys.platform == "linux" and not order["isolated"]:
            call("prctl", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    except (OSError, ValueError) as error:
        os.write(order["status"], f"{error}\n".encode())
        os._exit(CANNOT_START)
    os._exit(run(order))


if __name__ == "__main__":
    main()
