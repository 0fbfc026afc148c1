"""A connection's requests as events, whatever way the bytes were cut up.

    HEAD ──(no content)──────────────────────────► HEAD
      └───(Content-Length, chunked)─► BODY ──────► HEAD

``receive`` takes bytes in, ``next_event`` gives a :class:`Head`, then :class:`Data` for its content
until one is the last, or :data:`NEED_DATA`. As most requests come, in one piece, ``read_plain``
takes the head and ``take_content`` the content in one step each. Any split of the same input gives
the same heads, the same content and the same error: limits and line ends are therefore judged in
the order in which their octets arrive, before anything that needs the whole head.
"""

from __future__ import annotations

from enum import Enum

from onegate.http1.chunked import ChunkedDecoder
from onegate.http1.errors import ProtocolError
from onegate.http1.grammar import BARE_LF
from onegate.http1.request_head import Head
from onegate.http1.request_parser import HeadParser, MessageLimits

_END_OF_HEAD = b"\r\n\r\n"


class _Signal(Enum):
    NEED_DATA = "need data"


NEED_DATA = _Signal.NEED_DATA


class Data:
    """Some of a request's content; ``last`` says that it is whole now."""

    __slots__ = ("content", "last")

    def __init__(self, content: bytes, last: bool) -> None:
        self.content = content
        self.last = last


