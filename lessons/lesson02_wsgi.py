"""Lesson 2: a WSGI server, the smallest. It does not know what is behind ``app``, and need not."""

from __future__ import annotations

import argparse
import importlib
import io
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from typing import Any

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def environ_of(said: bytes, port: int) -> dict[str, Any]:
    """The request as PEP 3333 wants it told. Of what was said we read the first line only."""
    method, target, version = said.decode("latin-1").splitlines()[0].split()
    path, _, query = target.partition("?")
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": version,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def answer(app: Application, environ: dict[str, Any]) -> bytes:
    """Call ``app``: it tells status and headers through the callback, and returns the content."""
    head: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        head[:] = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers), "", ""]

    content = next(iter(app(environ, start_response)), b"")
    return "\r\n".join(head).encode("latin-1") + content


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("app", help="MODULE:NAME of a WSGI application")
    parser.add_argument("--port", type=int, default=8002)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    module, _, name = options.app.partition(":")
    app: Application = getattr(importlib.import_module(module), name)

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", options.port))
        listener.listen(5)
        print(f"listening on 127.0.0.1:{options.port}", flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                if said := connection.recv(1024):  # some connect and say nothing
                    connection.sendall(answer(app, environ_of(said, options.port)))


if __name__ == "__main__":
    main()
