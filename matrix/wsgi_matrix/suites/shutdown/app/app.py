"""The app that signals its own server: for what becomes of requests when one stops or reloads."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

MEETING = 10.0
"""Seconds for the client to say that others wait behind this request."""
BEFORE = 0.5
"""Seconds in which requests without end begin to come."""
AFTER = 1.0
"""Seconds for which this request is in flight after the signal: the slowness is the case."""


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Tell which process this is. ``/signal/NAME`` signals the server's first process meanwhile.

    That is the leader of the session: process 1 of a container, and what an engine started
    elsewhere. Workers are of its session in every server that there is.
    """
    _, _, name = environ["PATH_INFO"].partition("/signal/")
    if name:
        _meet_client(environ["SERVER_PORT"])
        time.sleep(BEFORE)
        os.kill(os.getsid(0), signal.Signals[name])
        time.sleep(AFTER)
    body = b"%d\n" % os.getpid()
    fields = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
    start_response("200 OK", fields)
    return [body]


def _meet_client(port: str) -> None:
    """Let the client know that its request is here, and wait until it has closed: then all is in
    place that is to be there at the signal, however slow the machine is.

    The place is known to ``probe/agent/scenario.py``.
    """
    with (
        contextlib.suppress(TimeoutError),
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener,
    ):
        listener.bind(f"\0wsgi-matrix-{port}")
        listener.listen(1)
        listener.settimeout(MEETING)
        client, _ = listener.accept()
        with client:
            client.settimeout(MEETING)
            client.recv(1)
