"""A command under the launcher, as seen by the harness: started, observed, signalled, ended.

The other side of the two pipes is :mod:`wsgi_matrix.engines.process.launcher`.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wsgi_matrix.engines.process import launcher as launcher_module
from wsgi_matrix.errors import CellError

START_DEADLINE = 30.0


class Launch:
    """One launcher and the command under it."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        limits: Mapping[str, int],
        log: Path,
        uid: int | None,
        name: str = "the server",
    ) -> None:
        """Start the launcher. :meth:`begun` reports whether it could start ``command``.

        ``folder``: the working directory of the command; ``log``: an existing file for its output;
        ``name``: of the command in messages. Its first word is searched for in PATH of
        ``environment``, unless it contains a slash.
        """
        self._name = name
        spec = {
            "command": list(command),
            "environment": dict(environment),
            "folder": str(folder),
            "limits": dict(limits),
            "log": str(log),
            "uid": uid,
        }
        with log.open("ab") as file:
            # Not this process's stderr, so that a reader of that does not have to wait for cells.
            self.launcher = subprocess.Popen(
                [sys.executable, "-I", "-S", launcher_module.__file__, json.dumps(spec)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                start_new_session=True,
            )
        self.pid = 0
        """The pid of the command, which is a session leader."""
        self.started = 0.0
        """When it started, in seconds since the epoch."""
        self._received = b""
        self._ended: dict[str, Any] | None = None

    def begun(self) -> None:
        """Wait until the command runs. Raises :class:`CellError` if it cannot be started."""
        message = self.read_message(START_DEADLINE)
        if message is None:
            raise CellError(f"the launcher did not start {self._name} in time")
        if "error" in message:
            raise CellError(f"{self._name} could not be started: {message['error']}")
        if "pid" not in message:
            raise CellError(f"the launcher exited before it started {self._name}")
        self.pid = int(message["pid"])
        self.started = float(message["at"])

    def read_message(self, seconds: float) -> dict[str, Any] | None:
        """Wait for the launcher's next message; its last one is returned again.

        The last one says how the command ended: ``status``, and how many processes it ``left``.
        Without a status, the launcher itself has exited.
        """
        if self._ended is not None:
            return self._ended
        assert self.launcher.stdout is not None
        pipe = self.launcher.stdout.fileno()
        until = time.monotonic() + seconds
        while b"\n" not in self._received:
            ready, _, _ = select.select([pipe], [], [], max(until - time.monotonic(), 0))
            if not ready:
                return None
            data = os.read(pipe, 65536)
            if not data:
                self._ended = {"status": None, "left": 0}
                return self._ended
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        value: dict[str, Any] = json.loads(line)
        if "status" in value:
            self._ended = value
        return value

    def signal(self, number: int) -> None:
        """Signal the command, unless it has exited, because its pid may then be reused."""
        if self.read_message(0) is None and self.pid:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return  # it has just exited; the launcher is about to report it

    def kill(self) -> None:
        """Kill all processes, from any thread: the launcher does so when its stdin closes."""
        if self.launcher.stdin is not None:
            self.launcher.stdin.close()

    def close(self) -> None:
        """Terminate the launcher and all its descendants."""
        self.kill()
        assert self.launcher.stdout is not None
        try:
            self.launcher.wait(START_DEADLINE)
        except subprocess.TimeoutExpired:
            self.launcher.kill()
            self.launcher.wait()
        self.launcher.stdout.close()
