"""What the app returns, block by block, and its end: W56 to W68, W82."""

from __future__ import annotations

from typing import Any

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Step, Transcript
from wsgi_matrix.suites.conformance.parsed_transcript import Heard, hear
from wsgi_matrix.suites.conformance.pep3333.environ import rule
from wsgi_matrix.suites.conformance.pep3333.inspector import (
    GET,
    ask,
    ask_to_end,
    body_is,
    cut,
    is_error,
    later,
    pep,
    seen_later,
)
from wsgi_matrix.suites.conformance.pep3333.start_response import slow
from wsgi_matrix.suites.conformance.rule import Accept, Try, answer, either, silence
from wsgi_matrix.suites.conformance.steps import head, quiet, request, reset, responses, send

MUST, SHOULD, MAY = Level.MUST, Level.SHOULD, Level.MAY
SERVER = pep("Specification Details")
LENGTH = pep("Handling the Content-Length Header")
STREAMING = pep("Buffering and Streaming")
ERRORS = pep("Error Handling")
MANY, SMALL = 128, 40
"""Blocks of ``/blocks/large`` and ``/blocks/small``."""
MESSAGE = b"rules-secret"


def _closed_once(told: Any) -> str:
    times = told["notes"].count("closed")
    return "" if times == 1 else f"close() was called {times} times"


CLOSED = later("close() was called once", _closed_once)
CLOSED_LAST = later("close() was called once", _closed_once, last=True)
ABSENT = body_is(b"no wsgi.file_wrapper")


def closed(name: str, target: str, *steps: Step, accept: Accept = CLOSED) -> Try:
    """What became of an iterable, asked on a second connection while the first is still there."""
    query = f"W57-{name}"
    first = steps or (send(request(f"{target}?{query}")), responses(GET))
    return Try(name=name, steps=seen_later(query, *first), accept=accept)


def _stopped(blocks: int) -> Accept:
    def check(told: Any) -> str:
        if told["blocks"] >= blocks:
            return f"all {blocks} blocks were asked for"
        return _closed_once(told)

    return later("iteration stopped and close() was called once", check, last=True)


def gone(rule: str, name: str, target: str, accept: Accept) -> Try:
    """A client that leaves in the middle: when the head is there, and a first block, the app is
    being iterated. Alone, for a server that is at work for others may have no time to see it."""
    query = f"{rule}-{name}"
    steps = (send(request(f"{target}?{query}")), head(), reset())
    return Try(name=name, steps=seen_later(query, *steps), accept=accept, alone=True)


def _untouched(told: Any) -> str:
    touched = sorted(set(told["attributes"]) - {"__len__"})
    return f"looked for {', '.join(touched)}" if touched else ""


def _one_length(heard: Heard) -> str:
    got = heard.values("Content-Length")
    return "" if got == [b"3"] else f"Content-Length: {got}"


def _for_1_0(heard: Heard) -> str:
    if heard.values("Transfer-Encoding"):
        return "with a transfer coding, which HTTP/1.0 does not know"
    return "" if heard.body == b"one two" else f"content {heard.body[:60]!r}"


def _end_told(accept: Accept) -> Accept:
    """So, and where only the close ends the content, it comes at once."""

    def fault(transcript: Transcript) -> str:
        hearing = hear(transcript, [GET])
        if hearing.end != "open" and not hearing.closed:
            return f"only the close ends the content, {hearing.waited:.1f} s after it"
        return accept.fault(transcript)

    return Accept(accept.says, fault)


def longer(name: str) -> Try:
    """More content than Content-Length."""
    return Try(
        name=name,
        steps=(send(request(f"/blocks/{name}")), responses(GET), quiet()),
        accept=either(body_is(b"01234"), is_error()),
    )


def _quiet_error(heard: Heard) -> str:
    told = MESSAGE in heard.raw or b"Traceback" in heard.raw
    return "the client can read the exception" if told else ""


def _raising(name: str) -> Try:
    accept = answer(*range(500, 600), check=_quiet_error, says="")
    return ask(f"/raising/{name}", Accept("a status of 500 to 599, without details", accept.fault),
               name=name)  # fmt: skip


