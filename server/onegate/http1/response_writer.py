"""Responses as octets: heads, chunks, interim responses, and whole ones that report an error.

How their content is framed (RFC 9112, section 6) is decided here and nowhere else: an application
cannot set hop-by-hop fields (:mod:`onegate.http1.response_validation`), so framing and connection
fields are ours alone.
"""

from __future__ import annotations

import time
from enum import Enum, auto

from onegate.http1.date import PerSecond, date_line
from onegate.http1.response_validation import HAS_LENGTH, ResponseHead, check_field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from onegate.http1.request_head import Head


_PHRASES = {
    103: "Early Hints",
    400: "Bad Request",
    408: "Request Timeout",
    413: "Content Too Large",
    414: "URI Too Long",
    417: "Expectation Failed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    505: "HTTP Version Not Supported",
    507: "Insufficient Storage",
}
"""Of the statuses that the server itself sends (RFC 9110, 15; RFC 6585, 5; RFC 8297, 2; RFC 4918,
11.5). The module ``http`` knows more of them, at 80 KiB."""


class Framing(Enum):
    """How the client recognises the end of the content (RFC 9112, 6.3)."""

    NONE = auto()  # no content, by the method or the status
    LENGTH = auto()
    CHUNKED = auto()
    CLOSE = auto()


# Looking a member up on the class is slow on Python 3.11, and this is where it counts.
NO_CONTENT: Final = Framing.NONE
BY_LENGTH: Final = Framing.LENGTH
CHUNKED: Final = Framing.CHUNKED
BY_CLOSE: Final = Framing.CLOSE


_WITHOUT_CONTENT = frozenset({204, 205, 304})
"""Statuses of responses that have no content, whatever the application gives."""


_date_lines = PerSecond(date_line)
_server_line = b"Server: onegate\r\n"


def _date_and_server(second: int) -> bytes:
    return date_line(second) + _server_line


_own_lines = PerSecond(_date_and_server)
"""Of a response whose application gives neither Date nor Server, as nearly all are."""


def set_server_field(value: str) -> None:
    """Have the Server field of responses that have none of their own say ``value``; "none" or
    nothing: have no such field (RFC 9110, 10.2.4). To be called before the first response, for
    heads are remembered as octets."""
    global _server_line, _own_lines  # noqa: PLW0603 - one for each process, like the clock
    _server_line = b"" if value in ("", "none") else f"Server: {value}\r\n".encode("latin-1")
    _own_lines = PerSecond(_date_and_server)


def frame(
    head: ResponseHead,
    *,
    method: str,
    minor: int,
    close: bool,
    length: int | None,
) -> tuple[bytes, Framing, bool]:
    """The head's octets, the framing of the content, and whether the connection ends after it.

    ``length``: octets of the content if the server knows them although the application did not
    say. ``close``: what the request says.
    Each choice follows RFC 9112, 6.3 and 9.3.
    """
    octets, extra = head.octets, b""
    if method == "HEAD" or head.code in _WITHOUT_CONTENT:
        framing = NO_CONTENT
        if head.code in _WITHOUT_CONTENT:
            octets, extra = _length_of_nothing(head)
    elif head.content_length is not None:
        framing = BY_LENGTH
    elif length is not None:
        framing = BY_LENGTH
        extra = b"Content-Length: %d\r\n" % length
    elif minor:
        framing = CHUNKED
        extra = b"Transfer-Encoding: chunked\r\n"
    else:
        framing = BY_CLOSE
        close = True
    return _end_of_head(head, octets, extra, minor, close, int(time.time())), framing, close


def frame_whole(
    head: ResponseHead, request: Head, close: bool, length: int, only: bool
) -> bytes | None:
    """What :func:`frame` gives if the content at hand is all of it, else None.

    ``close``: whether the connection has to end. ``length``: octets of the content at hand.
    ``only``: whether there is no other content, as far as the server knows.

    With a head that is itself remembered they are kept in ``head.whole``, together with what they
    are for, since it is mostly wanted for the same again. Threads share it, so both are one value,
    stored once; and what is returned is for the caller, whatever another thread has stored
    meanwhile.
    """
    second = time.time() // 1
    method, minor = request.method, request.minor
    declared = head.content_length
    octets: bytes | None = None
    if (
        length
        and (declared == length or (only and declared is None))
        and method != "HEAD"
        and head.code not in _WITHOUT_CONTENT
    ):
        extra = b"" if declared is not None else b"Content-Length: %d\r\n" % length
        octets = _end_of_head(head, head.octets, extra, minor, close, int(second))
    if head.is_kept:
        head.whole = (second, method, minor, close, length, only), octets
    return octets


def _end_of_head(
    head: ResponseHead, octets: bytes, extra: bytes, minor: int, close: bool, second: int
) -> bytes:
    """``octets``, the status line and field lines of ``head``, and what the server adds: Date and
    Server where the application gave none, ``extra``, the Connection field, and the end."""
    if close:
        extra += b"Connection: close\r\n"
    elif not minor:
        extra += b"Connection: keep-alive\r\n"
    if head.has_date or head.has_server:
        date = b"" if head.has_date else _date_lines.at(second)
        own = date if head.has_server else date + _server_line
    else:
        own = _own_lines.at(second)
    return b"".join((octets, own, extra, b"\r\n"))


def _length_of_nothing(head: ResponseHead) -> tuple[bytes, bytes]:
    """The octets of a response's head whose status allows no content, and what is added to them.

    204: MUST NOT have a Content-Length (RFC 9110, 8.6). 205: must not have content either, but
    a client knows that by its length only (RFC 9110, 15.3.6; RFC 9112, 6.3). 304: the
    length is that of the 200 that it stands for (RFC 9110, 8.6 and 15.4.5), which the application
    may know; 0 is the length of what it gave instead, and would empty a cache's copy.
    """
    length = head.content_length
    stays = length is None or (head.code == 304 and length != 0)
    octets = head.octets if stays else head.without_length()
    return octets, b"Content-Length: 0\r\n" if head.code == 205 else b""


def chunk(block: bytes) -> bytes:
    """One chunk (RFC 9112, 7.1). ``block`` must not be empty: that would be the last chunk."""
    return b"%x\r\n%b\r\n" % (len(block), block)


LAST_CHUNK = b"0\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def error_response(status: int, *, method: str = "GET", close: bool = True) -> bytes:
    """A whole response that the server makes itself. It echoes nothing of the request."""
    phrase = _PHRASES[status]
    content = f"{status} {phrase}\n".encode()
    head = ResponseHead(
        f"{status} {phrase}",
        [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(content)))],
    )
    octets, framing, _ = frame(head, method=method, minor=1, close=close, length=None)
    return octets if framing is NO_CONTENT else octets + content


def interim_response(status: int, fields: list[tuple[str, str]]) -> bytes:
    """A 1xx head (RFC 9110, 15.2). Raises ``TypeError`` and ``ValueError`` as ResponseHead does."""
    lines = ""
    for field in fields:
        kind, line, _ = check_field(field)
        if kind == HAS_LENGTH:
            raise ValueError(f"Content-Length in an interim response (RFC 9110, 8.6): {field!r}")
        lines += line
    return f"HTTP/1.1 {status} {_PHRASES[status]}\r\n{lines}\r\n".encode("latin-1")
