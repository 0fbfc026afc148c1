"""The app that signals its own server, to show what happens to requests at a stop or reload."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

MEETING = 10.0
"""Seconds to wait for the client's sign that others wait behind this request."""
BEFORE = 0.5
"""Seconds in which the client starts to send requests continuously."""
AFTER = 1.0
"""Seconds for which this request is in flight after the signal; being slow is the purpose."""


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Respond with this process's pid. ``/signal/NAME`` also signals the server's first process.

    That is the session leader: process 1 of a container, or the process that an engine started.
    Workers belong to its session in every known server.
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
    """Tell the client that its request has arrived, and wait until it has closed: then everything
    is in place for the signal, however slow the host is.

    ``probe/agent/scenario_run.py`` has the address.
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
