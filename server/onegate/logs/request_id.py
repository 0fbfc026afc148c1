"""A name for each request, to find it again in the logs of proxy, server and application."""

from __future__ import annotations

import os
from itertools import count

from onegate.http1 import grammar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


KEY = "onegate.request_id"
"""In the environ, once it is known."""
MAX_LENGTH = 128
FIELD = "HTTP_X_REQUEST_ID"


def adopt(environ: dict[str, Any]) -> None:
    """Take X-Request-ID for the name. To be called for requests of trusted proxies alone.

    A value that is no token or is longer than :data:`MAX_LENGTH` characters is passed over.
    """
    value = environ.get(FIELD)
    if value and len(value) <= MAX_LENGTH and grammar.TOKEN.fullmatch(value):
        environ[KEY] = value


def request_id(environ: dict[str, Any]) -> str:
    """The name of the request; made when it is asked for the first time."""
    try:
        return str(environ[KEY])
    except KeyError:
        # Of two threads that ask at once, an application's own say, both get the first one's.
        return str(environ.setdefault(KEY, f"{_prefix}-{next(_numbers):x}"))


_numbers = count(1)
"""All threads count on with it: ``next`` is one step."""
_prefix = ""


def _anew() -> None:
    """At start and in every child: processes must not give the same name."""
    global _prefix  # noqa: PLW0603 - one for each process, like the counter
    _prefix = os.urandom(6).hex()


_anew()
os.register_at_fork(after_in_child=_anew)
