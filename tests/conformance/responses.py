"""Responses of scripted servers, and the scripts of servers that keep or break a rule."""

from __future__ import annotations

import json
from typing import Any

from tests.conformance.scripted import FIN, Script, Wait

HEAD_END = Wait(b"\r\n\r\n")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
DATE = "Date: Tue, 24 Nov 2026 22:00:00 GMT"
CLOSE = "Connection: close"


def response(
    status: str = "200 OK", *fields: str, body: bytes = b"", version: str = "HTTP/1.1"
) -> bytes:
    """A response with Content-Length."""
    lines = [f"{version} {status}", *fields, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def bare(status: str, *fields: str, body: bytes = b"") -> bytes:
    """A response with just these fields."""
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode() + body


def bad(status: int = 400, *fields: str) -> bytes:
    """An error."""
    return response(f"{status} No", *fields, CLOSE)


def echo(
    method: str = "GET",
    path: str = "/echo",
    *,
    fields: tuple[str, ...] = (),
    body: bytes = b"",
    complete: bool = True,
    **changes: Any,
) -> bytes:
    """What the inspecting app tells; ``headers`` are added to Host's."""
    headers = {"HTTP_HOST": "localhost"} | changes.pop("headers", {})
    report = {
        "method": method,
        "path": path,
        "query": changes.pop("query", ""),
        "protocol": "HTTP/1.1",
        "headers": headers,
        "body": body.hex(),
        "complete": complete,
        "error": "",
    }
    return response(
        "200 OK", *fields, body=json.dumps(report | changes).encode(), version="HTTP/1.1"
    )


def posted(body: bytes = b"hello", **changes: Any) -> bytes:
    """The same, for a POST with content."""
    return echo("POST", body=body, **changes)


def serve(*items: bytes | str) -> tuple[Script, ...]:
    """The scripts of a server that does this on every connection."""
    return (items,)


REFUSED = serve(bad(), FIN)
SILENT = serve(FIN)
TAKEN = serve(echo())
TAKEN_AND_CLOSED = serve(echo(fields=(CLOSE,)), FIN)
LEFT_OPEN = serve(bad())
"""Refused, but the connection goes on."""
READ_ON = serve(bad() + echo(path="/smuggled"), FIN)
"""Refused, but what is behind is read as a request."""


class Scripts:
    """Scripts by the names of variants: of servers that meet (``green``) and break (``red``) it."""

    def __init__(self) -> None:
        self.green: dict[str, tuple[Script, ...]] = {}
        self.red: dict[str, tuple[tuple[Script, ...], ...]] = {}

    def add(self, names: str, green: tuple[Script, ...], *red: tuple[Script, ...]) -> None:
        """``names``: ``section/rule`` or ``section/rule: variant variant``, with ``; `` between."""
        for rule, _, variants in (each.partition(": ") for each in names.split("; ")):
            for variant in variants.split() or [""]:
                name = f"{rule}/{variant}" if variant else rule
                assert name not in self.green, name
                self.green[name], self.red[name] = green, red
