"""Responses: what is sent in front of the content, and what never is (RFC 9112, 6)."""

from __future__ import annotations

import itertools
import re
import time
from email.utils import parsedate_to_datetime
from enum import Enum

import pytest
from onegate.http1 import Head
from onegate.http1.date import imf_fixdate
from onegate.http1.response_validation import ResponseHead
from onegate.http1.response_writer import (
    CONTINUE,
    Framing,
    chunk,
    error_response,
    frame,
    frame_whole,
    interim_response,
)

PLAIN = ("Content-Type", "text/plain")


def framed(
    status: str = "200 OK",
    fields: list[tuple[str, str]] | None = None,
    *,
    method: str = "GET",
    minor: int = 1,
    close: bool = False,
    length: int | None = None,
) -> tuple[list[str], Framing, bool]:
    """The lines of the head, the framing, and whether the connection ends."""
    head = ResponseHead(status, [PLAIN] if fields is None else fields)
    octets, framing, ends = frame(head, method=method, minor=minor, close=close, length=length)
    text = octets.decode("latin-1")
    assert text.endswith("\r\n\r\n")
    return text[:-4].split("\r\n"), framing, ends


def values(lines: list[str], name: str) -> list[str]:
    """The values of the fields called ``name``."""
    return [line.partition(": ")[2] for line in lines[1:] if line.lower().startswith(name + ":")]


def test_R21_reply_is_always_http11() -> None:
    for minor in (0, 1, 2, 9):
        assert framed(minor=minor)[0][0] == "HTTP/1.1 200 OK"


def test_R58_R59_connection_says_what_happens() -> None:
    for minor, close, expected in [
        (1, False, []),
        (1, True, ["close"]),
        (0, False, ["keep-alive"]),
        (0, True, ["close"]),
    ]:
        lines, _, ends = framed(minor=minor, close=close, length=0)
        assert (values(lines, "connection"), ends) == (expected, close)


def test_R62_http10_without_length_ends_with_the_connection() -> None:
    lines, framing, ends = framed(minor=0, close=False)
    assert (framing, ends) == (Framing.CLOSE, True)
    assert values(lines, "connection") == ["close"]


def test_R65_head_has_no_content_and_keeps_the_length() -> None:
    lines, framing, _ = framed(fields=[("Content-Length", "9")], method="HEAD")
    assert (framing, values(lines, "content-length")) == (Framing.NONE, ["9"])
    lines, framing, ends = framed(method="HEAD")
    assert (framing, ends) == (Framing.NONE, False)
    assert values(lines, "transfer-encoding") == values(lines, "content-length") == []


def test_R66_204_and_304_have_no_content() -> None:
    for status in ("204 No Content", "304 Not Modified"):
        for minor in (0, 1):
            lines, framing, ends = framed(status, minor=minor, length=5)
            assert (framing, ends) == (Framing.NONE, False)
            assert values(lines, "transfer-encoding") == values(lines, "content-length") == []


def test_R67_no_length_in_204_whatever_the_method() -> None:
    fields = [("X-A", "1"), ("content-LENGTH", "0"), ("X-B", "Content-Length: 0")]
    for method in ("GET", "HEAD", "DELETE"):
        lines, framing, _ = framed("204 No Content", fields, method=method)
        assert framing is Framing.NONE
        assert values(lines, "content-length") == []
        assert lines[1:3] == ["X-A: 1", "X-B: Content-Length: 0"]


def test_R67_no_length_and_no_coding_in_1xx() -> None:
    with pytest.raises(ValueError, match="Content-Length"):
        interim_response(103, [("content-length", "0")])
    with pytest.raises(ValueError, match="hop-by-hop"):
        interim_response(103, [("Transfer-Encoding", "chunked")])


def test_R68_length_of_304_is_the_application_s() -> None:
    lines, framing, _ = framed("304 Not Modified", [("Content-Length", "9")], length=0)
    assert (framing, values(lines, "content-length")) == (Framing.NONE, ["9"])


def test_R68_a_304_does_not_say_that_it_is_empty() -> None:
    """0 is the length of what the application gave, not of the 200 (RFC 9110, 8.6 and 15.4.5)."""
    for method in ("GET", "HEAD"):
        lines, framing, _ = framed(
            "304 Not Modified", [("ETag", '"a"'), ("Content-Length", "0")], method=method
        )
        assert (framing, values(lines, "content-length")) == (Framing.NONE, [])
        assert values(lines, "etag") == ['"a"']


def test_R68_an_empty_resource_says_so_to_head() -> None:
    lines, framing, _ = framed(fields=[("Content-Length", "0")], method="HEAD")
    assert (framing, values(lines, "content-length")) == (Framing.NONE, ["0"])


def test_205_has_no_content_and_says_so() -> None:
    """RFC 9110, 15.3.6; nothing but its length tells a client (RFC 9112, 6.3)."""
    for fields in ([], [("Content-Length", "9")], [("Content-Length", "0")]):
        for method in ("GET", "HEAD"):
            for minor in (0, 1):
                lines, framing, ends = framed(
                    "205 Reset Content", fields, method=method, minor=minor, length=5
                )
                assert (framing, ends) == (Framing.NONE, False)
                assert values(lines, "content-length") == ["0"]
                assert values(lines, "transfer-encoding") == []


def test_R69_no_coding_to_http10() -> None:
    lines, _, _ = framed(minor=0)
    assert values(lines, "transfer-encoding") == []


