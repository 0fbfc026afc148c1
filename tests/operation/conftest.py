"""Fixtures for the tests of docs/operation.md: a real systemd and a real nginx.

Where one of them cannot be had, tests are skipped, but under CI they fail.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.operation.service_manager import ROOT, SYSTEMD, Manager, hierarchies
from tests.programs import absent, program

if TYPE_CHECKING:
    from collections.abc import Iterator


def _privileged() -> bool:
    """Whether a mount namespace and control groups can be made."""
    names = " ".join(str(each / f"onegate-tests-{os.getpid()}-try") for each in hierarchies())
    command = [*ROOT, "unshare", "--mount", "sh", "-c", f"mkdir {names} && rmdir {names}"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.fixture(scope="session")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Manager]:
    """The one systemd of these tests."""
    program("systemctl")
    program(SYSTEMD)
    if not hierarchies():
        absent("no control groups of systemd are mounted")
    if not _privileged():
        absent("a systemd of one's own needs root (or sudo without a password) and control groups")
    started = Manager(tmp_path_factory.mktemp("sd"))
    try:
        started.wait()
        yield started
    finally:
        started.end()


@pytest.fixture(scope="session")
def nginx() -> str:
    """The path of nginx."""
    return program("nginx")
