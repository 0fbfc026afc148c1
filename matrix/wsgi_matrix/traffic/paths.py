"""Plain paths: ``/``, ``/login?x=1``, or a text file with one in each line."""

from __future__ import annotations

import re

from wsgi_matrix.model.http_session import Ask
from wsgi_matrix.traffic.urls import target
from wsgi_matrix.traffic.variables import Variables

LINE_END = re.compile(r"\r\n|\n|\r")


def ask(text: str, source: str, variables: Variables) -> Ask:
    """GET of a path, with variables replaced. Raises ``ValueError`` for an invalid path."""
    text = text.strip()
    if not text.startswith("/"):
        raise ValueError(f"expected a path that begins with /, not {text!r}")
    filled, shape = target(variables.fill(text)), target(variables.shape(text))
    return Ask(target=filled, shape=shape, source=source)


def read(text: str, source: str, variables: Variables) -> tuple[Ask, ...]:
    """The paths of a text file. Empty lines and lines that begin with ``#`` are ignored.

    Raises ``ValueError`` for a line that is not a path.
    """
    asks = []
    for number, line in enumerate(LINE_END.split(text), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            asks.append(ask(line, f"{source}:{number}", variables))
        except ValueError as problem:
            raise ValueError(f"line {number}: {problem}") from None
    return tuple(asks)
