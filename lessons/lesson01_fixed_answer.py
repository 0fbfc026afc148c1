"""Lesson 1: a fixed answer. One socket, one client at a time, one answer to whatever comes."""

from __future__ import annotations

import argparse
import signal
import socket
import sys

ANSWER = (
    b"HTTP/1.1 200 OK\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"\r\n"  # an empty line: the head is over, what follows is content
    b"Hello, World!\n"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8001)
    options = parser.parse_args()
    # The first process of a container has no default for this signal: it would not end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        # Without this, a port stays taken for a minute after a server that had clients.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", options.port))
        listener.listen(5)
        print(f"listening on 127.0.0.1:{options.port}", flush=True)
        while True:
            connection, (host, port) = listener.accept()
            with connection:
                said = connection.recv(1024)
                print(f"{host}:{port} said {said!r}", flush=True)
                connection.sendall(ANSWER)  # whatever it was


if __name__ == "__main__":
    main()
