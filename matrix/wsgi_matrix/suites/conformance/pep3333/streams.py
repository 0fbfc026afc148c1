"""``wsgi.input`` and ``wsgi.errors``: W23 to W35, W69 to W71."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Transcript
from wsgi_matrix.suites.conformance.matchers import Actual, Matcher, described, either, response
from wsgi_matrix.suites.conformance.parsed_transcript import ParsedResponse, parse
from wsgi_matrix.suites.conformance.pep3333.environ import VARIABLES
from wsgi_matrix.suites.conformance.pep3333.report_matchers import GET, ask, pep, reports
from wsgi_matrix.suites.conformance.rule import Rule, Variant
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

STREAMS = pep("Input and Error Streams")
LIBRARY = (
    "The semantics of each method are as documented in the Python Library Reference, except for "
    "these notes as listed in the table above"
)
AT_END = (
    "The server is not required to read past the client's specified Content-Length, and should "
    "simulate an end-of-file condition if the application attempts to read past that point."
)
EXHAUSTED = (
    "A server should return empty bytestrings from any attempt to read from an empty or exhausted "
    "input stream."
)


def _words(calls: str) -> str:
    """``read:4;list`` as an app says it: ``read(4), list(wsgi.input)``."""
    said = {"list": "list(wsgi.input)", "next": "next(iter(wsgi.input))"}
    parts = (call.partition(":") for call in calls.split(";"))
    return ", ".join(said.get(name) or f"{name}({size})" for name, _, size in parts)


def _gives(wanted: list[Any], method: str = POST) -> Matcher:
    def check(report: Any) -> Actual:
        return None if report == wanted else f"the calls gave {report!r}"

    return reports(f"that the calls gave {', '.join(map(repr, wanted))}", check, method=method)


def reads(calls: str, *wanted: Any, name: str = "") -> Variant:
    """What calls on ``wsgi.input`` give, for the content BODY."""
    return ask(
        f"a POST of three lines; the app calls {_words(calls)}",
        f"/input?{calls}",
        _gives(list(wanted)),
        name=name,
        method=POST,
        body=BODY,
    )


def reads_nothing(calls: str, *wanted: Any, name: str = "") -> Variant:
    """The same for a request without content."""
    return ask(
        f"a GET without content; the app calls {_words(calls)}",
        f"/input?{calls}",
        _gives(list(wanted), GET),
        name=name,
    )


def _hinted(report: Any) -> Actual:
    first, rest = report
    if first and [*first, *rest] == LINES:
        return None
    return f"the calls gave {report!r}"


def _first_only() -> Matcher:
    wanted = [TEXT, ""]

    def differs(transcript: Transcript) -> Actual:
        # By what the app has noted: whether every response comes is R63's.
        found = parse(transcript, [GET], "b").responses
        if not found or found[0].status != 200:
            return "no response to the request for the notes"
        if not found[0].json() and not parse(transcript, [POST]).responses:
            return "no response to the requests"
        gave = [note["gave"] for note in found[0].json() if note["gave"] != wanted]
        return f"the calls gave {gave[0]!r}" if gave else None

    return Matcher("the app reads the content, and no octet of the next request", differs)


def _learns_of_loss(still_whole: Callable[[Any], bool]) -> Matcher:
    def check(report: Any) -> Actual:
        lost = [note for note in report["notes"] if still_whole(note)]
        return f"the app read {lost[0]['gave']!r}, and no error" if lost else None

    return described(
        "the app is not called, or reading raises an exception", reports("it", check, on="b")
    )


def _truncated(
    name: str, sends: str, framing: str, part: bytes, still_whole: Callable[[Any], bool]
) -> Variant:
    query = f"read&cut-{name}"
    start = request(f"/input?{query}", framing, method=POST)
    return Variant(
        name=name,
        sends=f"{sends}; then FIN, and another request for what the app has noted",
        steps=(
            send(start + part),
            half_close(),
            end(),
            send(request(f"/closed?{query}"), on="b"),
            responses(GET, on="b"),
        ),
        expects=_learns_of_loss(still_whole),
    )


def _silent(note: Any) -> bool:
    return not isinstance(note["gave"][0], dict)


def _silent_and_terminated(note: Any) -> bool:
    return _silent(note) and bool(note["terminated"])


def _input_terminated() -> Matcher:
    def check(report: Any) -> Actual:
        flag = report["flags"].get("wsgi.input_terminated")
        return None if flag else f"wsgi.input_terminated {flag}"

    return reports("wsgi.input_terminated true", check, method=POST)


def _continued() -> Matcher:
    def check(found: ParsedResponse) -> Actual:
        if found.interim == (100,) and found.json() == [TEXT]:
            return None
        return f"interim responses {found.interim}, content {found.body[:60]!r}"

    return described(
        "100 before the content is sent, then the app reports that it read the content",
        response(200, method=POST, check=check),
    )


RULES = (
    Rule(
        id="input/end-of-content",
        alias="W23",
        level=Level.SHOULD,
        cite=STREAMS,
        title="Reading beyond the content",
        text=AT_END,
        variants=(
            reads("read:13;read:5;read", TEXT, "", ""),
            reads("read:100", TEXT, name="over"),
            Variant(
                name="next",
                sends="a POST of 13 octets and a GET in one write; the app calls read(100) twice",
                steps=(
                    send(
                        request("/input?read:100;read:100&next", method=POST, body=BODY)
                        + request("/environ")
                    ),
                    responses(POST, GET),
                    close(),
                    send(request("/seen?read:100;read:100&next"), on="b"),
                    responses(GET, on="b"),
                ),
                expects=_first_only(),
            ),
        ),
    ),
    Rule(
        id="input/read-without-size",
        alias="W24",
        level=Level.SHOULD,
        cite=STREAMS,
        title="read() without a size",
        text="A server should allow read() to be called without an argument, and return the "
        "remainder of the client's input stream.",
        variants=(
            reads("read", TEXT),
            reads("read:4;read", "one\n", "two\nthree", name="rest"),
        ),
    ),
    Rule(
        id="input/read-minus-one",
        alias="W25",
        level=Level.SHOULD,
        cite=STREAMS,
        title="read(-1)",
        text=LIBRARY,
        variants=(reads("read:-1", TEXT),),
    ),
    Rule(
        id="input/read-zero",
        alias="W26",
        level=Level.MUST,
        cite=STREAMS,
        title="read(0) takes nothing",
        text=LIBRARY,
        variants=(reads("read:0;read:13", "", TEXT),),
    ),
    Rule(
        id="input/exhausted",
        alias="W27",
        level=Level.SHOULD,
        cite=STREAMS,
        title="Exhausted input stays empty",
        text=EXHAUSTED,
        variants=(
            reads("read:13;read:5;readline;readlines;read:5", TEXT, "", "", [], ""),
            reads_nothing("read:5;readline;readlines;read:5", "", "", [], "", name="none"),
        ),
    ),
    Rule(
        id="input/readline",
        alias="W28",
        level=Level.MUST,
        cite=STREAMS,
        title="readline()",
        text=LIBRARY,
        variants=(reads("readline;readline;readline;readline", *LINES, ""),),
    ),
    Rule(
        id="input/readline-with-size",
        alias="W29",
        level=Level.SHOULD,
        cite=STREAMS,
        title="readline(size)",
        text='Servers should support the optional "size" argument to readline()',
        variants=(reads("readline:2;readline:10", "on", "e\n"),),
    ),
    Rule(
        id="input/readlines",
        alias="W30",
        level=Level.MUST,
        cite=STREAMS,
        title="readlines(), with and without hint",
        text=LIBRARY,
        variants=(
            reads("readlines", LINES),
            ask(
                f"a POST of three lines; the app calls {_words('readlines:1;readlines')}",
                "/input?readlines:1;readlines",
                reports("that the calls gave all lines, the first at least one", _hinted, POST),
                name="hint",
                method=POST,
                body=BODY,
            ),
        ),
    ),
    Rule(
        id="input/iteration",
        alias="W31",
        level=Level.MUST,
        cite=STREAMS,
        title="Iteration over the input",
        text=LIBRARY,
        variants=(reads("list", LINES), reads_nothing("list", [], name="none")),
    ),
    Rule(
        id="input/shared-position",
        alias="W32",
        level=Level.MUST,
        cite=STREAMS,
        title="All methods share one position",
        text=LIBRARY,
        variants=(reads("readline;read:2;next;read:5", "one\n", "tw", "o\n", "three"),),
    ),
    Rule(
        id="input/no-content",
        alias="W33",
        level=Level.MUST,
        cite=STREAMS,
        title="Request without content",
        text=LIBRARY,
        variants=(reads_nothing("read", ""),),
    ),
    Rule(
        id="input/incomplete-content",
        alias="W34",
        level=Level.MAY,
        cite=f"{STREAMS}, RFC 9112 section 6.3",
        title="Upload that was cut off",
        text="If the sender closes the connection or the recipient times out before the indicated "
        "number of octets are received, the recipient MUST consider the message to be incomplete "
        "and close the connection.",
        variants=(
            _truncated(
                "length",
                "a POST with Content-Length: 13 and three octets; the app calls read()",
                "Content-Length: 13",
                b"one",
                _silent,
            ),
            _truncated(
                "chunked",
                "a POST with a chunk that is cut off; the app calls read()",
                "Transfer-Encoding: chunked",
                b"5\r\none\n",
                _silent_and_terminated,
            ),
        ),
    ),
    Rule(
        id="errors/any-text",
        alias="W35",
        level=Level.SHOULD,
        cite=VARIABLES,
        title="Any text for wsgi.errors",
        text="the error stream should accept and log arbitrary unicode without raising an error",
        variants=(
            ask(
                "a GET; the app writes é, € and an emoji to wsgi.errors",
                "/errors",
                reports(
                    "that writing raised nothing",
                    lambda report: f"raised {report['raised']}" if report["raised"] else None,
                ),
            ),
        ),
    ),
    Rule(
        id="input/expect-100-continue",
        alias="W69",
        level=Level.MUST,
        cite=pep("HTTP 1.1 Expect/Continue"),
        title="Expect: 100-continue behind the app",
        text="Servers and gateways that implement HTTP 1.1 must provide transparent support for "
        'HTTP 1.1\'s "expect/continue" mechanism.',
        variants=(
            Variant(
                sends="a POST with Expect: 100-continue, its content after a head has come, or "
                "2 s; the app calls read(13)",
                steps=(
                    send(request("/input?read:13", EXPECT, "Content-Length: 13", method=POST)),
                    head(within=2),
                    send(BODY),
                    responses(POST),
                ),
                expects=either(_continued(), response(417, method=POST)),
            ),
        ),
    ),
    Rule(
        id="input/transfer-coding-decoded",
        alias="W70",
        level=Level.MUST,
        cite=pep("Other HTTP Features"),
        title="Transfer coding is decoded",
        text='WSGI servers must handle any supported inbound "hop-by-hop" headers on their own, '
        "such as by decoding any inbound Transfer-Encoding, including chunked encoding if "
        "applicable.",
        variants=(
            Variant(
                sends="a chunked POST of three lines; the app calls read()",
                steps=(
                    send(
                        request("/input?read", "Transfer-Encoding: chunked", method=POST) + CHUNKED
                    ),
                    responses(POST),
                ),
                expects=_gives([TEXT]),
            ),
        ),
    ),
    Rule(
        id="input/input-terminated",
        alias="W71",
        level=Level.MAY,
        cite=VARIABLES,
        title="wsgi.input_terminated",
        text="Finally, the environ dictionary may also contain server-defined variables.",
        variants=(
            ask(
                "a POST with Content-Length",
                "/environ",
                _input_terminated(),
                name="length",
                method=POST,
                body=BODY,
            ),
            Variant(
                name="chunked",
                sends="a chunked POST",
                steps=(
                    send(request("/environ", "Transfer-Encoding: chunked", method=POST) + CHUNKED),
                    responses(POST),
                ),
                expects=_input_terminated(),
            ),
        ),
    ),
)
