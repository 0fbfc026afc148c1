"""The servers, limits and Pythons that come with wsgi-matrix: the repository's own ``matrix.toml``.

A distribution has them packed (``matrix/hatch_build.py``); an editable one reads the repository.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from wsgi_matrix.config import matrix_toml
from wsgi_matrix.errors import UserError
from wsgi_matrix.model.axes import Server
from wsgi_matrix.model.settings import Config

PACKED = Path(__file__).parents[1] / "servers"
REPOSITORY = Path(__file__).parents[3]


def matrix(build: Path) -> Config:
    """What comes with us. Raises :class:`~wsgi_matrix.errors.ConfigError`."""
    folder = PACKED if PACKED.is_dir() else REPOSITORY
    found = matrix_toml.load(folder / matrix_toml.FILE_NAME, build)
    return replace(found, servers={name: _any(each) for name, each in found.servers.items()})


def _any(server: Server) -> Server:
    """A server of wheels runs on all Pythons; one whose parts come from Debian has its own.

    The repository's matrix compares servers on one Python, and so names one for each.
    """
    return server if server.packages or server.builder else replace(server, pythons=())


def cache() -> Path:
    """Where bundles and images' parts are kept, by the XDG Base Directory Specification.

    Raises :class:`~wsgi_matrix.errors.UserError` where there is no home directory either.
    """
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not named.is_absolute():
        try:
            named = Path.home() / ".cache"
        except RuntimeError:
            raise UserError(
                f"uid {os.getuid()} has no home directory: set HOME, or XDG_CACHE_HOME to a "
                "directory that it may write"
            ) from None
    return named / "wsgi-matrix"
