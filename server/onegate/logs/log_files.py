"""Files of the error log and the access log: opened, reopened after a rotation, passed to children.

The master opens all log files, before privileges are dropped, and its children inherit them. Files
that it reopens after a rotation are passed to them, since they may not be allowed to open them.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import stat
import struct
from os import write

from onegate.logs.error_log import Formatter, log, parent
from onegate.settings_error import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.config.settings import Settings


_STANDARD = {
    f"{directory}{name}": number
    for number, name in ((1, "1"), (2, "2"))
    for directory in ("/dev/fd/", "/proc/self/fd/")
} | {"/dev/stdout": 1, "/dev/stderr": 2}
"""Paths that only refer to an open descriptor. Opening them may fail: always for a socket
(journald's), and for a pipe of another user."""


class LogFile:
    """A descriptor to append to; ``-`` stands for the one of standard output or error.

    Raises :class:`SettingsError` if the file cannot be opened.
    """

    def __init__(self, path: str, standard: int, option: str) -> None:
        self.fd = standard if path == "-" else _STANDARD.get(path, -1)
        # It must stay the same file when it is reopened, whatever the current directory is then.
        self._path = os.path.join(os.getcwd(), path) if self.fd < 0 else ""
        if self._path:
            try:
                self.fd = self._open()
            except OSError as error:
                raise SettingsError(f"--{option} {path}: {error.strerror}") from None
        # Writes to a regular file never mix; to a pipe those beyond PIPE_BUF may.
        try:
            self.regular = stat.S_ISREG(os.fstat(self.fd).st_mode)
        except OSError:
            self.regular = False  # it was closed at startup: every write fails and is ignored

    def _open(self) -> int:
        # Do not wait for a reader of a FIFO: without one, it cannot be opened.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        fd = os.open(self._path, flags, 0o640)
        os.set_blocking(fd, True)
        return fd

    def write(self, line: bytes) -> None:
        """Append ``line`` in one write. Errors (a full disk, no reader) are ignored."""
        try:
            written = write(self.fd, line)
            while written < len(line):
                written += write(self.fd, line[written:])
        except OSError:
            return

    @property
    def own(self) -> bool:
        """Whether it was opened here, and so can be reopened."""
        return bool(self._path)

    def reopen(self) -> None:
        """Open a file of the same name; keep the present one if that fails."""
        if not self._path:
            return
        try:
            fd = self._open()
        except OSError as error:
            log.error("cannot reopen %s: %s; writing to the old file", self._path, error.strerror)
            return
        self.take(fd)

    def take(self, fd: int) -> None:
        """Continue with the file of ``fd``, which is closed."""
        # Atomic: no thread ever finds the descriptor closed.
        os.dup2(fd, self.fd, inheritable=False)
        os.close(fd)

    def close(self) -> None:
        """Close a file that was opened here."""
        if self._path:
            os.close(self.fd)


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


class Logs:
    """Opens the log files that ``settings`` name.

    ``access``: None without an access log. Raises :class:`SettingsError` if a file cannot be
    opened; then none is.

    Children inherit them. The descriptors that the master has opened last are in a mailbox, a pair
    of sockets, from which every child reads them (``MSG_PEEK``) at USR1 and when it starts serving.
    """

    def __init__(self, settings: Settings) -> None:
        self.error = LogFile(settings.error_logfile, 2, "error-logfile")
        self.access: LogFile | None = None
        try:
            if settings.access_log != "off":
                self.access = LogFile(settings.access_logfile, 1, "access-logfile")
        except SettingsError as error:
            if self.error.own and not _present:
                # No log has been installed yet that could report it.
                Handler(self.error).handle(
                    log.makeRecord(log.name, logging.ERROR, "", 0, str(error), (), None)
                )
            self.error.close()
            raise
        self._level = settings.log_level.upper()
        self._own = [each for each in (self.error, self.access) if each is not None and each.own]
        self._mailbox: tuple[socket.socket, ...] = ()
        if self._own:
            self._mailbox = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            for each in self._mailbox:
                each.setblocking(False)

    def install(self) -> None:
        """Send the messages of this process here from now on, and close the previous logs."""
        for handler in parent.handlers[:]:
            if isinstance(handler, Handler):
                parent.removeHandler(handler)
        parent.addHandler(Handler(self.error))
        parent.setLevel(self._level)
        parent.propagate = False
        for each in _present:
            each.close()
        _present[:] = [self]

    def reopen(self) -> None:
        """In the master: reopen the files after a rotation; :meth:`renew` follows in its
        children."""
        for each in self._own:
            each.reopen()
        if self._mailbox:
            for fd in self._look(0):  # remove the previous ones
                os.close(fd)
            descriptors = _DESCRIPTORS[len(self._own)].pack(*(each.fd for each in self._own))
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)]
            try:
                self._mailbox[0].sendmsg([b"!"], rights)
            except OSError as error:
                log.error("cannot pass the reopened logs to the workers: %s", error.strerror)

    def renew(self) -> None:
        """In a child: continue with the files that the master has opened last."""
        for each, fd in zip(self._own, self._look(socket.MSG_PEEK), strict=False):
            each.take(fd)

    def _look(self, flags: int) -> tuple[int, ...]:
        """The descriptors in the mailbox, if any."""
        if not self._mailbox:
            return ()
        layout = _DESCRIPTORS[len(self._own)]
        with contextlib.suppress(OSError):
            _, ancillary, *_ = self._mailbox[1].recvmsg(
                1, socket.CMSG_SPACE(layout.size), flags | socket.MSG_CMSG_CLOEXEC
            )
            for _, _, octets in ancillary:
                return struct.unpack(f"{len(octets) // 4}i", octets)
        return ()

    def close(self) -> None:
        """Close what was opened."""
        for each in self._own:
            each.close()
        for sock in self._mailbox:
            sock.close()


_DESCRIPTORS = {count: struct.Struct(f"{count}i") for count in (1, 2)}
_present: list[Logs] = []


def present() -> Logs:
    """The logs of this process."""
    return _present[0]


def has_file() -> bool:
    """Whether messages of this process go to a file instead of standard error."""
    return any(each.error.own for each in _present)


def configure(settings: Settings) -> None:
    """Open the log files that ``settings`` name, and replace the present ones.

    Raises :class:`SettingsError` if one cannot be opened; then nothing has changed.
    """
    Logs(settings).install()


def reopen() -> None:
    """In the master: reopen all log files after a rotation."""
    for each in _present:
        each.reopen()


def renew() -> None:
    """In a child: continue with the files that the master has reopened."""
    for each in _present:
        each.renew()
