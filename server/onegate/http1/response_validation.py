"""Checks status and fields of a response, as an application gives them.

That is done before a single octet of them is sent, and hop-by-hop fields are refused (PEP 3333,
"Other HTTP Features"). What comes again and again is remembered, and then not checked.
"""

from __future__ import annotations

from onegate.http1 import grammar
from onegate.http1.cache import Cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

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
PASSED_ON, HAS_LENGTH, HAS_DATE, HAS_SERVER = range(4)
_SPECIAL = {"content-length": HAS_LENGTH, "date": HAS_DATE, "server": HAS_SERVER}

Line = tuple[int, str, int]
"""What a field is to the message, its line and, of Content-Length, the number."""
LINES: Cache[tuple[str, str], Line] = Cache(1024)
"""Of fields that were found valid, but for long ones and secrets. All threads share them, and the
statuses; see :mod:`onegate.http1.cache`."""
_LONGEST_FIELD = 256
_STATUSES: Cache[str, tuple[int, str]] = Cache(256)


Whole = tuple[float, str, int, bool, int, bool]
"""What the octets of a whole head are for: the second, the request's method and minor version, and
three parameters of :func:`onegate.http1.response_cache.frame_whole`, which makes them."""


class ResponseHead:
    """Status and fields of a response, checked, not yet framed."""

    __slots__ = (
        "code",
        "content_length",
        "has_date",
        "has_server",
        "lines",
        "status",
        "whole",
    )

    def __init__(self, status: str, fields: Iterable[tuple[str, str]]) -> None:
        """Raises ``TypeError`` for wrong types, ``ValueError`` for what may not be sent."""
        self.code, self.status = _status(status)
        self.content_length: int | None = None
        self.has_date = self.has_server = False
        self.whole: tuple[Whole | None, bytes | None] = None, None
        """Its octets, and what they are for, by :func:`onegate.http1.response_cache.frame_whole`.
        Calls in several threads have the same head, so it is one value: stored once, read once."""
        lines = ""
        for field in fields:
            try:
                kind, line, length = LINES.entries[field]
            except (KeyError, TypeError):
                kind, line, length = check_field(field)
            lines += line
            if kind:
                if kind == HAS_LENGTH:
                    if self.content_length is not None:
                        raise ValueError("Content-Length given twice")
                    self.content_length = length
                elif kind == HAS_DATE:
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


def _status(status: str) -> tuple[int, str]:
    """The number in ``status``, which is checked on its first use, and its text."""
    if not isinstance(status, str):
        raise TypeError(f"status must be str, not {type(status).__name__}")
    known = _STATUSES.get(status)
    if known is None:
        match = grammar.STATUS.fullmatch(status)
        if match is None:
            raise ValueError(f"status must be three digits, a space and a reason: {status!r}")
        code = int(match[1])
        if code < 200:
            raise ValueError(f"1xx is not a valid final status: {status!r}")
        # What was checked is what is sent: an enumeration that is a str formats as its name.
        known = code, match[0]
        _STATUSES.store(match[0], known)
    return known


def check_field(field: tuple[str, str]) -> Line:
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
    kind, length = _SPECIAL.get(lowered, PASSED_ON), 0
    if kind == HAS_LENGTH:
        if grammar.CONTENT_LENGTH.fullmatch(value) is None or len(value) > 18:
            raise ValueError(f"Content-Length is not a number: {value!r}")
        length = int(value)
    # join, because what formats a subclass of str is not what was checked.
    entry = (kind, "".join((name, ": ", value, "\r\n")), length)
    if len(name) + len(value) <= _LONGEST_FIELD and lowered != "set-cookie":
        LINES.store(field, entry)
    return entry
