"""Real clients against a real server: what they send, and what they make of the answers."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.programs import absent, program
from tests.server.helpers import Server, serving

if TYPE_CHECKING:
    import requests

APPS = Path(__file__).parent / "apps"
CONTENT = bytes(range(256)) * 8192
"""2 MiB: more than stays in memory."""
TOLD = f"{hashlib.sha256(CONTENT).hexdigest()} {len(CONTENT)}"
SOURCE = f"""
import sys
sys.path.insert(0, {str(APPS)!r})
import binary, digest, generator, one_block

def app(environ, start_response):
    name = environ["PATH_INFO"].strip("/")
    return globals()[name].app(environ, start_response)
"""


def run(*command: str, content: bytes | None = None) -> str:
    """Run a client to its end, which has to be a good one; its standard output."""
    ended = subprocess.run(
        command,
        input=content,
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout.decode("latin-1")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    environ = {"PYTHONDONTWRITEBYTECODE": "1"}
    with serving(tmp_path_factory.mktemp("clients"), SOURCE, environ=environ) as server:
        yield server


@pytest.fixture
def url(server: Server) -> str:
    return f"http://{server.host}:{server.port}"


# ── curl ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def curl() -> str:
    return program("curl")


@pytest.mark.parametrize("version", ["--http1.0", "--http1.1"])
def test_curl_reads_every_framing(curl: str, url: str, version: str) -> None:
    output = run(curl, "-sS", version, f"{url}/one_block", f"{url}/generator")
    assert output == "one blockone two three"


def test_curl_uses_one_connection_for_all(curl: str, url: str) -> None:
    command = [curl, "-sS", "-w", "%{num_connects}"]
    for name in ("one_block", "generator", "one_block", "generator"):
        command += ["-o", os.devnull, f"{url}/{name}"]
    assert run(*command) == "1000"


@pytest.mark.parametrize(
    "options",
    [
        ("-H", "Expect:"),
        ("-H", "Expect: 100-continue"),
        ("-H", "Transfer-Encoding: chunked"),
        ("-H", "Transfer-Encoding: chunked", "-H", "Expect: 100-continue"),
        ("--http1.0",),
    ],
)
def test_curl_uploads(curl: str, url: str, options: tuple[str, ...]) -> None:
    command = (curl, "-sSv", "--data-binary", "@-", *options, f"{url}/digest")
    assert run(*command, content=CONTENT) == TOLD


def test_curl_gets_100_continue_before_it_sends(curl: str, url: str, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    command = (curl, "-sS", "--trace-ascii", str(trace), "-T", "-", "-H", "Expect: 100-continue")
    # Curl waits long enough for an answer that it would otherwise do without.
    assert run(*command, "--expect100-timeout", "50", f"{url}/digest", content=CONTENT) == TOLD
    text = trace.read_text("latin-1")
    assert text.index("HTTP/1.1 100 Continue") < text.index("=> Send data")


def test_curl_head(curl: str, url: str) -> None:
    assert run(curl, "-sSI", f"{url}/one_block").startswith("HTTP/1.1 200 OK\r\n")


# ── http.client ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def connection(server: Server) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=120)
    yield connection
    connection.close()


def test_http_client_many_requests_on_one_connection(
    connection: http.client.HTTPConnection,
) -> None:
    connection.connect()
    sock = connection.sock
    for path, content in (("/one_block", b"one block"), ("/generator", b"one two three")) * 5:
        connection.request("GET", path)
        assert connection.getresponse().read() == content
        connection.request("HEAD", path)
        assert connection.getresponse().read() == b""
    assert connection.sock is sock


@pytest.mark.parametrize("chunked", [False, True])
def test_http_client_uploads(connection: http.client.HTTPConnection, chunked: bool) -> None:
    for _ in range(2):
        if chunked:
            parts = (CONTENT[start : start + 10_000] for start in range(0, len(CONTENT), 10_000))
            connection.request("POST", "/digest", body=parts, encode_chunked=True)
        else:
            connection.request("POST", "/digest", body=CONTENT)
        assert connection.getresponse().read().decode() == TOLD


# ── requests, urllib3 ────────────────────────────────────────────────────────────────────────


@pytest.fixture
def session() -> Iterator[requests.Session]:
    try:
        import requests
    except ImportError:
        absent("requests is missing: pip install requests")
    with requests.Session() as session:
        session.trust_env = False  # a proxy that is set would be between us
        yield session


def test_requests_streams_up(session: requests.Session, url: str) -> None:
    for _ in range(2):
        parts = (CONTENT[start : start + 10_000] for start in range(0, len(CONTENT), 10_000))
        assert session.post(f"{url}/digest", data=parts, timeout=120).text == TOLD
        assert session.post(f"{url}/digest", data=CONTENT, timeout=120).text == TOLD


def test_requests_streams_down(session: requests.Session, url: str) -> None:
    with session.get(f"{url}/binary", stream=True, timeout=120) as response:
        assert response.headers["Transfer-Encoding"] == "chunked"
        assert b"".join(response.iter_content(1000)) == bytes(range(256)) * 40


def test_requests_with_expect(session: requests.Session, url: str) -> None:
    response = session.post(
        f"{url}/digest", data=CONTENT, headers={"Expect": "100-continue"}, timeout=120
    )
    assert response.text == TOLD


# ── ab, wrk ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("options", [(), ("-k",)])
@pytest.mark.parametrize("app", ["one_block", "generator"])
def test_ab(url: str, app: str, options: tuple[str, ...]) -> None:
    """HTTP/1.0, with and without keep-alive: no answer fails or has another length."""
    ab = program("ab")
    output = run(ab, "-q", "-n", "500", "-c", "10", *options, f"{url}/{app}")
    assert re.search(r"Complete requests: +500\n", output)
    assert re.search(r"Failed requests: +0\n", output)
    assert "Non-2xx" not in output
    kept = re.search(r"Keep-Alive requests: +(\d+)\n", output)
    assert (int(kept[1]) if kept else 0) == (500 if options and app == "one_block" else 0)


@pytest.mark.parametrize("app", ["one_block", "generator"])
def test_wrk(url: str, app: str) -> None:
    wrk = program("wrk")
    output = run(wrk, "-d1", "-t1", "-c16", f"{url}/{app}")
    assert "Socket errors" not in output
    assert "Non-2xx" not in output
    match = re.search(r"(\d+) requests in", output)
    assert match
    assert int(match[1]) > 0
