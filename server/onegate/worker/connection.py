"""One client, from its first octet to the last one it is sent: the reading half.

    Connection   what comes: heads, content, what a proxy says of the client      (here)
    Answering    the application is called, its answer taken                      answering.py
    Ending       what still comes after the last answer; time-outs                ending.py
    Sender       to the socket, or to a buffer                                    sender.py

A connection knows its own socket and the :class:`Service` it belongs to, never another one.
Readiness is edge-triggered: what can be read is read until a read comes back short.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import time
from io import BytesIO
from socket import SocketType

from onegate.http1 import NEED_DATA, Data, Head, HeadParser, ProtocolError
from onegate.http1.request_parser import REMEMBERED
from onegate.http1.request_reader import RequestReader
from onegate.http1.response import CONTINUE
from onegate.logs import request_id
from onegate.logs.refusal_log import REQUEST_LINE
from onegate.worker.answering import Answering
from onegate.worker.connection_state import BODY, CALL, CLOSED, HEAD, IDLE, LINGER, WRITE
from onegate.worker.ending import RECEIVE
from onegate.worker.output_buffer import TURN
from onegate.worker.request_body import Body
from onegate.worker.sender import DONTWAIT, PROGRESS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from onegate.worker.service import Service
    from onegate.wsgi import EnvironFactory

RECEIVE_CONTENT = 1 << 18
"""Octets asked for in one read while a request's content is on the way."""
_GONE = select.EPOLLHUP | select.EPOLLERR
_EOF = select.EPOLLRDHUP | _GONE
_READABLE = select.EPOLLIN | _EOF
_USUAL = select.EPOLLIN | select.EPOLLOUT
"""A request has come, and an answer can be sent."""
_NO_PORT = "no port"
"""What is to be done with the environ of a request that came through a Unix socket."""


# Of a line that was refused: what a log may call its method and target. Invalid ones are what
# somebody looks for there.
_REQUEST_LINE = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) (.+?)(?: (HTTP/[0-9.]+))?")


