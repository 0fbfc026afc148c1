"""Lesson 3: one at a time. The answer takes a while, and whoever comes second waits."""

from __future__ import annotations

import argparse
import signal
import socket
import sys
import time

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello, World!\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8003)
    parser.add_argument("--delay", type=float, default=2.0, help="seconds that an answer takes")
    parser.add_argument("--backlog", type=int, default=5, help="what listen() is given")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", options.port))
        # How many connections the kernel may complete while we do not come to accept them.
        listener.listen(options.backlog)
        print(f"listening on 127.0.0.1:{options.port}", flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1024)
                time.sleep(options.delay)  # a slow database, a large report
                connection.sendall(ANSWER)


if __name__ == "__main__":
    main()
