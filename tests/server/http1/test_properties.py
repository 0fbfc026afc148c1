"""Requests and responses made at random, and h11 and http.client as independent readers."""

from __future__ import annotations

import http.client
import io
import string
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from onegate.http1.response_validation import ResponseHead
from onegate.http1.response_writer import LAST_CHUNK, Framing, chunk, frame

from tests.server.http1.cases import CASES, Case
from tests.server.http1.oracle import check
from tests.server.http1.others import Request, by_h11, comparable
from tests.server.http1.readers import at_random, read

pytestmark = pytest.mark.slow
TCHARS = "!#$%&'*+-.^_`|~" + string.digits + string.ascii_letters
VALUE_CHARS = "".join(map(chr, [*range(0x20, 0x7F), *range(0x80, 0x100)]))
FRAMING = {"host", "content-length", "transfer-encoding", "connection", "expect", "content-type"}

tokens = st.text(TCHARS, min_size=1, max_size=20)
names = st.text(TCHARS.replace("_", ""), min_size=1, max_size=20).filter(
    lambda name: name.lower() not in FRAMING | {"cookie", "upgrade"}
)
values = st.text(VALUE_CHARS, max_size=30).map(lambda value: value.strip(" "))
fields = st.lists(st.tuples(names, values), max_size=6)
targets = st.one_of(
    st.text(string.printable[:94].replace("#", ""), max_size=40).map("/{}".format),
    st.sampled_from(["http://b/", "https://b.example:8443/c?d=e", "http://[::1]?x"]),
)
ows = st.text(" \t", max_size=3)
contents = st.binary(max_size=200)
extensions = st.sampled_from(["", ";a", ";a=b", ';a="b;c"', ';a="\\""', ";a;b=c"])


@st.composite
def chunked_body(draw: Callable[[Any], Any], content: bytes) -> bytes:
    """``content`` in chunks of any sizes, with extensions and a trailer section."""
    octets = b""
    while content:
        size = draw(st.integers(1, len(content)))
        digits = draw(st.sampled_from(["%x", "%X", "%05x"])) % size
        octets += f"{digits}{draw(extensions)}\r\n".encode() + content[:size] + b"\r\n"
        content = content[size:]
    trailer = draw(st.sampled_from(["", "X: 1\r\n", "X-T: a\r\nY:\r\n"]))
    return octets + f"0{draw(extensions)}\r\n{trailer}\r\n".encode()


@st.composite
def requests(draw: Callable[[Any], Any]) -> tuple[bytes, Request]:
    """The octets of a valid request, and what they say."""
    method = draw(tokens.filter(lambda method: method != "CONNECT"))
    target = draw(targets)
    minor = draw(st.integers(0, 9))
    lines = [("Host", "a"), *draw(fields)]
    content: bytes = draw(contents)
    framing = draw(st.sampled_from(["none", "length", "chunked"] if minor else ["none", "length"]))
    if framing == "none":
        content = body = b""
    elif framing == "length":
        lines.append(("Content-Length", str(len(content))))
        body = content
    else:
        lines.append(("Transfer-Encoding", "chunked"))
        body = draw(chunked_body(content))
    head = f"{method} {target} HTTP/1.{minor}\r\n"
    head += "".join(f"{name}:{draw(ows)}{value}{draw(ows)}\r\n" for name, value in lines)
    joined: dict[bytes, bytes] = {}
    for name, value in lines:
        key, octets = name.lower().encode(), value.encode("latin-1")
        joined[key] = joined[key] + b"," + octets if key in joined else octets
    said = Request(method.encode(), target.encode(), minor, tuple(joined.items()), content)
    return f"{head}\r\n".encode("latin-1") + body, said


@given(st.lists(requests(), min_size=1, max_size=4), st.integers(0, 2**32))
def test_what_was_said_is_read_by_us_and_by_h11(
    sent: list[tuple[bytes, Request]], seed: int
) -> None:
    octets = b"".join(each for each, _ in sent)
    said = [request for _, request in sent]
    reading = read(at_random(octets, seed))
    assert reading.error is None
    assert [comparable(message) for message in reading.messages] == said
    assert by_h11(octets) == said


@given(
    octets=st.sampled_from([case.octets for case in CASES if len(case.octets) < 500]),
    changes=st.lists(
        st.tuples(
            st.integers(0, 500),
            st.integers(0, 3),
            st.one_of(st.binary(max_size=3), st.sampled_from([b"\r\n", b"\n", b"\r", b" ", b":"])),
        ),
        max_size=4,
    ),
)
def test_a_damaged_case_of_the_corpus_is_judged_the_same_by_all(
    octets: bytes, changes: list[tuple[int, int, bytes]]
) -> None:
    for number, removed, added in changes:
        place = number % (len(octets) + 1)
        octets = octets[:place] + added + octets[place + removed :]
    check(octets)


