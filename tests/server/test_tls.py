"""TLS over the wire: what a client of OpenSSL sees, and what other clients do not notice."""

from __future__ import annotations

import hashlib
import socket
import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest
from onegate.net.tls import context
from onegate.settings_error import SettingsError

from tests.server.helpers import DEADLINE, Client, Server, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APP = """
import hashlib
from wsgiref.util import FileWrapper

def app(environ, start_response):
    path = environ["PATH_INFO"]
    headers = [("Content-Type", "text/plain")]
    if path == "/big":
        start_response("200 OK", [*headers, ("Content-Length", str(5_000_000))])
        return [b"x" * 5_000_000]
    if path == "/file":
        file = open("big.bin", "rb")
        start_response("200 OK", [*headers, ("Content-Length", str(3_000_000))])
        return environ["wsgi.file_wrapper"](file)
    if path == "/endless":
        start_response("200 OK", headers)
        return iter([b"a", b"b"])
    body = environ["wsgi.input"].read()
    told = f"{environ['wsgi.url_scheme']} {environ.get('HTTPS')} {hashlib.sha256(body).hexdigest()}"
    start_response("200 OK", [*headers, ("Content-Length", str(len(told)))])
    return [told.encode()]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("tls")
    certificate(folder)
    (folder / "big.bin").write_bytes(b"y" * 3_000_000)
    with serving(folder, APP, "--certfile", "cert.pem", "--keyfile", "key.pem") as running:
        yield running


def certificate(folder: Path) -> None:
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "cert.pem"),
        ],
        cwd=folder,
        check=True,
        capture_output=True,
    )


def client_context(folder: Path) -> ssl.SSLContext:
    trusting = ssl.create_default_context(cafile=str(folder / "cert.pem"))
    trusting.check_hostname = False
    return trusting


def secure(server: Server) -> Client:
    plain = socket.create_connection((server.host, server.port), DEADLINE)
    return Client(client_context(server.folder).wrap_socket(plain))


def test_it_is_announced_as_https(server: Server) -> None:
    assert "listens on https://127.0.0.1:" in server.log


def test_scheme_and_uploads(server: Server) -> None:
    content = b"z" * 2_000_000
    with secure(server) as client:
        for _ in range(2):
            client.send(
                b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(content), content
            )
            digest = hashlib.sha256(content).hexdigest()
            assert client.response().text == f"https on {digest}"


@pytest.mark.parametrize(
    ("path", "letter", "size"), [("/big", "x", 5_000_000), ("/file", "y", 3_000_000)]
)
def test_large_answers_arrive_whole(server: Server, path: str, letter: str, size: int) -> None:
    """Larger than any buffer in between: a write that would block is repeated as OpenSSL asks."""
    with secure(server) as client:
        for _ in range(10):
            response = client.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()).response()
            assert len(response.content) == size
            assert response.content.count(letter.encode()) == size
        assert client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").response().status == 200


def test_the_end_of_an_answer_without_length_is_told_by_tls(server: Server) -> None:
    """A close_notify comes before the FIN: without it a cut answer would look whole."""
    with secure(server) as client:
        client.send(b"GET /endless HTTP/1.0\r\n\r\n")
        assert isinstance(client.sock, ssl.SSLSocket)
        client.sock.suppress_ragged_eofs = False
        assert client.rest().endswith(b"\r\n\r\nab")


def test_handshakes_that_never_end_hold_up_nobody(server: Server) -> None:
    silent = [socket.create_connection((server.host, server.port), DEADLINE) for _ in range(20)]
    for sock in silent[:10]:
        sock.sendall(b"\x16\x03\x01\x02\x00\x01")  # the first octets of a ClientHello
    try:
        with secure(server) as client:
            assert client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").response().status == 200
    finally:
        for sock in silent:
            sock.close()


def test_a_client_that_speaks_http_is_let_go(server: Server) -> None:
    with server.connect() as client:
        # An alert and the end, or the end alone; nothing that could pass for HTTP.
        try:
            answer = client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").rest()
        except ConnectionResetError:
            answer = b""
        assert b"HTTP/" not in answer
    with secure(server) as good:
        assert good.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").response().status == 200


def test_why_tls_has_failed_is_in_the_log_at_debug(tmp_path: Path) -> None:
    certificate(tmp_path)
    options = ("--certfile", "cert.pem", "--keyfile", "key.pem", "--log-level", "debug")
    with serving(tmp_path, APP, *options) as server, server.connect() as client:
        host, port = client.sock.getsockname()
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_for_log(f"DEBUG TLS with {host}:{port} failed: .*http request")


def test_old_versions_are_refused(server: Server) -> None:
    old = client_context(server.folder)
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="deprecated"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    plain = socket.create_connection((server.host, server.port), DEADLINE)
    with plain, pytest.raises(OSError, match=r"(?i)ssl|reset|protocol"):
        old.wrap_socket(plain)


def test_alpn_is_http_1_1(server: Server) -> None:
    offering = client_context(server.folder)
    offering.set_alpn_protocols(["h2", "http/1.1"])
    plain = socket.create_connection((server.host, server.port), DEADLINE)
    with offering.wrap_socket(plain) as sock:
        assert sock.selected_alpn_protocol() == "http/1.1"


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    certificate(tmp_path)
    with pytest.raises(SettingsError, match=r"--certfile .*missing.pem.*No such file"):
        context(str(tmp_path / "missing.pem"), "")
    with pytest.raises(SettingsError, match=r"--certfile .*cert.pem: .*--keyfile"):
        context(str(tmp_path / "cert.pem"), "")
    with pytest.raises(SettingsError, match=r"^--keyfile .*missing.pem: No such file"):
        context(str(tmp_path / "cert.pem"), str(tmp_path / "missing.pem"))
    with pytest.raises(SettingsError, match=r"^--certfile .*: Is a directory"):
        context(str(tmp_path), "")
    context(str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"))


def test_a_key_of_another_certificate_or_with_a_pass_phrase(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    for folder in (tmp_path, tmp_path / "other"):
        certificate(folder)
    cert, key = str(tmp_path / "cert.pem"), str(tmp_path / "locked.pem")
    with pytest.raises(SettingsError, match=r"--keyfile .*: does not match the certificate in"):
        context(cert, str(tmp_path / "other/key.pem"))
    subprocess.run(
        [*("openssl", "pkey", "-in", "key.pem", "-aes128", "-passout", "pass:x"), "-out", key],
        cwd=tmp_path,
        check=True,
    )
    with pytest.raises(SettingsError, match=r"^--keyfile .*: encrypted keys are not supported"):
        context(cert, key)
    with pytest.raises(SettingsError, match=r"not a certificate and its key in PEM format"):
        context(str(tmp_path / "key.pem"), str(tmp_path / "key.pem"))
    (tmp_path / "empty").touch()
    with pytest.raises(SettingsError) as caught:
        context(str(tmp_path / "empty"), "")
    assert "None" not in str(caught.value)
