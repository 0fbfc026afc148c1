"""What an app changes by itself: two answers to the same request → what to leave out.

The reference cell is run twice. What differs between the two runs is no difference of servers, and
is proposed as an ``--ignore``: the narrowest that makes the two the same.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from wsgi_matrix.answers import Answer
from wsgi_matrix.normalise import LEFT_OUT, difference, normal
from wsgi_matrix.traffic.ignore import Ignore, apply
from wsgi_matrix.traffic.model import Ask

PLAIN = re.compile(r"[A-Za-z_][\w-]*")
TOKEN = re.compile(r"[\w.+/=:-]")
WORDS = re.compile(r"[\w.+/=:-]+|[^\w.+/=:-]")
"""Characters of ids, dates and tokens: what two of them share at an end is theirs all the same."""
NEVER_COMPARED = LEFT_OUT | {b"etag", b"last-modified"}
SHAPES = (
    r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
    r"\b[0-9a-f]{16,}\b",
    r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.+:Z-]*",
    r"\b\d\d:\d\d:\d\d\b",
)
"""UUIDs, digests, times."""
LEAST = 4
"""Characters before a value that are enough to find it by."""
AROUND = 24
"""Characters before a value that say where it is."""


def propose(one: Answer, two: Answer) -> tuple[Ignore, ...]:
    """What to leave out, so that the two are the same; what cannot be told is not in it."""
    found = dict.fromkeys(_fields(one, two))
    if one.body != two.body:
        found |= dict.fromkeys(_content(one, two))
    return tuple(each for each in found if apply(one, [each]) != one)


def _fields(one: Answer, two: Answer) -> Iterator[Ignore]:
    if [name.lower() for name, _ in one.fields] != [name.lower() for name, _ in two.fields]:
        return
    for (name, ours), (_, theirs) in zip(one.fields, two.fields, strict=True):
        if ours == theirs or name.lower() in NEVER_COMPARED:
            continue
        if name.lower() == b"set-cookie":
            yield Ignore(kind="cookie", where=ours.partition(b"=")[0].decode("latin-1").strip())
        else:
            yield Ignore(kind="header", where=name.decode("latin-1").lower())


def _content(one: Answer, two: Answer) -> Iterator[Ignore]:
    try:
        yield from _json(json.loads(one.body), json.loads(two.body), "$")
    except ValueError:
        try:
            yield from _text(one.body.decode(), two.body.decode())
        except UnicodeDecodeError:
            return  # an image that is never the same: nobody can say where in it


def _json(one: Any, two: Any, path: str) -> Iterator[Ignore]:
    """The members that differ; all of a list alike, for its length may change too."""
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
            return  # lines that come and go: no expression leaves those out safely
        for a, b in zip(ours[start:end], theirs[other:last], strict=True):
            yield from _line(a, b)


def _line(one: str, two: str) -> Iterator[Ignore]:
    """An expression for each thing that differs in a line; none where it would say too little."""
    ours, theirs = WORDS.findall(one), WORDS.findall(two)
    if len(ours) != len(theirs):
        yield from _span(one, two)
        return
    before = "^"
    for number, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        if a == b:
            before += a
        else:
            yield from _value(before, (a, b), "".join(ours[number + 1 : number + 2])[:1])
            before = ""


def _span(one: str, two: str) -> Iterator[Ignore]:
    """An expression for all between the first difference of two lines and the last."""
    begin = next((i for i, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), None)
    begin = min(len(one), len(two)) if begin is None else begin
    while begin and TOKEN.match(one[begin - 1]):
        begin -= 1
    end = 0
    while end < min(len(one), len(two)) - begin and one[-1 - end] == two[-1 - end]:
        end += 1
    while end and TOKEN.match(one[len(one) - end]):
        end -= 1
    values = (one[begin : len(one) - end], two[begin : len(two) - end])
    yield from _value("^" + one[:begin], values, one[len(one) - end :][:1])


def _value(before: str, values: tuple[str, str], after: str) -> Iterator[Ignore]:
    """An expression for a value by what stands before it, or else by its shape.

    A ``^`` at the start of ``before`` is the line's. With too little before it, an expression would
    leave out half of every answer: then only a shape that nothing else has is taken.
    """
    start, text = before.startswith("^"), before.removeprefix("^")
    if len(text.strip()) < LEAST:
        yield from (
            Ignore(kind="regex", where=shape)
            for shape in SHAPES
            if all(re.fullmatch(shape, value) for value in values)
        )
        return
    value = f"[^{re.escape(after)}]*" if after else ".*"
    anchor = "(?m)^" if start and len(text) <= AROUND else ""
    where = f"{anchor}{re.escape(text[-AROUND:])}({value})"
    yield Ignore(kind="regex", where=where.replace("\\ ", " "))


def settled(ask: Ask, one: Answer, two: Answer, ignores: Sequence[Ignore]) -> bool:
    """Whether two answers to ``ask`` are the same after ``ignores`` and the declared rules."""
    first, second = (normal(apply(each, ignores), ask.method) for each in (one, two))
    return not difference(first, second)
