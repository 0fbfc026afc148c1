"""Connections: how long they last and how they end, R58 to R64; the PROXY protocol, R85."""

from __future__ import annotations

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Transcript
from wsgi_matrix.suites.conformance.echo_matchers import (
    announces_close,
    exchange_to_end,
    in_order,
    post,
    raw,
)
from wsgi_matrix.suites.conformance.matchers import Actual, Matcher, refused, response
from wsgi_matrix.suites.conformance.parsed_transcript import ParsedResponse, parse
from wsgi_matrix.suites.conformance.quotes import NOT_THE_GRAMMAR
from wsgi_matrix.suites.conformance.rule import Rule, Variant
from wsgi_matrix.suites.conformance.steps import late_reset, request, responses, send

HIDDEN = request("/smuggled")
"""Content that looks like a request."""
MUCH = b"a" * 200_000


def _announced(found: ParsedResponse) -> Actual:
    return None if announces_close(found) else "a response without Connection: close"


def _error_announced(transcript: Transcript) -> Actual:
    parsed = parse(transcript, ["GET"])
    if not parsed.responses:
        return parsed.nothing
    return _announced(parsed.responses[0]) if parsed.closed else None


def _in_stages(transcript: Transcript) -> Actual:
    parsed = parse(transcript, ["GET"])
    if not parsed.responses:
        return parsed.nothing
    if parsed.end == "reset":
        return "a reset"
    late = any(event.what == "error" for event in transcript.events)
    return "a reset after FIN" if late else None


def _bounded(transcript: Transcript) -> Actual:
    parsed = parse(transcript, ["GET"])
    if not parsed.responses:
        return parsed.nothing
    framed = parsed.responses[0].values("content-length")
    return None if framed or parsed.closed else "a response that nothing ends"


def _unread(name: str, what: str, framed: bytes) -> Variant:
    return Variant(
        name=name,
        sends=f"a POST whose {what} looks like a request and is not read by the app, then a GET "
        "for /next",
        steps=(send(framed + request("/next", "Connection: close")), responses("POST", "GET")),
        expects=Matcher(
            "the app's response; then a response to /next, or a close", _content_not_parsed
        ),
    )


def _content_not_parsed(transcript: Transcript) -> Actual:
    parsed = parse(transcript, ["POST", "GET"])
    if not parsed.responses:
        return parsed.nothing
    if len(parsed.responses) == 1:
        if parsed.rest:
            return f"after the response: {parsed.broken}"
        return None if parsed.closed else "no second response, and an open connection"
    if parsed.rest:
        return f"{len(parsed.rest)} octets after the last response"
    second = parsed.responses[1]
    if second.status != 200:
        return f"status {second.status} for /next"
    found = second.json()["path"]
    return None if found == "/next" else f"a response to {found}: content was read as a request"


