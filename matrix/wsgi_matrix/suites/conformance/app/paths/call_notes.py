"""What calls have left behind, for a later call to report. It needs one process to see all."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import Any

_noted = threading.Condition()
_notes: dict[str, list[Any]] = defaultdict(list)


def note(name: str, value: Any) -> None:
    """Remember ``value``, which JSON can hold, under ``name``."""
    with _noted:
        _notes[name].append(value)
        _noted.notify_all()


def begin(*names: str) -> None:
    """Forget what is under ``names``: a scenario that runs once more begins anew."""
    with _noted:
        for name in names:
            _notes.pop(name, None)


def notes(name: str) -> list[Any]:
    """All that is remembered under ``name``, in order."""
    with _noted:
        return list(_notes[name])


def wait(name: str, count: int, seconds: float) -> list[Any]:
    """The notes under ``name``, once there are ``count`` or ``seconds`` have passed."""
    with _noted:
        _noted.wait_for(lambda: len(_notes[name]) >= count, seconds)
        return list(_notes[name])
