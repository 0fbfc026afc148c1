"""``onegate.process.signals``: noted by a master, left to the kernel by its children."""

from __future__ import annotations

import subprocess
import sys

from tests.server.helpers import DEADLINE

NOTES = """
import os, signal
from onegate.process.signals import SelfPipe

pipe = SelfPipe()
print(pipe.pending())
pipe.install()
for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGHUP):
    os.kill(os.getpid(), number)
print([number.name for number in pipe.pending()])
print(pipe.pending())
"""
RELEASES = """
import signal
from onegate.process.signals import SIGNALS, SelfPipe, release

SelfPipe().install()
release()
print(signal.set_wakeup_fd(-1))
for number in SIGNALS:
    print(number.name, signal.getsignal(number).name)
"""


def output(source: str) -> list[str]:
    """Of a process of its own: how this one treats signals is pytest's."""
    ended = subprocess.run(
        (sys.executable, "-c", source), capture_output=True, timeout=DEADLINE, check=True, text=True
    )
    return ended.stdout.splitlines()


def test_what_came_is_noted_in_order_and_once() -> None:
    assert output(NOTES) == ["[]", "['SIGHUP', 'SIGTERM', 'SIGHUP']", "[]"]


def test_a_child_notes_nothing_and_ignores_what_is_the_masters() -> None:
    descriptor, *lines = output(RELEASES)
    assert descriptor == "-1"
    treated = dict(line.split() for line in lines)
    ended_by = {name for name, treatment in treated.items() if treatment == "SIG_DFL"}
    assert ended_by == {"SIGTERM", "SIGINT", "SIGQUIT", "SIGCHLD"}
    assert {treated[name] for name in treated.keys() - ended_by} == {"SIG_IGN"}
