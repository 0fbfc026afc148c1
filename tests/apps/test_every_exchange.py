"""All of `apps/contract.toml`, asked of each app directly: what a correct server would send."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

import pytest
from wsgi_matrix.model.wire import Exchange
from wsgi_matrix.suites.contract.accepted_responses import fault
from wsgi_matrix.suites.contract.contract_file import Asked, load

from .conftest import ROOT

if TYPE_CHECKING:
    from .conftest import Loaded

CONTRACT = ROOT / "apps" / "contract.toml"
ASKED = [asked for endpoint in load(CONTRACT) for asked in endpoint.asked]
RAISES = ("error", "error-head")
"""What an app may leave to its server: the exception that its view raises."""


def environ_of(asked: Asked) -> dict[str, object]:
    """What PEP 3333 says of the request."""
    path, _, query = asked.target.partition("?")
    environ: dict[str, object] = {
        "REQUEST_METHOD": asked.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(asked.body or b""),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    # Of a chunked body too, as servers tell that have it whole: most frameworks know no other end.
    if asked.body is not None:
        environ["CONTENT_LENGTH"] = str(len(asked.body))
    for field in asked.fields:
        name, _, value = field.partition(":")
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else "HTTP_" + key
        value = value.strip()
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


def answer(loaded: Loaded, asked: Asked) -> bytes:
    """Call the app, and write what it answers as a server would."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status, headers, exc_info=None):  # type: ignore[no-untyped-def]
        started[:] = [(status, headers)]
        return lambda data: None

    blocks = loaded.call(environ_of(asked), start_response)
    try:
        body = b"".join(blocks)
    finally:
        getattr(blocks, "close", lambda: None)()
    [(status, headers)] = started
    head = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
    if asked.method == "HEAD" or status[:3] in ("204", "304"):
        body = b""
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


# Asked with HEAD, Falcon leaves the file of a static route to the collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.name)
def test_is_answered_as_the_contract_says(loaded: Loaded, asked: Asked) -> None:
    try:
        raw = answer(loaded, asked)
    except RuntimeError:
        if asked.name not in RAISES:
            raise
        return
    exchange = Exchange(request=asked.request, response=raw, seconds=0.0)
    assert fault(exchange, asked.method, asked.accept, asked.joined) == ""


def test_the_file_is_the_same_in_every_app(folder: Path) -> None:
    expected = "".join(f"{number:07}\n" for number in range(8192))
    file = folder / "files" / "numbers.txt"
    assert file.read_text() == expected
    assert file.is_symlink()  # to the one that all apps share
