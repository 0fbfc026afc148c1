"""Events of a run. Every report is a handler of these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.results import CellResult, Run


@dataclass(frozen=True)
class RunStarted:
    """The plan is complete. ``where``: the engine's line on what the cells are."""

    cells: tuple[Cell, ...]
    where: str
    jobs: int


@dataclass(frozen=True)
class PhaseStarted:
    """``images``, ``bundles`` or ``cells`` begins."""

    name: str


@dataclass(frozen=True)
class PhaseNote:
    """Progress within a phase, to be shown."""

    name: str
    detail: str


@dataclass(frozen=True)
class PhaseDone:
    """A phase ended after ``seconds``."""

    name: str
    seconds: float


@dataclass(frozen=True)
class CellStarted:
    """A cell starts."""

    cell: Cell


@dataclass(frozen=True)
class CellDone:
    """A cell was checked by itself; the comparison across cells comes with :class:`RunDone`."""

    result: CellResult


@dataclass(frozen=True)
class RunDone:
    """All cells were checked, or the run was interrupted (``run.partial``)."""

    run: Run


Event = RunStarted | PhaseStarted | PhaseNote | PhaseDone | CellStarted | CellDone | RunDone
Handler = Callable[[Event], None]
