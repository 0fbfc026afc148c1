"""``onegate.http1.request_cache``: what a parser remembers, and what it does not."""

from __future__ import annotations

import pytest
from onegate.http1 import HeadParser, MessageLimits, ProtocolError

from tests.server.http1.readers import key_of


def remembered(parser: HeadParser) -> set[str]:
    return set(parser._cache.lines.entries)


def test_a_remembered_line_means_the_same() -> None:
    parser = HeadParser(MessageLimits(), key_of)
    octets = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX: 1\r\nX: 1\r\nY_: 2"
    first, second = parser.parse(octets), parser.parse(octets)
    assert "Content-Length: 5" in remembered(parser)
    for head in (first, second):
        assert head.fields == {"host": "a", "content-length": "5", "x": "1,1"}
        assert (head.content_length, head.authority) == (5, "a")


def test_a_remembered_line_is_still_judged_with_the_others() -> None:
    parser = HeadParser(MessageLimits(), key_of)
    parser.parse(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Type: a/b")
    for line in (b"Host: a", b"Content-Length: 5", b"Content-Type: a/b"):
        with pytest.raises(ProtocolError, match="given twice"):
            parser.parse(b"GET / HTTP/1.1\r\nHost: a\r\n" + line + b"\r\n" + line)


def test_secrets_are_not_remembered() -> None:
    parser = HeadParser(MessageLimits(), key_of)
    secrets = "Cookie: a", "AUTHORIZATION: b", "Proxy-Authorization: c"
    parser.parse("\r\n".join(("GET / HTTP/1.1", "Host: a", *secrets)).encode())
    assert remembered(parser) == {"Host: a"}


def test_memory_is_bounded_in_lines_and_length() -> None:
    parser = HeadParser(MessageLimits(), key_of)
    parser.parse(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 254)
    assert remembered(parser) == {"Host: a"}
    for number in range(3000):
        parser.parse(b"GET / HTTP/1.1\r\nHost: a\r\nX: %d" % number)
        assert len(remembered(parser)) <= 1024
    assert "X: 2999" in remembered(parser)


def test_what_is_refused_is_not_remembered() -> None:
    parser = HeadParser(MessageLimits(), key_of)
    for _ in range(2):
        with pytest.raises(ProtocolError):
            parser.parse(b"GET / HTTP/1.1\r\nHost: a\r\nX : 1")
    assert remembered(parser) == {"Host: a"}
