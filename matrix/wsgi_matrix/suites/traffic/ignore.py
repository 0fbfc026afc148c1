"""The values that are ignored when responses are compared, as declared by the user.

header:x-request-id        the value of a field
cookie:sessionid           the value of a cookie that is set
json:$.items[*].id         values in content of application/json
regex:token="([^"]+)"      in the content and in fields: its groups, or all that it matches
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from wsgi_matrix.errors import UserError, suggestion
from wsgi_matrix.http.response import Response
from wsgi_matrix.probe.agent import jsonpath

KINDS = ("header", "cookie", "json", "regex")
AUTO = "auto"
"""Instead of an expression: whatever differs between two runs of the reference."""
MARK = "*"
"""Replaces an ignored value."""


@dataclass(frozen=True, kw_only=True)
class Ignore:
    """One declared difference."""

    kind: str
    where: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.where}"


def parse(text: str) -> Ignore:
    """``KIND:WHERE``. Raises :class:`UserError`."""
    if text == AUTO:
        raise UserError(
            "--ignore auto: only `try` runs its reference twice to find what changes by itself; "
            "here, list the expressions that it found"
        )
    kind, colon, where = text.partition(":")
    if kind not in KINDS or not colon or not where:
        raise UserError(
            f'--ignore {text}: expected "header:NAME", "cookie:NAME", "json:$.PATH" or "regex:…"'
            f"{suggestion(kind, KINDS) if kind not in KINDS else ''}"
        )
    try:
        if kind == "json":
            jsonpath.parse(where)
        elif kind == "regex":
            re.compile(where)
    except (ValueError, re.error) as problem:
        raise UserError(f"--ignore {text}: {problem}") from None
    return Ignore(kind=kind, where=where)


def apply(response: Response, ignores: Sequence[Ignore]) -> Response:
    """``response`` with ``*`` for all ignored values.

    Consecutive regular expressions are all matched before any of them replaces, because one may
    need text that another one ignores.
    """
    by_kind = sorted(ignores, key=lambda each: each.kind not in ("header", "cookie"))
    for kind, group in itertools.groupby(by_kind, key=lambda each: each.kind):
        if kind == "regex":
            response = _regexes(response, [each.where for each in group])
            continue
        for each in group:
            match kind:
                case "header":
                    response = _header(response, each.where.lower())
                case "cookie":
                    response = _cookie(response, each.where)
                case _:
                    response = _json(response, each.where)
    return response


def _header(response: Response, name: str) -> Response:
    fields = tuple(
        (field, MARK.encode() if field.decode("latin-1").lower() == name else value)
        for field, value in response.fields
    )
    return replace(response, fields=fields)


def _cookie(response: Response, name: str) -> Response:
    """The cookie's value and its expiry, which depends on the time of the response."""
    fields = []
    for field, value in response.fields:
        pair, semicolon, rest = value.partition(b";")
        mine = field.lower() == b"set-cookie" and pair.partition(b"=")[0].strip() == name.encode()
        until = re.sub(rb"(?i)(expires=)[^;]*", rb"\1*", rest)
        masked = name.encode() + b"=" + MARK.encode() + semicolon + until
        fields.append((field, masked if mine else value))
    return replace(response, fields=tuple(fields))


def _json(response: Response, path: str) -> Response:
    try:
        value = json.loads(response.body)
        changed = jsonpath.change(value, jsonpath.parse(path), lambda _: MARK)
        if changed == value:
            return response
        text = json.dumps(changed, ensure_ascii=False)
    except (ValueError, RecursionError):
        return response  # not JSON, or nested too deeply
    return replace(response, body=text.encode(errors="surrogatepass"))


def _regexes(response: Response, patterns: Sequence[str]) -> Response:
    # Latin-1 has a character for each octet, so any content survives the conversion.
    wanted = [re.compile(pattern.encode().decode("latin-1")) for pattern in patterns]

    def masked(data: bytes) -> bytes:
        text = data.decode("latin-1")
        spans = (span for each in wanted for found in each.finditer(text) for span in _spans(found))
        return _masked(text, sorted(spans)).encode("latin-1")

    fields = tuple((name, masked(value)) for name, value in response.fields)
    return replace(response, fields=fields, body=masked(response.body))


def _spans(found: re.Match[str]) -> list[tuple[int, int]]:
    """The ignored parts: each group that matched, or the whole match if there are no groups."""
    groups = range(1, found.re.groups + 1)
    return (
        [found.span(each) for each in groups if found.start(each) >= 0]
        if groups
        else [found.span()]
    )


def _masked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """``text`` with a mark for each of ``spans``, in order; overlapping or adjacent ones merge."""
    parts, at, last = [], 0, -1
    for start, end in spans:
        if start > last:
            parts += [text[at:start], MARK]
        at = last = max(end, last)
    return "".join([*parts, text[at:]])
