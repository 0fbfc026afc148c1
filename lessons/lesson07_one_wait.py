"""Lesson 7: SIGCHLD and wait. The kernel tells that a child ended; one wait for each telling."""

from __future__ import annotations

import argparse
import errno
import os
import signal
import socket
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello, World!\n"


def reap(_signal: int, _frame: object) -> None:
    """Handler of SIGCHLD: take the status of one child."""
    os.wait()


def reap_as_before_python_3_5(_signal: int, _frame: object) -> None:
    """The same, and then what accept() did after any signal before PEP 475: give up."""
    os.wait()
    raise InterruptedError(errno.EINTR, os.strerror(errno.EINTR))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8007)
    parser.add_argument("--interrupt", action="store_true", help="accept() as it was before 3.5")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGCHLD, reap_as_before_python_3_5 if options.interrupt else reap)

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
