"""What holds for all tests."""

from __future__ import annotations

import importlib.util
import signal
from collections.abc import Iterator

import pytest

from tests import units

# A shell ignores SIGINT for what it starts in the background (POSIX, XCU 2.12), `make test &` say,
# and what is ignored stays so in every process that a test starts and then interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Without it, all other tests can still be named by one word.
collect_ignore = [] if importlib.util.find_spec("selenium") else ["browser"]

GUARD = units.Guard()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    units.mark(items)


def _guarded(item: pytest.Item) -> Iterator[None]:
    if item.get_closest_marker("unit"):
        with GUARD.over(item.name):
            return (yield)
    return (yield)


pytest_runtest_setup = pytest.hookimpl(wrapper=True)(_guarded)
pytest_runtest_call = pytest.hookimpl(wrapper=True)(_guarded)
