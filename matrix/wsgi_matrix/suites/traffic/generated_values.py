"""Values that a run makes (``{{$guid}}``, the time) in what is proposed to be left out.

An expression that quoted one would hold in this run alone: the next one sends another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wsgi_matrix.http.response import Answer
from wsgi_matrix.suites.traffic.ignore import Ignore

MARK = "\ue000"
"""A character for private use (Unicode section 23.5), which stands for such a value meanwhile."""
ANY = r"\S*?"
LEAST = 4
"""Characters of a value; a shorter one is in too many places by chance."""


def masked(answer: Answer, values: Sequence[str]) -> Answer:
    """``answer`` with a mark for each of ``values``."""
    mark = MARK.encode()
    for value in sorted(values, key=len, reverse=True):
        octets = value.encode()
        if len(value) >= LEAST and (octets in answer.body or _in_fields(octets, answer)):
            fields = tuple((name, each.replace(octets, mark)) for name, each in answer.fields)
            answer = replace(answer, fields=fields, body=answer.body.replace(octets, mark))
    return answer


def _in_fields(octets: bytes, answer: Answer) -> bool:
    return any(octets in value for _, value in answer.fields)


def unmasked(ignore: Ignore) -> Ignore:
    """``ignore`` with an expression for any value where a mark is."""
    if ignore.kind != "regex":
        return ignore
    return replace(ignore, where=ignore.where.replace(MARK, ANY))
