"""A real onegate as a process, and a client that sees every octet of its answers."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

DEADLINE = 60.0
"""Seconds after which anything that is waited for counts as a failure."""
_LISTENS = re.compile(r"listens on (?:https?://(?P<host>\[[^\]]+\]|[^:]+):(?P<port>\d+)|unix:(.+))")
_STATUS_LINE = re.compile(r"HTTP/1\.1 ([1-9][0-9]{2}) ([^\r\n]*)")
_FIELD_LINE = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ([^\r\n\0]*)")

HELLO = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "6")])
    return [b"Hello\\n"]
"""
"""The smallest well-behaved app."""


_seconds_of_apps = itertools.count(1_000_000_000)


def write_app(folder: Path, source: str) -> None:
    """Make ``source`` the module ``served`` of ``folder``, as a deployment would: in a second of
    its own. Python takes a compiled file for current by its source's size and second.
    """
    path = folder / "served.py"
    path.write_text(source)
    second = next(_seconds_of_apps)
    os.utime(path, (second, second))


def wait_for(condition: Callable[[], object], what: str, seconds: float = DEADLINE) -> None:
    """Wait until ``condition`` holds; fail with ``what`` when it does not in time."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"{what}: not within {seconds:g} s"
        time.sleep(0.005)


@dataclass(frozen=True, kw_only=True)
class Response:
    """An answer, read strictly: anything out of place is an AssertionError."""

    status: int
    reason: str
    fields: list[tuple[str, str]]
    content: bytes
    interim: list[Response] = field(default_factory=list)
    """1xx responses that came before it."""

    def all(self, name: str) -> list[str]:
        """The values of every field called ``name``, in order."""
        return [value for each, value in self.fields if each.lower() == name.lower()]

    def get(self, name: str) -> str | None:
        """The value of the field ``name``; None without it. It must not come twice."""
        values = self.all(name)
        assert len(values) < 2, f"{name} given {len(values)} times"
        return values[0] if values else None

    @property
    def text(self) -> str:
        """The content as latin-1."""
        return self.content.decode("latin-1")


class Client:
    """One raw connection. Every wait has a deadline."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._buffer = b""
        sock.settimeout(DEADLINE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, *octets: bytes) -> Self:
        """Send ``octets`` as they are."""
        for each in octets:
            self.sock.sendall(each)
        return self

    def half_close(self) -> Self:
        """Announce that nothing more will be sent; still read."""
        self.sock.shutdown(socket.SHUT_WR)
        return self

    def reset(self) -> None:
        """Close with a reset, as a client that crashes does."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    def read(self, count: int) -> bytes:
        """Exactly ``count`` octets."""
        while len(self._buffer) < count:
            self._more()
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def read_until(self, ending: bytes) -> bytes:
        """Everything up to and with ``ending``."""
        while ending not in self._buffer:
            self._more()
        return self.read(self._buffer.index(ending) + len(ending))

    def rest(self) -> bytes:
        """Everything until the server closes. A reset is an error (``ConnectionResetError``)."""
        while octets := self.sock.recv(65536):
            self._buffer += octets
        taken, self._buffer = self._buffer, b""
        return taken

    def closed(self) -> bool:
        """Wait for the server to close; True if it does so in order and without another octet."""
        return self.rest() == b""

    def silent(self, seconds: float = 0.2) -> bool:
        """True if no octet, and no end, comes for so long."""
        if self._buffer:
            return False
        self.sock.settimeout(seconds)
        try:
            self.sock.recv(1, socket.MSG_PEEK)
            return False
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(DEADLINE)

    def _more(self) -> None:
        octets = self.sock.recv(65536)
        if not octets:
            raise EOFError(f"the server closed; unread: {self._buffer!r}")
        self._buffer += octets

    def response(self, method: str = "GET") -> Response:
        """The next final response, to a request with ``method`` (RFC 9112, 6.3)."""
        interim: list[Response] = []
        while (head := self.head()).status < 200:
            interim.append(head)
        content = self._content(method, head)
        return Response(
            status=head.status,
            reason=head.reason,
            fields=head.fields,
            content=content,
            interim=interim,
        )

    def head(self) -> Response:
        """The next head, interim or final, without reading its content."""
        lines = self.read_until(b"\r\n\r\n")[:-4].decode("latin-1").split("\r\n")
        status = _STATUS_LINE.fullmatch(lines[0])
        assert status, f"invalid status line {lines[0]!r}"
        fields = []
        for line in lines[1:]:
            match = _FIELD_LINE.fullmatch(line)
            assert match, f"invalid field line {line!r}"
            fields.append((match[1], match[2]))
        return Response(status=int(status[1]), reason=status[2], fields=fields, content=b"")

    def _content(self, method: str, head: Response) -> bytes:
        length, coding = head.get("Content-Length"), head.get("Transfer-Encoding")
        assert length is None or coding is None, "both Content-Length and Transfer-Encoding"
        assert length is None or re.fullmatch("[0-9]+", length), f"Content-Length {length!r}"
        if method == "HEAD" or head.status in (204, 304):
            return b""
        if coding is not None:
            assert coding == "chunked", f"Transfer-Encoding {coding!r}"
            return b"".join(iter(self.chunk, b""))
        return self.rest() if length is None else self.read(int(length))

    def chunk(self) -> bytes:
        """The next chunk's data; empty for the last one, whose end is consumed."""
        line = self.read_until(b"\r\n")[:-2]
        assert re.fullmatch(rb"[0-9a-f]+", line), f"chunk-size {line!r}"
        data = self.read(int(line, 16))
        assert self.read(2) == b"\r\n", "chunk without CRLF"
        return data


