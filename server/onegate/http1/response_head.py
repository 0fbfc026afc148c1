"""The head of a response as an application gives it: status and fields, checked, not yet framed.

They are checked before a single octet of them is sent, and hop-by-hop fields are refused (PEP 3333,
"Other HTTP Features"). What comes again and again is remembered, and then not checked.
"""

from __future__ import annotations

from onegate.http1 import grammar

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
PLAIN, LENGTH, DATE, SERVER = range(4)
_SPECIAL = {"content-length": LENGTH, "date": DATE, "server": SERVER}

_remembered: dict[tuple[str, str], tuple[int, str, int]] = {}
_REMEMBERED_LINES = 1024
_REMEMBERED_LENGTH = 256


Whole = tuple[float, str, int, bool, int, bool]
"""What the octets of a whole head are for: the second, the request's method and minor version, and
three parameters of :func:`onegate.http1.response.frame_whole`, which makes them."""


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
        """Its octets, and what they are for; see :func:`onegate.http1.response.frame_whole`. Calls
        in several threads have the same head, so it is one value: stored once and read once."""
        lines = ""
        for field in fields:
            try:
                kind, line, length = _remembered[field]
            except (KeyError, TypeError):
                kind, line, length = check_field(field)
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

    All threads share what is remembered here. Each look-up, each store and each ``clear`` is one
    step of a dictionary; what is stored is complete and is not changed afterwards, but for
    ``whole``. That two threads may both find room for one more, or one no longer find what it has
    just looked for, costs a check.

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
    # Of the key, not of the list: that is the application's, and its threads may share it.
    own: tuple[tuple[str, str], ...] = key[1:]  # type: ignore[assignment]  # the status is the first
    head = ResponseHead(status, own)
    if mark not in _heads_seen_once:
        if len(_heads_seen_once) >= 4 * _REMEMBERED_HEADS:
            _heads_seen_once.clear()
        _heads_seen_once.add(mark)
    elif all(field in _remembered for field in own):  # none of them long, none a secret
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


def check_field(field: tuple[str, str]) -> tuple[int, str, int]:
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
