"""A connection whose application is called, and what becomes of the answer."""

from __future__ import annotations

import time

from onegate.http1 import Head, ProtocolError
from onegate.http1.response import error_response
from onegate.worker.connection_state import BODY, CALL, CLOSED, HEAD, IDLE, WRITE
from onegate.worker.ending import Ending
from onegate.worker.output_buffer import TURN, ResponseCutError
from onegate.worker.sender import PROGRESS, TOO_SLOW
from onegate.wsgi import Call, ClientGone, make_call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from onegate.logs.access_log import AccessLog
    from onegate.worker.response_counts import ResponseCounts

NO_ROOM = 507
"""The status for content that the server has no disk for: its own fault, not the client's."""


class Answering(Ending):
    """The middle of a :class:`.connection.Connection`: from a request that is complete, or
    refused, to the last octet of its answer."""

    __slots__ = ("_began", "_call", "_head", "_since_progress", "peer", "unread")

    _began: float
    """Monotonic seconds at which the head was complete; set only where there is an access log."""
    _call: Call[Answering] | None
    """The one whose answer the client has not taken yet."""
    _head: Head | None
    """Of a request whose content is on the way."""
    _since_progress: int
    """Octets since the time-out was last renewed."""
    peer: tuple[str, str]
    """Address and port of the client, or of the proxy that speaks for it."""
    unread: bool
    """Whether something may have come that is to be read after the call."""

    def resume(self) -> None:
        """Go on with what came behind a request that is answered."""
        raise NotImplementedError

    def _run(self, head: Head, environ: dict[str, Any]) -> None:
        """Have the application called."""
        service = self._service
        self.state = CALL
        self.deadline = service.now  # when the call began, as long as it lasts
        # What make_call() does too, without the price of a call.
        call: Call[Answering] = Call()
        call.out = self
        call.request = head
        call.environ = environ
        call.close = service.stopping or head.close
        # A new client is served before the next one is taken, whom another worker may serve.
        if service.quick and self.watched:
            service.asked.append(call)
        elif service.call(call):
            self.answered(call)

    def answered(self, call: Call[Answering]) -> None:
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
        if self.state is CLOSED:
            return  # the worker had no more time
        if self._out:
            self._call = call
            if self._out.failure is not None:
                self._lost(self._out.failure)
                return
            self.state = WRITE
            self.deadline = service.now + service.settings.write_timeout
            self._since_progress = 0
            if self.watched:
                service.watch_again(self)
            else:
                service.watch(self)
            return
        if call.close or service.paused:
            self._sent(call)
            return
        # What _sent() does too, without the price of a call.
        self.state = IDLE
        self.served = True
        self.deadline = service.now + service.settings.keepalive

    def _write_access_log(self, access: AccessLog | ResponseCounts, call: Call[Answering]) -> None:
        assert call.environ is not None
        seconds = time.monotonic() - self._began
        access(call.environ, call.status, call.fields, call.octets, seconds)

    def _sent(self, call: Call[Answering]) -> None:
        """The answer is with the kernel, whole: what comes next on this connection?"""
        service = self._service
        if not call.close:
            self.state = IDLE
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

    def known(self) -> dict[str, Any]:
        """The environ of a request that is not complete, as far as it has come, for the logs."""
        raise NotImplementedError

    def _refuse(self, error: ProtocolError) -> None:
        """Answer a request that is refused from its bytes, and end the connection."""
        service = self._service
        if self._body is not None:
            self._body.close()
            self._body = None
        environ = self.known()
        what, own = str(error.status), error.status == NO_ROOM
        service.refusals.count += 1
        service.refusals(service.now, self.peer, environ, what, error.reason, error.detail, own=own)
        head = Head()
        head.target = environ.get("RAW_URI", "")
        head.minor = 1
        head.method = error.method
        head.close = False  # the end is ours: not one that the client has announced
        if self._head is None:
            self._began = time.monotonic()
        else:
            head.method = self._head.method
            self._head = None
        call = make_call(self, head, environ, True)
        self.state = CALL
        octets = error_response(error.status, method=head.method)
        call.status, call.octets = error.status, len(octets.partition(b"\r\n\r\n")[2])
        try:
            self.send(octets)
        except ClientGone:
            self.close()
            return
        self.answered(call)

    def _flush(self) -> None:
        """Go on with an answer that the client did not take at once."""
        out = self._out
        assert out is not None
        try:
            sent = out.flush(self.sock, TURN)
            self._since_progress += sent
        except BlockingIOError:
            return
        except ResponseCutError as error:
            self._cut(str(error), own=True)
            return
        except OSError:
            self.close()
            return
        if not out:
            call, self._call = self._call, None
            assert call is not None
            self._sent(call)
            self.resume()  # a pipelined request may be waiting
            return
        if self._since_progress >= PROGRESS:
            self._since_progress = 0
            self.deadline = self._service.now + self._service.settings.write_timeout
        if sent >= TURN:
            self._service.watch_again(self)

    def _lost(self, failure: OSError) -> None:
        """Something of the response was lost during its call, so that nothing can follow."""
        assert self._call is not None
        own = isinstance(failure, ResponseCutError)
        if (own or isinstance(failure, TimeoutError)) and not self._call.cut:
            self._cut(str(failure), own=own)
        else:
            self.close(reset=True)  # the call has said so, or the client knows

    def _cut(self, why: str, *, own: bool) -> None:
        """End a response that cannot be sent to its end."""
        service, call = self._service, self._call
        assert call is not None
        request = call.request
        environ = {
            "REQUEST_METHOD": request.method,
            "RAW_URI": request.target,
            "SERVER_PROTOCOL": f"HTTP/1.{request.minor}",
        }
        service.refusals(service.now, self.peer, environ, f"{call.status} cut", why, own=own)
        self.close(reset=True)

    def expire(self, why: str = "the request did not arrive in time") -> None:
        """The deadline has passed. A request that was begun is told so (RFC 9110, 15.5.9)."""
        if self.state in (HEAD, BODY):
            self._refuse(ProtocolError(408, why))
        elif self.state is WRITE:
            self._cut(TOO_SLOW, own=False)
        elif self.state is not CALL:
            self.close()
