"""Shared by the tests of conformance: patience that fits scripted servers."""

from __future__ import annotations

import pytest
from wsgi_matrix.probe.agent import scenario_runner


@pytest.fixture(autouse=True)
def a_server_that_is_gone_stays_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A real one has seconds to replace a worker; a script never listens again."""
    monkeypatch.setattr(scenario_runner, "DYING", 0.1)
