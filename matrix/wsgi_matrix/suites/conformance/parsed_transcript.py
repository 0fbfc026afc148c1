"""What was heard in a talk, taken apart by two readers that know nothing of each other.

The first is the probe's (:class:`.response_reader.ResponseReader`), the second
h11 as a client. A response that they read differently keeps no rule.
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
"""Seconds for an end that belongs to the answer: less than any server waits for a next request."""
SHOWN = 400
"""Octets that are shown to people."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One whole final answer. ``interim``: the status codes of the 1xx before it."""

    method: str
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
class Hearing:
    """All answers of one connection, and what is left over."""

    answers: tuple[Heard, ...]
    broken: str = ""
    """Why what came after the last whole answer is none; empty if nothing came."""
    rest: bytes = b""
    """The octets after the last whole answer."""
    end: str = "open"
    """``fin``, ``reset`` or ``open``."""
    waited: float = 0.0
    """Seconds from the last octet to the end."""

    @property
    def closed(self) -> bool:
        """Whether the server has ended the connection: FIN, or RST after all it had to say.

        Not where it had stayed open and a time-out for the next request has ended it.
        """
        return self.end != "open" and self.waited <= PROMPT


def hear(transcript: Transcript, methods: Sequence[str], on: str = "a") -> Hearing:
    """Take apart all that came on a connection, as the answers to requests with ``methods``."""
    left, end = transcript.received(on), transcript.end(on)
    found: list[Heard] = []
    broken = ""
    for method in methods:
        if not left:
            break
        reader = ResponseReader(method.encode("latin-1"))
        reader.feed(left)
        if not reader.over and end != "open":
            reader.end()
        if not reader.done:
            broken = reader.error or "not whole"
            break
        heard = _heard(method, reader.raw)
        broken = unlike_h11(heard, ended=reader.closes and not reader.rest)
        if broken:
            break
        found.append(heard)
        left = reader.rest
    return Hearing(
        answers=tuple(found), broken=broken, rest=left, end=end, waited=_waited(transcript, on)
    )


def _waited(transcript: Transcript, on: str) -> float:
    ended = transcript.ended_at(on)
    octets = [x.at for x in transcript.events if x.on == on and x.what in ("sent", "received")]
    return ended - max(octets) if ended is not None and octets else 0.0


def _heard(method: str, raw: bytes) -> Heard:
    answer = split(raw, method.encode("latin-1"))
    status = STATUS_LINE.match(answer.status_line + b"\r\n")
    assert status is not None
    interim, at = [], 0
    while (
        (found := STATUS_LINE.match(raw, at)) and found[2].startswith(b"1") and found[2] != b"101"
    ):
        interim.append(int(found[2]))
        at = raw.index(b"\r\n\r\n", at) + 4
    return Heard(
        method=method,
        status=int(status[2]),
        status_line=answer.status_line,
        fields=answer.fields,
        body=answer.body,
        interim=tuple(interim),
        raw=raw,
    )


def unlike_h11(heard: Heard, *, ended: bool) -> str:
    """How h11 reads the answer otherwise; empty if it reads the same."""
    client = h11.Connection(h11.CLIENT, max_incomplete_event_size=2**20)
    client.send(h11.Request(method=heard.method, target="/", headers=[("Host", "localhost")]))
    client.send(h11.EndOfMessage())
    status, fields, body = 0, [], b""
    try:
        client.receive_data(heard.raw)
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
                    return f"h11 finds it not whole ({type(other).__name__})"
    except h11.RemoteProtocolError as problem:
        return f"h11 refuses it: {problem}"
    ours = [(name.lower(), value) for name, value in heard.fields]
    if (status, body) != (heard.status, heard.body):
        return f"h11 reads status {status} and {len(body)} octets of content"
    if sorted(fields) != sorted(ours):
        return "h11 reads other fields"
    return ""


def shown(data: bytes) -> str:
    """Octets for people."""
    return repr(data[:SHOWN]) + (f"… ({len(data)} octets)" if len(data) > SHOWN else "")
