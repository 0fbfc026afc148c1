"""Where results are saved: those of ``run`` in BUILD/matrix, those of ``try`` as follows.

    BUILD/try/<name of the directory>-<digest of its path>/<time>-<random>/results.json

Each run of ``try`` has its own directory, so that concurrent runs never overwrite each other.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import click

from wsgi_matrix.config import matrix_toml
from wsgi_matrix.errors import ConfigError, UserError
from wsgi_matrix.results import results_reader
from wsgi_matrix.util.atomic_write import new_directory
from wsgi_matrix.util.cache_directory import cache_directory

RUNS = 20
"""Number of runs of ``try`` saved per source directory; then the oldest are removed."""


def fresh(build: Path, source: Path) -> Path:
    """A new directory for the results of a run of ``try`` in ``source``."""
    place = _place(build, source)
    _forget(place)
    made = new_directory(place, datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ-"))
    made.chmod(0o755)
    return made


def last_try(build: Path, source: Path) -> Path | None:
    """``results.json`` of the last run of ``try`` in ``source``, else in any directory."""
    for place, runs in ((_place(build, source), "*"), (build / "try", "*/*")):
        found = place.glob(f"{runs}/results.json")
        if newest := max(found, key=lambda file: file.parent.name, default=None):
            return newest
    return None


def read(ctx: click.Context, file: Path | None) -> tuple[results_reader.Value, str]:
    """The results in ``file``, or those of the last run with a line that says which it is.

    Raises :class:`UserError`.
    """
    if file is not None:
        return results_reader.read(file), ""
    found = last(ctx)
    value = results_reader.read(found)
    place, elsewhere = found.parent.parent, ""
    if found != results_reader.path(place) and place.name != _place(place, Path.cwd()).name:
        elsewhere = " in another directory"
    return value, f"showing the last run{elsewhere}, started {value['run']['started']}: {found}"


def last(ctx: click.Context) -> Path:
    """``results.json`` of the last run of the matrix that the group's options select.

    Without a matrix, that of the last ``try``. Raises :class:`UserError` if there is
    neither.
    """
    options = ctx.find_root().params
    file, build = options.get("file"), options.get("build")
    if build and (results_reader.path(build).exists() or file):
        return results_reader.path(build)
    if build is None:
        try:
            return results_reader.path(matrix_toml.load(file or matrix_toml.find(Path.cwd())).build)
        except ConfigError as problem:
            if file or _has_matrix():
                raise
            missing: UserError = problem
    else:
        missing = UserError(
            f"{results_reader.path(build)}: no such file; `wsgi-matrix run` writes it"
        )
    found = last_try((build or cache_directory()).absolute(), Path.cwd())
    if found is None:
        raise UserError(f"{missing}; there are no results of `wsgi-matrix try` either")
    return found


def _has_matrix() -> bool:
    with contextlib.suppress(ConfigError):
        return bool(matrix_toml.find(Path.cwd()))
    return False


def _place(build: Path, source: Path) -> Path:
    whole = source.absolute()
    digest = hashlib.sha256(str(whole).encode(errors="surrogateescape")).hexdigest()[:8]
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", whole.name).strip("-.") or "app"
    return build / "try" / f"{name[:40]}-{digest}"


def _forget(place: Path) -> None:
    """Remove the oldest runs, except those that have not written their results yet."""
    runs = sorted(file.parent for file in place.glob("*/results.json"))
    for run in runs[: max(0, len(runs) - RUNS + 1)]:
        shutil.rmtree(run, ignore_errors=True)