class Connection(Answering):
    """The state machine of one client."""

    __slots__ = ("_preface", "_reader", "_recall", "environs", "forwards")

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
        self._head = None
        self._body = None
        self._call = None
        self._eof = False
        self._plain = self.sock is sock and not self._preface
        self._corks = self._plain and bool(peer[0])
        self._streams = False
        self.unread = False
        self.served = False
        self.state = IDLE
        self.deadline = service.now + service.settings.head_timeout
        self.watched = False

    # ── input ────────────────────────────────────────────────────────────────────────────────

    def ready(self, events: int) -> None:
        """Act on what epoll reported."""
        if events == _USUAL and self.state is IDLE and self._plain:
            # What receive() does too, without its questions: a request like one before.
            try:
                octets = self.sock.recv(RECEIVE, DONTWAIT)
            except OSError:
                octets = b""
            recall = self._recall  # called as a method, it would be looked up the slow way
            if len(octets) <= REMEMBERED and (known := recall(octets)) is not None:
                self._again(known)
            else:
                self.receive(octets)
            return
        if events & _EOF:
            self._eof = True
        if self.state is WRITE:
            # Tried even so: the report may be of what this descriptor was before.
            if events & (select.EPOLLOUT | _GONE):
                self._flush()
        elif self.state is LINGER:
            self._drain()
        elif self.state is not CALL:
            if events & _GONE and self.state <= BODY and self._has_failed():
                self.close()  # a reset: no answer would arrive, so no call is made for it
            elif events & _READABLE or not self._plain:
                # What comes later than the report has a report of its own.
                self.receive()
        elif events & select.EPOLLOUT and self._out:
            # The application is at work in another thread, and the client takes more again. What is
            # lost here, the buffer says to the application's next block, or at the end.
            with self._service.lock, contextlib.suppress(OSError):
                if self._out.flush(self.sock, TURN) >= TURN:
                    self._service.watch_again(self)
        if self.state is CALL and events & _READABLE:
            self.unread = True

    def _has_failed(self) -> bool:
        """Ask the socket itself: the report may be of what its descriptor was before."""
        return bool(self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def resume(self) -> None:
        """Go on after a call that was not made at once, if there is ``unread``."""
        if self.state is IDLE:
            self.advance()
            self.receive()

    def receive(self, octets: bytes = b"") -> None:
        """Read what is there, and go as far as it leads. ``octets``: what was read already."""
        if self._preface and not self._read_preface():
            return
        drained = False
        while self.state <= BODY and not drained:
            count = RECEIVE if self._body is None else RECEIVE_CONTENT
            try:
                octets = octets or self.sock.recv(count, DONTWAIT)
            except BlockingIOError:
                self.unread = False
                break
            except OSError as error:
                if not self._plain:
                    self._service.refusals.no_tls(self.peer, error)
                self.close()
                return
            if not octets:
                # Whatever was begun cannot be completed; the application is not called for it.
                self.close()
                return
            drained = len(octets) < count and self._plain and not self._eof
            self.unread = not drained
            if (
                self.state is IDLE
                and len(octets) <= REMEMBERED
                and (known := self._recall(octets)) is not None
            ):
                self._again(known)
            else:
                self._reader.receive(octets)
                self.advance()
            octets = b""
        if not self.watched and self.state is not CLOSED:
            self._service.watch(self)

    def _read_preface(self) -> bool:
        """Take the PROXY header off the front. False: there is nothing more to do for now."""
        from onegate.net import proxy_protocol  # noqa: PLC0415 - only with --proxy-protocol

        sock = self.sock
        assert isinstance(sock, SocketType)
        try:
            self.peer = proxy_protocol.take(sock, whole=self._eof) or self.peer
            self.sock = self._service.secure(sock)
        except BlockingIOError:
            if not self.watched:
                self._service.watch(self)
            return False
        except proxy_protocol.ProxyProtocolError as error:
            self._preface = False
            self._refuse(ProtocolError(400, str(error)))
            return True
        except (EOFError, OSError):
            self.close()
            return False
        self._preface = False
        self._plain = self.sock is sock
        return True

    def advance(self) -> None:
        """Take events from the reader until it needs more octets or an answer is under way."""
        try:
            while self.state <= BODY:
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
        if self.state is IDLE and self._reader.begun:
            self.state = HEAD
            self.deadline = service.now + service.settings.head_timeout

    def _begin(self, head: Head) -> None:
        """A head is complete."""
        if self._service.access is not None:
            self._began = time.monotonic()
        if not head.chunked and not head.content_length:
            self._answer(head, None)
            return
        self._head = head
        self.state = BODY
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
            head, self._head = self._head, None
            assert head is not None
            self._answer(head, body)
            return
        self._since_progress += len(data.content)
        if self._since_progress >= PROGRESS:
            self._since_progress = 0
            self.deadline = self._service.now + self._service.settings.body_timeout

    # ── answer ───────────────────────────────────────────────────────────────────────────────

    def known(self) -> dict[str, Any]:
        """The environ of a request that is not complete, as far as it has come, for the logs."""
        if self._head is not None:
            environ = self.environs.complete(self._head, self.peer, BytesIO(), 0)
            if self.forwards:
                self._believe(environ)
            return environ
        environ = {"REMOTE_ADDR": self.peer[0]}
        line = self._reader.request_line
        if match := _REQUEST_LINE.fullmatch(line):
            environ["REQUEST_METHOD"], environ["RAW_URI"] = match[1], match[2]
            if match[3]:
                environ["SERVER_PROTOCOL"] = match[3]
        elif line:
            environ[REQUEST_LINE] = line
        return environ

    def _answer(self, head: Head, body: Body | None) -> None:
        """A request is complete: call the application."""
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
        if proxied:
            if proxied is _NO_PORT:
                del environ["REMOTE_PORT"]
            elif self.forwards:
                self._believe(environ)
        self._run(head, environ)

    def _prepare(self, head: Head) -> tuple[Callable[[], dict[str, Any]], bool | str]:
        """What makes the environ of a head that is remembered, and whether ``_believe`` has
        anything to do with it: of a Unix socket, mostly nothing but what ``_NO_PORT`` says."""
        environs, service = self.environs, self._service
        environ = environs.prepare(head, head.fields.copy())
        proxied: bool | str = service.forwarded.concerns(environ) or request_id.FIELD in environ
        if environs.unix and not proxied:
            if service.settings.proxy_protocol:
                proxied = True  # then some clients have a port
            else:
                proxied = _NO_PORT
                if environ["wsgi.url_scheme"] == "https":
                    environs.port_of_https(environ)
        head.ready = ready = environ.copy, proxied
        return ready

    def _believe(self, environ: dict[str, Any]) -> None:
        """A trusted proxy has sent this request: what it says of the client holds."""
        self._service.forwarded.apply(environ)
        request_id.adopt(environ)
        if self.environs.unix:
            if not self.peer[1]:
                environ.pop("REMOTE_PORT", None)
            if environ["wsgi.url_scheme"] == "https":
                self.environs.port_of_https(environ)
