"""``onegate.validate_settings``: every setting is judged before anything is bound, in one place."""

from __future__ import annotations

import os
import re
import socket
from typing import TYPE_CHECKING

import pytest
from onegate.config.settings import OPTIONS, Settings
from onegate.config.types import Kind, Pairs, Strings
from onegate.settings_error import SettingsError
from onegate.validate_settings import RESOURCES, SYNTAX, validate

from tests.server.helpers import HELLO, run_to_end, serving, write_app

if TYPE_CHECKING:
    from pathlib import Path

JUDGED_ELSEWHERE = {
    "config": "read by onegate.config.sources",
    "chdir": "opened by onegate.master.execution_environment",
    "access_logfile": "opened by onegate.master.execution_environment",
    "error_logfile": "opened by onegate.master.execution_environment",
    "hooks": "run by onegate.process.hook_loader",
    "reload_extra_file": "a pattern, which may match nothing",
    "env": "any text, by its kind",
    "root_path": "any text",
    "server_header": "judged by its kind",
}


def test_every_option_of_free_text_has_its_judge() -> None:
    names = [*SYNTAX, *(name for names in RESOURCES for name in names)]
    assert len(set(names)) == len(names)
    free = {name for name, option in OPTIONS.items() if type(option.kind) in (Kind, Strings, Pairs)}
    assert set(names) <= OPTIONS.keys()
    assert free - set(names) <= JUDGED_ELSEWHERE.keys()
    assert not set(names) & JUDGED_ELSEWHERE.keys()


WRONG = [
    (["--access-log", "%(zz)s"], "--access-log: unknown atom %(zz)s"),
    (["--access-logfile", "gone/x"], "--access-logfile gone/x: No such file or directory"),
    (["--bind", "nonsense"], "--bind nonsense: invalid address, expected HOST:PORT"),
    (["--status", "nonsense"], "--status nonsense: invalid address, expected HOST:PORT"),
    (["--certfile", "gone"], "--certfile gone: No such file or directory"),
    (["--certfile", "served.py"], "--certfile served.py: not a certificate"),
    (["--certfile", "served.py", "--keyfile", "gone"], "--keyfile gone: No such file or directory"),
    (
        ["--keyfile", "served.py"],
        "--keyfile served.py: no certificate for this key; add --certfile",
    ),
    (["--forwarded-allow-ips", "10.0.0.0/99"], "--forwarded-allow-ips: '10.0.0.0/99'"),
    (["--forwarded-headers", "x-real-ip"], "--forwarded-headers: unknown field 'x-real-ip'"),
    (["--environ", "PATH_INFO=/x"], "--environ PATH_INFO: each request sets it"),
    (["--environ", "SCRIPT_NAME=/x"], "--environ SCRIPT_NAME: use --root-path"),
    (["--user", "no-such-user"], "--user no-such-user: no such user"),
    (["--user", "²"], "--user ²: no such user"),
    (["--user", "99999999999"], "--user 99999999999: no such user"),
    (["--user", "54321"], "--user 54321: no entry in passwd(5) names its group; add"),
    (["--group", "no-such-group"], "--group no-such-group: no such group"),
    (["--pidfile", "gone/x"], "gone/x: no such directory"),
    (["--pidfile", "folder"], "folder: is a directory"),
    (["--spool", "gone"], "--spool gone: No such file or directory"),
    (["--hooks", "gone"], "--hooks gone: No such file or directory"),
    (["--hooks", "served.txt"], "--hooks served.txt: "),
]


def ended(folder: Path, *options: str, app: str = "served:app") -> tuple[int, str, str]:
    """Exit status, standard error and error log of a server that ends by itself."""
    write_app(folder, "open('imported', 'w')\n" + HELLO)
    (folder / "served.txt").write_text("post_fork = 3")
    (folder / "folder").mkdir(exist_ok=True)
    log = folder / "errors"
    log.unlink(missing_ok=True)
    process = run_to_end(folder, app, "--error-logfile", "errors", *options)
    return process.returncode, process.stderr, log.read_text() if log.exists() else ""


@pytest.mark.parametrize("check", [(), ("--check-config",)])
@pytest.mark.parametrize(("options", "message"), WRONG, ids=[" ".join(each) for each, _ in WRONG])
def test_what_cannot_be_used_is_told_once_before_anything_is_bound(
    tmp_path: Path, options: list[str], message: str, check: tuple[str, ...]
) -> None:
    path = tmp_path / "socket"
    binds = () if "--bind" in options else ("--bind", f"unix:{path}")
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))  # which would be replaced
    inode = path.stat().st_ino
    status, error, log = ended(tmp_path, *options, *binds, *check, "--workers", "3")
    assert (status, error.count("\n")) == (2, 1), error
    assert error.startswith("onegate: ")
    assert message in error
    assert path.stat().st_ino == inode
    assert not (tmp_path / "imported").exists()
    assert re.fullmatch(r"\S+ \S+ \S+ \[\d+\] ERROR [^\n]+\n", log)
    assert message in log


@pytest.mark.parametrize("app", ["a b", "served:app)", "served:make(name)"])
def test_an_application_that_is_none_is_no_failure_of_the_application(
    tmp_path: Path, app: str
) -> None:
    status, error, _ = ended(tmp_path, app=app)
    assert (status, error.count("\n")) == (2, 1), error


def test_a_reload_judges_too(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.touch()
    with serving(tmp_path, HELLO, "--config", "x.toml") as server:
        for text in ("access_log = '%(zz)s'", "certfile = 'gone'", "user = 'no-such-user'"):
            file.write_text(text)
            server.process.send_signal(1)
            option = text.split()[0].replace("_", "-")
            server.wait_for_log(f"reload failed, nothing has changed: --{option}")
        assert server.get().status == 200


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be somebody else")
def test_privileges_that_cannot_be_had() -> None:
    from onegate.process import privileges  # noqa: F401 - somebody else may not be able to

    pid = os.fork()
    if not pid:
        status = 3
        try:
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            validate(Settings(app="m:a", user="65534"))
            status = 0
            validate(Settings(app="m:a", user="root"))
            status = 2
        except SettingsError as error:
            status += (
                str(error) != "--user and --group: only root can change them; start onegate as root"
            )
        finally:
            os._exit(status)
    # It came as far as the second, and that was refused for what it is.
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
