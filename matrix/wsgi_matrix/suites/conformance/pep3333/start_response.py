"""``start_response``, ``write``, and what servers have to refuse: W36 to W55, W80, W81."""

from __future__ import annotations

from typing import Any

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Transcript
from wsgi_matrix.suites.conformance.parsed_transcript import Heard
from wsgi_matrix.suites.conformance.pep3333.environ import rule
from wsgi_matrix.suites.conformance.pep3333.inspector import (
    GET,
    ask,
    body_is,
    later,
    pep,
    refusal,
    seen_later,
)
from wsgi_matrix.suites.conformance.rule import Accept, Rule, Try, answer, either
from wsgi_matrix.suites.conformance.steps import request, responses, send

MUST, SHOULD, MAY = Level.MUST, Level.SHOULD, Level.MAY
CALLABLE = pep("The start_response() Callable")
HEADERS_GO = 0.1
"""Seconds that have to lie at least between two blocks whose app waits 0.5 s between them."""


def wrong(name: str) -> Try:
    """A call that has to be refused."""
    return ask(f"/wrong/{name}", refusal(), name=name)


def _with(*fields: tuple[bytes, bytes], content: bytes) -> Accept:
    def check(heard: Heard) -> str:
        missing = [name.decode() for name, value in fields if (name, value) not in _lower(heard)]
        if missing:
            return f"without {', '.join(missing)}"
        return "" if heard.body == content else f"content {heard.body[:60]!r}"

    return answer(200, check=check, says=f"with its fields and the content {content!r}")


def _lower(heard: Heard) -> list[tuple[bytes, bytes]]:
    return [(name.lower(), value) for name, value in heard.fields]


def never_sent(name: str, value: str) -> Accept:
    """Refused, or the field is not on the wire."""

    def check(heard: Heard) -> str:
        return f"{name}: {value} was sent" if value.encode() in heard.values(name) else ""

    return either(refusal(), answer(200, check=check, says=f"without {name}: {value}"))


def _once_framed(*contents: bytes) -> Accept:
    def check(heard: Heard) -> str:
        if len(heard.values("Transfer-Encoding")) > 1:
            return "two transfer codings"
        return "" if heard.body in contents else f"content {heard.body[:60]!r}"

    return either(refusal(), answer(200, check=check, says="with one framing, and its content"))


def _apart(first: bytes, second: bytes) -> Accept:
    def fault(transcript: Transcript) -> str:
        # Whether the end can be told W64 asks.
        at: dict[bytes, float] = {}
        came = b""
        for line in transcript.events:
            came += line.data if line.what == "received" else b""
            for block in (first, second):
                if block.strip() in came.partition(b"\r\n\r\n")[2]:
                    at.setdefault(block, line.at)
        if len(at) < 2:
            return f"no answer with {first + second!r}"
        gap = at[second] - at[first]
        return "" if gap >= HEADERS_GO else f"both came within {gap * 1000:.0f} ms"

    return Accept(f"{first!r} on its way while the app waits, {second!r} later", fault)


def slow(target: str, first: bytes, second: bytes, *, name: str = "", version: str) -> Try:
    """Two blocks, between which the app waits."""
    return ask(target, _apart(first, second), name=name, version=version)


def _made(heard: Heard) -> str:
    if heard.values("X-Rules") != [b"yes"]:
        return "without X-Rules"
    return "" if heard.body == b"made" else f"content {heard.body[:60]!r}"


def _second_only(heard: Heard) -> str:
    if heard.values("X-First"):
        return "with a field of the head that was replaced"
    if heard.values("X-Second") != [b"yes"] or heard.body != b"replaced":
        return "without the field or the content of the second"
    return ""


def _complete(heard: Heard) -> str:
    framed = heard.values("Content-Length") or heard.values("Transfer-Encoding")
    closes = b"close" in b",".join(heard.values("Connection")).lower()
    if len(heard.values("Date")) != 1:
        return f"Date: {heard.values('Date')}"
    return "" if framed or closes else "neither framed nor Connection: close"


def _latin_1(heard: Heard) -> str:
    wanted = bytes(range(0xA0, 0x100))
    got = heard.values("X-Rules")
    return "" if got == [wanted] else f"X-Rules: {got}"


def _in_order(heard: Heard) -> str:
    got = [name for name, _ in heard.fields if name.lower().startswith(b"x-rules")]
    return "" if got == [b"X-rules-B", b"X-RULES-A", b"x-Rules-C"] else f"fields {got}"


def _apart_cookies(heard: Heard) -> str:
    got = heard.values("Set-Cookie")
    return "" if got == [b"a=1", b"b=2"] else f"Set-Cookie: {got}"


def _reason(heard: Heard) -> str:
    return "" if heard.status_line.endswith(b" 299 Fine By Me") else repr(heard.status_line)


def _raised(told: Any) -> str:
    return "" if told["notes"] not in ([], ["nothing"]) else "nothing was raised"


def _raised_own(told: Any) -> str:
    return "" if told["notes"] == ["ZeroDivisionError"] else f"raised: {told['notes']}"


def _freed(told: Any) -> str:
    return "" if told["notes"] == ["freed"] else f"noted: {told['notes']}"


