"""Standard streams: descriptors 0 to 2, and what the command prints on them."""

from __future__ import annotations

import contextlib
import io
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CLOSED_PIPE = 141
"""Exit status when nobody reads what is printed, as of a command killed by SIGPIPE (128 + 13)."""
_WRITE_FAILED = 2


def open_missing() -> None:
    """Open those of descriptors 0 to 2 that are closed on /dev/null, and make streams of them.

    Daemonizers, cron and ``>&-`` close them. A listener or a log file would become standard
    output then, and ``sys.stdout`` is None.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            mode, buffering = ("w", 1) if descriptor else ("r", -1)
            stream = open(descriptor, mode, buffering, errors="backslashreplace", closefd=False)  # noqa: SIM115 - for as long as the process lives
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)


def ignore_write_errors() -> None:
    """Make ``sys.stdout`` and ``sys.stderr`` write each line at once and ignore errors.

    When a reader goes away or a disk is full, neither a ``print`` in a hook or the application
    should raise, nor the server end. Lines are written at once, because buffered ones are not
    visible in the logs, and are lost if the process is killed.
    """
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        if not isinstance(stream, io.TextIOWrapper) or stream is not getattr(sys, f"__{name}__"):
            continue  # it has been replaced
        try:
            stream.flush()
        except OSError:
            continue
        replacement = io.TextIOWrapper(
            io.BufferedWriter(_IgnoreErrors(descriptor, "w", closefd=False)),
            encoding=stream.encoding,
            errors=stream.errors,
            line_buffering=True,
            write_through=stream.write_through,
        )
        replacement.buffer.raw.name = stream.name
        setattr(sys, name, replacement)
        setattr(sys, f"__{name}__", replacement)


def flush() -> None:
    """Flush before a fork, so that nothing is written twice.

    A stream that a hook has replaced may not support it.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()


class _IgnoreErrors(io.FileIO):
    """A descriptor on which no write fails; what cannot be written is lost."""

    def write(self, octets: Any) -> int:
        count = memoryview(octets).nbytes
        try:
            written = super().write(octets)
        except OSError:
            return count
        return count if written is None else written


def print_output(text: str) -> None:
    """Print ``text`` on standard output.

    Exits if that fails: silently if nobody reads, as with SIGPIPE.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:
        _discard(1)
        sys.exit(CLOSED_PIPE)
    except OSError as error:
        _discard(1)
        print_error(f"onegate: cannot write to standard output: {error.strerror}")
        sys.exit(_WRITE_FAILED)


def print_error(text: str) -> None:
    """Print ``text`` as a line on standard error. If that fails, it is lost."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        _discard(2)


def _discard(descriptor: int) -> None:
    """Redirect it to /dev/null, so that what is buffered does not fail once more at exit."""
    with contextlib.suppress(OSError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, descriptor)
        os.close(null)
