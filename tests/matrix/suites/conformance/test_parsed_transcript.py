"""Responses of a transcript: whole ones, what is left of others, and how the connection ended."""

from __future__ import annotations

import pytest
from wsgi_matrix.model.wire import Transcript, WireEvent
from wsgi_matrix.suites.conformance import parsed_transcript
from wsgi_matrix.suites.conformance.parsed_transcript import PROMPT, ParsedConnection, parse

OK = b"HTTP/1.1 200 OK\r\n"
TWO = OK + b"Content-Length: 2\r\n\r\nhi"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"


def connection(
    *parts: bytes | str,
    methods: tuple[str, ...] = ("GET",),
    events: tuple[WireEvent, ...] = (),
) -> ParsedConnection:
    """What is parsed of octets, and of an end (``fin``, ``reset``), a tenth of a second apart."""
    there = [WireEvent(at=0.0, on="a", what="sent", data=b"GET / HTTP/1.1\r\n\r\n")]
    for number, part in enumerate(parts, 1):
        what, data = ("received", part) if isinstance(part, bytes) else (part, b"")
        there.append(WireEvent(at=number / 10, on="a", what=what, data=data))
    there.append(WireEvent(at=0.05, on="b", what="received", data=b"of another connection"))
    return parse(Transcript(name="t", events=(*there, *events)), methods)


def test_a_response_is_taken_apart_and_kept_as_it_was() -> None:
    raw = OK + b"X-B: 2\r\nx-b: 1\r\nContent-Length: 14\r\n\r\n" + b'{"a": [1, 2]}\n'
    found = connection(raw[:30], raw[30:])
    [response] = found.responses
    assert (response.status, response.status_line, response.raw) == (200, OK[:-2], raw)
    assert response.values("X-b") == [b"2", b"1"]
    assert response.values("X-C") == []
    assert response.json() == {"a": [1, 2]}
    assert (found.broken, found.rest, found.end, found.closed) == ("", b"", "open", False)


def test_each_response_is_framed_by_the_method_of_its_request() -> None:
    head = OK + b"Content-Length: 9\r\n\r\n"
    found = connection(head + TWO + CHUNKED, methods=("HEAD", "GET", "POST"))
    assert [each.method for each in found.responses] == ["HEAD", "GET", "POST"]
    assert [each.body for each in found.responses] == [b"", b"hi", b"hi"]
    assert found.rest == b""


def test_what_comes_behind_the_last_response_is_left_over() -> None:
    assert connection(TWO + b"more").rest == b"more"
    assert len(connection(TWO + TWO, methods=("GET",)).responses) == 1
    assert connection(TWO, methods=("GET", "GET")).broken == ""


def test_interim_responses_are_told_by_their_status() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    [response] = connection(CONTINUE + hints + TWO).responses
    assert (response.status, response.interim) == (200, (100, 103))


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((OK + b"Content-Length: 3\r\n\r\nhi",), "incomplete"),
        ((OK + b"Content-Length: 3\r\n\r\nhi", "fin"), "closed within the body"),
        ((b"hello\r\n\r\n",), "no HTTP/1.x status line"),
        # The probe's reader takes these, and h11 does not.
        ((b"HTTP/1.1 200 OK\r\nA : 1\r\nContent-Length: 2\r\n\r\nhi",), "rejected by h11"),
        ((b"HTTP/1.1 200 OK\r\nA: \x00\r\nContent-Length: 2\r\n\r\nhi",), "rejected by h11"),
    ],
)
def test_what_is_no_response_for_one_of_two_readers_is_none(parts, said: str) -> None:
    found = connection(*parts)
    assert found.responses == ()
    assert said in found.broken
    assert found.nothing == f"no response ({found.broken})"
    assert found.rest == parts[0]


@pytest.mark.parametrize(("end", "said"), [("open", "open"), ("fin", "fin"), ("reset", "reset")])
def test_where_nothing_came_the_end_is_told(end: str, said: str) -> None:
    found = connection(*([] if end == "open" else [end]))
    assert (found.responses, found.broken) == ((), "")
    assert found.nothing == f"no response ({said})"


def test_content_may_end_with_the_connection() -> None:
    [response] = connection(OK + b"\r\nuntil", b" the end", "fin").responses
    assert response.body == b"until the end"
    assert connection(OK + b"\r\nuntil").broken == "incomplete"


@pytest.mark.parametrize(
    ("waited", "end", "closed"),
    [(0.1, "fin", True), (PROMPT, "reset", True), (PROMPT + 0.1, "fin", False)],
)
def test_an_end_that_a_timeout_brings_is_no_close(waited: float, end: str, closed: bool) -> None:
    """It counts from the last octet in either direction."""
    event = WireEvent(at=0.1 + waited, on="a", what=end)
    found = connection(TWO, events=(event,))
    assert found.end == end
    assert found.waited == pytest.approx(waited)
    assert found.closed is closed


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, None),
        ({"status": 201}, "status 200 and 2 octets of content for h11"),
        ({"body": b"other"}, "status 200 and 2 octets of content for h11"),
        ({"fields": ()}, "other fields for h11"),
        ({"raw": TWO[:-1]}, "incomplete for h11 (NEED_DATA)"),
    ],
)
def test_where_the_readers_differ_it_is_said(change, said: str | None) -> None:
    [response] = connection(TWO).responses
    changed = parsed_transcript.ParsedResponse(**(vars(response) | change))
    assert parsed_transcript.h11_differs(changed, ended=False) == said