RULES: tuple[Rule, ...] = (
    Rule(
        id="connection/persistent",
        alias="R58",
        level=Level.MUST,
        cite="RFC 9112 sections 9.3 and 9.6",
        title="Connection persists unless announced",
        text='A server that does not support persistent connections MUST send the "close" '
        "connection option in every response message that does not have a 1xx (Informational) "
        "status code.",
        variants=(
            Variant(
                sends="a GET for /echo; after its response, a GET for /next",
                steps=(
                    send(request("/echo")),
                    responses("GET"),
                    send(request("/next")),
                    responses("GET"),
                ),
                expects=in_order(["/echo", "/next"], ["GET", "GET"], all_of_them=True),
            ),
        ),
    ),
    Rule(
        id="connection/close-option",
        alias="R59",
        level=Level.MUST,
        cite="RFC 9112 section 9.6, RFC 9110 section 7.6.1",
        title="Connection: close from the client",
        text='A server that receives a "close" connection option MUST initiate closure of the '
        "connection (see below) after it sends the final response to the request that contained "
        'the "close" connection option.',
        variants=tuple(
            Variant(
                name=name,
                sends=f"a GET with {' and '.join(fields)}",
                steps=exchange_to_end(request("/echo", *fields)),
                expects=response(200, closed=True),
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
        id="connection/close-announced",
        alias="R60",
        level=Level.SHOULD,
        cite="RFC 9112 section 9.6",
        title="Last response announces the close",
        text='The server SHOULD send a "close" connection option in its final response on that '
        "connection.",
        variants=(
            Variant(
                name="asked",
                sends="a GET with Connection: close",
                steps=exchange_to_end(request("/echo", "Connection: close")),
                expects=response(check=_announced, says="with Connection: close"),
            ),
            Variant(
                name="error",
                sends="a request line with two words too many",
                steps=exchange_to_end(raw(b"GET /echo to me HTTP/1.1")),
                expects=Matcher(
                    "a response with Connection: close; or one after which the connection stays "
                    "open",
                    _error_announced,
                ),
            ),
        ),
    ),
    Rule(
        id="connection/closed-in-stages",
        alias="R61",
        level=Level.MAY,
        cite="RFC 9112 section 9.6",
        title="Connection is closed in stages",
        text="To avoid the TCP reset problem, servers typically close a connection in stages.",
        variants=(
            Variant(
                sends="an invalid request line and 200,000 octets; after the server's FIN, one "
                "more octet",
                # What the kernel sends first, FIN or a reset, is chance. So one more octet follows
                # the FIN, and time for a reset.
                steps=(
                    *exchange_to_end(raw(b"GET /echo to me HTTP/1.1") + MUCH),
                    *(send(b"a"), late_reset(within=1.0)),
                ),
                expects=Matcher("a response, and no reset after it", _in_stages),
            ),
        ),
    ),
    Rule(
        id="connection/unknown-length-in-http10",
        alias="R62",
        level=Level.MUST,
        cite="RFC 9112 sections 6.3 and 9.3",
        title="Unknown length in HTTP/1.0",
        text="In order to remain persistent, all messages on a connection need to have a "
        "self-defined message length (i.e., one not defined by closure of the connection), as "
        "described in Section 6.",
        variants=(
            Variant(
                sends="a GET of HTTP/1.0 with Connection: keep-alive; the app gives no "
                "Content-Length",
                steps=(
                    send(request("/respond/stream", "Connection: keep-alive", version="HTTP/1.0")),
                    responses("GET"),
                ),
                expects=Matcher("a response that Content-Length or a close ends", _bounded),
            ),
        ),
    ),
    Rule(
        id="connection/pipelining",
        alias="R63",
        level=Level.MUST,
        cite="RFC 9112 section 9.3.2",
        title="Pipelined requests",
        text="A server MAY process a sequence of pipelined requests in parallel if they all have "
        "safe methods (Section 9.2.1 of [HTTP]), but it MUST send the corresponding responses in "
        "the same order that the requests were received.",
        variants=(
            Variant(
                sends="three GETs in one write",
                steps=(
                    send(request("/echo") + request("/2") + request("/3", "Connection: close")),
                    responses("GET", "GET", "GET"),
                ),
                expects=in_order(["/echo", "/2", "/3"], ["GET"] * 3),
            ),
        ),
    ),
    Rule(
        id="connection/unread-content",
        alias="R64",
        level=Level.MUST,
        cite="RFC 9112 section 9.3",
        title="Content that the app leaves unread",
        text="A server MUST read the entire request message body or close the connection after "
        "sending its response; otherwise, the remaining data on a persistent connection would be "
        "misinterpreted as the next request.",
        variants=(
            _unread(
                "length",
                "content",
                post(f"Content-Length: {len(HIDDEN)}", body=HIDDEN, target="/respond/unread"),
            ),
            _unread(
                "chunked",
                "chunked content",
                post(
                    "Transfer-Encoding: chunked",
                    body=b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN),
                    target="/respond/unread",
                ),
            ),
        ),
    ),
    Rule(
        id="connection/proxy-protocol",
        alias="R85",
        level=Level.SHOULD,
        cite="RFC 9112 section 2.2",
        title="Unexpected PROXY protocol header",
        text=NOT_THE_GRAMMAR,
        variants=tuple(
            Variant(
                name=version,
                sends=f"a header of the PROXY protocol {version}, then a GET",
                steps=exchange_to_end(line + request("/echo", "Connection: close")),
                expects=refused(400),
            )
            for version, line in (
                ("v1", b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\r\n"),
                (
                    "v2",
                    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\x12\x67\0\x50",
                ),
            )
        ),
    ),
)
