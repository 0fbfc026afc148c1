"""Checks status and fields of a response, as an application gives them.

That is done before a single octet of them is sent, and hop-by-hop fields are refused (PEP 3333,
"Other HTTP Features"). What comes again and again is remembered, and then not checked.
"""

from __future__ import annotations

from onegate.http1 import grammar
from onegate.http1.cache import Cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
PASSED_ON, HAS_LENGTH, HAS_DATE, HAS_SERVER, SECRET = range(5)
_SPECIAL = {
    "content-length": HAS_LENGTH,
    "date": HAS_DATE,
    "server": HAS_SERVER,
    "set-cookie": SECRET,
}

NAMES: Cache[str, int] = Cache(1024)
"""What a field is to the message, by its name as it was spelled, of those that were found valid."""
_LONGEST_NAME = 64
_STATUSES: Cache[str, tuple[int, str]] = Cache(256)
"""Their numbers and status lines, by what the application gave. All threads share these; see
:mod:`onegate.http1.cache`."""
_SENDABLE = bytes([0x09, *range(0x20, 0x7F), *range(0x80, 0x100)])
"""What a field may hold (see ``grammar.VALUE``)."""
_join = ": ".join


Whole = tuple[float, str, int, bool, int, bool]
"""What the octets of a whole head are for: the second, the request's method and minor version, and
three parameters of :func:`onegate.http1.response_writer.frame_whole`, which makes them."""


class ResponseHead:
    """Status and fields of a response, checked, not yet framed."""

    __slots__ = (
        "code",
        "content_length",
        "has_date",
        "has_server",
        "is_kept",
        "is_secret",
        "octets",
        "whole",
    )

    code: int
    octets: bytes
    """The status line and the field lines as they are sent, each with its end."""
    content_length: int | None
    has_date: bool
    has_server: bool
    is_secret: bool
    """Whether a field has something that is the client's alone."""
    is_kept: bool
    """Whether it is remembered, so that further responses may have it."""
    whole: tuple[Whole | None, bytes | None]
    """Its octets, and what they are for, by :func:`onegate.http1.response_writer.frame_whole`.
    Calls in several threads have the same head, so it is one value: stored once, read once."""

    def __init__(self, status: str, fields: Sequence[tuple[str, str]]) -> None:
        """Raises ``TypeError`` for wrong types, ``ValueError`` for what may not be sent."""
        try:
            self.code, line = _STATUSES.entries[status]
        except (KeyError, TypeError):
            self.code, line = _status(status)
        self.content_length = None
        self.has_date = self.has_server = self.is_kept = self.is_secret = False
        self.whole = None, None
        if not self._take_plain(line, fields):
            self._take_each(line, fields)

    def _take_plain(self, line: str, fields: Sequence[tuple[str, str]]) -> bool:
        """Take ``fields`` whose names were seen before; the octets of all are checked in one step.

        False: something is unusual or wrong with one of them.
        """
        lines = [line]
        kinds = NAMES.entries
        try:
            for field in fields:
                if type(field) is not tuple:
                    return False
                name, value = field
                kind = kinds[name]
                if kind:
                    if kind == HAS_LENGTH:
                        # Other digits than 0 to 9 are not of Latin-1, and found below.
                        plain = value.isdecimal() and len(value) <= 18
                        if not plain or self.content_length is not None:
                            return False
                        self.content_length = int(value)
                    elif kind == SECRET:
                        self.is_secret = True
                    elif kind == HAS_DATE:
                        self.has_date = True
                    else:
                        self.has_server = True
                # What is joined is what is sent: an enumeration that is a str formats as its name.
                lines.append(_join(field))
            lines.append("")
            self.octets = octets = "\r\n".join(lines).encode("latin-1")
        except (AttributeError, LookupError, TypeError, ValueError):
            return False
        # Nothing is left but the ends of the lines: no other control.
        return octets.translate(None, _SENDABLE) == b"\r\n" * (len(lines) - 1)

    def _take_each(self, line: str, fields: Iterable[tuple[str, str]]) -> None:
        """Check one field after the other, and say what is wrong with the first that is."""
        self.content_length = None
        lines = [line, "\r\n"]
        for field in fields:
            kind, line, length = check_field(field)
            lines.append(line)
            if kind == HAS_LENGTH:
                if self.content_length is not None:
                    raise ValueError("Content-Length given twice")
                self.content_length = length
            elif kind == HAS_DATE:
                self.has_date = True
            elif kind == HAS_SERVER:
                self.has_server = True
            elif kind == SECRET:
                self.is_secret = True
        self.octets = "".join(lines).encode("latin-1")

    @property
    def lines(self) -> str:
        """The field lines, for the log."""
        return self.octets.partition(b"\r\n")[2].decode("latin-1")

    def without_length(self) -> bytes:
        """The octets without Content-Length, where a message must not have it."""
        return b"".join(
            line + b"\r\n"
            for line in self.octets.split(b"\r\n")
            if line and line.partition(b":")[0].lower() != b"content-length"
        )


def _status(status: str) -> tuple[int, str]:
    """The number in ``status``, and the status line. Raises ``TypeError`` and ``ValueError``."""
    if not isinstance(status, str):
        raise TypeError(f"status must be str, not {type(status).__name__}")
    match = grammar.STATUS.fullmatch(status)
    if match is None:
        raise ValueError(f"status must be three digits, a space and a reason: {status!r}")
    code = int(match[1])
    if code < 200:
        raise ValueError(f"1xx is not a valid final status: {status!r}")
    # What was checked is what is sent: an enumeration that is a str formats as its name.
    known = code, f"HTTP/1.1 {match[0]}"
    _STATUSES.store(match[0], known)
    return known


def check_field(field: tuple[str, str]) -> tuple[int, str, int]:
    """Check one field; return what it is to the message, its line and, of a Content-Length, the
    number.

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
    match = grammar.TOKEN.fullmatch(name)
    if match is None:
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
    if len(name) <= _LONGEST_NAME:
        NAMES.store(match[0], kind)
    # join, because what formats a subclass of str is not what was checked.
    return kind, "".join((name, ": ", value, "\r\n")), length
