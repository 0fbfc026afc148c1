"""What the app returns, block by block, and its end: W56 to W68, W82."""

from __future__ import annotations

from typing import Any

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Step, Transcript
from wsgi_matrix.suites.conformance.matchers import (
    SERVER_ERRORS,
    Actual,
    Matcher,
    either,
    response,
    silence,
)
from wsgi_matrix.suites.conformance.parsed_transcript import ParsedResponse, parse
from wsgi_matrix.suites.conformance.pep3333.report_matchers import (
    GET,
    NO_WRAPPER,
    ask,
    ask_to_end,
    body_is,
    cut,
    is_error,
    later,
    noted_later,
    pep,
)
from wsgi_matrix.suites.conformance.pep3333.start_response import CALLABLE, slow
from wsgi_matrix.suites.conformance.rule import Rule, Variant
from wsgi_matrix.suites.conformance.steps import head, quiet, request, reset, responses, send

SERVER = pep("Specification Details")
LENGTH = pep("Handling the Content-Length Header")
ERRORS = pep("Error Handling")
CLOSE_CALLED = (
    "If the iterable returned by the application has a close() method, the server or gateway must "
    "call that method upon completion of the current request, whether the request was completed "
    "normally, or terminated early due to an application error during iteration or an early "
    "disconnect of the browser."
)
TRAPPED = (
    "Servers should trap and log any exception that aborts an application or the iteration of its "
    "return value."
)
MANY, SMALL = 128, 40
"""Blocks of ``/blocks/large`` and ``/blocks/small``."""
MESSAGE = b"rules-secret"
THEN_NOTES = "; then requests for what it has noted"


def _closed_once(report: Any) -> Actual:
    times = report["notes"].count("closed")
    return None if times == 1 else f"close() was called {times} times"


CLOSED = later("close() was called once", _closed_once)
CLOSED_LAST = later("close() was called once", _closed_once, last=True)


def closed(name: str, sends: str, target: str, *steps: Step, expects: Matcher = CLOSED) -> Variant:
    """What became of an iterable, on a second connection while the first is still there."""
    query = f"close-{name}"
    first = steps or (send(request(f"{target}?{query}")), responses(GET))
    return Variant(
        name=name, sends=sends + THEN_NOTES, steps=noted_later(query, *first), expects=expects
    )


def _stopped(blocks: int) -> Matcher:
    def check(report: Any) -> Actual:
        if report["blocks"] >= blocks:
            return f"all {blocks} blocks were iterated over"
        return _closed_once(report)

    return later("iteration stopped and close() was called once", check, last=True)


def disconnected(query: str, name: str, sends: str, target: str, expects: Matcher) -> Variant:
    """A client that disconnects in the middle: when the head is there, and a first block, the app
    is being iterated over. Alone, for a server that is busy with others may have no time to see it.
    """
    steps = (send(request(f"{target}?{query}-{name}")), head(), reset())
    return Variant(
        name=name,
        sends=sends + THEN_NOTES,
        steps=noted_later(f"{query}-{name}", *steps),
        expects=expects,
        alone=True,
    )


def _untouched(report: Any) -> Actual:
    touched = sorted(set(report["attributes"]) - {"__len__"})
    return f"the server looked for {', '.join(touched)}" if touched else None


def _one_length(found: ParsedResponse) -> Actual:
    got = found.values("Content-Length")
    return None if got == [b"3"] else f"Content-Length: {got}"


def _for_1_0(found: ParsedResponse) -> Actual:
    if found.values("Transfer-Encoding"):
        return "a transfer coding, which HTTP/1.0 does not have"
    return None if found.body == b"one two" else f"content {found.body[:60]!r}"


def _end_visible(matcher: Matcher) -> Matcher:
    """So, and where only the close ends the content, it comes at once."""

    def differs(transcript: Transcript) -> Actual:
        parsed = parse(transcript, [GET])
        if parsed.end != "open" and not parsed.closed:
            return f"content that only a close ends, {parsed.waited:.1f} s after it"
        return matcher.differs(transcript)

    return Matcher(f"content whose end the client sees at once: {matcher.description}", differs)


def longer(name: str, what: str) -> Variant:
    """More content than Content-Length."""
    return Variant(
        name=name,
        sends=f"a GET; the app gives Content-Length: 5 and ten octets in {what}",
        steps=(send(request(f"/blocks/{name}")), responses(GET), quiet()),
        expects=either(body_is(b"01234"), is_error()),
    )


def _no_details(found: ParsedResponse) -> Actual:
    told = MESSAGE in found.raw or b"Traceback" in found.raw
    return "a response with the text of the exception" if told else None


def _raising(name: str, when: str) -> Variant:
    expects = response(*SERVER_ERRORS, check=_no_details, says="without the exception's text")
    return ask(f"a GET; the app raises {when}", f"/raising/{name}", expects, name=name)


