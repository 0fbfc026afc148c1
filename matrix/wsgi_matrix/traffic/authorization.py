"""Converts ``Authorization`` in .http files to the value that is sent.

Both dialects accept a user and a password in words: ``Basic ann secret``, ``Digest ann secret``; VS
Code's REST Client also accepts ``Basic ann:secret``. These are not valid credentials (RFC 9110
section 11.4), so the response would always be 401.
"""

from __future__ import annotations

import base64

from wsgi_matrix.probe.agent.session import PLACE

SIGNED = frozenset({"aws", "cognito"})
"""Schemes of REST Client for a signature of the request."""


def basic(user: str, password: str) -> str:
    """The field's value for a user (RFC 7617). Raises ``ValueError`` if the name has a colon."""
    if ":" in user:
        raise ValueError(f"the user name of the scheme Basic must not contain a colon: {user!r}")
    words = f"{user}:{password}"
    if PLACE.search(words):
        raise ValueError("user and password of the scheme Basic cannot be captured from a response")
    return "Basic " + base64.b64encode(words.encode()).decode("ascii")


def written(value: str) -> tuple[str, tuple[str, str] | None]:
    """The value to send, and user and password for the scheme Digest.

    Raises ``ValueError`` for a form that only its editor supports.
    """
    scheme, _, rest = value.strip().partition(" ")
    rest = rest.strip()
    user, space, password = rest.partition(" ")
    match scheme.lower():
        case "basic" if space:
            return basic(user, password.strip()), None
        case "basic" if ":" in rest:  # not base64
            return basic(*rest.split(":", 1)), None
        case "digest" if space and "=" not in user:
            return "", (user, password.strip())
        case name if name in SIGNED and space:
            raise ValueError(f"signatures by the scheme {scheme} are not supported")
    return value, None
