"""Whose a leftover is: machine, boot, pid namespace, process."""

from __future__ import annotations

import subprocess
import sys

import pytest
from wsgi_matrix.util.process_owner import is_alive, of_this_boot, owner, start_time

MACHINE, BOOT, NAMESPACE, PID, STARTED = owner().split(".")


def test_this_process_is_alive() -> None:
    assert is_alive(owner())
    assert of_this_boot(owner())


def test_one_that_has_ended_is_not() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    assert start_time(gone.pid) is None
    assert not is_alive(f"{MACHINE}.{BOOT}.{NAMESPACE}.{gone.pid}.{STARTED}")


@pytest.mark.parametrize(
    ("value", "alive", "here"),
    [
        (f"{MACHINE}.{BOOT}.{NAMESPACE}.{PID}.{int(STARTED) + 1}", False, True),
        (f"{MACHINE}.earlier.{NAMESPACE}.{PID}.{STARTED}", False, False),
        (f"{MACHINE}.earlier.other.{PID}.{STARTED}", False, False),
        (f"{MACHINE}.{BOOT}.other.{PID}.{STARTED}", True, False),
        (f"elsewhere.{BOOT}.{NAMESPACE}.{PID}.{STARTED}", True, False),
        (f"elsewhere.other.{NAMESPACE}.{PID}.{STARTED}", True, False),
        ("", False, False),
        ("1-0", False, False),
    ],
    ids=[
        "the id is another's by now", "a power cut", "and another namespace",
        "another container of this machine", "another machine of this boot id", "another machine",
        "none", "of an older version",
    ],
)  # fmt: skip
def test_what_each_part_means(value: str, alive: bool, here: bool) -> None:
    assert is_alive(value) is alive
    assert of_this_boot(value) is here
