"""The servers, limits and Pythons that come with wsgi-matrix: the repository's own ``matrix.toml``.

A distribution has them packed (``matrix/hatch_build.py``); an editable one reads the repository.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from wsgi_matrix.model.axes import Server

PACKED = Path(__file__).parents[1] / "servers"
REPOSITORY = Path(__file__).parents[3]


def directory() -> Path:
    """Where they are, with a ``matrix.toml`` of their own."""
    return PACKED if PACKED.is_dir() else REPOSITORY


def on_all_pythons(server: Server) -> Server:
    """``server`` as it is offered to others.

    The repository's matrix compares servers on one Python, and so names one for each. A server of
    wheels runs on all of them; one whose parts come from Debian has its own.
    """
    return server if server.packages or server.builder else replace(server, pythons=())
