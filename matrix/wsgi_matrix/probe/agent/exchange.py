"""One request on a new connection, and the end of the connection."""

from __future__ import annotations

import contextlib
import errno
import re
import socket
import time
from dataclasses import dataclass

from .load_adjusted_clock import Patience
from .response_reader import LARGEST, ResponseReader

READ_SIZE = 65536
CLOSE = re.compile(rb"\A[^\r]*\r\n(?:[^\r\n]+\r\n)*connection: close\r\n", re.IGNORECASE)
"""A request with ``Connection: close``."""
CLOSING = 2.0
"""Seconds for the close that a response announced."""
ASKED = 0.5
"""Seconds for a close that only the request announced, which many servers ignore."""


@dataclass(frozen=True)
class Result:
    """Result of one exchange. ``end`` of the connection: ``open``, ``fin`` or ``reset``."""

    response: bytes
    error: str
    end: str
    seconds: float
    timed_out: bool = False


def describe(error: OSError) -> str:
    """An error in words that do not depend on the connection, so that they can be counted."""
    if isinstance(error, TimeoutError):
        return "timed out"
    if error.errno is None:
        return type(error).__name__
    return errno.errorcode.get(error.errno, str(error.errno))


def wait_ready(host: str, port: int, deadline: float) -> str:
    """Wait until ``port`` accepts, until the monotonic time ``deadline``. Returns "" or an error.

    The connection is closed without sending anything, as servers often see.
    """
    error = "never tried"
    while (left := deadline - time.monotonic()) > 0:
        try:
            with socket.create_connection((host, port), timeout=min(left, 1.0)) as connection:
                # Without a listener, TCP may connect a loopback socket to itself.
                if connection.getsockname() != connection.getpeername():
                    return ""
                error = "ECONNREFUSED"
        except OSError as problem:
            error = describe(problem)
            time.sleep(0.005)  # a connect is refused immediately, so this has to poll
    return error


def wait_status(host: str, port: int, request: bytes, status: int, deadline: float) -> str:
    """Wait until the response to ``request`` has ``status``. Returns "" or an error."""
    said = "none"
    while time.monotonic() < deadline:
        result = exchange(host, port, request, Patience(deadline - time.monotonic(), deadline))
        line = result.response.partition(b"\r\n")[0]
        if result.response.split(b" ", 2)[1:2] == [b"%d" % status]:
            return ""
        said = result.error or line.decode("latin-1")
        time.sleep(0.05)  # leave the app time to get ready
    target = request.split(b" ", 2)[1].decode("latin-1")
    return f"the ready check {target} expects {status}, the last response was: {said}"


def exchange(
    host: str, port: int, request: bytes, patience: Patience, largest: int = LARGEST
) -> Result:
    """Send ``request``, read one complete response, and see whether the connection closes.

    A response of more than ``largest`` octets is an error, and is not read any further.
    """
    started = time.monotonic()
    reader = ResponseReader(request.partition(b" ")[0], largest)
    end = "open"
    error = ""
    timed_out = False
    if started >= patience.deadline:
        return Result(b"", "not sent: the deadline of the cell had passed", "", 0.0)
    try:
        with socket.create_connection((host, port), timeout=patience.wall()) as connection:
            connection.sendall(request)
            while not reader.over:
                data = _received(connection, patience)
                if data:
                    reader.feed(data)
                else:
                    reader.end()
                    end = "fin"
            seconds = time.monotonic() - started
            if end == "open" and reader.done:
                within = CLOSING if reader.closes else ASKED if CLOSE.search(request) else 0.0
                end = _watch_end(connection, reader, Patience(within, patience.deadline))
    except OSError as problem:
        seconds = time.monotonic() - started
        error = describe(problem) + (" within the response" if reader.buffer else "")
        if isinstance(problem, TimeoutError):
            timed_out = True
            error = f"no {'complete ' if reader.buffer else ''}response after {seconds:.1f} s"
    error = error or reader.error
    if not error and reader.rest:
        error = f"{len(reader.rest)} octets after the end of the response"
    return Result(bytes(reader.buffer), error, end, seconds, timed_out)


def _received(connection: socket.socket, patience: Patience) -> bytes:
    """The next octets. Raises TimeoutError if there are none within ``patience``."""
    while True:
        left = patience.left()
        connection.settimeout(left)
        try:
            return connection.recv(READ_SIZE)
        except BlockingIOError:
            raise TimeoutError from None  # no time was left
        except TimeoutError:
            continue


def _watch_end(connection: socket.socket, reader: ResponseReader, patience: Patience) -> str:
    """``fin`` or ``reset``; ``open`` if neither occurs within ``patience``."""
    with contextlib.suppress(TimeoutError):
        try:
            data = _received(connection, patience)
        except ConnectionResetError:
            return "reset"
        if not data:
            return "fin"
        reader.feed(data)
    return "open"
