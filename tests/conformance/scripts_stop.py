"""Scripts of servers that stop and reload in order, and of servers that lose something then."""

from __future__ import annotations

from wsgi_matrix.suites.shutdown.rules import RELOADS

from tests.conformance.answered import HEAD_END, OK
from tests.conformance.scripted import DEAF, FIN, HANG, RST, Script

OTHER = OK.replace(b"hi", b"ho")
"""As another process answers."""
ANSWERS: Script = (HEAD_END, OK, FIN)
LAST: Script = (HEAD_END, OK, DEAF, FIN)
"""Who comes last; nobody listens behind."""
HALF: Script = (HEAD_END, OK[:-1], FIN)
WORDLESS: Script = (HEAD_END, FIN)
RESETS: Script = (HEAD_END, RST)
FAILED: Script = (HEAD_END, OK.replace(b"200 OK", b"500 No"), FIN)
SILENT: Script = (HEAD_END, HANG)


def stop(
    idle: Script = ANSWERS,
    flying: Script = ANSWERS,
    queued: Script = ANSWERS,
    late: Script = LAST,
) -> tuple[Script, ...]:
    """In the order in which the talk connects."""
    return (idle, flying, queued, late)


AGAIN: Script = (HEAD_END, OK, HEAD_END, OK)
NEW: Script = (HEAD_END, OTHER, FIN)
LOST = tuple(f"reload.lost-{number}" for number in range(1, RELOADS + 1))
"""The tries of what is lost."""


def reload(
    idle: Script = AGAIN,
    flying: Script = ANSWERS,
    queued: Script = ANSWERS,
    *new: Script,
) -> tuple[Script, ...]:
    """As above; the last of ``new`` holds for all others."""
    return (idle, flying, queued, *(new or (NEW,)))


GREEN: dict[str, tuple[Script, ...]] = {
    "shutdown.in_flight": stop(),
    "shutdown.queued": stop(queued=WORDLESS),
    "shutdown.idle": stop(),
    "shutdown.late": stop(late=(HEAD_END, FIN)),
    "shutdown.gone": stop(),
    "reload.in_flight": reload(),
    "reload.queued": reload(),
    **dict.fromkeys(LOST, reload(AGAIN, ANSWERS, ANSWERS, ANSWERS, NEW)),
    "reload.done": reload(AGAIN, ANSWERS, ANSWERS, ANSWERS, NEW),
    "reload.idle": reload(idle=ANSWERS),
}
RED: dict[str, tuple[tuple[Script, ...], ...]] = {
    "shutdown.in_flight": (stop(flying=HALF), stop(flying=WORDLESS), stop(flying=RESETS)),
    "shutdown.queued": (
        stop(queued=HALF),
        stop(queued=RESETS),
        stop(queued=SILENT),
        stop(queued=FAILED),
    ),
    "shutdown.idle": (stop(idle=(HEAD_END, OK, RST)), stop(idle=(HEAD_END, OK, HANG))),
    "shutdown.late": (stop(late=HALF), stop(late=SILENT)),
    "shutdown.gone": (stop(late=ANSWERS),),
    "reload.in_flight": (reload(flying=HALF), reload(flying=RESETS)),
    "reload.queued": (reload(queued=WORDLESS), reload(queued=RESETS)),
    **dict.fromkeys(
        LOST,
        (
            reload(AGAIN, ANSWERS, ANSWERS, RESETS, NEW),
            reload(AGAIN, ANSWERS, ANSWERS, NEW, HALF, NEW),
        ),
    ),
    "reload.done": (reload(AGAIN, ANSWERS, ANSWERS, ANSWERS),),
    "reload.idle": (
        reload(idle=(HEAD_END, OK, HEAD_END, RST)),
        reload(idle=(HEAD_END, OK, HEAD_END, OK[:-1], FIN)),
    ),
}
