"""Rules of RFC 9110 and RFC 9112 that show on a live connection only."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.conftest import Serve
from tests.server.helpers import Client, Response, Server, serving

APP = """
import json

calls = []

def app(environ, start_response):
    path = environ["PATH_INFO"]
    calls.append(path)
    told = {key: value for key, value in environ.items() if isinstance(value, str)}
    told["calls"] = calls[-100:]
    if path != "/unread":
        told["content"] = environ["wsgi.input"].read().decode("latin-1")
    if path == "/hints":
        environ["wsgi.early_hints"]([("Link", "</a>")])
    content = json.dumps(told).encode()
    fields = [("Content-Type", "application/json")]
    status = environ["QUERY_STRING"].replace("+", " ") if path == "/status" else "200 OK"
    if path == "/split":
        fields.append(("X", "a\\r\\nSet-Cookie: stolen"))
    if path == "/stream":
        start_response(status, fields)
        return iter([content])
    start_response(status, [*fields, ("Content-Length", str(len(content)))])
    return [content]
"""
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("rules"), APP) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with server.connect() as connected:
        yield connected


def request(target: str = "/", *fields: str, method: str = "GET", minor: int = 1) -> bytes:
    """A request's head."""
    lines = (f"{method} {target} HTTP/1.{minor}", "Host: a", *fields, "", "")
    return "\r\n".join(lines).encode("latin-1")


def told(response: Response) -> dict[str, Any]:
    """What the application said of the request."""
    assert response.status == 200, response
    environ: dict[str, Any] = json.loads(response.content)
    return environ


def assert_refused(server: Server, octets: bytes, status: int, *, method: str = "GET") -> None:
    """``octets`` get this one answer, and the connection ends although more was sent behind."""
    with server.connect() as client:
        response = client.send(octets + GET + GET).response(method)
        assert response.status == status
        assert response.get("Connection") == "close"
        assert client.closed()


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


def test_R1_empty_line_before_a_request(client: Client) -> None:
    for _ in range(2):
        assert client.send(b"\r\n" + GET).response().status == 200


def test_R2_bare_LF_is_answered_not_waited_for(server: Server) -> None:
    assert_refused(server, b"GET / HTTP/1.1\nHost: a\n\n", 400)
    with server.connect() as client:
        assert client.send(b"GET / HTTP/1.1\n").response().status == 400
        assert client.closed()


def test_R3_bare_CR_is_400(server: Server) -> None:
    assert_refused(server, request("/", "X: a\rb"), 400)


def test_R7_invalid_request_line_is_400_and_close(server: Server) -> None:
    assert_refused(server, b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400)


def test_R7_tls_on_a_plain_port_is_answered_at_once(server: Server) -> None:
    with server.connect() as client:
        assert client.send(b"\x16\x03\x01\x02\x00\x01").response().status == 400
        assert client.closed()


def test_R8_too_long_line_is_414(server: Server, client: Client) -> None:
    assert told(client.send(request("/" + "x" * 8000)).response())["PATH_INFO"] == "/" + "x" * 8000
    assert_refused(server, request("/" + "x" * 8190), 414)


def test_R10_unknown_method_reaches_the_application(client: Client) -> None:
    environ = told(client.send(request(method="BREW")).response())
    assert environ["REQUEST_METHOD"] == "BREW"


@pytest.mark.parametrize("host", ["", "Host: a\r\nHost: a\r\n", "Host: a b/c\r\n"])
def test_R13_R14_R15_missing_repeated_and_invalid_host_are_400(server: Server, host: str) -> None:
    assert_refused(server, f"GET / HTTP/1.1\r\n{host}\r\n".encode(), 400)


def test_R16_R17_authority_of_the_target_overrides_host(client: Client) -> None:
    environ = told(client.send(request("http://b:81/c?d")).response())
    assert environ["HTTP_HOST"] == "b:81"
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == ("/c", "d")


def test_R18_connect_is_501_and_nothing_behind_it_is_read(server: Server) -> None:
    assert_refused(server, b"CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n", 501)


