"""``onegate.master.child_main``: a child ends at one place, and as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from onegate.master.child_main import BootError, run_child
from onegate.master.process_table import Role
from onegate.process.hooks import HookError

from tests.server.helpers import HELLO, Server, wait_for, write_app
from tests.server.processes import children

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.server.conftest import Serve


def status_of(main: Callable[[], None]) -> int:
    """The exit status of a child that runs ``main``."""
    pid = os.fork()
    if not pid:
        run_child(Role.WORKER, main)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize(
    ("raised", "status"),
    [
        (None, 0),
        (SystemExit(), 0),
        (SystemExit(7), 7),
        (SystemExit("why"), 1),
        (BootError(), 3),
        (HookError("post_fork"), 3),
        (ValueError("told"), 1),
        (KeyboardInterrupt(), 1),
    ],
    ids=repr,
)
def test_how_a_child_ends_is_its_exit_status(raised: BaseException | None, status: int) -> None:
    def main() -> None:
        if raised is not None:
            raise raised

    assert status_of(main) == status


ENDS = """
import atexit, threading, time

file = open("file", "w")
file.write("never flushed")
binary = open("binary", "wb")
binary.write(b"nor this one")

def last():
    with open("called", "a") as called:
        called.write("atexit ")

def waits():
    while threading.main_thread().is_alive():
        time.sleep(0.01)
    with open("called", "a") as called:
        called.write("thread ")

def app(environ, start_response):
    if environ["PATH_INFO"] == "/begin":
        atexit.register(last)
        threading.Thread(target=waits, daemon=False).start()
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


@pytest.mark.parametrize("options", [(), ("--preload",), ("--threads", "2")])
def test_what_an_application_leaves_open_is_written_at_the_end(
    serve: Serve, options: tuple[str, ...]
) -> None:
    """As by the end of an interpreter: first its threads, then what it has registered.

    But what was buffered before workers were forked is not written by each of them.
    """
    shared = "--preload" in options
    server = serve(ENDS, *options)
    assert server.get("/begin").content == b"ok"
    assert server.stop() == 0
    assert (server.folder / "file").read_text() == ("" if shared else "never flushed")
    assert (server.folder / "binary").read_bytes() == (b"" if shared else b"nor this one")
    assert (server.folder / "called").read_text() == "thread atexit "


@pytest.mark.parametrize("options", ["", "'--preload', "])
def test_what_called_main_goes_on_in_the_master_alone(tmp_path: Path, options: str) -> None:
    write_app(tmp_path, HELLO)
    (tmp_path / "program.py").write_text(
        f"""
import os, sys
sys.argv = ["prog", "served:app", {options}"--bind", "127.0.0.1:0", "--workers", "2"]
from onegate.cli import main
try:
    sys.exit(main())
finally:
    with open("finally", "a") as file:
        file.write(str(os.getpid()))
"""
    )
    process = subprocess.Popen(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    server = Server(process, tmp_path)
    try:
        server.find_port()
        wait_for(lambda: len(children(process.pid)) == (3 if options else 2), "all children")
        assert server.get().status == 200
        assert server.stop() == 0
        assert (tmp_path / "finally").read_text() == str(process.pid)
    finally:
        server.kill()
