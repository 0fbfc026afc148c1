"""``onegate.logs.refusal_log``: refused requests, and responses that are cut, leave a line each."""

from __future__ import annotations

import logging
import re
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from onegate.logs.refusal_log import BURST, REQUEST_LINE, Refusals, quoted

from tests.server.helpers import HELLO, Client, wait_for

if TYPE_CHECKING:
    from tests.server.conftest import Serve

PEER = ("192.0.2.1", "4711")
ENVIRON: dict[str, Any] = {
    "REMOTE_ADDR": "192.0.2.1",
    "REQUEST_METHOD": "GET",
    "RAW_URI": "/x?y",
    "SERVER_PROTOCOL": "HTTP/1.1",
}
LIMITED = ("bash", "-c", 'ulimit -f 64; exec "$0" "$@"')
"""No file may become larger than 64 KiB."""
LARGE = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    for _ in range(800):
        yield b"x" * 65536
"""


def address(client: Client) -> str:
    """How the server calls the client."""
    host, port = client.sock.getsockname()
    return f"{host}:{port}"


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


# ── the line ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("peer", "environ", "detail", "line"),
    [
        (PEER, ENVIRON, "", "400 to 192.0.2.1:4711, 'GET /x?y HTTP/1.1': why"),
        (("::1", "9"), {}, "", "400 to [::1]:9: why"),
        (("", ""), {"REMOTE_ADDR": ""}, "", "400 to a Unix socket: why"),
        (PEER, {"REMOTE_ADDR": "1.2.3.4"}, "", "400 to 192.0.2.1:4711 for 1.2.3.4: why"),
        (PEER, {REQUEST_LINE: "\x16\x03"}, "", r"400 to 192.0.2.1:4711, '\x16\x03': why"),
        (PEER, {}, "a\r\nb\x1b", r"400 to 192.0.2.1:4711: why, 'a\r\nb\x1b'"),
    ],
)
def test_a_line_says_what_to_whom_of_what_and_why(
    peer: tuple[str, str],
    environ: dict[str, Any],
    detail: str,
    line: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "onegate.error")
    logging.getLogger("onegate.error").addHandler(caplog.handler)
    try:
        Refusals()(1.0, peer, environ, "400", "why", detail)
    finally:
        logging.getLogger("onegate.error").removeHandler(caplog.handler)
    assert line in logged(caplog)


@given(st.text(st.characters(), max_size=400))
def test_what_a_client_sent_is_short_printable_and_one_line(text: str) -> None:
    assert re.fullmatch(r"[ -~]{2,2005}", quoted(text))


def test_lines_are_bounded_and_those_left_out_are_counted(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = logging.getLogger("onegate.error")
    monkeypatch.setattr(log, "handlers", [caplog.handler])
    monkeypatch.setattr(log, "propagate", False)
    caplog.set_level(logging.INFO, "onegate.error")
    refusals = Refusals()
    for _ in range(BURST + 5):
        refusals(1000.0, PEER, ENVIRON, "400", "why")
    assert len(logged(caplog)) == BURST
    refusals(1000.5, PEER, ENVIRON, "507", "no disk", own=True)
    assert logged(caplog)[BURST:] == ["507 to 192.0.2.1:4711, 'GET /x?y HTTP/1.1': no disk"]
    assert caplog.records[-1].levelno == logging.ERROR
    refusals.look(1001.5)
    assert logged(caplog)[BURST + 1 :] == [
        "5 more rejected requests and truncated responses not logged;"
        " --log-level debug logs all of them"
    ]
    caplog.clear()
    caplog.set_level(logging.DEBUG, "onegate.error")
    for _ in range(2 * BURST):
        refusals(1002.0, PEER, ENVIRON, "400", "why")
    assert len(logged(caplog)) == 2 * BURST


# ── served ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("octets", "line"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", r"400 to {peer}, 'GET / HTTP/1.1': HTTP/1.1 without Host"),
        (b"GET /\xe4 HTTP/1.1\r\n", r"400 to {peer}, 'GET /\xe4 HTTP/1.1': invalid request line"),
        (b"\x16\x03\x01\x02", r"400 to {peer}, '\x16\x03\x01\x02': invalid request line"),
        (
            b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
            "400 to {peer}, 'GET / HTTP/1.1': Host given twice",
        ),
        (
            b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
            "400 to {peer}, 'GET / HTTP/1.1': invalid Host, 'a b'",
        ),
        (
            b"GET / HTTP/1.1\r\nHost: a\r\nX Y: secret\r\n\r\n",
            "400 to {peer}, 'GET / HTTP/1.1': invalid field line, 'X Y'",
        ),
        (
            b"GET / HTTP/1.1\r\nHost: a\r\nCookie: a\r\n b: secret\r\n\r\n",
            "400 to {peer}, 'GET / HTTP/1.1': invalid field line\n",
        ),
        (b"GET / HTTP/2.0\r\n", "505 to {peer}, 'GET / HTTP/2.0': HTTP/2.0 is not supported"),
        (
            b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 9000,
            "431 to {peer}, 'GET / HTTP/1.1': head over 9000 octets",
        ),
        (b"GET /" + b"x" * 9000, "414 to {peer}, 'GET /" + "x" * 195 + "'...: request line over"),
        (
            b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n",
            "413 to {peer}, 'POST /up HTTP/1.1': content over 9000 octets",
        ),
        (
            b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n"
            b"X-Forwarded-For: 192.0.2.7\r\n\r\n",
            "413 to {peer} for 192.0.2.7, 'POST /up HTTP/1.1': content exceeds --body-memory",
        ),
        (
            b"POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
            "400 to {peer}, 'POST /up HTTP/1.1': invalid chunk-size line",
        ),
        (b"POST /slow HTTP/1.1\r\nHo", "408 to {peer}, 'POST /slow HTTP/1.1': the request did not"),
        (
            b"POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
            "408 to {peer}, 'POST /slow HTTP/1.1': the request did not arrive in time",
        ),
    ],
)
def test_a_refused_request_has_its_reason_in_the_log(
    serve: Serve, octets: bytes, line: str
) -> None:
    server = serve(
        HELLO, "--limit-request-head", "9000", "--limit-request-field-size", "20000",
        "--limit-request-body", "9000", "--body-memory", "4000", "--spool", "none",
        "--head-timeout", "1", "--body-timeout", "1",
    )  # fmt: skip
    with server.connect() as client:
        peer = address(client)
        assert client.send(octets).response().status == int(line[:3])
        server.wait_for_log(f"INFO {re.escape(line.format(peer=peer).rstrip())}")
    server.stop()
    assert line.format(peer=peer) in server.log + "\n"
    assert "secret" not in server.log


def test_however_many_are_refused_the_log_is_bounded(serve: Serve) -> None:
    server = serve()
    count = 6 * BURST
    began = time.monotonic()
    for _ in range(count):
        server.exchange(b"GET / HTTP/1.1\r\n\r\n")

    def counted() -> int:
        left_out = sum(map(int, re.findall(r"INFO (\d+) more rejected", server.log)))
        return server.log.count("without Host") + left_out

    wait_for(lambda: counted() == count, "all are counted")
    lines = server.log.count("without Host") + server.log.count("more rejected")
    assert lines <= BURST + 1 + time.monotonic() - began


def test_at_debug_every_refused_request_has_its_line(serve: Serve) -> None:
    server = serve(HELLO, "--log-level", "debug")
    for _ in range(3 * BURST):
        server.exchange(b"GET / HTTP/1.1\r\n\r\n")
    wait_for(lambda: server.log.count("without Host") == 3 * BURST, "all lines")


def test_content_that_finds_no_disk_is_an_error_in_the_log(serve: Serve) -> None:
    server = serve(HELLO, "--body-memory", "1000", launcher=LIMITED)
    with server.connect() as client:
        peer = address(client)
        client.send(b"PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n")
        client.send(b"x" * 200_000)
        assert client.response().status == 507
    server.wait_for_log(
        rf"ERROR 507 to {peer}, 'PUT /up HTTP/1\.1': content cannot be spooled: .*File too large"
    )


def test_a_response_that_its_client_does_not_take_is_cut_with_a_line(serve: Serve) -> None:
    server = serve(LARGE, "--write-timeout", "0.5")
    with server.connect() as client:
        peer = address(client)
        client.send(b"GET /down HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_for_log(
            rf"INFO 200 truncated, to {peer}, 'GET /down HTTP/1.1': the client accepted less"
        )


def test_of_a_unix_socket(serve: Serve) -> None:
    server = serve(HELLO, bind="unix:socket")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(server.folder / "socket"))
        assert Client(sock).send(b"GET / HTTP/1.1\r\n\r\n").response().status == 400
    server.wait_for_log("INFO 400 to a Unix socket, 'GET / HTTP/1.1': HTTP/1.1 without Host")