def test_R19_options_asterisk_reaches_the_application(server: Server, client: Client) -> None:
    environ = told(client.send(request("*", method="OPTIONS")).response())
    assert (environ["PATH_INFO"], environ["REQUEST_URI"]) == ("", "*")
    assert_refused(server, request("*"), 400)


def test_R21_reply_says_1_1_whatever_the_request_says(client: Client) -> None:
    # Client reads nothing but HTTP/1.1 status lines.
    assert told(client.send(request(minor=9)).response())["SERVER_PROTOCOL"] == "HTTP/1.9"
    environ = told(client.send(request("/", "Connection: keep-alive", minor=0)).response())
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.0"


def test_R22_other_major_version_is_505(server: Server) -> None:
    assert_refused(server, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505)


def test_R23_http09_is_refused_without_waiting_for_more(server: Server) -> None:
    with server.connect() as client:
        assert client.send(b"GET /\r\n").response().status == 400
        assert client.closed()


def test_R33_too_many_and_too_large_fields_are_431(server: Server) -> None:
    assert_refused(server, request("/", *(f"X{number}: 1" for number in range(101))), 431)
    assert_refused(server, request("/", "X: " + "x" * 9000), 431)
    assert_refused(server, request("/", *(f"X{number}: {'x' * 8000}" for number in range(9))), 431)


@pytest.mark.parametrize(
    "fields",
    [
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 5"),
        ("Content-Length: 5", "Content-Length: 5"),
        ("Content-Length: +5",),
        ("Transfer-Encoding: gzip",),
        ("Transfer-Encoding: chunked, chunked",),
    ],
)
def test_R34_R37_R38_R41_R43_doubtful_framing_is_400_and_close(
    server: Server, fields: tuple[str, ...]
) -> None:
    assert_refused(server, request("/", *fields, method="POST"), 400)


def test_R35_coding_in_http10_is_400_and_close(server: Server) -> None:
    octets = request("/", "Connection: keep-alive", "Transfer-Encoding: chunked", minor=0)
    assert_refused(server, octets + b"0\r\n\r\n", 400)


def test_R36_unknown_coding_is_501(server: Server) -> None:
    assert_refused(server, request("/", "Transfer-Encoding: gzip, chunked"), 501)


def test_R44_huge_length_is_413(server: Server) -> None:
    assert_refused(server, request("/", "Content-Length: 1" + "0" * 23, method="POST"), 413)


def test_R45_no_length_means_no_content(client: Client) -> None:
    client.send(request(method="POST") + GET)
    assert told(client.response())["content"] == ""
    assert told(client.response())["REQUEST_METHOD"] == "GET"


def test_R46_chunked_content_in_any_pieces(client: Client) -> None:
    octets = request("/", "Transfer-Encoding: chunked", method="POST")
    octets += b"5;a=b\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n"
    for index in range(len(octets)):
        client.send(octets[index : index + 1])
    environ = told(client.response())
    assert (environ["content"], environ["CONTENT_LENGTH"]) == ("hello, world", "12")


def test_R50_R51_invalid_chunk_is_400_and_close(server: Server) -> None:
    for body in (b"0x5\r\nhello\r\n", b"5\r\nhelloX", b"5\nhello"):
        assert_refused(server, request("/", "Transfer-Encoding: chunked") + body, 400)


def test_R54_R55_R56_trailers_are_consumed_and_have_no_effect(client: Client) -> None:
    octets = request("/", "Transfer-Encoding: chunked", method="POST")
    trailer = b"X-T: 1\r\nHost: b\r\nConnection: close\r\nContent-Length: 3\r\n"
    environ = told(client.send(octets + b"2\r\nhi\r\n0\r\n" + trailer + b"\r\n").response())
    assert environ["content"] == "hi"
    assert environ["HTTP_HOST"] == "a"
    assert "HTTP_X_T" not in environ
    environ = told(client.send(GET).response())
    assert "HTTP_X_T" not in environ


