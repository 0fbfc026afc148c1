"""Many concurrent clients: all connect before the first of them sends its request."""

from __future__ import annotations

import errno
import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterable

from .exchange import READ_SIZE, describe
from .load_adjusted_clock import Patience
from .response_reader import ResponseReader, mask_date

CONNECTING = 3.0
"""Seconds after which connected clients no longer wait for the others.

Otherwise a server with a short backlog that serves one client at a time would wait for the request
of its first client, and that client for the connection of the last.
"""


STALL = 10.0
"""Seconds without an octet for any client after which the burst ends."""
BORNE = 0.2
"""Seconds by the clock after its connect, after which a server that is short of connections may
close one that has sent nothing yet: nothing is lost, and the client connects again, once (RFC 9112
section 9.5). All clients connect before the first one sends, which only takes so long on a busy
host; a client that connects again sends immediately."""


class Client:
    """One connection: connecting → waiting → receiving → over."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.unsent = memoryview(request)
        self.reader = ResponseReader(request.partition(b" ")[0])
        self.error = ""
        self.anew = False
        """Whether it has been turned away once."""
        self.open()

    def open(self) -> None:
        """Open a socket that is not connected yet. Raises OSError."""
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.connected = False
        self.since = 0.0
        """Monotonic time at which it began to connect."""

    def sent_away(self) -> bool:
        """Whether the server has closed the connection after it was silent for a while."""
        silent = len(self.unsent) == len(self.request)
        if self.anew or not silent or time.monotonic() - self.since < BORNE:
            return False
        try:
            return not self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def finish_connecting(self) -> None:
        """Read the result of the connect, when the socket is writable."""
        code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self.error = "connect: " + describe(OSError(code, ""))
        self.connected = not code

    def step(self, events: int) -> bool:
        """Send and receive as much as possible; True when there is nothing left to do."""
        try:
            if events & selectors.EVENT_WRITE and self.unsent:
                self.unsent = self.unsent[self.socket.send(self.unsent) :]
            if events & selectors.EVENT_READ:
                data = self.socket.recv(READ_SIZE)
                if data:
                    self.reader.feed(data)
                else:
                    self.reader.end()
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as problem:
            self.error = describe(problem) + (" within the response" if self.reader.buffer else "")
        self.error = self.error or self.reader.error
        return bool(self.error) or self.reader.done

    def give_up(self) -> None:
        """Record its state as an error at the deadline."""
        if not self.connected:
            self.error = self.error or "timed out: not connected"
        elif not self.reader.buffer:
            self.error = self.error or "timed out: no response"
        else:
            self.error = self.error or "timed out: within the response"


class Burst:
    """Runs the burst and counts distinct responses and errors."""

    def __init__(self, host: str, port: int, request: bytes, clients: int) -> None:
        self.address = (host, port)
        self.request = request
        self.count = clients
        self.together = 0
        """Connections that were open when the first request was sent; the maximum of all rounds."""
        self.responses: Counter[bytes] = Counter()
        self.errors: Counter[str] = Counter()
        self.seconds = 0.0
        self.longest = 0.0
        """Seconds of the longest round."""

    def run(self, deadline: float) -> None:
        """Run one round until the monotonic time ``deadline``; unfinished clients are errors."""
        started = time.monotonic()
        clients: list[Client] = []
        with selectors.DefaultSelector() as selector:
            try:
                self._connect(clients, selector, Patience(CONNECTING, deadline))
                self.together = max(self.together, sum(client.connected for client in clients))
                self._exchange(clients, selector, deadline)
            finally:
                for client in clients:
                    client.socket.close()
        took = time.monotonic() - started
        self.seconds += took
        self.longest = max(self.longest, took)

    def _connect(
        self, clients: list[Client], selector: selectors.BaseSelector, patience: Patience
    ) -> None:
        for _ in range(self.count):
            try:
                client = Client(self.request)
            except OSError as problem:
                self.errors["the probe itself has no socket: " + describe(problem)] += 1
                continue
            clients.append(client)
            self._begin(client, selector)
        while _connecting(clients) and (left := patience.left()):
            for key, _ in selector.select(left):
                client = key.data
                client.finish_connecting()
                if client.error:
                    self._close(client, selector)
                else:
                    selector.unregister(client.socket)

    def _begin(self, client: Client, selector: selectors.BaseSelector) -> None:
        """Start to connect a client; the selector reports the result."""
        client.since = time.monotonic()
        code = client.socket.connect_ex(self.address)
        selector.register(client.socket, selectors.EVENT_WRITE, client)
        if code not in (0, errno.EINPROGRESS):
            client.error = "connect: " + describe(OSError(code, ""))
            self._close(client, selector)

    def _exchange(
        self, clients: Iterable[Client], selector: selectors.BaseSelector, deadline: float
    ) -> None:
        for client in clients:
            if client.connected:
                selector.register(
                    client.socket, selectors.EVENT_WRITE | selectors.EVENT_READ, client
                )
        patience = Patience(STALL, deadline)
        while selector.get_map() and (left := patience.left()):
            ready = selector.select(left)
            if ready:
                patience = Patience(STALL, deadline)
            for key, events in ready:
                client = key.data
                if not client.connected:
                    client.finish_connecting()
                if not client.error and client.sent_away():
                    selector.unregister(client.socket)
                    client.socket.close()
                    client.anew = True
                    client.open()
                    self._begin(client, selector)
                    continue
                if client.error or (client.connected and client.step(events)):
                    self._close(client, selector)
                else:
                    sending = selectors.EVENT_WRITE if client.unsent else 0
                    selector.modify(client.socket, selectors.EVENT_READ | sending, client)
        for key in list(selector.get_map().values()):
            key.data.give_up()
            self._close(key.data, selector)

    def _close(self, client: Client, selector: selectors.BaseSelector) -> None:
        selector.unregister(client.socket)
        client.socket.close()
        if not client.error and client.reader.rest:
            client.error = "octets after the end of the response"
        if client.error:
            self.errors[client.error] += 1
        else:
            self.responses[mask_date(client.reader.raw)] += 1


def _connecting(clients: Iterable[Client]) -> bool:
    return any(not client.connected and not client.error for client in clients)
