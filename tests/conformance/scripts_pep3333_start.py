"""Scripts for the rules of ``start_response`` and ``write``: W36 to W55, W80, W81."""

from __future__ import annotations

from tests.conformance.scripted import FIN
from tests.conformance.scripts_pep3333 import (
    ERROR,
    Scripts,
    chunks,
    cut,
    json_response,
    ok,
    one,
    two,
)

DATE = b"Date: Tue, 24 Nov 2026 22:00:00 GMT"
WRONG = (
    "start-response/not-strings/status-bytes",
    "start-response/not-strings/status-number",
    "start-response/not-strings/name-bytes",
    "start-response/not-strings/value-bytes",
    "start-response/invalid-status/status-split",
    "start-response/invalid-status/status-nul",
    "start-response/invalid-status/status-banana",
    "start-response/invalid-name/name-split",
    "start-response/invalid-name/name-space",
    "start-response/invalid-name/name-colon",
    "start-response/invalid-name/name-empty",
    "start-response/invalid-value/value-split",
    "start-response/invalid-value/value-lf",
    "start-response/invalid-value/value-cr",
    "start-response/invalid-value/value-nul",
    "start-response/not-latin-1/status-beyond",
    "start-response/not-latin-1/name-beyond",
    "start-response/not-latin-1/value-beyond",
)
LATIN_1 = bytes(range(0xA0, 0x100))
ACCEPTED = (
    one(ok(b"accepted")),
    one(ok(b"accepted", b"X-Rules: a", b"X-Split: yes")),
    one(b"HTTP/1.1 banana\r\nContent-Length: 8\r\n\r\naccepted"),
    one(FIN),
)


def _raised(name: str) -> Scripts:
    return (*cut(b"sent"), two(b"", json_response({"notes": [name]}))[1])


