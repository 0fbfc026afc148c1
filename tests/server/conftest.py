"""Fixtures for the tests of onegate."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from hypothesis import HealthCheck, settings
from onegate.config.settings import Settings
from onegate.logs import log_files

from tests.server.helpers import HELLO, Server, serving, wait_for
from tests.server.loads import ECHO
from tests.server.masters import ClosableState, uninstall_logs
from tests.server.processes import children

if TYPE_CHECKING:
    from collections.abc import Iterator

# No test depends on how fast the machine is; what CI sets is kept.
settings.register_profile(
    "onegate", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("onegate")


class Serve(Protocol):
    """See :func:`tests.server.helpers.serving`, whose keywords it takes."""

    def __call__(self, source: str = HELLO, *options: str, **keywords: object) -> Server: ...


class MakeState(Protocol):
    """See :func:`make_state`."""

    def __call__(self, **settings: object) -> ClosableState: ...


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """``serve(source, *options)`` starts a server that is stopped, with status 0, after the test.

    A server for all tests of a module is a fixture of that module's own, around ``serving``.
    """
    with contextlib.ExitStack() as stack:
        count = 0

        def start(source: str = HELLO, *options: str, **keywords: object) -> Server:
            nonlocal count
            count += 1
            folder = tmp_path / f"server-{count}"
            folder.mkdir()
            return stack.enter_context(serving(folder, source, *options, **keywords))  # type: ignore[arg-type]

        yield start


@pytest.fixture
def load_server(tmp_path: Path) -> Iterator[Server]:
    """Two workers, for :func:`tests.server.loads.under_load`."""
    with serving(tmp_path, ECHO, "--workers", "2") as server:
        wait_for(lambda: len(children(server.process.pid)) == 2, "two workers")
        yield server


@pytest.fixture
def error_log_file(tmp_path: Path) -> Iterator[Path]:
    """The error log of this process, for one test."""
    path = tmp_path / "error.log"
    log_files.configure(Settings(error_logfile=str(path)))
    yield path
    uninstall_logs()


@pytest.fixture
def make_state() -> Iterator[MakeState]:
    """``make_state(**settings)`` makes a :class:`tests.server.masters.ClosableState`, and closes it
    after the test, which then may have left nothing else open."""
    before = descriptors()
    with contextlib.ExitStack() as stack:
        yield lambda **settings: stack.enter_context(contextlib.closing(ClosableState(**settings)))
    uninstall_logs()
    assert descriptors() == before


def descriptors() -> dict[str, str]:
    """What this process has open, by number."""
    found = {}
    for path in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # that of this loop
            found[path.name] = str(path.readlink())
    return found
