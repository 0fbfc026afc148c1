"""Descriptors 0 to 2, and what the command says on them about itself."""

from __future__ import annotations

import contextlib
import io
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CLOSED_PIPE = 141
"""Exit status when nobody reads what is printed: what a shell makes of SIGPIPE (128 + 13)."""
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


def make_harmless() -> None:
    """Make ``sys.stdout`` and ``sys.stderr`` streams that write each line at once, and never fail.

    For a server: a reader that goes away, or a disk that is full, is no reason for a ``print`` of
    a hook or of the application to raise, or for the server to end. At once, because what is
    buffered is lost with a process that is killed, and hidden until then from whoever reads logs.
    """
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        if not isinstance(stream, io.TextIOWrapper) or stream is not getattr(sys, f"__{name}__"):
            continue  # somebody has put another one in its place
        try:
            stream.flush()
        except OSError:
            continue
        harmless = io.TextIOWrapper(
            io.BufferedWriter(_Harmless(descriptor, "w", closefd=False)),
            encoding=stream.encoding,
            errors=stream.errors,
            line_buffering=True,
            write_through=stream.write_through,
        )
        harmless.buffer.raw.name = stream.name
        setattr(sys, name, harmless)
        setattr(sys, f"__{name}__", harmless)


def flush() -> None:
    """Before a fork: what is buffered is not to be written twice.

    What a hook has put in the place of a stream need not be able to.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()


class _Harmless(io.FileIO):
    """A descriptor to write to, on which no write fails; what cannot be written is lost."""

    def write(self, octets: Any) -> int:
        count = memoryview(octets).nbytes
        try:
            written = super().write(octets)
        except OSError:
            return count
        return count if written is None else written


def tell(text: str) -> None:
    """Print ``text`` on standard output.

    Ends the program if that cannot be: quietly if nobody reads, as SIGPIPE would.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:
        _forget(1)
        sys.exit(CLOSED_PIPE)
    except OSError as error:
        _forget(1)
        complain(f"onegate: cannot write to standard output: {error.strerror}")
        sys.exit(_WRITE_FAILED)


def complain(text: str) -> None:
    """Print ``text`` as a line on standard error; where that cannot be, nobody is left to tell."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        _forget(2)


def _forget(descriptor: int) -> None:
    """Let what is buffered go nowhere, which would be tried once more at the end."""
    with contextlib.suppress(OSError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, descriptor)
        os.close(null)
