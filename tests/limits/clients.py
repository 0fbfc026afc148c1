"""Crowds of clients, good and bad. Standard library only: containers run this file as it is.

    clients.py HOST PORT ask COUNT ROUNDS   COUNT clients at once, each with one request; again
    clients.py HOST PORT bad KIND COUNT     COUNT of a bad KIND, and a good one in between
    clients.py HOST PORT one METHOD PATH N  one request with N octets of content

prints one line of JSON.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import sys
import threading
from collections.abc import Iterator

ASK = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
BAD = {
    "half_heads": b"GET / HTTP/1.1\r\nHost: a\r\nX-Half: ",
    "trickling_bodies": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n",
    "silent": b"",
}
"""What each kind sends before it keeps everybody waiting."""
DEADLINE = 60.0

Address = tuple[str, int]


def ask(address: Address, count: int) -> tuple[int, list[str]]:
    """All at once: how many answers were right, and those that were not."""
    clients = []
    wrong: list[str] = []
    right = 0
    for number in range(count):
        sock = socket.create_connection(address, DEADLINE)
        clients.append(sock)
        with contextlib.suppress(OSError):  # found when reading
            sock.sendall(ASK % number)
    for number, sock in enumerate(clients):
        with sock:
            try:
                content = answer(sock)
            except OSError as error:
                wrong.append(f"{number}: {error}")
                continue
        if content == b"/%d" % number:
            right += 1
        else:
            wrong.append(f"{number}: {content!r}")
    return right, wrong


def answer(sock: socket.socket) -> bytes:
    """The content of an answer that is 200 and has a Content-Length. Raises ``OSError``."""
    octets = b""
    while True:
        head, end, content = octets.partition(b"\r\n\r\n")
        if end:
            _, found, rest = head.partition(b"\r\nContent-Length: ")
            if not found or not head.startswith(b"HTTP/1.1 200 "):
                raise OSError(f"not as due: {octets!r}")
            if len(content) >= int(rest.partition(b"\r\n")[0]):
                return content
        more = sock.recv(65536)
        if not more:
            raise OSError(f"closed after {octets!r}")
        octets += more


@contextlib.contextmanager
def crowd(address: Address, kind: str, count: int) -> Iterator[list[socket.socket]]:
    """So many clients of a bad kind, as long as the block runs."""
    clients = []
    over = threading.Event()
    for _ in range(count):
        sock = socket.create_connection(address, DEADLINE)
        sock.setblocking(False)
        clients.append(sock)
        with contextlib.suppress(OSError):
            sock.send(BAD[kind])
    thread = threading.Thread(target=trickle, args=(clients, over), daemon=True)
    if kind == "trickling_bodies":
        thread.start()
    try:
        yield clients
    finally:
        over.set()
        if thread.ident:
            thread.join()
        for sock in clients:
            sock.close()


def trickle(clients: list[socket.socket], over: threading.Event) -> None:
    """An octet from each, now and then."""
    while not over.wait(0.3):
        for sock in clients:
            with contextlib.suppress(OSError):
                sock.send(b"x")


def bad(address: Address, kind: str, count: int) -> dict[str, object]:
    """Five good clients are answered, one after another, in a crowd; how many of it had to go."""
    with crowd(address, kind, count) as clients:
        for number in range(5):
            with socket.create_connection(address, DEADLINE) as sock:
                sock.sendall(ASK % number)
                content = answer(sock)
            if content != b"/%d" % number:
                raise OSError(f"wrong answer {content!r}")
        poll = select.poll()
        for sock in clients:
            poll.register(sock, select.POLLIN)
        gone = len(poll.poll(0))
    return {"turned_away": gone}


def one(address: Address, method: str, path: str, length: int) -> dict[str, object]:
    """The first line of its answer, empty if there is none."""
    head = f"{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n"
    octets = b""
    with socket.create_connection(address, DEADLINE) as sock, contextlib.suppress(OSError):
        sock.sendall(head.encode())
        while b"\r\n" not in octets and (more := sock.recv(4096)):
            octets += more
    return {"line": octets.partition(b"\r\n")[0].decode()}


if __name__ == "__main__":
    host, port, action, *rest = sys.argv[1:]
    if action == "ask":
        right, wrong = 0, []
        for _ in range(int(rest[1])):
            told = ask((host, int(port)), int(rest[0]))
            right += told[0]
            wrong += told[1]
        print(json.dumps({"right": right, "wrong": wrong}))
    elif action == "one":
        print(json.dumps(one((host, int(port)), rest[0], rest[1], int(rest[2]))))
    else:
        print(json.dumps(bad((host, int(port)), rest[0], int(rest[1]))))
