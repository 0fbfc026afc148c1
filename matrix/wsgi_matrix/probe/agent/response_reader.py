"""Finds the end of one HTTP/1.x response (RFC 9112 section 6.3); bytes in, no I/O.

The probe must neither stop early nor wait for a close that never comes, so it has to parse framing;
it checks nothing else. All octets are preserved.
"""

from __future__ import annotations

import re

LARGEST = 64 * 1024 * 1024
"""Maximum octets of one response, so that an endless one does not fill memory."""

STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n]*)?\r?\n")
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?\r\n")
DATE = re.compile(
    rb"(?m)^([Dd][Aa][Tt][Ee]:[ \t]*)[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} "
    rb"[0-9]{2}:[0-9]{2}:[0-9]{2} GMT(?=[ \t]*\r?$)"
)


def mask_date(response: bytes) -> bytes:
    """``response`` with the value of a well-formed ``Date`` field (IMF-fixdate) replaced by ``*``.

    Nothing else changes: the name's spelling, whitespace and malformed values are preserved.
    """
    head, separator, body = response.partition(b"\r\n\r\n")
    return DATE.sub(rb"\1*", head) + separator + body


def field_values(head: bytes, name: bytes) -> list[bytes]:
    """Values of every field line called ``name`` (any case) in ``head``, stripped."""
    values = []
    for line in head.split(b"\n")[1:]:
        field, colon, value = line.partition(b":")
        if colon and field.strip().lower() == name:
            values.append(value.strip())
    return values


def dechunk(framed: bytes) -> bytes:
    """The content of a chunked body that the reader has found to be complete."""
    body = bytearray()
    at = 0
    while True:
        line_end = framed.index(b"\r\n", at)
        size = int(framed[at:line_end].partition(b";")[0], 16)
        if size == 0:
            return bytes(body)
        body += framed[line_end + 2 : line_end + 2 + size]
        at = line_end + 2 + size + 2


class ResponseReader:
    """Collects one complete response to a request with ``method``.

    ``raw`` is every octet up to the end of the response, including interim (1xx) responses;
    ``rest`` is what follows it. ``error`` says why there can be no complete response.
    """

    def __init__(self, method: bytes, largest: int = LARGEST) -> None:
        self.method = method
        self.largest = largest
        self.buffer = bytearray()
        self.done = False
        self.error = ""
        self.head = b""
        self.closes = False
        """Whether the response announces the end of the connection."""
        self._at = 0  # start of what has not been parsed yet
        self._until = -1  # end of a body of known length
        self._state = self._read_head

    @property
    def raw(self) -> bytes:
        """The response as it was on the wire."""
        return bytes(self.buffer[: self._at] if self.done else self.buffer)

    @property
    def rest(self) -> bytes:
        """Octets after the end of the response."""
        return bytes(self.buffer[self._at :]) if self.done else b""

    @property
    def over(self) -> bool:
        """Whether nothing more is to be read."""
        return self.done or bool(self.error)

    def feed(self, data: bytes) -> None:
        """Process octets received from the connection."""
        self.buffer += data
        if len(self.buffer) > self.largest:
            self._fail(f"response of more than {self.largest} octets")
        while not self.over and self._state():
            pass

    def end(self) -> None:
        """Process the peer's close, which ends a close-delimited response, but no other."""
        if self.over:
            return
        if self._state == self._read_until_close:
            self._at = len(self.buffer)
            self.done = True
        elif not self.buffer:
            self._fail("closed without a response")
        elif not self.head:
            self._fail("closed within the head of the response")
        else:
            self._fail("closed within the body of the response")

    def _fail(self, why: str) -> bool:
        self.error = why
        return False

    def _finish(self) -> bool:
        self.done = True
        return False

    # Each state returns True if the next state can continue with what is in the buffer.

    def _read_head(self) -> bool:
        end = self.buffer.find(b"\r\n\r\n", self._at)
        if end < 0:
            # A head with bare LF is invalid, but must be reported as a response, not as a timeout.
            end = self.buffer.find(b"\n\n", self._at)
            if end < 0:
                return False
            end -= 2
        head = bytes(self.buffer[self._at : end + 4])
        self._at = end + 4
        status = STATUS_LINE.match(head)
        if not status:
            return self._fail("no HTTP/1.x status line")
        code = int(status[2])
        if 100 <= code < 200 and code != 101:
            return True
        self.head = head
        options = b",".join(field_values(head, b"connection")).lower()
        self.closes = b"close" in options or (status[1] == b"0" and b"keep-alive" not in options)
        return self._choose_framing(code)

    def _choose_framing(self, code: int) -> bool:
        if self.method == b"HEAD" or code in (101, 204, 304):
            return self._finish()
        codings = b",".join(field_values(self.head, b"transfer-encoding")).lower()
        lengths = set(field_values(self.head, b"content-length"))
        if codings:
            chunked = codings.split(b",")[-1].strip() == b"chunked"
            self._state = self._read_chunk if chunked else self._read_until_close
        elif len(lengths) > 1:
            return self._fail("several different Content-Length values")
        elif lengths:
            value = lengths.pop()
            if not re.fullmatch(rb"[0-9]{1,18}", value):
                return self._fail("malformed Content-Length")
            self._until = self._at + int(value)
            self._state = self._read_length
        else:
            self._state = self._read_until_close
        if self._state == self._read_until_close:
            self.closes = True
        return True

    def _read_length(self) -> bool:
        if len(self.buffer) < self._until:
            return False
        self._at = self._until
        return self._finish()

    def _read_until_close(self) -> bool:
        return False

    def _read_chunk(self) -> bool:
        line_end = self.buffer.find(b"\n", self._at)
        if line_end < 0:
            return self._fail("chunk-size line too long") if self._pending() > 4096 else False
        line = CHUNK_SIZE.fullmatch(self.buffer, self._at, line_end + 1)
        if not line:
            return self._fail("malformed chunk-size line")
        size = int(line[1], 16)
        self._at = line_end + 1
        if size == 0:
            self._state = self._read_trailers
        else:
            self._until = self._at + size + 2
            self._state = self._read_chunk_data
        return True

    def _read_chunk_data(self) -> bool:
        if len(self.buffer) < self._until:
            return False
        if self.buffer[self._until - 2 : self._until] != b"\r\n":
            return self._fail("chunk-data does not end with CRLF")
        self._at = self._until
        self._state = self._read_chunk
        return True

    def _read_trailers(self) -> bool:
        line_end = self.buffer.find(b"\n", self._at)
        if line_end < 0:
            return self._fail("trailer line too long") if self._pending() > 65536 else False
        last = not self.buffer[self._at : line_end].strip()
        self._at = line_end + 1
        return self._finish() if last else True

    def _pending(self) -> int:
        return len(self.buffer) - self._at
