"""Clients without pause, which check every answer and count what they lose."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.server.helpers import DEADLINE, Server, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

ECHO = """
def app(environ, start_response):
    content = environ["PATH_INFO"].encode()
    start_response("200 OK", [("Content-Length", str(len(content)))])
    return [content]
"""
"""Answers each request with something of its own: no answer can be taken for another's."""
both = pytest.mark.parametrize("keep_alive", [True, False], ids=["keep_alive", "close"])


@dataclass
class Load:
    """What came of it."""

    host: str
    port: int
    keep_alive: bool
    right: int = 0
    refused: int = 0
    """Connections that never came about: nothing was promised to those clients."""
    lost: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def client(self, name: int) -> None:
        """Ask, check, ask again."""
        sock: socket.socket | None = None
        for number in itertools.count():
            if self.over.is_set():
                break
            if sock is None:
                sock = self._connected()
                if sock is None:
                    continue
            content = f"/{name}/{number}".encode()
            try:
                head = exchange(sock, content, self.keep_alive)
            except OSError as error:
                self.lost.append(f"client {name}, request {number}: {error}")
                sock.close()
                sock = None
                continue
            self.right += 1
            if b"\r\nConnection: close" in head:
                sock.close()
                sock = None
        if sock is not None:
            sock.close()

    def _connected(self) -> socket.socket | None:
        try:
            return socket.create_connection((self.host, self.port), DEADLINE)
        except OSError:
            self.refused += 1
            time.sleep(0.01)
            return None

    def progress(self, count: int = 200) -> None:
        """Wait until so many more answers have come."""
        before = self.right
        wait_for(lambda: self.right >= before + count, f"{count} more answers")


def exchange(sock: socket.socket, content: bytes, keep_alive: bool) -> bytes:
    """One request to :data:`ECHO`; returns the head of its answer. Raises ``OSError``."""
    end = b"" if keep_alive else b"Connection: close\r\n"
    sock.sendall(b"GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n" % (content, end))
    octets = b""
    while not octets.endswith(b"\r\n\r\n" + content):
        more = sock.recv(4096)
        if not more:
            raise ConnectionError(f"closed after {octets!r}")
        octets += more
        if len(octets) > 1000:
            raise ConnectionError(f"wrong answer {octets!r}")
    if not octets.startswith(b"HTTP/1.1 200 OK\r\n"):
        raise ConnectionError(f"wrong answer {octets!r}")
    return octets.partition(b"\r\n\r\n")[0]


@contextlib.contextmanager
def under_load(server: Server, *, keep_alive: bool, clients: int = 8) -> Iterator[Load]:
    """While the block runs, so many clients ask ``server``, which serves :data:`ECHO`."""
    with loading(Load(server.host, server.port, keep_alive), clients) as load:
        yield load


@contextlib.contextmanager
def loading(load: Load, clients: int = 8) -> Iterator[Load]:
    """While the block runs, so many clients make the ``load``."""
    threads = [
        threading.Thread(target=load.client, args=(name,), daemon=True) for name in range(clients)
    ]
    for thread in threads:
        thread.start()
    try:
        load.progress()
        yield load
    finally:
        load.over.set()
        for thread in threads:
            thread.join(DEADLINE)
            assert not thread.is_alive(), "a client hangs"