GREEN: dict[str, Scripts] = {
    **{name: one(ok(b"refused")) for name in WRONG},
    "start-response/arguments": one(ok(b"callable")),
    "start-response/arguments/exc-info": one(ok(b"callable")),
    "write/sent-at-once/order": one(chunks(b"one ", b"two ", b"three")),
    "start-response/headers-not-a-list": one(ok(b"accepted", b"X-Rules: yes")),
    "start-response/latin-1": one(ok(b"latin-1", b"X-Rules: " + LATIN_1)),
    "start-response/hop-by-hop/connection": one(ok(b"accepted", b"Connection: keep-alive")),
    "start-response/hop-by-hop/keep-alive": one(ERROR),
    "start-response/hop-by-hop/upgrade": one(ok(b"accepted")),
    "start-response/transfer-encoding/plain": one(chunks(b"01234", b"56789")),
    "start-response/transfer-encoding/framed": one(ok(b"refused")),
    "start-response/missing-fields-added": one(ok(b"plain", DATE)),
    "start-response/sends-nothing": one(ok(b"held", status=b"404 Not Found")),
    "start-response/called-by-first-iteration": one(
        ok(b"made", b"X-Rules: yes", status=b"201 Created")
    ),
    "start-response/empty-blocks/head": one(ok(b"late", status=b"404 Not Found")),
    "start-response/empty-blocks/content": one(chunks(b"one ", b"two")),
    "start-response/replaced": one(ok(b"replaced", b"X-Second: yes", status=b"404 Not Found")),
    "start-response/exc-info-too-late": _raised("OSError"),
    "start-response/exc-info-reraised": _raised("ZeroDivisionError"),
    "start-response/called-twice": one(ok(b"refused")),
    "start-response/exc-info-not-kept": two(ok(b"noted"), json_response({"notes": ["freed"]})),
    "start-response/reason-phrase": one(ok(b"fine", status=b"299 Fine By Me")),
    "start-response/order-and-spelling": one(
        ok(b"fields", b"X-rules-B: yes", b"X-RULES-A: yes", b"x-Rules-C: yes")
    ),
    "start-response/order-and-spelling/cookies": one(
        ok(b"cookies", b"Set-Cookie: a=1", b"Set-Cookie: b=2")
    ),
}
BOTH = ok(b"replaced", b"X-First: yes", b"X-Second: yes", status=b"404 Not Found")
FIRST = ok(b"replaced", b"X-First: yes")
RED: dict[str, tuple[Scripts, ...]] = {
    **dict.fromkeys(WRONG, ACCEPTED),
    "start-response/arguments": (one(ok(b"None")), one(ERROR)),
    "start-response/arguments/exc-info": (one(ok(b"None")), one(ERROR)),
    "write/sent-at-once/order": (one(ok(b"threeone two ")), one(ok(b"three")), one(ERROR)),
    "start-response/headers-not-a-list": (
        one(ok(b"accepted")),
        one(ok(b"", b"X-Rules: yes")),
        one(FIN),
    ),
    "start-response/latin-1": (
        one(ok(b"latin-1", b"X-Rules: " + LATIN_1.decode("latin-1").encode())),
        one(ok(b"latin-1")),
        one(ERROR),
    ),
    "start-response/hop-by-hop/connection": (one(ok(b"accepted", b"Connection: X-Rules")),),
    "start-response/hop-by-hop/keep-alive": (one(ok(b"accepted", b"Keep-Alive: timeout=4321")),),
    "start-response/hop-by-hop/upgrade": (one(ok(b"accepted", b"Upgrade: rules/1")),),
    "start-response/transfer-encoding/plain": (
        one(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0123456789", FIN),
        one(chunks(b"0123456789", fields=(b"Transfer-Encoding: chunked",))),
        one(ok(b"a\r\n0123456789\r\n0\r\n\r\n")),
    ),
    "start-response/transfer-encoding/framed": (
        one(chunks(b"a\r\n0123456789\r\n0\r\n\r\n", fields=(b"Transfer-Encoding: chunked",))),
        one(ok(b"")),
    ),
    "start-response/missing-fields-added": (
        one(ok(b"plain")),
        one(ok(b"plain", DATE, DATE)),
        one(b"HTTP/1.1 200 OK\r\n" + DATE + b"\r\n\r\nplain", FIN),
    ),
    "start-response/sends-nothing": (cut(), one(ok(b""))),
    "start-response/called-by-first-iteration": (
        one(ok(b"made")),
        one(ok(b"made", status=b"201 Created")),
        one(ERROR),
    ),
    "start-response/empty-blocks/head": (one(ok(b"late")), cut(), one(ERROR)),
    "start-response/empty-blocks/content": (one(chunks(b"one ", b"", b"two")), one(ok(b"one "))),
    "start-response/replaced": (one(BOTH), one(FIRST), one(ERROR)),
    "start-response/exc-info-too-late": (
        two(ok(b"sent on"), json_response({"notes": ["nothing"]})),
        two(ok(b""), json_response({"notes": []})),
    ),
    "start-response/exc-info-reraised": (
        _raised("OSError"),
        two(ok(b"sent on"), json_response({"notes": ["nothing"]})),
    ),
    "start-response/called-twice": (
        one(ok(b"accepted")),
        one(ok(b"accepted", status=b"404 Not Found")),
    ),
    "start-response/exc-info-not-kept": (
        two(ok(b"noted"), json_response({"notes": ["kept"]})),
        two(ok(b"noted"), json_response({"notes": []})),
    ),
    "start-response/reason-phrase": (
        one(ok(b"fine", status=b"299 <none>")),
        one(ok(b"fine", status=b"299 ")),
    ),
    "start-response/order-and-spelling": (
        one(ok(b"fields", b"x-rules-b: yes", b"x-rules-a: yes", b"x-rules-c: yes")),
        one(ok(b"fields", b"X-RULES-A: yes", b"X-rules-B: yes", b"x-Rules-C: yes")),
    ),
    "start-response/order-and-spelling/cookies": (
        one(ok(b"cookies", b"Set-Cookie: a=1, b=2")),
        one(ok(b"cookies", b"Set-Cookie: b=2")),
    ),
}
