"""Lesson 4: a process for each connection. The parent accepts, a child answers."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import time

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello, World!\n"


def serve(connection: socket.socket, delay: float) -> None:
    """In the child: one answer."""
    connection.recv(1024)
    time.sleep(delay)
    connection.sendall(ANSWER)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8004)
    parser.add_argument("--delay", type=float, default=2.0, help="seconds that an answer takes")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", options.port))
        listener.listen(1024)
        print(f"pid {os.getpid()} listening on 127.0.0.1:{options.port}", flush=True)
        while True:
            connection, _ = listener.accept()
            pid = os.fork()  # from here on there are two of us, with the same descriptors
            if pid == 0:
                listener.close()  # the child does not accept
                print(f"pid {os.getpid()}, parent pid {os.getppid()}, answers", flush=True)
                serve(connection, options.delay)
                connection.close()  # its last descriptor: now the client sees the end (FIN)
                os._exit(0)  # end here, without the parent's way out
            connection.close()  # the parent does not answer


if __name__ == "__main__":
    main()