def _alive() -> Matcher:
    def differs(transcript: Transcript) -> Actual:
        found = parse(transcript, [GET], "d").responses
        return None if found and found[0].status == 200 else "no response any more"

    return Matcher("a 200 response to the last request", differs)


EXITS = ("SystemExit", "KeyboardInterrupt", "GeneratorExit")
RULES: tuple[Rule, ...] = (
    Rule(
        id="start-response/never-called",
        alias="W56",
        level=Level.MAY,
        cite=SERVER,
        title="start_response() is never called",
        text="the application must invoke the start_response() callable before the iterable yields "
        "its first body bytestring, so that the server can send the headers before any body "
        "content.",
        variants=(
            ask(
                "a GET; the app returns a block and never calls start_response()",
                "/start/never",
                is_error(),
            ),
        ),
    ),
    Rule(
        id="iterable/close-called-once",
        alias="W57",
        level=Level.MUST,
        cite=SERVER,
        title="close() is called once",
        text=CLOSE_CALLED,
        variants=(
            closed("end", "a GET; the app returns an iterable with close()", "/blocks/plain"),
            closed("error", "a GET; the iterable raises after its first block", "/blocks/error"),
            closed(
                "1.0",
                "a GET of HTTP/1.0; the app returns an iterable with close()",
                "/blocks/plain",
                send(request("/blocks/plain?close-1.0", version="HTTP/1.0")),
                responses(GET),
            ),
            closed(
                "head",
                "HEAD; the app returns an iterable with close()",
                "/blocks/plain",
                send(request("/blocks/plain?close-head", method="HEAD")),
                responses("HEAD"),
            ),
            closed(
                "not-modified",
                "a GET; the app gives 304 and an empty iterable with close()",
                "/blocks/not-modified",
            ),
            disconnected(
                "close",
                "gone",
                "a GET, and a reset during the response",
                "/blocks/large",
                CLOSED_LAST,
            ),
            closed(
                "file",
                "a GET; the app returns wsgi.file_wrapper of a file with close()",
                "/wrapper/close",
                expects=either(CLOSED, NO_WRAPPER),
            ),
        ),
    ),
    Rule(
        id="iterable/other-attributes",
        alias="W58",
        level=Level.MUST,
        cite=SERVER,
        title="Other attributes of the iterable",
        text="Finally, servers and gateways must not directly use any other attributes of the "
        "iterable returned by the application, unless it is an instance of a type specific to that "
        "server or gateway",
        variants=(
            Variant(
                sends="a GET; the app returns an iterable that notes which attributes are looked "
                "for" + THEN_NOTES,
                steps=noted_later(
                    "attributes", send(request("/blocks/plain?attributes")), responses(GET)
                ),
                expects=later("only iteration, len() and close() were used", _untouched),
            ),
        ),
    ),
    Rule(
        id="iterable/sent-block-by-block",
        alias="W59",
        level=Level.MUST,
        cite=pep("Buffering and Streaming"),
        title="Blocks are not delayed",
        text="WSGI servers, gateways, and middleware must not delay the transmission of any block; "
        "they must either fully transmit the block to the client, or guarantee that they will "
        "continue transmission even while the application is producing its next block.",
        variants=(
            slow(
                "a GET; the app gives two blocks, 1.5 s apart",
                "/blocks/slow",
                b"one ",
                b"two",
                version="HTTP/1.1",
            ),
            slow(
                "a GET of HTTP/1.0; the app gives two blocks, 1.5 s apart",
                "/blocks/slow",
                b"one ",
                b"two",
                name="1.0",
                version="HTTP/1.0",
            ),
        ),
    ),
    Rule(
        id="iterable/octets-unchanged",
        alias="W60",
        level=Level.SHOULD,
        cite=SERVER,
        title="Octets are sent unchanged",
        text="The server or gateway should treat the yielded bytestrings as binary byte sequences: "
        "in particular, it should ensure that line endings are not altered.",
        variants=(
            ask(
                "a GET; the app gives all 256 octets, upwards and downwards",
                "/blocks/octets",
                body_is(bytes(range(256)) + bytes(range(255, -1, -1))),
            ),
        ),
    ),
    Rule(
        id="iterable/length-of-one-block",
        alias="W61",
        level=Level.MAY,
        cite=LENGTH,
        title="Length of a single block",
        text="then the server can automatically determine Content-Length by taking the length of "
        "the first bytestring yielded by the iterable.",
        variants=(
            ask(
                "a GET; the app returns a list of one block of three octets",
                "/blocks/one",
                response(200, check=_one_length, says="with Content-Length: 3"),
            ),
        ),
    ),
    Rule(
        id="iterable/more-than-content-length",
        alias="W62",
        level=Level.SHOULD,
        cite=LENGTH,
        title="More content than Content-Length",
        text="If the application supplies a Content-Length header, the server should not transmit "
        "more bytes to the client than the header allows, and should stop iterating over the "
        "response when enough data has been sent, or raise an error if the application tries to "
        "write() past that point.",
        variants=(
            longer("longer", "a list of two blocks"),
            longer("longer-one", "one block"),
            longer("longer-asked", "two blocks of a generator"),
        ),
    ),
    Rule(
        id="iterable/less-than-content-length",
        alias="W63",
        level=Level.SHOULD,
        cite=LENGTH,
        title="Less content than Content-Length",
        text="if the application does not provide enough data to meet its stated Content-Length, "
        "the server should close the connection and log or otherwise report the error.",
        variants=(
            ask_to_end(
                "a GET; the app gives Content-Length: 15 and ten octets", "/blocks/shorter", cut()
            ),
        ),
    ),
    Rule(
        id="iterable/without-content-length",
        alias="W64",
        level=Level.MUST,
        cite=LENGTH,
        title="Content without Content-Length",
        text="Note that the server must comply fully with RFC 2616 when doing this, or else fall "
        "back to one of the other strategies for dealing with the absence of Content-Length.",
        variants=(
            ask(
                "a GET; the app gives two blocks and no Content-Length",
                "/blocks/plain",
                _end_visible(body_is(b"one two")),
                name="1.1",
            ),
            ask(
                "a GET; the app gives wsgi.file_wrapper and no Content-Length",
                "/wrapper/file",
                _end_visible(either(body_is(b"0123456789"), NO_WRAPPER)),
                name="file",
            ),
            ask(
                "a GET of HTTP/1.0; the app gives two blocks and no Content-Length",
                "/blocks/plain",
                response(
                    200,
                    check=_for_1_0,
                    says="with the content b'one two', without a transfer coding",
                ),
                name="1.0",
                version="HTTP/1.0",
            ),
        ),
    ),
    # Only a block of bytes lets the head go. That the error is a 500 is W66's.
    Rule(
        id="iterable/block-not-bytes",
        alias="W65",
        level=Level.MUST,
        cite=f"{CALLABLE}, Unicode Issues",
        title="Block that is not bytes",
        text="Instead, it must store them for the server or gateway to transmit only after the "
        "first iteration of the application return value that yields a non-empty bytestring … the "
        "value must be of type bytes under Python 3",
        variants=(
            ask(
                "a GET; the app returns a list with a str",
                "/blocks/text",
                either(is_error(), silence()),
                name="list",
            ),
            ask(
                "a GET; the app is a generator that yields a str",
                "/blocks/text-asked",
                either(is_error(), silence()),
                name="asked",
            ),
        ),
    ),
    Rule(
        id="errors/exception-before-the-head",
        alias="W66",
        level=Level.SHOULD,
        cite=ERRORS,
        title="Exception before the head",
        text=TRAPPED,
        variants=(
            _raising("first", "before it calls start_response()"),
            _raising("started", "after start_response()"),
            _raising("iterating", "when its first block is requested"),
        ),
    ),
    Rule(
        id="errors/exception-after-the-head",
        alias="W67",
        level=Level.MAY,
        cite=ERRORS,
        title="Exception after the head",
        text="The server or gateway can then trap this (fatal) exception and abort the response.",
        variants=(
            ask_to_end("a GET; the app raises after its first block", "/raising/later", cut()),
            ask_to_end(
                "a GET; the app yields a str after its first block",
                "/blocks/text-later",
                cut(),
                name="text",
            ),
        ),
    ),
    Rule(
        id="iterable/client-disconnects",
        alias="W82",
        level=Level.MUST,
        cite=SERVER,
        title="Client disconnects during the response",
        text=CLOSE_CALLED,
        variants=(
            disconnected(
                "stop",
                "large",
                f"a GET, and a reset during a response of {MANY} blocks of 64 KiB",
                "/blocks/large",
                _stopped(MANY),
            ),
            disconnected(
                "stop",
                "small",
                f"a GET, and a reset during a response of {SMALL} small blocks, 0.05 s apart",
                "/blocks/small",
                _stopped(SMALL),
            ),
        ),
    ),
)
LAST: tuple[Rule, ...] = (
    Rule(
        id="errors/exit-exceptions",
        alias="W68",
        level=Level.MAY,
        cite=ERRORS,
        title="SystemExit and the like",
        text=TRAPPED,
        variants=(
            Variant(
                sends=f"three GETs; the app raises {', '.join(EXITS)}; then another GET",
                steps=(
                    *(
                        step
                        for on, kind in zip("abc", EXITS, strict=True)
                        for step in (
                            send(request(f"/raising/{kind}"), on=on),
                            responses(GET, on=on),
                        )
                    ),
                    send(request("/environ"), on="d"),
                    responses(GET, on="d"),
                ),
                expects=_alive(),
                alone=True,
            ),
        ),
    ),
)
"""It may end the server: nothing can be requested after it."""
