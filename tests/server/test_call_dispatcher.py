"""``onegate.worker.call_dispatcher``: calls that are put off, and gathered ends of responses."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.server.helpers import wait_for

if TYPE_CHECKING:
    from tests.server.conftest import Serve

ASK = b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n"
GATHERED = """
from pathlib import Path
import onegate.worker.worker

# Answers are gathered whenever two requests are there at once, and never let go by the worker.
onegate.worker.call_dispatcher._WORTHWHILE = -1.0
onegate.worker.call_dispatcher.GATHERING = 1e9


class Slow:
    def __iter__(self):
        yield b"whole"

    def close(self):
        Path("called").touch()
        Path("gate").read_bytes()


def app(environ, start_response):
    if environ["PATH_INFO"] == "/hang":
        Path("called").touch()
        Path("gate").read_bytes()
    start_response("200 OK", [("Content-Length", "5")])
    return Slow() if environ["PATH_INFO"] == "/slow-close" else [b"whole"]
"""


def test_an_answer_that_is_gathered_is_not_held_up_by_the_next_call(serve: Serve) -> None:
    """The kernel sends it, whatever the application does meanwhile (PEP 3333, "Buffering")."""
    server = serve(GATHERED)
    gate = server.folder / "gate"
    os.mkfifo(gate)
    with server.connect() as first, server.connect() as quick, server.connect() as slow:
        for client in (first, quick, slow):
            assert client.send(ASK % b"/").response().text == "whole"
        first.send(ASK % b"/hang")
        wait_for((server.folder / "called").exists, "the call")
        quick.send(ASK % b"/")
        slow.send(ASK % b"/hang")
        (server.folder / "called").unlink()
        with gate.open("w"):
            pass
        assert first.response().text == "whole"
        assert quick.response().text == "whole"
        wait_for((server.folder / "called").exists, "the second call")
        with gate.open("w"):
            pass
        assert slow.response().text == "whole"


def test_the_end_of_a_connection_is_not_waited_for_by_its_answer(serve: Serve) -> None:
    """Nor is close() of the iterable, which comes between the two."""
    server = serve(GATHERED)
    os.mkfifo(server.folder / "gate")
    request = b"GET /slow-close HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    with server.connect() as client:
        client.send(request)
        wait_for((server.folder / "called").exists, "close()")
        assert client.response().text == "whole"
        with (server.folder / "gate").open("w"):
            pass
        assert client.closed()


QUICK = """
import onegate.worker.worker

# Nothing but an event wakes the loop.
onegate.worker.worker._TICK = 60.0


def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "1")])
    return [environ["PATH_INFO"][1:].encode()]
"""


def test_pipelined_requests_are_answered_without_another_event(serve: Serve) -> None:
    """Also when calls are put off until all is read that has come, as in a worker at work."""
    server = serve(QUICK)
    with server.connect() as client:
        for _ in range(20):
            assert client.send(ASK % b"/0").response().text == "0"
        client.send(b"".join(ASK % b"/%d" % number for number in range(8)))
        assert [client.response().text for _ in range(8)] == [str(number) for number in range(8)]
