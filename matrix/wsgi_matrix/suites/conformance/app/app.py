"""The app that servers run for the conformance rules.

The first segment of the path chooses a module of :mod:`paths`; other requests go to
:mod:`paths.echo`, even if the target is unusual.
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
    """A callable instance with two positional arguments, which is all that PEP 3333 requires."""

    def __call__(self, environ: Environ, start_response: StartResponse, /) -> Iterable[bytes]:
        """Pass the call to the app for its path."""
        segment = str(environ.get("PATH_INFO", "")).lstrip("/").partition("/")[0]
        return PATHS.get(segment, PATHS["echo"])(environ, start_response)


app = Rules()
