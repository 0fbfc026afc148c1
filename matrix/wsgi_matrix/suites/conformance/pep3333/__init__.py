"""The rules of PEP 3333 that can be seen from outside, W1 to W82, a module for each part of it."""

from __future__ import annotations

from wsgi_matrix.model.results import Level
from wsgi_matrix.suites.conformance.pep3333 import (
    environ,
    file_wrapper,
    iterables,
    start_response,
    streams,
)
from wsgi_matrix.suites.conformance.rule import Rule, Unseen

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
UNSEEN = (
    Unseen(
        "W22",
        Level.SHOULD,
        "PEP 3333, environ Variables",
        "what a server documents stands in its documentation",
    ),
    Unseen(
        "W38",
        Level.MUST,
        "PEP 3333, The write() Callable",
        "write() is what start_response returns: there is none to be called before",
    ),
    Unseen(
        "W78",
        Level.SHOULD,
        "PEP 3333, Thread Support",
        "whether a server can be started so that it has one thread is for its command line",
    ),
    Unseen(
        "W79",
        Level.SHOULD,
        "PEP 3333, Application Configuration",
        "whether variables can be added by the deployer is for its command line",
    ),
)
"""Rows without a rule here."""
