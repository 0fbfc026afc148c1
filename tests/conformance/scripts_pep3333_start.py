"""Scripts for the rules of ``start_response`` and ``write``: W36 to W55, W80, W81."""

from __future__ import annotations

from tests.conformance.scripted import FIN
from tests.conformance.scripts_pep3333 import (
    ERROR,
    Scripts,
    chunks,
    cut,
    ok,
    one,
    tell,
    two,
)

DATE = b"Date: Tue, 24 Nov 2026 22:00:00 GMT"
WRONG = (
    "W39-status-bytes",
    "W39-status-number",
    "W39-name-bytes",
    "W39-value-bytes",
    "W40-status-split",
    "W40-status-nul",
    "W40-status-banana",
    "W41-name-split",
    "W41-name-space",
    "W41-name-colon",
    "W41-name-empty",
    "W42-value-split",
    "W42-value-lf",
    "W42-value-cr",
    "W42-value-nul",
    "W44-status-beyond",
    "W44-name-beyond",
    "W44-value-beyond",
)
LATIN_1 = bytes(range(0xA0, 0x100))
ACCEPTED = (
    one(ok(b"accepted")),
    one(ok(b"accepted", b"X-Rules: a", b"X-Split: yes")),
    one(b"HTTP/1.1 banana\r\nContent-Length: 8\r\n\r\naccepted"),
    one(FIN),
)


def _raised(name: str) -> Scripts:
    return (*cut(b"sent"), two(b"", tell({"notes": [name]}))[1])


GREEN: dict[str, Scripts] = {
    **{name: one(ok(b"refused")) for name in WRONG},
    "W36": one(ok(b"callable")),
    "W36-exc-info": one(ok(b"callable")),
    "W37-order": one(chunks(b"one ", b"two ", b"three")),
    "W43": one(ok(b"accepted", b"X-Rules: yes")),
    "W45": one(ok(b"latin-1", b"X-Rules: " + LATIN_1)),
    "W46-connection": one(ok(b"accepted", b"Connection: keep-alive")),
    "W46-keep-alive": one(ERROR),
    "W46-upgrade": one(ok(b"accepted")),
    "W47-plain": one(chunks(b"01234", b"56789")),
    "W47-framed": one(ok(b"refused")),
    "W48": one(ok(b"plain", DATE)),
    "W49": one(ok(b"held", status=b"404 Not Found")),
    "W50": one(ok(b"made", b"X-Rules: yes", status=b"201 Created")),
    "W51-head": one(ok(b"late", status=b"404 Not Found")),
    "W51-content": one(chunks(b"one ", b"two")),
    "W52": one(ok(b"replaced", b"X-Second: yes", status=b"404 Not Found")),
    "W53": _raised("OSError"),
    "W53-own": _raised("ZeroDivisionError"),
    "W54": one(ok(b"refused")),
    "W55": two(ok(b"noted"), tell({"notes": ["freed"]})),
    "W80": one(ok(b"fine", status=b"299 Fine By Me")),
    "W81": one(ok(b"fields", b"X-rules-B: yes", b"X-RULES-A: yes", b"x-Rules-C: yes")),
    "W81-cookies": one(ok(b"cookies", b"Set-Cookie: a=1", b"Set-Cookie: b=2")),
}
BOTH = ok(b"replaced", b"X-First: yes", b"X-Second: yes", status=b"404 Not Found")
FIRST = ok(b"replaced", b"X-First: yes")
RED: dict[str, tuple[Scripts, ...]] = {
    **dict.fromkeys(WRONG, ACCEPTED),
    "W36": (one(ok(b"None")), one(ERROR)),
    "W36-exc-info": (one(ok(b"None")), one(ERROR)),
    "W37-order": (one(ok(b"threeone two ")), one(ok(b"three")), one(ERROR)),
    "W43": (one(ok(b"accepted")), one(ok(b"", b"X-Rules: yes")), one(FIN)),
    "W45": (
        one(ok(b"latin-1", b"X-Rules: " + LATIN_1.decode("latin-1").encode())),
        one(ok(b"latin-1")),
        one(ERROR),
    ),
    "W46-connection": (one(ok(b"accepted", b"Connection: X-Rules")),),
    "W46-keep-alive": (one(ok(b"accepted", b"Keep-Alive: timeout=4321")),),
    "W46-upgrade": (one(ok(b"accepted", b"Upgrade: rules/1")),),
    "W47-plain": (
        one(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0123456789", FIN),
        one(chunks(b"0123456789", fields=(b"Transfer-Encoding: chunked",))),
        one(ok(b"a\r\n0123456789\r\n0\r\n\r\n")),
    ),
    "W47-framed": (
        one(chunks(b"a\r\n0123456789\r\n0\r\n\r\n", fields=(b"Transfer-Encoding: chunked",))),
        one(ok(b"")),
    ),
    "W48": (
        one(ok(b"plain")),
        one(ok(b"plain", DATE, DATE)),
        one(b"HTTP/1.1 200 OK\r\n" + DATE + b"\r\n\r\nplain", FIN),
    ),
    "W49": (cut(), one(ok(b""))),
    "W50": (one(ok(b"made")), one(ok(b"made", status=b"201 Created")), one(ERROR)),
    "W51-head": (one(ok(b"late")), cut(), one(ERROR)),
    "W51-content": (one(chunks(b"one ", b"", b"two")), one(ok(b"one "))),
    "W52": (one(BOTH), one(FIRST), one(ERROR)),
    "W53": (two(ok(b"sent on"), tell({"notes": ["nothing"]})), two(ok(b""), tell({"notes": []}))),
    "W53-own": (_raised("OSError"), two(ok(b"sent on"), tell({"notes": ["nothing"]}))),
    "W54": (one(ok(b"accepted")), one(ok(b"accepted", status=b"404 Not Found"))),
    "W55": (
        two(ok(b"noted"), tell({"notes": ["kept"]})),
        two(ok(b"noted"), tell({"notes": []})),
    ),
    "W80": (one(ok(b"fine", status=b"299 <none>")), one(ok(b"fine", status=b"299 "))),
    "W81": (
        one(ok(b"fields", b"x-rules-b: yes", b"x-rules-a: yes", b"x-rules-c: yes")),
        one(ok(b"fields", b"X-RULES-A: yes", b"X-rules-B: yes", b"x-Rules-C: yes")),
    ),
    "W81-cookies": (
        one(ok(b"cookies", b"Set-Cookie: a=1, b=2")),
        one(ok(b"cookies", b"Set-Cookie: b=2")),
    ),
}
