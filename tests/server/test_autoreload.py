"""``--reload``: a change of a file is served, a broken one is waited out."""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
import time
import types
from typing import TYPE_CHECKING

import pytest
from onegate.config.settings import Settings
from onegate.worker import autoreload

from tests.server.helpers import DEADLINE, wait_for, write_app
from tests.server.processes import children

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import Serve
    from tests.server.helpers import Server

pytestmark = pytest.mark.slow
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
    wait_for(lambda: server.get().status == 500, "the answer that it is broken")
    response = server.get()
    assert 'served.py", line 1' in response.text
    assert "SyntaxError" in response.text
    assert response.get("Content-Type") == "text/plain; charset=utf-8"
    server.wait_for_log("SyntaxError")
    served.write_text(APP % "3")
    answers(server, "3")


def test_an_application_that_is_broken_from_the_start_is_waited_for(serve: Serve) -> None:
    server = serve("import gone_missing", "--reload")
    response = server.get()
    assert response.status == 500
    assert "ModuleNotFoundError: No module named 'gone_missing'" in response.text
    server.wait_for_log("ModuleNotFoundError")
    write_app(server.folder, APP % "4")
    answers(server, "4")


def test_an_error_in_a_file_elsewhere_is_waited_out(serve: Serve, tmp_path: Path) -> None:
    """It was never imported, and lies outside of the directory that is looked at."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "other.py").write_text("this is no Python")
    path = {"PYTHONPATH": os.pathsep.join(filter(None, [str(elsewhere), os.getenv("PYTHONPATH")]))}
    server = serve("from other import app", "--reload", environ=path)
    assert server.get().status == 500
    (elsewhere / "other.py").write_text(APP % "5")
    answers(server, "5")


def test_with_a_zygote(serve: Serve) -> None:
    """It is what has loaded the application, and is made anew as by HUP."""
    server = serve(APP % "1", "--reload", "--preload", "--workers", "2")
    answers(server, "1")
    served = server.folder / "served.py"
    for text in ("2", "3"):
        served.write_text(APP % text + "\n" * int(text))
        wait_for(lambda text=text: {server.get().text for _ in range(9)} == {text}, "the new code")  # type: ignore[misc]
    served.write_text("this is no Python")
    wait_for(
        lambda: {server.get().status for _ in range(9)} == {500}, "the answer that it is broken"
    )
    assert "SyntaxError" in server.get().text
    served.write_text(APP % "4")
    wait_for(lambda: {server.get().text for _ in range(9)} == {"4"}, "the new code")
    wait_for(lambda: len(children(server.process.pid)) == 3, "a zygote and two workers")
    assert "next try" not in server.log, "made again and again"


def test_directories_of_others_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ours = ["app.py", "package/module.py", "package/.venv.py"]
    others = ["env/lib/x.py", "package/node_modules/x.py", ".tox/x.py", "site-packages/x.py"]
    for name in (*ours, *others):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "env" / "pyvenv.cfg").touch()
    (tmp_path / "loop").symlink_to(".")
    found = autoreload.files(Settings(app="x"))
    assert {name for name in found if name.startswith(f"{tmp_path}/")} == {
        str(tmp_path / name) for name in ours
    }


def test_names_that_are_no_names_and_directories_that_nobody_may_read_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "odd", types.SimpleNamespace(__file__=3))  # type: ignore[arg-type]
    assert autoreload.files(Settings(app="x"))
    monkeypatch.chdir("/proc")
    assert autoreload.files(Settings(app="x"))


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
        autoreload.wait(settings, read, time.time())
        ended.set()

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        (tmp_path / "other.txt").write_text("2")
        assert not ended.wait(2.5 * autoreload._LOOK_SECONDS)
        (tmp_path / name).write_text("2")
        assert ended.wait(DEADLINE)
    finally:
        os.close(write)
        thread.join(DEADLINE)
        os.close(read)


@pytest.mark.parametrize("copied", [False, True])
def test_what_was_written_while_the_application_was_loaded_is_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copied: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    began = time.time()
    wait_for(lambda: time.time() > began + 0.02, "the clock of the file system")
    (tmp_path / "loaded.py").write_text("1")
    if copied:  # with the time of its last modification elsewhere
        os.utime(tmp_path / "loaded.py", (1, 1))
    wait_for(lambda: time.time() > began + 0.05, "the clock of the file system")
    read, write = os.pipe()
    with os.fdopen(read), os.fdopen(write, "wb"):
        autoreload.wait(Settings(app="x"), read, began)


def test_the_end_of_the_master_ends_the_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    read, write = os.pipe()
    os.close(write)
    with os.fdopen(read):
        autoreload.wait(Settings(app="x"), read, time.time())
