"""``onegate.net.listener``: the queue of a listening socket, and its end."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from onegate.config.settings import Settings
from onegate.net.bind import listen

SETTINGS = Settings(backlog=8)


def client(port: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(port)), 0.3)


def test_the_queue_is_counted() -> None:
    listener = listen("127.0.0.1:0", SETTINGS)
    with listener.sock:
        assert (listener.queue(), listener.queue_limit()) == (0, 8)
        with client(listener.server_port), client(listener.server_port):
            assert listener.queue() == 2


def test_of_a_unix_socket_nothing_is_known(tmp_path: Path) -> None:
    listener = listen(f"unix:{tmp_path}/socket", SETTINGS)
    with listener.sock:
        assert (listener.queue(), listener.queue_limit()) == (None, None)


def test_refused_are_those_who_come_later() -> None:
    listener = listen("127.0.0.1:0", SETTINGS)
    with listener.sock, client(listener.server_port) as queued:
        listener.refuse()
        with pytest.raises(TimeoutError):
            client(listener.server_port)
        accepted, address = listener.sock.accept()
        with accepted:
            assert address == queued.getsockname()


def test_a_foreign_listener_goes_on(tmp_path: Path) -> None:
    tcp = listen("127.0.0.1:0", SETTINGS).replace(foreign=True)
    unix = listen(f"unix:{tmp_path}/socket", SETTINGS).replace(foreign=True)
    for listener in (tcp, unix):
        listener.refuse()
    with client(tcp.server_port):
        tcp.sock.close()
    unix.close(unlink=True)
    assert (tmp_path / "socket").exists()


def test_the_file_of_a_unix_socket_goes_when_it_is_refused(tmp_path: Path) -> None:
    listener = listen(f"unix:{tmp_path}/socket", SETTINGS)
    with listener.sock:
        listener.refuse()
        assert not (tmp_path / "socket").exists()
    listener.close(unlink=True)  # which is not there any more


def test_an_abstract_socket_that_is_refused_keeps_its_queue(tmp_path: Path) -> None:
    listener = listen(f"unix:@onegate {os.getpid()}", SETTINGS)
    with (
        listener.sock,
        socket.socket(socket.AF_UNIX) as early,
        socket.socket(socket.AF_UNIX) as late,
    ):
        assert (listener.abstract, listener.waits()) == (True, False)
        name = listener.sock.getsockname()
        early.connect(name)
        assert listener.waits()
        listener.refuse()
        with pytest.raises(ConnectionRefusedError):
            late.connect(name)
        assert listener.waits()
        accepted, _ = listener.sock.accept()
        with accepted:
            assert not listener.waits()
    with (other := listen(f"unix:{tmp_path}/socket", SETTINGS)).sock:
        assert not other.abstract


@pytest.mark.parametrize("refused", [True, False])
def test_the_file_of_another_socket_stays(tmp_path: Path, refused: bool) -> None:
    """That of the next instance, which could begin when ours was gone."""
    path = tmp_path / "socket"
    ours = listen(f"unix:{path}", SETTINGS)
    if refused:
        ours.refuse()
    else:
        path.unlink()  # by somebody else
    theirs = listen(f"unix:{path}", SETTINGS)
    ours.refuse()
    ours.close(unlink=True)
    with theirs.sock, socket.socket(socket.AF_UNIX) as other:
        other.connect(str(path))


def test_the_scheme_of_a_url(tmp_path: Path) -> None:
    listener = listen("127.0.0.1:0", SETTINGS)
    with listener.sock:
        assert listener.url(SETTINGS) == f"http://127.0.0.1:{listener.server_port}"
        secure = listener.url(Settings(certfile="a"))
        assert secure == f"https://127.0.0.1:{listener.server_port}"
