"""``onegate.process.hooks``: a Python file with functions, and what becomes of their failures."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

import pytest
from onegate.config.settings import Settings
from onegate.process.hook_loader import ABSENT, functions
from onegate.process.hooks import HOOKS, HookError, Hooks, Server, Worker
from onegate.settings_error import SettingsError

SERVER = Server(os.getpid(), Settings(workers=3))
WORKER = Worker(1, SERVER.cfg)
DECISIVE = ("on_starting", "post_fork", "post_worker_init")
ARGUMENTS = [SERVER, WORKER, "third"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "gunicorn.conf.py"


def test_without_a_file_every_call_does_nothing() -> None:
    hooks = Hooks()
    for name, count in HOOKS.items():
        hooks(name, *ARGUMENTS[:count])


@pytest.mark.parametrize(("name", "count"), HOOKS.items(), ids=list(HOOKS))
def test_each_hook_is_called_with_its_arguments(name: str, count: int, file: Path) -> None:
    file.write_text(f"workers = 9\ncalls = []\ndef {name}(*given): calls.append(given)\n")
    hooks = Hooks(str(file))
    hooks(name, *ARGUMENTS[:count])
    hooks("no such hook")
    assert hooks._functions[name].__globals__["calls"] == [tuple(ARGUMENTS[:count])]  # type: ignore[attr-defined]


def test_what_hooks_see(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    file.write_text(
        "def pre_fork(server, worker):\n"
        "    server.log.info('%d of %d, %d', server.pid, server.cfg.workers, worker.pid)\n"
    )
    with caplog.at_level(logging.INFO, "onegate.error"):
        Hooks(str(file))("pre_fork", SERVER, WORKER)
    assert caplog.messages == [f"{os.getpid()} of 3, 0"]


@pytest.mark.parametrize("error", ["LookupError", "SystemExit"])
@pytest.mark.parametrize(("name", "count"), HOOKS.items(), ids=list(HOOKS))
def test_what_a_hook_raises(
    name: str, count: int, error: str, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text(f"def {name}(*given): raise {error}('told')\n")
    hooks = Hooks(str(file))
    with pytest.raises(HookError) if name in DECISIVE else contextlib.nullcontext():
        hooks(name, *ARGUMENTS[:count])
    assert caplog.messages == [f"hook {name} failed"]
    assert f"{error}: told" in caplog.text


def test_the_addresses_of_the_server() -> None:
    bind = ("127.0.0.1:8000", ":80", "[::1]:81", "unix:/run/sock", "fd://3")
    assert Server(1, Settings(bind=bind)).address == [
        ("127.0.0.1", 8000),
        ("0.0.0.0", 80),
        ("::1", 81),
        "/run/sock",
        3,
    ]


def test_a_file_is_a_module_with_a_loader_that_leaves_nothing_beside_it(file: Path) -> None:
    """Without one, a traceback through a hook is a DeprecationWarning from Python 3.15 on."""
    file.write_text("def on_exit(server): ...\n")
    module = functions(str(file), HOOKS)["on_exit"].__globals__  # type: ignore[attr-defined]
    assert module["__spec__"].loader.get_source("__config__") == file.read_text()
    assert module["__file__"] == str(file)
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def pre_fork(server): ...", "pre_fork must accept 2 arguments"),
        ("def on_exit(): ...", "on_exit must accept 1 argument$"),
        ("on_exit = 3", "on_exit is not callable"),
        ("raise LookupError('told')", "LookupError: told"),
        ("def (", "SyntaxError: "),
    ],
)
def test_a_file_that_cannot_be_used(source: str, message: str, file: Path) -> None:
    file.write_text(source)
    with pytest.raises(SettingsError, match=message) as caught:
        Hooks(str(file))
    assert str(file) in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        Hooks(str(tmp_path / "gone.py"))


def test_a_builtin_is_taken(file: Path) -> None:
    file.write_text("on_exit = print\n")
    assert Hooks(str(file))._functions


@pytest.mark.parametrize("name", ABSENT)
def test_hooks_that_are_never_called_are_named(
    name: str, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text(f"def {name}(*given): ...\n")
    Hooks(str(file))
    (message,) = caplog.messages
    assert f"hook {name} is never called: " in message
