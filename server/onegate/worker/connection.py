"""One client, from its first octet to the last one it is sent.

A connection knows its own socket and the :class:`Service` it belongs to, never another one. Its
states are in :mod:`onegate.worker.connection_state`.

Readiness is edge-triggered: what can be read is read until a read comes back short. What is sent,
is sent from the application's thread, to the socket or to a buffer, which the loop flushes; between
the two stands the service's lock. What still comes after the last response is read and dropped
before the descriptor is closed, so that no reset destroys the response (RFC 9112, 9.6).
"""

from __future__ import annotations

import contextlib
import logging
import re
import select
import socket
import struct
import time
from io import BytesIO
from select import poll
from socket import SocketType

from onegate.http1 import NEED_DATA, Data, Head, HeadParser, MessageLimits, ProtocolError
from onegate.http1.request_cache import REMEMBERED
from onegate.http1.request_reader import RequestReader
from onegate.http1.response_writer import CONTINUE
from onegate.logs import request_id
from onegate.logs.refusal_log import REQUEST_LINE
from onegate.worker.connection_state import BODY, CALL, CLOSED, HEAD, IDLE, LINGER, WRITE
from onegate.worker.input_buffer import InputBuffer
from onegate.worker.output_buffer import FLUSH_MOST, FileSegment, OutputBuffer, ResponseCutError
from onegate.wsgi import Call, ClientDisconnected, make_call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import Any, Final, Protocol

    from onegate.config.settings import Settings
    from onegate.logs.access_log import AccessLog
    from onegate.logs.refusal_log import Refusals
    from onegate.net.forwarded import Forwarded
    from onegate.net.tls import Transport
    from onegate.worker.connection_state import State
    from onegate.worker.response_counts import ResponseCounts
    from onegate.wsgi import EnvironFactory

    class Dispatcher(Protocol):
        """What a connection needs of a dispatcher; see :mod:`onegate.worker.call_dispatcher`."""

        quick: bool
        deferred: list[Call[Connection]]
        gathering: bool
        gathered: list[Transport]

        def dispatch(self, call: Call[Connection]) -> None:
            """Make a call; ``response_done`` follows, and ``resume`` if something is unread."""

    class Service(Protocol):
        """What a connection needs of its worker."""

        settings: Settings
        limits: MessageLimits
        spool: str | None
        now: float
        """Monotonic seconds, read once for each round of the loop."""

        @property
        def dispatcher(self) -> Dispatcher:
            """What makes its calls."""

        def watch(self, connection: Connection) -> None:
            """Report events of the connection from now on. Once."""

        def watch_again(self, connection: Connection) -> None:
            """Report once more what it is ready for, after it left something undone."""

        def idle(self) -> None:
            """A connection waits for a request and may be closed, for ``paused``."""

        def closed(self, connection: Connection) -> None:
            """Its descriptor is free again."""

        paused: bool
        """No client is accepted, for there is no room: an idle connection may have to go."""
        access: AccessLog | ResponseCounts | None
        refusals: Refusals

        @property
        def stopping(self) -> bool:
            """True if no connection is to be kept alive any more."""

        @property
        def lock(self) -> AbstractContextManager[object]:
            """Between the application's thread and the loop, which may both want to flush."""

        @property
        def forwarded(self) -> Forwarded:
            """Which peers are trusted proxies, and what is believed of them."""

        def beat(self) -> float:
            """The application goes on: a long response is not a call that is stuck. Returns the
            monotonic seconds of now."""

        def secure(self, sock: socket.SocketType) -> Transport:
            """Put TLS on the socket, if this service speaks it. Raises ``OSError``."""


log = logging.getLogger("onegate.error")

