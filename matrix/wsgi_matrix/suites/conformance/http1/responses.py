"""Answers, as a server frames and completes them: R65 to R73 and R84."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Step, Transcript
from wsgi_matrix.probe.agent.response_reader import field_values
from wsgi_matrix.suites.conformance.inspector import CLOSE, ask, ask_to_end
from wsgi_matrix.suites.conformance.parsed_transcript import Heard, hear
from wsgi_matrix.suites.conformance.rule import Accept, Rule, Try, all_of, answer, either, silence
from wsgi_matrix.suites.conformance.steps import request, responses, send

DATE = re.compile(
    rb"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3][0-9] "
    rb"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4} "
    rb"[0-2][0-9]:[0-5][0-9]:[0-6][0-9] GMT"
)
"""IMF-fixdate, RFC 9110 section 5.6.7."""
SPLIT = re.compile(rb"[\r\n]X-Split")
LINE = re.compile(rb"HTTP/1\.[01] [0-9]{3} [\t\x20-\x7e\x80-\xff]*")
"""RFC 9112 section 4."""
FIELD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*")
"""RFC 9110 section 5."""


def _respond(name: str, *fields: str, method: str = "GET", version: str = "HTTP/1.1") -> bytes:
    return request(f"/respond/{name}", *fields, method=method, version=version)


def _closing(name: str, method: str = "GET") -> tuple[Step, ...]:
    return ask_to_end(_respond(name, CLOSE, method=method), method)


def _without(*names: str) -> Callable[[Heard], str]:
    def check(heard: Heard) -> str:
        there = [name for name in names if heard.values(name)]
        return f"it has {', '.join(there)}" if there else ""

    return check


def _length(*values: bytes) -> Callable[[Heard], str]:
    def check(heard: Heard) -> str:
        wrong = [value for value in heard.values("content-length") if value not in values]
        return f"Content-Length {wrong[0]!r}" if wrong else ""

    return check


def _one_framing(transcript: Transcript) -> str:
    # By the head alone: what it frames is nothing that readers agree on, where it has both.
    head = transcript.received().partition(b"\r\n\r\n")[0]
    both = field_values(head, b"content-length") and field_values(head, b"transfer-encoding")
    return "it has Content-Length and Transfer-Encoding" if both else ""


def _dated(heard: Heard) -> str:
    dates = heard.values("date")
    if len(dates) == 1 and DATE.fullmatch(dates[0]):
        return ""
    return f"Date: {dates!r}"


def _spaced(heard: Heard) -> str:
    line = heard.status_line
    return "" if re.match(rb"HTTP/1\.[01] [0-9]{3} ", line) else f"the status line is {line!r}"


def _no_split(transcript: Transcript) -> str:
    return "X-Split has become a field" if SPLIT.search(transcript.received()) else ""


def _by_the_grammar(transcript: Transcript) -> str:
    line, *fields = transcript.received().partition(b"\r\n\r\n")[0].split(b"\r\n")
    if line and not LINE.fullmatch(line):
        return f"the status line is {line!r}"
    wrong = [field for field in fields if not FIELD.fullmatch(field)]
    return f"a field line is {wrong[0]!r}" if wrong else ""


def _head(check: Callable[[Heard], str], says: str, method: str = "GET") -> Accept:
    """An answer whose head is right. Whether content is behind it other rules ask."""

    def fault(transcript: Transcript) -> str:
        hearing = hear(transcript, [method])
        if not hearing.answers:
            return f"no answer: {hearing.broken or hearing.end}"
        return check(hearing.answers[0])

    return Accept(f"an answer {says}", fault)


def _nothing_behind(name: str, steps: Sequence[Step], *status: int, method: str = "GET") -> Try:
    return Try(
        name=name,
        steps=tuple(steps),
        accept=answer(*status, method=method, says="without content"),
    )


_SERVED = answer(200, says="to the next client", on="b")

RULES: tuple[Rule, ...] = (
    Rule(
        id="R65",
        level=Level.MUST,
        cite="RFC 9110 section 9.3.2",
        says="an answer to HEAD has no content",
        tries=(
            _nothing_behind("plain", _closing("plain", "HEAD"), 200, method="HEAD"),
            _nothing_behind("stream", _closing("stream", "HEAD"), 200, method="HEAD"),
            _nothing_behind(
                "error",
                ask_to_end(request("/echo", CLOSE, method="HEAD", host="a b"), "HEAD"),
                method="HEAD",
            ),
        ),
    ),
    Rule(
        id="R66",
        level=Level.MUST,
        cite="RFC 9110 sections 15.3.5 and 15.4.5",
        says="204 and 304 have no content",
        tries=(
            _nothing_behind("204", _closing("204-content")),
            _nothing_behind("304", _closing("304-content")),
        ),
    ),
    Rule(
        id="R67",
        level=Level.MUST,
        cite="RFC 9112 section 6.1, RFC 9110 section 8.6",
        says="204 has neither Transfer-Encoding nor Content-Length",
        tries=tuple(
            Try(
                name=name,
                steps=ask(_respond(target)),
                accept=_head(_without("transfer-encoding", "content-length"), "without both"),
            )
            for name, target in (("plain", "204"), ("length", "204-length"))
        ),
    ),
    Rule(
        id="R68",
        level=Level.MUST,
        cite="RFC 9110 section 8.6",
        says="Content-Length in answers to HEAD and in 304 is that of the 200 to a GET",
        tries=(
            Try(
                name="head",
                steps=_closing("plain", "HEAD"),
                accept=_head(_length(b"10"), "with Content-Length 10 or without", "HEAD"),
            ),
            Try(
                name="head-stream",
                steps=_closing("stream", "HEAD"),
                accept=_head(_length(b"10"), "with Content-Length 10 or without", "HEAD"),
            ),
            Try(
                name="304",
                steps=_closing("304-length"),
                accept=_head(_length(b"10"), "with Content-Length 10 or without"),
            ),
        ),
    ),
    Rule(
        id="R69",
        level=Level.MUST,
        cite="RFC 9112 section 6.1",
        says="there is no Transfer-Encoding in answers to HTTP/1.0",
        tries=(
            Try(
                steps=ask(_respond("stream", version="HTTP/1.0")),
                accept=_head(_without("transfer-encoding"), "without it"),
            ),
        ),
    ),
    Rule(
        id="R70",
        level=Level.MUST,
        cite="RFC 9112 section 6.2",
        says="Content-Length and Transfer-Encoding are never in one answer",
        tries=tuple(
            Try(
                name=name,
                steps=_closing(name),
                accept=Accept("no head with both", _one_framing),
            )
            for name in ("stream", "both")
        ),
    ),
    Rule(
        id="R71",
        level=Level.MUST,
        cite="RFC 9110 sections 6.6.1 and 5.6.7",
        says="an answer of 2xx, 3xx and 4xx has one Date, an IMF-fixdate",
        tries=tuple(
            Try(
                name=name,
                steps=ask(data),
                accept=_head(_dated, "with a Date"),
            )
            for name, data in (
                ("200", _respond("plain")),
                ("304", _respond("304-length")),
                ("404", _respond("404")),
                ("refused", b"GET /echo to me HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            )
        ),
    ),
    Rule(
        id="R72",
        level=Level.MUST,
        cite="RFC 9112 section 4",
        says="there is SP behind the status code, even without a reason phrase",
        tries=tuple(
            Try(name=name, steps=ask(_respond(target)), accept=_head(_spaced, "with it"))
            for name, target in (("empty", "reason"), ("none", "reason-none"))
        ),
    ),
    Rule(
        id="R73",
        level=Level.MUST,
        cite="RFC 9112 section 4",
        says="the status code is three digits, whatever the app says",
        tries=tuple(
            Try(
                name=name,
                steps=(
                    *ask(_respond(name)),
                    send(request("/echo", CLOSE), on="b"),
                    responses("GET", on="b"),
                ),
                accept=all_of(either(answer(), silence()), _SERVED),
                alone=True,  # there are servers that end themselves over it
            )
            for name in ("banana", "two-digits")
        ),
    ),
    Rule(
        id="R84",
        level=Level.MUST,
        cite="RFC 9110 section 5.5, RFC 9112 section 11.1",
        says="nothing that an app says adds a line to its answer",
        tries=tuple(
            Try(
                name=name.removeprefix("split-"),
                steps=_closing(name),
                accept=Accept("an answer without the field X-Split, or none", _no_split),
            )
            for name in (
                "split-value",
                "split-value-lf",
                "split-value-cr",
                "split-name",
                "split-reason",
            )
        ),
    ),
    Rule(
        id="R84-grammar",
        level=Level.MUST,
        cite="RFC 9110 section 2.2",
        says="what an app says is not sent where the grammar has no place for it",
        tries=tuple(
            Try(
                name=name,
                steps=ask_to_end(request(f"/wrong/{name}", CLOSE)),
                accept=Accept("an answer whose lines are such, or none", _by_the_grammar),
            )
            for name in ("status-nul", "name-space", "name-empty", "value-nul")
        ),
    ),
)