class RequestReader:
    """Reads the requests of one connection."""

    __slots__ = (
        "_chunked",
        "_left",
        "_limits",
        "_parser",
        "_scanned",
        "_skipped_line",
        "pending",
    )

    def __init__(self, parser: HeadParser, limits: MessageLimits) -> None:
        self._parser = parser
        self._limits = limits
        self.pending: bytes | bytearray = b""
        """What was received and belongs to no event yet; to be read."""
        self._scanned = 0
        self._skipped_line = False
        self._left = 0
        self._chunked: ChunkedDecoder | None = None

    @property
    def begun(self) -> bool:
        """True if anything of the next request was received, be it an empty line before it."""
        return bool(self.pending) or self._skipped_line

    @property
    def request_line(self) -> str:
        """What has come of the line that a head begins with; one character for one octet."""
        buffer = self.pending[: self._limits.request_line]
        return buffer.partition(b"\n")[0].rstrip(b"\r").decode("latin-1")

    def read_plain(self, octets: bytes) -> Head | None:
        """Take what came from the wire between two requests, if it begins with a plain head (see
        :meth:`HeadParser.parse_plain`), and return that: ``receive`` and ``next_event`` in one
        step. If it does not, return ``None``, and ``receive`` has to take it.
        """
        if octets.endswith(_END_OF_HEAD):
            head, rest = self._parser.parse_plain(octets[:-4]), b""
        else:
            end = octets.find(_END_OF_HEAD)
            if end < 0:
                return None
            head, rest = self._parser.parse_plain(octets[:end]), octets[end + 4 :]
        if head is not None:
            self.pending = rest
            self._left = head.content_length
            if head.chunked:
                self._chunked = ChunkedDecoder(self._limits.field_size, self._limits.body)
        return head

    def take_content(self) -> bytes | None:
        """Take the content of the request whose head was the last event, if its length is known
        and all of it is here: what the next event would have given. ``None`` if not."""
        count, pending = self._left, self.pending
        if self._chunked is not None or len(pending) < count:
            return None
        self._left = 0
        self.pending = pending[count:]
        return bytes(pending[:count])

    def receive(self, octets: bytes) -> None:
        """Take what came from the wire."""
        if not self.pending:
            self.pending = octets
        else:
            if type(self.pending) is bytes:
                self.pending = bytearray(self.pending)
            self.pending += octets

    def next_event(self) -> Head | Data | _Signal:
        """The next event. Raises :class:`ProtocolError`, which ends the reading."""
        if self._left or self._chunked is not None:
            return self._content()
        if not self.pending:
            return NEED_DATA
        try:
            return self._head()
        except ProtocolError as error:
            if self.pending.startswith(b"HEAD "):
                error.method = "HEAD"
            raise

    def _head(self) -> Head | _Signal:
        buffer = self.pending
        if buffer[0] < 0x21:
            self._skip_empty_line()
            buffer = self.pending
            if len(buffer) < 2:
                return NEED_DATA
        end = buffer.find(_END_OF_HEAD, self._scanned - 3 if self._scanned > 3 else 0)
        if end < 0 or end > self._limits.head:
            self._refuse_in_order_of_arrival(buffer, end)
            self._scanned = len(buffer)
            return NEED_DATA
        try:
            head = self._parser.parse(buffer[:end])
        except ProtocolError:
            self._refuse_in_order_of_arrival(buffer[: end + 4], end)
            raise
        self.pending = buffer[end + 4 :]
        self._scanned = 0
        self._skipped_line = False
        if head.chunked:
            self._chunked = ChunkedDecoder(self._limits.field_size, self._limits.body)
        else:
            self._left = head.content_length
        return head

    def _skip_empty_line(self) -> None:
        """One empty line before a request line is ignored (RFC 9112, 2.2).

        Anything else that is no character of a method is refused without waiting for the end of
        a line, which a client that speaks TLS to us never sends.
        """
        while self.pending and self.pending[0] < 0x21:
            if self.pending[0] != 0x0D:
                raise ProtocolError(400, "invalid request line")
            if self._skipped_line:
                raise ProtocolError(400, "more than one empty line before the request line")
            if len(self.pending) == 1:
                return
            if self.pending[1] != 0x0A:
                raise ProtocolError(400, "invalid request line")
            self._skipped_line = True
            self.pending = self.pending[2:]
            self._scanned = 0

    def _refuse_in_order_of_arrival(self, buffer: bytes | bytearray, end: int) -> None:
        """Raise the error that octets which came one by one would have met first, if there is one.

        ``buffer``: what is here of the head. ``end``: where the empty line begins that ends it, -1
        if that is not here.

        Whatever way the octets were cut up, the result has to be the same. So a head that is not
        complete is judged already, and one that is refused when it is complete is judged again as
        if it were not; each time first its request line, then the ends of its lines, then its size,
        and nothing behind the octet at which it becomes too large. Only what came since the last
        look, at ``_scanned``, is looked at: a head that arrives octet by octet costs no more than
        one that comes at once.
        """
        most = self._limits.head
        too_large = end > most or (end < 0 and len(buffer) > most + 3)
        stop = most + 4 if too_large else len(buffer)
        self._check_request_line(buffer, stop)
        if BARE_LF.search(buffer, self._scanned, stop) is not None:
            raise ProtocolError(400, "line ends in a bare LF")
        if too_large:
            raise ProtocolError(431, f"head over {most} octets")

    def _check_request_line(self, buffer: bytes | bytearray, stop: int) -> None:
        """Judge the request line as soon as it is complete, or too long, within the octets up to
        ``stop``."""
        most = self._limits.request_line
        newline = buffer.find(b"\n", 0, min(stop, most + 2))
        if newline < 0:
            if stop > most + 1:
                raise ProtocolError(414, f"request line over {most} octets")
        elif newline >= self._scanned:
            if buffer[newline - 1] != 0x0D:
                raise ProtocolError(400, "line ends in a bare LF")
            self._parser.check_request_line(buffer[: newline - 1])

    def _content(self) -> Data | _Signal:
        if self._chunked is not None:
            return self._chunked_content(self._chunked)
        if not self.pending:
            return NEED_DATA
        content = bytes(self.pending[: self._left])
        self.pending = self.pending[self._left :]
        self._left -= len(content)
        return Data(content, last=not self._left)

    def _chunked_content(self, decoder: ChunkedDecoder) -> Data | _Signal:
        if not self.pending:
            return NEED_DATA
        if type(self.pending) is bytes:
            self.pending = bytearray(self.pending)
        content = decoder.decode(self.pending)  # type: ignore[arg-type]  # made a bytearray above
        if decoder.done:
            self._chunked = None
            return Data(content, last=True)
        return Data(content, last=False) if content else NEED_DATA
