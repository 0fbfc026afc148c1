"""``onegate.logs.log_files``: files that move, and those that cannot be opened or written to."""

from __future__ import annotations

import logging
import os
import re
from typing import TYPE_CHECKING

import pytest
from onegate.config.settings import Settings
from onegate.logs import log_files
from onegate.settings_error import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

LOG = logging.getLogger("onegate.error")


def test_levels(tmp_path: Path, error_log_file: Path) -> None:
    log_files.configure(Settings(error_logfile=str(error_log_file), log_level="warning"))
    LOG.info("less")
    LOG.warning("more")
    assert re.fullmatch(r".* WARNING more\n", error_log_file.read_text())


def test_a_message_that_cannot_be_made_is_no_error(
    error_log_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = logging.LogRecord("onegate.error", logging.INFO, "", 0, "%d", ("text",), None)
    (handler,) = (
        each
        for each in logging.getLogger("onegate").handlers
        if isinstance(each, log_files.Handler)
    )
    handler.handle(record)
    assert "--- Logging error ---" in capsys.readouterr().err
    LOG.info("next")
    assert re.fullmatch(r".* INFO next\n", error_log_file.read_text())


def test_standard_error(capfd: pytest.CaptureFixture[str], error_log_file: Path) -> None:
    log_files.configure(Settings())
    LOG.info("told")
    log_files.reopen()
    assert re.fullmatch(r".* INFO told\n", capfd.readouterr().err)
    assert error_log_file.read_text() == ""
    # configured again it does not close what it did not open
    log_files.configure(Settings())
    LOG.info("again")
    assert capfd.readouterr().err.count("\n") == 1


def test_a_file_is_opened_again_under_the_same_descriptor(
    error_log_file: Path, tmp_path: Path
) -> None:
    opened = log_files.present().error
    descriptor, count = opened.fd, len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a number
    LOG.info("one")
    error_log_file.rename(tmp_path / "moved")
    LOG.info("two")
    log_files.reopen()
    LOG.info("three")
    assert [line.split()[-1] for line in (tmp_path / "moved").read_text().splitlines()] == [
        "one",
        "two",
    ]
    assert error_log_file.read_text().split()[-1] == "three"
    assert opened.fd == descriptor
    assert not os.get_inheritable(descriptor)
    assert len(os.listdir("/proc/self/fd")) == count  # noqa: PTH208


def test_a_file_that_cannot_be_opened_again_stays_what_it_is(
    error_log_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    log_files.configure(Settings(error_logfile=str(folder / "x")))
    (folder / "x").rename(tmp_path / "moved")
    folder.rmdir()
    log_files.reopen()
    LOG.info("still here")
    text = (tmp_path / "moved").read_text()
    assert re.search(
        r"cannot reopen .*x: No such file or directory; writing to the old file\n", text
    )
    assert text.endswith("still here\n")


def test_a_wrong_file_changes_nothing(error_log_file: Path) -> None:
    with pytest.raises(SettingsError, match=r"--error-logfile /gone/x: No such file"):
        log_files.configure(Settings(error_logfile="/gone/x", log_level="error"))
    LOG.info("told")
    assert error_log_file.read_text().endswith("INFO told\n")


def test_no_more_descriptors_after_being_configured_again(error_log_file: Path) -> None:
    count = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a number
    for _ in range(5):
        log_files.configure(Settings(error_logfile=str(error_log_file)))
    assert len(os.listdir("/proc/self/fd")) == count  # noqa: PTH208
    assert len(log_files._present) == 1


def test_a_disk_that_is_full_or_a_closed_pipe_disturb_nobody(error_log_file: Path) -> None:
    log_files.configure(Settings(error_logfile="/dev/full"))
    LOG.info("told")
    read, write = os.pipe()
    os.close(read)
    log_files.LogFile("-", write, "x").write(b"told\n")
    os.close(write)
    log_files.LogFile("-", write, "x").write(b"told\n")


def test_a_write_that_takes_a_part_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    file = log_files.LogFile(str(path), 2, "x")
    write = os.write
    monkeypatch.setattr(log_files, "write", lambda fd, octets: write(fd, octets[:2]))
    file.write(b"12345\n")
    file.close()
    assert path.read_bytes() == b"12345\n"
    assert path.stat().st_mode & 0o777 & ~0o640 == 0
