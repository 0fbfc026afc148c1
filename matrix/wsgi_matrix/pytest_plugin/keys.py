"""What the plugin and its checks share, and what costs nothing to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from wsgi_matrix.model.results import Run

AXES = ("servers", "apps", "limits", "pythons")
RUN: pytest.StashKey[Run] = pytest.StashKey()
"""The run of this session, once there is one."""
NOTICE = pytest.StashKey[str]()
"""What the choice of the engine has to say of itself."""
