"""A server started as root whose workers are somebody else (``--user``, ``--group``)."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest
from onegate import __file__ as onegate_package

from tests.server.helpers import DEADLINE, HELLO, Client, Response, wait_for, write_app
from tests.server.processes import by_age, children

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")

ONEGATE = Path(onegate_package).parent
NOBODY = pwd.getpwnam("nobody")
DAEMON = grp.getgrnam("daemon")
AS_NOBODY = ("--user", "nobody")
TELLING = """
def app(environ, start_response):
    environ["wsgi.errors"].write("told\\n")
    if environ["PATH_INFO"] == "/boom":
        raise ValueError("boom")
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


@pytest.fixture(scope="module")
def python() -> str:
    """An interpreter that everybody may run: ours may lie in a folder of root's."""
    for each in (sys.executable, "/usr/local/bin/python3", "/usr/bin/python3"):
        with contextlib.suppress(OSError):
            probe = [each, "-c", "import ssl, sys; assert sys.version_info >= (3, 11)"]
            if not subprocess.run(
                probe, user=NOBODY.pw_uid, cwd="/", stderr=subprocess.DEVNULL, check=False
            ).returncode:
                return each
    pytest.skip("no Python of 3.11 or newer that another user may run")


@pytest.fixture
def folder(python: str) -> Iterator[Path]:
    """One that everybody may enter, with the server and its interpreter, and with a subfolder
    ``private`` that only root may enter."""
    made = Path(tempfile.mkdtemp(prefix="onegate-"))
    made.chmod(0o755)
    (made / "python").symlink_to(python)
    shutil.copytree(ONEGATE, made / "lib/onegate")
    (made / "private").mkdir(mode=0o700)
    yield made
    shutil.rmtree(made)


def owner(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_uid, found.st_gid


@contextlib.contextmanager
def running(
    folder: Path,
    *options: str,
    source: str = HELLO,
    stdout: IO[bytes] | int = subprocess.DEVNULL,
    tls: bool = False,
    user: tuple[str, ...] = AS_NOBODY,
) -> Iterator[subprocess.Popen[bytes]]:
    """A server on ``folder/socket`` that is seen to answer, and in the end stops with status 0."""
    write_app(folder, source)
    (folder / "served.py").chmod(0o644)
    command = (folder / "python", "-m", "onegate", "served:app", "--bind", f"unix:{folder}/socket")
    with (folder / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            [*command, *user, *options],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder / "lib"), "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        )
    try:

        def answers() -> bool:
            assert process.poll() is None, (folder / "stderr").read_text()
            try:
                return bool(presented(folder)) if tls else ask(folder).status == 200
            except (FileNotFoundError, ConnectionRefusedError):
                return False  # not bound, or not yet listening

        wait_for(answers, "an answer")
        yield process
        process.terminate()
        assert process.wait(DEADLINE) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(DEADLINE)


def ask(folder: Path, path: str = "/") -> Response:
    """The response to a GET over the socket in ``folder``."""
    with Client(socket.socket(socket.AF_UNIX)) as client:
        client.sock.connect(str(folder / "socket"))
        request = f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        return client.send(request.encode()).response()


# ── sockets ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "group", "mode"),
    [
        ((), NOBODY.pw_gid, 0o755),
        (("--group", "daemon"), DAEMON.gr_gid, 0o755),
        (("--group", str(DAEMON.gr_gid), "--socket-mode", "660"), DAEMON.gr_gid, 0o660),
        (("--umask", "077"), NOBODY.pw_gid, 0o700),
    ],
)
def test_sockets_belong_to_user_and_group(
    folder: Path, options: tuple[str, ...], group: int, mode: int
) -> None:
    status = folder / "status"
    with running(folder, *options, "--status", f"unix:{status}"):
        for path in (folder / "socket", status):
            assert owner(path) == (NOBODY.pw_uid, group)
            assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR2])
