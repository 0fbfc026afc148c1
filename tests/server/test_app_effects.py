"""What an application does to its process, and what the worker around it makes of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.server.helpers import serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import Serve

# ── streams ──────────────────────────────────────────────────────────────────────────────────────

REPLACES = """
import io, sys

class ToLog:
    def write(self, text): return len(text)
    def flush(self): pass

sys.stdout = sys.stderr = {stream}
{reset}

def app(environ, start_response):
    print("printed", file=environ["wsgi.errors"])
    environ["wsgi.errors"].flush()
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


@pytest.mark.parametrize("options", [(), ("--preload",), ("--threads", "2")])
@pytest.mark.parametrize(
    ("stream", "reset"),
    [("ToLog()", ""), ("io.StringIO()", ""), ("ToLog()", "sys.__stderr__ = sys.stderr")],
)
def test_streams_that_are_no_files(
    serve: Serve, stream: str, reset: str, options: tuple[str, ...]
) -> None:
    server = serve(REPLACES.format(stream=stream, reset=reset), *options)
    assert server.get().content == b"ok"


def test_a_worker_that_cannot_be_set_up_says_why_where_we_log(tmp_path: Path) -> None:
    """Not on sys.stderr, which the application has replaced."""
    (tmp_path / "hooks.py").write_text(
        "def post_worker_init(worker):\n    raise ValueError('told')"
    )
    source = REPLACES.format(stream="ToLog()", reset="sys.excepthook = lambda *_: None")
    with serving(tmp_path, source, "--hooks", "hooks.py") as server:
        server.wait_for_log("    ValueError: told")
        assert server.process.wait() == 1
