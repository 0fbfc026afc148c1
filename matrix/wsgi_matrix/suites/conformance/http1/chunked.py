"""Content in chunks, R46 to R56, and content that ends too early, R57."""

from __future__ import annotations

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Transcript
from wsgi_matrix.suites.conformance.inspector import (
    CLOSE,
    HELLO_CHUNKED,
    LENGTH_REQUIRED,
    ask,
    ask_to_end,
    chunked,
    decoded,
    in_order,
    not_complete,
    post,
    told,
    unframed,
)
from wsgi_matrix.suites.conformance.parsed_transcript import hear
from wsgi_matrix.suites.conformance.rule import (
    CLIENT_ERRORS,
    ERRORS,
    Accept,
    Rule,
    Try,
    answer,
    either,
    silence,
)
from wsgi_matrix.suites.conformance.steps import end, half_close, request, responses, send

HELLO = b"hello"
MANY = b"".join(b"3e8\r\n" + b"a" * 1000 + b"\r\n" for _ in range(100)) + b"0\r\n\r\n"
TRAILER = b"5\r\nhello\r\n0\r\nX-T: t\r\n\r\n"
BAD_SIZES = (
    ("hex", b"0x5"),
    ("plus", b"+5"),
    ("minus", b"-5"),
    ("underscore", b"0_5"),
    ("space-before", b" 5"),
    ("letter", b"g"),
    ("empty", b""),
)
GRAMMAR = "RFC 9112 sections 2.2 and 7.1"


NOTHING = told(lambda found: not found["body"], "with no octet of it", "POST")


def _faulty(name: str, body: bytes) -> Try:
    return Try(name=name, steps=ask_to_end(chunked(body), "POST"), accept=unframed())


def _cut(name: str, data: bytes) -> Try:
    """A request that ends too early, and what the app has seen of it then."""
    note = f"/seen?R57-{name}"
    return Try(
        name=name,
        steps=(
            send(data),
            half_close(),
            end(),
            send(request(note, "Connection: close"), on="b"),
            responses("GET", on="b"),
        ),
        accept=Accept("the app is not called, or is told that content is missing", _seen),
    )


def _seen(transcript: Transcript) -> str:
    hearing = hear(transcript, ["GET"], "b")
    if not hearing.answers:
        return f"another request was not answered: {hearing.broken or hearing.end}"
    complete = [note for note in hearing.answers[0].json() if note["complete"]]
    return f"the app was told that {complete[0]['body']!r} is all" if complete else ""


