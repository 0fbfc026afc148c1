"""Scripts of servers that stop and reload in order, and of servers that lose something then."""

from __future__ import annotations

from wsgi_matrix.suites.shutdown.rules import RELOADS

from tests.conformance.responses import HEAD_END, OK
from tests.conformance.scripted import DEAF, FIN, HANG, RST, Script

OTHER = OK.replace(b"hi", b"ho")
"""The response of another process."""
RESPONDS: Script = (HEAD_END, OK, FIN)
LAST: Script = (HEAD_END, OK, DEAF, FIN)
"""The last connection; nobody listens after it."""
HALF: Script = (HEAD_END, OK[:-1], FIN)
WORDLESS: Script = (HEAD_END, FIN)
RESETS: Script = (HEAD_END, RST)
FAILED: Script = (HEAD_END, OK.replace(b"200 OK", b"500 No"), FIN)
SILENT: Script = (HEAD_END, HANG)


def stop(
    idle: Script = RESPONDS,
    flying: Script = RESPONDS,
    queued: Script = RESPONDS,
    late: Script = LAST,
) -> tuple[Script, ...]:
    """In the order in which the scenario connects."""
    return (idle, flying, queued, late)


AGAIN: Script = (HEAD_END, OK, HEAD_END, OK)
NEW: Script = (HEAD_END, OTHER, FIN)
LOST = tuple(f"reload/no-request-lost/{number}" for number in range(1, RELOADS + 1))
"""The variants of what is lost."""


def reload(
    idle: Script = AGAIN,
    flying: Script = RESPONDS,
    queued: Script = RESPONDS,
    *new: Script,
) -> tuple[Script, ...]:
    """As above; the last of ``new`` holds for all others."""
    return (idle, flying, queued, *(new or (NEW,)))


GREEN: dict[str, tuple[Script, ...]] = {
    "stop/request-in-flight": stop(),
    "stop/request-queued": stop(queued=WORDLESS),
    "stop/idle-connection": stop(),
    "stop/new-connection": stop(late=(HEAD_END, FIN)),
    "stop/port-closed": stop(),
    "reload/request-in-flight": reload(),
    "reload/request-queued": reload(),
    **dict.fromkeys(LOST, reload(AGAIN, RESPONDS, RESPONDS, RESPONDS, NEW)),
    "reload/new-process": reload(AGAIN, RESPONDS, RESPONDS, RESPONDS, NEW),
    "reload/idle-connection": reload(idle=RESPONDS),
}
RED: dict[str, tuple[tuple[Script, ...], ...]] = {
    "stop/request-in-flight": (stop(flying=HALF), stop(flying=WORDLESS), stop(flying=RESETS)),
    "stop/request-queued": (
        stop(queued=HALF),
        stop(queued=RESETS),
        stop(queued=SILENT),
        stop(queued=FAILED),
    ),
    "stop/idle-connection": (stop(idle=(HEAD_END, OK, RST)), stop(idle=(HEAD_END, OK, HANG))),
    "stop/new-connection": (stop(late=HALF), stop(late=SILENT)),
    "stop/port-closed": (stop(late=RESPONDS),),
    "reload/request-in-flight": (reload(flying=HALF), reload(flying=RESETS)),
    "reload/request-queued": (reload(queued=WORDLESS), reload(queued=RESETS)),
    **dict.fromkeys(
        LOST,
        (
            reload(AGAIN, RESPONDS, RESPONDS, RESETS, NEW),
            reload(AGAIN, RESPONDS, RESPONDS, NEW, HALF, NEW),
        ),
    ),
    "reload/new-process": (reload(AGAIN, RESPONDS, RESPONDS, RESPONDS),),
    "reload/idle-connection": (
        reload(idle=(HEAD_END, OK, HEAD_END, RST)),
        reload(idle=(HEAD_END, OK, HEAD_END, OK[:-1], FIN)),
    ),
}
