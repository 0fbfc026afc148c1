"""The same octets read by h11, which was written by others, and where it may differ from us."""

from __future__ import annotations

from dataclasses import dataclass

import h11

from tests.server.http1.readers import Message, Reading

_NO_LIMIT = 1 << 24


@dataclass(frozen=True)
class Request:
    """What both readers say of a request."""

    method: bytes
    target: bytes
    minor: int
    fields: tuple[tuple[bytes, bytes], ...]
    content: bytes


def ours(message: Message) -> Request:
    """A message as :func:`by_h11` tells it: lines joined, names in lower case."""
    return Request(
        message.method.encode("latin-1"),
        message.target.encode("latin-1"),
        message.minor,
        tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in message.fields),
        message.content,
    )


def by_h11(octets: bytes) -> list[Request]:
    """The complete requests in ``octets`` until h11 refuses or nothing is left.

    Every request is read on a connection of its own, so that what one asks for (close, upgrade)
    does not keep h11 from reading the next one.
    """
    requests: list[Request] = []
    while octets:
        # h11 refuses the empty line that RFC 9112, 2.2, asks to ignore.
        octets = octets.removeprefix(b"\r\n")
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=_NO_LIMIT)
        connection.receive_data(octets)
        head: h11.Request | None = None
        content: list[bytes] = []
        while True:
            try:
                event = connection.next_event()
            except h11.RemoteProtocolError:
                return requests
            if isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                content.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                break
            else:
                return requests
        assert head is not None
        requests.append(_request(head, b"".join(content)))
        octets = connection.trailing_data[0]
    return requests


def _request(head: h11.Request, content: bytes) -> Request:
    joined: dict[bytes, bytes] = {}
    for name, value in head.headers:
        if b"_" in name:
            continue
        joiner = b"; " if name == b"cookie" else b","
        joined[name] = joined[name] + joiner + value if name in joined else value
    if b"transfer-encoding" in joined:
        joined[b"transfer-encoding"] = joined[b"transfer-encoding"].lower()
    minor = int(head.http_version.partition(b".")[2])
    return Request(head.method, head.target, minor, tuple(joined.items()), content)


def comparable(message: Message) -> Request:
    """Ours, with what h11 normalises: it tells transfer-coding names in lower case."""
    request = ours(message)
    fields = tuple(
        (name, value.lower() if name == b"transfer-encoding" else value)
        for name, value in request.fields
    )
    return Request(request.method, request.target, request.minor, fields, request.content)


def assert_h11_agrees(octets: bytes, reading: Reading) -> None:
    """Whatever we accept, h11 reads the same. It may refuse what we accept only where told here."""
    accepted = [comparable(message) for message in reading.whole]
    theirs = by_h11(octets)
    for number, request in enumerate(accepted):
        if number == len(theirs):
            assert _h11_is_stricter(request, octets), (
                f"h11 refuses what we accept: {request} in {octets!r}"
            )
            return
        assert theirs[number] == request
    if reading.error is None:
        assert len(theirs) == len(accepted), "h11 sees a request where we see none"


def _h11_is_stricter(request: Request, octets: bytes) -> bool:
    fields = dict(request.fields)
    if b"transfer-encoding" in fields:
        # White space before a chunk extension; what trailer fields say, which nobody listens to.
        lowered = octets.lower()
        trailer = b"content-length" in lowered or lowered.count(b"transfer-encoding") > 1
        return trailer or b"\t;" in octets or b" ;" in octets
    return len(fields.get(b"content-length", b"")) > 20  # leading zeros
