"""A response taken apart, and what people are shown of two that differ."""

from __future__ import annotations

import pytest
from wsgi_matrix.http.response import AFTER, BEFORE, Response, split, unlike, visible, where_differs

OK = b"HTTP/1.1 200 OK\r\n"


def test_fields_keep_their_order_and_spelling_and_lose_their_white_space() -> None:
    found = split(OK + b"X-B: 2\r\nx-b:\t1 \r\nno colon\r\nContent-Length: 2\r\n\r\nhi")
    assert found.status_line == OK[:-2]
    assert found.fields == ((b"X-B", b"2"), (b"x-b", b"1"), (b"Content-Length", b"2"))
    assert found.values(b"X-b") == [b"2", b"1"]
    assert found.values(b"X-C") == []
    assert found.body == b"hi"


def test_interim_responses_are_passed_over() -> None:
    interim = b"HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\n"
    found = split(interim * 2 + OK + b"Content-Length: 2\r\n\r\nhi")
    assert found == Response(OK[:-2], ((b"Content-Length", b"2"),), b"hi")


@pytest.mark.parametrize("coding", [b"chunked", b"Chunked", b"gzip, chunked"])
def test_chunked_content_is_without_its_framing(coding: bytes) -> None:
    head = OK + b"Transfer-Encoding: " + coding + b"\r\n\r\n"
    found = split(head + b"5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nT: 1\r\n\r\n")
    assert found.body == b"hello!"


def test_a_response_to_head_has_the_fields_of_a_content_that_is_not_there() -> None:
    found = split(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"HEAD")
    assert found.body == b""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET / HTTP/1.1\r\n", "GET / HTTP/1.1␍␊"),
        ("\x1b[31m\tred\x7f", "␛[31m␉red␡"),
        ("\x00\x1f\x80\x9f", "\\x00\\x1f\\x80\\x9f"),
        ("\xa0ü€", "\xa0ü€"),
    ],
)
def test_control_characters_are_shown_and_not_sent_to_a_terminal(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_the_first_line_that_differs_is_told_with_its_number() -> None:
    assert unlike(b"a\nb\nc", b"a\nb\nc") is None
    found = unlike(b"a\nb\nc", b"a\nB\nC")
    assert found is not None
    assert (found.line, found.there, found.here) == (2, "b", "B")


def test_a_line_that_is_not_there_is_told_as_such() -> None:
    found = unlike(b"a\nb", b"a")
    assert found is not None
    assert (found.line, found.there) == (2, "b")
    assert found.here == "(no such line)"
    found = unlike(b"a", b"a\n")
    assert found is not None
    assert (found.there, found.here) == ("(no such line)", "")


def test_of_a_long_line_what_is_around_the_difference_is_shown() -> None:
    found = unlike(b"x" * 500 + b"1" + b"y" * 500, b"x" * 500 + b"2" + b"y" * 500)
    assert found is not None
    assert found.there == "…" + "x" * BEFORE + "1" + "y" * (AFTER - 1) + "…"
    assert found.here == found.there.replace("1", "2")
    short = unlike(b"x" * BEFORE + b"1", b"x" * BEFORE + b"2")
    assert short is not None
    assert (short.there, short.here) == ("x" * BEFORE + "1", "x" * BEFORE + "2")


def test_octets_that_are_no_text_are_shown_in_hexadecimal() -> None:
    found = unlike(b"\xff\x00", b"\xfe\x00")
    assert found is not None
    assert (found.there, found.here) == ("\\xff\\x00", "\\xfe\\x00")


@pytest.mark.parametrize(
    ("got", "part"),
    [
        (b"HTTP/1.1 200 Ok\r\nA: 1\r\n\r\nbody", "status line: expected b'HTTP/1.1 200 OK\\r\\n'"),
        (OK + b"A: 2\r\n\r\nbody", "header field 1: expected b'A: 1\\r\\n', got b'A: 2\\r\\n'"),
        (OK + b"A: 1\r\nB: 1\r\n\r\nbody", "header field 2: expected b'\\r\\n', got b'B: 1\\r\\n'"),
        (OK + b"A: 1\r\n\r\nbodY", "body, octet 3: expected b'body', got b'bodY' (octet 28)"),
        (OK + b"A: 1\r\n\r\nbody\n", "body, octet 4: expected b'body', got b'body\\n'"),
        (OK + b"A: 1\r\n\r\n", "body, octet 0: expected b'body', got the end (octet 25)"),
    ],
)
def test_where_two_responses_differ_first(got: bytes, part: str) -> None:
    assert where_differs(OK + b"A: 1\r\n\r\nbody", got).startswith(part)
    assert where_differs(got, got) == "nothing"


def test_of_a_long_line_its_begin_is_quoted() -> None:
    expected, got = (OK + b"\r\n" + b"x" * 300 + each for each in (b"1", b"2"))
    assert "...'" not in where_differs(OK + b"\r\n" + b"x" * 200, OK + b"\r\n" + b"y")
    text = where_differs(expected, got)
    assert text.count("x" * 200 + "...'") == 2
    assert "x" * 201 not in text
    assert text.endswith("(octet 319)")
