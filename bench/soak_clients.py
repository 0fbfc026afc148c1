"""The clients of ``make soak``: good ones that check every answer, and bad ones."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

APP = """
import os
from hashlib import sha256

LARGE = bytes(range(256)) * 4096

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path.startswith("/large"):
        content = LARGE
    elif environ["REQUEST_METHOD"] == "POST":
        digest = sha256(environ["wsgi.input"].read()).hexdigest()
        content = f"{path} {digest}".encode()
    else:
        content = path.encode()
    worker = str(os.getpid())
    start_response("200 OK", [("Content-Length", str(len(content))), ("X-Worker", worker)])
    return [content]
"""
LARGE = bytes(range(256)) * 4096
DEADLINE = 30.0
KILL_WINDOW = 1.0
"""Seconds after a ``kill -9`` in which a connection without an answer yet may be its victim."""


@dataclass
class Tally:
    """What all clients share. Every number is only ever added to, under the lock."""

    port: int = 0
    sent: int = 0
    right: int = 0
    refused: int = 0
    bad: int = 0
    """Bad clients that came and went."""
    killed: int = 0
    """Requests that went down with a worker that we killed."""
    lost: list[str] = field(default_factory=list)
    victims: set[int] = field(default_factory=set)
    kills: deque[float] = field(default_factory=lambda: deque(maxlen=20))
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def lose(self, worker: int, since: float, what: str) -> None:
        """A request whose answer did not come, or not right."""
        now = time.monotonic()
        with self.lock:
            by_us = worker in self.victims or (
                not worker and any(since - KILL_WINDOW <= kill <= now for kill in self.kills)
            )
            if by_us:
                self.killed += 1
            else:
                self.lost.append(
                    f"{time.strftime('%H:%M:%S')} worker {worker or 'unknown'}: {what}"
                )


class WrongAnswerError(Exception):
    """An answer that is not as due."""


class Good:
    """One good client: asks, checks, asks again. Keeps its connection, or never does."""

    def __init__(self, tally: Tally, name: int, *, keeps: bool) -> None:
        self._tally = tally
        self._name = name
        self._keeps = keeps
        self._sock: socket.socket | None = None
        self._worker = 0
        self._random = random.Random(name)  # noqa: S311 - no secret

    def run(self) -> None:
        """Until all is over."""
        number = 0
        while not self._tally.over.is_set():
            number += 1
            self._once(number)
            time.sleep(self._random.random() * 0.01)  # leaves the machine to the server
        self._drop()

    def _once(self, number: int) -> None:
        tally = self._tally
        since = time.monotonic()
        if self._sock is None:
            try:
                self._sock = socket.create_connection(("127.0.0.1", tally.port), DEADLINE)
            except ConnectionRefusedError:
                with tally.lock:
                    tally.refused += 1
                return
            except OSError as error:
                tally.lose(0, since, f"connect: {error}")
                return
        with tally.lock:
            tally.sent += 1
        try:
            close = self._exchange(self._sock, f"/{self._name}/{number}")
        except (OSError, WrongAnswerError) as error:
            tally.lose(self._worker, since, repr(error))
            self._drop()
            return
        with tally.lock:
            tally.right += 1
        if close:
            self._drop()

    def _exchange(self, sock: socket.socket, path: str) -> bool:
        """One request. Returns whether the connection ends with it."""
        kind = self._random.random()
        body = b""
        due = path.encode()
        if kind < 0.02:
            path, due = f"/large{path}", LARGE
        elif kind < 0.2:
            body = self._random.randbytes(self._random.randint(1, 200_000))
            due += b" " + sha256(body).hexdigest().encode()
        lines = [f"{'POST' if body else 'GET'} {path} HTTP/1.1", "Host: a"]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        if not self._keeps:
            lines.append("Connection: close")
        sock.sendall("\r\n".join((*lines, "", "")).encode() + body)
        head, content = self._answer(sock)
        if content != due:
            raise WrongAnswerError(f"{path}: {content[:80]!r} instead of {due[:80]!r}")
        return b"\r\nConnection: close" in head

    def _answer(self, sock: socket.socket) -> tuple[bytes, bytes]:
        octets = bytearray()
        length = -1
        while True:
            head, end, _ = bytes(octets).partition(b"\r\n\r\n") if length < 0 else (b"", b"", b"")
            if end:
                if not head.startswith(b"HTTP/1.1 200 OK\r\n"):
                    raise WrongAnswerError(head)
                fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
                self._worker = int(fields[b"X-Worker"])
                length, taken, kept = int(fields[b"Content-Length"]), head, len(head) + 4
            if length >= 0 and len(octets) - kept >= length:
                return taken, bytes(octets[kept:])
            more = sock.recv(65536)
            if not more:
                raise WrongAnswerError(f"closed after {len(octets)} octets")
            octets += more

    def _drop(self) -> None:
        if self._sock is not None:
            self._sock.close()
        self._sock, self._worker = None, 0


# ── bad clients ──────────────────────────────────────────────────────────────────────────────────


def half_heads(sock: socket.socket, over: threading.Event) -> None:
    """Begins a request and goes quiet."""
    sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX-Half: ")
    over.wait(2)


def trickled_body(sock: socket.socket, over: threading.Event) -> None:
    """An octet now and then."""
    sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(10):
        sock.sendall(b"x")
        over.wait(0.2)


def slow_reader(sock: socket.socket, over: threading.Event) -> None:
    """Asks for a lot and takes a little."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n" * 4)
    for _ in range(10):
        sock.recv(1000)
        over.wait(0.2)


def resets(sock: socket.socket, _: threading.Event) -> None:
    """Asks and does not wait."""
    sock.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n" * 2)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def nonsense(sock: socket.socket, _: threading.Event) -> None:
    """Speaks another language."""
    sock.sendall(random.randbytes(2000) + b"\r\n\r\n")  # noqa: S311 - no secret
    with contextlib.suppress(OSError):
        sock.recv(4096)


BAD: tuple[Callable[[socket.socket, threading.Event], None], ...] = (
    half_heads,
    trickled_body,
    slow_reader,
    resets,
    nonsense,
)


def misbehave(tally: Tally, how: Callable[[socket.socket, threading.Event], None]) -> None:
    """One after another, until all is over."""
    while not tally.over.is_set():
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", tally.port), DEADLINE) as sock,
        ):
            how(sock, tally.over)
        with tally.lock:
            tally.bad += 1
        tally.over.wait(0.02)
