"""Shared by the tests of the lessons."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def sessions():
    """docs/lessons/sessions.py as a module."""
    path = ROOT / "docs" / "lessons" / "sessions.py"
    spec = importlib.util.spec_from_file_location("lesson_sessions", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def ran(sessions):
    """The outputs of all sessions, run once: by the name of the page, in order of commands."""
    return sessions.run(list(sessions.pages()))
