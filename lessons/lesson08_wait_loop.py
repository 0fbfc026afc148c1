"""Lesson 8: waitpid(-1, WNOHANG) in a loop. However few the signals, no child is left."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello, World!\n"


def reap(_signal: int, _frame: object) -> None:
    """Handler of SIGCHLD: take the status of every child that has ended, then stop asking."""
    while True:
        try:
            pid, _status = os.waitpid(-1, os.WNOHANG)  # any child; do not wait for one
        except ChildProcessError:
            return  # there is no child at all
        if pid == 0:
            return  # there are some, but they all still run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8008)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGCHLD, reap)

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", options.port))
        listener.listen(1024)
        print(f"pid {os.getpid()} listening on 127.0.0.1:{options.port}", flush=True)
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                connection.recv(1024)
                connection.sendall(ANSWER)
                connection.close()
                os._exit(0)
            connection.close()


if __name__ == "__main__":
    main()
