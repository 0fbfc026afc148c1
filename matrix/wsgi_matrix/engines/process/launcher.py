"""Starts one server process under limits and supervises it: ``python -I -S launcher.py SPEC``.

Standard library only, nothing of ``wsgi_matrix``. The specification is one JSON argument. It prints
JSON lines: ``{"pid": …}`` or ``{"error": …}``, and at the end ``{"status": …, "left": …}``. It is a
small init: all processes of the cell are its descendants (it is their subreaper), and when its
stdin closes, because the harness closed it or was killed, it kills them all.

RLIMIT_NPROC does not bind uid 0 and counts per uid over the whole host. Under root, the server
therefore gets a uid of its own; it keeps CAP_DAC_READ_SEARCH (as an ambient capability, which
survives exec) because the interpreter may be in a directory that only root may enter.
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
    """Raise OSError if a system call failed."""
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
    """Change to ``uid`` (and the same gid) permanently, but keep the ability to read all files."""
    prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    try:
        keep_only(CAP_DAC_READ_SEARCH)
    except PermissionError:
        # The root user of a container often lacks it. The interpreter must then be readable for
        # all users; if it is not, exec fails with an error that says so.
        prctl(PR_SET_KEEPCAPS, 0)


def start(spec: dict[str, Any], supervisor: int) -> None:
    """In the child: set limits and uid, then exec. Never returns; raises OSError."""
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
        os._exit(1)  # it died before prctl could ask for the signal
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    execute(spec["command"], spec["environment"])


def execute(command: list[str], environment: dict[str, str]) -> None:
    """``execvpe(3)``, with an error that says what was searched for, and where."""
    try:
        os.execvpe(command[0], command, environment)  # noqa: S606 - intended
    except FileNotFoundError:
        if "/" not in command[0]:
            where = environment.get("PATH", os.defpath)
            raise FileNotFoundError(f"no program {command[0]!r} in PATH ({where})") from None
        if Path(command[0]).exists():
            text = f"{command[0]}: the interpreter in its first line does not exist"
            raise FileNotFoundError(text) from None
        raise
    except PermissionError:
        if Path(command[0]).is_file() and not os.access(command[0], os.X_OK):
            raise PermissionError(f"{command[0]} is not executable") from None
        raise


def spawn(spec: dict[str, Any]) -> int:
    """Fork the server. Returns its pid; raises OSError if it could not be executed."""
    supervisor = os.getpid()
    reader, writer = os.pipe2(os.O_CLOEXEC)  # exec closes it, so an empty read means success
    pid = os.fork()
    if pid == 0:
        try:
            start(spec, supervisor)
        except BaseException as error:  # any error is reported to the parent
            os.write(writer, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(126)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        problem = pipe.read()
    if problem:
        os.waitpid(pid, 0)
        raise OSError(problem.decode(errors="replace"))
    return pid


def children() -> list[int]:
    """Pids of direct children, including orphans of the cell, which this subreaper adopts."""
    me = os.getpid()
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        if int(fields[1]) == me:
            found.append(int(stat.parent.name))
    return found


def kill_all() -> int:
    """Kill and reap all descendants; return how many were still running."""
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
    """Reap until ``server`` exits or stdin closes. Returns its status as in a shell, or None."""
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
    """Send one line to the harness, which may have exited."""
    try:
        print(json.dumps(values), flush=True)
    except BrokenPipeError:
        os._exit(1)


def main() -> int:
    """Run the specification in ``argv[1]``."""
    spec = json.loads(sys.argv[1])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # exits when stdin closes, not before the cell
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
