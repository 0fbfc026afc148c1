"""The responses that the contract accepts, and what is wrong with others."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from wsgi_matrix.http.normalise import cookie, joined_lists, location, members
from wsgi_matrix.http.response import Response, split
from wsgi_matrix.model.wire import Exchange

SHOWN = 200
"""Maximum octets of a response to show."""


@dataclass(frozen=True, kw_only=True)
class Accept:
    """One accepted response; ``None`` or empty means that it is not checked."""

    status: int
    type: str = ""
    content: bytes | None = None
    size: int | None = None
    digest: str = ""
    json: Any = None
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    allow: frozenset[str] = frozenset()

    def without_content(self) -> Accept:
        """The accepted response to HEAD: the same without content."""
        return replace(self, content=b"", json=None, size=None, digest="", without=())

    def __str__(self) -> str:
        """The expectation in words."""
        parts = [str(self.status)]
        parts += [self.type] if self.type else []
        if self.content is not None:
            parts.append(repr(self.content.decode()) if self.content else "no content")
        if self.json is not None:
            parts.append(json.dumps(self.json, ensure_ascii=False))
        if self.size is not None:
            parts.append(f"{self.size} octets")
        elif self.digest:
            parts.append(f"SHA-256 {self.digest[:12]}…")
        parts += [f"{name}: {', '.join(values)}" for name, values in self.fields.items()]
        parts += [f"without {' and '.join(self.without)}"] if self.without else []
        parts += [f"Allow with {', '.join(sorted(self.allow))}"] if self.allow else []
        return ", ".join(parts)


def fault(exchange: Exchange, method: str, accept: Sequence[Accept], joined: Sequence[str]) -> str:
    """Why a response is not accepted, with its octets; empty if it is accepted."""
    if exchange.error:
        got = f"; got {_shown(exchange.response)}" if exchange.response else ""
        return f"{_line(exchange)}: {exchange.error}{got}"
    answer = split(exchange.response, method.encode())
    said = [_unlike(answer, each, joined) for each in accept]
    if not all(said):
        return ""
    code = _status(answer)
    closest = next(
        (text for each, text in zip(accept, said, strict=True) if each.status == code), said[0]
    )
    return f"{_line(exchange)}: {closest}; got {_shown(exchange.response)}"


def _unlike(answer: Response, wanted: Accept, joined: Sequence[str]) -> str:
    """The first difference of ``answer`` from ``wanted``."""
    code = _status(answer)
    if code != wanted.status:
        return f"expected status {wanted.status}, got {code}"
    types = [value.decode("latin-1").lower() for value in answer.values(b"content-type")]
    if wanted.type and [_spaced(value) for value in types] != [wanted.type]:
        return f"expected Content-Type {wanted.type!r}, got {types!r}"
    for name, values in wanted.fields.items():
        got = _comparable(name, answer)
        if got != sorted(_canonical(name, value) for value in values):
            return f"expected {name} {values!r}, got {got!r}"
    if wanted.allow and not wanted.allow <= (allowed := members(answer.values(b"allow"))):
        return f"expected Allow to list {sorted(wanted.allow)}, got {sorted(allowed)}"
    if any(text.encode() in answer.body for text in wanted.without):
        return f"expected a response without details of the error ({', '.join(wanted.without)})"
    return _content_unlike(answer.body, wanted, joined)


def _content_unlike(body: bytes, wanted: Accept, joined: Sequence[str]) -> str:
    if wanted.content is not None and body != wanted.content:
        return f"expected content {wanted.content[:SHOWN]!r}, got {_shown(body)}"
    if wanted.size is not None and len(body) != wanted.size:
        return f"expected {wanted.size} octets of content, got {len(body)}"
    if wanted.digest and sha256(body).hexdigest() != wanted.digest:
        return f"expected content with SHA-256 {wanted.digest}, got {len(body)} octets with another"
    if wanted.json is not None:
        try:
            value = joined_lists(json.loads(body), joined)
        except (ValueError, RecursionError):
            return f"expected JSON, got {_shown(body)}"
        if value != joined_lists(wanted.json, joined):
            expected = json.dumps(wanted.json, ensure_ascii=False)
            return f"expected {expected}, got {json.dumps(value, ensure_ascii=False)}"
    return ""


def _comparable(name: str, answer: Response) -> list[str]:
    values = [value.decode("latin-1") for value in answer.values(name.encode())]
    return sorted(_canonical(name, value) for value in values)


def _canonical(name: str, value: str) -> str:
    if name == "set-cookie":
        return cookie(value)
    return location(value) if name == "location" else value


def _spaced(media_type: str) -> str:
    """One space after the semicolon of a media type."""
    return "; ".join(part.strip() for part in media_type.split(";"))


def _status(answer: Response) -> int:
    return int(answer.status_line.split(maxsplit=2)[1])


def _line(exchange: Exchange) -> str:
    return exchange.request.partition(b"\r\n")[0].decode("latin-1")


def _shown(data: bytes) -> str:
    return repr(data[:SHOWN]) + (f"… ({len(data)} octets)" if len(data) > SHOWN else "")
