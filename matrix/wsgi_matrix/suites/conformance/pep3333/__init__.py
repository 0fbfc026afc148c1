"""The rules of PEP 3333 that can be observed from outside, W1 to W82, a module for each part."""

from __future__ import annotations

from wsgi_matrix.model.results import Level
from wsgi_matrix.suites.conformance.pep3333 import (
    environ,
    file_wrapper,
    iterables,
    start_response,
    streams,
)
from wsgi_matrix.suites.conformance.pep3333.report_matchers import pep
from wsgi_matrix.suites.conformance.rule import Rule, Unobservable

RULES: tuple[Rule, ...] = (
    *environ.RULES,
    *streams.RULES,
    *start_response.RULES,
    *iterables.RULES,
    *file_wrapper.RULES,
)
LAST: tuple[Rule, ...] = iterables.LAST
"""Rules that may end the server: they come after all others."""

ROWS = 82
UNOBSERVABLE = (
    Unobservable(
        id="environ/documented",
        alias="W22",
        level=Level.SHOULD,
        cite=pep("environ Variables"),
        title="Variables are documented",
        why="what a server documents is not visible on the wire",
    ),
    Unobservable(
        id="write/before-start-response",
        alias="W38",
        level=Level.MUST,
        cite=pep("The write() Callable"),
        title="write() before start_response()",
        why="start_response returns write(), so it cannot be called before",
    ),
    Unobservable(
        id="server/single-threaded",
        alias="W78",
        level=Level.SHOULD,
        cite=pep("Thread Support"),
        title="Option of a single thread",
        why="running with a single thread is an option of the server's command line",
    ),
    Unobservable(
        id="environ/configured-variables",
        alias="W79",
        level=Level.SHOULD,
        cite=pep("Application Configuration"),
        title="Variables of the deployer",
        why="adding variables is an option of the server's command line",
    ),
)
"""Rows without a rule here."""
