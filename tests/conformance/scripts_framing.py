"""Servers that keep, and that break, the rules of the framing of a request's content."""

from __future__ import annotations

import json

from tests.conformance.answered import (
    CLOSE,
    LEFT_OPEN,
    READ_ON,
    REFUSED,
    SILENT,
    Scripts,
    answer,
    bad,
    echo,
    posted,
    serve,
)
from tests.conformance.scripted import FIN, HANG, Script

SCRIPTS = Scripts()
GREEN, RED, add = SCRIPTS.green, SCRIPTS.red, SCRIPTS.add

TAKEN = serve(posted(fields=(CLOSE,)), FIN)
TRUSTED = serve(posted(b""))
"""The app was told that there is no content, and that this is all."""
KNOWN = serve(posted(complete=False, fields=(CLOSE,)), FIN)
"""The app was called, and told of the fault."""
NEXT = echo(path="/next", fields=(CLOSE,))


def seen(*complete: bool) -> tuple[Script, ...]:
    """A server that closes without a word, and has called the app."""
    notes = [{"body": "68656c6c6f", "complete": each} for each in complete]
    return ((FIN,), (answer(body=json.dumps(notes).encode()),))


add(
    "R34-before",
    REFUSED,
    serve(posted()),
    serve(posted(b"5\r\n", fields=(CLOSE,)), FIN),
    serve(posted() + bad(), FIN),
    LEFT_OPEN,
)
add(
    "R34-behind", TAKEN, serve(posted(b"5\r\n", fields=(CLOSE,)), FIN), serve(posted() + bad(), FIN)
)
add("R35", TAKEN, serve(posted()))
add("R36", serve(bad(501), FIN), REFUSED, TAKEN)
add("R37-behind", REFUSED, TAKEN, LEFT_OPEN, SILENT)
add("R37-alone", serve(bad(501), FIN), TAKEN, SILENT)
add("R38-line", REFUSED, TAKEN, LEFT_OPEN)
add("R38-list", KNOWN, TAKEN, READ_ON)
add("R39", serve(posted()), REFUSED, serve(posted(b"")), serve(bad(501), FIN))
add("R40-prefix", REFUSED, TAKEN, LEFT_OPEN)
add("R40-control R40-quoted", serve(bad(501), FIN), TAKEN, READ_ON)
add("R40-comma", TAKEN, serve(posted(b"")), SILENT)
add("R41-plus", REFUSED, TAKEN, LEFT_OPEN, READ_ON, SILENT)
add(
    "R41-minus R41-hex R41-underscore R41-empty R41-letter R41-two R41-fraction",
    REFUSED,
    TAKEN,
    READ_ON,
    serve(bad(500), FIN),
)
add("R42-lines", REFUSED, TAKEN, LEFT_OPEN)
add("R42-list", REFUSED, TAKEN, serve(posted(b"hello!", fields=(CLOSE,)), FIN))
add("R43-lines R43-list", serve(posted()), serve(posted(b"", complete=False)), SILENT)
add(
    "R44-digits R44-wraps-64 R44-wraps-32",
    serve(bad(413), FIN),
    TAKEN,
    TRUSTED,
    READ_ON,
    serve(posted(complete=False) + echo(path="/smuggled"), FIN),
    serve(echo(path="/smuggled")),  # the answer to the first is lost
)
add(
    "R45",
    serve(posted(b"") + NEXT, FIN),
    serve(posted(b""), HANG),
    serve(bad(411), FIN),
    serve(posted(b"") + echo(path="/other"), FIN),
)
add("R46-one R46-zeros", serve(posted()), serve(posted(b"")), serve(posted(b"5\r\nhello")), REFUSED)
add("R46-many", serve(posted(b"a" * 100_000)), serve(posted(b"a" * 99_000)), REFUSED)
add("R46-octets", serve(posted(b"0123456789hello")), serve(posted(b"0123456789")), SILENT)
add("R47-digits", REFUSED, TAKEN)
add("R47-wraps-64 R47-wraps-32", TRUSTED, TAKEN, serve(posted(b"hello", complete=True)))
add("R48-name R48-value R48-quoted R48-space", serve(posted()), REFUSED, serve(posted(b"")))
add("R49", REFUSED, TAKEN)
add("R50-hex", KNOWN, TAKEN, LEFT_OPEN, READ_ON)
add(
    "R50-plus R50-minus R50-underscore R50-space-before R50-letter R50-empty",
    REFUSED,
    TAKEN,
    serve(posted(b"", fields=(CLOSE,)), FIN),
)
add("R51-octets", REFUSED, TAKEN, LEFT_OPEN)
add("R51-longer", REFUSED, TAKEN, READ_ON)
add("R52-size", REFUSED, TAKEN, LEFT_OPEN)
add("R52-extension R52-data", REFUSED, TAKEN, READ_ON)
add("R53", REFUSED, TAKEN, LEFT_OPEN)
add(
    "R54",
    serve(posted() + NEXT, FIN),
    serve(posted() + bad(), FIN),
    serve(posted() + bad() + NEXT, FIN),
    REFUSED,
)
add("R55", serve(posted()), serve(posted(headers={"HTTP_X_T": "t"})), SILENT)
add(
    "R56-host",
    KNOWN,
    serve(posted(headers={"HTTP_HOST": "evil.example"}), FIN),
    serve(posted(headers={"HTTP_HOST": "localhost,evil.example"}), FIN),
)
add(
    "R56-length",
    serve(posted(b"")),
    serve(posted(b"hello" * 10), FIN),
    serve(posted(headers={"CONTENT_LENGTH": "50"}), FIN),
    SILENT,
)
add(
    "R56-authorization",
    TAKEN,
    serve(posted(headers={"HTTP_AUTHORIZATION": "Basic YTpi"}), FIN),
)
add("R57-length R57-chunk R57-chunks", seen(False), seen(True), seen(False, True), ((FIN,), (FIN,)))
