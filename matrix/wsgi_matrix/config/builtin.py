"""The servers, limits and Pythons that come with wsgi-matrix: the repository's own ``matrix.toml``.

A wheel contains them (``matrix/hatch_build.py``); an editable install reads the repository.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from wsgi_matrix.model.axes import Server

PACKED = Path(__file__).parents[1] / "servers"
REPOSITORY = Path(__file__).parents[3]


def directory() -> Path:
    """The directory with the built-in servers and their ``matrix.toml``."""
    return PACKED if PACKED.is_dir() else REPOSITORY


def on_all_pythons(server: Server) -> Server:
    """``server`` with all Pythons that it can run on.

    The repository's matrix compares servers on one Python, so it sets one for each. A server that
    is made of wheels runs on all; one with parts from Debian only on that release's.
    """
    return server if server.packages or server.builder else replace(server, pythons=())