@pytest.mark.parametrize(
    "octets",
    [
        request("/cut", "Content-Length: 5", method="POST") + b"hell",
        request("/cut", "Transfer-Encoding: chunked", method="POST") + b"5\r\nhello\r\n",
        b"GET /cut HTTP/1.1\r\nHost: a\r\n",
    ],
)
def test_R57_a_request_that_ends_early_never_reaches_the_application(
    server: Server, client: Client, octets: bytes
) -> None:
    client.send(octets).half_close()
    assert client.closed()
    assert "/cut" not in told(server.get("/"))["calls"]


# ── connections ──────────────────────────────────────────────────────────────────────────────────


def test_R58_a_connection_persists(client: Client) -> None:
    for _ in range(5):
        response = client.send(GET).response()
        assert response.get("Connection") is None
    assert client.silent()


def test_R58_http10_persists_if_asked_to(client: Client) -> None:
    for _ in range(3):
        response = client.send(request("/", "Connection: keep-alive", minor=0)).response()
        assert response.get("Connection") == "keep-alive"


@pytest.mark.parametrize("value", ["close", "CLOSE", "foo, close", "close, foo"])
def test_R59_R60_close_is_announced_and_done(client: Client, value: str) -> None:
    response = client.send(request("/", f"Connection: {value}") + GET).response()
    assert response.get("Connection") == "close"
    assert client.closed()


def test_R60_http10_without_keep_alive_is_closed(client: Client) -> None:
    response = client.send(request(minor=0)).response()
    assert response.get("Connection") == "close"
    assert client.closed()


def test_R61_an_answer_is_not_lost_while_the_client_still_sends(server: Server) -> None:
    for _ in range(5):
        with server.connect() as client:
            client.send(request("/", "Content-Length: 9999999999", method="POST"))
            client.send(b"x" * 500_000)
            # A reset would be a ConnectionResetError, before or in the answer.
            assert client.response().status == 413
            assert client.closed()


def test_R62_http10_keep_alive_without_length_ends_with_the_connection(client: Client) -> None:
    octets = request("/stream", "Connection: keep-alive", minor=0)
    response = client.send(octets).response()
    assert response.get("Connection") == "close"
    assert response.get("Content-Length") is None
    assert told(response)["PATH_INFO"] == "/stream"


def test_R63_pipelined_requests_are_answered_in_order(client: Client) -> None:
    octets = b"".join(
        request(f"/{number}", "Content-Length: 2", method="POST") + b"hi"
        if number % 3
        else request(f"/{number}")
        for number in range(100)
    )
    client.send(octets)
    for number in range(100):
        assert told(client.response())["PATH_INFO"] == f"/{number}"
    assert client.silent()


def test_R64_content_that_the_application_does_not_read_is_no_request(client: Client) -> None:
    smuggled = request("/smuggled")
    client.send(request("/unread", f"Content-Length: {len(smuggled)}", method="POST") + smuggled)
    assert told(client.response())["PATH_INFO"] == "/unread"
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(smuggled), smuggled)
    client.send(request("/unread", "Transfer-Encoding: chunked", method="POST") + chunks + GET)
    assert told(client.response())["PATH_INFO"] == "/unread"
    assert told(client.response())["PATH_INFO"] == "/"
    assert client.silent()


# ── responses ────────────────────────────────────────────────────────────────────────────────────


def test_R65_head_has_no_content(client: Client) -> None:
    for path in ("/", "/stream", "/status?500+x"):
        response = client.send(request(path, method="HEAD")).response("HEAD")
        assert response.get("Transfer-Encoding") is None
        assert (response.get("Content-Length") is None) is (path == "/stream")
    assert client.send(GET).response().status == 200


def test_R65_a_refused_head_has_no_content(server: Server) -> None:
    assert_refused(server, b"HEAD / HTTP/1.1\r\n\r\n", 400, method="HEAD")


@pytest.mark.parametrize("status", [204, 304])
def test_R66_R67_no_content_and_no_length_where_there_is_none(client: Client, status: int) -> None:
    for method in ("GET", "HEAD"):
        response = client.send(request(f"/status?{status}+x", method=method)).response(method)
        assert response.status == status
        assert response.get("Transfer-Encoding") is None
        if status == 204:
            assert response.get("Content-Length") is None
    assert client.send(GET).response().status == 200


