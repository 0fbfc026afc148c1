"""Packs the servers of the repository into the distribution, so that `wsgi-matrix try` has them.

They lie beside this folder: each where the repository as a whole wants it. An sdist holds them in
`servers/`, a wheel in `wsgi_matrix/servers/`, both with the repository's own layout.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKED = ("matrix.toml", "Dockerfile", ".dockerignore", "server/onegate", "peers")


class Servers(BuildHookInterface):
    """The hook; hatchling finds it by its base class."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """An editable installation reads them from the repository itself."""
        if version == "editable":
            return
        packed = Path(self.root, "servers")
        source = packed if packed.is_dir() else Path(self.root).parent
        target = "servers" if self.target_name == "sdist" else "wsgi_matrix/servers"
        for name in PACKED:
            build_data["force_include"][str(source / name)] = f"{target}/{name}"
