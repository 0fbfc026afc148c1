"""Shared by the tests of wsgi-matrix that are not fixtures: paths, waiting, an engine to change."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wsgi_matrix.util import process_owner

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
PLAIN = HERE / "plain.toml"
"""A matrix of another server than ours; its apps and the server are beside it."""


class EngineProxy:
    """An engine with one thing changed by a subclass; everything else is the engine's own."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


def wait_until(condition: Callable[[], Any], deadline: float = 120.0) -> Any:
    """The first true value of ``condition``; fails after ``deadline`` seconds."""
    until = time.monotonic() + deadline
    while not (value := condition()):
        assert time.monotonic() < until, "the condition was not met in time"
        time.sleep(0.01)
    return value


def gone(pid: int) -> bool:
    """Whether no process has this pid."""
    return process_owner.start_time(pid) is None
