"""The app that servers run for the rules.

The first segment of the path chooses a module of :mod:`paths`; what none of them is named for is
reported by :mod:`paths.echo`, however odd the target is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from paths import (
    blocks,
    closed,
    echo,
    environ,
    errors,
    raising,
    respond,
    seen,
    start,
    together,
    wrapper,
    wrong,
    wsgi_input,
)

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

PATHS: dict[str, Callable[[Environ, StartResponse], Iterable[bytes]]] = {
    "blocks": blocks.app,
    "closed": closed.app,
    "echo": echo.app,
    "environ": environ.app,
    "errors": errors.app,
    "input": wsgi_input.app,
    "raising": raising.app,
    "respond": respond.app,
    "seen": seen.app,
    "start": start.app,
    "together": together.app,
    "wrapper": wrapper.app,
    "wrong": wrong.app,
}


class Rules:
    """Two positional arguments, and an instance of a class: all that PEP 3333 asks to be called."""

    def __call__(self, environ: Environ, start_response: StartResponse, /) -> Iterable[bytes]:
        """Hand the call to the app of its path."""
        segment = str(environ.get("PATH_INFO", "")).lstrip("/").partition("/")[0]
        return PATHS.get(segment, PATHS["echo"])(environ, start_response)


app = Rules()
