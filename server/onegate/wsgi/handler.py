"""One call of the application, from the environ to the last octet of its response (PEP 3333).

    app(environ, start_response) ─► iterable ─► blocks ─► head + content ─► out
                                        └──────────────── close() in every case

The head is sent with the first block that is not empty, or at the end. Every block is handed to
the output before the next one is requested. What the application does wrong ends in a clean 500
while nothing was sent, and in a connection that is visibly reset afterwards.
"""

from __future__ import annotations

import _thread
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType

from onegate.http1 import Head
from onegate.http1.response_cache import response_head
from onegate.http1.response_validation import ResponseHead
from onegate.http1.response_writer import (
    BY_LENGTH,
    CHUNKED,
    LAST_CHUNK,
    NO_CONTENT,
    Framing,
    chunk,
    error_response,
    frame,
    frame_whole,
    interim_response,
)
from onegate.wsgi.file_wrapper import FileWrapper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Generic, Protocol, TypeVar

    class Output(Protocol):
        """Where the response goes. All methods raise :class:`ClientDisconnected`."""

        def send(self, octets: bytes) -> None:
            """Send at once as much as the client takes, and keep the rest to be sent in order."""

        def send_last(self, octets: bytes, close: bool) -> None:
            """The same, when nothing of this response follows. ``close``: the connection ends with
            it."""

        def send_file(self, descriptor: int, position: int, count: int) -> None:
            """The same for ``count`` octets of a regular file from ``position`` on."""

    OutputT = TypeVar("OutputT", bound=Output)
else:
    Generic, OutputT = {None: object}, None  # a parameter for type checkers alone


log = logging.getLogger("onegate.error")


class Counter:
    """How often something rare has happened since the last :meth:`take`, in any thread."""

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()
        self._count = 0

    def add(self) -> None:
        """It has happened once more."""
        with self._lock:
            self._count += 1

    def take(self) -> int:
        """The number, which begins at 0 again."""
        with self._lock:
            count, self._count = self._count, 0
            return count


refused_heads = Counter()
"""Heads of responses in this process that were refused for what the application put in them."""

_time = time.time
_COPY = 65536
"""Octets that are rather copied behind the head than sent by a system call of their own."""

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


class ClientDisconnected(Exception):  # noqa: N818 - an event, not an error
    """The client can no longer be reached; nobody is left to receive a response.

    With an argument it is not the client's doing: why the rest of the response cannot be sent.
    """


