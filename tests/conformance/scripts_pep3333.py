"""What scripted servers say for the apps of PEP 3333's rules."""

from __future__ import annotations

import json
from typing import Any

from tests.conformance.scripted import FIN, Script, Wait

HEAD_END = Wait(b"\r\n\r\n")
Scripts = tuple[Script, ...]
ERROR = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked"


def ok(body: bytes, *fields: bytes, status: bytes = b"200 OK") -> bytes:
    """A whole response with Content-Length."""
    length = b"Content-Length: %d" % len(body)
    return b"\r\n".join([b"HTTP/1.1 " + status, *fields, length, b"", body])


def chunks(*blocks: bytes, end: bool = True, fields: tuple[bytes, ...] = ()) -> bytes:
    """A chunked response, whole or cut."""
    head = b"\r\n".join([b"HTTP/1.1 200 OK", *fields, CHUNKED, b"", b""])
    body = b"".join(b"%x\r\n%b\r\n" % (len(block), block) for block in blocks)
    return head + body + (b"0\r\n\r\n" if end else b"")


def json_response(value: Any) -> bytes:
    """What an app reports as JSON."""
    return ok(json.dumps(value).encode())


def one(*said: bytes | str | Wait) -> Scripts:
    """One connection."""
    return ((HEAD_END, *said),)


def two(first: bytes | str, second: bytes) -> Scripts:
    """One exchange on each of two connections."""
    return ((HEAD_END, first), (HEAD_END, second))


def cut(*blocks: bytes) -> Scripts:
    """Half a response, and FIN."""
    return one(chunks(*blocks, end=False), FIN)
