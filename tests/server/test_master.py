"""``onegate.master.master``: its loop."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.server.helpers import HELLO, serving, wait_for
from tests.server.processes import children, processor_seconds

if TYPE_CHECKING:
    from tests.server.conftest import Serve


def test_usr1_reopens_the_logs_of_every_process(tmp_path: Path) -> None:
    options = ("--access-log", "common", "--access-logfile", "access", "--workers", "2")
    with serving(tmp_path, HELLO, *options) as server:
        access = tmp_path / "access"
        assert server.get("/before").status == 200
        wait_for(lambda: "/before" in access.read_text(), "the first line")
        access.rename(tmp_path / "rotated")
        server.process.send_signal(signal.SIGUSR1)
        wait_for(access.exists, "the new file")

        def everybody() -> bool:
            old = (tmp_path / "rotated").read_text()
            for _ in range(10):
                assert server.get("/after").status == 200
            return (tmp_path / "rotated").read_text() == old

        wait_for(everybody, "no more lines in the old file")
        assert "/after" in access.read_text()


def test_nobody_spins_when_there_is_nothing_to_do(serve: Serve) -> None:
    server = serve(HELLO, "--preload", "--threads", "2", "--status", "127.0.0.1:0")
    assert server.get().status == 200
    # The worker is the master's child when the process between the two forks has ended.
    wait_for(lambda: len(children(server.process.pid)) == 3, "worker, zygote, status")
    pids = [server.process.pid, *children(server.process.pid)]
    before = [processor_seconds(pid) for pid in pids]
    time.sleep(1)  # the time itself is under test
    used = [processor_seconds(pid) - then for pid, then in zip(pids, before, strict=True)]
    assert max(used) < 0.2, used