def test_R68_length_of_head_is_that_of_get(client: Client) -> None:
    head = client.send(request("/status?201+x", method="HEAD")).response("HEAD")
    assert int(head.get("Content-Length") or 0) > 0


def test_R69_R70_stream_is_chunked_for_1_1_and_not_for_1_0(server: Server, client: Client) -> None:
    response = client.send(request("/stream")).response()
    assert response.get("Transfer-Encoding") == "chunked"
    assert response.get("Content-Length") is None
    with server.connect() as other:
        response = other.send(request("/stream", minor=0)).response()
        assert response.get("Transfer-Encoding") is None
        assert told(response)["PATH_INFO"] == "/stream"


def test_R71_every_answer_has_one_date(server: Server) -> None:
    for octets in (GET, request("/split"), b"GET / HTTP/1.1\r\n\r\n", request("*")):
        with server.connect() as client:
            date = client.send(octets).response().get("Date") or ""
            assert re.fullmatch(r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} [\d:]{8} GMT", date)


def test_R72_status_without_reason_has_its_space(client: Client) -> None:
    # Client insists on the space.
    assert client.send(request("/status?299+")).response().reason == ""


@pytest.mark.parametrize("status", ["banana", "200", "20+x", "2000+x"])
def test_R73_status_that_is_none_is_500(client: Client, status: str) -> None:
    assert client.send(request(f"/status?{status}")).response().status == 500


def test_R84_a_header_cannot_split_the_response(client: Client) -> None:
    response = client.send(request("/split")).response()
    assert response.status == 500
    assert response.all("Set-Cookie") == []


# ── expectations, interim responses ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize("value", ["100-continue", "100-Continue"])
def test_R74_continue_is_sent_before_the_content(client: Client, value: str) -> None:
    client.send(request("/", f"Expect: {value}", "Content-Length: 2", method="POST"))
    assert client.head().status == 100
    response = client.send(b"hi").response()
    assert response.interim == []
    assert told(response)["content"] == "hi"


def test_R74_continue_for_chunked_content(client: Client) -> None:
    fields = ("Expect: 100-continue", "Transfer-Encoding: chunked")
    client.send(request("/", *fields, method="POST"))
    assert client.head().status == 100
    assert told(client.send(b"2\r\nhi\r\n0\r\n\r\n").response())["content"] == "hi"


def test_R74_no_continue_when_the_content_is_there_or_none_comes(client: Client) -> None:
    fields = ("Expect: 100-continue", "Content-Length: 2")
    response = client.send(request("/", *fields, method="POST") + b"hi").response()
    assert (response.status, response.interim) == (200, [])
    response = client.send(request("/", "Expect: 100-continue")).response()
    assert (response.status, response.interim) == (200, [])


def test_R74_no_continue_when_the_head_is_refused(client: Client) -> None:
    fields = ("Expect: 100-continue", "Content-Length: 9999999999")
    response = client.send(request("/", *fields, method="POST")).response()
    assert (response.status, response.interim) == (413, [])
    assert client.closed()


def test_R75_no_continue_to_http10(client: Client) -> None:
    fields = ("Expect: 100-continue", "Content-Length: 2")
    client.send(request("/", *fields, method="POST", minor=0))
    assert client.silent()
    response = client.send(b"hi").response()
    assert (response.interim, told(response)["content"]) == ([], "hi")


def test_R76_unknown_expectation_is_417(server: Server) -> None:
    assert_refused(server, request("/", "Expect: foo"), 417)


def test_R77_early_hints_to_http11_only(server: Server, client: Client) -> None:
    response = client.send(request("/hints")).response()
    assert [(each.status, each.get("Link")) for each in response.interim] == [(103, "</a>")]
    with server.connect() as other:
        assert other.send(request("/hints", minor=0)).response().interim == []


def test_R78_upgrade_is_ignored(client: Client) -> None:
    fields = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c, websocket")
    for minor in (1, 0):
        response = client.send(request("/", *fields, minor=minor)).response()
        assert told(response)["HTTP_UPGRADE"] == "h2c, websocket"


