"""Tests a limit from inside a cell: run as ``python3 -I -S -c <this file> NAME [VALUE]``.

Standard library only, nothing of ``wsgi_matrix``. Prints one JSON object: what the kernel says, and
the result of the test.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MOST = 4096
"""Attempts after which there is considered to be no limit."""
SECONDS = 10.0
"""Seconds to wait for the other container, or for an orphan's end."""


def name_of(error: OSError) -> str:
    """``EAGAIN``."""
    return errno.errorcode.get(error.errno or 0, str(error))


def nofile(_: str) -> dict[str, Any]:
    """Open files until that fails."""
    files: list[int] = []
    refused = ""
    try:
        while len(files) < MOST:
            files.append(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        refused = name_of(error)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return {"soft": soft, "hard": hard, "opened": len(files), "refused": refused}


def processes(_: str) -> dict[str, Any]:
    """Fork until that fails. Used for RLIMIT_NPROC and for the cgroup's pids limit."""
    children: list[int] = []
    refused = ""
    try:
        while len(children) < MOST:
            pid = os.fork()
            if pid == 0:
                signal.pause()
                os._exit(0)
            children.append(pid)
    except OSError as error:
        refused = name_of(error)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
    for pid in children:
        os.waitpid(pid, 0)
    soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    return {"soft": soft, "hard": hard, "forked": len(children), "refused": refused}


def memory(value: str) -> dict[str, Any]:
    """Fill twice the allowed memory, a MiB at a time. Does not return if the limit is enforced."""
    held = [bytearray(b"\1" * 2**20) for _ in range(2 * int(value) // 2**20)]
    return {"filled": len(held) * 2**20}


def readonly(_: str) -> dict[str, Any]:
    """Write to the root directory."""
    try:
        Path("/written").write_text("x")
    except OSError as error:
        return {"refused": name_of(error)}
    return {"refused": ""}


def privileges(_: str) -> dict[str, Any]:
    """What the kernel says about this process."""
    status = dict(
        line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines()
    )
    try:
        os.chown("/proc/self", 1, 1)
        refused = ""
    except OSError as error:
        refused = name_of(error)
    return {
        "no_new_privs": status["NoNewPrivs"].strip(),
        "effective": int(status["CapEff"], 16),
        "bounding": int(status["CapBnd"], 16),
        "refused": refused,
    }


def init(_: str) -> dict[str, Any]:
    """Leave an orphan that exits, and see whether process 1 reaps it."""
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        orphan = os.fork()
        if orphan:
            os.write(write, str(orphan).encode())
        os._exit(0)
    os.waitpid(child, 0)
    orphan = int(os.read(read, 32))
    until = time.monotonic() + SECONDS
    while (left := Path(f"/proc/{orphan}").exists()) and time.monotonic() < until:
        time.sleep(0.02)
    first = Path("/proc/1/comm").read_text().strip()
    return {"pid": os.getpid(), "first": first, "reaped": not left}


def listen(_: str) -> dict[str, Any]:
    """The server's side of a shared network namespace."""
    with socket.create_server(("127.0.0.1", 8000)) as server:
        server.settimeout(SECONDS)
        client, _address = server.accept()
        with client:
            client.sendall(b"a word")
    return {"interfaces": sorted(name for _, name in socket.if_nameindex())}


def connect(_: str) -> dict[str, Any]:
    """The client's side."""
    until = time.monotonic() + SECONDS
    while True:
        try:
            with socket.create_connection(("127.0.0.1", 8000), timeout=SECONDS) as client:
                return {"received": client.recv(16).decode()}
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


TRIES: dict[str, Callable[[str], dict[str, Any]]] = {
    each.__name__: each
    for each in (nofile, processes, memory, readonly, privileges, init, listen, connect)
}

if __name__ == "__main__":
    print(json.dumps(TRIES[sys.argv[1]](sys.argv[2] if sys.argv[2:] else "")))
