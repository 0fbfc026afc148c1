"""One client, from its first octet to the last one it is sent.

    state    meaning                                 leaves it by
    ───────  ──────────────────────────────────────  ─────────────────────────────────────────────
    IDLE     no octet of a request is here           octets → HEAD · EOF, time-out → CLOSED
    HEAD     part of a request's head is here        head → BODY or CALL · time-out → CLOSED
    BODY     its content is on the way               last of it → CALL · time-out → CLOSED
    CALL     the application is answering            answered → IDLE, WRITE or CLOSED
    WRITE    the client has not taken all of it      taken → IDLE, LINGER or CLOSED
    LINGER   sent and shut; what still comes is      EOF, time-out → CLOSED
             read and dropped, so that no reset
             destroys the answer (RFC 9112, 9.6)
    CLOSED   the descriptor is given back

A connection knows its own socket and the :class:`Service` it belongs to, never another one.
Readiness is edge-triggered: what can be read is read until a read comes back short.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from enum import IntEnum
from io import BytesIO

from onegate import request_id
from onegate.body import Body
from onegate.http1 import NEED_DATA, Data, Head, HeadParser, ProtocolError
from onegate.http1.head import REMEMBERED
from onegate.http1.reader import RequestReader
from onegate.http1.response import CONTINUE, error_response
from onegate.sender import DONTWAIT, Sender
from onegate.wsgi import Call, ClientGone, EnvironFactory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    from onegate.access import AccessLog
    from onegate.service import Service

RECEIVE = 32768
"""Octets asked for in one read, ..."""
RECEIVE_CONTENT = 1 << 18
"""... and while a request's content is on the way."""
PROGRESS = 16384
"""Octets that renew the time-out of a body or of an answer; fewer do not."""
LINGER_SECONDS = 2.0
LAST_REQUEST_SECONDS = 1.0
"""For one more request on a connection of a worker that stops; it is the last one there."""
_GONE = select.EPOLLHUP | select.EPOLLERR
_EOF = select.EPOLLRDHUP | _GONE
_READABLE = select.EPOLLIN | _EOF
_USUAL = select.EPOLLIN | select.EPOLLOUT
"""A request has come, and an answer can be sent."""
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class State(IntEnum):
    """See the table above."""

    IDLE = 0
    HEAD = 1
    BODY = 2
    CALL = 3
    WRITE = 4
    LINGER = 5
    CLOSED = 6


# Looking a member up on the class is slow on Python 3.11, and this is where it counts.
_IDLE: Final = State.IDLE
_HEAD: Final = State.HEAD
_BODY: Final = State.BODY
_CALL: Final = State.CALL
_WRITE: Final = State.WRITE
_LINGER: Final = State.LINGER
_CLOSED: Final = State.CLOSED


