"""``/wrong/NAME``: calls of ``start_response`` that a server has to refuse.

``refused`` is the response where it raised; ``accepted``, as the call would have it, where not.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

PLAIN = ("Content-Type", "text/plain")
OK = "200 OK"

CALLS: dict[str, tuple[Any, Any]] = {
    "status-bytes": (b"200 OK", [PLAIN]),
    "status-number": (200, [PLAIN]),
    "status-split": ("200 OK\r\nX-Split: yes", [PLAIN]),
    "status-nul": ("200 O\0K", [PLAIN]),
    "status-banana": ("banana", [PLAIN]),
    "status-beyond": ("200 \u20ac", [PLAIN]),
    "name-bytes": (OK, [PLAIN, (b"X-Rules", "yes")]),
    "name-split": (OK, [PLAIN, ("X-Rules: a\r\nX-Split", "yes")]),
    "name-space": (OK, [PLAIN, ("X Rules", "yes")]),
    "name-colon": (OK, [PLAIN, ("X-Rules:", "yes")]),
    "name-empty": (OK, [PLAIN, ("", "yes")]),
    "name-beyond": (OK, [PLAIN, ("X-\u20ac", "yes")]),
    "value-bytes": (OK, [PLAIN, ("X-Rules", b"yes")]),
    "value-split": (OK, [PLAIN, ("X-Rules", "a\r\nX-Split: yes")]),
    "value-lf": (OK, [PLAIN, ("X-Rules", "a\nX-Split: yes")]),
    "value-cr": (OK, [PLAIN, ("X-Rules", "a\rb")]),
    "value-nul": (OK, [PLAIN, ("X-Rules", "a\0b")]),
    "value-beyond": (OK, [PLAIN, ("X-Rules", "\u20ac")]),
    "tuple": (OK, (PLAIN, ("X-Rules", "yes"))),
    "connection": (OK, [PLAIN, ("Connection", "X-Rules")]),
    "keep-alive": (OK, [PLAIN, ("Keep-Alive", "timeout=4321")]),
    "upgrade": (OK, [PLAIN, ("Upgrade", "rules/1")]),
    "coding": (OK, [PLAIN, ("Transfer-Encoding", "chunked")]),
}
BODIES = {"coding": [b"01234", b"56789"]}


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Make the call."""
    name = str(environ["PATH_INFO"]).removeprefix("/wrong/")
    if name == "coding-framed":
        name, body = "coding", [b"a\r\n0123456789\r\n", b"0\r\n\r\n"]
    else:
        body = BODIES.get(name, [b"accepted"])
    status, fields = CALLS[name]
    try:
        start_response(status, fields)
    except Exception:
        # With exc_info a second call is allowed, whatever the server made of the first.
        start_response(OK, [PLAIN, ("Content-Length", "7")], sys.exc_info())
        return [b"refused"]
    return body
