"""An id for each request, to find it in the logs of proxy, server and application."""

from __future__ import annotations

import os
from itertools import count

from onegate.http1 import grammar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


KEY = "onegate.request_id"
"""Key in the environ, once it is known."""
MAX_LENGTH = 128
FIELD = "HTTP_X_REQUEST_ID"


def adopt(environ: dict[str, Any]) -> None:
    """Use X-Request-ID as the id. Only to be called for requests of trusted proxies.

    A value that is not a token or is longer than :data:`MAX_LENGTH` characters is ignored.
    """
    value = environ.get(FIELD)
    if value and len(value) <= MAX_LENGTH and grammar.TOKEN.fullmatch(value):
        environ[KEY] = value


def request_id(environ: dict[str, Any]) -> str:
    """The id of the request; generated on first use."""
    try:
        return str(environ[KEY])
    except KeyError:
        # Of two threads that call it at once, both get the id of the first.
        return str(environ.setdefault(KEY, f"{_prefix}-{next(_numbers):x}"))


_numbers = count(1)
"""Shared by all threads: ``next`` is atomic."""
_prefix = ""


def _anew() -> None:
    """At start and in every child: processes must not generate the same id."""
    global _prefix  # noqa: PLW0603 - one for each process, like the counter
    _prefix = os.urandom(6).hex()


_anew()
os.register_at_fork(after_in_child=_anew)
