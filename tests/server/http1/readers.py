"""What a reader makes of octets, in a form that can be compared: ours, however they are cut up."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from onegate.http1 import NEED_DATA, Data, Head, HeadParser, MessageLimits, ProtocolError
from onegate.http1.chunked import MAX_LINE
from onegate.http1.request_reader import RequestReader

BEHIND = b"GET /b HTTP/1.1\r\nHost: b\r\n\r\n"
"""A request of which nothing may be seen behind an error."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """One request."""

    method: str = "GET"
    target: str = "/"
    minor: int = 1
    fields: tuple[tuple[str, str], ...] = (("host", "a"),)
    content: bytes = b""
    close: bool = False
    expect_continue: bool = False
    authority: str = "a"
    whole: bool = True
    """False if the octets end, or an error comes, before its content does."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """All requests, and the status and reason of the error that ended them."""

    messages: tuple[Message, ...]
    error: tuple[int, str] | None = None

    @property
    def whole(self) -> tuple[Message, ...]:
        """The requests that are complete."""
        return tuple(message for message in self.messages if message.whole)


def key_of(name: str) -> str | None:
    """Names as they are; those with "_" are dropped, as the server does."""
    return None if "_" in name else name


def new_reader(limits: MessageLimits) -> RequestReader:
    """A reader as a connection has it."""
    return RequestReader(HeadParser(limits, key_of), limits)


def read(
    pieces: Iterable[bytes],
    limits: MessageLimits | None = None,
    parser: HeadParser | None = None,
    *,
    in_one_step: bool = True,
) -> Reading:
    """Give ``pieces`` to a new reader one after the other, as a connection does.

    ``parser``: one that has parsed other heads before, as a worker's has. ``in_one_step``: whether
    a head that is plain may be read, and a content that is here be taken, in one step.
    """
    limits = limits or MessageLimits()
    parser = parser or HeadParser(limits, key_of)
    reader = RequestReader(parser, limits)
    most = max(limits.head + 3, limits.field_size + 1, MAX_LINE + 1)
    messages: list[Message] = []
    head: Head | None = None
    content: list[bytes] = []

    def finish(whole: bool) -> None:
        nonlocal head
        assert head is not None
        messages.append(_message(head, b"".join(content), whole))
        content.clear()
        head = None

    try:
        for piece in pieces:
            plain: Head | None = None
            if head is None and not reader.begun and in_one_step:
                if (known := parser.recall(piece)) is not None:
                    head = known
                    finish(whole=True)
                    continue
                plain = head = reader.read_plain(piece)
            if plain is None:
                reader.receive(piece)
            elif (taken := reader.take_content()) is not None:
                content.append(taken)
                finish(whole=True)
            while (event := reader.next_event()) is not NEED_DATA:
                if isinstance(event, Head):
                    assert head is None, "a head before the last request was complete"
                    head = event
                    if not event.chunked and not event.content_length:
                        finish(whole=True)
                else:
                    assert isinstance(event, Data)
                    assert event.content or event.last, "an event without meaning"
                    content.append(event.content)
                    if event.last:
                        finish(whole=True)
            assert len(reader.pending) <= most, "more is kept than any limit allows"
    except ProtocolError as error:
        content.clear()  # how much of it was seen before the error is a matter of the split
        if head is not None:
            finish(whole=False)
        return Reading(messages=tuple(messages), error=(error.status, error.reason))
    if head is not None:
        finish(whole=False)
    return Reading(messages=tuple(messages))


def _message(head: Head, content: bytes, whole: bool) -> Message:
    return Message(
        method=head.method,
        target=head.target,
        minor=head.minor,
        fields=tuple((name, str(value)) for name, value in head.fields.items()),
        content=content,
        close=head.close,
        expect_continue=head.expect_continue,
        authority=head.authority,
        whole=whole,
    )


def one_by_one(octets: bytes) -> list[bytes]:
    """Every octet on its own."""
    return [octets[index : index + 1] for index in range(len(octets))]


def at_random(octets: bytes, seed: int) -> list[bytes]:
    """Cut at up to eight places, or in pieces of one size."""
    chance = random.Random(seed)
    if chance.random() < 0.3:
        size = chance.randrange(2, 9)
        return [octets[index : index + size] for index in range(0, len(octets), size)]
    places = sorted(chance.randrange(len(octets) + 1) for _ in range(chance.randrange(1, 9)))
    edges = [0, *places, len(octets)]
    return [octets[start:end] for start, end in itertools.pairwise(edges) if end > start]


def all_in_two(octets: bytes) -> Iterator[list[bytes]]:
    """Every way to cut it in two."""
    for place in range(1, len(octets)):
        yield [octets[:place], octets[place:]]