def _alive() -> Accept:
    def fault(transcript: Transcript) -> str:
        found = hear(transcript, [GET], "d").answers
        return "" if found and found[0].status == 200 else "the server does not answer any more"

    return Accept("an answer to the request after", fault)


EXITS = ("SystemExit", "KeyboardInterrupt", "GeneratorExit")
RULES = (
    rule(56, MAY, "an app that never calls start_response is answered for with 500",
         ask("/start/never", is_error()), cite=pep("The start_response() Callable")),
    rule(57, MUST, "close() is called once, however the answer ends",
         closed("end", "/blocks/plain"),
         closed("error", "/blocks/error"),
         closed("1.0", "/blocks/plain", send(request("/blocks/plain?W57-1.0", version="HTTP/1.0")),
                responses(GET)),
         closed("head", "/blocks/plain", send(request("/blocks/plain?W57-head", method="HEAD")),
                responses("HEAD")),
         closed("not-modified", "/blocks/not-modified"),
         gone("W57", "gone", "/blocks/large", CLOSED_LAST),
         closed("file", "/wrapper/close", accept=either(CLOSED, ABSENT)),
         cite=SERVER),
    rule(58, MUST, "of the iterable nothing but iteration, len() and close() is used",
         Try(steps=seen_later("W58", send(request("/blocks/plain?W58")), responses(GET)),
             accept=later("nothing else was looked for", _untouched)),
         cite=SERVER),
    rule(59, MUST, "a block is sent before the next is asked for",
         slow("/blocks/slow", b"one ", b"two", version="HTTP/1.1"),
         slow("/blocks/slow", b"one ", b"two", name="1.0", version="HTTP/1.0"),
         cite=STREAMING),
    rule(60, SHOULD, "octets are sent as they are",
         ask("/blocks/octets", body_is(bytes(range(256)) + bytes(range(255, -1, -1)))),
         cite=SERVER),
    rule(61, MAY, "the length of a single block is the answer's",
         ask("/blocks/one", answer(200, check=_one_length, says="with Content-Length: 3")),
         cite=LENGTH),
    rule(62, SHOULD, "never more than Content-Length",
         longer("longer"), longer("longer-one"), longer("longer-asked"), cite=LENGTH),
    rule(63, SHOULD, "less than Content-Length ends the connection",
         ask_to_end("/blocks/shorter", cut()), cite=LENGTH),
    rule(64, MUST, "without Content-Length a client can tell where the content ends",
         ask("/blocks/plain", _end_told(body_is(b"one two")), name="1.1"),
         ask("/wrapper/file", _end_told(either(body_is(b"0123456789"), ABSENT)), name="file"),
         ask("/blocks/plain", answer(200, check=_for_1_0, says="without a transfer coding"),
             name="1.0", version="HTTP/1.0"),
         cite=LENGTH),
    # Only a block of bytes lets the head go. That the error is a 500 W66 asks.
    rule(65, MUST, "a block that is no bytes is an error, and sends no head",
         ask("/blocks/text", either(is_error(), silence()), name="list"),
         ask("/blocks/text-asked", either(is_error(), silence()), name="asked"),
         cite=pep("The start_response() Callable")),
    rule(66, SHOULD, "an exception before anything was sent is answered for with 500",
         *map(_raising, ("first", "started", "iterating")), cite=ERRORS),
    rule(67, MAY, "an exception after the head leaves an answer that is visibly cut",
         ask_to_end("/raising/later", cut()), ask_to_end("/blocks/text-later", cut(), name="text"),
         cite=ERRORS),
    rule(82, MUST, "a client that leaves ends the iteration",
         gone("W82", "large", "/blocks/large", _stopped(MANY)),
         gone("W82", "small", "/blocks/small", _stopped(SMALL)),
         cite=SERVER),
)  # fmt: skip
LAST = (
    rule(68, MAY, "no exception of the app ends the server",
         Try(steps=(
                 *(step for on, kind in zip("abc", EXITS, strict=True)
                   for step in (send(request(f"/raising/{kind}"), on=on), responses(GET, on=on))),
                 send(request("/environ"), on="d"), responses(GET, on="d")),
             accept=_alive(), alone=True),
         cite=ERRORS),
)  # fmt: skip
"""It may end the server: nothing can be asked behind it."""
