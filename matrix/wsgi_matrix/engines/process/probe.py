"""The probe as a process on this host's loopback interface, with its job on stdin."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from wsgi_matrix.engines.process import leftovers
from wsgi_matrix.probe import protocol

WATCH = 0.05
"""Seconds between two checks of the server."""


def run(
    folder: Path, output: Path, job: bytes, deadline: float, watch: Callable[[], None]
) -> bytes:
    """Run a probe with the job; write its output to the file ``output``.

    ``folder``: the run's directory, for the probe's archive. ``deadline``: in monotonic time;
    raises ``TimeoutError`` then. ``watch`` is called periodically, and may raise.
    """
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", _archive(folder, output.stem)],
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        with process:
            leftovers.record(folder, process.pid)
            assert process.stdin is not None
            process.stdin.write(job)
            process.stdin.close()
            try:
                _wait(process, deadline, watch)
            finally:
                process.kill()
    return output.read_bytes()


def ready(output: Path) -> bool:
    """Whether a probe has found the server ready, judging by its output so far."""
    return b'"ready"' in output.read_bytes()


def waits(output: Path) -> bool:
    """Whether a probe has reported that it is only waiting."""
    return protocol.WAITING in output.read_bytes()


def _archive(folder: Path, name: str) -> Path:
    """The probe's archive in ``folder``, written atomically by the first cell."""
    archive = folder / "probe.pyz"
    if not archive.exists():
        fresh = archive.with_suffix(f".{name}")
        fresh.write_bytes(protocol.archive())
        fresh.replace(archive)
    return archive


def _wait(process: subprocess.Popen[bytes], deadline: float, watch: Callable[[], None]) -> None:
    while time.monotonic() < deadline:
        try:
            process.wait(WATCH)
        except subprocess.TimeoutExpired:
            watch()
        else:
            return
    raise TimeoutError
