"""Keys that the plugin and its checks share; cheap to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from wsgi_matrix.model.results import Run

AXES = ("servers", "apps", "limits", "pythons")
RUN: pytest.StashKey[Run] = pytest.StashKey()
"""The run of this session, after it has ended."""
NOTICE = pytest.StashKey[str]()
"""The notice on the choice of the engine."""
