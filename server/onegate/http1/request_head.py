"""What a request's head means for the message: its framing, its connection, its host.

RFC 9112, sections 3.2, 6 and 9; every doubt is an error.
"""

from __future__ import annotations

from onegate.http1 import grammar
from onegate.http1.errors import ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


ORDINARY, HOST, CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION, EXPECT, SINGLETON, DROPPED = range(8)

KINDS = {
    "host": HOST,
    "content-length": CONTENT_LENGTH,
    "transfer-encoding": TRANSFER_ENCODING,
    "connection": CONNECTION,
    "expect": EXPECT,
    "content-type": SINGLETON,
}
"""What a field is to the message, by its name in lower case."""


class Head:
    """A request head that was accepted. The keys of ``fields`` are those of the parser's owner."""

    __slots__ = (
        "authority",
        "chunked",
        "close",
        "content_length",
        "expect_continue",
        "fields",
        "line",
        "method",
        "minor",
        "ready",
        "target",
    )

    line: bytes
    """The request line as it came."""
    method: str
    target: str
    """The request-target exactly as it came."""
    minor: int
    """Minor version: 0, or 1 and above, which get a response of 1.1 (RFC 9110, 2.5)."""
    fields: dict[str, Any]
    """For the owner to take; a ``Connection`` makes the environ of them, and leaves none here."""
    content_length: int
    """Octets of content; 0 without Content-Length."""
    chunked: bool
    close: bool
    """True if this is the last request of the connection (RFC 9112, 9.3)."""
    expect_continue: bool
    authority: str
    """Host from the target in absolute-form, else from the Host field (RFC 9112, 3.2.2)."""
    ready: Any
    """What the owner of a remembered head keeps with it; ``None`` until it has set it."""


def set_semantics(head: Head, special: list[tuple[int, str]], largest: int) -> None:
    """Set what the fields that concern framing and connection say together.

    ``special``: kind and value of each. ``largest``: octets of content that are taken. Raises
    :class:`ProtocolError`: 400, 413, 417 or 501.
    """
    host: str | None = None
    length: str | None = None
    coding: str | None = None
    connection: str | None = None
    expect: str | None = None
    for kind, value in special:
        if kind == HOST:
            # Two Host lines, or one that is no host: 400 (RFC 9112, 3.2).
            if host is not None:
                raise ProtocolError(400, "Host given twice")
            if grammar.HOST.fullmatch(value) is None:
                raise ProtocolError(400, "invalid Host", value)
            host = value
        elif kind == CONTENT_LENGTH:
            # Even two equal ones are refused: no client needs them, smuggling does.
            if length is not None:
                raise ProtocolError(400, "Content-Length given twice")
            length = value
        elif kind == TRANSFER_ENCODING:
            coding = value if coding is None else f"{coding},{value}"
        elif kind == CONNECTION:
            connection = value if connection is None else f"{connection},{value}"
        elif kind == EXPECT:
            expect = value if expect is None else f"{expect},{value}"
    if host is None and head.minor:
        raise ProtocolError(400, "HTTP/1.1 without Host")
    head.authority = head.authority or host or ""
    set_framing(head, length, coding, largest)
    head.close = is_last(connection, head.minor)
    head.expect_continue = expect is not None and expects_continue(head, expect)


def set_framing(head: Head, length: str | None, coding: str | None, largest: int) -> None:
    """Set how long the content is (RFC 9112, 6.3). Every doubt is an error.

    ``length``, ``coding``: the values of Content-Length and Transfer-Encoding. ``largest``: octets
    of content that are taken. Raises :class:`ProtocolError`: 400, 413 or 501.
    """
    head.chunked = False
    head.content_length = 0
    if coding is not None:
        if length is not None:
            raise ProtocolError(400, "both Content-Length and Transfer-Encoding")
        if not head.minor:
            raise ProtocolError(400, "Transfer-Encoding in HTTP/1.0")
        codings = [name.strip(" \t").lower() for name in coding.split(",")]
        if codings != ["chunked"]:
            if codings[-1] == "chunked" and "chunked" not in codings[:-1] and all(codings):
                raise ProtocolError(501, "transfer coding other than chunked", coding)
            raise ProtocolError(400, "the final transfer coding is not a single chunked", coding)
        head.chunked = True
    elif length is not None:
        if grammar.CONTENT_LENGTH.fullmatch(length) is None:
            raise ProtocolError(400, "invalid Content-Length", length)
        # Eighteen digits hold any real length and keep int() cheap.
        significant = length.lstrip("0") or "0"
        if len(significant) > 18 or int(significant) > largest:
            raise ProtocolError(413, f"content over {largest} octets")
        head.content_length = int(significant)


def is_last(connection: str | None, minor: int) -> bool:
    """Whether the connection ends after this request, by the value of its Connection field: it is
    persistent by default from 1.1 on, on request before (RFC 9112, 9.3)."""
    if connection is None:
        return not minor
    options = [option.strip(" \t").lower() for option in connection.split(",")]
    return "close" in options or (not minor and "keep-alive" not in options)


def expects_continue(head: Head, expect: str) -> bool:
    """Whether the client waits for a 100 (Continue) before it sends the content, by the value of
    its Expect field; what the head says of its content is known. Raises :class:`ProtocolError` 417.
    """
    if not head.minor:
        return False  # to be ignored (RFC 9110, 10.1.1)
    # A list, whose empty elements are ignored (RFC 9110, 10.1.1 and 5.6.1).
    expectations = [member.strip(" \t").lower() for member in expect.split(",")]
    if not set(expectations) <= {"100-continue", ""}:
        raise ProtocolError(417, "unknown expectation", ", ".join(expectations))
    return "100-continue" in expectations and (head.chunked or head.content_length > 0)
