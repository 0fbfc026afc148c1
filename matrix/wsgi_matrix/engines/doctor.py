"""The findings of ``wsgi-matrix doctor``."""

from __future__ import annotations

from dataclasses import dataclass

NOFILE, NPROC = 64, 8
"""The limits that are requested, on every engine."""


@dataclass(frozen=True)
class Finding:
    """One property that cells rely on: what was requested, what was observed, whether it holds."""

    what: str
    requested: str
    observed: str
    holds: bool
