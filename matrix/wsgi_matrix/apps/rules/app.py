"""The app that servers are asked for the rules with.

The first segment of the path chooses a module of :mod:`paths`; what none of them is named for is
told back by :mod:`paths.echo`, however odd the target is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from paths import echo, respond, seen

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

PATHS: dict[str, Callable[[Environ, StartResponse], Iterable[bytes]]] = {
    "echo": echo.app,
    "respond": respond.app,
    "seen": seen.app,
}


def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Hand the call to the app of its path."""
    segment = str(environ.get("PATH_INFO", "")).lstrip("/").partition("/")[0]
    return PATHS.get(segment, PATHS["echo"])(environ, start_response)
