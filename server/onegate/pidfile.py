"""The file that tells the master's process number."""

from __future__ import annotations

import os
from pathlib import Path

from onegate.settings import SettingsError


class PidFile:
    """Holds the master's process number. It is replaced whole, and removed only if it is ours."""

    def __init__(self, path: str) -> None:
        self._path = Path(path) if path else None

    def write(self) -> None:
        """Raises :class:`SettingsError` if it cannot be written."""
        if self._path is None:
            return
        beside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            beside.write_text(f"{os.getpid()}\n")
            beside.replace(self._path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise SettingsError(f"--pidfile {self._path}: {error.strerror}") from None

    def remove(self) -> None:
        """Remove the file, unless another master has taken it over."""
        if self._path is None:
            return
        try:
            if self._path.read_text().strip() == str(os.getpid()):
                self._path.unlink()
        except OSError:
            return
