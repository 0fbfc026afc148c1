"""Lesson 5: forgetting to close. As lesson 4, but the parent keeps every connection."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello, World!\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8005)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    kept: list[socket.socket] = []  # Python closes a socket that nobody refers to; we do refer

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
                connection.close()  # its own descriptor; the parent's still holds the connection
                os._exit(0)
            kept.append(connection)  # forgotten: connection.close()


if __name__ == "__main__":
    main()
