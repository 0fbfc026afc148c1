"""Connections: how long they last and how they end, R58 to R64."""

from __future__ import annotations

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Transcript
from wsgi_matrix.suites.conformance.inspector import ask_to_end, in_order, post, raw, says_close
from wsgi_matrix.suites.conformance.parsed_transcript import Heard, hear
from wsgi_matrix.suites.conformance.rule import Accept, Rule, Try, answer
from wsgi_matrix.suites.conformance.steps import late_reset, request, responses, send

HIDDEN = request("/smuggled")
"""Content that looks like a request."""
MUCH = b"a" * 200_000


def _announced(heard: Heard) -> str:
    return "" if says_close(heard) else "Connection: close is missing"


def _error_announced(transcript: Transcript) -> str:
    hearing = hear(transcript, ["GET"])
    if not hearing.answers:
        return f"no answer: {hearing.broken or hearing.end}"
    return _announced(hearing.answers[0]) if hearing.closed else ""


def _staged(transcript: Transcript) -> str:
    hearing = hear(transcript, ["GET"])
    if not hearing.answers:
        return f"no answer: {hearing.broken or hearing.end}"
    if hearing.end == "reset":
        return "the connection was reset"
    late = any(line.what == "error" for line in transcript.events)
    return "the connection was reset behind its end" if late else ""


def _unbounded(transcript: Transcript) -> str:
    hearing = hear(transcript, ["GET"])
    if not hearing.answers:
        return f"no answer: {hearing.broken or hearing.end}"
    framed = hearing.answers[0].values("content-length")
    return "" if framed or hearing.closed else "neither a length nor a close ends the answer"


def _unread(name: str, framed: bytes) -> Try:
    return Try(
        name=name,
        steps=(send(framed + request("/next", "Connection: close")), responses("POST", "GET")),
        accept=Accept("the app's answer; then one to the next request, or the end", _not_hidden),
    )


def _not_hidden(transcript: Transcript) -> str:
    hearing = hear(transcript, ["POST", "GET"])
    if not hearing.answers:
        return f"no answer: {hearing.broken or hearing.end}"
    if len(hearing.answers) == 1:
        if hearing.rest:
            return f"behind the answer came {hearing.broken}"
        return "" if hearing.closed else "the next request is not answered, and it stays open"
    if hearing.rest:
        return f"{len(hearing.rest)} octets behind the last answer"
    second = hearing.answers[1]
    if second.status != 200:
        return f"status {second.status} for the next request"
    found = second.json()["path"]
    return "" if found == "/next" else f"{found} is answered: the content was read as a request"


RULES: tuple[Rule, ...] = (
    Rule(
        id="R58",
        level=Level.MUST,
        cite="RFC 9112 sections 9.3 and 9.6",
        says="a connection persists, unless its end is announced",
        tries=(
            Try(
                steps=(
                    send(request("/echo")),
                    responses("GET"),
                    send(request("/next")),
                    responses("GET"),
                ),
                accept=in_order(["/echo", "/next"], ["GET", "GET"], all_of_them=True),
            ),
        ),
    ),
    Rule(
        id="R59",
        level=Level.MUST,
        cite="RFC 9112 section 9.6, RFC 9110 section 7.6.1",
        says="close, in any case and place of the list, closes the connection",
        tries=tuple(
            Try(
                name=name,
                steps=ask_to_end(request("/echo", *fields)),
                accept=answer(200, closed=True),
            )
            for name, fields in (
                ("alone", ("Connection: close",)),
                ("list", ("Connection: foo, close",)),
                ("case", ("Connection: CLOSE",)),
                ("line", ("Connection: foo", "Connection: close")),
            )
        ),
    ),
    Rule(
        id="R60",
        level=Level.SHOULD,
        cite="RFC 9112 section 9.6",
        says="the last answer announces the end",
        tries=(
            Try(
                name="asked",
                steps=ask_to_end(request("/echo", "Connection: close")),
                accept=answer(check=_announced, says="with Connection: close"),
            ),
            Try(
                name="error",
                steps=ask_to_end(raw(b"GET /echo to me HTTP/1.1")),
                accept=Accept(
                    "an answer with Connection: close, or the connection stays open",
                    _error_announced,
                ),
            ),
        ),
    ),
    Rule(
        id="R61",
        level=Level.MAY,
        cite="RFC 9112 section 9.6",
        says="a connection is closed in stages, so that what still comes does not reset it",
        tries=(
            Try(
                # What the kernel sends first, the end or a reset, is chance. So there is one more
                # octet behind the end, and time for a reset.
                steps=(
                    *ask_to_end(raw(b"GET /echo to me HTTP/1.1") + MUCH),
                    *(send(b"a"), late_reset(within=1.0)),
                ),
                accept=Accept("an answer, and no reset behind it", _staged),
            ),
        ),
    ),
    Rule(
        id="R62",
        level=Level.MUST,
        cite="RFC 9112 sections 6.3 and 9.3",
        says="an answer of unknown length to HTTP/1.0 ends with its connection",
        tries=(
            Try(
                steps=(
                    send(request("/respond/stream", "Connection: keep-alive", version="HTTP/1.0")),
                    responses("GET"),
                ),
                accept=Accept("an answer that Content-Length or the close ends", _unbounded),
            ),
        ),
    ),
    Rule(
        id="R63",
        level=Level.MUST,
        cite="RFC 9112 section 9.3.2",
        says="requests that come at once are answered in order",
        tries=(
            Try(
                steps=(
                    send(request("/echo") + request("/2") + request("/3", "Connection: close")),
                    responses("GET", "GET", "GET"),
                ),
                accept=in_order(["/echo", "/2", "/3"], ["GET"] * 3),
            ),
        ),
    ),
    Rule(
        id="R64",
        level=Level.MUST,
        cite="RFC 9112 section 9.3",
        says="content that the app does not read is never read as a request",
        tries=(
            _unread(
                "length",
                post(f"Content-Length: {len(HIDDEN)}", body=HIDDEN, target="/respond/unread"),
            ),
            _unread(
                "chunked",
                post(
                    "Transfer-Encoding: chunked",
                    body=b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN),
                    target="/respond/unread",
                ),
            ),
        ),
    ),
)
