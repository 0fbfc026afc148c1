"""``DOCKER_HOST=ssh://…``: an engine's socket on another host, through the user's ssh command.

The socket is forwarded to a local one (ssh(1), -L), because the Docker SDK's own ssh transport
starts a process for each connection and is not bidirectional, which attaching to a container needs.
The user's configuration, agent and known hosts are used, as with ``docker``.
"""

from __future__ import annotations

import atexit
import functools
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from wsgi_matrix.errors import EngineError

SOCKET = "/var/run/docker.sock"
"""The default socket of an engine; the path of the URL overrides it."""

DEADLINE = 30.0
"""Seconds for ssh to connect."""


@functools.cache
def forwarded(url: str) -> str:
    """The address of a local socket forwarded to the engine of ``ssh://[USER@]HOST[:PORT][/PATH]``.

    ssh runs until this process ends. Raises :class:`EngineError`.
    """
    parts = urlsplit(url)
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise EngineError(f"DOCKER_HOST={url}: {error}") from None
    if not host or host.startswith("-") or parts.query or parts.fragment or parts.password:
        raise EngineError(f"DOCKER_HOST={url} is not of the form ssh://[USER@]HOST[:PORT][/PATH]")
    folder = Path(tempfile.mkdtemp(prefix="wsgi-matrix-ssh-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    here = folder / "docker.sock"
    command = ["ssh", "-nNT", "-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes"]
    command += ["-L", f"{here}:{parts.path or SOCKET}"]
    command += ["-l", parts.username] if parts.username else []
    command += ["-p", str(port)] if port else []
    log = folder / "log"
    with log.open("wb") as output:
        try:
            # Not in the terminal's process group, because the run still needs it after Ctrl-C.
            process = subprocess.Popen(
                [*command, "--", host], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                process_group=0,
            )  # fmt: skip
        except FileNotFoundError:
            raise EngineError(f"DOCKER_HOST={url}: the ssh command is not installed") from None
    atexit.register(_end, process)
    deadline = time.monotonic() + DEADLINE
    while not here.exists():
        if process.poll() is not None:
            raise EngineError(f"no connection to DOCKER_HOST={url}: {_last_line(log)}")
        if time.monotonic() > deadline:
            _end(process)
            raise EngineError(f"ssh did not connect to DOCKER_HOST={url} within {DEADLINE:.0f} s")
        time.sleep(0.02)
    return f"unix://{here}"


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait()


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    return lines[-1] if lines else "ssh exited without output"