RECEIVE = 32768
"""Octets of one read."""
RECEIVE_CONTENT = 1 << 18
"""Octets of one read while a request's content is on the way."""
LINGER_SECONDS = 2.0
LAST_REQUEST_SECONDS = 1.0
"""For one more request on a connection of a worker that stops; it is the last one there."""
PROGRESS = 16384
"""Octets that renew the timeout of a body or of a response; fewer do not."""
TOO_SLOW = "the client accepted less than 16 KiB of it within --write-timeout"
NO_ROOM = 507
"""The status for content that the server has no disk for: its own fault, not the client's."""
DONTWAIT: Final = socket.MSG_DONTWAIT
_DONTWAIT_MORE: Final = socket.MSG_DONTWAIT | socket.MSG_MORE
_BEAT = 0.2
"""Seconds between two signs of life of a call that is held up by its client."""
_PAUSE = 0.005
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_GONE = select.EPOLLHUP | select.EPOLLERR
_EOF = select.EPOLLRDHUP | _GONE
_READABLE = select.EPOLLIN | _EOF
_USUAL = select.EPOLLIN | select.EPOLLOUT
"""A request has come, and a response can be sent."""
_NO_FIELDS: Final[dict[str, Any]] = {}
"""Of a head whose fields have become the environ."""
_NO_PORT = "no port"
"""What is to be done with the environ of a request that came through a Unix socket."""


# Of a line that was refused: what a log may call its method and target. Invalid ones are worth
# logging.
_REQUEST_LINE = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) (.+?)(?: (HTTP/[0-9.]+))?")


