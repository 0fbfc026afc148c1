"""Provides the app environment of a process cell: variables, secrets, a writable directory."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from wsgi_matrix.engines import commands
from wsgi_matrix.model.axes import Cell
from wsgi_matrix.packaging.bundle import Bundle

OWN = {"HOME": "home", "TMPDIR": "tmp"}
"""Variables with a directory of the cell's own: without HOME, a user that is not in passwd has no
home directory, and in a shared /tmp one cell could find another's files."""


class CellEnvironment:
    """The app environment of one cell. :meth:`make` creates it, :meth:`close` removes it."""

    def __init__(
        self,
        cell: Cell,
        files: Path,
        *,
        bundle: Bundle,
        server_lib: Path | None,
        python: Path,
        uid: int | None,
    ) -> None:
        """``files``: the directory for the cell's writable directories and secrets."""
        self._wanted, self._files, self._uid = cell.app.needs, files, uid
        places = {
            "writable": str(files / "writable"),
            "secrets": str(files / "secrets"),
            "python": str(python),
        }
        folders = [*cell.server.process_path, *bundle.paths]
        # Last, so that the server's modules cannot shadow the app's.
        folders += [server_lib] if server_lib else []
        self.environment = {
            **commands.VARIABLES,
            "PATH": os.pathsep.join([*map(str, (*bundle.scripts, python.parent)), os.defpath]),
            **{name: str(files / place) for name, place in OWN.items()},
            "PYTHONPATH": os.pathsep.join(str(folder) for folder in folders),
            **self._wanted.variables(**places),
        }
        self.commands = self._wanted.commands(**places)
        """Setup commands; available after :meth:`make`."""

    def make(self) -> None:
        """Make the directories, owned by the cell's user."""
        for place in ("writable", "secrets", *OWN.values()):
            (self._files / place).mkdir(parents=True)
        for name, source in self._wanted.secrets:
            (self._files / "secrets" / name).write_bytes(source.read_bytes())
        self._files.parent.chmod(0o711)  # the cell's user must be able to reach its files
        if self._uid is not None:
            for path in (self._files, *self._files.rglob("*")):
                os.chown(path, self._uid, self._uid)

    def close(self) -> None:
        """Remove everything. The server must have exited."""
        shutil.rmtree(self._files, ignore_errors=True)
