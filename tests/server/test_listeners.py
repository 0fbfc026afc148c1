"""``onegate.net.listeners``: what can be bound, one line about what cannot; queue and end."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from onegate.config.settings import Settings
from onegate.net.listeners import adopt, listen, open_listeners
from onegate.settings_error import SettingsError

from tests.server.helpers import DEADLINE, HELLO, Client, run_to_end, serving, write_app
from tests.server.ports import free_port

SETTINGS = Settings(backlog=8)


def refused(folder: Path, *binds: str, status: str = "") -> str:
    """Run onegate, which has to end with status 2 and one line; that line."""
    write_app(folder, HELLO)
    options = [option for bind in binds for option in ("--bind", bind)]
    options += ["--status", status] if status else []
    ended = run_to_end(folder, "served:app", *options)
    lines = ended.stderr.splitlines()
    assert (ended.returncode, len(lines)) == (2, 1), ended.stderr
    return lines[0]


@pytest.mark.parametrize(
    ("bind", "message"),
    [
        ("nonsense", "invalid address, expected HOST:PORT"),
        ("", "invalid address, expected HOST:PORT"),
        ("8000", "invalid address, expected HOST:PORT"),
        ("127.0.0.1:", "invalid address, expected HOST:PORT"),
        ("127.0.0.1:http", "invalid address, expected HOST:PORT"),
        ("127.0.0.1:65536", "invalid address, expected HOST:PORT"),
        ("127.0.0.1:999999", "invalid address, expected HOST:PORT"),
        ("127.0.0.1:-1", "invalid address, expected HOST:PORT"),
        ("::1:8000", "invalid address, expected HOST:PORT"),
        ("[::1]", "invalid address, expected HOST:PORT"),
        ("[127.0.0.1:8000", "invalid address, expected HOST:PORT"),
        ("host.invalid:8000", "unknown host 'host.invalid'"),
        ("[fe80::zz]:8000", "unknown host 'fe80::zz'"),
        ("a..b:8000", "unknown host 'a..b'"),
        (f"{'a' * 64}:8000", "unknown host"),
        ("ü..b:8000", "invalid host name 'ü..b'"),
        (f"{'ü' * 64}:8000", "invalid host name"),
        ("192.0.2.1:8000", "this machine has no such address"),
        ("unix:", "invalid address, expected HOST:PORT"),
        ("unix:@", "invalid address, expected HOST:PORT"),
        (f"unix:@{'x' * 200}", "too long"),
        ("unix:/nowhere/at/all", "No such file or directory"),
        (f"unix:/tmp/{'x' * 200}", "too long"),
    ],
)
def test_bad_address_is_one_line_and_status_2(tmp_path: Path, bind: str, message: str) -> None:
    line = refused(tmp_path, bind)
    assert line.startswith(f"onegate: --bind {bind.removesuffix('/')}"[:60])
    assert message in line


def test_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert f"127.0.0.1:{port}: already in use" in refused(tmp_path, f"127.0.0.1:{port}")


@pytest.mark.parametrize(
    "status", ["nonsense", "192.0.2.1:1", "unix:no/socket", "fd://0", "nowhere.invalid:1"]
)
def test_what_cannot_be_bound_is_named_by_its_option(tmp_path: Path, status: str) -> None:
    line = refused(tmp_path, "127.0.0.1:0", status=status)
    assert line.startswith(f"onegate: --status {status}: ")


def test_one_bad_address_of_several(tmp_path: Path) -> None:
    """Nothing is left of the good ones."""
    path = tmp_path / "socket"
    assert "invalid address, expected HOST:PORT" in refused(tmp_path, f"unix:{path}", "nonsense")
    assert not path.exists()


def test_a_bad_status_address_closes_what_was_opened_and_leaves_what_was_held(
    tmp_path: Path,
) -> None:
    held_address, address = f"unix:{tmp_path}/held", f"unix:{tmp_path}/opened"
    with (held := listen(held_address, SETTINGS)).sock:
        count = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a number
        settings = Settings(bind=(held_address, address), status=held_address + "/status")
        with pytest.raises(SettingsError, match=r"--status unix:.*: Not a directory"):
            open_listeners(settings, {held_address: held}, [])
        assert [path.name for path in tmp_path.iterdir()] == ["held"]
        assert len(os.listdir("/proc/self/fd")) == count  # noqa: PTH208


def test_permission_denied(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    somebody = os.geteuid() or 65534  # root may do everything: for a moment, be somebody else
    before = os.geteuid()
    os.seteuid(somebody)
    try:
        with pytest.raises(SettingsError, match="permission denied"):
            listen(f"unix:{locked}/socket", SETTINGS)
    finally:
        os.seteuid(before)


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("data")
    assert "exists and is not a socket" in refused(tmp_path, f"unix:{path}")
    assert path.read_text() == "data"


def test_stale_unix_socket_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with serving(tmp_path, bind=f"unix:{path}"):
        assert ask_unix(path) == 200
    assert not path.exists()


@pytest.mark.parametrize("backlog_full", [False, True])
def test_live_unix_socket_is_never_stolen(tmp_path: Path, backlog_full: bool) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as live, socket.socket(socket.AF_UNIX) as client:
        live.bind(str(path))
        live.listen(0)
        if backlog_full:
            client.connect(str(path))
        assert "already in use" in refused(tmp_path, f"unix:{path}")
        assert stat.S_ISSOCK(path.stat().st_mode)


BINDS = """
import sys
from onegate.net.listeners import listen
from onegate.settings_error import SettingsError
from onegate.config.settings import Settings

