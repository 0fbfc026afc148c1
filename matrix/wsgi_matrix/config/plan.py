"""Axes × selection → cells. Pure: no files, no clock."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TypeVar

from wsgi_matrix.errors import NothingSelected, UserError, suggestion
from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.matrix_config import Config, SuiteSettings
from wsgi_matrix.suites import former_names, registry

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What to run of a matrix. ``all`` selects all of an axis. An empty axis means the default of
    the suite, and all if it has none. A server only runs on its own Pythons.

    ``select`` and ``skip``: globs on the ids of cells; a cell runs if any of ``select`` (or none
    is given) and none of ``skip`` matches.
    """

    suites: tuple[str, ...] = ()
    """Suites to run; their defaults apply to axes that are empty here."""
    servers: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()


def _pick(axis: str, wanted: tuple[str, ...], there: Mapping[str, T]) -> list[T]:
    for name in wanted:
        if name != "all" and name not in there:
            raise UserError(f'--{axis}: no "{name}" in the matrix{suggestion(name, there)}')
    if not wanted or "all" in wanted:
        return list(there.values())
    return [there[name] for name in dict.fromkeys(wanted)]


def _matches(cell: Cell, globs: tuple[str, ...]) -> bool:
    return any(fnmatchcase(cell.id, glob) for glob in globs)


def _of_suite(config: Config, selection: Selection, suite: str) -> list[Cell]:
    default = config.suites.get(suite, SuiteSettings())
    kind = registry.types()[suite]
    apps = kind.apps or _pick("apps", selection.apps or default.apps, config.apps)
    workers = 1 if kind.one_worker else default.workers
    axes = itertools.product(
        _pick("servers", selection.servers or default.servers, config.servers),
        apps,
        _pick("pythons", selection.pythons or default.pythons, config.pythons),
        _pick("limits", selection.limits or default.limits, config.limits),
    )
    return [
        Cell(
            server=replace(s, workers=workers) if workers else s,
            app=a,
            limits=li,
            python=p,
            suite=suite,
            private_tmp=kind.private_tmp,
        )
        for s, a, p, li in axes
        if not s.pythons or p.version in s.pythons
    ]


def _suites(config: Config, wanted: tuple[str, ...]) -> list[str]:
    """The names of the ``wanted`` suites; only those are loaded."""
    for name in wanted:
        if problem := former_names.refused_suite(name):
            raise UserError(f"--suite: {problem}")
    kinds = registry.types()
    loaded = [kinds[name] for name in kinds if name in wanted or "all" in wanted]
    # An optional suite needs traffic from the user; without it, even `all` leaves it out.
    missing = {kind.name for kind in loaded if kind.optional and kind.name not in config.suites}
    return _pick("suite", wanted, {name: name for name in kinds if name not in missing})


def make_cells(config: Config, selection: Selection) -> tuple[Cell, ...]:
    """The selected cells of ``config``, in the order of the file or of the names selected.

    Raises :class:`UserError` for an unknown name, :class:`NothingSelected` if no cell is left.
    """
    names = _suites(config, selection.suites or config.settings.suites)
    cells = [cell for name in names for cell in _of_suite(config, selection, name)]
    if config.settings.cells:
        cells = [cell for cell in cells if _matches(cell, config.settings.cells)]
    ids = [cell.id for cell in cells]
    for glob in selection.select:
        if not any(fnmatchcase(cell_id, glob) for cell_id in ids):
            hint = suggestion(glob, ids) if len(ids) <= 20 else "; see `wsgi-matrix list`"
            raise NothingSelected(f'--select "{glob}" matches no cell{hint}')
    left = tuple(
        cell
        for cell in cells
        if (not selection.select or _matches(cell, selection.select))
        and not _matches(cell, selection.skip)
    )
    if not left:
        raise NothingSelected("no cell matches the selection; `wsgi-matrix list` shows all cells")
    return left
