"""The PROXY protocol: its two headers octet by octet, and a server that requires it."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

import pytest
from onegate.net.proxy_protocol import MAX_HEADER, ProxyProtocolError, parse

if TYPE_CHECKING:
    from tests.server.conftest import Serve

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
APP = """
def app(environ, start_response):
    told = f"{environ['REMOTE_ADDR']} {environ['REMOTE_PORT']}".encode()
    start_response("200 OK", [("Content-Length", str(len(told)))])
    return [told]
"""
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def v2(command: int, family: int, addresses: bytes) -> bytes:
    return SIGNATURE + struct.pack("!BBH", 0x20 | command, family, len(addresses)) + addresses


V4 = socket.inet_pton(socket.AF_INET, "192.0.2.7") + bytes(4) + struct.pack("!HH", 4711, 80)
V6 = socket.inet_pton(socket.AF_INET6, "2001:db8::7") + bytes(16) + struct.pack("!HH", 4711, 80)

VALID = [
    (b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\n", ("192.0.2.7", "4711")),
    (b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 80\r\n", ("2001:db8::7", "4711")),
    (b"PROXY UNKNOWN\r\n", None),
    (b"PROXY UNKNOWN whatever it says\r\n", None),
    (v2(1, 0x11, V4), ("192.0.2.7", "4711")),
    (v2(1, 0x21, V6), ("2001:db8::7", "4711")),
    (v2(1, 0x11, V4 + b"\x04\x00\x01x"), ("192.0.2.7", "4711")),  # with an extension
    (v2(0, 0x00, b""), None),  # LOCAL: a health check of the proxy itself
    (v2(1, 0x31, bytes(216)), None),  # a Unix socket
]


@pytest.mark.parametrize(("header", "peer"), VALID)
def test_R85_valid_headers_in_any_split(header: bytes, peer: tuple[str, str] | None) -> None:
    for end in range(len(header)):
        assert parse(header[:end]) is None
    assert parse(header) == (peer, len(header))
    assert parse(header + GET) == (peer, len(header))


@pytest.mark.parametrize(
    "header",
    [
        b"GET / HTTP/1.1\r\n",
        b"PROXX",
        b"proxy TCP4",
        b"PROXY TCP4 192.0.2.7 192.0.2.1 4711\r\n",
        b"PROXY TCP4 192.0.2.7  192.0.2.1 4711 80\r\n",
        b"PROXY TCP4 2001:db8::7 192.0.2.1 4711 80\r\n",
        b"PROXY TCP6 192.0.2.7 192.0.2.1 4711 80\r\n",
        b"PROXY TCP4 192.0.2.700 192.0.2.1 4711 80\r\n",
        b"PROXY TCP4 192.0.2.7 192.0.2.1 65536 80\r\n",
        b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 99999\r\n",
        b"PROXY TCP5 192.0.2.7 192.0.2.1 4711 80\r\n",
        b"PROXY TCP4 \xff.0.2.7 192.0.2.1 4711 80\r\n",
        b"PROXY TCP4 192.0.2.7\n192.0.2.1 4711 80\r\n",
        b"PROXY UNKNOWN " + b"x" * 200,
        v2(2, 0x11, V4),
        SIGNATURE + b"\x11\x11\x00\x0c" + V4,
        v2(1, 0x11, V4[:8]),
        v2(1, 0x11, bytes(MAX_HEADER)),
    ],
)
def test_R85_everything_else_is_refused(header: bytes) -> None:
    with pytest.raises(ProxyProtocolError):
        parse(header)


def test_R85_v1_is_bounded_at_107_octets() -> None:
    assert parse(b"PROXY UNKNOWN " + b"x" * 91 + b"\r\n") == (None, 107)
    with pytest.raises(ProxyProtocolError, match="107"):
        parse(b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n")


@pytest.mark.parametrize("header", [VALID[0][0], VALID[4][0]])
def test_R85_the_client_is_the_proxys_client_on_every_request(serve: Serve, header: bytes) -> None:
    server = serve(APP, "--proxy-protocol")
    with server.connect() as client:
        client.send(header[:9])
        client.send(header[9:], GET)
        assert client.response().text == "192.0.2.7 4711"
        assert client.send(GET).response().text == "192.0.2.7 4711"
        # First octets only: on a later request it is no request line.
        assert client.send(header, GET).response().status == 400
        assert client.closed()


def test_R85_it_is_required_where_it_is_switched_on(serve: Serve) -> None:
    server = serve(APP, "--proxy-protocol")
    with server.connect() as client:
        assert client.send(GET).response().status == 400
        assert client.closed()
    with server.connect() as client:
        assert client.send(b"PROXY TC").half_close().closed()


def test_R85_not_from_peers_that_are_not_listed(serve: Serve) -> None:
    server = serve(APP, "--proxy-protocol", "--forwarded-allow-ips", "192.0.2.1")
    with server.connect() as client:
        assert client.send(GET).response().text.startswith("127.0.0.1 ")
    with server.connect() as client:
        assert client.send(VALID[0][0], GET).response().status == 400