for path in sys.stdin:
    try:
        held = listen(f"unix:{path.strip()}", Settings(backlog=8))
    except SettingsError as error:
        print("no", flush=True)
    else:
        print("yes", flush=True)
"""


def test_of_several_that_find_a_dead_socket_one_has_it(tmp_path: Path) -> None:
    """They all see that nobody listens; who removes the file must not remove the next one's."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", BINDS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        for _ in range(4)
    ]
    try:
        for number in range(200):
            path = tmp_path / str(number)
            with socket.socket(socket.AF_UNIX) as dead:
                dead.bind(str(path))
            for process in processes:
                assert process.stdin is not None
                process.stdin.write(f"{path}\n")
            said = [process.stdout.readline() for process in processes if process.stdout]
            assert said.count("yes\n") == 1, number
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_two_onegates_cannot_share_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with serving(tmp_path, bind=f"unix:{path}"):
        assert "already in use" in refused(tmp_path, f"unix:{path}")
        assert ask_unix(path) == 200


def test_port_0_is_printed(tmp_path: Path) -> None:
    with serving(tmp_path, bind="127.0.0.1:0") as server:
        assert server.port > 0
        assert server.get().status == 200


@pytest.mark.parametrize("bind", ["[::1]:0", "localhost:0", ":0"])
def test_other_forms_of_address(tmp_path: Path, bind: str) -> None:
    with serving(tmp_path, bind=bind) as server:
        assert server.get().status == 200


ADDRESS = """
def app(environ, start_response):
    start_response("200 OK", [])
    return [environ["REMOTE_ADDR"].encode()]
"""


def peer(address: str, port: int) -> str:
    """What the application above, or the page for balancers, says to a client."""
    with Client(socket.create_connection((address, port), DEADLINE)) as client:
        return client.send(b"GET /live HTTP/1.1\r\nHost: a\r\n\r\n").response().text


def test_all_interfaces_of_ipv6_are_those_of_ipv4_too(tmp_path: Path) -> None:
    with serving(tmp_path, ADDRESS, "--status", "[::]:0", bind="[::]:0") as server:
        assert peer("::1", server.port) == "::1"
        assert peer("127.0.0.1", server.port) == "127.0.0.1"


def test_the_status_for_both_families(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path, ADDRESS, "--status", f"[::]:{port}") as server:
        server.wait_for_log("listens on")
        for address in ("::1", "127.0.0.1"):
            assert peer(address, port)


@pytest.mark.parametrize("status", [False, True])
@pytest.mark.parametrize("other", ["0.0.0.0", "127.0.0.1", ""])
@pytest.mark.parametrize("last", [False, True])
def test_both_families_at_the_same_port(other: str, last: bool, status: bool) -> None:
    """Beside a listener for IPv4, [::] leaves that to it."""
    port = free_port()
    binds = (f"{other}:{port}", f"[::]:{port}")
    settings = Settings(bind=binds[:1] if status else binds, status=binds[1] if status else "")
    opened = []
    try:
        for address in binds[::-1] if last else binds:
            opened.append(listen(address, settings).sock)
    finally:
        for sock in opened:
            sock.close()


