"""Where what is too large for memory goes."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from onegate.config.settings import Settings
from onegate.process import spool
from onegate.process.spool import check_spool, open_spool, spool_directory
from onegate.settings_error import SettingsError

from tests.programs import program
from tests.server.helpers import HELLO, serving


def test_spool_directory(tmp_path: Path) -> None:
    assert spool_directory("none") is None
    assert spool_directory(str(tmp_path)) == str(tmp_path)
    assert spool_directory(str(tmp_path / "gone")) is None
    assert spool_directory("auto") is not None


def test_auto_is_what_the_environment_names_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "gone"))
    monkeypatch.setenv("TMP", str(tmp_path))
    monkeypatch.delenv("TEMP", raising=False)
    assert spool_directory("auto") == str(tmp_path)


def test_a_named_directory_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for wanted, why in (("gone", "No such file or directory"), ("file", "Not a directory")):
        with pytest.raises(SettingsError, match=f"--spool {tmp_path}/{wanted}: {why}"):
            check_spool(Settings(spool=str(tmp_path / wanted)))
    with pytest.raises(SettingsError, match="--spool /proc: "):
        check_spool(Settings(spool="/proc"))
    for wanted in (str(tmp_path), "auto", "none"):
        assert check_spool(Settings(spool=wanted)) == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_it_is_the_workers_that_have_to_use_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(SettingsError, match=f"--spool {tmp_path}: Permission denied"):
        check_spool(Settings(spool=str(tmp_path), user="nobody"))
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)  # the process that has tried is gone


def test_auto_without_any_directory_says_what_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "_candidates", lambda: [str(tmp_path / "a"), "/proc"])
    lack = check_spool(Settings(body_memory=1000))
    assert lack.startswith(
        f"no directory to spool to ({tmp_path}/a: No such file or directory; /proc: "
    )
    assert "content over 1000 bytes is rejected with 413" in lack
    assert spool_directory("auto") is None


def test_a_read_only_system_says_so_once_and_serves(tmp_path: Path) -> None:
    read_only = "for d in /tmp /var/tmp; do mount --bind $d $d && mount -o remount,ro,bind $d; done"
    enter = (program("unshare"), "--mount")
    tried = subprocess.run([*enter, "sh", "-ec", read_only], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip(f"no mount namespace: {tried.stderr.decode()}")
    environ = {"TMPDIR": "", "PYTHONDONTWRITEBYTECODE": "1"}
    launcher = (*enter, "sh", "-ec", f'{read_only}; exec "$0" "$@"')
    with serving(
        tmp_path, HELLO, "--workers", "2", "--body-memory", "10", environ=environ, launcher=launcher
    ) as server:
        server.wait_for_log(r"WARNING no directory to spool to \(/tmp: Read-only file system; /var")
        assert server.get().status == 200
        with server.connect() as client:
            client.send(b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n")
            assert client.response().status == 413
        server.wait_for_log("INFO 413 to .*: content exceeds --body-memory, and there is no spool")
    assert server.log.count("no directory to spool to") == 1


def test_a_reload_to_a_directory_that_cannot_be_used_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(f"spool = '{tmp_path}'")
    with serving(tmp_path, HELLO, "--config", "x.toml") as server:
        (tmp_path / "x.toml").write_text("spool = '/gone'")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_log(
            "reload failed, nothing has changed: --spool /gone: No such file or directory"
        )
        assert server.get().status == 200


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("known", [True, False])
def test_a_file_without_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, buffered: bool, known: bool
) -> None:
    if not known:
        real = os.open

        def without(path: Any, flags: int, *rest: int, **more: int) -> int:
            if flags & os.O_TMPFILE == os.O_TMPFILE:
                raise OSError(errno.EOPNOTSUPP, "as on a file system that has none")
            return real(path, flags, *rest, **more)

        monkeypatch.setattr(os, "open", without)
    with open_spool(str(tmp_path), buffered=buffered) as file:
        assert not list(tmp_path.iterdir())
        assert not os.get_inheritable(file.fileno())
        file.write(b"one\ntwo\n")
        file.seek(0)
        assert file.readlines() == [b"one\n", b"two\n"]
