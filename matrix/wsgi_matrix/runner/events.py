"""What a run tells while it goes on. Every report is a handler of these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.results import CellResult, Run


@dataclass(frozen=True)
class RunStarted:
    """The plan is made. ``where``: one line of the engine about what the cells are."""

    cells: tuple[Cell, ...]
    where: str
    jobs: int


@dataclass(frozen=True)
class PhaseStarted:
    """``images``, ``bundles`` or ``cells`` begins."""

    name: str


@dataclass(frozen=True)
class PhaseNote:
    """Progress within a phase, for people."""

    name: str
    detail: str


@dataclass(frozen=True)
class PhaseDone:
    """A phase ended after ``seconds``."""

    name: str
    seconds: float


@dataclass(frozen=True)
class CellStarted:
    """A cell's turn has come."""

    cell: Cell


@dataclass(frozen=True)
class CellDone:
    """A cell was judged by itself; the comparison across cells comes with :class:`RunDone`."""

    result: CellResult


@dataclass(frozen=True)
class RunDone:
    """All is judged, or the run was interrupted (``run.partial``)."""

    run: Run


Event = RunStarted | PhaseStarted | PhaseNote | PhaseDone | CellStarted | CellDone | RunDone
Handler = Callable[[Event], None]
