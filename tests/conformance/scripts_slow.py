"""Scripts of servers that tolerate slow clients, and of servers that slow clients starve."""

from __future__ import annotations

from wsgi_matrix.suites.slow_clients import rules

from tests.conformance.responses import OK
from tests.conformance.scripted import FIN, HANG, RST, Script, Wait

HEAD_END = Wait(b"\r\n\r\n")
RESPONDS: Script = (HEAD_END, OK, FIN)
BUSY: Script = (HEAD_END, b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
HALF: Script = (HEAD_END, OK[:-1], HANG)


def clients(
    slow: Script, ordinary: Script = RESPONDS, last: Script | None = None
) -> tuple[Script, ...]:
    """The slow clients come first; ``last``, ``ordinary``: what the last of each kind gets."""
    return (
        *[slow] * (rules.COUNT - 1),
        last or slow,
        *[RESPONDS] * (len(rules.ORDINARY) - 1),
        ordinary,
    )


GREEN: dict[str, tuple[Script, ...]] = {}
RED: dict[str, tuple[tuple[Script, ...], ...]] = {}
for rule in rules.RULES:
    if rule.id.endswith("/others-served"):
        GREEN[rule.id] = clients((FIN,))
        RED[rule.id] = (clients((FIN,), (HANG,)), clients((FIN,), BUSY), clients((FIN,), HALF))
    else:
        GREEN[rule.id] = clients((FIN,), last=(RST,))
        RED[rule.id] = (clients((HANG,)), clients((FIN,), last=(HANG,)))
