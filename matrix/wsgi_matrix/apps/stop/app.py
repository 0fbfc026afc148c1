"""The app that signals its own server: for what becomes of requests when one stops or reloads."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable
from typing import Any

BEFORE = 0.5
"""Seconds in which another request comes to wait behind this one."""
AFTER = 1.0
"""Seconds for which this request is in flight after the signal: the slowness is the case."""


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Tell which process this is. ``/signal/NAME`` signals the server's first process meanwhile.

    That is the leader of the session: process 1 of a container, and what an engine started
    elsewhere. Workers are of its session in every server that there is.
    """
    _, _, name = environ["PATH_INFO"].partition("/signal/")
    if name:
        time.sleep(BEFORE)
        os.kill(os.getsid(0), signal.Signals[name])
        time.sleep(AFTER)
    body = b"%d\n" % os.getpid()
    fields = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
    start_response("200 OK", fields)
    return [body]
