"""What a cell of processes has around its server: variables, secrets, a folder it may write."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from wsgi_matrix.engines import commands
from wsgi_matrix.model.axes import Cell
from wsgi_matrix.packaging.bundle import Bundle

OWN = {"HOME": "home", "TMPDIR": "tmp"}
"""Variables that name a folder of the cell's own: without HOME a user that is in no passwd has no
home at all, and in /tmp one cell would find what another has left."""


class Around:
    """The surroundings of one cell. :meth:`make` makes them, :meth:`close` removes them."""

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
        """``files``: a folder for what the cell alone may write, and for its secrets."""
        self._wanted, self._files, self._uid = cell.app.surroundings, files, uid
        places = {
            "writable": str(files / "writable"),
            "secrets": str(files / "secrets"),
            "python": str(python),
        }
        folders = [*cell.server.process_path, *bundle.paths]
        # Last, so that what a server needs cannot hide what the app has.
        folders += [server_lib] if server_lib else []
        self.environment = {
            **commands.VARIABLES,
            "PATH": os.pathsep.join([*map(str, (*bundle.scripts, python.parent)), os.defpath]),
            **{name: str(files / place) for name, place in OWN.items()},
            "PYTHONPATH": os.pathsep.join(str(folder) for folder in folders),
            **self._wanted.variables(**places),
        }
        self.commands = self._wanted.commands(**places)
        """For the set-up, once :meth:`make` has been called."""

    def make(self) -> None:
        """Make the folders, owned by the cell's user."""
        for place in ("writable", "secrets", *OWN.values()):
            (self._files / place).mkdir(parents=True)
        for name, source in self._wanted.secrets:
            (self._files / "secrets" / name).write_bytes(source.read_bytes())
        self._files.parent.chmod(0o711)  # the cell's own user has to get to what is its own
        if self._uid is not None:
            for path in (self._files, *self._files.rglob("*")):
                os.chown(path, self._uid, self._uid)

    def close(self) -> None:
        """Remove everything. The server has to be gone."""
        shutil.rmtree(self._files, ignore_errors=True)
