"""Runs a scenario: steps on one or several connections; records all events with their time.

Nothing is evaluated here and no octet is changed. No step waits for a fixed time: each ends when it
has received what it waits for, or the connection has ended, or after ``within`` load-adjusted
seconds, which is reported as an event ``timeout``. ``quiet`` is the exception, because silence
takes time to observe.
"""

from __future__ import annotations

import base64
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

from . import load_adjusted_clock
from .accept_queue_pacing import Pacing
from .exchange import describe
from .load_adjusted_clock import Patience
from .multi_connection_steps import (
    POLLING,
    Connection,
    connect_all,
    fetch_all,
    poll,
    refused,
    trickle,
    watch,
)
from .response_reader import ResponseReader

LARGEST = 16 * 1024 * 1024
"""Maximum octets to read from a connection."""
MOST = 5
"""Maximum number of times that the timeout of a response is restarted."""
STUCK = 6.0
"""Seconds without an accept, after which a server is considered stuck: longer than any step in
which a scenario may block a server's only thread."""
REFUSED = b"connect: ECONNREFUSED"
CONCURRENT = frozenset({"connect", "fetch", "trickle", "all_ended", "poll", "refused"})
"""Steps that are not about one connection of the scenario."""
RESPONDED = frozenset({"responses", "end"})
"""Steps after which a connection is closed, unless a later step uses it."""