class Connection:
    """The state machine of one client. See :class:`onegate.wsgi.handler.Output` for how a
    response is sent."""

    __slots__ = (
        "_awaits_proxy_header",
        "_body",
        "_call",
        "_can_cork",
        "_eof",
        "_head",
        "_head_complete_at",
        "_is_plain",
        "_is_streaming",
        "_out",
        "_reader",
        "_recall",
        "_service",
        "_since_progress",
        "call_started",
        "deadline",
        "environs",
        "fd",
        "forwards",
        "peer",
        "served",
        "sock",
        "state",
        "unread",
        "watched",
    )

    _head_complete_at: float
    """Monotonic seconds at which the head was complete; set only where there is an access log."""
    _call: Call[Connection] | None
    """The one whose response the client has not taken yet."""
    _head: Head | None
    """Of a request whose content is on the way."""
    _since_progress: int
    """Octets since the timeout was last renewed."""
    peer: tuple[str, str]
    """Address and port of the client, or of the proxy that speaks for it."""
    unread: bool
    """Whether something may have come that is to be read after the call."""
    _body: InputBuffer | None
    """The content that is on the way, or being read by the application."""
    _eof: bool
    _is_plain: bool
    """Whether a read that returns less than was requested has emptied the socket: not of TLS."""
    fd: int
    served: bool
    """Whether it has had a response."""
    state: State
    watched: bool
    """Whether the loop reports events to it."""
    _service: Service
    _can_cork: bool
    """Whether the kernel can hold the end of a response back: not of TLS, nor of AF_UNIX."""
    _out: OutputBuffer | None
    _is_streaming: bool
    """Whether something of this response was sent, and more is to follow."""
    call_started: float
    """Monotonic seconds at which the present call began, or was last seen to go on; ``inf`` while
    it waits for a thread."""
    deadline: float
    """Monotonic seconds by which the client must have moved; without meaning during a call."""
    sock: Transport

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
        self._awaits_proxy_header = service.settings.proxy_protocol and self.forwards
        """Whether a PROXY header has to come first; TLS begins behind it."""
        self.sock = sock if self._awaits_proxy_header else service.secure(sock)
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
        self._is_plain = self.sock is sock and not self._awaits_proxy_header
        self._can_cork = self._is_plain and bool(peer[0])
        self._is_streaming = False
        self.unread = False
        self.served = False
        self.state = IDLE
        self.deadline = service.now + service.settings.head_timeout
        self.watched = False

    # ── input ────────────────────────────────────────────────────────────────────────────────

    def ready(self, events: int) -> None:
        """Act on what epoll reported."""
        state = self.state
        if events == _USUAL and state is IDLE and self._is_plain:
            # What receive() does too, without its questions: a request like one before.
            try:
                octets = self.sock.recv(RECEIVE, DONTWAIT)
            except OSError:
                octets = b""
            recall = self._recall  # called as a method, it would be looked up the slow way
            if len(octets) <= REMEMBERED and (known := recall(octets)) is not None:
                self._respond_to_known(known)
            elif 0 < len(octets) < RECEIVE:
                self.unread = False
                self._received(octets)
            else:
                # There is more, or an end or an error, which the next read gives again.
                self.unread = True
                if octets:
                    self._received(octets)
                self.receive()
            return
        if events & _EOF:
            self._eof = True
        if state <= BODY:
            self._ready_for_request(events)
        elif state is CALL:
            self._ready_in_call(events)
        elif state is WRITE:
            # Tried even so: the report may be of what this descriptor was before.
            if events & (select.EPOLLOUT | _GONE):
                self._flush()
        elif state is LINGER:
            self._drain()

    def _ready_for_request(self, events: int) -> None:
        """A request is waited for, or on its way."""
        if events & _GONE and self._has_failed():
            self.close()  # a reset: no response would arrive, so no call is made for it
        elif events & _READABLE or not self._is_plain:
            # What comes later than the report has a report of its own.
            self.receive()

    def _ready_in_call(self, events: int) -> None:
        """The application is at work, in another thread."""
        if events & _READABLE:
            self.unread = True
        if events & select.EPOLLOUT and self._out:
            # The client takes more again. What is lost here, the buffer says to the application's
            # next block, or at the end.
            with self._service.lock, contextlib.suppress(OSError):
                if self._out.flush(self.sock, FLUSH_MOST) >= FLUSH_MOST:
                    self._service.watch_again(self)

    def _has_failed(self) -> bool:
        """Ask the socket itself: the report may be of what its descriptor was before."""
        return bool(self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def resume(self) -> None:
        """Go on after a call that was not made at once, if there is ``unread``."""
        if self.state is IDLE:
            self.advance()
            self.receive()

    def receive(self) -> None:
        """Read what is there, and go as far as it leads.

        Readiness is reported once, so it is read until a read shows that there is no more: it would
        block, or it returns less than was requested, where that means the same (``_is_plain``) and
        no end of file is known to follow. A call interrupts that; ``unread`` says if something may
        be left.
        """
        if self._awaits_proxy_header and not self._read_proxy_header():
            return
        drained = False
        while self.state <= BODY and not drained:
            count = RECEIVE if self._body is None else RECEIVE_CONTENT
            try:
                octets = self.sock.recv(count, DONTWAIT)
            except BlockingIOError:
                self.unread = False
                break
            except OSError as error:
                if not self._is_plain:
                    self._service.refusals.no_tls(self.peer, error)
                self.close()
                return
            if not octets:
                # Whatever was begun cannot be completed; the application is not called for it.
                self.close()
                return
            drained = len(octets) < count and self._is_plain and not self._eof
            self.unread = not drained
            if (
                self.state is IDLE
                and len(octets) <= REMEMBERED
                and (known := self._recall(octets)) is not None
            ):
                self._respond_to_known(known)
            else:
                self._received(octets)
        if not self.watched and self.state is not CLOSED:
            self._watch()

    def _received(self, octets: bytes) -> None:
        """Go as far as these octets lead."""
        head = self._reader.read_plain(octets) if self.state is IDLE else None
        if head is None:
            self._reader.receive(octets)
        else:
            try:
                self._head_received(head)
            except ProtocolError as error:
                self._refuse(error)
        if self.state <= BODY:
            self.advance()

    def _watch(self) -> None:
        """Have the loop report events from now on, if it does not yet."""
        if not self.watched:
            self.watched = True
            self._service.watch(self)

    def _read_proxy_header(self) -> bool:
        """Take the PROXY header off the front. False: there is nothing more to do for now."""
        from onegate.net import proxy_protocol  # noqa: PLC0415 - only with --proxy-protocol

        sock = self.sock
        assert isinstance(sock, SocketType)
        try:
            self.peer = proxy_protocol.take(sock, whole=self._eof) or self.peer
            self.sock = self._service.secure(sock)
        except BlockingIOError:
            self._watch()
            return False
        except proxy_protocol.ProxyProtocolError as error:
            self._awaits_proxy_header = False
            self._refuse(ProtocolError(400, str(error)))
            return True
        except (EOFError, OSError):
            self.close()
            return False
        self._awaits_proxy_header = False
        self._is_plain = self.sock is sock
        return True

    def advance(self) -> None:
        """Take events from the reader until it needs more octets or a call is under way."""
        try:
            while self.state <= BODY:
                event = self._reader.next_event()
                if type(event) is Head:
                    self._head_received(event)
                elif event is NEED_DATA:
                    self._need_data()
                    return
                else:
                    self._content_received(event)  # type: ignore[arg-type]  # Data is what is left
        except ProtocolError as error:
            self._refuse(error)

    def _need_data(self) -> None:
        service = self._service
        if self.state is IDLE and self._reader.begun:
            self.state = HEAD
            self.deadline = service.now + service.settings.head_timeout

    def _head_received(self, head: Head) -> None:
        """A head is complete."""
        if self._service.access is not None:
            self._head_complete_at = time.monotonic()
        if not head.chunked and not head.content_length:
            self._respond(head, None)
            return
        settings = self._service.settings
        if head.content_length <= settings.body_memory and (content := self._reader.take_content()):
            self._body = body = InputBuffer(settings.body_memory, self._service.spool, content)
            self._respond(head, body)
            return
        self._head = head
        self.state = BODY
        self.deadline = self._service.now + settings.body_timeout
        self._since_progress = 0
        self._body = InputBuffer(settings.body_memory, self._service.spool)
        if self._service.spool is None and head.content_length > settings.body_memory:
            raise ProtocolError(
                413, "content exceeds --body-memory, and there is no spool directory"
            )
        if head.expect_continue and not self._reader.pending:
            # The head is accepted and the content will be read (RFC 9110, 10.1.1).
            self.send(CONTINUE)

    def _content_received(self, data: Data) -> None:
        body = self._body
        assert body is not None
        body.add(data.content)
        if data.last:
            head, self._head = self._head, None
            assert head is not None
            self._respond(head, body)
            return
        self._since_progress += len(data.content)
        if self._since_progress >= PROGRESS:
            self._since_progress = 0
            self.deadline = self._service.now + self._service.settings.body_timeout

    # ── environ ──────────────────────────────────────────────────────────────────────────────

    def environ_so_far(self) -> dict[str, Any]:
        """The environ of a request that is not complete, as far as it has come, for the logs."""
        if self._head is not None:
            environ = self._head.fields
            self.environs.complete(self._head, environ, self.peer, BytesIO())
            if self.forwards:
                self._apply_forwarded(environ)
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

    def _respond(self, head: Head, body: InputBuffer | None) -> None:
        """A request is complete: call the application."""
        # The environ leads to the call (wsgi.early_hints), the call to the head. If the head led
        # back to the environ, only the garbage collector would free the three.
        environ, head.fields = head.fields, _NO_FIELDS
        if body is None:
            self.environs.complete(head, environ, self.peer, BytesIO())
        else:
            self.environs.complete(head, environ, self.peer, body.finish(), body.length)
        if self._reader.pending:
            self.unread = True
        if self.forwards:
            self._apply_forwarded(environ)
        self._call_application(head, environ)

    def _respond_to_known(self, head: Head) -> None:
        """A request without content whose very octets came before: what was made of them then,
        but for the client, is copied."""
        if self._service.access is not None:
            self._head_complete_at = time.monotonic()
        copy, proxied = head.ready or self._prepare_environ(head)
        environ = copy()
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = self.peer
        environ["wsgi.input"] = BytesIO()
        if proxied:
            if proxied is _NO_PORT:
                del environ["REMOTE_PORT"]
            elif self.forwards:
                self._apply_forwarded(environ)
        self._call_application(head, environ)

    def _prepare_environ(self, head: Head) -> tuple[Callable[[], dict[str, Any]], bool | str]:
        """What makes the environ of a head that is remembered, and whether ``_apply_forwarded`` has
        anything to do with it: of a Unix socket, mostly nothing but what ``_NO_PORT`` says."""
        environs, service = self.environs, self._service
        environ = environs.complete(head, head.fields.copy(), self.peer, None)
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

    def _apply_forwarded(self, environ: dict[str, Any]) -> None:
        """A trusted proxy has sent this request: what it says of the client holds."""
        self._service.forwarded.apply(environ)
        request_id.adopt(environ)
        if self.environs.unix:
            if not self.peer[1]:
                environ.pop("REMOTE_PORT", None)
            if environ["wsgi.url_scheme"] == "https":
                self.environs.port_of_https(environ)

    # ── the call ─────────────────────────────────────────────────────────────────────────────

    def _call_application(self, head: Head, environ: dict[str, Any]) -> None:
        """Have the application called."""
        service = self._service
        self.state = CALL
        self.call_started = service.now
        # What make_call() does too, without the price of a call.
        call: Call[Connection] = Call()
        call.out = self
        call.request = head
        call.environ = environ
        call.close = service.stopping or head.close
        # A new client is served before the next one is taken, whom another worker may serve.
        dispatcher = service.dispatcher
        if dispatcher.quick and self.watched:
            dispatcher.deferred.append(call)
        else:
            dispatcher.dispatch(call)

    def wait_for_thread(self) -> None:
        """The call is put off until a thread is free: that is not being stuck."""
        self.call_started = float("inf")

    def start_call(self) -> None:
        """A call that was put off is made now."""
        self.call_started = time.monotonic()

    def response_done(self, call: Call[Connection]) -> None:
        """The handler has returned: nothing is added to the response, of which the client may not
        have taken all. For the dispatcher."""
        service = self._service
        if self._body is not None:
            self._close_body()
        self._is_streaming = False
        if service.access is not None:
            self._write_access_log(service.access, call)
        # No circle through the environ: it can go when the application lets go of it.
        call.environ = None
        if self.state is CLOSED:
            return  # the worker had no more time
        if self._out:
            self._call = call
            if self._out.failure is not None:
                self._response_lost(self._out.failure)
                return
            self.state = WRITE
            self.deadline = service.now + service.settings.write_timeout
            self._since_progress = 0
            if self.watched:
                service.watch_again(self)
            else:
                self._watch()
            return
        if call.close or service.paused:
            self._response_sent(call)
            return
        # What _response_sent() does too, without the price of a call.
        self.state = IDLE
        self.served = True
        self.deadline = service.now + service.settings.keepalive

    def _write_access_log(self, access: AccessLog | ResponseCounts, call: Call[Connection]) -> None:
        assert call.environ is not None
        seconds = time.monotonic() - self._head_complete_at
        access(call.environ, call.status, call.fields, call.octets, seconds)

    def _response_sent(self, call: Call[Connection]) -> None:
        """The whole response is with the kernel: go on with what comes next on this connection."""
        service = self._service
        if not call.close:
            self.state = IDLE
            self.served = True
            self.deadline = service.now + service.settings.keepalive
            if service.paused:
                service.idle()
        elif call.cut:
            self.reset()
        elif call.request.close and not service.stopping:
            self.close()  # the client announced the end and sends no more
        else:
            self._linger()

    def _refuse(self, error: ProtocolError) -> None:
        """Respond to a request that is refused from its octets, and end the connection."""
        service = self._service
        self._close_body()
        environ = self.environ_so_far()
        what, own = str(error.status), error.status == NO_ROOM
        service.refusals.add()
        service.refusals(service.now, self.peer, environ, what, error.reason, error.detail, own=own)
        call = make_call(self, self._refused_head(error, environ), environ, close=True)
        self.state = CALL
        try:
            self.send(call.error(error.status))
        except ClientDisconnected:
            self.close()
            return
        self.response_done(call)

    def _refused_head(self, error: ProtocolError, environ: dict[str, Any]) -> Head:
        """Of a request that is refused, what its response and the logs need."""
        head = Head()
        head.target = environ.get("RAW_URI", "")
        head.minor = 1
        head.method = error.method
        head.close = False  # the end is ours: not one that the client has announced
        if self._head is None:
            self._head_complete_at = time.monotonic()
        else:
            head.method = self._head.method
            self._head = None
        return head

    def _flush(self) -> None:
        """Go on with a response that the client did not take at once."""
        out = self._out
        assert out is not None
        try:
            sent = out.flush(self.sock, FLUSH_MOST)
            self._since_progress += sent
        except BlockingIOError:
            return
        except ResponseCutError as error:
            self._cut_response(error)
            return
        except OSError:
            self.close()
            return
        if not out:
            call, self._call = self._call, None
            assert call is not None
            self._response_sent(call)
            self.resume()  # a pipelined request may be waiting
            return
        if self._since_progress >= PROGRESS:
            self._since_progress = 0
            self.deadline = self._service.now + self._service.settings.write_timeout
        if sent >= FLUSH_MOST:
            self._service.watch_again(self)

    def _response_lost(self, failure: OSError) -> None:
        """Something of the response was lost during its call, so that nothing can follow."""
        assert self._call is not None
        if isinstance(failure, (ResponseCutError, TimeoutError)) and not self._call.cut:
            self._cut_response(failure)
        else:
            self.reset()  # the call has said so, or the client knows

    def _cut_response(self, why: OSError) -> None:
        """End a response that cannot be sent to its end: the server's fault if there is no room for
        it, or its file became shorter."""
        service, call = self._service, self._call
        assert call is not None
        request = call.request
        environ = {
            "REQUEST_METHOD": request.method,
            "RAW_URI": request.target,
            "SERVER_PROTOCOL": f"HTTP/1.{request.minor}",
        }
        own = isinstance(why, ResponseCutError)
        what = f"{call.status} truncated,"
        service.refusals(service.now, self.peer, environ, what, str(why), own=own)
        self.reset()

    def expire(self, why: str = "the request did not arrive in time") -> None:
        """The deadline has passed. A request that was begun gets a 408 (RFC 9110, 15.5.9)."""
        if self.state in (HEAD, BODY):
            self._refuse(ProtocolError(408, why))
        elif self.state is WRITE:
            self._cut_response(TimeoutError(TOO_SLOW))
        elif self.state is not CALL:
            self.close()

    # ── the end ──────────────────────────────────────────────────────────────────────────────

    def close(self) -> None:
        """Give the descriptor back."""
        if self.state is CLOSED:
            return
        self.state = CLOSED
        if self._body is not None:
            self._close_body()
        if self._out is not None:
            self._out.close()
            self._out = None
        try:  # noqa: SIM105 - suppress() costs more than the system call
            self.sock.close()
        except OSError:
            pass
        self._service.closed(self)

    def reset(self) -> None:
        """Give the descriptor back so that the client sees an error."""
        if self.state is not CLOSED:
            with contextlib.suppress(OSError):
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self.close()

    def _close_body(self) -> None:
        """Give back what holds the request's content."""
        if self._body is not None:
            self._body.close()
            self._body = None

    def abandon(self) -> None:
        """End it although the application is at work for it, in another thread.

        That thread may be anywhere: within a system call on the socket, whose number must not
        become another file's meanwhile, or within OpenSSL. So the client is sent the end of the
        stream, and the process closes the rest when it exits.
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
        """Read and drop what still comes after the last response."""
        try:
            while octets := self.sock.recv(RECEIVE, DONTWAIT):
                if len(octets) < RECEIVE and self._is_plain and not self._eof:
                    self._watch()
                    return
        except BlockingIOError:
            self._watch()
            return
        except OSError:
            pass
        self.close()

    @property
    def is_idle(self) -> bool:
        """Whether it has had a response and waits for its next request."""
        return self.state is IDLE and self.served

    def waited(self) -> float:
        """Seconds since the client has moved its request forward, as far as that counts."""
        settings = self._service.settings
        granted = {HEAD: settings.head_timeout, BODY: settings.body_timeout}.get(
            self.state, settings.keepalive if self.served else settings.head_timeout
        )
        return granted - (self.deadline - self._service.now)

    def limit_idle(self) -> None:
        """The worker stops: a client that has nothing under way has a second to change that.

        Closed at once, a connection would take down the request that may be on the wire.
        """
        if self.state is IDLE:
            last = self._service.now - (self.waited() if self.served else 0.0)
            self.deadline = min(self.deadline, last + LAST_REQUEST_SECONDS)

    # ── output ───────────────────────────────────────────────────────────────────────────────

    def send(self, octets: bytes) -> None:
        """Send what the client takes, keep the rest; more of the response follows."""
        if self._is_streaming:
            self.call_started = self._service.beat()
        self._is_streaming = True
        self._send(octets, DONTWAIT)

    def send_last(self, octets: bytes, close: bool) -> None:
        """The same for the end of a response, and with ``close`` of the connection: while calls are
        quick it may wait a moment in the kernel for what follows, which sends it within 200 ms
        whatever we do (tcp(7), TCP_CORK)."""
        flags = DONTWAIT
        if self._can_cork and (dispatcher := self._service.dispatcher).quick:
            if close:  # to go in one segment with the end of the connection
                flags = _DONTWAIT_MORE
            elif dispatcher.gathering:
                dispatcher.gathered.append(self.sock)
                flags = _DONTWAIT_MORE
        self._send(octets, flags)

    def _send(self, octets: bytes, flags: int) -> None:
        """Send to the socket what it takes, unless something waits already; buffer the rest.

        Raises :class:`ClientDisconnected`.
        """
        if not self._out:
            try:
                count = self.sock.send(octets, flags)
            except BlockingIOError:
                count = 0
            except OSError as error:
                raise ClientDisconnected from error
            if count == len(octets):
                return
            octets = memoryview(octets)[count:]  # type: ignore[assignment]  # a view, not a copy
        out = self._output()
        try:
            with self._service.lock:
                rest = out.append(octets)
                with contextlib.suppress(BlockingIOError):
                    out.flush(self.sock)
            if rest:
                self._wait_for_client(out, rest)
        except ResponseCutError as error:
            raise ClientDisconnected(str(error)) from error
        except OSError as error:
            raise ClientDisconnected from error

    def send_file(self, descriptor: int, position: int, count: int) -> None:
        """Send part of a file without reading it. Raises :class:`ClientDisconnected`."""
        out = self._output()
        try:
            segment = FileSegment(descriptor, position, count, own=False)
            with self._service.lock:
                out.append_file(segment)
                with contextlib.suppress(BlockingIOError):
                    # Nothing follows, and the loop goes on with it.
                    out.flush(self.sock, FLUSH_MOST)
                out.keep(segment)
        except ResponseCutError as error:
            raise ClientDisconnected(str(error)) from error
        except OSError as error:
            raise ClientDisconnected from error

    def _output(self) -> OutputBuffer:
        if self._out is None:
            self._out = OutputBuffer(self._service.settings.response_memory, self._service.spool)
        return self._out

    def _wait_for_client(self, out: OutputBuffer, rest: memoryview) -> None:
        """Hold the application until there is room for the ``rest`` of its block.

        A client that takes :data:`PROGRESS` octets in each ``--write-timeout`` is waited for as
        long as it takes, and that is no call that is stuck; another one is given up. Raises
        :class:`ClientDisconnected` and ``OSError``.
        """
        service = self._service
        timeout = service.settings.write_timeout
        room = poll()
        room.register(self.sock, select.POLLOUT)
        since, taken = time.monotonic(), out.sent
        while rest:
            self.call_started = service.beat()
            room.poll(_BEAT * 1000)
            with service.lock:
                before = out.sent
                with contextlib.suppress(BlockingIOError):
                    out.flush(self.sock)
                rest = out.append(rest)
                if rest and not out:  # no memory either: as it is taken
                    with contextlib.suppress(BlockingIOError):
                        rest = out.send_through(self.sock, rest)
            if error := out.new_error():
                log.warning(
                    "cannot spool a response larger than --response-memory: %s;"
                    " the application waits for the client",
                    error.strerror,
                )
            now = time.monotonic()
            if out.sent - taken >= PROGRESS:
                since, taken = now, out.sent
            elif now - since > timeout:
                with service.lock:
                    out.fail(TimeoutError(TOO_SLOW))
                raise ClientDisconnected
            if out.sent == before:
                time.sleep(_PAUSE)  # the socket has room, and yet takes nothing: TLS may do so
