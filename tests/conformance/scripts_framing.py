"""Servers that meet, and that break, the rules of the framing of a request's content."""

from __future__ import annotations

import json

from tests.conformance.responses import (
    CLOSE,
    LEFT_OPEN,
    READ_ON,
    REFUSED,
    SILENT,
    Scripts,
    bad,
    echo,
    posted,
    response,
    serve,
)
from tests.conformance.scripted import FIN, HANG, Script

SCRIPTS = Scripts()
GREEN, RED, add = SCRIPTS.green, SCRIPTS.red, SCRIPTS.add

TAKEN = serve(posted(fields=(CLOSE,)), FIN)
TRUSTED = serve(posted(b""))
"""The app found no content, and no fault."""
KNOWN = serve(posted(complete=False, fields=(CLOSE,)), FIN)
"""The app was called, and found the fault."""
NEXT = echo(path="/next", fields=(CLOSE,))


def seen(*complete: bool) -> tuple[Script, ...]:
    """A server that closes without a word, and has called the app."""
    notes = [{"body": "68656c6c6f", "complete": each} for each in complete]
    return ((FIN,), (response(body=json.dumps(notes).encode()),))


add(
    "framing/length-and-transfer-encoding: before",
    REFUSED,
    serve(posted()),
    serve(posted(b"5\r\n", fields=(CLOSE,)), FIN),
    serve(posted() + bad(), FIN),
    LEFT_OPEN,
)
add(
    "framing/length-and-transfer-encoding: behind",
    TAKEN,
    serve(posted(b"5\r\n", fields=(CLOSE,)), FIN),
    serve(posted() + bad(), FIN),
)
add("framing/transfer-encoding-in-http10", TAKEN, serve(posted()))
add("framing/unknown-transfer-coding", serve(bad(501), FIN), REFUSED, TAKEN)
add("framing/chunked-not-final: behind", REFUSED, TAKEN, LEFT_OPEN, SILENT)
add("framing/chunked-not-final: alone", serve(bad(501), FIN), TAKEN, SILENT)
add("framing/chunked-twice: line", REFUSED, TAKEN, LEFT_OPEN)
add("framing/chunked-twice: list", KNOWN, TAKEN, READ_ON)
add(
    "framing/coding-in-upper-case",
    serve(posted()),
    REFUSED,
    serve(posted(b"")),
    serve(bad(501), FIN),
)
add("framing/nearly-chunked: prefix", REFUSED, TAKEN, LEFT_OPEN)
add("framing/nearly-chunked: control quoted", serve(bad(501), FIN), TAKEN, READ_ON)
add("framing/nearly-chunked: comma", TAKEN, serve(posted(b"")), SILENT)
add("framing/content-length-not-a-number: plus", REFUSED, TAKEN, LEFT_OPEN, READ_ON, SILENT)
add(
    "framing/content-length-not-a-number: minus hex underscore empty letter two fraction",
    REFUSED,
    TAKEN,
    READ_ON,
    serve(bad(500), FIN),
)
add("framing/content-lengths-differ: lines", REFUSED, TAKEN, LEFT_OPEN)
add(
    "framing/content-lengths-differ: list",
    REFUSED,
    TAKEN,
    serve(posted(b"hello!", fields=(CLOSE,)), FIN),
)
add(
    "framing/content-lengths-equal: lines list",
    serve(posted()),
    serve(posted(b"", complete=False)),
    SILENT,
)
add(
    "framing/content-length-overflow: digits wraps-64 wraps-32",
    serve(bad(413), FIN),
    TAKEN,
    TRUSTED,
    READ_ON,
    serve(posted(complete=False) + echo(path="/smuggled"), FIN),
    serve(echo(path="/smuggled")),  # the response to the first is lost
)
add(
    "framing/no-content",
    serve(posted(b"") + NEXT, FIN),
    serve(posted(b""), HANG),
    serve(bad(411), FIN),
    serve(posted(b"") + echo(path="/other"), FIN),
)
add(
    "chunked/decoded: one zeros",
    serve(posted()),
    serve(posted(b"")),
    serve(posted(b"5\r\nhello")),
    REFUSED,
)
add("chunked/decoded: many", serve(posted(b"a" * 100_000)), serve(posted(b"a" * 99_000)), REFUSED)
add(
    "chunked/decoded: octets",
    serve(posted(b"0123456789hello")),
    serve(posted(b"0123456789")),
    SILENT,
)
add("chunked/size-overflow: digits", REFUSED, TAKEN)
add(
    "chunked/size-overflow: wraps-64 wraps-32",
    TRUSTED,
    TAKEN,
    serve(posted(b"hello", complete=True)),
)
add("chunked/extensions: name value quoted space", serve(posted()), REFUSED, serve(posted(b"")))
add("chunked/extensions-too-long", REFUSED, TAKEN)
add("chunked/size-not-hex: hex", KNOWN, TAKEN, LEFT_OPEN, READ_ON)
add(
    "chunked/size-not-hex: plus minus underscore space-before letter empty",
    REFUSED,
    TAKEN,
    serve(posted(b"", fields=(CLOSE,)), FIN),
)
add("chunked/data-longer-than-size: octets", REFUSED, TAKEN, LEFT_OPEN)
add("chunked/data-longer-than-size: longer", REFUSED, TAKEN, READ_ON)
add("chunked/bare-lf: size", REFUSED, TAKEN, LEFT_OPEN)
add("chunked/bare-lf: extension data", REFUSED, TAKEN, READ_ON)
add("chunked/empty-line-before-size", REFUSED, TAKEN, LEFT_OPEN)
add(
    "chunked/trailer-section",
    serve(posted() + NEXT, FIN),
    serve(posted() + bad(), FIN),
    serve(posted() + bad() + NEXT, FIN),
    REFUSED,
)
add("chunked/trailer-not-merged", serve(posted()), serve(posted(headers={"HTTP_X_T": "t"})), SILENT)
add(
    "chunked/trailer-without-effect: host",
    KNOWN,
    serve(posted(headers={"HTTP_HOST": "evil.example"}), FIN),
    serve(posted(headers={"HTTP_HOST": "localhost,evil.example"}), FIN),
)
add(
    "chunked/trailer-without-effect: length",
    serve(posted(b"")),
    serve(posted(b"hello" * 10), FIN),
    serve(posted(headers={"CONTENT_LENGTH": "50"}), FIN),
    SILENT,
)
add(
    "chunked/trailer-without-effect: authorization",
    TAKEN,
    serve(posted(headers={"HTTP_AUTHORIZATION": "Basic YTpi"}), FIN),
)
add(
    "framing/incomplete-content: length chunk chunks",
    seen(False),
    seen(True),
    seen(False, True),
    ((FIN,), (FIN,)),
)
