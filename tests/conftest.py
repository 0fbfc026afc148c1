"""What holds for all tests."""

from __future__ import annotations

import importlib.util
import signal
from collections.abc import Generator, Iterator
from typing import Any

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


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Where there are several processes (pytest-xdist), reports go from one to another in UTF-8.
    What a test logged may be half of a surrogate pair, which has no octets in it."""
    return encodable((yield))


def encodable(value: Any) -> Any:
    """``value`` with escapes for what has no octets in UTF-8, however deep it is."""
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {encodable(key): encodable(each) for key, each in value.items()}
        case list() | tuple():
            return type(value)(map(encodable, value))
    return value
