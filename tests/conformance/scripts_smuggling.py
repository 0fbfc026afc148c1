"""Servers that are proof against each published attack, and servers that fall for it."""

from __future__ import annotations

from tests.conformance.answered import (
    CLOSE,
    LEFT_OPEN,
    READ_ON,
    REFUSED,
    Scripts,
    bad,
    echo,
    posted,
    serve,
)
from tests.conformance.scripted import FIN

SCRIPTS = Scripts()
GREEN, RED, add = SCRIPTS.green, SCRIPTS.red, SCRIPTS.add

HIDDEN = echo(path="/smuggled", fields=(CLOSE,))
SMUGGLED = serve(posted(b"") + HIDDEN, FIN)
"""Two requests were read."""
HELLO_SMUGGLED = serve(posted() + HIDDEN, FIN)
ONE = serve(posted(b"", fields=(CLOSE,)), FIN)
BY_LENGTH = serve(posted(b"0\r\n\r\nGET /smuggled HTTP/1.1\r\n", fields=(CLOSE,)), FIN)

add("S1-1 S1-2", ONE, SMUGGLED, BY_LENGTH)
add("S2-1 S2-2 S2-3", REFUSED, SMUGGLED, BY_LENGTH, ONE)
add("S3-1", REFUSED, HELLO_SMUGGLED, READ_ON, LEFT_OPEN)
add("S3-2 S3-3", REFUSED, HELLO_SMUGGLED, READ_ON)
add("S4-1 S4-2 S4-3", REFUSED, SMUGGLED, ONE, READ_ON)
add("S5-1 S5-2", REFUSED, SMUGGLED, ONE)
add("S6-1 S6-2", REFUSED, SMUGGLED, ONE)
add("S7-1 S7-2", REFUSED, SMUGGLED, ONE)
add("S8-1 S8-2 S8-3", REFUSED, HELLO_SMUGGLED, READ_ON)
add("S9-1 S9-2", REFUSED, HELLO_SMUGGLED, READ_ON)
add("S10-1 S10-2", REFUSED, SMUGGLED, READ_ON)
add("S11-1 S11-2", REFUSED, SMUGGLED, HELLO_SMUGGLED, BY_LENGTH)
add("S12", REFUSED, SMUGGLED)
add("S13", REFUSED, SMUGGLED, ONE)
add("S14-1 S14-2", REFUSED, SMUGGLED, BY_LENGTH)
add("S15", ONE, SMUGGLED, BY_LENGTH)
add(
    "S16-1 S16-2",
    ONE,
    serve(posted(b"GET /smuggled", fields=(CLOSE,)), FIN),
    serve(posted(b"", complete=False, fields=(CLOSE,)), FIN),
)
add("S17-1 S17-2", REFUSED, serve(bad() + HIDDEN, FIN), serve(echo() + HIDDEN, FIN))
add("S18", serve(echo(fields=(CLOSE,)), FIN), serve(echo(headers={"CONTENT_LENGTH": "8"}), FIN))
add("S19-1", serve(posted(fields=(CLOSE,)), FIN), HELLO_SMUGGLED, READ_ON)
add("S19-2", ONE, HELLO_SMUGGLED, SMUGGLED, READ_ON)
add("S20", ONE, SMUGGLED)