RULES: tuple[Rule, ...] = (
    Rule(
        id="R46",
        level=Level.MUST,
        cite="RFC 9112 section 7.1",
        says="chunks are put together, however they are cut",
        tries=(
            Try(name="one", steps=ask(chunked(HELLO_CHUNKED), "POST"), accept=decoded(HELLO)),
            Try(
                name="many",
                steps=ask(chunked(MANY), "POST"),
                accept=decoded(b"a" * 100_000),
            ),
            Try(
                name="octets",
                steps=(
                    send(chunked(b"")),  # of a head that is cut R5-cut asks
                    *(send(bytes([octet])) for octet in b"A\r\n0123456789\r\n" + HELLO_CHUNKED),
                    responses("POST"),
                ),
                accept=decoded(b"0123456789hello"),
            ),
            Try(
                name="zeros",
                steps=ask(chunked(b"0005\r\nhello\r\n000\r\n\r\n"), "POST"),
                accept=decoded(HELLO),
            ),
        ),
    ),
    Rule(
        id="R47",
        level=Level.MUST,
        cite="RFC 9112 section 7.1",
        says="a huge size of a chunk does not overflow",
        tries=tuple(
            Try(
                name=name,
                steps=(
                    send(chunked(size + b"\r\nhello\r\n0\r\n\r\n")),
                    half_close(),
                    responses("POST"),
                ),
                # An app that has got nothing shows no overflow, but may lack the error: R50, R57.
                accept=either(
                    answer(*ERRORS, method="POST"), not_complete(None), NOTHING, silence()
                ),
            )
            for name, size in (
                ("digits", b"F" * 40),
                ("wraps-64", b"10000000000000005"),
                ("wraps-32", b"100000005"),
            )
        ),
    ),
    Rule(
        id="R48",
        level=Level.MUST,
        cite="RFC 9112 section 7.1.1",
        says="extensions of chunks that are not known are ignored",
        tries=tuple(
            Try(
                name=name,
                steps=ask(chunked(b"5" + extension + b"\r\nhello\r\n0\r\n\r\n"), "POST"),
                accept=decoded(HELLO),
            )
            for name, extension in (
                ("name", b";a"),
                ("value", b";a=b;c=d"),
                ("quoted", b';a="b; c"'),
                ("space", b" ; a = b"),
            )
        ),
    ),
    Rule(
        id="R49",
        level=Level.MAY,  # "ought to"
        cite="RFC 9112 section 7.1.1",
        says="the length of extensions of chunks is limited",
        tries=(
            Try(
                steps=ask(chunked(b"5;a=" + b"b" * 262_144 + b"\r\nhello\r\n0\r\n\r\n"), "POST"),
                accept=either(answer(*ERRORS, method="POST"), not_complete(None), silence()),
            ),
        ),
    ),
    Rule(
        id="R50",
        level=Level.SHOULD,
        cite=GRAMMAR,
        says="a size that is no hexadecimal number is 400, and the connection closed",
        tries=tuple(_faulty(name, size + b"\r\nhello\r\n0\r\n\r\n") for name, size in BAD_SIZES),
    ),
    Rule(
        id="R51",
        level=Level.SHOULD,
        cite=GRAMMAR,
        says="octets between the data of a chunk and its CRLF are 400, and the connection closed",
        tries=(
            _faulty("octets", b"5\r\nhelloXX0\r\n\r\n"),
            _faulty("longer", b"5\r\nhelloX\r\n0\r\n\r\n"),
        ),
    ),
    Rule(
        id="R52",
        level=Level.SHOULD,
        cite=GRAMMAR,
        says="a bare LF in chunked framing is 400, and the connection closed",
        tries=(
            _faulty("size", b"5\nhello\r\n0\r\n\r\n"),
            _faulty("extension", b"5;\nhello\r\n0\r\n\r\n"),
            _faulty("data", b"5\r\nhello\n0\r\n\r\n"),
        ),
    ),
    Rule(
        id="R53",
        level=Level.SHOULD,
        cite=GRAMMAR,
        says="an empty line before a size is 400, and the connection closed",
        tries=(_faulty("", b"\r\n5\r\nhello\r\n0\r\n\r\n"),),
    ),
    Rule(
        id="R54",
        level=Level.MUST,
        cite="RFC 9112 sections 7.1 and 7.1.2",
        says="a trailer section belongs to its request; the next one comes behind it",
        tries=(
            Try(
                steps=(
                    send(chunked(TRAILER)),
                    responses("POST"),
                    send(request("/next", CLOSE)),
                    responses("GET"),
                ),
                accept=either(in_order(["/echo", "/next"], ["POST", "GET"]), LENGTH_REQUIRED),
            ),
        ),
    ),
    Rule(
        id="R55",
        level=Level.MUST,
        cite="RFC 9110 section 6.5.1",
        says="a trailer field is not merged into the head",
        tries=(
            Try(
                steps=ask(chunked(TRAILER), "POST"),
                accept=either(
                    told(
                        lambda found: "HTTP_X_T" not in found["headers"],
                        "without HTTP_X_T",
                        "POST",
                    ),
                    answer(*CLIENT_ERRORS, method="POST"),
                ),
            ),
        ),
    ),
    Rule(
        id="R56",
        level=Level.MUST,
        cite="RFC 9110 section 6.5.1",
        says="trailer fields that route, frame or authenticate have no effect",
        tries=tuple(
            Try(
                name=name,
                steps=ask_to_end(
                    chunked(b"5\r\nhello\r\n0\r\n" + line + b"\r\n\r\n", CLOSE), "POST"
                ),
                accept=either(
                    told(
                        lambda found: (
                            found["headers"].get("HTTP_HOST") == "localhost"
                            and "HTTP_AUTHORIZATION" not in found["headers"]
                            and found["headers"].get("CONTENT_LENGTH") != "50"
                            # Whether chunks are read at all R46 asks.
                            and found["body"] in (HELLO.hex(), "")
                        ),
                        "as without it",
                        "POST",
                    ),
                    answer(*CLIENT_ERRORS, method="POST"),
                    not_complete(),
                ),
            )
            for name, line in (
                ("host", b"Host: evil.example"),
                ("length", b"Content-Length: 50"),
                ("authorization", b"Authorization: Basic YTpi"),
            )
        ),
    ),
    Rule(
        id="R57",
        level=Level.MAY,
        cite="RFC 9112 section 8",
        says="a request that ends too early is not complete, and no app is told that it is",
        tries=(
            _cut("length", post("Content-Length: 10", body=HELLO, target="/echo?R57-length")),
            _cut("chunk", chunked(b"A\r\nhello", target="/echo?R57-chunk")),
            _cut("chunks", chunked(b"5\r\nhello\r\n", target="/echo?R57-chunks")),
        ),
    ),
)
