"""What is left out when answers are compared, as people declare it.

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
from wsgi_matrix.http.response import Answer
from wsgi_matrix.probe.agent import jsonpath

KINDS = ("header", "cookie", "json", "regex")
AUTO = "auto"
"""In place of one: whatever the reference, run twice, changes by itself."""
MARK = "*"
"""What stands for a value that is left out."""


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
            "here the expressions that it found have to be named"
        )
    kind, colon, where = text.partition(":")
    if kind not in KINDS or not colon or not where:
        raise UserError(
            f'--ignore {text}: "header:NAME", "cookie:NAME", "json:$.PATH" or "regex:…" is '
            f"expected{suggestion(kind, KINDS) if kind not in KINDS else ''}"
        )
    try:
        if kind == "json":
            jsonpath.parse(where)
        elif kind == "regex":
            re.compile(where)
    except (ValueError, re.error) as problem:
        raise UserError(f"--ignore {text}: {problem}") from None
    return Ignore(kind=kind, where=where)


def apply(answer: Answer, ignores: Sequence[Ignore]) -> Answer:
    """``answer`` with ``*`` for all that is left out.

    Regular expressions that follow each other are all matched before any of them replaces: what
    one leaves out may be what another one finds its value by.
    """
    by_kind = sorted(ignores, key=lambda each: each.kind not in ("header", "cookie"))
    for kind, group in itertools.groupby(by_kind, key=lambda each: each.kind):
        if kind == "regex":
            answer = _regexes(answer, [each.where for each in group])
            continue
        for each in group:
            match kind:
                case "header":
                    answer = _header(answer, each.where.lower())
                case "cookie":
                    answer = _cookie(answer, each.where)
                case _:
                    answer = _json(answer, each.where)
    return answer


def _header(answer: Answer, name: str) -> Answer:
    fields = tuple(
        (field, MARK.encode() if field.decode("latin-1").lower() == name else value)
        for field, value in answer.fields
    )
    return replace(answer, fields=fields)


def _cookie(answer: Answer, name: str) -> Answer:
    """The cookie's value, and when it ends: that is counted from the time of the answer."""
    fields = []
    for field, value in answer.fields:
        pair, semicolon, rest = value.partition(b";")
        mine = field.lower() == b"set-cookie" and pair.partition(b"=")[0].strip() == name.encode()
        until = re.sub(rb"(?i)(expires=)[^;]*", rb"\1*", rest)
        masked = name.encode() + b"=" + MARK.encode() + semicolon + until
        fields.append((field, masked if mine else value))
    return replace(answer, fields=tuple(fields))


def _json(answer: Answer, path: str) -> Answer:
    try:
        value = json.loads(answer.body)
        changed = jsonpath.change(value, jsonpath.parse(path), lambda _: MARK)
        if changed == value:
            return answer
        text = json.dumps(changed, ensure_ascii=False)
    except (ValueError, RecursionError):
        return answer  # no JSON, or nested too deeply
    return replace(answer, body=text.encode(errors="surrogatepass"))


def _regexes(answer: Answer, patterns: Sequence[str]) -> Answer:
    # Latin-1 has a character for each octet, so that content of any kind goes there and back.
    wanted = [re.compile(pattern.encode().decode("latin-1")) for pattern in patterns]

    def masked(data: bytes) -> bytes:
        text = data.decode("latin-1")
        spans = (span for each in wanted for found in each.finditer(text) for span in _spans(found))
        return _masked(text, sorted(spans)).encode("latin-1")

    fields = tuple((name, masked(value)) for name, value in answer.fields)
    return replace(answer, fields=fields, body=masked(answer.body))


def _spans(found: re.Match[str]) -> list[tuple[int, int]]:
    """What is left out: each group that took part, or the whole match where there are none."""
    groups = range(1, found.re.groups + 1)
    return (
        [found.span(each) for each in groups if found.start(each) >= 0]
        if groups
        else [found.span()]
    )


def _masked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """``text`` with a mark for each of ``spans``, in order; those that overlap or touch are one."""
    parts, at, last = [], 0, -1
    for start, end in spans:
        if start > last:
            parts += [text[at:start], MARK]
        at = last = max(end, last)
    return "".join([*parts, text[at:]])
