"""Notes of calls, for a later call to report. All calls must be in the same process."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import Any

_noted = threading.Condition()
_notes: dict[str, list[Any]] = defaultdict(list)


def note(name: str, value: Any) -> None:
    """Store ``value``, which must be serialisable as JSON, under ``name``."""
    with _noted:
        _notes[name].append(value)
        _noted.notify_all()


def begin(*names: str) -> None:
    """Forget the notes under ``names``, for a scenario that runs again."""
    with _noted:
        for name in names:
            _notes.pop(name, None)


def notes(name: str) -> list[Any]:
    """All notes under ``name``, in order."""
    with _noted:
        return list(_notes[name])


def wait(name: str, count: int, seconds: float) -> list[Any]:
    """The notes under ``name``, once there are ``count`` or ``seconds`` have passed."""
    with _noted:
        _noted.wait_for(lambda: len(_notes[name]) >= count, seconds)
        return list(_notes[name])
