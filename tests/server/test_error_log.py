"""``onegate.logs.error_log`` and ``request_id``: lines that nothing can break, files that move."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onegate.config.settings import Settings
from onegate.errors import SettingsError
from onegate.logs import error_log
from onegate.logs.request_id import KEY, MAX_LENGTH, adopt, request_id

if TYPE_CHECKING:
    from tests.server.conftest import Serve

LOG = logging.getLogger("onegate.error")
BEGIN = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} \[\d+( [^ \]]+)?\] [A-Z]+ "


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """The error log goes here for one test."""
    path = tmp_path / "error.log"
    error_log.configure(Settings(error_logfile=str(path)))
    yield path
    root = logging.getLogger("onegate")
    for handler in root.handlers[:]:
        if isinstance(handler, error_log.Handler):
            root.removeHandler(handler)
    error_log._present.pop().close()
    root.propagate = True
    root.setLevel(logging.NOTSET)


# ── lines ────────────────────────────────────────────────────────────────────────────────────────


def test_a_line(file: Path) -> None:
    LOG.info("told %d", 3)
    assert re.fullmatch(rf"{BEGIN}told 3\n", file.read_text())
    assert f"[{os.getpid()}] INFO" in file.read_text()


def test_a_line_about_a_request_names_it(file: Path) -> None:
    environ: dict[str, Any] = {}
    LOG.error("told", extra={"environ": environ})
    assert f"[{os.getpid()} {environ[KEY]}] ERROR told\n" in file.read_text()


def test_a_traceback_is_indented(file: Path) -> None:
    try:
        raise ValueError(
            "first\n2025-11-23 16:39:00 +0000 [1] INFO second\r\x1b[2K\x85third\u2028é"
        )
    except ValueError:
        LOG.exception("told\nagain", stack_info=True)
    first, *others = file.read_text("utf-8").splitlines()
    assert re.fullmatch(rf"{BEGIN}told\\nagain", first)
    assert all(line.startswith("    ") for line in others)
    assert r"    2025-11-23 16:39:00 +0000 [1] INFO second\r\x1b[2K\x85third\u2028é" in others
    assert "    Stack (most recent call last):" in others


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters()))
def test_whatever_it_says_a_message_is_one_line(file: Path, text: str) -> None:
    size = file.stat().st_size
    LOG.info("%s", text)
    octets = file.read_bytes()[size:]
    line = octets.decode("utf-8")
    assert line.endswith("\n")
    assert line[:-1].isprintable()


def test_levels(tmp_path: Path, file: Path) -> None:
    error_log.configure(Settings(error_logfile=str(file), log_level="warning"))
    LOG.info("less")
    LOG.warning("more")
    assert re.fullmatch(rf"{BEGIN}more\n", file.read_text())


def test_a_message_that_cannot_be_made_is_no_error(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = logging.LogRecord("onegate.error", logging.INFO, "", 0, "%d", ("text",), None)
    (handler,) = (
        each
        for each in logging.getLogger("onegate").handlers
        if isinstance(each, error_log.Handler)
    )
    handler.handle(record)
    assert "--- Logging error ---" in capsys.readouterr().err
    LOG.info("next")
    assert re.fullmatch(rf"{BEGIN}next\n", file.read_text())


def test_standard_error(capfd: pytest.CaptureFixture[str], file: Path) -> None:
    error_log.configure(Settings())
    LOG.info("told")
    error_log.reopen()
    assert re.fullmatch(rf"{BEGIN}told\n", capfd.readouterr().err)
    assert file.read_text() == ""
    # configured again it does not close what it did not open
    error_log.configure(Settings())
    LOG.info("again")
    assert capfd.readouterr().err.count("\n") == 1


# ── files ────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_is_opened_again_under_the_same_descriptor(file: Path, tmp_path: Path) -> None:
    opened = error_log.present().error
    descriptor, count = opened.fd, len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a number
    LOG.info("one")
    file.rename(tmp_path / "moved")
    LOG.info("two")
    error_log.reopen()
    LOG.info("three")
    assert [line.split()[-1] for line in (tmp_path / "moved").read_text().splitlines()] == [
        "one",
        "two",
    ]
    assert file.read_text().split()[-1] == "three"
    assert opened.fd == descriptor
    assert not os.get_inheritable(descriptor)
    assert len(os.listdir("/proc/self/fd")) == count  # noqa: PTH208


def test_a_file_that_cannot_be_opened_again_stays_what_it_is(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    error_log.configure(Settings(error_logfile=str(folder / "x")))
    (folder / "x").rename(tmp_path / "moved")
    folder.rmdir()
    error_log.reopen()
    LOG.info("still here")
    text = (tmp_path / "moved").read_text()
    assert re.search(
        r"cannot reopen .*x: No such file or directory; writing to the old file\n", text
    )
    assert text.endswith("still here\n")


def test_a_wrong_file_changes_nothing(file: Path) -> None:
    with pytest.raises(SettingsError, match=r"--error-logfile /gone/x: No such file"):
        error_log.configure(Settings(error_logfile="/gone/x", log_level="error"))
    LOG.info("told")
    assert file.read_text().endswith("INFO told\n")


def test_no_more_descriptors_after_being_configured_again(file: Path) -> None:
    count = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a number
    for _ in range(5):
        error_log.configure(Settings(error_logfile=str(file)))
    assert len(os.listdir("/proc/self/fd")) == count  # noqa: PTH208
    assert len(error_log._present) == 1


def test_a_disk_that_is_full_or_a_closed_pipe_disturb_nobody(file: Path) -> None:
    error_log.configure(Settings(error_logfile="/dev/full"))
    LOG.info("told")
    read, write = os.pipe()
    os.close(read)
    error_log.LogFile("-", write, "x").write(b"told\n")
    os.close(write)
    error_log.LogFile("-", write, "x").write(b"told\n")


def test_a_write_that_takes_a_part_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    file = error_log.LogFile(str(path), 2, "x")
    write = os.write
    monkeypatch.setattr(error_log, "write", lambda fd, octets: write(fd, octets[:2]))
    file.write(b"12345\n")
    file.close()
    assert path.read_bytes() == b"12345\n"
    assert path.stat().st_mode & 0o777 & ~0o640 == 0


# ── names of requests ────────────────────────────────────────────────────────────────────────────


def test_a_name_is_made_once() -> None:
    one: dict[str, Any] = {}
    two: dict[str, Any] = {}
    assert request_id(one) == request_id(one) == one[KEY]
    assert request_id(one) != request_id(two)
    assert re.fullmatch("[0-9a-f]{12}-[0-9a-f]+", one[KEY])


@pytest.mark.parametrize("value", ["a", "f81d4fae-7dec", "1-67891233-abcdef", "a" * MAX_LENGTH])
def test_a_name_is_adopted(value: str) -> None:
    environ: dict[str, Any] = {"HTTP_X_REQUEST_ID": value}
    adopt(environ)
    assert request_id(environ) == value


@pytest.mark.parametrize(
    "value", ["", "a b", "a]", 'a"', "a\n", "\xe9", "a,b", "a" * (MAX_LENGTH + 1)]
)
def test_what_is_no_token_is_not_adopted(value: str) -> None:
    environ: dict[str, Any] = {"HTTP_X_REQUEST_ID": value}
    adopt(environ)
    assert KEY not in environ
    assert request_id(environ) != value


def test_a_name_is_not_taken_from_anybody() -> None:
    assert request_id({"HTTP_X_REQUEST_ID": "a"}) != "a"


def test_processes_give_different_names() -> None:
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(write, request_id({}).encode())
        os._exit(0)
    os.close(write)
    assert os.waitpid(pid, 0)[1] == 0
    other = os.read(read, 100).decode()
    os.close(read)
    assert other.partition("-")[0] != request_id({}).partition("-")[0]


# ── what an application does to logging ──────────────────────────────────────────────────────────

CONFIGURES = """
import logging, logging.config, os

def configure():
    if {how!r} == "dict":
        logging.config.dictConfig({{"version": 1}})
    elif {how!r} == "file":
        with open("logging.ini", "w") as file:
            file.write("[loggers]\\nkeys=root\\n[handlers]\\nkeys=\\n[formatters]\\nkeys=\\n"
                       "[logger_root]\\nhandlers=\\n")
        logging.config.fileConfig("logging.ini")
    else:
        for each in list(logging.root.manager.loggerDict.values()):
            each.disabled = True

if {when!r} == "import":
    configure()

def app(environ, start_response):
    configure()
    raise ValueError("boom")
"""


@pytest.mark.parametrize("when", ["import", "call"])
@pytest.mark.parametrize("how", ["dict", "file", "disabled"])
def test_an_application_that_configures_logging_keeps_our_messages(
    serve: Serve, how: str, when: str
) -> None:
    server = serve(CONFIGURES.format(how=how, when=when), "--max-requests", "1")
    assert server.get().status == 500
    server.wait_for_log("ERROR ValueError while handling GET")
    server.wait_for_log("    ValueError: boom")
    server.wait_for_log("INFO .*has reached --max-requests")