class Connection(Sender):
    """The state machine of one client."""

    __slots__ = (
        "_began",
        "_body",
        "_call",
        "_eof",
        "_head",
        "_plain",
        "_preface",
        "_reader",
        "_recall",
        "_since_progress",
        "environs",
        "fd",
        "forwards",
        "peer",
        "served",
        "state",
        "unread",
        "watched",
    )

    def __init__(
        self,
        service: Service,
        sock: socket.SocketType,
        peer: tuple[str, str],
        environs: EnvironFactory,
        parser: HeadParser,
    ) -> None:
        self._service = service
        self.forwards = service.forwarded.trusts(peer[0])
        self._preface = service.settings.proxy_protocol and self.forwards
        """Whether a PROXY header has to come first; TLS begins behind it."""
        self.sock = sock if self._preface else service.secure(sock)
        self.fd = self.sock.fileno()
        self.peer = peer
        self.environs = environs
        self._reader = RequestReader(parser, service.limits)
        self._recall = parser.recall
        self._out = None
        self._head: Head | None = None
        self._body: Body | None = None
        self._call: Call[Connection] | None = None
        self._eof = False
        # A read that brings less than was asked for has emptied a TCP socket, but not a TLS one.
        self._plain = self.sock is sock and not self._preface
        self._corks = self._plain and bool(peer[0])
        self._since_progress = 0
        self._streams = False
        self.unread = False
        """Whether something may have come that is to be read after the call."""
        self.served = False
        """Whether it has had an answer."""
        self.state = _IDLE
        self.deadline = service.now + service.settings.head_timeout
        self.watched = False

    # ── input ────────────────────────────────────────────────────────────────────────────────

    def ready(self, events: int) -> None:
        """Act on what epoll reported."""
        if events == _USUAL and self.state is _IDLE and self._plain:
            # What receive() does too, without its questions: a request like one before.
            try:
                octets = self.sock.recv(RECEIVE, DONTWAIT)
            except OSError:
                octets = b""
            if len(octets) <= REMEMBERED and (known := self._recall(octets)) is not None:
                self._again(known)
            else:
                self.receive(octets)
            return
        if events & _EOF:
            self._eof = True
        if self.state is _WRITE:
            # Tried even so: the report may be of what this descriptor was before.
            if events & (select.EPOLLOUT | _GONE):
                self._flush()
        elif self.state is _LINGER:
            self._drain()
        elif self.state is not _CALL:
            if events & _GONE and self.state <= _BODY and self._has_failed():
                self.close()  # a reset: no answer would arrive, so no call is made for it
            elif events & _READABLE or not self._plain:
                # What comes later than the report has a report of its own.
                self.receive()
        elif events & select.EPOLLOUT and self._out:
            # The application is at work in another thread, and the client takes more again.
            with self._service.lock, contextlib.suppress(OSError):
                self._out.flush(self.sock)
        if self.state is _CALL and events & _READABLE:
            self.unread = True

    def _has_failed(self) -> bool:
        """Ask the socket itself: the report may be of what its descriptor was before."""
        return bool(self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def resume(self) -> None:
        """Go on after a call that was not made at once, if there is ``unread``."""
        if self.state is _IDLE:
            self.advance()
            self.receive()

    def receive(self, octets: bytes = b"") -> None:
        """Read what is there, and go as far as it leads. ``octets``: what was read already."""
        if self._preface and not self._read_preface():
            return
        drained = False
        while self.state <= _BODY and not drained:
            count = RECEIVE if self._body is None else RECEIVE_CONTENT
            try:
                octets = octets or self.sock.recv(count, DONTWAIT)
            except BlockingIOError:
                self.unread = False
                break
            except OSError:
                self.close()
                return
            if not octets:
                # Whatever was begun cannot be completed; the application is not called for it.
                self.close()
                return
            drained = len(octets) < count and self._plain and not self._eof
            self.unread = not drained
            if (
                self.state is _IDLE
                and len(octets) <= REMEMBERED
                and (known := self._recall(octets)) is not None
            ):
                self._again(known)
            else:
                self._reader.receive(octets)
                self.advance()
            octets = b""
        if not self.watched and self.state is not _CLOSED:
            self._service.watch(self)

    def _read_preface(self) -> bool:
        """Take the PROXY header off the front. False: there is nothing more to do for now."""
        from onegate import proxy_protocol  # noqa: PLC0415 - only with --proxy-protocol

        sock = self.sock
        assert isinstance(sock, socket.SocketType)
        try:
            octets = sock.recv(proxy_protocol.MAX_HEADER, DONTWAIT | socket.MSG_PEEK)
            header = proxy_protocol.parse(octets) if octets else None
            if header is None and octets and not self._eof:
                raise BlockingIOError  # more of it has to come
            if header is None:
                sock.recv(len(octets), DONTWAIT)  # unread, it would make the end a reset
                self.close()
                return False
            client, length = header
            sock.recv(length)
            self.peer = client or self.peer
            self.sock = self._service.secure(sock)
        except BlockingIOError:
            if not self.watched:
                self._service.watch(self)
            return False
        except proxy_protocol.ProxyProtocolError as error:
            self._preface = False
            self._refuse(ProtocolError(400, str(error)))
            return True
        except OSError:
            self.close()
            return False
        self._preface = False
        self._plain = self.sock is sock
        return True

    def advance(self) -> None:
        """Take events from the reader until it needs more octets or an answer is under way."""
        try:
            while self.state <= _BODY:
                event = self._reader.next_event()
                if type(event) is Head:
                    self._begin(event)
                elif event is NEED_DATA:
                    self._need_data()
                    return
                else:
                    self._content(event)  # type: ignore[arg-type]  # Data is what is left
        except ProtocolError as error:
            self._refuse(error)

    def _need_data(self) -> None:
        service = self._service
        if self.state is _IDLE and self._reader.begun:
            self.state = _HEAD
            self.deadline = service.now + service.settings.head_timeout

    def _begin(self, head: Head) -> None:
        """A head is complete."""
        self._head = head
        if self._service.access is not None:
            self._began = time.monotonic()
        if not head.chunked and not head.content_length:
            self._answer(None)
            return
        self.state = _BODY
        settings = self._service.settings
        self.deadline = self._service.now + settings.body_timeout
        self._since_progress = 0
        self._body = Body(settings.body_memory, self._service.spool)
        if self._service.spool is None and head.content_length > settings.body_memory:
            raise ProtocolError(413, "content too large for memory, and no disk to spool to")
        if head.expect_continue and not self._reader.pending:
            # The head is accepted and the content will be read (RFC 9110, 10.1.1).
            self.send(CONTINUE)

    def _content(self, data: Data) -> None:
        body = self._body
        assert body is not None
        body.add(data.content)
        if data.last:
            self._answer(body)
            return
        self._since_progress += len(data.content)
        if self._since_progress >= PROGRESS:
            self._since_progress = 0
            self.deadline = self._service.now + self._service.settings.body_timeout

    # ── answer ───────────────────────────────────────────────────────────────────────────────

    def _answer(self, body: Body | None) -> None:
        """A request is complete: call the application."""
        head, self._head = self._head, None
        assert head is not None
        if body is None:
            environ = self.environs.complete(head, self.peer, BytesIO(), 0)
        else:
            environ = self.environs.complete(head, self.peer, body.finish(), body.length)
        if self._reader.pending:
            self.unread = True
        if self.forwards:
            self._believe(environ)
        self._run(head, environ)

    def _again(self, head: Head) -> None:
        """A request without content whose very octets came before: what was made of them then,
        but for the client, is copied."""
        if self._service.access is not None:
            self._began = time.monotonic()
        copy, proxied = head.ready or self._prepare(head)
        environ = copy()
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = self.peer
        environ["wsgi.input"] = BytesIO()
        if proxied and self.forwards:
            self._believe(environ)
        self._run(head, environ)

    def _prepare(self, head: Head) -> tuple[Callable[[], dict[str, Any]], bool]:
        """What makes the environ of a head that is remembered, and whether there is something in
        it that a trusted proxy may say."""
        environ = self.environs.prepare(head, head.fields.copy())
        proxied = self._service.forwarded.concerns(environ) or request_id.FIELD in environ
        head.ready = ready = environ.copy, proxied
        return ready

    def _believe(self, environ: dict[str, Any]) -> None:
        """A trusted proxy has sent this request: what it says of the client holds."""
        self._service.forwarded.apply(environ)
        request_id.adopt(environ)

    def _run(self, head: Head, environ: dict[str, Any]) -> None:
        """Have the application called."""
        service = self._service
        self.state = _CALL
        self.deadline = service.now  # when the call began, as long as it lasts
        call = Call(self, head, environ, service.stopping)
        # A new client is served before the next one is taken, whom another worker may serve.
        if service.quick and self.watched:
            service.asked.append(call)
        elif service.call(call):
            self.answered(call)

    def answered(self, call: Call[Connection]) -> None:
        """The application is done; what it said may not be taken yet."""
        service = self._service
        if self._body is not None:
            self._body.close()
            self._body = None
        self._streams = False
        if service.access is not None:
            self._write_access_log(service.access, call)
        # No circle through the environ: it can go when the application lets go of it.
        call.environ = None
        if self.state is _CLOSED:
            return  # the worker had no more time
        if self._out:
            self._call = call
            self.state = _WRITE
            self.deadline = service.now + service.settings.write_timeout
            self._since_progress = 0
            if not self.watched:
                service.watch(self)
            return
        self._sent(call)

    def _write_access_log(self, access: AccessLog, call: Call[Connection]) -> None:
        environ = call.environ or {"REMOTE_ADDR": self.peer[0]}
        access(environ, call.status, call.fields, call.octets, time.monotonic() - self._began)

    def _sent(self, call: Call[Connection]) -> None:
        """The answer is with the kernel, whole: what comes next on this connection?"""
        service = self._service
        if not call.close:
            self.state = _IDLE
            self.served = True
            self.deadline = service.now + service.settings.keepalive
            if service.paused:
                service.idle()
        elif call.cut:
            self.close(reset=True)
        elif call.request.close and not service.stopping:
            self.close()  # the client announced the end and sends no more
        else:
            self._linger()

    def _refuse(self, error: ProtocolError) -> None:
        """Answer a request that is refused from its bytes, and end the connection."""
        if self._body is not None:
            self._body.close()
            self._body = None
        head = Head()
        head.method = error.method
        head.close = False  # the end is ours: not one that the client has announced
        if self._head is None:
            self._began = time.monotonic()
        else:
            head.method = self._head.method
            self._head = None
        call = Call(self, head, None, True)
        self.state = _CALL
        octets = error_response(error.status, method=head.method)
        call.status, call.octets = error.status, len(octets.partition(b"\r\n\r\n")[2])
        try:
            self.send(octets)
        except ClientGone:
            self.close()
            return
        self.answered(call)

    # ── what the client did not take at once ────────────────────────────────────────────────

    def _flush(self) -> None:
        """Go on with an answer that the client did not take at once."""
        out = self._out
        assert out is not None
        try:
            self._since_progress += out.flush(self.sock)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        if not out:
            call, self._call = self._call, None
            assert call is not None
            self._sent(call)
            self.resume()  # a pipelined request may be waiting
        elif self._since_progress >= PROGRESS:
            self._since_progress = 0
            self.deadline = self._service.now + self._service.settings.write_timeout

    # ── end ──────────────────────────────────────────────────────────────────────────────────

    def _linger(self) -> None:
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.close()
            return
        self.state = _LINGER
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
        return self.state is _IDLE and self.served

    def waited(self) -> float:
        """Seconds since the client has moved its request forward, as far as that counts."""
        settings = self._service.settings
        granted = {_HEAD: settings.head_timeout, _BODY: settings.body_timeout}.get(
            self.state, settings.keepalive if self.served else settings.head_timeout
        )
        return granted - (self.deadline - self._service.now)

    def hurry(self) -> None:
        """The worker stops: a client that has nothing under way has a second to change that.

        Closed at once, a connection would take down the request that may be on the wire.
        """
        if self.state is _IDLE:
            last = self._service.now - (self.waited() if self.served else 0.0)
            self.deadline = min(self.deadline, last + LAST_REQUEST_SECONDS)

    def expire(self) -> None:
        """The deadline has passed. A request that was begun is told so (RFC 9110, 15.5.9)."""
        if self.state in (_HEAD, _BODY):
            self._refuse(ProtocolError(408, "the request did not arrive in time"))
        elif self.state is not _CALL:
            self.close()

    def close(self, *, reset: bool = False) -> None:
        """Give the descriptor back; with ``reset`` so that the client sees an error."""
        if self.state is _CLOSED:
            return
        self.state = _CLOSED
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
