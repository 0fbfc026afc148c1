"""Descriptors 0 to 2, and what the command says on them about itself."""

from __future__ import annotations

import contextlib
import io
import os
import sys

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
        complain(f"onegate: standard output: {error.strerror}")
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