def test_a_socket_that_is_kept_belongs_to_whom_it_is_to_belong(
    folder: Path, number: signal.Signals
) -> None:
    path = folder / "socket"
    config = folder / "x.toml"

    def found() -> tuple[int, int]:
        return path.stat().st_gid, stat.S_IMODE(path.stat().st_mode)

    config.write_text('group = "daemon"\nsocket_mode = "660"\npidfile = "pid"')
    with running(folder, "--config", "x.toml") as process:
        first, inode = (DAEMON.gr_gid, 0o660), path.stat().st_ino
        assert found() == first
        if number is signal.SIGHUP:
            config.write_text('group = "bin"\nsocket_mode = "600"\napp = "gone:app"')
            (folder / "served.py").rename(folder / "moved")
            process.send_signal(number)
            wait_for(lambda: "reload failed" in (folder / "stderr").read_text(), "a failure")
            (folder / "moved").rename(folder / "served.py")
            assert found() == first
        config.write_text('group = "bin"\nsocket_mode = "666"\npidfile = "pid"')
        process.send_signal(number)
        wait_for(lambda: found() == (grp.getgrnam("bin").gr_gid, 0o666), "the other group and mode")
        assert path.stat().st_ino == inode
        if number is signal.SIGUSR2:
            wait_for(lambda: process.poll() is not None, "the end of the old master")
            new = int((folder / "pid").read_text())
            os.kill(new, signal.SIGTERM)
            wait_for(lambda: not path.exists(), "the end of the new one")


def test_a_reload_that_drops_user_or_group_takes_the_socket_back(folder: Path) -> None:
    """But not what somebody else has given away."""
    path, config, errors = folder / "socket", folder / "x.toml", folder / "stderr"
    both = "user = 'nobody'\ngroup = 'daemon'"
    config.write_text(both)
    with running(folder, "--config", "x.toml", user=()) as process:
        inode = path.stat().st_ino

        def reload(text: str, expected: tuple[int, int]) -> None:
            adopted = children(process.pid).keys()
            config.write_text(text)
            process.send_signal(signal.SIGHUP)
            wait_for(lambda: not adopted & children(process.pid).keys(), "the old one's end")
            assert owner(path) == expected, text

        assert owner(path) == (NOBODY.pw_uid, DAEMON.gr_gid)
        reload("group = 'daemon'", (0, DAEMON.gr_gid))
        reload(both, (NOBODY.pw_uid, DAEMON.gr_gid))
        reload("user = 'nobody'", (NOBODY.pw_uid, NOBODY.pw_gid))
        reload("", (0, 0))
        os.chown(path, NOBODY.pw_uid, DAEMON.gr_gid)
        reload("workers = 2", (NOBODY.pw_uid, DAEMON.gr_gid))
        assert ask(folder).status == 200
        assert path.stat().st_ino == inode
        assert "stays as it was" not in errors.read_text()


def test_a_new_master_without_user_and_group_takes_the_socket_back(folder: Path) -> None:
    path, config = folder / "socket", folder / "x.toml"
    config.write_text("user = 'nobody'\npidfile = 'pid'")
    with running(folder, "--config", "x.toml", user=()) as process:
        assert owner(path) == (NOBODY.pw_uid, NOBODY.pw_gid)
        config.write_text("pidfile = 'pid'")
        process.send_signal(signal.SIGUSR2)
        wait_for(lambda: process.poll() is not None, "the end of the old master")
        try:
            assert owner(path) == (0, 0)
            assert ask(folder).status == 200
        finally:
            os.kill(int((folder / "pid").read_text()), signal.SIGTERM)
            wait_for(lambda: not path.exists(), "the end of the new one")


IDS = """
import os

def app(environ, start_response):
    start_response("200 OK", [])
    return [repr((os.getresuid(), os.getresgid(), os.getgroups())).encode()]
"""


def test_workers_have_nothing_left_of_root(folder: Path) -> None:
    user, group = NOBODY.pw_uid, NOBODY.pw_gid
    with running(folder, source=IDS):
        assert ask(folder).text == repr(((user,) * 3, (group,) * 3, [group]))
    # A number without an entry has no group of its own; without --group it is refused.
    with running(folder, "--user", "54321", "--group", "54322", source=IDS):
        assert ask(folder).text == repr(((54321,) * 3, (54322,) * 3, [54322]))
    with running(folder, "--user", "", "--group", "daemon", source=IDS):
        group = DAEMON.gr_gid
        assert ask(folder).text == repr(((0,) * 3, (group,) * 3, [group]))


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────


