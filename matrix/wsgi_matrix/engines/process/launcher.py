"""Starts one server process under limits and outlives it: run as ``python -I -S launcher.py``.

Standard library only, nothing of ``wsgi_matrix``. The specification comes as one JSON argument;
JSON lines on stdout tell ``{"pid": …}`` or ``{"error": …}``, in the end ``{"status": …,
"left": …}``. It is a small init: the whole cell is its descendants (it is their subreaper), and
when its stdin ends, because the harness closed it or was killed, it kills them all.

RLIMIT_NPROC does not bind uid 0 and counts per uid over the whole host. Where we are root the
server therefore gets a uid of its own; it keeps CAP_DAC_READ_SEARCH (as an ambient capability, so
that it survives exec) because the interpreter may lie in a folder that only root may enter.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 8, 36, 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 47, 2
CAP_DAC_READ_SEARCH = 2
LINUX_CAPABILITY_VERSION_3 = 0x20080522
RESOURCES = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}

libc = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> None:
    """Raise OSError for a system call that failed."""
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def prctl(option: int, *values: int) -> None:
    """``prctl(2)`` with all five arguments."""
    padded = (*values, 0, 0, 0, 0)[:4]
    check(libc.prctl(option, *(ctypes.c_ulong(value) for value in padded)), f"prctl {option}")


def keep_only(capability: int) -> None:
    """Drop every capability but ``capability``, which survives exec (``capset(2)``)."""
    header = (ctypes.c_uint32 * 2)(LINUX_CAPABILITY_VERSION_3, 0)
    bit = 1 << capability
    data = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    check(libc.capset(header, data), "capset")
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)


def become(uid: int) -> None:
    """Change to ``uid`` (and the same gid) for good, able to read files as before."""
    prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    try:
        keep_only(CAP_DAC_READ_SEARCH)
    except PermissionError:
        # Roots of containers often lack it. Then the interpreter has to be readable for all, and
        # if it is not, exec says so.
        prctl(PR_SET_KEEPCAPS, 0)


def start(spec: dict[str, Any], supervisor: int) -> None:
    """In the child: limits, uid, exec. Does not return; an error goes up as OSError."""
    os.setsid()
    for name, value in spec["limits"].items():
        resource.setrlimit(RESOURCES[name], (value, value))
    os.chdir(spec["folder"])
    log = os.open(spec["log"], os.O_WRONLY | os.O_APPEND)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if spec["uid"] is not None:
        become(spec["uid"])
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:
        os._exit(1)  # it died before we could ask to be told of it
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    execute(spec["command"], spec["environment"])


def execute(command: list[str], environment: dict[str, str]) -> None:
    """``execvpe(3)``, with an error that says what was looked for, and where."""
    try:
        os.execvpe(command[0], command, environment)  # noqa: S606 - meant
    except FileNotFoundError:
        if "/" not in command[0]:
            where = environment.get("PATH", os.defpath)
            raise FileNotFoundError(f"no program {command[0]!r} in PATH ({where})") from None
        if Path(command[0]).exists():
            text = f"{command[0]}: the interpreter in its first line is not there"
            raise FileNotFoundError(text) from None
        raise
    except PermissionError:
        if Path(command[0]).is_file() and not os.access(command[0], os.X_OK):
            raise PermissionError(f"{command[0]} is not executable") from None
        raise


def spawn(spec: dict[str, Any]) -> int:
    """Fork the server. Returns its process id; raises OSError if it did not get as far as exec."""
    supervisor = os.getpid()
    told, tell = os.pipe2(os.O_CLOEXEC)  # exec closes it: an empty read means that all went well
    pid = os.fork()
    if pid == 0:
        try:
            start(spec, supervisor)
        except BaseException as error:  # whatever it is, the parent must hear of it
            os.write(tell, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(126)
    os.close(tell)
    with os.fdopen(told, "rb") as pipe:
        problem = pipe.read()
    if problem:
        os.waitpid(pid, 0)
        raise OSError(problem.decode(errors="replace"))
    return pid


def children() -> list[int]:
    """Direct children; orphans of the cell become ours, as we are their subreaper."""
    me = os.getpid()
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it ended while we looked
        if int(fields[1]) == me:
            found.append(int(stat.parent.name))
    return found


def kill_all() -> int:
    """Kill and reap every descendant; returns how many were still running."""
    killed = 0
    while there := children():
        for pid in there:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            _, status = os.waitpid(pid, 0)
            killed += os.WIFSIGNALED(status)
    return killed


def supervise(server: int) -> int | None:
    """Reap until ``server`` ends or stdin does. Returns its status as a shell counts, or None."""
    woken, wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return None
            if pid == server:
                code = os.waitstatus_to_exitcode(status)
                return 128 - code if code < 0 else code
            if pid == 0:
                break
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
        if 0 in ready and not os.read(0, 4096):
            return None


def say(**values: Any) -> None:
    """One line for the harness, which may be gone."""
    try:
        print(json.dumps(values), flush=True)
    except BrokenPipeError:
        os._exit(1)


def main() -> int:
    """Run the specification in ``argv[1]``."""
    spec = json.loads(sys.argv[1])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # we end when stdin does, not before our cell
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        server = spawn(spec)
    except OSError as problem:
        say(error=str(problem))
        return 1
    say(pid=server, at=time.time())
    status = supervise(server)
    left = kill_all()
    say(status=status, left=left)
    return 0


if __name__ == "__main__":
    sys.exit(main())
