"""Engines start a cell and let the probe at it.

The runner knows only the two protocols below. What an engine can honour is read back from inside
the running cell, never assumed. Each engine is a package beside this module, or in another
distribution, and has an :class:`EngineType` that :mod:`wsgi_matrix.engines.registry` finds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from wsgi_matrix.engines.doctor import Finding
from wsgi_matrix.model.axes import Cell, Python
from wsgi_matrix.model.results import Image, Observed, Stopped
from wsgi_matrix.probe.protocol import Job, Report


class Running(Protocol):
    """A cell whose server has been started (it may have died since)."""

    image: Image
    framework_version: str
    """Version of the app's framework in the bundle that is mounted (``Bundle.framework_version``);
    empty for an app without one. ``/framework`` has to say the same."""
    engine_seconds: float
    """Seconds that the cell has waited for the engine, and neither for the server nor the probe."""

    def observed(self) -> Observed:
        """Read the limits back from inside. Raises :class:`CellError` if that is impossible."""

    def probe(self, job: Job) -> Report:
        """Wait until the port answers, then let the probe do ``job``.

        Raises :class:`CellError` when the server died or did not open its port in time.
        """

    def started(self) -> float:
        """When its first process was started, in seconds since the epoch, by the probe's clock."""

    def memory(self) -> int | None:
        """Octets of anonymous memory of all its processes; ``None``: it has ended, or this engine
        cannot tell. Page cache and mapped files do not count: they are not the server's own."""

    def zombies(self) -> int | None:
        """How many ended processes of the cell nobody waits for; ``None``: the server has ended."""

    def stop(self, grace: float) -> Stopped:
        """Send the stop signal, wait ``grace`` seconds, kill. May be called once."""


class Engine(Protocol):
    """Prepares what cells need and opens them."""

    name: str
    version: str
    where: str
    """One line for people: containers of which engine, or plainly that these are processes."""

    def prepare(self, cells: Sequence[Cell], phase: Callable[[str, str], None]) -> None:
        """Make images and bundles for ``cells``. ``phase(name, detail)`` tells of progress.

        Raises :class:`SetupError`. Nothing half-made is ever taken for whole.
        """

    def open(self, cell: Cell) -> AbstractContextManager[Running]:
        """Start the server of ``cell``. On leaving nothing of it is left behind."""

    def check(self, cell: Cell, words: Sequence[str]) -> tuple[int | None, str]:
        """Run a command in the surroundings of ``cell``, which is prepared, in place of its server.

        The word ``{python}`` is the cell's interpreter. Returns the exit status and what was
        written. Raises :class:`CellError` when the cell cannot be set up.
        """

    def baseline(self, cell: Cell) -> dict[str, float]:
        """What this machine needs for the least that a cell like ``cell`` can be, in seconds:
        ``container`` (run the image with an entry point that does nothing) and ``import`` (import
        the app in it). Empty where that makes no sense (processes).
        """

    def skip_reason(self, cell: Cell) -> str:
        """Why this engine cannot run ``cell`` at all here; empty when it can."""

    def identity(self, cell: Cell) -> tuple[str, ...]:
        """What ``cell`` is made of, by content: image, bundle, what runs the probe.

        Needs :meth:`prepare` before. Equal for two cells that would run the same.
        """

    def installed(self, cell: Cell) -> dict[str, str]:
        """The version of each distribution that the app of ``cell`` runs with, by name.

        Needs :meth:`prepare` before.
        """

    def findings(self, python: Python, phase: Callable[[str, str], None]) -> Iterator[Finding]:
        """Try everything that a cell is made of, one after the other, and read it back.

        ``python``: one that it may make an image with, of which ``phase(name, detail)`` tells.
        """

    def gone(self) -> str:
        """Why the engine answers no more; empty while it does."""

    def keep_only(self, cells: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Remove what was kept of all cells but those with the ids ``cells``; what those left.

        For an engine that was told to keep what is left of its cells.
        """

    def abort(self) -> None:
        """Kill every cell that is open, from another thread; their probes then end by themselves.

        For an interrupted run: nobody waits for a deadline then.
        """

    def clean(self) -> int:
        """Remove what earlier runs left behind or kept, known by our label only; how many."""

    def clean_cache(self) -> int:
        """Remove what is made once and kept for later runs; how many octets that were.

        Raises :class:`BlockingIOError` while a run uses it.
        """

    def close(self) -> None:
        """Wait for what still goes on in the background. The engine is usable no more then."""


class MakeEngine(Protocol):
    """Makes an engine."""

    def __call__(self, build: Path, *, keep: bool) -> Engine:
        """``build``: directory for caches and results. ``keep``: what is left of cells stays until
        :meth:`Engine.keep_only` or :meth:`Engine.clean`. Raises :class:`EngineError`.
        """


@dataclass(frozen=True, kw_only=True)
class EngineType:
    """What is known of an engine before it is made; to import it must cost nothing."""

    name: str
    """As ``--engine`` takes it."""
    cells: str
    """What its cells are, for people: ``containers``."""
    containers: bool
    """Whether its cells are containers, which have images. Where containers are required
    (WSGI_MATRIX_REQUIRE_DOCKER=1), other engines are refused."""
    make: MakeEngine
    look: Callable[[Sequence[str]], str]
    """Of what was kept of a cell: where it is, or the commands that show it, in one line."""
    inspect: Callable[[Sequence[str]], str]
    """Of what was kept of a cell: all that can be told, in lines. Raises :class:`EngineError`."""
