"""Sessions: sequential requests, as one person with one browser sends them."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110 section 5.6.2: methods and field names are tokens."""
TARGET = re.compile(r"(?:/|\{\{)[\x21-\x7e]*")
"""Origin form without octets that would end it on the wire (RFC 9112 section 3.2.1), or a
placeholder for a captured URL."""
VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]*")
"""RFC 9110 section 5.5; non-ASCII characters are sent as UTF-8."""
HOST = re.compile(r"(?:[\w.~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?", re.ASCII)
"""RFC 9110 section 7.2, without userinfo, which is never sent in it (section 4.2.4)."""
MADE = frozenset({"host", "content-length", "transfer-encoding"})
"""Fields that are generated from what is sent, and therefore cannot be set."""


@dataclass(frozen=True, kw_only=True)
class Capture:
    """A value taken from a response for later requests, in which ``{{name}}`` is replaced by it."""

    name: str
    kind: str
    """``regex`` (its first group), ``json`` (a path), ``header`` or ``cookie`` (a name)."""
    where: str


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One request of a session, in which ``{{name}}`` is replaced by a value captured before.

    Raises ``ValueError`` if it would not be a valid request on the wire.
    """

    name: str = ""
    """Unique over all sessions; set by :func:`wsgi_matrix.traffic.load.load`."""
    method: str = "GET"
    target: str = "/"
    """Origin form, percent-encoded (RFC 9112 section 3.2.1), or ``*`` of OPTIONS."""
    fields: tuple[tuple[str, str], ...] = ()
    """Without Host, Content-Length and Transfer-Encoding, which are generated."""
    body: bytes | None = None
    captures: tuple[Capture, ...] = ()
    host: str = "localhost"
    digest: tuple[str, str] | None = None
    """User name and password for a Digest challenge (RFC 7616)."""
    cookies: bool = True
    """Whether cookies are sent with it, and those of its response are stored."""
    shape: str = ""
    """The target with the names of values that are generated for each run instead of the values:
    the same in every run. Empty if there are none."""
    source: str = ""
    """The file and line that it comes from, for reports."""
    recorded: int | None = None
    """The status of the response that was recorded with it."""

    def __post_init__(self) -> None:
        if not TOKEN.fullmatch(self.method):
            raise ValueError(f"{self.method!r} is not a valid method")
        if not TARGET.fullmatch(self.target) and (self.method, self.target) != ("OPTIONS", "*"):
            raise ValueError(
                f"{self.target!r} is not a target of {self.method}: it must begin with /"
            )
        if not HOST.fullmatch(self.host):
            raise ValueError(f"{self.host!r} is not a valid host")
        for name, value in self.fields:
            if not TOKEN.fullmatch(name):
                raise ValueError(f"{name!r} is not a valid field name")
            if name.lower() in MADE:
                raise ValueError(f"the field {name} is generated and cannot be set")
            if not VALUE.fullmatch(value):
                raise ValueError(f"{value!r} is not a valid value of the field {name}")

    @property
    def title(self) -> str:
        """``GET /login?x=1``."""
        return f"{self.method} {self.target}"

    def to_json(self) -> dict[str, Any]:
        """The request in the probe's job."""
        return {
            "method": self.method,
            "target": self.target,
            "host": self.host,
            "fields": [list(field) for field in self.fields],
            "body": None if self.body is None else base64.b64encode(self.body).decode("ascii"),
            "captures": [[each.name, each.kind, each.where] for each in self.captures],
            "digest": self.digest,
            "cookies": self.cookies,
        }


@dataclass(frozen=True, kw_only=True)
class Session:
    """Requests with one set of cookies and captured values."""

    asks: tuple[Ask, ...]
    notes: tuple[str, ...] = ()
    """What in the source is not sent, and why, for reports."""
    generated: tuple[str, ...] = ()
    """Values generated for this run (``{{$guid}}``, the time): the same in each of its cells, but
    not in the next run."""
