"""Whether a server answers as it should, looked at once before anything is timed."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import selectors
import socket
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from bench.traffic import Request

PATIENCE = 5.0  # seconds for an answer
CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


class WrongAnswerError(Exception):
    """An answer that is not the app's."""


def ask(
    connection: http.client.HTTPConnection, path: str, upload: int, expected: bytes, *, close: bool
) -> bool:
    """Ask once; return whether the connection can be used again.

    Raises :class:`WrongAnswerError`, or OSError and HTTPException as :mod:`http.client` does.
    """
    headers = {"Connection": "close"} if close else {}
    connection.request("POST" if upload else "GET", path, b"x" * upload or None, headers)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise WrongAnswerError(f"{path}: status {response.status}")
    if body != expected:
        raise WrongAnswerError(
            f"{path}: a body of {len(body)} octets, not the expected one of {len(expected)}"
        )
    return not response.will_close


def check(port: int, path: str, upload: int, expected: bytes) -> bool:
    """Ask with and without keep-alive; return whether the server keeps connections alive.

    Raises :class:`WrongAnswerError` for anything but the expected answer, each time.
    """
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            kept = ask(connection, path, upload, expected, close=False)
            if kept:
                kept = ask(connection, path, upload, expected, close=False)
        finally:
            connection.close()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            ask(connection, path, upload, expected, close=True)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        raise WrongAnswerError(f"{path}: {type(error).__name__}: {error}") from None
    return kept


def closes(port: int, path: str, patience: float = 1.0) -> bool:
    """Whether the server closes a connection that asks for it (RFC 9112 section 9.6).

    One that does not is never measured with a connection for each request, whatever it is asked.
    """
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=patience) as client:
            client.sendall(request.encode())
            while client.recv(65536):
                pass
    except OSError:
        return False
    return True


def calls_close(port: int, path: str, patience: float = 1.0) -> bool:
    """Whether what the app returned is closed, of a server that has ``bench/watched`` as its app.

    A server that leaves it out (PEP 3333: it must not) measures less of the app: Django ends a
    request there.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        for _ in range(3):
            connection.request("GET", path)
            connection.getresponse().read()
        until = time.monotonic() + patience  # the last may be closed after it was answered
        while True:
            connection.request("GET", "/closed")
            due, done = connection.getresponse().read().split()
            if due == done:
                return True
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise WrongAnswerError(f"/closed: {type(error).__name__}: {error}") from None
    finally:
        connection.close()


def served_at_once(port: int, path: str, count: int, patience: float = 2.0) -> int:
    """How many of ``count`` connections that are all open get an answer.

    A server that gives its thread to a connection until that ends serves as many as it has
    threads: its requests/s are those of a few clients, while the others wait.
    """
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    answered = 0
    clients = []
    with selectors.DefaultSelector() as selector:
        try:
            for _ in range(count):
                client = socket.create_connection(("127.0.0.1", port), timeout=patience)
                clients.append(client)
                client.sendall(request)
                selector.register(client, selectors.EVENT_READ, client)
            deadline = time.monotonic() + patience
            while answered < count and (left := deadline - time.monotonic()) > 0:
                for key, _ in selector.select(left):
                    client = key.data
                    answer = client.recv(65536)
                    answered += answer.startswith(b"HTTP/1.")
                    selector.unregister(client)
                    if CLOSES.search(answer):
                        client.close()  # it may be waiting for that, and a client has to
        except OSError:
            pass  # what it refused or reset, it did not serve
        finally:
            for client in clients:
                client.close()
    return answered


def check_traffic(port: int, requests: Sequence[Request], *, close: bool, connections: int) -> None:
    """Send ``requests`` over ``connections`` at once, and look at every response.

    Raises :class:`WrongAnswerError` for the first that is not the one of its request.
    """
    shares = [requests[number::connections] for number in range(connections)]
    with ThreadPoolExecutor(connections) as pool:
        for _ in pool.map(lambda share: _converse(port, share, close=close), shares):
            pass


def _converse(port: int, requests: Sequence[Request], *, close: bool) -> None:
    client: socket.socket | None = None
    try:
        for request in requests:
            if client is None:
                client = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
            client.sendall(request.octets(close=close))
            response = http.client.HTTPResponse(client, method=request.method)
            response.begin()
            body = response.read()
            _look_at(request, response, body)
            if response.will_close:
                client.close()
                client = None
            elif close:
                raise WrongAnswerError(f"{request.kind}: keeps a connection that asked for its end")
    except (OSError, http.client.HTTPException) as error:
        raise WrongAnswerError(f"{request.kind}: {type(error).__name__}: {error}") from None
    finally:
        if client is not None:
            client.close()


def _look_at(request: Request, response: http.client.HTTPResponse, body: bytes) -> None:
    if response.status != 200:
        raise WrongAnswerError(f"{request.kind}: status {response.status}")
    if body != request.text():
        raise WrongAnswerError(f"{request.kind}: a body of {len(body)} octets that is not its own")
    # Not X-Request-ID: over that of an application, muru writes its own.
    if response.getheader("X-Correlation-ID") != request.get("X-Request-ID"):
        raise WrongAnswerError(f"{request.kind}: an X-Correlation-ID that is not its own")
    if (response.getheader("Set-Cookie") or "").partition(";")[0] != f"seen={request.cookie}":
        raise WrongAnswerError(f"{request.kind}: a cookie that is not its own")


def check_environ(port: int, requests: Sequence[Request]) -> None:
    """Whether the application gets what was sent, of a server with ``bench/watched`` as its app.

    Raises :class:`WrongAnswerError` for a variable that is not there, or not as it was sent.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with contextlib.closing(connection):
        for request in requests:
            try:
                connection.connect()
                connection.sock.sendall(replace(request, path="/environ").octets(close=True))
                response = http.client.HTTPResponse(connection.sock, method=request.method)
                response.begin()
                environ = json.loads(response.read())
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise WrongAnswerError(f"/environ: {type(error).__name__}: {error}") from None
            finally:
                connection.close()
            for name, value in environ_of(request).items():
                # One that is empty may be absent (PEP 3333, "environ Variables").
                if value and name not in environ:
                    raise WrongAnswerError(f"{request.kind}: the environ lacks {name}")
                if environ.get(name, "") != value:
                    raise WrongAnswerError(
                        f"{request.kind}: {name} is {environ[name]!r}, not {value!r}"
                    )


def environ_of(request: Request) -> dict[str, str]:
    """The variables that follow from a request (RFC 3875, section 4.1, and PEP 3333)."""
    variables = {"REQUEST_METHOD": request.method, "QUERY_STRING": request.query}
    for name, value in request.fields:
        key = name.upper().replace("-", "_")
        variables[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return variables
