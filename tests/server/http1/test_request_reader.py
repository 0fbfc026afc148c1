"""Requests of a connection one after the other (RFC 9112, 2.2, 6.3 and 9.3), by rule."""

from __future__ import annotations

import pytest
from onegate.http1 import NEED_DATA, Data, Head, MessageLimits, ProtocolError, request_reader
from onegate.http1.grammar import BARE_LF

from tests.server.http1.readers import Message, all_in_two, new_reader, one_by_one, read

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def error_of(*pieces: bytes, limits: MessageLimits | None = None) -> tuple[int, str]:
    """The error in ``pieces``, the same for all of them at once and octet by octet."""
    octets = b"".join(pieces)
    error = read(pieces, limits).error
    assert error is not None
    assert read([octets], limits).error == error
    assert read(one_by_one(octets), limits).error == error
    return error


def test_R1_one_empty_line_before_a_request_is_ignored() -> None:
    assert read([b"\r\n" + GET + b"\r\n" + GET]).messages == (Message(), Message())
    assert read(one_by_one(b"\r\n" + GET)).messages == (Message(),)
    assert error_of(b"\r\n\r\n" + GET)[0] == 400


def test_R1_an_empty_line_is_not_pending() -> None:
    reader = new_reader(MessageLimits())
    reader.receive(b"\r\n")
    assert reader.next_event() is NEED_DATA
    assert not reader.pending


def test_R2_bare_LF_is_400_when_it_arrives() -> None:
    assert error_of(b"GET / HTTP/1.1\n") == (400, "line ends in a bare LF")
    assert error_of(b"GET / HTTP/1.1\r\nHost: a\n") == (400, "line ends in a bare LF")
    assert error_of(b"GET / HTTP/1.1\r\nHost: a\r\n\n") == (400, "line ends in a bare LF")


def test_R3_bare_CR_before_a_request_is_400() -> None:
    assert error_of(b"\rG")[0] == 400


def test_R7_invalid_request_line_is_refused_when_it_is_there() -> None:
    assert error_of(b"GET /a b HTTP/1.1\r\n") == (400, "invalid request line")
    assert error_of(b"GET / HTTP/3.0\r\n")[0] == 505
    assert error_of(b"CONNECT a:1 HTTP/1.1\r\n")[0] == 501


@pytest.mark.parametrize("octet", [bytes([code]) for code in range(0x21) if code != 0x0D])
def test_R7_what_begins_no_method_is_refused_at_its_first_octet(octet: bytes) -> None:
    assert error_of(octet) == (400, "invalid request line")
    assert error_of(b"\r\n", octet) == (400, "invalid request line")


def test_R8_a_line_without_end_is_414() -> None:
    limits = MessageLimits(request_line=20)
    assert read([b"GET /" + b"x" * 15], limits).error is None
    assert read([b"GET /" + b"x" * 15 + b"\r"], limits).error is None
    assert error_of(b"GET /" + b"x" * 16 + b"\r", limits=limits)[0] == 414


def test_R23_http09_is_refused_without_waiting() -> None:
    assert error_of(b"GET /\r\n")[0] == 400


def test_R33_a_head_without_end_is_431() -> None:
    limits = MessageLimits(head=30)
    head = b"GET / HTTP/1.1\r\nHost: a\r\n"
    assert read([head + b"X: 12\r\n\r\n"], limits).messages
    assert read([head + b"X: 1234\r"], limits).error is None
    assert error_of(head + b"X: 123\r\n\r\n", limits=limits)[0] == 431
    assert error_of(head + b"X: 123456", limits=limits)[0] == 431


def test_R33_limits_hold_whatever_they_are() -> None:
    octets = b"GET /aaaaaaaaaa HTTP/1.1\r\nHost: a\r\nX: 1\n\r\n\r\n"
    for head in range(len(octets) + 2):
        for line in range(30):
            limits = MessageLimits(head=head, request_line=line)
            told = {read(pieces, limits).error for pieces in [[octets], one_by_one(octets)]}
            assert len(told) == 1, (head, line, told)
            assert None not in told


def test_R45_without_length_the_next_octets_are_the_next_request() -> None:
    assert read([b"POST / HTTP/1.1\r\nHost: a\r\n\r\n" + GET]).messages == (
        Message(method="POST"),
        Message(),
    )


