"""Values that a run generates (``{{$guid}}``, the time) in proposed expressions.

An expression that contained one would only match in this run, since the next one sends another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wsgi_matrix.http.response import Response
from wsgi_matrix.suites.traffic.ignore import Ignore

MARK = "\ue000"
"""A private-use character (Unicode section 23.5) as a placeholder for such a value."""
ANY = r"\S*?"
LEAST = 4
"""Minimum length of a value; a shorter one occurs in too many places by chance."""


def masked(response: Response, values: Sequence[str]) -> Response:
    """``response`` with a mark for each of ``values``."""
    mark = MARK.encode()
    for value in sorted(values, key=len, reverse=True):
        octets = value.encode()
        if len(value) >= LEAST and (octets in response.body or _in_fields(octets, response)):
            fields = tuple((name, each.replace(octets, mark)) for name, each in response.fields)
            response = replace(response, fields=fields, body=response.body.replace(octets, mark))
    return response


def _in_fields(octets: bytes, response: Response) -> bool:
    return any(octets in value for _, value in response.fields)


def unmasked(ignore: Ignore) -> Ignore:
    """``ignore`` with an expression for any value in place of each mark."""
    if ignore.kind != "regex":
        return ignore
    return replace(ignore, where=ignore.where.replace(MARK, ANY))
