"""Content in chunks: R46 to R56."""

from __future__ import annotations

from wsgi_matrix.model.results import Level
from wsgi_matrix.suites.conformance.echo_matchers import (
    CLOSE,
    HELLO_CHUNKED,
    LENGTH_REQUIRED,
    called,
    chunked,
    decoded,
    exchange,
    exchange_to_end,
    faulty_framing,
    in_order,
    incomplete,
)
from wsgi_matrix.suites.conformance.matchers import (
    CLIENT_ERRORS,
    ERRORS,
    either,
    response,
    silence,
)
from wsgi_matrix.suites.conformance.quotes import LAST_CHUNK, NOT_THE_GRAMMAR, TRAILER_NOT_MERGED
from wsgi_matrix.suites.conformance.rule import Rule, Variant
from wsgi_matrix.suites.conformance.steps import half_close, request, responses, send

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
NOTHING = called(lambda found: not found["body"], "and reads no octet", "POST")


def _faulty(name: str, what: str, body: bytes) -> Variant:
    return Variant(
        name=name,
        sends=f"a chunked POST {what}",
        steps=exchange_to_end(chunked(body), "POST"),
        expects=faulty_framing(),
    )


RULES: tuple[Rule, ...] = (
    Rule(
        id="chunked/decoded",
        alias="R46",
        level=Level.MUST,
        cite="RFC 9112 section 7.1",
        title="Chunks are decoded",
        text="A recipient MUST be able to parse and decode the chunked transfer coding.",
        variants=(
            Variant(
                name="one",
                sends="a POST with one chunk",
                steps=exchange(chunked(HELLO_CHUNKED), "POST"),
                expects=decoded(HELLO),
            ),
            Variant(
                name="many",
                sends="a POST with 100 chunks of 1,000 octets",
                steps=exchange(chunked(MANY), "POST"),
                expects=decoded(b"a" * 100_000),
            ),
            Variant(
                name="octets",
                sends="a POST with two chunks, each octet in a write of its own",
                steps=(
                    send(chunked(b"")),  # a head that is split is R5-cut's
                    *(send(bytes([octet])) for octet in b"A\r\n0123456789\r\n" + HELLO_CHUNKED),
                    responses("POST"),
                ),
                expects=decoded(b"0123456789hello"),
            ),
            Variant(
                name="zeros",
                sends='a POST with the chunk sizes "0005" and "000"',
                steps=exchange(chunked(b"0005\r\nhello\r\n000\r\n\r\n"), "POST"),
                expects=decoded(HELLO),
            ),
        ),
    ),
    Rule(
        id="chunked/size-overflow",
        alias="R47",
        level=Level.MUST,
        cite="RFC 9112 section 7.1",
        title="Huge chunk size",
        text="Therefore, recipients MUST anticipate potentially large hexadecimal numerals and "
        "prevent parsing errors due to integer conversion overflows or precision loss due to "
        "integer representation.",
        variants=tuple(
            Variant(
                name=name,
                sends=f"a chunked POST with a chunk of size {words}: five octets, the last chunk, "
                "FIN",
                steps=(
                    send(chunked(size + b"\r\nhello\r\n0\r\n\r\n")),
                    half_close(),
                    responses("POST"),
                ),
                # An app that reads nothing shows no overflow, but may lack the error: R50, R57.
                expects=either(
                    response(*ERRORS, method="POST"), incomplete(None), NOTHING, silence()
                ),
            )
            for name, words, size in (
                ("digits", "F, forty times", b"F" * 40),
                ("wraps-64", "2^64 + 5", b"10000000000000005"),
                ("wraps-32", "2^32 + 5", b"100000005"),
            )
        ),
    ),
    Rule(
        id="chunked/extensions",
        alias="R48",
        level=Level.MUST,
        cite="RFC 9112 section 7.1.1",
        title="Unknown chunk extensions",
        text="A recipient MUST ignore unrecognized chunk extensions.",
        variants=tuple(
            Variant(
                name=name,
                sends=f"a chunked POST with {extension.decode()!r} after a chunk size",
                steps=exchange(chunked(b"5" + extension + b"\r\nhello\r\n0\r\n\r\n"), "POST"),
                expects=decoded(HELLO),
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
        id="chunked/extensions-too-long",
        alias="R49",
        level=Level.MAY,  # "ought to"
        cite="RFC 9112 section 7.1.1",
        title="Chunk extension without bounds",
        text="A server ought to limit the total length of chunk extensions received in a request "
        "to an amount reasonable for the services provided … and generate an appropriate 4xx "
        "(Client Error) response if that amount is exceeded.",
        variants=(
            Variant(
                sends="a chunked POST with a chunk extension of 256 KiB",
                steps=exchange(
                    chunked(b"5;a=" + b"b" * 262_144 + b"\r\nhello\r\n0\r\n\r\n"), "POST"
                ),
                expects=either(response(*ERRORS, method="POST"), incomplete(None), silence()),
            ),
        ),
    ),
    Rule(
        id="chunked/size-not-hex",
        alias="R50",
        level=Level.SHOULD,
        cite=GRAMMAR,
        title="Chunk size is not hexadecimal",
        text=NOT_THE_GRAMMAR,
        variants=tuple(
            _faulty(
                name, f"with the chunk size {size.decode()!r}", size + b"\r\nhello\r\n0\r\n\r\n"
            )
            for name, size in BAD_SIZES
        ),
    ),
    Rule(
        id="chunked/data-longer-than-size",
        alias="R51",
        level=Level.SHOULD,
        cite=GRAMMAR,
        title="Chunk is longer than its size",
        text=NOT_THE_GRAMMAR,
        variants=(
            _faulty(
                "octets",
                "with XX instead of CRLF after the data of a chunk",
                b"5\r\nhelloXX0\r\n\r\n",
            ),
            _faulty(
                "longer",
                "with an octet too many in the data of a chunk",
                b"5\r\nhelloX\r\n0\r\n\r\n",
            ),
        ),
    ),
    Rule(
        id="chunked/bare-lf",
        alias="R52",
        level=Level.SHOULD,
        cite=GRAMMAR,
        title="Bare LF in chunked framing",
        text=NOT_THE_GRAMMAR,
        variants=(
            _faulty("size", "with a bare LF after a chunk size", b"5\nhello\r\n0\r\n\r\n"),
            _faulty("extension", "with a bare LF in a chunk extension", b"5;\nhello\r\n0\r\n\r\n"),
            _faulty("data", "with a bare LF after the data of a chunk", b"5\r\nhello\n0\r\n\r\n"),
        ),
    ),
    Rule(
        id="chunked/empty-line-before-size",
        alias="R53",
        level=Level.SHOULD,
        cite=GRAMMAR,
        title="Empty line before a chunk",
        text=NOT_THE_GRAMMAR,
        variants=(
            _faulty(
                "", "with an empty line before the first chunk size", b"\r\n5\r\nhello\r\n0\r\n\r\n"
            ),
        ),
    ),
    Rule(
        id="chunked/trailer-section",
        alias="R54",
        level=Level.MUST,
        cite="RFC 9112 sections 7.1 and 7.1.2",
        title="Request after a trailer section",
        text=LAST_CHUNK,
        variants=(
            Variant(
                sends="a chunked POST with a trailer field; after its response, a GET for /next",
                steps=(
                    send(chunked(TRAILER)),
                    responses("POST"),
                    send(request("/next", CLOSE)),
                    responses("GET"),
                ),
                expects=either(in_order(["/echo", "/next"], ["POST", "GET"]), LENGTH_REQUIRED),
            ),
        ),
    ),
    Rule(
        id="chunked/trailer-not-merged",
        alias="R55",
        level=Level.MUST,
        cite="RFC 9110 section 6.5.1",
        title="Trailer field in the environ",
        text=TRAILER_NOT_MERGED,
        variants=(
            Variant(
                sends="a chunked POST with the trailer field X-T",
                steps=exchange(chunked(TRAILER), "POST"),
                expects=either(
                    called(
                        lambda found: "HTTP_X_T" not in found["headers"],
                        "without HTTP_X_T",
                        "POST",
                    ),
                    response(*CLIENT_ERRORS, method="POST"),
                ),
            ),
        ),
    ),
    Rule(
        id="chunked/trailer-without-effect",
        alias="R56",
        level=Level.MUST,
        cite="RFC 9110 section 6.5.1",
        title="Trailer that routes, frames, authenticates",
        text=TRAILER_NOT_MERGED,
        variants=tuple(
            Variant(
                name=name,
                sends=f"a chunked POST with the trailer field {line.decode()!r}",
                steps=exchange_to_end(
                    chunked(b"5\r\nhello\r\n0\r\n" + line + b"\r\n\r\n", CLOSE), "POST"
                ),
                expects=either(
                    called(
                        lambda found: (
                            found["headers"].get("HTTP_HOST") == "localhost"
                            and "HTTP_AUTHORIZATION" not in found["headers"]
                            and found["headers"].get("CONTENT_LENGTH") != "50"
                            # Whether chunks are read at all is R46's.
                            and found["body"] in (HELLO.hex(), "")
                        ),
                        "as without the trailer field",
                        "POST",
                    ),
                    response(*CLIENT_ERRORS, method="POST"),
                    incomplete(),
                ),
            )
            for name, line in (
                ("host", b"Host: evil.example"),
                ("length", b"Content-Length: 50"),
                ("authorization", b"Authorization: Basic YTpi"),
            )
        ),
    ),
)
