"""All of `apps/contract.toml`, requested of each app directly: what a correct server would send."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

import pytest
from wsgi_matrix.config import matrix_toml
from wsgi_matrix.model.wire import Exchange
from wsgi_matrix.suites.contract.accepted_responses import fault
from wsgi_matrix.suites.contract.contract_file import ContractExchange, load

from .conftest import ROOT

if TYPE_CHECKING:
    from .conftest import Loaded

CONTRACT = ROOT / "apps" / "contract.toml"
SPECS = [spec for endpoint in load(CONTRACT) for spec in endpoint.exchanges]
KNOWN = [each for each in matrix_toml.load(ROOT / "matrix.toml").xfails if each.suite == "contract"]
RAISES = ("error", "error-head")
"""What an app may leave to its server: the exception that its view raises."""


def environ_of(spec: ContractExchange) -> dict[str, object]:
    """What PEP 3333 says of the request."""
    path, _, query = spec.target.partition("?")
    environ: dict[str, object] = {
        "REQUEST_METHOD": spec.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1",  # as every server sets it
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(spec.body or b""),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    # Of a chunked body too, as servers tell that have it whole: most frameworks know no other end.
    if spec.body is not None:
        environ["CONTENT_LENGTH"] = str(len(spec.body))
    for field in spec.fields:
        name, _, value = field.partition(":")
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else "HTTP_" + key
        value = value.strip()
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


def answer(loaded: Loaded, spec: ContractExchange) -> bytes:
    """Call the app, and write what it answers as a server would."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status, headers, exc_info=None):  # type: ignore[no-untyped-def]
        started[:] = [(status, headers)]
        return lambda data: None

    blocks = loaded.call(environ_of(spec), start_response)
    try:
        body = b"".join(blocks)
    finally:
        getattr(blocks, "close", lambda: None)()
    [(status, headers)] = started
    head = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
    if spec.method == "HEAD" or status[:3] in ("204", "304"):
        body = b""
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


# With HEAD, Falcon leaves the file of a static route to the collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_is_answered_as_the_contract_says(
    loaded: Loaded, spec: ContractExchange, request: pytest.FixtureRequest
) -> None:
    for known in KNOWN:
        if known.matches(f"onegate-{loaded.name}-default-py311-contract", spec.name):
            # Some are seen behind a server only; one that no longer comes, the matrix reports.
            request.applymarker(pytest.mark.xfail(reason=known.reason, strict=False))
    try:
        raw = answer(loaded, spec)
    except RuntimeError:
        if spec.name not in RAISES:
            raise
        return
    exchange = Exchange(request=spec.request, response=raw, seconds=0.0)
    assert fault(exchange, spec.method, spec.accept, spec.joined) == ""


def test_the_file_is_the_same_in_every_app(folder: Path) -> None:
    expected = "".join(f"{number:07}\n" for number in range(8192))
    file = folder / "files" / "numbers.txt"
    assert file.read_text() == expected
    assert file.is_symlink()  # to the one that all apps share
