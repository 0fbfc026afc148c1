"""Limits are for the server. The clients of these tests need descriptors."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.server.helpers import Server, serving
from tests.server.loads import ECHO

LAUNCHER = str(Path(__file__).with_name("launcher.py"))
_NEEDED = 4096


@pytest.fixture(scope="session", autouse=True)
def descriptors_for_clients() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < _NEEDED:
        if hard < _NEEDED:
            pytest.skip(f"the hard limit of open files is {hard}: too few for 1,000 clients")
        resource.setrlimit(resource.RLIMIT_NOFILE, (_NEEDED, hard))


class Limited(Protocol):
    """``limited(source, *options, uid=0, nofile=…, nproc=…)``."""

    def __call__(
        self, source: str = ECHO, *options: str, uid: int = 0, **limits: int
    ) -> Server: ...


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Limited]:
    """Start a server under limits; it has to end with status 0 after the test."""
    with contextlib.ExitStack() as stack:

        def start(source: str = ECHO, *options: str, uid: int = 0, **limits: int) -> Server:
            command = (sys.executable, "-I", "-S", LAUNCHER, json.dumps(limits), str(uid))
            return stack.enter_context(serving(tmp_path, source, *options, launcher=command))

        yield start


@pytest.fixture
def a_uid() -> int:
    """One that nobody else has: RLIMIT_NPROC counts per uid over the whole machine."""
    if os.geteuid():
        pytest.skip("needs root, to become a user of its own")
    return 300_000 + os.getpid()
