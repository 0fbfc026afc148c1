"""Scripts of servers that bear slow clients, and of servers that slow clients starve."""

from __future__ import annotations

from wsgi_matrix.suites.slow_clients import rules

from tests.conformance.answered import OK
from tests.conformance.scripted import FIN, HANG, RST, Script, Wait

HEAD_END = Wait(b"\r\n\r\n")
ANSWERS: Script = (HEAD_END, OK, FIN)
BUSY: Script = (HEAD_END, b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
HALF: Script = (HEAD_END, OK[:-1], HANG)


def crowd(bad: Script, good: Script = ANSWERS, last: Script | None = None) -> tuple[Script, ...]:
    """The bad clients come first; ``last``, ``good``: what the last of each kind gets."""
    return (*[bad] * (rules.CROWD - 1), last or bad, *[ANSWERS] * (len(rules.GOOD) - 1), good)


GREEN: dict[str, tuple[Script, ...]] = {}
RED: dict[str, tuple[tuple[Script, ...], ...]] = {}
for rule in rules.RULES:
    if rule.id.endswith(".served"):
        GREEN[rule.id] = crowd((FIN,))
        RED[rule.id] = (crowd((FIN,), (HANG,)), crowd((FIN,), BUSY), crowd((FIN,), HALF))
    else:
        GREEN[rule.id] = crowd((FIN,), last=(RST,))
        RED[rule.id] = (crowd((HANG,)), crowd((FIN,), last=(HANG,)))
