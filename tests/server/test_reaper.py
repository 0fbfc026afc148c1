"""``onegate.master.reaper``: nobody stays a zombie, and what children died of."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from onegate.master import reaper

from tests.server.helpers import DEADLINE, Server, wait_for, write_app
from tests.server.processes import children

if TYPE_CHECKING:
    pass

ORPHANS = """
import os

def app(environ, start_response):
    if not os.fork():
        if not os.fork():
            os._exit(9)
        os._exit(0)
    os.wait()
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be process 1 of a namespace")
def test_as_process_1_it_reaps_orphans_and_their_status_counts_as_nothing(tmp_path: Path) -> None:
    write_app(tmp_path, ORPHANS)
    process = subprocess.Popen(
        [
            *("unshare", "--pid", "--fork", "--kill-child"),
            *(sys.executable, "-m", "onegate", "served:app", "--bind", "127.0.0.1:0"),
        ],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    server = Server(process, tmp_path)
    try:
        server.find_port()
        for _ in range(20):
            assert server.get().content == b"ok"
        [master] = children(process.pid)
        wait_for(lambda: "Z" not in children(master).values(), "no zombie")
        # An orphan may be on its way out still; what stays is the worker.
        wait_for(lambda: len(children(master)) == 1, "one worker alone")
        assert "[1] INFO onegate" in server.log
        assert "ERROR" not in server.log
        assert "WARNING" not in server.log
        os.kill(master, signal.SIGUSR2)
        server.wait_for_log("process 1 cannot be replaced")
        assert server.get().content == b"ok"
        os.kill(master, signal.SIGTERM)
        assert process.wait(DEADLINE) == 0
    finally:
        server.kill()


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (0, "exited with 0"),
        (3, "exited with 3"),
        (-signal.SIGSEGV, "was killed by SIGSEGV"),
        (-signal.SIGKILL, "was killed by SIGKILL, not by this server"),
    ],
)
def test_what_a_child_died_of(code: int, cause: str) -> None:
    assert reaper.Autopsy().cause(code) == cause


def test_want_of_memory_is_told_from_other_kills(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = iter([5, 6, 6, 7, 8])
    monkeypatch.setattr(reaper, "oom_kills", lambda: next(counts))
    autopsy = reaper.Autopsy()
    assert autopsy.cause(-signal.SIGKILL) == "was killed by the kernel: out of memory"
    assert autopsy.cause(-signal.SIGKILL) == "was killed by SIGKILL, not by this server"
    assert autopsy.cause(-signal.SIGABRT) == "was killed by SIGABRT"
    assert autopsy.cause(-signal.SIGKILL) == "was killed by the kernel: out of memory"
