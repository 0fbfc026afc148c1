"""Which engine runs the cells."""

from __future__ import annotations

import os
from pathlib import Path

from wsgi_matrix.engines.api import Engine
from wsgi_matrix.engines.process.engine import ProcessEngine
from wsgi_matrix.errors import EngineError

REQUIRE_DOCKER = "WSGI_MATRIX_REQUIRE_DOCKER"


def choose(name: str, build: Path, *, keep: bool = False) -> tuple[Engine, str]:
    """The engine called ``name``, and a notice for people (often empty).

    ``auto``: Docker if it answers, else processes, with a notice that says why. With
    WSGI_MATRIX_REQUIRE_DOCKER=1 processes are refused, however they come to be chosen. ``keep``:
    what is left of cells stays until :meth:`.Engine.keep_only` or ``clean``.
    Raises :class:`EngineError`.
    """
    required = os.environ.get(REQUIRE_DOCKER, "") not in ("", "0")
    if name == "process":
        if required:
            raise EngineError(
                f"{REQUIRE_DOCKER}=1 refuses the process engine; unset it or use --engine docker"
            )
        return ProcessEngine(build, keep=keep), ""
    try:
        return _docker(build, keep), ""
    except EngineError as problem:
        if name == "docker" or required:
            raise
        return (
            ProcessEngine(build, keep=keep),
            f"{problem}\nFalling back to processes: these are NOT containers.",
        )


def _docker(build: Path, keep: bool) -> Engine:
    # Imported late: the SDK costs a quarter of a second, and the process engine needs none of it.
    from wsgi_matrix.engines.docker.engine import DockerEngine  # noqa: PLC0415

    return DockerEngine(build, keep=keep)
