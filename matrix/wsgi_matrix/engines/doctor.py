"""What examining an engine yields."""

from __future__ import annotations

from dataclasses import dataclass

NOFILE, NPROC = 64, 8
"""What is asked for, on every engine."""


@dataclass(frozen=True)
class Finding:
    """One thing that a cell is made of: what was asked for, what was seen, whether it holds."""

    what: str
    asked: str
    seen: str
    holds: bool
