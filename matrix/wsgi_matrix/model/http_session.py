"""Sessions: requests that are sent one after another, as one person with one browser sends them."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110 section 5.6.2: methods and field names are tokens."""
TARGET = re.compile(r"(?:/|\{\{)[\x21-\x7e]*")
"""Origin form without anything that ends it on the wire (RFC 9112 section 3.2.1), or a place that
a captured URL goes to."""
VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]*")
"""RFC 9110 section 5.5; characters outside of ASCII are sent as UTF-8."""
HOST = re.compile(r"(?:[\w.~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?", re.ASCII)
"""RFC 9110 section 7.2, without user information, which is never sent in it (section 4.2.4)."""
MADE = frozenset({"host", "content-length", "transfer-encoding"})
"""Fields that are made for what is sent: what was written would not fit it."""


@dataclass(frozen=True, kw_only=True)
class Capture:
    """A value taken from an answer for later requests, where ``{{name}}`` stands for it."""

    name: str
    kind: str
    """``regex`` (its first group), ``json`` (a path), ``header`` or ``cookie`` (a name)."""
    where: str


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One request of a session, in which ``{{name}}`` may stand for what was captured before.

    One that would not be a request on the wire cannot be made: it raises ``ValueError``.
    """

    name: str = ""
    """Unique over all sessions; set by :func:`wsgi_matrix.traffic.load.load`."""
    method: str = "GET"
    target: str = "/"
    """Origin form, percent-encoded (RFC 9112 section 3.2.1), or ``*`` of OPTIONS."""
    fields: tuple[tuple[str, str], ...] = ()
    """Without Host, Content-Length and Transfer-Encoding, which are made."""
    body: bytes | None = None
    captures: tuple[Capture, ...] = ()
    host: str = "localhost"
    digest: tuple[str, str] | None = None
    """User and password for a challenge by the scheme Digest (RFC 7616)."""
    cookies: bool = True
    """Whether it is sent cookies, and those of its answer are kept."""
    shape: str = ""
    """The target with the names of values that are made for each run in their place, if there are
    any: what is the same in the next run."""
    source: str = ""
    """For people: the file and line that it comes from."""
    recorded: int | None = None
    """The status of the response that was recorded with it."""

    def __post_init__(self) -> None:
        if not TOKEN.fullmatch(self.method):
            raise ValueError(f"{self.method!r} is no method")
        if not TARGET.fullmatch(self.target) and (self.method, self.target) != ("OPTIONS", "*"):
            raise ValueError(f"{self.target!r} is no target of {self.method}: it begins with /")
        if not HOST.fullmatch(self.host):
            raise ValueError(f"{self.host!r} is no host")
        for name, value in self.fields:
            if not TOKEN.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a field")
            if name.lower() in MADE:
                raise ValueError(f"the field {name} is made, and cannot be written")
            if not VALUE.fullmatch(value):
                raise ValueError(f"{value!r} is no value of the field {name}")

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
            "digest": self.digest,
            "cookies": self.cookies,
        }


@dataclass(frozen=True, kw_only=True)
class Session:
    """Requests with one set of cookies and captured values."""

    asks: tuple[Ask, ...]
    notes: tuple[str, ...] = ()
    """For people: what of the source is not sent, and why."""
    generated: tuple[str, ...] = ()
    """Values that were made for this run alone (``{{$guid}}``, the time): the same for each cell,
    others in the next run."""
