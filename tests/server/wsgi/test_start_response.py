"""start_response and write (PEP 3333, "The start_response() Callable")."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from onegate.http1 import Head
from onegate.wsgi import Call, make_call

from tests.server.helpers import Client, serving
from tests.server.wsgi.conftest import FOLDER, Apps, Gate, Recorder

PLAIN = ("Content-Type", "text/plain")


def literal(status: object, headers: object) -> str:
    """The query that the app ``head`` reads."""
    return quote(repr((status, headers)))


def call(recorder: Recorder, method: str = "GET", minor: int = 1) -> Call[Recorder]:
    """A call that answers ``GET /``."""
    head = Head()
    head.method, head.target, head.minor, head.close = method, "/", minor, False
    return make_call(recorder, head)


def test_W36_positional_arguments_and_write_returned(recorder: Recorder) -> None:
    one = call(recorder)
    assert callable(one.start_response("200 OK", [PLAIN]))
    assert callable(call(recorder).start_response("200 OK", [PLAIN], None))
    error = ValueError("x")
    exc_info = (ValueError, error, error.__traceback__)
    assert callable(one.start_response("500 X", [PLAIN], exc_info))
    assert recorder.sent == []


def test_W37_write_is_sent_in_order_before_the_blocks(either: Apps) -> None:
    assert either.ask("writes").content == b"written twice returned"
    assert either.ask("writes:only").content == b"written"


def test_W37_write_has_sent_when_it_returns(either: Apps, gate: Gate) -> None:
    with either.send("wait:writes", query=str(gate.path)) as client:
        assert client.head().get("Transfer-Encoding") == "chunked"
        assert client.chunk() == b"first"
        gate.open()
        assert [client.chunk(), client.chunk(), client.chunk()] == [b"second", b"third", b""]


def test_W37_write_in_an_iterable_that_says_it_has_one_block(apps: Apps) -> None:
    """len() tells the number of blocks, not of calls of write()."""
    response = apps.ask("writes:in_sized")
    assert response.content == b"written yielded"


def test_W37_write_takes_bytes_only(apps: Apps) -> None:
    assert apps.ask("writes:text").status == 500
    apps.server.wait_for_log("TypeError.* must provide bytes, not str")


def test_W38_write_before_start_response(recorder: Recorder) -> None:
    with pytest.raises(AssertionError, match="did not call start_response"):
        call(recorder)(b"x")
    assert recorder.sent == []


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, [PLAIN]),
        (b"200 OK", [PLAIN]),
        (None, [PLAIN]),
        ("200 OK", [(b"X-A", b"b")]),
        ("200 OK", [("X-A", b"b")]),
        ("200 OK", [("X-A", 1)]),
        ("200 OK", [("X-A", None)]),
        ("200 OK", [(None, "b")]),
        ("200 OK", [["X-A", "b"]]),
        ("200 OK", [("X-A", "b", "c")]),
        ("200 OK", ["X-A: b"]),
        ("200 OK", None),
        ("200 OK", {"X-A": "b"}),
    ],
)
def test_W39_wrong_types_are_refused_at_once(apps: Apps, status: Any, headers: Any) -> None:
    query = literal(status, headers)
    assert apps.ask("head:caught", query=query).content == b"TypeError"
    assert apps.ask("head", query=query).status == 500


@pytest.mark.parametrize(
    "status",
    [
        "banana", "200", "200OK", "20 OK", "2000 OK", "099 Low", " 200 OK", "-20 OK", "²00 OK",
        "200 OK\r\nX-Injected: 1", "200 OK\n", "200 O\0K", "200 OK\r", "200 \x7f", "200 λ", "",
        "100 Continue", "101 Switching Protocols",
    ],
)  # fmt: skip
def test_W40_bad_status_is_refused(apps: Apps, status: str) -> None:
    query = literal(status, [PLAIN])
    assert apps.ask("head:caught", query=query).content == b"ValueError"
    response = apps.ask("head", query=query)
    assert (response.status, response.get("X-Injected")) == (500, None)


@pytest.mark.parametrize(
    "name",
    ["", "X A", "X:A", "X-A\r\nX-Injected", "X-A\n", "X\0A", "Xä", "Xλ", "X-A ", " X-A", '"X"'],
)
def test_W41_header_names_are_tokens(apps: Apps, name: str) -> None:
    query = literal("200 OK", [PLAIN, (name, "b")])
    assert apps.ask("head:caught", query=query).content == b"ValueError"
    response = apps.ask("head", query=query)
    assert (response.status, response.get("X-Injected")) == (500, None)


@pytest.mark.parametrize(
    "value", ["a\r\nX-Injected: 1", "a\nb", "a\rb", "a\0b", "\x01", "\x1b[0m", "\x7f", "a\r\n b"]
)
def test_W42_header_values_hold_no_controls(apps: Apps, value: str) -> None:
    query = literal("200 OK", [PLAIN, ("X-A", value)])
    assert apps.ask("head:caught", query=query).content == b"ValueError"
    response = apps.ask("head", query=query)
    assert (response.status, response.get("X-Injected")) == (500, None)


def test_W42_tab_is_no_such_control(apps: Apps) -> None:
    assert apps.ask("head", query=literal("200 OK", [("X-A", "a\tb")])).get("X-A") == "a\tb"


def test_W43_headers_are_a_list(apps: Apps) -> None:
    query = literal("200 OK", (PLAIN,))
    assert apps.ask("head:caught", query=query).content == b"TypeError"


@pytest.mark.parametrize("value", ["λ", "a€", "\ud800", "Ā"])
def test_W44_beyond_latin_1_is_refused(apps: Apps, value: str) -> None:
    query = quote(ascii(("200 OK", [PLAIN, ("X-A", value)])))
    assert apps.ask("head:caught", query=query).content == b"ValueError"


def test_W45_latin_1_is_preserved(either: Apps) -> None:
    value = "".join(map(chr, range(0x80, 0x100)))
    response = either.ask("head", query=literal("200 O\xe4", [PLAIN, ("X-A", value)]))
    assert (response.get("X-A"), response.reason) == (value, "O\xe4")


HOP_BY_HOP = [
    "Connection", "keep-alive", "PROXY-AUTHENTICATE", "Proxy-Authorization", "TE", "Trailers",
    "Transfer-Encoding", "Upgrade", "Proxy-Connection", "Trailer",
]  # fmt: skip


@pytest.mark.parametrize("name", HOP_BY_HOP)
def test_W46_hop_by_hop_headers_are_refused(apps: Apps, name: str) -> None:
    query = literal("200 OK", [PLAIN, (name, "close")])
    assert apps.ask("head:caught", query=query).content == b"ValueError"
    assert apps.ask("head", query=query).status == 500


def test_W46_what_is_refused_is_logged_even_if_the_application_catches_the_error(
    apps: Apps,
) -> None:
    before = len(apps.log())
    query = literal("200 OK", [PLAIN, ("Upgrade", "h2c")])
    apps.ask("head:caught", query=query, method="POST")
    line = apps.log()[before:]
    assert f"ERROR invalid response head for POST '/plain/head:caught?{query}': Upgrade: hop-by-hop" in line  # fmt: skip  # noqa: E501


@pytest.mark.parametrize("value", ["chunked", "identity", "gzip, chunked"])
def test_W47_transfer_encoding_never_doubles_framing(apps: Apps, value: str) -> None:
    query = literal("200 OK", [PLAIN, ("Transfer-Encoding", value), ("Content-Length", "7")])
    response = apps.ask("head", query=query)
    assert response.status == 500
    assert response.get("Transfer-Encoding") is None


@pytest.mark.parametrize("length", ["-1", "+7", "7 ", "", "0x7", "7,7", "seven", "1" * 19, "٧"])
def test_W47_content_length_is_a_number(apps: Apps, length: str) -> None:
    query = literal("200 OK", [PLAIN, ("Content-Length", length)])
    assert apps.ask("head:caught", query=query).content == b"ValueError"


def test_W47_content_length_comes_once(apps: Apps) -> None:
    query = literal("200 OK", [PLAIN, ("Content-Length", "7"), ("content-length", "7")])
    assert apps.ask("head:caught", query=query).content == b"ValueError"


@pytest.mark.parametrize(
    ("value", "fields"),
    [("none", []), ("", []), ("mine/1 (é)", ["mine/1 (é)"]), ("onegate", ["onegate"])],
)
def test_the_server_field_is_what_the_deployer_wants(
    tmp_path: Path, value: str, fields: list[str]
) -> None:
    """In every response: whole, streamed, of files, of errors and of refused requests."""
    options = (
        "--chdir",
        str(FOLDER),
        "--server-header",
        value,
        "--status",
        f"unix:{tmp_path}/status",
    )
    environ = {"FILES_DATA": __file__}
    with serving(tmp_path, "", *options, target="dispatch:app", environ=environ) as server:
        apps = Apps(server, "plain")
        for app in ("one_block", "two_blocks", "generator", "files", "raises", "statuses:reset"):
            for _ in range(3):  # what comes again is remembered
                assert apps.ask(app).all("Server") == fields
        with server.connect() as client:
            assert client.send(b"nonsense\r\n\r\n").response().all("Server") == fields
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(tmp_path / "status"))
            live = Client(sock).send(b"GET /live HTTP/1.1\r\nHost: a\r\n\r\n").response()
            assert live.all("Server") == fields
        own = apps.ask("head", query=literal("200 OK", [PLAIN, ("Server", "its own")]))
        assert own.all("Server") == ["its own"]


def test_W48_missing_headers_are_added(either: Apps) -> None:
    response = either.ask("one_block")
    assert response.get("Date")
    assert response.get("Server") == "onegate"
    assert response.get("Content-Length") or response.get("Transfer-Encoding")


def test_W48_given_headers_are_not_doubled(either: Apps) -> None:
    headers = [PLAIN, ("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("SERVER", "mine")]
    response = either.ask("head", query=literal("200 OK", headers))
    assert response.get("Date") == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert response.get("Server") == "mine"


def test_W52_exc_info_before_the_head_replaces_it(either: Apps) -> None:
    response = either.ask("start_response:replaced")
    assert (response.status, response.reason, response.content) == (503, "Sorry", b"sorry")
    assert (response.get("X-First"), response.get("X-Second")) == (None, "2")
    assert response.get("Content-Length") != "999"


def test_W53_exc_info_after_the_head_raises(either: Apps) -> None:
    octets = either.cut("start_response:after_head")
    assert octets.endswith(b"\r\n4\r\nsent\r\n")
    either.server.wait_for_log("LookupError: the table is gone")


def test_W54_a_second_call_without_exc_info_is_an_error(apps: Apps) -> None:
    assert apps.ask("start_response:twice").status == 500
    apps.server.wait_for_log("AssertionError: start_response called a second time")


def test_W54_none_is_no_exc_info(either: Apps) -> None:
    assert either.ask("start_response:none_exc_info").content == b"fine"


def test_W55_no_reference_to_exc_info_is_kept(apps: Apps) -> None:
    """No collection is needed: the count of references alone frees the exception."""
    with apps.server.connect() as client:
        apps.send("exc_info_kept", client=client).response()
        assert apps.send("exc_info_kept:alive", client=client).response().content == b"0"


@pytest.mark.parametrize("app", ["never", "never_generator", "never_file"])
def test_W56_start_response_never_called(apps: Apps, app: str) -> None:
    response = apps.ask(f"start_response:{app}")
    assert (response.status, response.content) == (500, b"500 Internal Server Error\n")
    apps.server.wait_for_log("AssertionError: the application did not call start_response")


@pytest.mark.parametrize("reason", ["OK", "I'm a teapot", "", "Très bien\t!", "a  b"])
def test_W80_reason_phrase_is_passed_through(apps: Apps, reason: str) -> None:
    response = apps.ask("head", query=literal(f"299 {reason}", [PLAIN]))
    assert (response.status, response.reason) == (299, reason)


def test_W81_case_and_order_of_headers(either: Apps) -> None:
    headers = [
        ("x-LOWER", "1"), PLAIN, ("Set-Cookie", "a=b"), ("X-Lower", "2"), ("set-cookie", "c=d"),
        ("A", "3"), ("Set-Cookie", "a=b"),
    ]  # fmt: skip
    response = either.ask("head", query=literal("200 OK", headers))
    assert response.fields[: len(headers)] == headers
