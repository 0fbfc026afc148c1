"""Sessions: requests that are sent one after another, as one person with one browser sends them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Capture:
    """A value taken from an answer for later requests, where ``{{name}}`` stands for it."""

    name: str
    kind: str
    """``regex`` (its first group), ``json`` (a path), ``header`` or ``cookie`` (a name)."""
    where: str


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One request of a session, in which ``{{name}}`` may stand for what was captured before."""

    name: str = ""
    """Unique over all sessions; set by :func:`wsgi_matrix.traffic.load.load`."""
    method: str = "GET"
    target: str = "/"
    """Origin form, percent-encoded (RFC 9112 section 3.2.1)."""
    fields: tuple[tuple[str, str], ...] = ()
    """Without Host, Content-Length and Transfer-Encoding, which are made."""
    body: bytes | None = None
    captures: tuple[Capture, ...] = ()
    host: str = "localhost"
    source: str = ""
    """For people: the file and line that it comes from."""
    recorded: int | None = None
    """The status of the response that was recorded with it."""

    @property
    def title(self) -> str:
        """``GET /login?x=1``."""
        return f"{self.method} {self.target}"

    def to_json(self) -> dict[str, Any]:
        """For the probe."""
        return {
            "method": self.method,
            "target": self.target,
            "host": self.host,
            "fields": [list(field) for field in self.fields],
            "body": None if self.body is None else base64.b64encode(self.body).decode("ascii"),
            "captures": [[each.name, each.kind, each.where] for each in self.captures],
        }


@dataclass(frozen=True, kw_only=True)
class Session:
    """Requests with one set of cookies and captured values."""

    asks: tuple[Ask, ...]
    notes: tuple[str, ...] = ()
    """For people: what of the source is not sent, and why."""
