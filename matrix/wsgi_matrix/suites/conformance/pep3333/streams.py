"""``wsgi.input`` and ``wsgi.errors``: W23 to W35, W69 to W71."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Transcript
from wsgi_matrix.suites.conformance.parsed_transcript import hear
from wsgi_matrix.suites.conformance.pep3333.environ import rule
from wsgi_matrix.suites.conformance.pep3333.inspector import GET, ask, facts, pep
from wsgi_matrix.suites.conformance.rule import Accept, Try, answer, either
from wsgi_matrix.suites.conformance.steps import (
    close,
    end,
    half_close,
    head,
    request,
    responses,
    send,
)

POST = "POST"
BODY = b"one\ntwo\nthree"
TEXT = BODY.decode()
LINES = ["one\n", "two\n", "three"]
CHUNKED = b"5\r\none\nt\r\n7\r\nwo\nthre\r\n1\r\ne\r\n0\r\n\r\n"

EXPECT = "Expect: 100-continue"


def _gives(wanted: list[Any], method: str = POST) -> Accept:
    def check(told: Any) -> str:
        return "" if told == wanted else f"gave {told!r}"

    return facts(f"the calls gave {wanted!r}", check, method=method)


def reads(calls: str, *wanted: Any, name: str = "") -> Try:
    """What calls on ``wsgi.input`` give, for the content BODY."""
    return ask(f"/input?{calls}", _gives(list(wanted)), name=name, method=POST, body=BODY)


def reads_nothing(calls: str, *wanted: Any, name: str = "") -> Try:
    """The same for a request without content."""
    return ask(f"/input?{calls}", _gives(list(wanted), GET), name=name)


def _hinted(told: Any) -> str:
    first, rest = told
    if first and [*first, *rest] == LINES:
        return ""
    return f"gave {told!r}"


def _first_only() -> Accept:
    wanted = [TEXT, ""]

    def fault(transcript: Transcript) -> str:
        # By what the app has noted: whether every answer comes R63 asks.
        found = hear(transcript, [GET], "b").answers
        if not found or found[0].status != 200:
            return "no answer to what is asked later"
        if not found[0].json() and not hear(transcript, [POST]).answers:
            return "no answer to the requests"
        gave = [note["gave"] for note in found[0].json() if note["gave"] != wanted]
        return f"gave {gave[0]!r}" if gave else ""

    return Accept("the content and no octet of the next request", fault)


def _told_of_loss(still_whole: Callable[[Any], bool]) -> Accept:
    def check(told: Any) -> str:
        lost = [note for note in told["notes"] if still_whole(note)]
        return f"the app read {lost[0]['gave']!r}, and no error" if lost else ""

    accept = facts("the app was not called, or reading raised", check, on="b")
    return Accept("an app that is not called, or told by an exception", accept.fault)


def _truncated(name: str, framing: str, part: bytes, still_whole: Callable[[Any], bool]) -> Try:
    query = f"read&W34-{name}"
    start = request(f"/input?{query}", framing, method=POST)
    return Try(
        name=name,
        steps=(
            send(start + part),
            half_close(),
            end(),
            send(request(f"/closed?{query}"), on="b"),
            responses(GET, on="b"),
        ),
        accept=_told_of_loss(still_whole),
    )


def _silent(note: Any) -> bool:
    return not isinstance(note["gave"][0], dict)


def _silent_and_terminated(note: Any) -> bool:
    return _silent(note) and bool(note["terminated"])


def _flag(method: str = POST) -> Accept:
    def check(told: Any) -> str:
        flag = told["flags"].get("wsgi.input_terminated")
        return "" if flag else f"wsgi.input_terminated is {flag}"

    return facts("wsgi.input_terminated is true", check, method=method)


def _continued() -> Accept:
    accept = answer(
        200,
        method=POST,
        check=lambda heard: (
            ""
            if heard.interim == (100,) and heard.json() == [TEXT]
            else f"interim {heard.interim}, {heard.body[:60]!r}"
        ),
    )
    return Accept("100 before the content, then 200 with the content", accept.fault)


MUST, SHOULD, MAY = Level.MUST, Level.SHOULD, Level.MAY
STREAMS = pep("Input and Error Streams")


def _rule(number: int, level: Level, says: str, *tries: Try) -> Any:
    return rule(number, level, says, *tries, cite=STREAMS)


RULES = (
    _rule(23, SHOULD, "the end of the content is the end of the stream",
          reads("read:13;read:5;read", TEXT, "", ""),
          reads("read:100", TEXT, name="over"),
          Try(name="next",
              steps=(send(request("/input?read:100;read:100&W23", method=POST, body=BODY)
                          + request("/environ")), responses(POST, GET), close(),
                     send(request("/seen?read:100;read:100&W23"), on="b"), responses(GET, on="b")),
              accept=_first_only())),
    _rule(24, SHOULD, "read() gives all that is left",
          reads("read", TEXT), reads("read:4;read", "one\n", "two\nthree", name="rest")),
    _rule(25, SHOULD, "read(-1) is read()", reads("read:-1", TEXT)),
    # The semantics are the library's (the table has no level): this, and W32, are part of them.
    _rule(26, MUST, "read(0) takes nothing", reads("read:0;read:13", "", TEXT)),
    _rule(27, SHOULD, "what is exhausted stays empty",
          reads("read:13;read:5;readline;readlines;read:5", TEXT, "", "", [], ""),
          reads_nothing("read:5;readline;readlines;read:5", "", "", [], "", name="none")),
    _rule(28, MUST, "readline() gives a line with its end",
          reads("readline;readline;readline;readline", *LINES, "")),
    _rule(29, SHOULD, "readline(size) gives no more than size",
          reads("readline:2;readline:10", "on", "e\n")),
    _rule(30, MUST, "readlines() gives all lines; with a hint, whole lines",
          reads("readlines", LINES),
          ask("/input?readlines:1;readlines",
              facts("two calls gave all lines", _hinted, method=POST),
              name="hint", method=POST, body=BODY)),
    _rule(31, MUST, "iteration gives the lines and ends with the content",
          reads("list", LINES), reads_nothing("list", [], name="none")),
    _rule(32, MUST, "all methods share one position",
          reads("readline;read:2;next;read:5", "one\n", "tw", "o\n", "three")),
    _rule(33, MUST, "a request without Content-Length has empty input",
          reads_nothing("read", "")),
    _rule(34, MAY, "an app can tell that an upload was cut off",
          _truncated("length", "Content-Length: 13", b"one", _silent),
          _truncated("chunked", "Transfer-Encoding: chunked", b"5\r\none\n",
                     _silent_and_terminated)),
    _rule(35, SHOULD, "wsgi.errors takes any text",
          ask("/errors", facts("writing raised nothing",
              lambda told: told["raised"] and f"raised {told['raised']}"))),
    rule(69, MUST, "Expect: 100-continue needs nothing of the app",
         Try(steps=(send(request("/input?read:13", EXPECT, "Content-Length: 13", method=POST)),
                    head(within=2), send(BODY), responses(POST)),
             accept=either(_continued(), answer(417, method=POST))),
         cite=pep("HTTP 1.1 Expect/Continue")),
    rule(70, MUST, "the server decodes what has a transfer coding",
         Try(steps=(send(request("/input?read", "Transfer-Encoding: chunked", method=POST)
                         + CHUNKED), responses(POST)),
             accept=_gives([TEXT])),
         cite=pep("Other HTTP Features")),
    rule(71, MAY, "wsgi.input_terminated says that the stream ends with the content",
         ask("/environ", _flag(), name="length", method=POST, body=BODY),
         Try(name="chunked",
             steps=(send(request("/environ", "Transfer-Encoding: chunked", method=POST)
                         + CHUNKED), responses(POST)),
             accept=_flag()),
         cite=STREAMS),
)  # fmt: skip
