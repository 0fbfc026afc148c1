"""Plain paths: ``/``, ``/login?x=1``, or a text file with one in each line."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from wsgi_matrix.traffic.model import Ask

KEPT = "/?%:@!$&'()*+,;=~[]-._"
"""What stands in a target as it was written (RFC 3986); an escape is not escaped again."""


def target(text: str) -> str:
    """Path and query of a URL, percent-encoded as browsers do; ``{{name}}`` is left alone."""
    text = text.strip().partition("#")[0]
    if "://" in text.partition("?")[0]:
        parts = urlsplit(text)
        text = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return quote(text, safe=KEPT + "{}") if "{{" in text else quote(text, safe=KEPT)


def read(text: str, source: str) -> tuple[Ask, ...]:
    """The paths of a text file. Empty lines and ones that begin with ``#`` say nothing.

    Raises ``ValueError`` for a line that is no path.
    """
    asks = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not line.strip().startswith("/"):
            raise ValueError(f"line {number}: a path that begins with / is expected, not {line!r}")
        asks.append(Ask(target=target(line), source=f"{source}:{number}"))
    return tuple(asks)