def test_R79_trace_reaches_the_application_and_is_not_echoed(client: Client) -> None:
    response = client.send(request("/", "X: secret", method="TRACE")).response()
    assert told(response)["REQUEST_METHOD"] == "TRACE"
    assert response.get("Content-Type") == "application/json"


# ── time-outs ────────────────────────────────────────────────────────────────────────────────────


def test_R80_a_head_that_does_not_come_is_408(serve: Serve) -> None:
    server = serve(APP, "--head-timeout", "1")
    with server.connect() as client:
        assert client.send(b"GET / HT").response().status == 408
        assert client.closed()
    with server.connect() as client:
        assert client.closed()  # nothing was begun, so that there is nothing to answer


def test_R80_content_that_does_not_come_is_408(serve: Serve) -> None:
    server = serve(APP, "--body-timeout", "0.2")
    with server.connect() as client:
        client.send(request("/", "Content-Length: 5", method="POST") + b"hell")
        assert client.response().status == 408
        assert client.closed()


def test_R80_an_idle_connection_is_closed_without_a_word(serve: Serve) -> None:
    server = serve(APP, "--keep-alive", "0.2")
    with server.connect() as client:
        assert client.send(GET).response().status == 200
        assert client.closed()


# ── what could deceive the application ───────────────────────────────────────────────────────────


def test_R81_names_with_an_underscore_are_dropped(client: Client) -> None:
    fields = ("X-A: 1", "X_A: 2", "Content_Length: 5", "Transfer_Encoding: chunked", "X_B: 3")
    environ = told(client.send(request("/", *fields)).response())
    assert environ["HTTP_X_A"] == "1"
    assert environ["content"] == ""
    assert {"HTTP_X_B", "HTTP_TRANSFER_ENCODING", "CONTENT_LENGTH"}.isdisjoint(environ)


def test_R82_proxy_is_no_variable(client: Client) -> None:
    assert "HTTP_PROXY" not in told(client.send(request("/", "Proxy: http://evil")).response())


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("//evil", "//evil"),
        ("/a/../b", "/a/../b"),
        ("/a//b", "/a//b"),
        ("/%00", "/\0"),
        ("/%zz", "/%zz"),
        ("/%2e%2e/", "/../"),
    ],
)
def test_R83_path_is_decoded_and_nothing_else(client: Client, target: str, path: str) -> None:
    environ = told(client.send(request(target)).response())
    assert (environ["PATH_INFO"], environ["REQUEST_URI"]) == (path, target)


V1 = b"PROXY TCP4 192.0.2.1 192.0.2.2 1234 80\r\n"


def test_R85_proxy_header_is_read_once_and_from_allowed_peers(serve: Serve) -> None:
    server = serve(APP, "--proxy-protocol", "--forwarded-allow-ips", "127.0.0.1")
    with server.connect() as client:
        environ = told(client.send(V1 + GET).response())
        assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == ("192.0.2.1", "1234")
        assert told(client.send(GET).response())["REMOTE_ADDR"] == "192.0.2.1"
        assert client.send(V1 + GET).response().status == 400
        assert client.closed()
    with server.connect() as client:
        assert client.send(GET).response().status == 400
        assert client.closed()


def test_R85_proxy_header_over_107_octets_is_400(serve: Serve) -> None:
    server = serve(APP, "--proxy-protocol")
    assert_refused(server, b"PROXY UNKNOWN " + b"x" * 100 + b"\r\n", 400)


def test_R85_proxy_header_of_others_is_an_invalid_request(serve: Serve) -> None:
    server = serve(APP, "--proxy-protocol", "--forwarded-allow-ips", "192.0.2.9")
    assert_refused(server, V1, 400)
    with server.connect() as client:
        assert told(client.send(GET).response())["REMOTE_ADDR"] == "127.0.0.1"


def test_R85_without_the_option_it_is_an_invalid_request(server: Server) -> None:
    assert_refused(server, V1, 400)
