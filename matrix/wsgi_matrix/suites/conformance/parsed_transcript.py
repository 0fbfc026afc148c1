"""The responses in a transcript, parsed by two independent readers.

The first is the probe's (:class:`.response_reader.ResponseReader`), the second is h11 as a client.
A response on which they disagree meets no rule.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import h11

from wsgi_matrix.http.response import split
from wsgi_matrix.model.wire import Transcript
from wsgi_matrix.probe.agent.response_reader import STATUS_LINE, ResponseReader

PROMPT = 1.5
"""Seconds for a close that belongs to the response: less than any server waits for another request.
"""


@dataclass(frozen=True, kw_only=True)
class ParsedResponse:
    """One complete final response. ``interim``: the status codes of the 1xx before it."""

    method: str
    """Of the request."""
    status: int
    status_line: bytes
    fields: tuple[tuple[bytes, bytes], ...]
    """In order and spelling as sent."""
    body: bytes
    """The content, without framing."""
    interim: tuple[int, ...]
    raw: bytes

    def values(self, name: str) -> list[bytes]:
        """Values of the fields called ``name``, in any case."""
        wanted = name.lower().encode()
        return [value for field, value in self.fields if field.lower() == wanted]

    def json(self) -> Any:
        """The content as JSON. Raises ``ValueError``."""
        return json.loads(self.body)


@dataclass(frozen=True, kw_only=True)
class ParsedConnection:
    """All responses of one connection, and what follows them."""

    responses: tuple[ParsedResponse, ...]
    broken: str = ""
    """Why what follows the last complete response is not a response; empty if nothing does."""
    rest: bytes = b""
    """The octets after the last complete response."""
    end: str = "open"
    """``fin``, ``reset`` or ``open``."""
    waited: float = 0.0
    """Seconds from the last octet to the end."""

    @property
    def closed(self) -> bool:
        """Whether the server closed the connection: FIN, or RST after all that it sent.

        A close that is only due to the timeout for another request does not count.
        """
        return self.end != "open" and self.waited <= PROMPT

    @property
    def nothing(self) -> str:
        """Why there is no response, in words."""
        return f"no response ({self.broken or self.end})"


def parse(transcript: Transcript, methods: Sequence[str], on: str = "a") -> ParsedConnection:
    """Parse everything received on a connection as responses to requests with ``methods``."""
    left, end = transcript.received(on), transcript.end(on)
    found: list[ParsedResponse] = []
    broken = ""
    for method in methods:
        if not left:
            break
        reader = ResponseReader(method.encode("latin-1"))
        reader.feed(left)
        if not reader.over and end != "open":
            reader.end()
        if not reader.done:
            broken = reader.error or "incomplete"
            break
        response = _parsed(method, reader.raw)
        broken = h11_differs(response, ended=reader.closes and not reader.rest) or ""
        if broken:
            break
        found.append(response)
        left = reader.rest
    return ParsedConnection(
        responses=tuple(found), broken=broken, rest=left, end=end, waited=_waited(transcript, on)
    )


def _waited(transcript: Transcript, on: str) -> float:
    ended = transcript.ended_at(on)
    octets = [x.at for x in transcript.events if x.on == on and x.what in ("sent", "received")]
    return ended - max(octets) if ended is not None and octets else 0.0


def _parsed(method: str, raw: bytes) -> ParsedResponse:
    response = split(raw, method.encode("latin-1"))
    status = STATUS_LINE.match(response.status_line + b"\r\n")
    assert status is not None
    interim, at = [], 0
    while (
        (found := STATUS_LINE.match(raw, at)) and found[2].startswith(b"1") and found[2] != b"101"
    ):
        interim.append(int(found[2]))
        at = raw.index(b"\r\n\r\n", at) + 4
    return ParsedResponse(
        method=method,
        status=int(status[2]),
        status_line=response.status_line,
        fields=response.fields,
        body=response.body,
        interim=tuple(interim),
        raw=raw,
    )


def h11_differs(response: ParsedResponse, *, ended: bool) -> str | None:
    """How h11 parses the response differently; ``None`` if it agrees."""
    client = h11.Connection(h11.CLIENT, max_incomplete_event_size=2**20)
    client.send(h11.Request(method=response.method, target="/", headers=[("Host", "localhost")]))
    client.send(h11.EndOfMessage())
    status, fields, body = 0, [], b""
    try:
        client.receive_data(response.raw)
        if ended:
            client.receive_data(b"")
        while True:
            match client.next_event():
                case h11.InformationalResponse():
                    continue
                case h11.Response(status_code=code, headers=headers):
                    status, fields = code, list(headers)
                case h11.Data(data=data):
                    body += data
                case h11.EndOfMessage():
                    break
                case other:
                    return f"incomplete for h11 ({type(other).__name__})"
    except h11.RemoteProtocolError as problem:
        return f"rejected by h11: {problem}"
    own = [(name.lower(), value) for name, value in response.fields]
    if (status, body) != (response.status, response.body):
        return f"status {status} and {len(body)} octets of content for h11"
    if sorted(fields) != sorted(own):
        return "other fields for h11"
    return None