@pytest.mark.parametrize("case", CASES, ids=attrgetter("id"))
def test_every_case_of_the_corpus_is_judged_the_same_by_all(case: Case) -> None:
    check(case.octets)


@given(st.binary(max_size=60))
@example(b"")
def test_any_octets_are_judged_the_same_by_all(octets: bytes) -> None:
    check(octets)


# ── responses ────────────────────────────────────────────────────────────────────────────────────

HOP_BY_HOP = {
    *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"),
    *("te", "trailer", "trailers", "transfer-encoding", "upgrade"),
}
response_names = st.text(TCHARS, min_size=1, max_size=12).filter(
    lambda name: name.lower() not in HOP_BY_HOP | {"content-length", "date", "server"}
)
statuses = st.builds(
    "{} {}".format,
    st.one_of(st.integers(200, 999), st.sampled_from([200, 204, 205, 304, 404, 500])),
    st.text(VALUE_CHARS, max_size=20),
)


class OneAnswer:
    """A socket as http.client needs it."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets

    def makefile(self, _: str) -> io.BytesIO:
        """The answer as a file."""
        return io.BytesIO(self.octets)


def respond(
    status: str,
    response_fields: list[tuple[str, str]],
    blocks: list[bytes],
    *,
    method: str,
    minor: int,
    close: bool,
    declared: bool,
    known: bool,
) -> tuple[bytes, bytes, bool]:
    """An answer's octets, its content as the client has to see it, and whether it ends there."""
    content = b"".join(blocks)
    if declared:
        response_fields = [*response_fields, ("Content-Length", str(len(content)))]
    octets, framing, ends = frame(
        ResponseHead(status, response_fields),
        method=method,
        minor=minor,
        close=close,
        length=len(content) if known else None,
    )
    if framing is Framing.NONE:
        return octets, b"", ends
    if framing is Framing.CHUNKED:
        return octets + b"".join(map(chunk, blocks)) + LAST_CHUNK, content, ends
    return octets + content, content, ends


answers = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["GET", "HEAD", "POST"]),
        "minor": st.integers(0, 2),
        "close": st.booleans(),
        "declared": st.booleans(),
        "known": st.booleans(),
    }
)


@given(
    statuses,
    st.lists(st.tuples(response_names, st.text(VALUE_CHARS + "\t", max_size=20)), max_size=5),
    st.lists(st.binary(min_size=1, max_size=50), max_size=4),
    answers,
)
def test_our_responses_are_read_by_h11_and_http_client(
    status: str, response_fields: list[tuple[str, str]], blocks: list[bytes], how: dict[str, Any]
) -> None:
    octets, content, ends = respond(status, response_fields, blocks, **how)
    sent = [
        (name.lower().encode(), value.encode("latin-1").strip()) for name, value in response_fields
    ]
    _assert_h11_reads(octets, how["method"], status, sent, content, ends)

    answer = http.client.HTTPResponse(OneAnswer(octets), method=how["method"])  # type: ignore[arg-type]
    answer.begin()
    assert (answer.status, answer.version) == (int(status[:3]), 11)
    assert answer.read() == content


def _assert_h11_reads(
    octets: bytes,
    method: str,
    status: str,
    sent: list[tuple[bytes, bytes]],
    content: bytes,
    ends: bool,
) -> None:
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    connection.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(octets)
    if ends:
        connection.receive_data(b"")
    head = connection.next_event()
    assert isinstance(head, h11.Response)
    assert head.status_code == int(status[:3])
    assert head.http_version == b"1.1"
    got = [(name, value) for name, value in head.headers]
    assert got[: len(sent)] == sent
    assert {name for name, _ in got[len(sent) :]} <= {
        *(b"content-length", b"transfer-encoding", b"connection", b"date", b"server")
    }
    data = b""
    while isinstance(event := connection.next_event(), h11.Data):
        data += bytes(event.data)
    assert isinstance(event, h11.EndOfMessage)
    assert data == content
    assert connection.trailing_data[0] == b""
    expected = h11.MUST_CLOSE if ends else h11.DONE
    assert connection.their_state in (expected, h11.CLOSED if ends else h11.DONE)


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
@example("200 OK", "X", "a\r\nSet-Cookie: b")
@example("200 OK\r\nX: y", "X", "a")
@example("200 OK", "X\r\nY", "a")
def test_R84_no_text_of_an_application_adds_a_line(status: str, name: str, value: str) -> None:
    """Whatever the application gives: it is refused, or it is one status and one field."""
    try:
        head = ResponseHead(status, [(name, value)])
    except ValueError:
        return
    octets, _, _ = frame(head, method="GET", minor=1, close=False, length=0)
    lines = octets.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 " + status.encode("latin-1")
    assert lines[1] == name.encode() + b": " + value.encode("latin-1")
    others = [line.partition(b":")[0] for line in lines[2:]]
    assert set(others) <= {b"Content-Length", b"Date", b"Server", b""}
    assert octets.count(b"\r") == octets.count(b"\n") == len(lines) - 1