class Server:
    """A running ``python -m onegate``."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.process = process
        self.folder = folder
        self.host = ""
        self.port = 0
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.append(line.rstrip("\n"))
        self.process.stderr.close()

    @property
    def log(self) -> str:
        """Standard error so far."""
        return "\n".join(self._lines)

    def wait_for_log(self, pattern: str) -> re.Match[str]:
        """Wait until ``pattern`` (a regular expression) is found on standard error."""
        found: list[re.Match[str]] = []

        def look() -> bool:
            match = re.search(pattern, self.log)
            if match:
                found.append(match)
            return bool(match)

        try:
            wait_for(look, f"{pattern!r} on standard error")
        except AssertionError as error:
            raise AssertionError(f"{error}:\n{self.log}") from None
        return found[0]

    def find_port(self) -> None:
        """Read from the log where it listens."""
        wait_for(
            lambda: _LISTENS.search(self._told()) or self.process.poll() is not None,
            "listens on …",
        )
        match = _LISTENS.search(self._told())
        assert match, f"onegate ended with {self.process.poll()}:\n{self.log}"
        if match["port"]:
            self.host, self.port = match["host"].strip("[]"), int(match["port"])

    def _told(self) -> str:
        """What it logged, on standard error and in the file ``log`` if it was given that."""
        with contextlib.suppress(FileNotFoundError):
            return self.log + (self.folder / "log").read_text(errors="backslashreplace")
        return self.log

    def connect(self) -> Client:
        """A new connection."""
        return Client(socket.create_connection((self.host, self.port), DEADLINE))

    def exchange(self, *octets: bytes) -> bytes:
        """Send ``octets`` on a new connection; return all that comes until the server closes."""
        with self.connect() as client:
            return client.send(*octets).rest()

    def get(self, path: str = "/", *fields: str) -> Response:
        """A GET on a connection of its own."""
        lines = "\r\n".join((f"GET {path} HTTP/1.1", "Host: a", "Connection: close", *fields))
        with self.connect() as client:
            response = client.send(f"{lines}\r\n\r\n".encode("latin-1")).response()
            assert client.closed()
        return response

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send ``number``, wait for the end, return the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        return status

    def kill(self) -> None:
        """End it by force, with its workers: they notice that the master is gone."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(DEADLINE)


@contextlib.contextmanager
def started(
    folder: Path,
    command: Sequence[str],
    environ: Mapping[str, str] = MappingProxyType({}),
    stdout: IO[str] | int = subprocess.DEVNULL,
) -> Iterator[Server]:
    """A server that ``command`` starts in ``folder``, killed at the end if it runs then."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **environ},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="backslashreplace",
    )
    server = Server(process, folder)
    try:
        yield server
    finally:
        server.kill()


def run_to_end(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command ``onegate`` in ``folder``, where it ends by itself; with its stderr."""
    return subprocess.run(
        [sys.executable, "-m", "onegate", *arguments],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


@contextlib.contextmanager
def serving(
    folder: Path,
    source: str = HELLO,
    *options: str,
    target: str = "served:app",
    bind: str = "127.0.0.1:0",
    environ: Mapping[str, str] = MappingProxyType({}),
    launcher: tuple[str, ...] = (),
) -> Iterator[Server]:
    """Serve the app that the Python text ``source`` defines, from ``folder``.

    At the end the server is stopped with SIGTERM, unless the test did so, and its exit status has
    to be 0. Tests that end it otherwise call ``stop`` or ``kill`` and judge for themselves.
    ``launcher``: a command that becomes the server, say after it has set limits.
    """
    write_app(folder, source)
    command = [
        *launcher,
        *(sys.executable, "-m", "onegate", target),
        *(("--bind", bind) if bind else ()),
        *options,
    ]
    with started(folder, command, environ) as server:
        server.find_port()
        yield server
        if server.process.returncode is None:
            status = server.stop()
            assert status == 0, f"onegate ended with {status}:\n{server.log}"