def test_ipv4_that_is_given_up_is_not_silently_refused(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "x.toml").write_text(f'bind = ["0.0.0.0:{port}", "[::]:{port}"]')
    with serving(tmp_path, ADDRESS, "--config", "x.toml", bind="") as server:
        for address in ("::1", "127.0.0.1"):
            assert peer(address, port) == address
        (tmp_path / "x.toml").write_text(f'bind = ["[::]:{port}"]')
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_log("reload failed, nothing has changed: .*is IPv6-only, because")
        for address in ("::1", "127.0.0.1"):
            assert peer(address, port) == address


def test_several_addresses(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    options = ("--bind", "[::1]:0", "--bind", f"unix:{path}")
    with serving(tmp_path, HELLO, *options) as server:
        match = server.wait_for_log(
            r"listens on http://127\.0\.0\.1:(\d+), http://\[::1\]:(\d+), unix:(\S+)"
        )
        assert server.get().status == 200
        with Client(socket.create_connection(("::1", int(match[2])), DEADLINE)) as client:
            assert client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").response().status == 200
        assert ask_unix(path) == 200


def test_relative_unix_path_is_removed_at_the_end(tmp_path: Path) -> None:
    with serving(tmp_path, bind="unix:socket") as server:
        assert ask_unix(tmp_path / "socket") == 200
        assert server.stop(signal.SIGTERM) == 0
    assert not (tmp_path / "socket").exists()


def test_an_abstract_socket(tmp_path: Path) -> None:
    name = f"onegate é {os.getpid()}"
    with serving(tmp_path, bind=f"unix:@{name}") as server:
        server.wait_for_log(f"listens on unix:@{name}")
        assert ask(b"\0" + name.encode()) == 200
        assert list(tmp_path.glob("*@*")) == []
        assert "already in use" in refused(tmp_path, f"unix:@{name}")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_log("reloading")
        assert ask(b"\0" + name.encode()) == 200
    with pytest.raises(ConnectionRefusedError):
        ask(b"\0" + name.encode())


def test_an_abstract_socket_of_socket_activation_is_named_alike() -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(f"\0onegate \0 {os.getpid()}")
        sock.listen()
        listener = adopt(os.dup(sock.fileno()), "fd://3")
        with listener.sock:
            assert listener.name == f"unix:@onegate \0 {os.getpid()}"
            assert listener.abstract
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(sock.getsockname())
                assert listener.waits()
            listener.close(unlink=True)


def test_an_abstract_socket_has_no_permissions() -> None:
    with pytest.raises(SettingsError, match=r"unix:@x: an abstract socket has no permissions"):
        listen("unix:@x", Settings(backlog=8, socket_mode=0o600))


def test_a_file_whose_name_begins_with_an_at_sign(tmp_path: Path) -> None:
    with serving(tmp_path, bind="unix:./@socket"):
        assert ask_unix(tmp_path / "@socket") == 200


def test_a_listener_is_named_for_urls() -> None:
    for address, name in (("127.0.0.1:0", "127.0.0.1"), ("[::1]:0", "[::1]")):
        listener = listen(address, SETTINGS)
        with listener.sock:
            assert listener.server_name == name
            assert re.fullmatch(re.escape(f"http://{name}:") + r"[1-9]\d*", listener.name)


def test_no_such_family_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the kernel has no IPv6."""

    def no_family(*_: object) -> socket.socket:
        raise OSError(97, "Address family not supported by protocol")

    monkeypatch.setattr(socket, "socket", no_family)
    with pytest.raises(SettingsError, match="Address family not supported"):
        listen("[::1]:0", SETTINGS)


def ask_unix(path: Path) -> int:
    """The status of a GET over a Unix socket."""
    # A path relative to this folder: the whole one may be longer than a socket's name can be.
    return ask(os.path.relpath(path))


def ask(name: str | bytes) -> int:
    """The same by its name."""
    with Client(socket.socket(socket.AF_UNIX)) as client:
        client.sock.connect(name)
        return client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").response().status


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
