"""How the apps of the suite ``rules`` are asked, and what of their answers is accepted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wsgi_matrix.model.wire import Step, Transcript
from wsgi_matrix.suites.conformance.parsed_transcript import Heard, hear
from wsgi_matrix.suites.conformance.rule import Accept, Try, answer, either
from wsgi_matrix.suites.conformance.steps import close, end, request, responses, send

GET = "GET"
LATER = 2.5
"""Seconds for an answer that may wait for a note for one."""
SERVER_ERROR = tuple(range(500, 600))


def pep(section: str) -> str:
    """A citation of a section of PEP 3333."""
    return f"PEP 3333, {section}"


def ask(
    target: str,
    accept: Accept,
    *fields: str,
    name: str = "",
    method: str = GET,
    version: str = "HTTP/1.1",
    host: str | None = "localhost",
    body: bytes | None = None,
    alone: bool = False,
) -> Try:
    """One request and its answer."""
    data = request(target, *fields, method=method, version=version, host=host, body=body)
    return Try(name=name, steps=(send(data), responses(method)), accept=accept, alone=alone)


def ask_to_end(target: str, accept: Accept, *, name: str = "", version: str = "HTTP/1.1") -> Try:
    """One request, and all that comes until the server ends the connection."""
    steps = (send(request(target, version=version)), responses(GET), end())
    return Try(name=name, steps=steps, accept=accept)


def body_is(content: bytes, *status: int, method: str = GET) -> Accept:
    """This content."""
    return answer(
        *(status or (200,)),
        method=method,
        check=lambda heard: "" if heard.body == content else f"content {heard.body[:100]!r}",
        says=f"with the content {content[:40]!r}",
    )


def facts(says: str, check: Callable[[Any], str], method: str = GET, on: str = "a") -> Accept:
    """JSON; ``check`` tells what is wrong with its value."""
    return answer(
        200, method=method, on=on, check=lambda heard: _checked(heard, check), says=f"that {says}"
    )


def _checked(heard: Heard, check: Callable[[Any], str]) -> str:
    try:
        return check(heard.json())
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as problem:
        return f"the app has told {heard.body[:100]!r} ({type(problem).__name__})"


def both(says: str, check: Callable[[Any, Any], str]) -> Accept:
    """The JSON of two connections, ``a`` and ``b``."""

    def fault(transcript: Transcript) -> str:
        values = []
        for on in ("a", "b"):
            hearing = hear(transcript, [GET], on)
            if not hearing.answers or hearing.answers[0].status != 200:
                return f"no answer 200 on connection {on}: {hearing.broken or hearing.end}"
            values.append(hearing.answers[0])
        return _checked(values[0], lambda one: _checked(values[1], lambda two: check(one, two)))

    return Accept(f"two answers that {says}", fault)


def twice(target: str, *fields: str, first: str = "") -> tuple[Any, ...]:
    """The steps of one request on each of two connections."""
    return (
        send(request(first or target, *fields), on="a"),
        responses(GET, on="a"),
        send(request(target, *fields), on="b"),
        responses(GET, on="b"),
    )


def seen_later(query: str, *first: Step) -> tuple[Step, ...]:
    """``first`` on connection ``a``, and then what was noted of it, asked on ``b`` and ``c``.

    Servers that have one connection at a time answer on ``c`` only, when ``a`` is gone; and those
    that do all in one thread may see the end of ``a`` only when they have answered on ``b``.
    """
    question = request(f"/closed?{query}")
    return (
        *first,
        send(question, on="b"),
        responses(GET, on="b", within=LATER),
        close("a"),
        send(question, on="c"),
        responses(GET, on="c"),
    )


def later(says: str, check: Callable[[Any], str], *, last: bool = False) -> Accept:
    """What :func:`seen_later` has found, on ``b`` if there was an answer; ``last``: on ``c``."""
    early, late = (facts(says, check, on=on) for on in ("b", "c"))

    def fault(transcript: Transcript) -> str:
        if last or not hear(transcript, [GET], "b").answers:
            return late.fault(transcript)
        return early.fault(transcript)

    return Accept(early.says, fault)


def is_error() -> Accept:
    """A whole answer with a status of 500 to 599."""
    accept = answer(*SERVER_ERROR)
    return Accept("a status of 500 to 599", accept.fault)


def cut() -> Accept:
    """No whole answer: the client can see that there should have been more."""

    def fault(transcript: Transcript) -> str:
        hearing = hear(transcript, [GET])
        if hearing.answers:
            return "the answer looks whole"
        return "" if hearing.closed else "the connection stays open, with half an answer"

    return Accept("an answer that is visibly cut, and the connection is closed", fault)


def refusal() -> Accept:
    """The app was told of its error and could answer for itself, or the server did with a 500."""
    return either(body_is(b"refused"), is_error())
