"""The chunked transfer coding of RFC 9112, section 7.1, decoded as it arrives.

    chunked-body = *chunk last-chunk trailer-section CRLF
    chunk        = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
    last-chunk   = 1*("0") [ chunk-ext ] CRLF

Every line has to end in CRLF, and the CRLF after the data is checked octet by octet: a decoder
that skips it reads another message than the proxy before it did. Extensions are checked against
their grammar and dropped; their sum is bounded, as is the trailer section, so that a client
cannot keep a worker busy with bytes that are no content. A chunk that would make the content too
large is refused from its size, before any of its data.
"""

from __future__ import annotations

from onegate.http1.errors import ProtocolError
from onegate.http1.grammar import CHUNK_LINE, FIELD_LINE

MAX_LINE = 4096
"""Octets of one chunk-size line with its extensions."""
MAX_OVERHEAD = 65536
"""Octets of extensions and padding in one body, all chunks together."""


_SIZE, _DATA, _DATA_END, _TRAILER, _DONE = range(5)


class ChunkedDecoder:
    """Decodes one chunked body.

    ``max_trailer``: octets allowed in the trailer section. ``max_content``: octets allowed in all
    chunks together.
    """

    __slots__ = ("_left", "_max_content", "_overhead", "_room", "_state", "_trailer_room")

    def __init__(self, max_trailer: int = 8190, max_content: int = 1 << 30) -> None:
        self._state = _SIZE
        self._left = 0
        self._overhead = 0
        self._trailer_room = max_trailer
        self._max_content = self._room = max_content

    @property
    def done(self) -> bool:
        """True once the last CRLF of the body was consumed."""
        return self._state == _DONE

    def decode(self, buffer: bytearray) -> bytes:
        """Consume what can be consumed from the front of ``buffer``; return the content in it.

        Raises :class:`ProtocolError` (400; 413 for the content, 431 for the trailer section).
        """
        content: list[bytes] = []
        position = 0
        while self._state != _DONE:
            if self._state == _DATA:
                taken = min(self._left, len(buffer) - position)
                content.append(bytes(buffer[position : position + taken]))
                self._left -= taken
                position += taken
                if self._left:
                    break
                self._state = _DATA_END
            if self._state == _DATA_END:
                ending = buffer[position : position + 2]
                if not b"\r\n".startswith(ending):
                    raise ProtocolError(400, "chunk data is not followed by CRLF")
                if len(ending) < 2:
                    break
                position += 2
                self._state = _SIZE
            line_end = self._line_end(buffer, position)
            if line_end < 0:
                break
            line = bytes(buffer[position:line_end])
            position = line_end + 2
            if self._state == _SIZE:
                self._size(line)
            else:
                self._trailer_line(line)
        del buffer[:position]
        return b"".join(content)

    def _line_end(self, buffer: bytearray, start: int) -> int:
        """Index of the CRLF that ends the line at ``start``, or -1 while it is incomplete."""
        if self._state == _SIZE:
            limit, status = MAX_LINE, 400
        else:
            limit, status = self._trailer_room, 431
        newline = buffer.find(b"\n", start, start + limit + 2)
        if newline < 0:
            if len(buffer) - start > limit + 1:
                raise ProtocolError(status, "line of the chunked coding is too long")
            return -1
        if newline == start or buffer[newline - 1] != 0x0D:
            raise ProtocolError(400, "bare LF in the chunked coding")
        return newline - 1

    def _size(self, line: bytes) -> None:
        match = CHUNK_LINE.fullmatch(line)
        if match is None:
            raise ProtocolError(400, "invalid chunk-size line")
        self._left = int(match[1], 16)
        self._room -= self._left
        if self._room < 0:
            raise ProtocolError(413, f"content over {self._max_content} octets")
        # The digits that a size needs are free; what is beyond them counts.
        self._overhead += max(0, len(line) - 8)
        if self._overhead > MAX_OVERHEAD:
            raise ProtocolError(400, "too many chunk extensions")
        self._state = _DATA if self._left else _TRAILER

    def _trailer_line(self, line: bytes) -> None:
        if not line:
            self._state = _DONE
            return
        self._trailer_room -= len(line) + 2
        if FIELD_LINE.fullmatch(line.decode("latin-1")) is None:
            raise ProtocolError(400, "invalid field line in the trailer section")
