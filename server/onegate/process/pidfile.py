"""``--pidfile``: the file with the pid of the master."""

from __future__ import annotations

import contextlib
import os

from onegate.settings_error import SettingsError


class PidFile:
    """Holds the pid of the master. It is replaced atomically, and removed only if it is ours."""

    def __init__(self, path: str) -> None:
        # Where the server goes later on does not move it.
        self._path = os.path.join(os.getcwd(), path) if path else ""

    def check(self) -> None:
        """Raises :class:`SettingsError` if it clearly cannot be written."""
        directory = os.path.dirname(self._path)
        if self._path and not os.access(directory, os.W_OK | os.X_OK):
            why = "permission denied" if os.path.isdir(directory) else "no such directory"
            raise SettingsError(f"--pidfile {self._path}: {why}")
        if os.path.isdir(self._path):
            raise SettingsError(f"--pidfile {self._path}: is a directory")

    def write(self) -> None:
        """Raises :class:`SettingsError` if it cannot be written."""
        if not self._path:
            return
        directory, name = os.path.split(self._path)
        temporary = os.path.join(directory, f".{name}.{os.getpid()}")
        try:
            with open(temporary, "w") as file:
                file.write(f"{os.getpid()}\n")
            os.replace(temporary, self._path)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise SettingsError(f"--pidfile {self._path}: {error.strerror}") from None

    def holder(self) -> int:
        """The pid in the file, if it is that of another running process; otherwise 0.

        That process need not be a server: pids are reused, and a killed server leaves its file.
        """
        try:
            with open(self._path) as file:
                pid = int(file.read(32))
            if pid > 0 and pid != os.getpid():
                os.kill(pid, 0)
                return pid
        except PermissionError:
            return pid
        except (OSError, ValueError, OverflowError):
            pass
        return 0

    def remove(self) -> None:
        """Remove the file, unless another master has taken it over."""
        if not self._path:
            return
        try:
            with open(self._path) as file:
                ours = file.read().strip() == str(os.getpid())
            if ours:
                os.unlink(self._path)
        except OSError:
            return
