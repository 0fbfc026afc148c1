"""Checks the app's responses to ``/hello`` and ``/framework``."""

from __future__ import annotations

import json

from wsgi_matrix.http.response import split, where_differs
from wsgi_matrix.model.results import Outcome
from wsgi_matrix.model.wire import Exchange
from wsgi_matrix.probe.protocol import mask_date
from wsgi_matrix.suites.case import FRAMEWORK, HELLO, Case, Evidence, Verdict

STATUS_LINE = b"HTTP/1.1 200 OK"
CONTENT_TYPE = b"text/plain; charset=utf-8"
BODY = b"Hello, World!\n"
_OF_CONNECTION = (b"connection", b"keep-alive")


def hello_fault(raw: bytes) -> str:
    """How a complete response to ``GET /hello`` violates the contract; empty if it does not."""
    answer = split(raw)
    if answer.status_line != STATUS_LINE:
        return f"status line: expected {STATUS_LINE!r}, got {answer.status_line!r}"
    types = answer.values(b"content-type")
    if types != [CONTENT_TYPE]:
        return f"Content-Type: expected [{CONTENT_TYPE!r}], got {types!r}"
    if answer.body != BODY:
        return f"body: expected {BODY!r}, got {answer.body[:200]!r}"
    return ""


def _incomplete(exchanges: tuple[Exchange, ...]) -> str:
    for number, exchange in enumerate(exchanges, 1):
        if exchange.error:
            line = exchange.request.partition(b"\r\n")[0].decode("latin-1")
            return f"{line}, request {number} of {len(exchanges)}: {exchange.error}"
    return "" if exchanges else "no request was sent"


def judge_hello(evidence: Evidence) -> Verdict:
    """Every response to ``/hello`` conforms to the contract."""
    exchanges = evidence.exchanges[HELLO]
    fault = _incomplete(exchanges)
    for exchange in exchanges:
        fault = fault or hello_fault(exchange.response)
    return (Outcome.FAIL, fault) if fault else (Outcome.PASS, "")


def judge_framework(evidence: Evidence) -> Verdict:
    """``/framework`` reports the framework of the cell, in the bundle's version."""
    exchanges = evidence.exchanges[FRAMEWORK]
    fault = _incomplete(exchanges)
    if fault:
        return Outcome.FAIL, fault
    answer = split(exchanges[0].response)
    try:
        value = json.loads(answer.body)
        name, version = value["framework"], value["version"]
    except (ValueError, KeyError, TypeError):
        return Outcome.FAIL, f'expected JSON with "framework" and "version", got {answer.body!r}'
    wanted = evidence.cell.app.framework
    if not isinstance(name, str) or name.lower() != wanted.lower():
        return Outcome.FAIL, f"expected framework {wanted!r}, got {name!r}"
    if version != evidence.framework_version:
        return (
            Outcome.FAIL,
            f"expected {wanted} {evidence.framework_version!r} (bundle), got {version!r}",
        )
    return Outcome.PASS, f"{name} {version}" if name else "none, as configured"


def judge_repeat(evidence: Evidence) -> Verdict:
    """The same request always has the same response, except for the value of Date."""
    for name, exchanges in evidence.exchanges.items():
        fault = _incomplete(exchanges)
        if fault:
            return Outcome.SKIP, f"not comparable: {fault}"
        first = mask_date(exchanges[0].response)
        for number, exchange in enumerate(exchanges[1:], 2):
            again = mask_date(exchange.response)
            if again != first:
                where = where_differs(first, again)
                return Outcome.FAIL, f"/{name}: response {number} differs from the first: {where}"
    times = len(evidence.exchanges[HELLO])
    return (Outcome.PASS, f"{times} times") if times > 1 else (Outcome.SKIP, "sent only once")


def _of_the_app(answer: bytes) -> bytes:
    """Without the connection's fields, which may vary with many clients (RFC 9110 section 7.6.1).

    A server may close some of its connections (RFC 9112 section 9.6), and which ones varies.
    """
    head, end, body = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    kept = [each for each in lines if each.partition(b":")[0].lower() not in _OF_CONNECTION]
    return b"\r\n".join(kept) + end + body


def judge_burst(evidence: Evidence) -> Verdict:
    """Each of the concurrent clients gets the same correct response."""
    burst = evidence.burst
    faults = [f"{count} x {error}" for error, count in sorted(burst.errors.items())]
    right = 0
    for raw, count in burst.responses.items():
        fault = hello_fault(raw)
        if fault:
            faults.append(f"{count} x {fault}")
        else:
            right += count
    seen = f"{burst.clients} clients, {burst.together} concurrent, {burst.seconds:.2f} s"
    if faults:
        return Outcome.FAIL, f"{right} of {burst.clients} correct; {'; '.join(faults)} ({seen})"
    if right != burst.clients:
        return Outcome.ERROR, f"{right} responses for {burst.clients} clients"
    hellos = {_of_the_app(mask_date(each.response)) for each in evidence.exchanges[HELLO]}
    for raw in map(_of_the_app, burst.responses):
        for expected in hellos:
            if raw != expected:
                return Outcome.FAIL, "unlike a single response: " + where_differs(expected, raw)
    return Outcome.PASS, seen


RESPONSE = Case(
    id="hello-response",
    says="GET /hello returns 200, text/plain; charset=utf-8, Hello, World!",
    judge=judge_hello,
    evidence=(HELLO,),
)
NAMED = Case(
    id="framework",
    says="GET /framework reports the cell's framework and its installed version",
    judge=judge_framework,
    evidence=(FRAMEWORK,),
)
REPEAT = Case(
    id="repeat",
    says="the same request always has the same response, byte for byte",
    judge=judge_repeat,
)
BURST = Case(
    id="burst",
    says="every client of a burst gets the same correct response",
    judge=judge_burst,
)
CASES = (RESPONSE, NAMED, REPEAT, BURST)
