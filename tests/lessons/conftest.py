"""Shared by the tests of the lessons."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.lessons import sessions as of_the_pages

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def sessions():
    """docs/lessons/sessions.py as a module."""
    return of_the_pages


@pytest.fixture(scope="session")
def ran(sessions):
    """The outputs of all sessions, run once: by the name of the page, in order of commands."""
    return sessions.run(list(sessions.pages()))
