"""What an app changes by itself: two responses to the same request → values to ignore.

The reference cell runs twice. A difference between the two runs is not one between servers, so the
narrowest ``--ignore`` that removes it is proposed.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from wsgi_matrix.http.normalise import LEFT_OUT, difference, normal
from wsgi_matrix.http.response import Response
from wsgi_matrix.model.http_session import Ask
from wsgi_matrix.suites.traffic.ignore import Ignore, apply

PLAIN = re.compile(r"[A-Za-z_][\w-]*")
WORDS = re.compile(r"[\w.+/=:-]+|[^\w.+/=:-]")
"""Characters of ids and tokens; a common prefix or suffix still belongs to the values."""
NEVER_COMPARED = LEFT_OUT | {b"etag", b"last-modified"}
SHAPES = {
    r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b": "every UUID",
    r"\b[0-9a-f]{16,}\b": "every hexadecimal number of 16 digits or more, including digests",
}
"""Values that are recognisable by their form, and what an expression for them ignores."""
Before = tuple[str, str | None]
"""A token before a value, and an expression for it if it also differs."""
LEAST = 4
"""Number of characters before a value that suffice to identify it."""
AROUND = 24
"""Maximum number of characters before a value in an expression."""

_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
_SPACE = r"(?: |\+|%20)"
_COLON = r"(?::|%3[Aa])"
_COMMA = r"(?:,|%2[Cc])"
_CLOCK = rf"\d\d?{_COLON}\d\d(?:{_COLON}\d\d(?:\.\d+)?)?(?:{_SPACE}?[AaPp]\.?[Mm]\.?(?!\w))?"
_ZONE = rf"(?:Z|{_SPACE}?(?:GMT|UTC)|{_SPACE}?(?:[+-]|%2[Bb])\d\d{_COLON}?\d\d)"
_OF_DAY = rf"(?:(?:T|{_COMMA}?{_SPACE})(?:at )?{_CLOCK}{_ZONE}?)?"
DATES = re.compile(
    "|".join(
        rf"(?<![0-9]){each}"
        for each in (
            rf"\d{{4}}-\d\d-\d\d{_OF_DAY}",  # ISO 8601, RFC 3339
            rf"\d{{8}}T\d{{6}}{_ZONE}?",
            # RFC 9110 section 5.6.7: the preferred form, that of RFC 850, and asctime's
            rf"(?:{_DAY}{_COMMA}{_SPACE})?\d\d?(?:{_SPACE}|-){_MONTH}(?:{_SPACE}|-)\d{{2,4}}{_OF_DAY}",
            rf"(?:{_DAY}{_COMMA}?{_SPACE})?{_MONTH}{_SPACE}{{1,2}}\d\d?{_SPACE}{_CLOCK}{_SPACE}\d{{4}}",
            rf"(?:{_DAY}{_COMMA}?{_SPACE})?{_MONTH}{_SPACE}\d\d?{_COMMA}{_SPACE}\d{{4}}{_OF_DAY}",
            rf"(?:\d\d?[/.-]\d\d?[/.-](?:19|20)\d\d|(?:19|20)\d\d[/.]\d\d?[/.]\d\d?){_OF_DAY}",
            rf"(?:\d\d?/\d\d?/\d\d|\d\d\.\d\d\.\d\d)(?!\d){_OF_DAY}",
            rf"{_CLOCK}{_ZONE}?",
        )
    )
)
"""Dates and times, also in URLs. Each is one token, so that no part of today's date is in an
expression, which would not match tomorrow."""
_PARTS_OF_DATES = re.compile(rf"\d{{1,2}}|(?:19|20)\d\d|{_DAY}|{_MONTH}")
_IN_DATES = re.compile(rf"%[0-9A-Fa-f]{{2}}|\d+|{_DAY}|{_MONTH}|[AaPp]\.?[Mm]\.?|.", re.DOTALL)


def broad(ignore: Ignore) -> str:
    """What a proposal ignores in addition to its value; empty if nothing."""
    if ignore.kind != "regex" or re.compile(ignore.where).groups:
        return ""
    return f"{SHAPES.get(ignore.where, 'every date or time of this form')} in all responses"


def propose(one: Response, two: Response) -> tuple[Ignore, ...]:
    """The values to ignore to make both the same, as far as they can be determined."""
    found = dict.fromkeys(_fields(one, two))
    if one.body != two.body:
        found |= dict.fromkeys(_content(one, two))
    return tuple(each for each in found if apply(one, [each]) != one)


def _fields(one: Response, two: Response) -> Iterator[Ignore]:
    if [name.lower() for name, _ in one.fields] != [name.lower() for name, _ in two.fields]:
        return
    for (name, ours), (_, theirs) in zip(one.fields, two.fields, strict=True):
        if ours == theirs or name.lower() in NEVER_COMPARED:
            continue
        if name.lower() == b"set-cookie":
            yield Ignore(kind="cookie", where=ours.partition(b"=")[0].decode("latin-1").strip())
        else:
            yield Ignore(kind="header", where=name.decode("latin-1").lower())


def _content(one: Response, two: Response) -> Iterator[Ignore]:
    try:
        yield from list(_json(json.loads(one.body), json.loads(two.body), "$"))
    except (ValueError, RecursionError):
        try:
            yield from _text(one.body.decode(), two.body.decode())
        except UnicodeDecodeError:
            return  # binary content, such as an image, in which no value can be located


def _json(one: Any, two: Any, path: str) -> Iterator[Ignore]:
    """The members that differ; the same for all items of a list, whose length may change too."""
    if isinstance(one, dict) and isinstance(two, dict) and one.keys() == two.keys():
        for name in one:
            step = f".{name}" if PLAIN.fullmatch(name) else f"['{name}']"
            yield from _json(one[name], two[name], path + step)
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for ours, theirs in zip(one, two, strict=True):
            yield from _json(ours, theirs, path + "[*]")
    elif one != two:
        yield Ignore(kind="json", where=path)


def _text(one: str, two: str) -> Iterator[Ignore]:
    ours, theirs = one.splitlines(), two.splitlines()
    for kind, start, end, other, last in difflib.SequenceMatcher(
        None, ours, theirs, autojunk=False
    ).get_opcodes():
        if kind == "equal":
            continue
        if kind != "replace" or end - start != last - other:
            return  # added or removed lines, which no expression can ignore safely
        for a, b in zip(ours[start:end], theirs[other:last], strict=True):
            yield from _line(a, b)


def _tokens(line: str) -> list[str]:
    found, at = [], 0
    for date in DATES.finditer(line):
        found += [*WORDS.findall(line[at : date.start()]), date[0]]
        at = date.end()
    return found + WORDS.findall(line[at:])


def _line(one: str, two: str) -> Iterator[Ignore]:
    """An expression for each difference in a line; none if it would be too general."""
    ours, theirs = _tokens(one), _tokens(two)
    if len(ours) != len(theirs):
        yield from _span(ours, theirs)
        return
    before: list[Before] = []
    for number, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        after = ours[number + 1 : number + 2]  # the whole rest would be quadratic
        if a != b:
            yield from _value(before, (a, b), after)
        before.append((a, _any_of((a, b), after) if a != b else None))


def _span(ours: list[str], theirs: list[str]) -> Iterator[Ignore]:
    """An expression for everything from the first token that differs to the last."""
    most = min(len(ours), len(theirs))
    begin = next((i for i in range(most) if ours[i] != theirs[i]), most)
    end = next((i for i in range(most - begin) if ours[-1 - i] != theirs[-1 - i]), most - begin)
    values = ["".join(each[begin : len(each) - end]) for each in (ours, theirs)]
    before = [(token, None) for token in ours[:begin]]
    yield from _value(before, (values[0], values[1]), ours[len(ours) - end :])


def _value(
    before: Sequence[Before], values: tuple[str, str], after: Sequence[str]
) -> Iterator[Ignore]:
    """An expression for a value by what precedes it in its line, or else by its form.

    With too little before it, an expression would ignore half of every response; then only values
    with a recognisable form are proposed.
    """
    date = _date_of_both(values)
    context: list[str] = []
    known = size = 0
    for token, pattern in reversed(before):
        if size >= AROUND or (pattern is not None and known >= LEAST):
            break
        size += len(token)
        part = pattern or (_date(token) if DATES.fullmatch(token) else _literal(token))
        known += len(token.strip()) * (part == re.escape(token))
        context.insert(0, part)
    if known < LEAST:
        if date:
            yield Ignore(kind="regex", where=date)
        yield from (
            Ignore(kind="regex", where=shape)
            for shape in SHAPES
            if all(re.fullmatch(shape, value) for value in values)
        )
        return
    anchor = "(?m)^" if len(context) == len(before) else ""
    where = f"{anchor}{''.join(context)}({_any_of(values, after)})"
    yield Ignore(kind="regex", where=where.replace("\\ ", " "))


def _any_of(values: tuple[str, str], after: Sequence[str]) -> str:
    """An expression for any value in place of ``values``."""
    return _date_of_both(values) or (f"[^{re.escape(after[0][0])}]*" if after else ".*")


def _date_of_both(values: tuple[str, str]) -> str:
    """An expression for dates of the form of ``values``; empty if they have no common form."""
    looks = [_date(value) if DATES.fullmatch(value) else "" for value in values]
    return looks[0] if looks[0] == looks[1] else ""


def _literal(token: str) -> str:
    """A token before a value, which may be part of a date in an unknown form."""
    if not _PARTS_OF_DATES.fullmatch(token):
        return re.escape(token)
    return r"\d+" if token.isdecimal() else r"\w+\.?"


def _date(text: str) -> str:
    """An expression for all dates of the form of ``text``."""
    return "".join(_in_date(part) for part in _IN_DATES.findall(text)).replace("\\ ", " ")


def _in_date(part: str) -> str:
    if part.isdecimal():
        return r"\d+"
    if re.fullmatch(f"{_DAY}|{_MONTH}", part):
        return r"[A-Z][a-z]+" + r"\.?" * part.endswith(".")
    return r"[AaPp]\.?[Mm]\.?" if part[:1] in "AaPp" and part[1:] else re.escape(part)


def settled(ask: Ask, one: Response, two: Response, ignores: Sequence[Ignore]) -> bool:
    """Whether two responses to ``ask`` are the same after ``ignores`` and the declared rules."""
    first, second = (normal(apply(each, ignores), ask.method) for each in (one, two))
    return not difference(first, second)
