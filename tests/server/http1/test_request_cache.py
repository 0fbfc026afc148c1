"""``onegate.http1.request_cache``: what a parser remembers, and what it does not."""

from __future__ import annotations

import pytest
from onegate.http1 import HeadParser, MessageLimits, ProtocolError

from tests.server.http1.readers import key_of


def names(parser: HeadParser) -> set[str]:
    return set(parser._cache.keys.entries)


def test_a_name_that_was_seen_before_means_the_same() -> None:
    parser = HeadParser(MessageLimits(), key_of)
    octets = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX: 1\r\nX: 1\r\nY_: 2"
    first, second = parser.parse(octets), parser.parse(octets)
    assert names(parser) == {"Host:", "Content-Length:", "X:"}
    for head in (first, second):
        assert head.fields == {"host": "a", "content-length": "5", "x": "1,1"}
        assert (head.content_length, head.authority) == (5, "a")


def test_a_line_whose_name_is_known_is_still_judged_with_the_others() -> None:
    parser = HeadParser(MessageLimits(), key_of)
    parser.parse(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Type: a/b")
    for line in (b"Host: a", b"Content-Length: 5", b"Content-Type: a/b"):
        with pytest.raises(ProtocolError, match="given twice"):
            parser.parse(b"GET / HTTP/1.1\r\nHost: a\r\n" + line + b"\r\n" + line)


def test_names_are_bounded_in_number_and_length() -> None:
    parser = HeadParser(MessageLimits(), key_of)
    parser.parse(b"GET / HTTP/1.1\r\nHost: a\r\n" + b"x" * 65 + b": 1")
    assert names(parser) == {"Host:"}
    for number in range(3000):
        parser.parse(b"GET / HTTP/1.1\r\nHost: a\r\nX%d: 1" % number)
        assert len(names(parser)) <= 1024
    assert "X2999:" in names(parser)


def test_what_is_refused_is_not_remembered() -> None:
    parser = HeadParser(MessageLimits(), key_of)
    for _ in range(2):
        with pytest.raises(ProtocolError):
            parser.parse(b"GET / HTTP/1.1\r\nHost: a\r\nX : 1")
    assert names(parser) == {"Host:"}


def test_a_head_is_remembered_when_it_comes_again() -> None:
    parser = HeadParser(MessageLimits(), key_of)
    octets = b"GET /a HTTP/1.1\r\nHost: a\r\nConnection: close"
    parser.parse(octets)  # line by line
    for _ in range(2):
        assert parser.recall(octets + b"\r\n\r\n") is None
        parser.parse(octets)
    head = parser.recall(octets + b"\r\n\r\n")
    assert head is not None
    assert (head.method, head.target, head.minor, head.close) == ("GET", "/a", 1, True)
    assert (head.fields, head.authority) == ({"host": "a", "connection": "close"}, "a")
    assert (head.content_length, head.chunked, head.expect_continue) == (0, False, False)
    assert (head.line, head.ready) == (b"GET /a HTTP/1.1", None)


@pytest.mark.parametrize(
    "head",
    [
        "GET /?a HTTP/1.1\r\nHost: a",
        "GET / HTTP/1.1\r\nHost: a\r\nCookie: a",
        "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: a",
        "GET / HTTP/1.1\r\nHost: a\r\nProxy-Authorization: a",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked",
        "GET / HTTP/1.1\r\nHost: a\r\nX: " + "x" * 508,
    ],
)
def test_a_head_that_is_not_remembered(head: str) -> None:
    parser = HeadParser(MessageLimits(), key_of)
    for _ in range(4):
        parser.parse(head.encode())
    assert not parser._cache.heads.entries
