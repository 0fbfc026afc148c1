"""What an application does to its process, and what the worker around it makes of that."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.server.helpers import serving, wait_for, write_app

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


# ── monkey patches ───────────────────────────────────────────────────────────────────────────────

# What gevent 26.9 and eventlet 0.41 replace; here by what works, unless it is called by us.
PATCHES = """
import _thread, functools, os, queue, select, signal, socket, sys, threading, time

REPLACED = {
    select: "select poll",
    socket: "socket SocketType create_connection socketpair fromfd getaddrinfo gethostbyname",
    threading: "Lock RLock Event Condition Semaphore Timer local _start_new_thread"
               " current_thread get_ident",
    _thread: "start_new_thread allocate_lock allocate get_ident",
    time: "sleep",
    os: "fork forkpty wait waitpid read write",
    signal: "signal getsignal",
    queue: "Queue LifoQueue SimpleQueue",
}

def replace(module, name):
    original = getattr(module, name)

    def replaced(*arguments, **named):
        if sys._getframe(1).f_globals["__name__"].startswith("onegate"):
            raise AssertionError(f"{module.__name__}.{name} was called")
        return original(*arguments, **named)

    setattr(module, name, replaced)

class Thread(threading.Thread):  # of which threading itself makes others
    def __init__(self, *arguments, **named):
        assert not sys._getframe(1).f_globals["__name__"].startswith("onegate"), "Thread was called"
        _Thread.__init__(self, *arguments, **named)

_Thread, threading.Thread = threading.Thread, Thread
for module, names in REPLACED.items():
    for name in names.split():
        if hasattr(module, name):  # not every version of Python has all
            replace(module, name)
del select.epoll

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/upload":
        content = str(len(environ["wsgi.input"].read())).encode()
    elif path == "/file":
        start_response("200 OK", [("Content-Length", "3000000")])
        return environ["wsgi.file_wrapper"](open("large", "rb"))
    elif path == "/stream":
        start_response("200 OK", [])
        return (b"x" * 65536 for _ in range(100))
    else:
        content = b"ok"
    start_response("200 OK", [("Content-Length", str(len(content)))])
    return [content]
"""


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--preload", "--workers", "2"),
        ("--threads", "2"),
        ("--access-log", "%(s)s", "--access-logfile", "access"),
        ("--spool", "none", "--response-memory", "64k"),
    ],
)
def test_whatever_an_application_replaces(tmp_path: Path, options: tuple[str, ...]) -> None:
    (tmp_path / "large").write_bytes(bytes(3000000))
    with serving(tmp_path, PATCHES, *options) as server:
        assert server.get().content == b"ok"
        assert server.get("/file").content == bytes(3000000)
        assert server.get("/stream").content == b"x" * 6553600
        with server.connect() as client:
            head = b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n"
            assert client.send(head, bytes(500000)).response().content == b"500000"
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 20)
            assert [client.response().content for _ in range(20)] == [b"ok"] * 20
        server.process.send_signal(signal.SIGUSR1)
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_log("reloading")
        assert server.get().content == b"ok"
        assert server.stop() == 0
        assert "was called" not in server.log
        assert ("ignoring --threads 2" in server.log) == ("--threads" in options)


def test_whatever_an_application_replaces_a_change_is_seen(tmp_path: Path) -> None:
    with serving(tmp_path, PATCHES, "--reload") as server:
        assert server.get().content == b"ok"
        write_app(tmp_path, PATCHES.replace('b"ok"', 'b"changed"'))
        wait_for(lambda: server.get().content == b"changed", "the change")
        assert "was called" not in server.log
