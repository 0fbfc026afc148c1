"""Shared by the tests of conformance: patience that fits scripted servers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from wsgi_matrix.probe.agent import load_adjusted_clock, scenario_scheduler


@pytest.fixture(autouse=True)
def a_server_that_is_gone_stays_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A real one has seconds to replace a worker; a script never listens again."""
    monkeypatch.setattr(scenario_scheduler, "DYING", 0.1)


@pytest.fixture(autouse=True, scope="module")
def the_clock_ends() -> Iterator[None]:
    """A probe needs it until it ends; here its thread would look at the machine in all tests."""
    yield
    load_adjusted_clock._clock.clear()
