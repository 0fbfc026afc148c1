"""What the plugin and its checks share, and what costs nothing to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    pass

AXES = ("servers", "apps", "limits", "pythons")
RUN = pytest.StashKey["Run"]()
"""The run of this session, once there is one."""
NOTICE = pytest.StashKey[str]()
"""What the choice of the engine has to say of itself."""