def certificate(folder: Path, name: str) -> None:
    """A certificate for ``name``, and its key, which only root may read, in ``folder/private``."""
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", f"/CN={name}", "-keyout", "new.pem", "-out", "cert.pem"),
        ],
        cwd=folder / "private",
        check=True,
        stderr=subprocess.DEVNULL,
    )
    (folder / "private/new.pem").rename(folder / "private/key.pem")
    assert stat.S_IMODE((folder / "private/key.pem").stat().st_mode) == 0o600


def presented(folder: Path) -> bytes:
    """The certificate that a client is shown, in DER."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.socket(socket.AF_UNIX) as plain:
        plain.settimeout(DEADLINE)
        plain.connect(str(folder / "socket"))
        with context.wrap_socket(plain) as sock:
            return sock.getpeercert(binary_form=True) or b""


def stands(folder: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert((folder / "private/cert.pem").read_text())


@pytest.mark.parametrize("preload", [(), ("--preload",)])
def test_a_key_that_only_root_may_read(folder: Path, preload: tuple[str, ...]) -> None:
    certificate(folder, "one")
    first = stands(folder)
    files = ("--certfile", "private/cert.pem", "--keyfile", "private/key.pem")
    with running(folder, *preload, *files, tls=True) as process:
        assert presented(folder) == first
        certificate(folder, "two")
        assert stands(folder) != first
        # A worker that replaces another is of its generation, whatever lies there by now.
        [*_, last] = by_age(children(process.pid))
        os.kill(last, signal.SIGKILL)
        wait_for(lambda: last not in children(process.pid), "the end of a worker")
        assert presented(folder) == first
        old = children(process.pid).keys()
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: not old & children(process.pid).keys(), "the end of the old processes")
        second = stands(folder)
        assert presented(folder) == second
        (folder / "private/key.pem").write_text("half of a key")
        process.send_signal(signal.SIGHUP)
        wait_for(
            lambda: "nothing has changed: --certfile" in (folder / "stderr").read_text(), "an error"
        )
        assert presented(folder) == second


# ── logs ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("preload", [(), ("--preload",)])
def test_logs_in_a_folder_of_roots_are_written_and_opened_again(
    folder: Path, preload: tuple[str, ...]
) -> None:
    access, errors = folder / "private/access.log", folder / "private/error.log"
    files = ("--access-logfile", str(access), "--error-logfile", str(errors))
    options = (*preload, "--workers", "2", *files, "--access-log", "%(U)s")
    with running(folder, *options, source=TELLING) as process:
        ask(folder, "/first")
        ask(folder, "/boom")
        wait_for(lambda: "/first" in access.read_text(), "a line")
        wait_for(lambda: "ValueError: boom" in errors.read_text(), "a traceback")
        for file in (access, errors):
            file.rename(file.with_suffix(".1"))
        process.send_signal(signal.SIGUSR1)
        wait_for(access.exists, "a new file")

        def everybody() -> bool:
            before = access.with_suffix(".1").read_text()
            for _ in range(10):
                ask(folder, "/second")
            return access.with_suffix(".1").read_text() == before

        wait_for(everybody, "no more lines in the old file")
        # One that is made afterwards, of a zygote that was there before, writes there too.
        old = set(children(process.pid))
        for pid in by_age(old)[-2:]:  # the workers: a zygote is older
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: len(children(process.pid).keys() - old) == 2, "two other workers")
        before = access.with_suffix(".1").read_text(), errors.with_suffix(".1").read_text()
        ask(folder, "/third")
        ask(folder, "/boom")
        wait_for(lambda: "/third" in access.read_text(), "a line of a new worker")
        wait_for(lambda: "ValueError: boom" in errors.read_text(), "a traceback of a new worker")
        after = access.with_suffix(".1").read_text(), errors.with_suffix(".1").read_text()
        assert after == before
        assert owner(access) == owner(errors) == (0, 0)
        assert stat.S_IMODE(access.stat().st_mode) == 0o640


def test_standard_output_that_cannot_be_opened_again(folder: Path) -> None:
    """It may be a pipe of root's, or a socket, as journald's is."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        options = ("--access-log", "%(U)s", "--access-logfile", "/dev/stdout")
        with running(folder, *options, stdout=theirs.fileno()) as process:
            process.send_signal(signal.SIGUSR1)
            ask(folder, "/path")
            ours.settimeout(DEADLINE)
            octets = b""
            while b"/path\n" not in octets:
                octets += ours.recv(4096)
    assert "not opened again" not in (folder / "stderr").read_text()