def test_R46_chunked_content_of_any_split() -> None:
    octets = CHUNKED + b"5\r\nhello\r\n0\r\nX: 1\r\n\r\n" + GET
    for pieces in all_in_two(octets):
        first, second = read(pieces).messages
        assert (first.content, second) == (b"hello", Message())


def test_R55_trailer_fields_are_in_no_head() -> None:
    first, second = read([CHUNKED + b"0\r\nX-T: 1\r\nHost: b\r\n\r\n" + GET]).messages
    assert first.fields == (("host", "a"), ("transfer-encoding", "chunked"))
    assert second == Message()


def test_R56_trailer_fields_have_no_effect() -> None:
    trailer = b"Content-Length: 99\r\nTransfer-Encoding: gzip\r\nConnection: close\r\nExpect: x\r\n"
    first, second = read([CHUNKED + b"0\r\n" + trailer + b"\r\n" + GET]).messages
    assert (first.close, first.content, second) == (False, b"", Message())


def test_R57_content_that_ends_early_is_never_the_last() -> None:
    for octets in (POST + b"hello", CHUNKED + b"5\r\nhello\r\n0\r\n\r\n"):
        for end in range(len(octets)):
            assert not read([octets[:end]]).whole, octets[:end]
        assert len(read([octets]).whole) == 1


def test_R63_pipelined_requests_come_in_order() -> None:
    octets = b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(200))
    targets = [message.target for message in read([octets]).messages]
    assert targets == [f"/{number}" for number in range(200)]
    assert read(one_by_one(octets)) == read([octets])


def test_R64_content_is_never_read_as_a_request() -> None:
    octets = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(GET) + GET + GET
    for pieces in all_in_two(octets):
        first, second = read(pieces).messages
        assert (first.content, second) == (GET, Message())


def test_R65_the_error_of_a_HEAD_says_so() -> None:
    def method_of(*pieces: bytes) -> str:
        reader = new_reader(MessageLimits())
        try:
            for piece in pieces:
                reader.receive(piece)
                reader.next_event()
        except ProtocolError as error:
            return error.method
        raise AssertionError("not refused")

    for octets in (b"HEAD / HTTP/1.1\r\n\r\n", b"HEAD / HTTP/1.1\n", b"HEAD /a b HTTP/1.1\r\n"):
        assert method_of(octets) == "HEAD"
        assert method_of(*one_by_one(octets)) == "HEAD"
    assert method_of(b"HEADER / HTTP/1.1\r\n\r\n") == "GET"
    assert method_of(b"GET / HTTP/1.1\r\n\r\n") == "GET"


def test_pending_says_whether_octets_are_left_over() -> None:
    reader = new_reader(MessageLimits())
    assert not reader.pending
    reader.receive(POST + b"he")
    assert isinstance(reader.next_event(), Head)
    assert reader.pending
    event = reader.next_event()
    assert isinstance(event, Data)
    assert (event.content, event.last) == (b"he", False)
    assert reader.next_event() is NEED_DATA
    assert not reader.pending
    reader.receive(b"llo" + GET[:3])
    event = reader.next_event()
    assert isinstance(event, Data)
    assert (event.content, event.last) == (b"llo", True)
    assert reader.pending
    assert reader.next_event() is NEED_DATA
    reader.receive(GET[3:])
    assert isinstance(reader.next_event(), Head)
    assert reader.next_event() is NEED_DATA


def test_chunked_without_octets_needs_data() -> None:
    reader = new_reader(MessageLimits())
    reader.receive(CHUNKED)
    assert isinstance(reader.next_event(), Head)
    assert not reader.pending
    assert reader.next_event() is NEED_DATA
    reader.receive(b"5\r")
    assert reader.next_event() is NEED_DATA


def test_a_head_that_comes_octet_by_octet_is_looked_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_at = 0

    class CountingPattern:
        def search(self, octets: bytes, start: int, stop: int) -> object:
            nonlocal looked_at
            looked_at += stop - start
            return BARE_LF.search(octets, start, stop)

    monkeypatch.setattr(request_reader, "BARE_LF", CountingPattern())
    octets = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: 1\r\n" * 90
    assert read(one_by_one(octets)).error is None
    assert looked_at == len(octets)
