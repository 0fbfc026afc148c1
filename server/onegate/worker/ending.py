"""How a connection ends, and when it has waited too long.

What still comes after the last answer is read and dropped before the descriptor is given back, so
that no reset destroys the answer (RFC 9112, 9.6).
"""

from __future__ import annotations

import contextlib
import socket
import struct

from onegate.worker.connection_state import BODY, CLOSED, HEAD, IDLE, LINGER, State
from onegate.worker.sender import DONTWAIT, Sender

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.worker.request_body import Body

RECEIVE = 32768
"""Octets asked for in one read."""
LINGER_SECONDS = 2.0
LAST_REQUEST_SECONDS = 1.0
"""For one more request on a connection of a worker that stops; it is the last one there."""
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Ending(Sender):
    """The end of a :class:`onegate.worker.connection.Connection`, and its time-outs."""

    __slots__ = ("_body", "_eof", "_plain", "fd", "served", "state", "watched")

    _body: Body | None
    """The content that is on the way, or being read by the application."""
    _eof: bool
    _plain: bool
    """Whether a read that brings less than was asked for has emptied the socket: not of TLS."""
    fd: int
    served: bool
    """Whether it has had an answer."""
    state: State
    watched: bool
    """Whether the loop tells it of events."""

    def close(self, *, reset: bool = False) -> None:
        """Give the descriptor back; with ``reset`` so that the client sees an error."""
        if self.state is CLOSED:
            return
        self.state = CLOSED
        if self._body is not None:
            self._body.close()
            self._body = None
        if self._out is not None:
            self._out.close()
            self._out = None
        try:
            if reset:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self.sock.close()
        except OSError:
            pass
        self._service.closed(self)

    def abandon(self) -> None:
        """Let go of it although the application is at work for it, in another thread.

        That thread may be anywhere: within a system call on the socket, whose number must not
        become another file's meanwhile, or within OpenSSL. So the client is told the end, and the
        rest goes with the process.
        """
        self.state = CLOSED
        with contextlib.suppress(OSError):
            if isinstance(self.sock, socket.SocketType):
                self.sock.shutdown(socket.SHUT_RDWR)
            else:
                self.sock.abort()
        self._service.closed(self)

    def _linger(self) -> None:
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.close()
            return
        self.state = LINGER
        self.deadline = self._service.now + LINGER_SECONDS
        self._drain()

    def _drain(self) -> None:
        """Read and drop what still comes after the last answer."""
        try:
            while octets := self.sock.recv(RECEIVE, DONTWAIT):
                if len(octets) < RECEIVE and self._plain and not self._eof:
                    if not self.watched:
                        self._service.watch(self)
                    return
        except BlockingIOError:
            if not self.watched:
                self._service.watch(self)
            return
        except OSError:
            pass
        self.close()

    @property
    def is_idle(self) -> bool:
        """Whether it has had an answer and waits for its next request."""
        return self.state is IDLE and self.served

    def waited(self) -> float:
        """Seconds since the client has moved its request forward, as far as that counts."""
        settings = self._service.settings
        granted = {HEAD: settings.head_timeout, BODY: settings.body_timeout}.get(
            self.state, settings.keepalive if self.served else settings.head_timeout
        )
        return granted - (self.deadline - self._service.now)

    def hurry(self) -> None:
        """The worker stops: a client that has nothing under way has a second to change that.

        Closed at once, a connection would take down the request that may be on the wire.
        """
        if self.state is IDLE:
            last = self._service.now - (self.waited() if self.served else 0.0)
            self.deadline = min(self.deadline, last + LAST_REQUEST_SECONDS)
