"""The error log: the standard library's ``logging``, one line for each event.

    2025-11-23 16:39:00 +0000 [4711] INFO onegate 0.1.0 listens on http://127.0.0.1:8000
    2025-11-23 16:39:07 +0000 [4713 8f0c2d61a0e4-1f] ERROR ValueError while answering GET '/'
        Traceback (most recent call last):

A line begins with the time and is written at once. What belongs to it is indented, and control
characters are escaped, so that nothing a client sends can look like a line of its own. Messages
about a request carry its name if they are logged with ``extra={"environ": environ}``.
"""

from __future__ import annotations

import logging
import os
import stat
import time

from onegate.request_id import request_id
from onegate.settings import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from onegate.settings.model import Settings


log = logging.getLogger("onegate.error")

_INDENT = "    "


class LogFile:
    """A descriptor to append to; ``-`` stands for the one of standard output or error.

    Raises :class:`SettingsError` if the file cannot be opened.
    """

    def __init__(self, path: str, standard: int, option: str) -> None:
        self._path = "" if path == "-" else path
        self.fd = standard
        if self._path:
            try:
                self.fd = self._open()
            except OSError as error:
                raise SettingsError(f"--{option} {path}: {error.strerror}") from None
        # Writes to a regular file never mix; to a pipe those beyond PIPE_BUF may.
        try:
            self.regular = stat.S_ISREG(os.fstat(self.fd).st_mode)
        except OSError:
            self.regular = False  # closed by who started us: every write fails and is passed over

    def _open(self) -> int:
        # Not to wait for whoever reads a FIFO: without a reader it cannot be opened.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        fd = os.open(self._path, flags, 0o640)
        os.set_blocking(fd, True)
        return fd

    def write(self, line: bytes) -> None:
        """Append ``line`` in one write. A full disk or a reader that is gone disturbs nobody."""
        try:
            written = os.write(self.fd, line)
            while written < len(line):
                written += os.write(self.fd, line[written:])
        except OSError:
            return

    def reopen(self) -> None:
        """Go on in a file of the same name; stay with the present one if that cannot be opened."""
        if not self._path:
            return
        try:
            fd = self._open()
        except OSError as error:
            log.error("%s is not opened again: %s", self._path, error.strerror)
            return
        # In one step: no thread ever finds it closed.
        os.dup2(fd, self.fd, inheritable=False)
        os.close(fd)

    def close(self) -> None:
        """Close a file that was opened here."""
        if self._path:
            os.close(self.fd)


def escape(text: str) -> str:
    """``text`` with everything escaped that moves a terminal's cursor or ends a line."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in text
    )


class Formatter(logging.Formatter):
    """Makes lines as the module describes them."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and indented ones for a traceback."""
        when = time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(record.created))
        environ: dict[str, Any] | None = getattr(record, "environ", None)
        who = f"{record.process}" if environ is None else f"{record.process} {request_id(environ)}"
        first = f"{when} [{who}] {record.levelname} {escape(record.getMessage())}"
        more = ""
        if record.exc_info:
            more = self.formatException(record.exc_info)
        if record.stack_info:
            more += "\n" + record.stack_info
        return "\n".join([first, *(_INDENT + escape(line) for line in more.split("\n") if line)])


class Handler(logging.Handler):
    """Writes to a :class:`LogFile`."""

    def __init__(self, file: LogFile) -> None:
        super().__init__()
        self.file = file
        self.setFormatter(Formatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record's lines at once."""
        try:
            octets = f"{self.format(record)}\n".encode("utf-8", "backslashreplace")
        except Exception:
            self.handleError(record)
        else:
            self.file.write(octets)


_open: list[LogFile] = []


def opened(file: LogFile) -> LogFile:
    """Have ``file`` reopened with the others; returns it."""
    _open.append(file)
    return file


def reopen() -> None:
    """Open all log files of this process again, after they were moved away."""
    for file in _open:
        file.reopen()


def configure(settings: Settings) -> None:
    """Send the server's own messages where ``settings`` say. May be called again.

    Raises :class:`SettingsError` if the file cannot be opened; then nothing has changed.
    """
    file = LogFile(settings.error_logfile, 2, "error-logfile")
    root = logging.getLogger("onegate")
    for handler in root.handlers[:]:
        if isinstance(handler, Handler):
            root.removeHandler(handler)
            if handler.file in _open:
                _open.remove(handler.file)
            handler.file.close()
    root.addHandler(Handler(opened(file)))
    root.setLevel(settings.log_level.upper())
    root.propagate = False
