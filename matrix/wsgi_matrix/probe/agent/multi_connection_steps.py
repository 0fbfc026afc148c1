"""Steps of a scenario with many concurrent connections: connect, trickle, watch, poll.

:mod:`wsgi_matrix.suites.conformance.steps` describes their purpose.
"""

from __future__ import annotations

import errno
import select
import selectors
import socket
import threading
import time
from collections.abc import Callable

from .accept_queue_pacing import Pacing
from .exchange import READ_SIZE, describe
from .response_reader import ResponseReader

Report = Callable[[str, str, bytes], None]
"""Adds an event to the scenario: connection, what, octets."""

POLLING = 0.02
"""Seconds between two connects to a port that is about to close; each returns at once."""
CONNECTING = 2.0
"""Seconds for one connection."""
STUCK = 0.5
"""Seconds without an accept, after which clients no longer wait for one."""
PENDING = 80
"""Maximum number of waiting requests: below the smallest backlog of a server here, 100."""


class Connection:
    """One connection of a scenario: what was received, and whether it has ended."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.received = bytearray()
        self.judged = 0
        """Number of octets that earlier steps have already waited for."""
        self.ended = ""

    def receive(self, on: str, report: Report) -> bool:
        """Receive within the socket's timeout; False if nothing was or can be received."""
        try:
            data = self.socket.recv(READ_SIZE)
        except TimeoutError:
            return False
        except OSError as problem:
            # A reset is an end like FIN: what counts is what was received before.
            self.ended = "reset" if isinstance(problem, ConnectionResetError) else "error"
            report(on, self.ended, describe(problem).encode())
            return False
        if not data:
            self.ended = "fin"
            report(on, "fin", b"")
            return False
        self.received += data
        report(on, "received", data)
        return True

    def resets(self, within: float) -> bool:
        """Whether a reset arrives after the end of the stream."""
        polled = select.poll()
        polled.register(self.socket, 0)  # an error is always reported
        return self.ended == "fin" and bool(polled.poll(within * 1000))


def connect_all(
    address: tuple[str, int],
    names: list[str],
    until: float,
    report: Report,
    begin: Callable[[str, Connection], None],
) -> None:
    """Connect all ``names`` and ``begin`` each; those not accepted in time are reported."""
    with selectors.DefaultSelector() as selector:
        pacing = Pacing(address[1], STUCK)
        for name in names:
            connecting = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            connecting.setblocking(False)
            with pacing.next(until):
                connecting.connect_ex(address)
            selector.register(connecting, selectors.EVENT_WRITE, name)
            _take_in(selector, 0, report, begin)
        while selector.get_map() and (left := until - time.monotonic()) > 0:
            _take_in(selector, left, report, begin)
        for key in list(selector.get_map().values()):
            report(key.data, "error", b"connect: timed out")
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()


def fetch_all(
    address: tuple[str, int], names: list[str], request: bytes, within: float, report: Report
) -> None:
    """Get a response for each of ``names``, which then close. Each has ``within`` seconds."""
    pending = []
    pacing = Pacing(address[1], STUCK)
    for name in names:
        with pacing.next():
            args = (address, name, request, time.monotonic() + within, report)
            pending.append(threading.Thread(target=_response, args=args))
            pending[-1].start()
    for each in pending:
        each.join()


def _take_in(
    selector: selectors.BaseSelector,
    seconds: float,
    report: Report,
    begin: Callable[[str, Connection], None],
) -> None:
    """Wait for connecting clients, and ``begin`` those that are connected."""
    for key, _ in selector.select(seconds):
        found = key.fileobj
        assert isinstance(found, socket.socket)
        selector.unregister(found)
        code = found.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            report(key.data, "error", f"connect: {describe(OSError(code, ''))}".encode())
            found.close()
        else:
            found.settimeout(CONNECTING)
            begin(key.data, Connection(found))


def trickle(
    connections: dict[str, Connection],
    data: bytes,
    every: float,
    report: Report,
    over: threading.Event,
) -> None:
    """Send ``data`` octet by octet on all ``connections``, until it or they are at their end."""
    left = dict(connections)
    for at in range(len(data)):
        if over.wait(every):
            return
        octet = data[at : at + 1]
        for name, connection in list(left.items()):
            report(name, "sent", octet)  # before sending, since the response may be immediate
            try:
                connection.socket.send(octet)
            except OSError:
                del left[name]  # the reader finds its end


def watch(connections: dict[str, Connection], until: float, report: Report) -> None:
    """Read all ``connections`` until the server has closed each."""
    with selectors.DefaultSelector() as selector:
        for name, connection in connections.items():
            if not connection.ended:
                selector.register(connection.socket, selectors.EVENT_READ, (name, connection))
        while selector.get_map() and (left := until - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                name, connection = key.data
                if not connection.receive(name, report) and connection.ended:
                    selector.unregister(connection.socket)
        for key in selector.get_map().values():
            report(key.data[0], "timeout", b"")


def poll(
    address: tuple[str, int],
    on: str,
    request: bytes,
    known: bytes,
    *,
    every: float,
    times: int,
    until: float,
    report: Report,
) -> None:
    """Send requests on new connections until ``times`` responses had other than ``known`` content.

    One starts ``every`` so many seconds, whether earlier ones have finished or not: a gap without
    service may be short, and a client that waits from before it does not notice it. Connections
    are named ``on`` with a number.
    """
    others: list[str] = []
    pending: list[threading.Thread] = []

    def one(name: str) -> None:
        if _response(address, name, request, until, report) not in (b"", known):
            others.append(name)

    while len(others) < times and time.monotonic() < until:
        began = time.monotonic()
        if sum(each.is_alive() for each in pending) < PENDING:
            pending.append(threading.Thread(target=one, args=(f"{on}{len(pending)}",), daemon=True))
            pending[-1].start()
        time.sleep(max(0.0, began + every - time.monotonic()))
    for each in pending:
        each.join()
    if len(others) < times:
        report(on, "timeout", b"")


def _response(
    address: tuple[str, int], name: str, request: bytes, until: float, report: Report
) -> bytes:
    """The content of one response; all events are reported."""
    left = max(until - time.monotonic(), POLLING)
    try:
        made = socket.create_connection(address, timeout=left)
    except OSError as problem:
        report(name, "error", f"connect: {describe(problem)}".encode())
        return b""
    with made:
        connection, reader = Connection(made), ResponseReader(request.partition(b" ")[0])
        report(name, "sent", request)
        try:
            made.sendall(request)
        except OSError as problem:
            report(name, "error", f"send: {describe(problem)}".encode())
        while not reader.over:
            made.settimeout(max(until - time.monotonic(), POLLING))
            before = len(connection.received)
            if not connection.receive(name, report):
                if connection.ended:
                    reader.end()
                else:
                    report(name, "timeout", b"")
                break
            reader.feed(bytes(connection.received[before:]))
        return reader.raw.rpartition(b"\r\n\r\n")[2] if reader.done else b""


def refused(address: tuple[str, int], on: str, until: float, report: Report) -> None:
    """Connect, and close again, until the port refuses."""
    while (left := until - time.monotonic()) > 0:
        try:
            socket.create_connection(address, timeout=left).close()
        except OSError as problem:
            if problem.errno == errno.ECONNREFUSED:
                report(on, "refused", b"")
                return
        time.sleep(POLLING)
    report(on, "timeout", b"")
