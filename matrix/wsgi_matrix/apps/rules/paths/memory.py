"""What calls have left behind, for a later call to tell. It needs one process to see all."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import Any

_lock = threading.Lock()
_notes: dict[str, list[Any]] = defaultdict(list)


def note(name: str, value: Any) -> None:
    """Remember ``value``, which JSON can hold, under ``name``."""
    with _lock:
        _notes[name].append(value)


def notes(name: str) -> list[Any]:
    """All that is remembered under ``name``, in order."""
    with _lock:
        return list(_notes[name])