def _head_is(status: bytes) -> Accept:
    def fault(transcript: Transcript) -> str:
        line = transcript.received().partition(b"\r\n")[0]
        return "" if line[9:12] == status else f"the answer begins {line!r}"

    return Accept(f"the status {status.decode()}, which replaced the first", fault)


def _rule(number: int, level: Level, says: str, *tries: Try) -> Any:
    return rule(number, level, says, *tries, cite=CALLABLE)


TOO_LATE = seen_later("W53", send(request("/start/too-late?W53")), responses(GET))
RULES = (
    _rule(36, MUST, "start_response takes two or three arguments and returns write",
          ask("/start/positional", body_is(b"callable")),
          ask("/start/positional-three", body_is(b"callable"), name="exc-info")),
    rule(37, MUST, "write() sends before it returns, and before what the app returns",
         ask("/start/write-order", body_is(b"one two three"), name="order"),
         slow("/start/write-sent", b"one ", b"two", name="sent", version="HTTP/1.1"),
         cite=pep("The write() Callable")),
    _rule(39, SHOULD, "status and headers that are no strings are refused",
          *map(wrong, ("status-bytes", "status-number", "name-bytes", "value-bytes"))),
    # "Servers should check for errors in the headers at the time start_response is called"; that
    # nothing of it is on the wire R73, R84 and R84-grammar ask.
    _rule(40, SHOULD, "a status that is none is refused",
          *map(wrong, ("status-split", "status-nul", "status-banana"))),
    _rule(41, SHOULD, "a header name that is no token is refused",
          *map(wrong, ("name-split", "name-space", "name-colon", "name-empty"))),
    _rule(42, SHOULD, "a header value with control characters is refused",
          *map(wrong, ("value-split", "value-lf", "value-cr", "value-nul"))),
    _rule(43, SHOULD, "headers that are no list are refused, or taken as a whole",
          ask("/wrong/tuple",
              either(refusal(), _with((b"x-rules", b"yes"), content=b"accepted")))),
    rule(44, MUST, "what latin-1 cannot hold is refused",
         *map(wrong, ("status-beyond", "name-beyond", "value-beyond")),
         cite=pep("Unicode Issues")),
    rule(45, MUST, "the octets of latin-1 are sent as they are",
         ask("/start/latin-1", answer(200, check=_latin_1, says="with X-Rules as given")),
         cite=pep("Unicode Issues")),
    rule(46, SHOULD, "hop-by-hop fields of the app are refused, or not sent",
         ask("/wrong/connection", never_sent("Connection", "X-Rules"), name="connection"),
         ask("/wrong/keep-alive", never_sent("Keep-Alive", "timeout=4321"), name="keep-alive"),
         ask("/wrong/upgrade", never_sent("Upgrade", "rules/1"), name="upgrade"),
         cite=pep("Other HTTP Features")),
    rule(47, MUST, "the app's Transfer-Encoding never breaks the framing",
         ask("/wrong/coding", _once_framed(b"0123456789"), name="plain"),
         # An app may not do so: what it gives is then either framed already or content.
         ask("/wrong/coding-framed",
             _once_framed(b"0123456789", b"a\r\n0123456789\r\n0\r\n\r\n"), name="framed"),
         cite=pep("Other HTTP Features")),
    _rule(48, MUST, "what HTTP requires and the app did not give is added",
          ask("/start/plain", answer(200, check=_complete, says="with Date and framing"))),
    _rule(49, MUST, "start_response sends nothing", ask("/start/held", _head_is(b"404"))),
    _rule(50, MUST, "start_response may be called as late as for the first block",
          ask("/start/generator", answer(201, check=_made, says="as the generator says"))),
    _rule(51, MUST, "empty blocks send no head, and end nothing",
          ask("/start/empty-first", body_is(b"late", 404), name="head"),
          ask("/start/empty-between", body_is(b"one two"), name="content")),
    _rule(52, SHOULD, "with exc_info, another status and headers replace the first",
          ask("/start/replaced", answer(404, check=_second_only, says="with the second only"))),
    _rule(53, MUST, "with exc_info, when the head was sent, an error is raised",
          Try(steps=TOO_LATE, accept=later("an exception was raised", _raised))),
    Rule(id="W53-own", level=SHOULD, cite=CALLABLE, heard_in="W53",
         says="with exc_info, when the head was sent, it is what is raised",
         tries=(Try(steps=TOO_LATE,
                    accept=later("the app's own exception was raised", _raised_own)),)),
    _rule(54, MUST, "a second call without exc_info is an error",
          ask("/start/twice", refusal())),
    _rule(55, SHOULD, "no reference to exc_info is kept",
          Try(steps=seen_later("W55", send(request("/start/reference?W55")), responses(GET)),
              accept=later("it was not kept", _freed), alone=True)),
    _rule(80, MAY, "the reason phrase is the app's",
          ask("/start/reason", answer(299, check=_reason, says="Fine By Me"))),
    _rule(81, MAY, "fields are sent in the app's order and spelling, one by one",
          ask("/start/fields", answer(200, check=_in_order, says="with all in order")),
          ask("/start/cookies", answer(200, check=_apart_cookies, says="with two Set-Cookie"),
              name="cookies")),
)  # fmt: skip
