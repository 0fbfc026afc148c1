"""Requests at a fixed rate: PORT WHAT CONNECTIONS SECONDS RATE. Prints the same line as wrk.lua.

WHAT is the path of a request that is sent each time (``/hello``), or else the file of requests that
``bench/traffic.py`` has written; it is recognised by being there.

The moments are drawn in advance (a Poisson process, the same one for every server), and a latency
counts from the moment at which its request was due: a server that stalls does not slow the
questions down, so that its stalls are seen whole. The client never sleeps, for the same reason.
"""

from __future__ import annotations

import gc
import itertools
import json
import random
import re
import select
import socket
import sys
from collections import Counter, deque
from pathlib import Path
from time import perf_counter

from bench import traffic

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CLOSES = re.compile(rb"^HTTP/1.0|\r\nconnection: *close", re.IGNORECASE)
PATIENCE = 2.0  # seconds for the last answers


class Client:
    """One connection, opened anew whenever the server has closed it."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.socket: socket.socket | None = None
        self.buffer = b""
        self.due = 0.0
        self.waiting = False

    def send(self, due: float) -> None:
        """Ask; the answer's latency will count from ``due``."""
        self.due = due
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.load.port), timeout=2)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.load.epoll.register(self.socket, select.EPOLLIN)
            self.load.clients[self.socket.fileno()] = self
        self.socket.send(next(self.load.requests))
        self.waiting = True

    def close(self) -> None:
        """Forget the connection."""
        if self.socket is not None:
            del self.load.clients[self.socket.fileno()]
            self.socket.close()  # and the kernel takes it out of the epoll
        self.socket, self.buffer = None, b""

    def receive(self) -> int:
        """Return the status code of a whole answer, 0 while there is none yet.

        Raises ConnectionError if the server closed before that.
        """
        assert self.socket is not None
        block = self.socket.recv(65536)
        self.buffer += block
        head, blank, body = self.buffer.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if length:
            whole = len(body) >= int(length[1])
        elif b"chunked" in head:
            whole = body.endswith(b"0\r\n\r\n")
        else:
            whole = not block
        if not (blank and whole):
            if not block:
                raise ConnectionError
            return 0
        self.buffer = b""
        if not block or CLOSES.search(head):
            self.close()
        return int(head[9:12])


class Load:
    """All connections to one server."""

    def __init__(self, port: int, what: str, connections: int) -> None:
        self.port = port
        self.requests = itertools.cycle(
            traffic.read(Path(what))
            if Path(what).is_file()
            else [f"GET {what} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()]
        )
        self.epoll = select.epoll()
        self.clients: dict[int, Client] = {}  # by descriptor
        self.idle = deque(Client(self) for _ in range(connections))
        self.latencies: list[float] = []
        self.problems: Counter[str] = Counter()
        self.begin = 0.0

    def run(self, moments: deque[float], seconds: float) -> None:
        """Ask at each of ``moments``, as soon as a connection is free."""
        asked = len(moments)
        self.begin = perf_counter()
        done = 0
        while done < asked and (now := perf_counter() - self.begin) < seconds + PATIENCE:
            while moments and self.idle and moments[0] <= now:
                client = self.idle.popleft()
                try:
                    client.send(moments.popleft())
                except OSError:
                    self.fail(client, "connect")
                    done += 1
            for descriptor, _ in self.epoll.poll(0):
                done += self.receive(self.clients[descriptor])
        if done < asked:
            self.problems["unanswered"] = asked - done

    def fail(self, client: Client, kind: str) -> None:
        """A request got no answer."""
        self.problems[kind] += 1
        client.close()
        client.waiting = False
        self.idle.append(client)

    def receive(self, client: Client) -> bool:
        """Read what came; return whether that was the end of a request, good or bad."""
        try:
            status = client.receive()
        except OSError:
            if client.waiting:
                self.fail(client, "read")
                return True
            client.close()  # between two requests, as a server may
            return False
        if not status:
            return False
        self.latencies.append(perf_counter() - self.begin - client.due)
        self.problems.update(["status"] if status != 200 else [])
        client.waiting = False
        self.idle.append(client)
        return True


def main(port: int, what: str, connections: int, seconds: int, rate: float) -> None:
    """Ask, and print what came."""
    draw, moment = random.Random(1), 0.0  # noqa: S311 - no secret
    moments: deque[float] = deque()
    while (moment := moment + draw.expovariate(rate)) < seconds:
        moments.append(moment)
    load = Load(port, what, connections)
    gc.disable()
    load.run(moments, seconds)
    elapsed = max(float(seconds), perf_counter() - load.begin)
    found = sorted(load.latencies) or [0.0]
    figures = {
        "duration": elapsed * 1e6,
        "cpu": 0.0,  # it never sleeps
        "requests": len(load.latencies),
        "p50": found[len(found) // 2] * 1e6,
        "p99": found[int(len(found) * 0.99)] * 1e6,
        "max": found[-1] * 1e6,
        "problems": load.problems,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
