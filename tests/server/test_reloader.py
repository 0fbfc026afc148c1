"""``--reload``: a change of a file is served, a broken one is waited out."""

from __future__ import annotations

import importlib.util
import os
import threading
import time
from typing import TYPE_CHECKING

import pytest
from onegate import reloader
from onegate.settings.model import Settings

from tests.server.helpers import DEADLINE, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import Serve
    from tests.server.helpers import Server

APP = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "1")])
    return [b"%s"]
"""


def answers(server: Server, text: str) -> None:
    wait_for(lambda: server.get().text == text, f"the answer {text}")


def test_a_change_is_served_and_an_error_is_waited_out(serve: Serve) -> None:
    server = serve(APP % "1", "--reload")
    answers(server, "1")
    served = server.folder / "served.py"
    served.write_text(APP % "2" + "\n# longer\n")
    answers(server, "2")
    served.write_text("this is no Python")
    server.wait_for_log("SyntaxError")
    served.write_text(APP % "3")
    answers(server, "3")


def test_an_application_that_is_broken_from_the_start_is_waited_for(serve: Serve) -> None:
    server = serve("import gone_missing", "--reload")
    server.wait_for_log("ModuleNotFoundError")
    (server.folder / "served.py").write_text(APP % "4")
    answers(server, "4")


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("name", ["new.py", "old.py", "extra/page.html"])
def test_what_counts_as_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fast: bool, name: str
) -> None:
    if fast:
        pytest.importorskip("watchfiles")
    else:
        monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "extra").mkdir()
    for old in ("old.py", "other.txt", "extra/page.html"):
        (tmp_path / old).write_text("1")
        os.utime(tmp_path / old, (1, 1))
    settings = Settings(app="x", reload_extra_file=("extra/*.html",))
    read, write = os.pipe()
    ended = threading.Event()

    def wait() -> None:
        reloader.wait(settings, read, time.time())
        ended.set()

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        (tmp_path / "other.txt").write_text("2")
        assert not ended.wait(2.5 * reloader._LOOK_SECONDS)
        (tmp_path / name).write_text("2")
        assert ended.wait(DEADLINE)
    finally:
        os.close(write)
        thread.join(DEADLINE)
        os.close(read)


def test_what_was_written_while_the_application_was_loaded_is_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    began = time.time()
    wait_for(lambda: time.time() > began + 0.02, "the clock of the file system")
    (tmp_path / "loaded.py").write_text("1")
    wait_for(lambda: time.time() > began + 0.05, "the clock of the file system")
    read, write = os.pipe()
    with os.fdopen(read), os.fdopen(write, "wb"):
        reloader.wait(Settings(app="x"), read, began)


def test_the_end_of_the_master_ends_the_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    read, write = os.pipe()
    os.close(write)
    with os.fdopen(read):
        reloader.wait(Settings(app="x"), read, time.time())
