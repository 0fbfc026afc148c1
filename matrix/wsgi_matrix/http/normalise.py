"""Normalisation of responses before they are compared, declared as rules that reports list.

Each rule is a difference that RFC 9110 or RFC 9112 allows and that does not come from the app.
Everything else must be equal: the status, every other field with its value (as a set; fields with
the same name in order) and the content, octet for octet.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from wsgi_matrix.http.response import Response, split, unlike, visible

BASE = "http://localhost/"
"""The base of a relative Location: the target URI of the requests."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A declared difference. ``fields`` are ignored; other rules are implemented below."""

    id: str
    says: str
    fields: frozenset[bytes] = frozenset()


RULES = (
    Rule(id="date", says="Date is ignored, because it is the time", fields=frozenset({b"date"})),
    Rule(
        id="intermediary",
        says="Server and Via are ignored, because they name the server",
        fields=frozenset({b"server", b"via"}),
    ),
    Rule(
        id="connection",
        says="Connection and Keep-Alive are ignored, because they are about the connection",
        fields=frozenset({b"connection", b"keep-alive"}),
    ),
    Rule(
        id="framing",
        says="Content-Length, Transfer-Encoding and Trailer are ignored; content is unframed",
        fields=frozenset({b"content-length", b"transfer-encoding", b"trailer"}),
    ),
    Rule(id="interim", says="1xx responses before the final one are ignored"),
    Rule(id="version", says="version and reason phrase of the status line are ignored"),
    Rule(id="names", says="field names are compared in lower case"),
    Rule(id="order", says="fields with different names may be in any order"),
    Rule(id="media-type", says="media types in lower case, with one space between parameters"),
    Rule(id="no-content-type", says="Content-Type is ignored if there is no content"),
    Rule(id="json", says="content of application/json is compared as a value, not as octets"),
    Rule(id="joined", says="members of a field may be joined with ', ' or ','"),
    Rule(id="location", says="Location is resolved against the target URI"),
    Rule(id="cookie", says="attributes of a cookie may be in any order, with names in any case"),
    Rule(id="allow", says="Allow is compared as a set, without OPTIONS"),
    Rule(id="page", says="a framework's own pages (errors, redirects): only status and fields"),
    Rule(
        id="validators",
        says="ETag and Last-Modified: only their presence, since they depend on the file's copy",
    ),
)
LEFT_OUT = frozenset[bytes]().union(*(rule.fields for rule in RULES))


@dataclass(frozen=True)
class Normal:
    """A response after all rules. ``content``: the octets, or a JSON value line by line."""

    status: int
    fields: tuple[tuple[str, tuple[str, ...]], ...]
    content: bytes


def normalise(raw: bytes, method: str, *, joined: Sequence[str] = (), page: bool = False) -> Normal:
    """Normalise a complete response to a request with ``method``.

    ``joined``: members of its JSON that are lists; ``page``: do not compare its content.
    """
    return normal(split(raw, method.encode()), method, joined=joined, page=page)


def normal(
    response: Response, method: str, *, joined: Sequence[str] = (), page: bool = False
) -> Normal:
    """Normalise a parsed response."""
    status = int(response.status_line.split(maxsplit=2)[1])
    fields: dict[str, list[str]] = {}
    for name, value in response.fields:
        key = name.lower()
        without = page or status in (204, 304) or (not response.body and method != "HEAD")
        if key not in LEFT_OUT and not (without and key == b"content-type"):
            text = key.decode("latin-1")
            fields.setdefault(text, []).append(_value(text, value.decode("latin-1")))
    if b"allow" in {name.lower() for name, _ in response.fields}:
        fields["allow"] = sorted(members(response.values(b"allow")))
    media = fields.get("content-type", [""])[0]
    content = b"" if page else _content(response.body, media, joined)
    return Normal(
        status=status,
        fields=tuple(sorted((name, tuple(values)) for name, values in fields.items())),
        content=content,
    )


@dataclass(frozen=True)
class Difference:
    """The first difference of two responses, with both sides."""

    what: str
    there: str
    here: str

    def __str__(self) -> str:
        return f"{self.what}: there {self.there}, here {self.here}"

    def sides(self, there: str, here: str) -> str:
        """The same for two cells with these ids, a line for each side."""
        return f"{self.what}\nthere ({there}): {self.there}\nhere ({here}): {self.here}"


def difference(there: Normal, here: Normal) -> Difference | None:
    """The first difference of two responses; ``None`` if they are equal."""
    if there.status != here.status:
        return Difference("status", str(there.status), str(here.status))
    ours, theirs = dict(there.fields), dict(here.fields)
    for name in sorted(ours.keys() | theirs.keys()):
        if ours.get(name) != theirs.get(name):
            return Difference(f"field {name}", *(_listed(x.get(name)) for x in (ours, theirs)))
    found = unlike(there.content, here.content)
    if found is None:
        return None
    return Difference(f"content, line {found.line}", found.there, found.here)


def _listed(values: tuple[str, ...] | None) -> str:
    """The values of the fields with one name, in words."""
    if values is None:
        return "(no such field)"
    if len(values) == 1:
        return visible(values[0])
    return f"{len(values)} field lines: {', '.join(map(repr, values))}"


def members(values: Iterable[bytes]) -> frozenset[str]:
    """The methods of Allow fields, without OPTIONS."""
    named = b",".join(values).decode("latin-1").split(",")
    return frozenset(name.strip() for name in named if name.strip()) - {"OPTIONS"}


def cookie(value: str) -> str:
    """A Set-Cookie value with sorted attributes."""
    pair, *attributes = (part.strip() for part in value.split(";"))
    return "; ".join([pair, *sorted(_lower_name(each) for each in attributes if each)])


def location(value: str) -> str:
    """A Location as an absolute URI."""
    return urljoin(BASE, value)


def joined_lists(value: Any, joined: Sequence[str]) -> Any:
    """A JSON object whose members ``joined`` are lists."""
    if not joined or not isinstance(value, dict):
        return value
    return {
        name: re.split(r",[ \t]*", member) if name in joined and isinstance(member, str) else member
        for name, member in value.items()
    }


def _lower_name(attribute: str) -> str:
    name, equals, value = attribute.partition("=")
    return name.lower() + equals + value


def _value(name: str, value: str) -> str:
    if name == "set-cookie":
        return cookie(value)
    if name == "location":
        return location(value)
    if name == "content-type":
        return "; ".join(part.strip() for part in value.lower().split(";"))
    return "*" if name in ("etag", "last-modified") else value


def _content(body: bytes, media: str, joined: Sequence[str]) -> bytes:
    if media.partition(";")[0] == "application/json":
        try:
            value = joined_lists(json.loads(body), joined)
            text = json.dumps(value, sort_keys=True, ensure_ascii=False, indent=1)
            return text.encode(errors="surrogatepass")
        except (ValueError, RecursionError):
            pass  # not JSON, or nested too deeply: compared as octets
    return body
