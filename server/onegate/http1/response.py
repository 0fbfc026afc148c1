"""Responses: which bytes go in front of, between and behind the content (RFC 9112, section 6).

The status and the fields come from the application and are checked before a single octet of them
is sent; framing is decided here and nowhere else. An application never sets hop-by-hop fields
(PEP 3333, "Other HTTP Features"), so framing and connection fields are ours alone.
"""

from __future__ import annotations

import time
from enum import Enum, auto

from onegate.http1 import grammar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


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
# RFC 9110, 7.6.1, and the list of PEP 3333's wsgiref.util.is_hop_by_hop.
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "trailers",
        "transfer-encoding",
        "upgrade",
    }
)
PLAIN, LENGTH, DATE, SERVER = range(4)
_SPECIAL = {"content-length": LENGTH, "date": DATE, "server": SERVER}

_remembered: dict[tuple[str, str], tuple[int, str, int]] = {}
_REMEMBERED_LINES = 1024
_REMEMBERED_LENGTH = 256


class Framing(Enum):
    """How the end of the content is told to the client (RFC 9112, 6.3)."""

    NONE = auto()  # no content, by the method or the status
    LENGTH = auto()
    CHUNKED = auto()
    CLOSE = auto()


# Looking a member up on the class is slow on Python 3.11, and this is where it counts.
NO_CONTENT: Final = Framing.NONE
BY_LENGTH: Final = Framing.LENGTH
CHUNKED: Final = Framing.CHUNKED
BY_CLOSE: Final = Framing.CLOSE


class ResponseHead:
    """Status and fields of a response, checked, not yet framed."""

    __slots__ = (
        "code",
        "content_length",
        "framed",
        "framed_as",
        "has_date",
        "has_server",
        "lines",
        "status",
        "whole",
        "whole_as",
    )

    def __init__(self, status: str, fields: list[tuple[str, str]]) -> None:
        """Raises ``TypeError`` for wrong types, ``ValueError`` for what may not be sent."""
        self.code, self.status = _status(status)
        self.content_length: int | None = None
        self.has_date = self.has_server = False
        self.whole_as: Whole | None = None
        """What ``whole`` was made for; see :func:`frame_whole`."""
        self.whole: bytes | None = None
        lines = ""
        for field in fields:
            try:
                kind, line, length = _remembered[field]
            except (KeyError, TypeError):
                kind, line, length = _check_field(field)
            lines += line
            if kind:
                if kind == LENGTH:
                    if self.content_length is not None:
                        raise ValueError("Content-Length given twice")
                    self.content_length = length
                elif kind == DATE:
                    self.has_date = True
                else:
                    self.has_server = True
        self.lines = lines

    def without_length(self) -> str:
        """The field lines without Content-Length, where a message must not have it."""
        return "".join(
            line + "\r\n"
            for line in self.lines.split("\r\n")
            if line and line.partition(":")[0].lower() != "content-length"
        )


_heads: dict[tuple[object, ...], ResponseHead] = {}
_heads_seen_once: set[int] = set()
_REMEMBERED_HEADS = 256


def response_head(status: str, fields: list[tuple[str, str]]) -> ResponseHead:
    """The checked head of a response. One that an application gives again and again is
    remembered, and is then not checked again: it is equal, so it is as good.

    Raises as :class:`ResponseHead` does.
    """
    key = (status, *fields)
    try:
        known = _heads.get(key)
        if known is not None:
            return known
        mark = hash(key)
    except TypeError:  # something in there is a list, say
        return ResponseHead(status, fields)
    head = ResponseHead(status, fields)
    if mark not in _heads_seen_once:
        if len(_heads_seen_once) >= 4 * _REMEMBERED_HEADS:
            _heads_seen_once.clear()
        _heads_seen_once.add(mark)
    elif all(field in _remembered for field in fields):  # none of them long, none a secret
        if len(_heads) >= _REMEMBERED_HEADS:
            _heads.clear()
        _heads[key] = head
    return head


_statuses: dict[str, tuple[int, str]] = {}


def _status(status: str) -> tuple[int, str]:
    """The number in ``status``, which is checked on its first use, and its text."""
    if not isinstance(status, str):
        raise TypeError(f"status must be str, not {type(status).__name__}")
    known = _statuses.get(status)
    if known is None:
        match = grammar.STATUS.fullmatch(status)
        if match is None:
            raise ValueError(f"status must be three digits, a space and a reason: {status!r}")
        code = int(match[1])
        if code < 200:
            raise ValueError(f"an interim status cannot be the response: {status!r}")
        # What was checked is what is sent: an enumeration that is a str formats as its name.
        known = code, match[0]
        if len(_statuses) < 256:
            _statuses[match[0]] = known
    return known


