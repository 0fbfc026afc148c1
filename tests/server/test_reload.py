"""HUP: ``onegate.master.reload``. Nothing is lost, and a bad reload is none."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.server.helpers import HELLO, Server, serving, wait_for, write_app
from tests.server.loads import Load, both, under_load
from tests.server.ports import free_port, get
from tests.server.processes import children
from tests.server.sources import VERSION

if TYPE_CHECKING:
    from tests.server.conftest import Serve


def reloaded(server: Server, load: Load | None = None) -> None:
    """Reload and wait until only new workers are left."""
    before = children(server.process.pid)
    server.process.send_signal(signal.SIGHUP)
    try:
        wait_for(
            lambda: not before.keys() & children(server.process.pid).keys(), "the old ones' end"
        )
    except AssertionError as error:
        raise AssertionError(f"{error} ({before}):\n{server.log}") from None
    if load is not None:
        load.progress()


@both
def test_two_hups_lose_none_of_8_clients(load_server: Server, keep_alive: bool) -> None:
    with under_load(load_server, keep_alive=keep_alive) as load:
        reloaded(load_server, load)
        reloaded(load_server, load)
    assert load.lost == []
    assert load.refused == 0


# ── what a reload loads ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("options", [(), ("--preload",)], ids=["plain", "preload"])
def test_hup_loads_new_code(serve: Serve, options: tuple[str, ...]) -> None:
    server = serve(VERSION.format(1), "--workers", "2", *options)
    wait_for(lambda: len(children(server.process.pid)) == 2 + len(options), "two workers")
    assert server.get().text == "1"
    # Of another size: one that differs by content alone may be taken for what was compiled.
    write_app(server.folder, VERSION.format(2))
    reloaded(server)
    assert {server.get().text for _ in range(10)} == {"2"}


@pytest.mark.parametrize("options", [(), ("--preload",)], ids=["plain", "preload"])
def test_hup_with_broken_code_keeps_the_old_workers(serve: Serve, options: tuple[str, ...]) -> None:
    server = serve(VERSION.format(1), *options)
    assert server.get().text == "1"
    # With a zygote, when the process between the two forks has ended.
    count = 2 if options else 1
    wait_for(lambda: len(children(server.process.pid)) == count, "the first worker")
    workers = children(server.process.pid)
    for attempt in (1, 2):
        write_app(server.folder, "raise RuntimeError('no such luck')" + " " * attempt)
        server.process.send_signal(signal.SIGHUP)

        def failed(count: int = attempt) -> bool:
            return server.log.count("reload failed, keeping the old workers") == count

        wait_for(failed, "a reload that failed")
    assert "RuntimeError: no such luck" in server.log
    assert {server.get().text for _ in range(10)} == {"1"}
    wait_for(lambda: children(server.process.pid).keys() == workers.keys(), "the same workers")
    write_app(server.folder, VERSION.format(3))
    reloaded(server)
    assert server.get().text == "3"


# ── what a reload configures ──────────────────────────────────────────────────────────────────────


def configured(folder: Path, **values: object) -> None:
    lines = (f"{name} = {value!r}".replace("True", "true") for name, value in values.items())
    (folder / "onegate.toml").write_text("\n".join(lines))


def test_hup_changes_the_number_of_workers(tmp_path: Path) -> None:
    configured(tmp_path, workers=1)
    with serving(tmp_path, HELLO, "--config", "onegate.toml") as server:
        assert server.get().status == 200
        configured(tmp_path, workers=3)
        reloaded(server)
        wait_for(lambda: len(children(server.process.pid)) == 3, "three workers")


def test_hup_with_a_bad_configuration_changes_nothing(tmp_path: Path) -> None:
    configured(tmp_path, workers=2)
    with serving(tmp_path, HELLO, "--config", "onegate.toml") as server:
        wait_for(lambda: len(children(server.process.pid)) == 2, "two workers")
        workers = children(server.process.pid)
        configured(tmp_path, workers=3, no_such_setting=1)
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_log("reload failed, nothing has changed: .*no_such_setting")
        assert server.get().status == 200
        assert children(server.process.pid).keys() == workers.keys()


def test_hup_adds_and_removes_a_bind(tmp_path: Path) -> None:
    first, second = free_port(), free_port()
    configured(tmp_path, bind=[f"127.0.0.1:{first}"])
    with serving_config(tmp_path) as server:
        assert get(first) == "Hello\n"
        configured(tmp_path, bind=[f"127.0.0.1:{first}", f"127.0.0.1:{second}"])
        reloaded(server)
        assert (get(first), get(second)) == ("Hello\n", "Hello\n")
        configured(tmp_path, bind=[f"127.0.0.1:{second}"])
        reloaded(server)
        assert get(second) == "Hello\n"
        with pytest.raises(ConnectionRefusedError):
            get(first)


def test_hup_again_while_a_new_bind_is_on_trial(tmp_path: Path) -> None:
    first, second = free_port(), free_port()
    configured(tmp_path, bind=[f"127.0.0.1:{first}"])
    with serving_config(tmp_path) as server:
        assert get(first) == "Hello\n"
        os.mkfifo(tmp_path / "gate")
        write_app(tmp_path, "open('gate').read()\n" + HELLO)
        configured(tmp_path, bind=[f"127.0.0.1:{first}", f"127.0.0.1:{second}"])
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_log("reloading")
        wait_for(lambda: len(children(server.process.pid)) == 2, "one on trial")
        write_app(tmp_path, HELLO)
        reloaded(server)
        assert (get(first), get(second)) == ("Hello\n", "Hello\n")


def test_hup_adds_and_removes_the_status(tmp_path: Path) -> None:
    first, second = free_port(), free_port()
    bind = [f"127.0.0.1:{first}"]
    configured(tmp_path, bind=bind)
    with serving_config(tmp_path) as server:
        assert get(first) == "Hello\n"
        configured(tmp_path, bind=bind, status=f"127.0.0.1:{second}")
        reloaded(server)
        assert get(second).startswith("/live")
        configured(tmp_path, bind=bind)
        reloaded(server)
        with pytest.raises(ConnectionRefusedError):
            get(second)
        assert get(first) == "Hello\n"


def test_hup_without_socket_mode_returns_the_socket_to_its_default_mode(tmp_path: Path) -> None:
    path = tmp_path / "socket"

    def mode() -> int:
        return stat.S_IMODE(path.stat().st_mode)

    configured(tmp_path, socket_mode="660")
    options = ("--bind", "unix:socket", "--config", "onegate.toml")
    with serving(tmp_path, HELLO, *options) as server:
        assert server.get().status == 200
        inode = path.stat().st_ino
        assert mode() == 0o660
        configured(tmp_path, umask="027")
        reloaded(server)
        assert mode() == 0o750
        # What somebody else has set stays.
        path.chmod(0o700)
        configured(tmp_path, umask="077", workers=2)
        reloaded(server)
        assert mode() == 0o700
        assert path.stat().st_ino == inode


def serving_config(folder: Path) -> contextlib.AbstractContextManager[Server]:
    """A server whose binds are in a file. ``--bind`` would be stronger than that."""
    return serving(folder, HELLO, "--config", "onegate.toml", bind="")
