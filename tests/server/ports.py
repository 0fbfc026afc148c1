"""Ports of this machine."""

from __future__ import annotations

import socket

from tests.server.helpers import DEADLINE, Client


def free_port() -> int:
    """One that nobody has at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def get(port: int) -> str:
    """What is answered there to a GET."""
    with Client(socket.create_connection(("127.0.0.1", port), DEADLINE)) as client:
        return client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").response().text