def _check_field(field: tuple[str, str]) -> tuple[int, str, int]:
    """Check one field; return its kind, its line and, of a Content-Length, the number.

    Raises ``TypeError`` and ``ValueError``.
    """
    pair: object = field  # the annotation is a promise that applications break
    if not isinstance(pair, tuple) or len(pair) != 2:
        raise TypeError(f"a header must be a tuple (name, value), not {field!r}")
    name: object
    value: object
    name, value = pair
    if not isinstance(name, str) or not isinstance(value, str):
        raise TypeError(f"header name and value must be str: {field!r}")
    if grammar.TOKEN.fullmatch(name) is None:
        raise ValueError(f"invalid header name: {name!r}")
    if grammar.VALUE.fullmatch(value) is None:
        raise ValueError(f"{name}: control or non-latin-1 character in the value: {value!r}")
    lowered = name.lower()
    if lowered in _HOP_BY_HOP:
        raise ValueError(f"{name}: hop-by-hop fields belong to the server (PEP 3333)")
    kind, length = _SPECIAL.get(lowered, PLAIN), 0
    if kind == LENGTH:
        if grammar.CONTENT_LENGTH.fullmatch(value) is None or len(value) > 18:
            raise ValueError(f"Content-Length is not a number: {value!r}")
        length = int(value)
    # join, because what formats a subclass of str is not what was checked.
    entry = (kind, "".join((name, ": ", value, "\r\n")), length)
    if len(name) + len(value) <= _REMEMBERED_LENGTH and lowered != "set-cookie":
        if len(_remembered) >= _REMEMBERED_LINES:
            _remembered.clear()
        _remembered[field] = entry
    return entry


class _Clock:
    """The Date field line, made anew once a second (RFC 9110, 6.6.1)."""

    __slots__ = ("_second", "line")

    def __init__(self) -> None:
        self._second = -1
        self.line = ""

    def at(self, second: int) -> str:
        if second != self._second:
            self._second = second
            self.line = f"Date: {imf_fixdate(second)}\r\n"
        return self.line


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def imf_fixdate(second: int) -> str:
    """IMF-fixdate of RFC 9110, 5.6.7, in no locale but its own."""
    year, month, day, hour, minute, sec, weekday, _, _ = time.gmtime(second)
    return (
        f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year} {hour:02}:{minute:02}:{sec:02} GMT"
    )


_clock = _Clock()
SERVER_LINE = "Server: onegate\r\n"


def frame(
    head: ResponseHead, *, method: str, minor: int, close: bool, length: int | None
) -> tuple[bytes, Framing, bool]:
    """The head's octets, the framing of the content, and whether the connection ends after it.

    ``length``: octets of the content if the server knows them although the application did not
    say. ``close``: what the request asked for. Each choice follows RFC 9112, 6.3 and 9.3.
    """
    lines = head.lines
    extra = ""
    if head.code == 204:
        framing = NO_CONTENT
        if head.content_length is not None:  # MUST NOT be in a 204 (RFC 9110, 8.6)
            lines = head.without_length()
    elif method == "HEAD" or head.code == 304:
        framing = NO_CONTENT
    elif head.content_length is not None:
        framing = BY_LENGTH
    elif length is not None:
        framing = BY_LENGTH
        extra = f"Content-Length: {length}\r\n"
    elif minor:
        framing = CHUNKED
        extra = "Transfer-Encoding: chunked\r\n"
    else:
        framing = BY_CLOSE
        close = True
    if close:
        extra += "Connection: close\r\n"
    elif not minor:
        extra += "Connection: keep-alive\r\n"
    date = "" if head.has_date else _clock.at(int(time.time()))
    server = "" if head.has_server else SERVER_LINE
    text = f"HTTP/1.1 {head.status}\r\n{lines}{date}{server}{extra}\r\n"
    return text.encode("latin-1"), framing, close


Whole = tuple[float, str, int, bool, int, bool]
"""A question to :func:`frame_whole`: the second, the request's method and minor version, whether
it asked for the end of the connection, octets of the content at hand, and whether there is no
other content, as far as the server knows."""


def frame_whole(head: ResponseHead, asked: Whole) -> None:
    """Set ``head.whole`` to the head's octets if the content at hand is all of it, else to None.

    It is kept with the question, since a head that is itself remembered is asked the same again.
    """
    _, method, minor, close, length, only = asked
    declared = head.content_length
    head.whole_as, head.whole = asked, None
    if length and (declared == length or (only and declared is None)):
        octets, framing, _ = frame(head, method=method, minor=minor, close=close, length=length)
        if framing is BY_LENGTH:
            head.whole = octets


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
        kind, line, _ = _check_field(field)
        if kind == LENGTH:
            raise ValueError(f"Content-Length in an interim response (RFC 9110, 8.6): {field!r}")
        lines += line
    return f"HTTP/1.1 {status} {_PHRASES[status]}\r\n{lines}\r\n".encode("latin-1")
