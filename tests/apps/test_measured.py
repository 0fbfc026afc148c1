"""The apps of the benchmark, where their framework is installed."""

from __future__ import annotations

import pytest

from bench.catalogue import APPS as MEASURED
from tests.bench.helpers import check_calls

from .conftest import APPS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Those of the frameworks that are tested here."""
    wanted = metafunc.config.getoption("app") or list(APPS)
    frameworks = {APPS[name].get("framework", "") for name in wanted}
    metafunc.parametrize(
        ("name", "distribution"),
        [
            pytest.param(app.name, app.distribution, id=app.name)
            for app in MEASURED
            if app.name != "payload" and app.distribution in frameworks
        ],
    )


def test_responds_with_the_text_of_the_request(name: str, distribution: str) -> None:
    if distribution:
        pytest.importorskip(distribution)
    assert check_calls(name) == ""