def test_R70_never_both_length_and_coding() -> None:
    for fields in ([PLAIN], [("Content-Length", "3")]):
        for minor in (0, 1):
            for length in (None, 3):
                lines, framing, _ = framed(fields=fields, minor=minor, length=length)
                lengths = values(lines, "content-length")
                codings = values(lines, "transfer-encoding")
                assert (bool(lengths), bool(codings)) == (
                    framing is Framing.LENGTH,
                    framing is Framing.CHUNKED,
                )


def test_length_is_kept_added_or_replaced_by_chunks() -> None:
    lines, framing, _ = framed(fields=[("Content-Length", "3")], length=9)
    assert (framing, values(lines, "content-length")) == (Framing.LENGTH, ["3"])
    lines, framing, _ = framed(length=9)
    assert (framing, values(lines, "content-length")) == (Framing.LENGTH, ["9"])
    lines, framing, _ = framed()
    assert (framing, values(lines, "transfer-encoding")) == (Framing.CHUNKED, ["chunked"])


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("status", ["200 OK", "404 Not Found", "204 None", "205 None", "304 None"])
@pytest.mark.parametrize("declared", [None, "0", "2", "3"])
def test_a_whole_response_is_framed_like_any_other(
    monkeypatch: pytest.MonkeyPatch, kept: bool, status: str, declared: str | None
) -> None:
    """Where all of the content is at hand, and nowhere else: so its length is known."""
    monkeypatch.setattr(time, "time", lambda: 1_800_000_000.5)
    fields = [PLAIN] if declared is None else [PLAIN, ("Content-Length", declared)]
    request = Head()
    for request.method, request.minor, close, length, only in itertools.product(
        ("GET", "HEAD"), (0, 1), (False, True), (0, 2), (False, True)
    ):
        head = ResponseHead(status, fields)
        head.is_kept = kept
        octets, framing, _ = frame(
            head,
            method=request.method,
            minor=request.minor,
            close=close,
            length=length if only else None,
        )
        is_whole = framing is Framing.LENGTH and length > 0 and declared in (None, str(length))
        expected = octets if is_whole else None
        assert frame_whole(head, request, close, length, only) == expected
        known = 1_800_000_000, request.method, request.minor, close, length, only
        assert head.whole == ((known, expected) if kept else (None, None))


def test_R71_one_date_in_every_response() -> None:
    for lines in (framed()[0], error_response(400).decode().split("\r\n")):
        (date,) = values(lines, "date")
        assert re.fullmatch(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} .* GMT", date)
    lines, _, _ = framed(fields=[("dAtE", "Thu, 01 Jan 1970 00:00:00 GMT")])
    assert values(lines, "date") == ["Thu, 01 Jan 1970 00:00:00 GMT"]


def test_R71_date_is_made_anew_when_the_second_has_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    for second in (784111777.2, 784111777.9, 784111778.0):
        monkeypatch.setattr(time, "time", lambda second=second: second)
        assert values(framed()[0], "date") == [f"Sun, 06 Nov 1994 08:49:{int(second) % 60:02} GMT"]


def test_R71_imf_fixdate_is_what_others_read() -> None:
    for second in [0, 951_782_400, 1_709_164_799, 4_102_444_800, *range(0, 31_536_000, 2_600_000)]:
        assert parsedate_to_datetime(imf_fixdate(second)).timestamp() == second


def test_server_is_added_once() -> None:
    assert values(framed()[0], "server") == ["onegate"]
    assert values(framed(fields=[("Server", "mine")])[0], "server") == ["mine"]


def test_R72_status_line_has_a_space_even_without_reason() -> None:
    assert framed("200 ")[0][0] == "HTTP/1.1 200 "


def test_R77_interim_response() -> None:
    octets = interim_response(103, [("Link", "</a>; rel=preload"), ("X", "\xe4")])
    assert octets == (b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nX: \xe4\r\n\r\n")
    assert interim_response(103, []) == b"HTTP/1.1 103 Early Hints\r\n\r\n"
    assert CONTINUE == b"HTTP/1.1 100 Continue\r\n\r\n"


class Text(str, Enum):  # noqa: UP042 - StrEnum would format as its value
    """A str that formats as something else."""

    NAME = "X-A"
    VALUE = "value"
    STATUS = "200 Fine"
    LENGTH = "3"


class Hostile(str):
    """A str that formats as an attack."""

    __slots__ = ()

    def __format__(self, _: str) -> str:
        return "x\r\nSet-Cookie: stolen"

    def __str__(self) -> str:
        return "x\r\nSet-Cookie: stolen"


def test_R84_what_was_checked_is_what_is_sent() -> None:
    for kind in (Text, Hostile):
        for _ in range(2):  # checked first, remembered then
            lines, _, _ = framed(
                kind("200 Fine"), [(kind("X-A"), kind("value")), ("Content-Length", kind("3"))]
            )
            assert lines[:3] == ["HTTP/1.1 200 Fine", "X-A: value", "Content-Length: 3"]


def test_chunk() -> None:
    assert chunk(b"x" * 31) == b"1f\r\n" + b"x" * 31 + b"\r\n"


def test_error_response_is_whole_and_echoes_nothing() -> None:
    head, _, content = error_response(431).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert content == b"431 Request Header Fields Too Large\n"
    assert b"Content-Length: %d" % len(content) in head
    assert b"Connection: close" in head
    assert b"Connection: close" not in error_response(500, close=False)


def test_R65_error_response_to_a_HEAD_has_no_content() -> None:
    octets = error_response(400, method="HEAD")
    assert octets.endswith(b"\r\n\r\n")
    assert b"Content-Length: 16\r\n" in octets