class ScenarioRun:
    """Runs one scenario. ``events``: time, connection, kind of event, octets."""

    def __init__(
        self,
        host: str,
        port: int,
        steps: list[dict[str, Any]],
        pacing: Pacing | None = None,
        patience: float = 0.0,
    ) -> None:
        """``pacing``: shared by all concurrent scenarios. ``patience``: seconds to wait for the
        first connection while the port refuses."""
        self.address = (host, port)
        self.pacing = pacing or Pacing(port, STUCK)
        self.patience = patience
        self.steps = steps
        self.events: list[tuple[float, str, str, bytes]] = []
        self.connections: dict[str, Connection] = {}
        self.started = 0.0
        self.deadline = float("inf")
        self.over = threading.Event()
        self.concurrent: list[threading.Thread] = []
        """Background work until all steps are done."""

    def run(self, deadline: float) -> None:
        """Run all steps, none of them beyond the monotonic time ``deadline``."""
        self.started, self.deadline = time.monotonic(), deadline
        last = {str(step["on"]): number for number, step in enumerate(self.steps)}
        last |= {name: number for number, step in enumerate(self.steps) for name in step["among"]}
        try:
            for number, step in enumerate(self.steps):
                self._take(step, float(step["within"]))
                if step["do"] in RESPONDED and last[str(step["on"])] == number:
                    self._close(str(step["on"]))
        finally:
            self.over.set()
            for each in self.concurrent:
                each.join()
            for connection in self.connections.values():
                connection.socket.close()

    def _close(self, on: str) -> None:
        """Close the client's side of a connection on which nothing more is expected.

        Some servers do not respond to others until the client has closed.
        """
        if on in self.connections:
            self.connections[on].socket.close()
            self.connections[on].ended = self.connections[on].ended or "closed"

    def _report(self, on: str, what: str, data: bytes = b"") -> None:
        self.events.append((time.monotonic() - self.started, on, what, data))

    def _take(self, step: dict[str, Any], within: float) -> None:
        if step["do"] in CONCURRENT:
            self._take_concurrent(step, within)
            return
        on = str(step["on"])
        connection = self.connections.get(on)
        if connection is None:
            try:
                if step["do"] == "called":
                    opened = _persist(self._connected_to_app, within)
                else:
                    seconds = 0.0 if self.events else self.patience
                    opened = _persist(lambda: self._connected(within), seconds)
                connection = self.connections[on] = Connection(opened)
            except OSError as problem:
                self._report(on, "error", f"connect: {describe(problem)}".encode())
                return
        patience = Patience(within, self.deadline)
        match step["do"]:
            case "called":
                self._report(on, "connected")
            case "send":
                self._send(connection, on, base64.b64decode(step["data"]), patience)
            case "responses":
                self._responses(connection, on, step["methods"], within)
            case "head":
                self._until(connection, on, patience)
            case "quiet":
                while self._receive(connection, on, patience):
                    patience = Patience(within, self.deadline)
            case "end":
                # By the clock: an end that is only due to the server's timeout does not count.
                patience.deadline = min(self.deadline, time.monotonic() + within)
                while self._receive(connection, on, patience):
                    pass
                if not connection.ended:
                    self._report(on, "timeout")
            case "late_reset":
                if connection.resets(patience.wall()):
                    self._report(on, "error", b"reset behind the end")
            case "half_close":
                self._half_close(connection, on)
            case "close" | "reset":
                if step["do"] == "reset":
                    linger = struct.pack("ii", 1, 0)
                    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                connection.socket.close()
                connection.ended = "closed"
                self._report(on, "closed")
            case other:
                raise ValueError(f"unknown step {other!r}")

    def _connected(self, within: float) -> socket.socket:
        with self.pacing.next():
            return socket.create_connection(
                self.address, timeout=Patience(within, self.deadline).wall()
            )

    def _connected_to_app(self) -> socket.socket:
        """A connection to the app, which is waiting for it (the suite ``shutdown``)."""
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            made.connect(meeting_place(self.address[1]))
        except OSError:
            made.close()
            raise
        return made

    def _take_concurrent(self, step: dict[str, Any], within: float) -> None:
        """A step that is not about one connection of the scenario."""
        until = min(self.deadline, time.monotonic() + load_adjusted_clock.wall(within))
        names, data, every = step["among"], base64.b64decode(step["data"]), float(step["every"])
        there = {name: self.connections[name] for name in names if name in self.connections}
        match step["do"]:
            case "connect":

                def begin(name: str, connection: Connection) -> None:
                    self.connections[name] = connection
                    self._send(connection, name, data, Patience(within, self.deadline))

                connect_all(self.address, names, until, self._report, begin)
            case "fetch":
                fetch_all(self.address, names, data, until - time.monotonic(), self._report)
            case "trickle":
                args = (there, data, every, self._report, self.over)
                self.concurrent.append(threading.Thread(target=trickle, args=args, daemon=True))
                self.concurrent[-1].start()
            case "all_ended":
                # By the clock, like the server's timeouts.
                watch(there, min(self.deadline, time.monotonic() + within), self._report)
            case "poll":
                [unlike] = there.values()
                known = bytes(unlike.received[: unlike.judged]).rpartition(b"\r\n\r\n")[2]
                poll(
                    self.address,
                    str(step["on"]),
                    data,
                    known,
                    every=every,
                    times=int(step["times"]),
                    until=until,
                    report=self._report,
                )
            case _:
                refused(self.address, str(step["on"]), until, self._report)

    def _send(self, connection: Connection, on: str, data: bytes, patience: Patience) -> None:
        if connection.ended == "closed" or not data:
            return
        self._report(on, "sent", data)
        connection.socket.settimeout(patience.wall())
        try:
            connection.socket.sendall(data)
        except TimeoutError:
            self._report(on, "timeout")
        except OSError as problem:
            # The server has already closed. What it sent before can still be read.
            self._report(on, "error", f"send: {describe(problem)}".encode())

    def _half_close(self, connection: Connection, on: str) -> None:
        try:
            connection.socket.shutdown(socket.SHUT_WR)
        except OSError as problem:
            self._report(on, "error", f"shutdown: {describe(problem)}".encode())
        else:
            self._report(on, "shut")

    def _responses(
        self, connection: Connection, on: str, methods: list[str], within: float
    ) -> None:
        """Read one complete final response for each method, framed by RFC 9112 section 6.3.

        The timeout restarts with every octet, so that a client that had to wait for a busy server
        has as much time for the rest as any other.
        """
        patience = Patience(within, self.deadline)
        latest = patience.until + MOST * within
        for method in methods:
            reader = ResponseReader(method.encode("latin-1"))
            reader.feed(bytes(connection.received[connection.judged :]))
            while not reader.over:
                before = len(connection.received)
                if not self._receive(connection, on, patience):
                    if not connection.ended:
                        self._report(on, "timeout")
                        return
                    reader.end()
                    break
                patience.until = min(latest, load_adjusted_clock.now() + within)
                reader.feed(bytes(connection.received[before:]))
            if reader.error:
                return
            connection.judged += len(reader.raw)

    def _until(self, connection: Connection, on: str, patience: Patience) -> None:
        """Read one head, interim or final."""
        while (end := connection.received.find(b"\r\n\r\n", connection.judged)) < 0:
            if not self._receive(connection, on, patience):
                if not connection.ended:
                    self._report(on, "timeout")
                return
        connection.judged = end + 4

    def _receive(self, connection: Connection, on: str, patience: Patience) -> bool:
        """Receive more octets; False if there were none in time, or none can follow."""
        while not connection.ended and len(connection.received) <= LARGEST:
            if not (left := patience.left()):
                return False
            connection.socket.settimeout(left)
            if connection.receive(on, self._report):
                return True
        return False

    def never_connected(self) -> bool:
        """Whether the port refused from the first step on."""
        return bool(self.events) and all(
            what == "error" and data == REFUSED for _, _, what, data in self.events
        )

    def timed_out(self) -> bool:
        """Whether a step received less than it waited for."""
        return any(what == "timeout" for _, _, what, _ in self.events)

    def unanswered(self) -> bool:
        """Whether a connection failed, or there was no response to what was last sent on it."""
        silent = dict.fromkeys(self.connections, False)
        for _, on, what, _ in self.events:
            if what == "error":
                return True
            if what in ("sent", "received"):
                silent[on] = what == "sent"
        return any(what == "timeout" and silent[on] for _, on, what, _ in self.events)

    def late(self) -> bool:
        """Whether something arrived after a timeout; without others, it may have been in time."""
        in_vain = set()
        for _, on, what, _ in self.events:
            if what == "timeout":
                in_vain.add(on)
            elif what == "received" and on in in_vain:
                return True
        return False


def meeting_place(port: int) -> str:
    """The address where the app of the suite ``shutdown`` at ``port`` waits for its client: an
    abstract Unix socket, which is reachable in the whole network namespace."""
    return f"\0wsgi-matrix-{port}"


def _persist(connect: Callable[[], socket.socket], seconds: float) -> socket.socket:
    """Connect; retry for ``seconds`` while it is refused."""
    patience = Patience(seconds)
    while True:
        try:
            return connect()
        except ConnectionRefusedError:
            if not patience.left():
                raise
        time.sleep(POLLING)
