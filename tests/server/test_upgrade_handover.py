"""``onegate.master.upgrade_handover``: what a new master finds of what the old one left."""

from __future__ import annotations

import errno
import os
import select
import socket
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from onegate.config.settings import Settings
from onegate.master import upgrade_handover
from onegate.master.upgrade_handover import UpgradeHandover, exec_successor
from onegate.net.listeners import SocketPermissions, listen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO
    from pathlib import Path

    from onegate.net.listeners import Listener

    from tests.server.conftest import MakeState

VARIABLE = "_ONEGATE_SUCCESSION"
"""Part of the protocol between two versions of onegate, as are the keys of its JSON."""


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment that a new program gets."""
    found: dict[str, str] = {}

    def execve(path: str, arguments: list[str], environ: dict[str, str]) -> None:
        assert (path, arguments) == (sys.executable, [sys.executable, *sys.orig_argv[1:]])
        found.update(environ)
        sys.exit(0)  # it does not return

    monkeypatch.setattr(os, "execve", execve)
    return found


class Pipe(NamedTuple):
    reader: FileIO
    writer: int
    """Closed by whoever it is left to."""


@pytest.fixture
def ready() -> Iterator[Pipe]:
    """The pipe on which a new master reports that it serves."""
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb", buffering=0) as file:
        yield Pipe(file, writer)


def left(monkeypatch: pytest.MonkeyPatch, **values: Any) -> UpgradeHandover:
    """What a master finds to which these values were left."""
    monkeypatch.setattr(upgrade_handover, "_LEFT", values)
    return UpgradeHandover(select.poll())


def opened(*addresses: str) -> list[Listener]:
    return [listen(address, Settings(backlog=8)) for address in addresses]


def close_all(*listeners: Listener) -> None:
    for listener in listeners:
        listener.close(unlink=True)


def test_a_first_master_was_left_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    handover = left(monkeypatch)
    assert (handover.pending, handover.shared, handover.abandoned, handover.done) == (False,) * 4
    assert (handover.listeners, handover.activated) == ({}, [])
    assert handover.permissions == SocketPermissions()
    handover.close()


def test_a_new_master_finds_what_the_old_one_left(
    make_state: MakeState,
    executed: dict[str, str],
    ready: Pipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("A_VARIABLE", "of the first start")
    monkeypatch.setenv("LISTEN_FDS", "1")  # for the first start alone
    given = {"user": "nobody", "group": "daemon", "socket_mode": 0o660}
    generation = make_state(**given).generations.present
    monkeypatch.setenv("A_VARIABLE", "changed since then, by --env say")
    addresses = f"unix:{tmp_path}/socket", "127.0.0.1:0", "localhost:0"
    unix, foreign, status = old = opened(*addresses)
    generation.listen([unix, foreign.replace(foreign=True)], status)
    with pytest.raises(SystemExit, match="0"):
        exec_successor(generation, ready.writer, [7])
    assert executed["A_VARIABLE"] == "of the first start"
    assert "LISTEN_FDS" not in executed
    assert all(os.get_inheritable(each.sock.fileno()) for each in old)
    assert os.get_inheritable(ready.writer)
    for each in old:
        each.sock.detach()  # the new master's from here on, which is the same process here

    monkeypatch.setenv(VARIABLE, executed[VARIABLE])
    monkeypatch.setattr(upgrade_handover, "_LEFT", upgrade_handover._left())
    assert VARIABLE not in os.environ
    handover = UpgradeHandover(select.poll())
    assert tuple(handover.listeners) == addresses
    new = list(handover.listeners.values())
    assert [each.name for each in new] == [each.name for each in old]
    assert [each.foreign for each in new] == [False, True, False]
    assert (new[0].path, new[0].file) == (unix.path, unix.file)
    assert handover.permissions == SocketPermissions(user="nobody", group="daemon", mode=0o660)
    assert handover.activated == [7]
    assert handover.ready_fd == ready.writer
    assert not any(os.get_inheritable(each.sock.fileno()) for each in new)
    assert not os.get_inheritable(ready.writer)
    close_all(*new)
    handover.close()


def test_an_earlier_version_left_no_socket_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    handover = left(monkeypatch, given_to=["nobody", ""])
    assert handover.permissions == SocketPermissions(user="nobody")


def test_ready_is_reported_once(monkeypatch: pytest.MonkeyPatch, ready: Pipe) -> None:
    handover = left(monkeypatch, ready=ready.writer)
    assert handover.pending
    assert handover.awaited()
    handover.tell_ready()
    assert ready.reader.read() == b"+"  # up to the end: the pipe is closed
    assert (handover.pending, handover.shared) == (False, False)
    handover.close()


def test_a_master_that_does_not_wait_any_more(monkeypatch: pytest.MonkeyPatch, ready: Pipe) -> None:
    monkeypatch.setattr(upgrade_handover, "_LEFT", {"ready": ready.writer})
    poll = select.poll()
    handover = UpgradeHandover(poll)
    assert poll.poll(0) == []
    ready.reader.close()
    assert poll.poll(0) == [(ready.writer, select.POLLERR)]
    assert not handover.awaited()
    with pytest.raises(BrokenPipeError):
        handover.tell_ready()
    handover.abandon()
    assert poll.poll(0) == []
    assert (handover.pending, handover.abandoned, handover.shared) == (False, True, True)


def test_who_shares_the_listeners(monkeypatch: pytest.MonkeyPatch, ready: Pipe) -> None:
    ours, other = opened("127.0.0.1:0", "127.0.0.1:0")
    handover = left(
        monkeypatch,
        ready=ready.writer,
        listeners=[[ours.given, os.dup(ours.sock.fileno()), False, ""]],
    )
    [inherited] = handover.listeners.values()
    assert handover.shares(inherited), "with the master before this one"
    assert not handover.shares(other), "it was opened here"
    handover.tell_ready()
    assert not handover.shares(inherited)
    handover.complete()
    assert handover.shared
    assert handover.shares(inherited)
    assert handover.shares(other), "with the master after this one"
    close_all(ours, other, inherited)


def test_listeners_that_are_not_used_any_more_are_closed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    names = [f"unix:{tmp_path}/{name}" for name in ("used", "unused")]
    old = opened(*names)
    handover = left(
        monkeypatch,
        listeners=[[each.given, each.sock.detach(), False, each.path] for each in old],
    )
    used, unused = handover.listeners.values()
    handover.close_unused([used])
    assert list(handover.listeners) == names[:1]
    assert unused.sock.fileno() == -1
    assert [path.name for path in tmp_path.iterdir()] == ["used"]
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "used"))
    close_all(used)


def test_a_program_that_cannot_be_executed(
    make_state: MakeState,
    ready: Pipe,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def execve(*_: object) -> None:
        raise OSError(errno.E2BIG, os.strerror(errno.E2BIG))

    monkeypatch.setattr(os, "execve", execve)
    with pytest.raises(SystemExit, match="1"):
        exec_successor(make_state().generations.present, ready.writer, [])
    os.close(ready.writer)
    assert caplog.messages == ["cannot start a new master: [Errno 7] Argument list too long"]
