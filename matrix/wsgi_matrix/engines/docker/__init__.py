"""The engine ``docker``: cells in Linux containers, through the Docker SDK."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wsgi_matrix.engines.api import Engine, EngineType


def _make(build: Path, *, keep: bool) -> Engine:
    # Imported late: the SDK costs a quarter of a second, and no other engine needs it.
    from wsgi_matrix.engines.docker.engine import DockerEngine  # noqa: PLC0415

    return DockerEngine(build, keep=keep)


def _look(kept: Sequence[str]) -> str:
    return f"docker logs {kept[0][:12]}; docker inspect {' '.join(each[:12] for each in kept)}"


def _inspect(kept: Sequence[str]) -> str:
    # As above.
    from wsgi_matrix.engines.docker.containers import inspected  # noqa: PLC0415

    return inspected(kept)


TYPE = EngineType(
    name="docker",
    cells="containers",
    containers=True,
    make=_make,
    look=_look,
    inspect=_inspect,
)
