"""Requests and responses of many shapes, for ``python -m bench.soak_threads``.

Each response is determined by its request to the last octet, but for the second in ``Date``: the
application makes it of the environ, the client of what it has sent. Whatever threads of a worker
mix up shows, be it a field, a length or a single octet of somebody else's content.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from types import FrameType
from typing import Any

Environ = dict[str, Any]
Tracer = Callable[[FrameType, str, Any], Any]
StartResponse = Callable[..., Callable[[bytes], object]]

SWITCH = "SHAPES_SWITCH"
"""The environment variable that says how threads are switched: ``interval`` or ``opcodes``."""
FILE = b"".join(b"%07d\n" % number for number in range(40_000))
COMMON = [("Content-Type", "text/plain")]
"""Of the responses that differ in their length alone, so that the server has one head for all."""
BARE = ("bare", "blocks")
"""Kinds whose requests and responses bear no name: their octets come again and again."""
STREAMS = ("blocks", "chunked", "written")
"""Those of several blocks without a length, which HTTP/1.0 can end with the connection alone."""
KINDS = (
    *("bare",) * 12,
    *("blocks",) * 2,
    *("named",) * 4,
    *("length", "chunked", "counted", "written", "large", "file", "hints", "dated"),
    *("none", "unchanged", "missing", "raises"),
)
"""The shapes of a response, as often as they are wanted."""


# ── what is sent, and what is due for it ─────────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request. ``size``: octets of the content that is wanted."""

    kind: str
    size: int
    name: str
    """Of this request alone; empty if it is to be like others."""
    method: str
    minor: int
    keep: bool
    content: bytes
    chunked: bool

    @property
    def path(self) -> str:
        """Of its target."""
        return f"/{self.kind}/{self.size}/{self.name}"

    def octets(self) -> bytes:
        """As it is sent."""
        lines = [f"{self.method} {self.path} HTTP/1.{self.minor}", "Host: a"]
        if self.name:
            lines.append(f"X-Request-ID: {self.name}")
        if self.chunked:
            lines.append("Transfer-Encoding: chunked")
        elif self.content:
            lines.append(f"Content-Length: {len(self.content)}")
        if self.keep != bool(self.minor):
            lines.append(f"Connection: {'keep-alive' if self.keep else 'close'}")
        content = self.content
        if self.chunked:
            half = len(content) // 2
            parts = [part for part in (content[:half], content[half:]) if part]
            content = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
            content += b"0\r\n\r\n"
        return "\r\n".join((*lines, "", "")).encode() + content

    def due(self, date: str) -> bytes:
        """The octets of its response, if that bears ``date``."""
        kind = self.kind
        status, fields, content = response(kind, self.size, self.path, self.name, self.content)
        interim = b""
        if kind == "hints" and self.minor:
            interim = b"HTTP/1.1 103 Early Hints\r\nLink: <%b>\r\n\r\n" % self.path.encode()
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields)]
        if kind != "dated":
            lines.append(f"Date: {date}")
        lines.append("Server: onegate")
        framed = content
        if kind in ("none", "unchanged") or self.method == "HEAD":
            framed = b""
        elif kind == "raises" or any(name == "Content-Length" for name, _ in fields):
            pass
        elif kind in STREAMS:
            lines.append("Transfer-Encoding: chunked")
            parts = list(blocks(content))
            framed = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
            framed += b"0\r\n\r\n"
        else:
            lines.append(f"Content-Length: {len(content)}")
        if not self.keep:
            lines.append("Connection: close")
        elif not self.minor:
            lines.append("Connection: keep-alive")
        return interim + "\r\n".join((*lines, "", "")).encode() + framed