class Call(Generic[OutputT]):
    """State of one call. Used once; made by :func:`make_call`. It is its own ``write``."""

    out: OutputT
    request: Head
    environ: dict[str, Any] | None
    """Of the request; ``None`` if the application is not to be called."""
    close: bool
    """Whether the connection has to end after this response."""
    # Defaults are in the class: what an ordinary call does not touch need not be set for it. They
    # are of built-in types, or the interpreter does not specialise what sets them (Python 3.11).
    _response: ResponseHead | None = None
    _framing: Framing | None = None
    _sent = False
    """Whether the head is made, and nothing of it can change."""
    _written = False
    """Whether ``write`` was called, so that the iterable does not have all of the content."""
    _left = 0
    """Octets of content that are still to come, where its length is known."""
    _iterable: Any = None
    status = 0
    octets = 0
    """Of content, without its framing."""
    cut = False
    """Whether the connection has to end so that the client notices the incomplete response."""

    def run(self, app: Callable[..., Iterable[bytes]]) -> None:
        """Call ``app`` and send its response, in one of four ways. Raises nothing.

        - A first block that is all of the content, which is the most usual one: with its head, at
          once (:meth:`_send_whole`).
        - Several blocks that exist already: head and blocks at once (:meth:`_send_together`).
        - A regular file: without reading it (:meth:`_send_file`).
        - Everything else: each block before the next one is requested (:meth:`_send_block`).
        """
        environ = self.environ
        assert environ is not None
        environ["wsgi.early_hints"] = self._early_hints
        kind: type = list
        try:
            iterable: Any = app(environ, self.start_response)
            self._iterable = iterable
            kind = type(iterable)
            if kind is list or kind is tuple:
                if not self._sent:
                    if len(iterable) != 1 or not self._send_whole(iterable[0], True):
                        self._send_together(iterable)
                    return
            elif kind is FileWrapper:
                if self._send_file(iterable):
                    return
                iterable = iterable.blocks()
            for block in iterable:
                if not self._sent and self._send_whole(block, False):
                    continue
                if not self._send_block(block, self.out.send):
                    break
            if self._left or self._framing is not BY_LENGTH:
                self._finish()
        except ClientDisconnected as reason:
            self.close = True
            if reason.args:
                self.cut = True
                what = f"{self.request.method} {self.request.target!r}"
                self._log_error("response to %s truncated: %s", what, reason)
        except BaseException as error:
            # SystemExit and KeyboardInterrupt too: a view must not end the server.
            self._application_failed(error)
        finally:
            if kind is not list:  # which has no close()
                self._close_iterable()
            self._iterable = None

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None
    ) -> Callable[[bytes], None]:
        """``start_response`` of PEP 3333. Nothing is sent here."""
        if exc_info is not None:
            try:
                if self._sent:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # no cycle through the traceback
        elif self._response is not None:
            raise AssertionError("start_response called a second time without exc_info")
        if type(headers) is not list:
            raise TypeError(f"headers must be a list, not {type(headers).__name__}")
        try:
            self._response = response_head(status, headers)
            return self
        except (TypeError, ValueError) as error:
            self._head_refused(error)
            raise

    def __call__(self, block: bytes) -> None:
        """The ``write`` callable: sent, or kept to be sent in order, before it returns."""
        self._written = True
        self._send_block(block, self.out.send)

    def _send_block(self, block: bytes, send: Callable[[bytes], None]) -> bool:
        """``send`` one block, the first one with the head. Returns False when no further one can be
        used."""
        if not isinstance(block, bytes):
            raise TypeError(f"the application must provide bytes, not {type(block).__name__}")
        if not block:
            return True
        head = b""
        if not self._sent:
            head = self._head(self._only_block(len(block)))
        more = True
        if self._framing is BY_LENGTH:
            if len(block) > self._left:
                # Never more than was declared: it would be read as the next response. For a file
                # that is as it should be (PEP 3333): so a range of it is sent.
                if type(self._iterable) is not FileWrapper:
                    surplus = len(block) - self._left
                    self._log_error("content exceeds Content-Length: %d octets dropped", surplus)
                block = block[: self._left]
                more = False
            self._left -= len(block)
        elif self._framing is NO_CONTENT:
            block = b""
            more = False
        self.octets += len(block)
        if self._framing is CHUNKED:
            block = chunk(block)
        if octets := head + block:
            send(octets)
        return more

    def _send_whole(self, block: bytes, only: bool) -> bool:
        """Send a first block that is all of the content: it is as long as was declared, or known to
        be the ``only`` one. False: it is not, and nothing was sent."""
        response = self._response
        if response is None or type(block) is not bytes:
            return False
        request = self.request
        length = len(block)
        known, head = response.whole  # once: it may be another thread's the next time
        if known != (_time() // 1, request.method, request.minor, self.close, length, only):
            head = frame_whole(response, request, self.close, length, only)
        if head is None:
            return False
        self._framing = BY_LENGTH
        self._sent = True
        self.status = response.code
        self.octets = length
        if length > _COPY:
            self.out.send(head)
            self.out.send_last(block, self.close)
        else:
            self.out.send_last(head + block, self.close)
        return True

    def _head(self, length: int | None) -> bytes:
        """The head's octets; from here on nothing of it can change.

        ``length``: octets of the content, where they are known without the application's word.
        """
        response = self._response
        if response is None:
            raise AssertionError("the application did not call start_response")
        octets, self._framing, self.close = frame(
            response,
            method=self.request.method,
            minor=self.request.minor,
            close=self.close,
            length=length,
        )
        self._sent = True
        self.status = response.code
        if self._framing is BY_LENGTH:
            declared = response.content_length
            self._left = (length or 0) if declared is None else declared
        return octets

    def _only_block(self, size: int) -> int | None:
        """``size``, if the iterable says that this block is the only one (PEP 3333, "Handling the
        Content-Length Header"). len() is not called when the application declared one, nor
        if something was written, which comes on top of what the iterable gives; and if it fails,
        in whatever way, the length is not known."""
        if self._written or self._response is None or self._response.content_length is not None:
            return None
        try:
            return size if len(self._iterable) == 1 else None
        except Exception:
            return None

    def _send_together(self, blocks: Sequence[bytes]) -> None:
        """Send head and blocks at once. So an error in any of them still ends in a clean 500."""
        held: list[bytes] = []
        close = self.close
        try:
            for block in blocks:
                if not self._send_block(block, held.append):
                    break
            if not self._sent:
                held.append(self._head(0))
        except BaseException:
            self._sent, self.close = False, close  # as it is: nothing of it has left
            raise
        if self._framing is CHUNKED:
            held.append(LAST_CHUNK)
        self._send_end(b"".join(held))

    def _finish(self) -> None:
        """Send what is missing when each block was sent."""
        head = b"" if self._sent else self._head(0)
        self._send_end(head + LAST_CHUNK if self._framing is CHUNKED else head)

    def _send_end(self, octets: bytes) -> None:
        """Send the last ``octets`` of the response, if there are any."""
        if octets:
            # One that is too short ends in a reset, which would discard what is not yet sent.
            if self._left:
                self.out.send(octets)
            else:
                self.out.send_last(octets, self.close)
        self._check_length()

    def _check_length(self) -> None:
        if self._framing is BY_LENGTH and self._left:
            self._log_error("content is %d octets shorter than Content-Length", self._left)
            self.close = self.cut = True

    def _send_file(self, wrapper: FileWrapper) -> bool:
        """Send a regular file without reading it. False: it has to be iterated."""
        file = wrapper.regular_file()
        if file is None or self._sent:
            return False
        descriptor, position, count = file
        response = self._response
        if response is not None and response.content_length is not None:
            count = min(count, response.content_length)
        if not count:
            return False
        head = self._head(count)
        self.out.send(head)
        if self._framing is not NO_CONTENT:
            self.out.send_file(descriptor, position, count)
            self._left -= count
            self.octets = count
        self._check_length()
        return True

    def _head_refused(self, error: Exception) -> None:
        """Log what is wrong with the application's fields: it may catch the error itself."""
        refused_heads.add()
        what = f"{self.request.method} {self.request.target!r}"
        self._log_error("invalid response head for %s: %s", what, error)

    def _application_failed(self, error: BaseException) -> None:
        request = self.request
        what = f"{request.method} {request.target!r}"
        self._log_error("%s while handling %s", type(error).__name__, what, error=error)
        if self._sent:
            self.close = self.cut = True
            return
        try:
            self.out.send_last(self.error(500), self.close)
        except ClientDisconnected:
            self.close = True

    def error(self, status: int) -> bytes:
        """Make this an error response of the server's own, with ``status``; its octets."""
        octets = error_response(status, method=self.request.method, close=self.close)
        self.status, self.octets = status, len(octets.partition(b"\r\n\r\n")[2])
        return octets

    def _close_iterable(self) -> None:
        """PEP 3333: if the iterable has ``close``, it is called, however the request ended."""
        try:
            close = getattr(self._iterable, "close", None)
            if close is not None:
                close()
        except BaseException as error:
            name = type(error).__name__
            self._log_error("%s in the response iterable's close()", name, error=error)

    def _log_error(self, message: str, *values: object, error: BaseException | None = None) -> None:
        """Log what the application did, with the request's id."""
        log.error(message, *values, exc_info=error, extra={"environ": self.environ or {}})

    @property
    def fields(self) -> str:
        """The application's field lines, for the log."""
        return self._response.lines if self._response is not None else ""

    def _early_hints(self, headers: list[tuple[str, str]]) -> None:
        """``environ["wsgi.early_hints"]``: send a 103 with ``headers`` (RFC 8297).

        Nothing is sent to an HTTP/1.0 client, nor once the final head is out (RFC 9110, 15.2).
        """
        if not self.request.minor or self._sent:
            return
        try:
            octets = interim_response(103, headers)
        except (TypeError, ValueError) as error:
            self._head_refused(error)
            raise
        self.out.send(octets)


def make_call(
    out: OutputT, request: Head, environ: dict[str, Any] | None = None, close: bool = False
) -> Call[OutputT]:
    """A call whose response goes to ``out``. ``close``: the connection has to end after it although
    the request does not say so.

    A function, because what a class does to call an ``__init__`` costs Python 3.11 three times as
    much, for every request.
    """
    call: Call[OutputT] = Call()
    call.out = out
    call.request = request
    call.environ = environ
    call.close = close or request.close
    return call
