"""``Authorization`` as people write it in .http files → as it is sent.

Both dialects take a user and a password in words: ``Basic ann secret``, ``Digest ann secret``; VS
Code's REST Client takes ``Basic ann:secret`` too. Both are no credentials (RFC 9110 section 11.4)
and would be answered 401 everywhere.
"""

from __future__ import annotations

import base64

from wsgi_matrix.probe.agent.session import PLACE

SIGNED = frozenset({"aws", "cognito"})
"""Schemes of REST Client that stand for a signature over the request."""


def basic(user: str, password: str) -> str:
    """The field's value for a user (RFC 7617). Raises ``ValueError`` for one with a colon."""
    if ":" in user:
        raise ValueError(f"a user of the scheme Basic has no colon: {user!r}")
    words = f"{user}:{password}"
    if PLACE.search(words):
        raise ValueError("user and password of the scheme Basic cannot come from an answer")
    return "Basic " + base64.b64encode(words.encode()).decode("ascii")


def written(value: str) -> tuple[str, tuple[str, str] | None]:
    """The value that is sent, and user and password of the scheme Digest.

    Raises ``ValueError`` for what only its editor can make a value of.
    """
    scheme, _, rest = value.strip().partition(" ")
    rest = rest.strip()
    user, space, password = rest.partition(" ")
    match scheme.lower():
        case "basic" if space:
            return basic(user, password.strip()), None
        case "basic" if ":" in rest:  # which no base64 has in it
            return basic(*rest.split(":", 1)), None
        case "digest" if space and "=" not in user:
            return "", (user, password.strip())
        case name if name in SIGNED and space:
            raise ValueError(f"a signature by the scheme {scheme} cannot be made here")
    return value, None
