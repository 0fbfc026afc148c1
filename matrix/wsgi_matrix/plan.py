"""Axes × selection → cells. Pure: no files, no clock."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeVar

from wsgi_matrix.config import Config
from wsgi_matrix.errors import NothingSelected, UserError, suggestion
from wsgi_matrix.model import Cell

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What of the matrix to run. An axis left empty, or ``all``, means all of it.

    ``select`` and ``skip``: globs on the ids of cells; a cell runs if any of ``select`` (or none
    is given) and none of ``skip`` matches.
    """

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
    return [value for name, value in there.items() if name in wanted]


def make_cells(config: Config, selection: Selection) -> tuple[Cell, ...]:
    """The cells of ``config`` that ``selection`` leaves, in the order of the file.

    Raises :class:`UserError` for a name that no axis has, :class:`NothingSelected` if none is left.
    """
    axes = itertools.product(
        _pick("servers", selection.servers, config.servers),
        _pick("apps", selection.apps, config.apps),
        _pick("pythons", selection.pythons, config.pythons),
        _pick("limits", selection.limits, config.limits),
    )
    cells = [Cell(server=s, app=a, limits=li, python=p) for s, a, p, li in axes]
    ids = [cell.id for cell in cells]
    for glob in selection.select:
        if not any(fnmatchcase(cell_id, glob) for cell_id in ids):
            hint = suggestion(glob, ids) if len(ids) <= 20 else "; see `wsgi-matrix list`"
            raise NothingSelected(f'--select "{glob}" matches no cell{hint}')
    left = tuple(
        cell
        for cell in cells
        if (not selection.select or any(fnmatchcase(cell.id, glob) for glob in selection.select))
        and not any(fnmatchcase(cell.id, glob) for glob in selection.skip)
    )
    if not left:
        raise NothingSelected(
            "the selection leaves no cell; `wsgi-matrix list` shows what there is"
        )
    return left
