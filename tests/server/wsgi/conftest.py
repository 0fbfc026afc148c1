"""The small apps of ``tests/server/apps`` on a real server, each one plain and validated."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.server.helpers import Client, Response, Server, serving, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

_marks = itertools.count()
FOLDER = Path(__file__).parents[1] / "apps"


class Apps:
    """A server that has all the apps, reached as ``MODULE`` or ``MODULE:NAME``."""

    def __init__(self, server: Server, how: str) -> None:
        self.server = server
        self.how = how

    def send(
        self,
        app: str,
        *fields: str,
        method: str = "GET",
        query: str = "",
        minor: int = 1,
        content: bytes = b"",
        client: Client | None = None,
    ) -> Client:
        """Send a request, on a new connection if there is no ``client``."""
        client = client or self.server.connect()
        lines = [f"{method} /{self.how}/{app}?{query} HTTP/1.{minor}", "Host: a", *fields]
        if content:
            lines.append(f"Content-Length: {len(content)}")
        head = "\r\n".join([*lines, "", ""])
        return client.send(head.encode("latin-1") + content)

    def ask(self, app: str, *fields: str, method: str = "GET", **keywords: Any) -> Response:
        """Send a request and read its answer. The connection has to survive that, in order."""
        with self.send(app, *fields, method=method, **keywords) as client:
            response = client.response(method)
            if response.get("Connection") != "close" and keywords.get("minor", 1):
                again = self.send("one_block", client=client).response()
                assert (again.status, again.content) == (200, b"one block")
        return response

    def cut(self, app: str, **keywords: Any) -> bytes:
        """What came of an answer before the connection was cut; the test fails if it was not."""
        with self.send(app, **keywords) as client:
            received = b""
            try:
                while octets := client.sock.recv(65536):
                    received += octets
            except ConnectionResetError:
                return received
        raise AssertionError(f"ended in order after {received!r}")

    def events(self) -> list[str]:
        """What the apps have noted since this was last asked."""
        told: list[str] = json.loads(self.server.get("/plain/record?clear").content)
        return told

    def wait_for_event(self, event: str) -> None:
        """Wait until ``event`` was noted."""
        wait_for(
            lambda: event in json.loads(self.server.get("/plain/record").content), f"event {event}"
        )

    def log(self) -> str:
        """The log, with all that was written to it before this was asked."""
        mark = f"mark={next(_marks)};"
        self.server.get(f"/plain/record?{mark}")
        self.server.wait_for_log(mark)
        return self.server.log

    def alive(self) -> bool:
        """Whether the first worker is still the one that answers."""
        return "it is replaced" not in self.server.log and self.ask("one_block").status == 200


@pytest.fixture(scope="module")
def _dispatcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("apps")
    (folder / "data").write_bytes(b"".join(b"line %d of the file\n" % n for n in range(2000)))
    environ = {
        "FILES_DATA": str(folder / "data"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONWARNINGS": os.environ.get("PYTHONWARNINGS", ""),
    }
    with serving(
        folder, "", "--chdir", str(FOLDER), target="dispatch:app", environ=environ
    ) as server:
        yield server


@pytest.fixture
def apps(_dispatcher: Server) -> Iterator[Apps]:
    """The apps as they are."""
    yield Apps(_dispatcher, "plain")
    _in_order(_dispatcher)


@pytest.fixture(params=["plain", "validated"])
def either(request: pytest.FixtureRequest, _dispatcher: Server) -> Iterator[Apps]:
    """The apps as they are, and behind ``wsgiref.validate.validator``."""
    yield Apps(_dispatcher, request.param)
    _in_order(_dispatcher)


def _in_order(server: Server) -> None:
    """Whatever the app did, the worker is the same, and no note is left for the next test."""
    apps = Apps(server, "plain")
    apps.events()
    assert apps.alive()
    assert "without being closed" not in apps.log()  # the validator's word for a lost close()


@pytest.fixture
def data(_dispatcher: Server) -> bytes:
    """The content of the file that the apps in ``files`` send."""
    return (_dispatcher.folder / "data").read_bytes()


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """See :class:`Gate`."""
    return Gate(tmp_path / "gate")


class Gate:
    """A named pipe on which an app waits until the test opens it."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path

    def open(self) -> None:
        """Let the app go on. Waits for the app to come to the gate."""
        with self.path.open("wb"):
            pass


class Recorder:
    """An output that keeps what it is sent (see ``onegate.wsgi.handler.Output``)."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    @property
    def octets(self) -> bytes:
        """All that was sent."""
        return b"".join(self.sent)

    def send(self, octets: bytes) -> None:
        """Keep ``octets``."""
        self.sent.append(bytes(octets))

    def send_last(self, octets: bytes, close: bool) -> None:
        """Keep ``octets``, too."""
        self.send(octets)

    def send_file(self, descriptor: int, position: int, count: int) -> None:
        """Read the part of the file."""
        self.sent.append(os.pread(descriptor, count, position))


@pytest.fixture
def recorder() -> Recorder:
    """See :class:`Recorder`."""
    return Recorder()
