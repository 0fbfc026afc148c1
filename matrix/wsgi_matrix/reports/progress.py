"""Progress on stderr: a grid that is filled in on a terminal, otherwise one line for each cell."""

from __future__ import annotations

import os
import time

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.outcome_semantics import RED
from wsgi_matrix.model.results import Outcome
from wsgi_matrix.reports.console import STYLES
from wsgi_matrix.reports.grid import MARKS, place
from wsgi_matrix.runner import events

PENDING, RUNNING = "·", "▸"
AROUND = 6
"""Lines of the terminal reserved for the grid's header and footer."""
PER_SECOND = 4.0
"""Redraws of the grid per second."""


class Progressing:
    """Handler of events. Rich reads NO_COLOR and FORCE_COLOR; CI means "no terminal"."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self.live = self.console.is_terminal and not os.environ.get("CI")
        self._live: Live | None = None
        self._cells: tuple[Cell, ...] = ()
        self._done: dict[str, Outcome] = {}
        self._running: dict[str, float] = {}
        self._began = 0.0

    def __call__(self, event: events.Event) -> None:
        """Show ``event``."""
        match event:
            case events.RunStarted(cells=cells, where=where, jobs=jobs):
                self._cells = cells
                self._line(f"{len(cells)} cells, {jobs} in parallel, in {where}")
            case events.PhaseStarted(name="cells"):
                self._start()
            case events.PhaseNote(name=name, detail=detail):
                self._line(f"{name}: {detail}")
            case events.PhaseDone(name=name, seconds=seconds):
                if name == "cells":
                    self._stop()
                self._line(f"{name}: {seconds:.1f} s")
            case events.CellStarted(cell=cell):
                self._running[cell.id] = time.monotonic()
            case events.CellDone(result=result):
                self._running.pop(result.cell.id, None)
                self._done[result.cell.id] = result.outcome
                if self._live is None or result.outcome in RED:
                    reused = ", reused" if result.reused else ""
                    self._line(
                        f"[{len(self._done)}/{len(self._cells)}] {result.cell.id} "
                        f"{result.outcome.value} {result.seconds:.2f} s{reused}",
                        STYLES[result.outcome],
                    )
            case events.RunDone():
                self._stop()

    def _line(self, text: str, style: str = "") -> None:
        self.console.print(escape(text), style=style or None, highlight=False, soft_wrap=True)

    def _start(self) -> None:
        self._began = time.monotonic()
        if self.live:
            self._live = Live(
                get_renderable=self._shown,
                console=self.console,
                transient=True,
                refresh_per_second=PER_SECOND,
            )
            self._live.start()

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _shown(self) -> RenderableType:
        """The grid so far, the cells that are running, and the time left."""
        # Copies, because cells start and end in other threads while this is drawn.
        done, running = dict(self._done), dict(self._running)
        rows = dict.fromkeys(place(cell)[0] for cell in self._cells)
        columns = dict.fromkeys(place(cell)[1] for cell in self._cells)
        wide = 20 + sum(len(limits) + 3 for _, limits in columns)
        fits = len(rows) + AROUND <= self.console.height and wide <= self.console.width
        table = self._grid(done, running) if fits else self._tally(done)
        now = ", ".join(
            f"{cell} {time.monotonic() - since:.0f} s" for cell, since in running.items()
        )
        foot = f"{len(done)} of {len(self._cells)}{self._left(len(done))}"
        return Group(table, Text(foot), Text(f"running: {now}" if now else "", "dim", no_wrap=True))

    def _left(self, done: int) -> str:
        """Estimated from the total time so far, which takes parallel cells into account."""
        if not done:
            return ""
        left = (time.monotonic() - self._began) / done * (len(self._cells) - done)
        minutes, seconds = divmod(round(left), 60)
        return f", about {minutes} min {seconds} s left" if minutes else f", about {seconds} s left"

    def _grid(self, done: dict[str, Outcome], running: dict[str, float]) -> Table:
        squares: dict[tuple[tuple[str, str], tuple[str, str]], Text] = {}
        for cell in self._cells:
            outcome = done.get(cell.id)
            if outcome is not None:
                squares[place(cell)] = Text(MARKS[outcome], STYLES[outcome])
            else:
                squares[place(cell)] = Text(RUNNING if cell.id in running else PENDING, "dim")
        columns = dict.fromkeys(column for _, column in squares)
        table = Table("", *(f"{limits}\n{tag}" for tag, limits in columns), box=None)
        for row in dict.fromkeys(row for row, _ in squares):
            table.add_row(" ".join(row), *(squares.get((row, each), Text()) for each in columns))
        return table

    def _tally(self, done: dict[str, Outcome]) -> Table:
        """One line per server, for when the grid does not fit the terminal."""
        table = Table("", "done", *(outcome.value for outcome in MARKS), box=None)
        for server in dict.fromkeys(cell.server.name for cell in self._cells):
            mine = [cell.id for cell in self._cells if cell.server.name == server]
            there = [done[cell] for cell in mine if cell in done]
            counts = [
                Text(str(there.count(outcome)), STYLES[outcome]) if outcome in there else Text("")
                for outcome in MARKS
            ]
            table.add_row(server, f"{len(there)} of {len(mine)}", *counts)
        return table
