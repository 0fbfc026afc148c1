"""Lesson 9: both together. Any WSGI application, a process for each connection, none left over."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import signal
import socket
import sys
from typing import Any


def environ_of(connection: socket.socket, port: int) -> dict[str, Any]:
    """One request, in however many pieces it comes, with its content by Content-Length."""
    stream = connection.makefile("rb")
    request_line = stream.readline().decode("latin-1")
    if not request_line:
        sys.exit(0)  # somebody connected and said nothing; only this child ends
    method, target, version = request_line.split()
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path}
    environ |= {"QUERY_STRING": query, "SERVER_PROTOCOL": version}
    environ |= {"SERVER_NAME": "localhost", "SERVER_PORT": str(port)}
    while line := stream.readline().decode("latin-1").strip():  # an empty one ends the head
        name, _, value = line.partition(":")
        environ["HTTP_" + name.upper().replace("-", "_")] = value.strip()
    for name in ("CONTENT_LENGTH", "CONTENT_TYPE"):  # the two that have no HTTP_ before them
        environ[name] = environ.pop("HTTP_" + name, "")
    content = stream.read(int(environ["CONTENT_LENGTH"] or 0))
    environ |= {"wsgi.input": io.BytesIO(content), "wsgi.errors": sys.stderr}
    environ |= {"wsgi.multithread": False, "wsgi.multiprocess": True, "wsgi.run_once": False}
    return {**environ, "wsgi.version": (1, 0), "wsgi.url_scheme": "http"}


def answer(app: Any, environ: dict[str, Any]) -> bytes:
    """Call ``app``, gather all that it gives."""
    head: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        head[:] = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]

    content = b"".join(app(environ, start_response))
    return "\r\n".join([*head, "Connection: close", "", ""]).encode("latin-1") + content


def reap(_signal: int, _frame: object) -> None:
    """As in lesson 8: every child that has ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("app", help="MODULE:NAME of a WSGI application")
    parser.add_argument("--port", type=int, default=8009)
    options = parser.parse_args()
    module, _, name = options.app.partition(":")
    app = getattr(importlib.import_module(module), name)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGCHLD, reap)
    with socket.create_server(("127.0.0.1", options.port), backlog=1024) as listener:
        print(f"pid {os.getpid()} listening on 127.0.0.1:{options.port}", flush=True)
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                connection.sendall(answer(app, environ_of(connection, options.port)))
                os._exit(0)  # which closes the connection
            connection.close()


if __name__ == "__main__":
    main()
