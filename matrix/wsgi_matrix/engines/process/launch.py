"""A command under the launcher, as the harness sees it: started, heard, signalled, ended.

What is on the other side of the two pipes is :mod:`wsgi_matrix.engines.process.launcher`.
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
        """Start the launcher. Whether it could start ``command`` is told by :meth:`begun`.

        ``folder``: where the command is run; ``log``: a file that is there, for all it writes;
        ``name``: what people call the command. Its first word is looked up in PATH of
        ``environment``, unless there is a slash in it.
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
            # Not our stderr: whoever reads that to its end must not have to wait for a cell.
            self.launcher = subprocess.Popen(
                [sys.executable, "-I", "-S", launcher_module.__file__, json.dumps(spec)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                start_new_session=True,
            )
        self.pid = 0
        """Of the command, which leads a session."""
        self.started = 0.0
        """When it was started, in seconds since the epoch."""
        self._told = b""
        self._ended: dict[str, Any] | None = None

    def begun(self) -> None:
        """Wait until the command runs. Raises :class:`CellError` if it does not get that far."""
        told = self.hear(START_DEADLINE)
        if told is None:
            raise CellError(f"the launcher did not start {self._name} in time")
        if "error" in told:
            raise CellError(f"{self._name} could not be started: {told['error']}")
        if "pid" not in told:
            raise CellError(f"the launcher ended before it had started {self._name}")
        self.pid = int(told["pid"])
        self.started = float(told["at"])

    def hear(self, seconds: float) -> dict[str, Any] | None:
        """The launcher's next line, waited for; its last one is kept.

        That tells how the command ended: ``status``, and how many processes it ``left``. No status:
        the launcher itself has ended.
        """
        if self._ended is not None:
            return self._ended
        assert self.launcher.stdout is not None
        pipe = self.launcher.stdout.fileno()
        until = time.monotonic() + seconds
        while b"\n" not in self._told:
            ready, _, _ = select.select([pipe], [], [], max(until - time.monotonic(), 0))
            if not ready:
                return None
            data = os.read(pipe, 65536)
            if not data:
                self._ended = {"status": None, "left": 0}
                return self._ended
            self._told += data
        line, _, self._told = self._told.partition(b"\n")
        value: dict[str, Any] = json.loads(line)
        if "status" in value:
            self._ended = value
        return value

    def signal(self, number: int) -> None:
        """Signal the command, unless it has ended: its id may be another's then."""
        if self.hear(0) is None and self.pid:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return  # it ended just now; the launcher is about to say so

    def kill(self) -> None:
        """Kill all of it, from any thread: the launcher does so when its stdin ends."""
        if self.launcher.stdin is not None:
            self.launcher.stdin.close()

    def close(self) -> None:
        """End the launcher and all below it."""
        self.kill()
        assert self.launcher.stdout is not None
        try:
            self.launcher.wait(START_DEADLINE)
        except subprocess.TimeoutExpired:
            self.launcher.kill()
            self.launcher.wait()
        self.launcher.stdout.close()
