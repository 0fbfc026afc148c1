"""Chooses the engine that runs the cells."""

from __future__ import annotations

import os
from pathlib import Path

from wsgi_matrix.engines.api import Engine
from wsgi_matrix.engines.registry import AUTO, ENGINES, choices
from wsgi_matrix.errors import EngineError, UserError, suggestion

REQUIRE_DOCKER = "WSGI_MATRIX_REQUIRE_DOCKER"


def check(name: str) -> None:
    """Raise :class:`UserError` unless :func:`choose` accepts ``name``."""
    if name not in choices():
        raise UserError(f'--engine: no "{name}"{suggestion(name, choices())}')


def choose(name: str, build: Path, *, keep: bool = False) -> tuple[Engine, str]:
    """The engine ``name``, and a notice for the user (often empty).

    ``auto``: the first available one, with a notice that says why those before it are not. With
    WSGI_MATRIX_REQUIRE_DOCKER=1 an engine without containers is always rejected. ``keep``: preserve
    cells until :meth:`.Engine.keep_only` or ``clean``. Raises :class:`EngineError`, and
    :class:`UserError` for an unknown engine.
    """
    check(name)
    required = os.environ.get(REQUIRE_DOCKER, "") not in ("", "0")
    if name != AUTO:
        kind = ENGINES[name]
        if required and not kind.containers:
            raise EngineError(
                f"{REQUIRE_DOCKER}=1 forbids the {name} engine; unset it or use --engine docker"
            )
        return kind.make(build, keep=keep), ""
    problems: list[EngineError] = []
    for kind in (ENGINES[each] for each in ENGINES if ENGINES.is_built_in(each)):
        if required and not kind.containers:
            continue
        try:
            engine = kind.make(build, keep=keep)
        except EngineError as problem:
            problems.append(problem)
            continue
        fallback = f"falling back to {kind.cells}, which are NOT containers"
        return engine, "\n".join([*map(str, problems), fallback]) if problems else ""
    raise problems[0]
