"""The rules of PEP 3333 that can be seen from outside, W1 to W82, a module for each part of it."""

from __future__ import annotations

from wsgi_matrix.cases.pep3333 import (
    environ,
    file_wrapper,
    iterables,
    start_response,
    streams,
)
from wsgi_matrix.cases.rule import Rule

RULES: tuple[Rule, ...] = (
    *environ.RULES,
    *streams.RULES,
    *start_response.RULES,
    *iterables.RULES,
    *file_wrapper.RULES,
)
LAST: tuple[Rule, ...] = iterables.LAST
"""Rules that may end the server: they are asked for when all others have been."""

ROWS = 82
UNSEEN: tuple[tuple[str, str], ...] = (
    ("W22", "what a server documents stands in its documentation"),
    ("W38", "write() is what start_response returns: there is none to be called before"),
    ("W78", "whether a server can be started so that it has one thread is for its command line"),
    ("W79", "whether variables can be added by the deployer is for its command line"),
)
"""Rows without a rule here, and why."""