def response(
    kind: str, size: int, path: str, name: str, content: bytes
) -> tuple[str, list[tuple[str, str]], bytes]:
    """Status, fields and content that the application gives."""
    if kind in BARE:
        return "200 OK", COMMON, b"%d octets".ljust(size, b".")[:size] % size
    if kind == "raises":
        error = b"500 Internal Server Error\n"
        fields = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", "26")]
        return "500 Internal Server Error", fields, error
    told = f"{size} octets for {path}: {sha256(content).hexdigest()};".encode()
    octets = (told * (size // len(told) + 1))[:size]
    fields = [("X-Path", path), ("X-Name", name), ("X-Content", str(len(content)))]
    if kind in ("length", "counted"):
        fields.append(("Content-Length", str(size)))
    if kind == "dated":
        fields.append(("Date", "Thu, 01 Jan 1970 00:00:00 GMT"))
    if kind == "file":
        octets = FILE[:size]
    if kind == "none":
        return "204 No Content", fields, b""
    if kind == "unchanged":
        return "304 Not Modified", [*fields, ("ETag", f'"{name}"')], b""
    if kind == "missing":
        return "404 Not Found", [*fields, ("Set-Cookie", f"name={name}")], octets
    return "200 OK", fields, octets


def blocks(content: bytes) -> Iterable[bytes]:
    """``content`` in three parts, of which none is empty."""
    third = max(1, len(content) // 3)
    for start in range(0, len(content), third):
        yield content[start : start + third]


def some_request(dice: random.Random, name: str) -> Request:
    """A request of some shape, with ``name`` if it is to bear one."""
    kind = dice.choice(KINDS)
    if kind in BARE:
        name = ""
    size = dice.randint(5, 60)
    if kind == "large":
        size = dice.randint(60_000, 400_000)
    elif kind == "file":
        size = dice.randint(1, len(FILE))
    elif kind not in BARE:
        size = dice.randint(1, 3000)
    minor = int(kind in (*STREAMS, "raises") or dice.random() < 0.9)
    method = dice.choice(("GET", "GET", "GET", "HEAD"))
    content = b""
    if name and kind != "raises" and dice.random() < 0.3:
        method = dice.choice(("POST", "PUT"))
        content = dice.randbytes(dice.choice((1, 50, 4000, 40_000)))
    return Request(
        kind=kind,
        size=size,
        name=name,
        method=method,
        minor=minor,
        keep=dice.random() < 0.95,
        content=content,
        chunked=bool(content) and minor == 1 and dice.random() < 0.5,
    )


# ── the application ──────────────────────────────────────────────────────────────────────────────


def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answers each request as its path says, after a wait in most cases."""
    path = environ["PATH_INFO"]
    _, kind, size, _ = path.split("/")
    wait = hash((path, environ["REQUEST_METHOD"])) % 8
    if wait:
        time.sleep(wait * 1e-4)
    if kind == "raises":
        raise KeyError(path)
    name = environ.get("onegate.request_id", "")
    status, fields, content = response(kind, int(size), path, name, environ["wsgi.input"].read())
    if kind == "hints":
        environ["wsgi.early_hints"]([("Link", f"<{path}>")])
    write = start_response(status, list(fields))
    if kind in ("chunked", "counted"):
        return blocks(content)
    if kind == "written":
        for block in blocks(content):
            write(block)
        return []
    if kind == "blocks":
        return list(blocks(content))
    if kind == "file" and environ["REQUEST_METHOD"] != "HEAD":
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the server closes it
        file.write(content)
        file.seek(0)
        return environ["wsgi.file_wrapper"](file)  # type: ignore[no-any-return]
    return [content] if content else []


# ── switching threads ────────────────────────────────────────────────────────────────────────────


def switch_between_opcodes() -> None:
    """From now on, in threads that begin: let others go on between any two opcodes of the server,
    one time in :data:`_SELDOM`. What is not safe shows a hundred times as often."""
    threading.settrace(_trace)


_SELDOM = 150


def _trace(frame: FrameType, _event: str, _argument: object) -> Tracer | None:
    if frame.f_globals.get("__name__", "").startswith("onegate."):
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return _pause
    return None


def _pause(_frame: FrameType, event: str, _argument: object) -> Tracer:
    if event == "opcode" and random.random() * _SELDOM < 1:  # noqa: S311 - no secret
        time.sleep(1e-6)
    return _pause


if how := os.environ.get(SWITCH):  # the server loads it
    sys.setswitchinterval(1e-6)
    if how == "opcodes":
        switch_between_opcodes()
