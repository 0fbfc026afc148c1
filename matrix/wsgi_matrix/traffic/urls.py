"""Splits URLs into what is sent: Host, target and userinfo."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from wsgi_matrix.probe.agent.session import PLACE

KEPT = "/?%:@!$&'()*+,;=~[]-._"
"""Characters that are not escaped in a target (RFC 3986); escapes are not escaped again."""
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
AUTHORITY = re.compile(
    r"(?:[^/?#@\s]*@)?(?:localhost|\[[0-9A-Fa-f:.]+\]|[\w-]+(?:\.[\w-]+)+|[\w-]+(?=:\d))(?::\d+)?(?=[/?#]|$)"
)
"""A host at the start of a URL without a scheme; a single word needs a port."""
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True)
class Url:
    """The parts of a URL."""

    target: str
    host: str = ""
    """The host; empty if the URL is only a path."""
    user: tuple[str, str] | None = None
    """Decoded user name and password."""


def target(text: str, *, places: bool = True) -> str:
    """Path and query of a URL, percent-encoded as in browsers.

    ``{{name}}`` is not escaped if ``places``.
    """
    text = text.strip().partition("#")[0]
    if "://" in text.partition("?")[0]:
        parts = urlsplit(text)
        text = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not places:
        return quote(text, safe=KEPT)
    made, at = "", 0
    for place in PLACE.finditer(text):
        made += quote(text[at : place.start()], safe=KEPT) + "{{" + place[1] + "}}"
        at = place.end()
    return made + quote(text[at:], safe=KEPT)


def split(text: str, *, places: bool = True) -> Url:
    """Split a URL with or without a scheme, or a path. Raises ``ValueError`` for anything else."""
    text = text.strip()
    scheme = SCHEME.match(text)
    if scheme and scheme[1].lower() not in DEFAULT_PORTS:
        raise ValueError(f"expected http: or https:, not {scheme[1]}:")
    if not scheme:
        if text.startswith(("/", "{{")):
            return Url(target=target(text, places=places))
        if not AUTHORITY.match(text):
            raise ValueError(
                f"expected a path that begins with /, or a URL with its host, not {text!r}"
            )
        text = f"http://{text}"
    user, at, _ = urlsplit(text).netloc.rpartition("@")
    name, _, password = user.partition(":")
    return Url(
        target=target(text, places=places),
        host=host(text),
        user=(unquote(name), unquote(password)) if at else None,
    )


def host(url: str) -> str:
    """Host and port of a URL: in lower case, without the scheme's default port (RFC 9110 4.2.3)."""
    parts = urlsplit(url)
    port = parts.port
    name = parts.hostname or ""
    if not name.isascii():
        name = name.encode("idna").decode("ascii")
    if ":" in name:
        name = f"[{name}]"
    default = DEFAULT_PORTS.get(parts.scheme.lower())
    return name if port in (None, default) else f"{name}:{port}"
