"""Engines start cells and run the probe in them.

The runner only knows the two protocols below. Whether an engine enforces a limit is read back
inside the running cell, never assumed. Each engine is a package next to this module, or in another
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
    """A cell whose server has been started, and may have exited since."""

    image: Image
    framework_version: str
    """Version of the app's framework in the mounted bundle (``Bundle.framework_version``); empty
    for an app without one. ``/framework`` must report the same."""
    engine_seconds: float
    """Seconds that the cell spent waiting for the engine, not for the server or the probe."""

    def observed(self) -> Observed:
        """Read the limits back inside the cell. Raises :class:`CellError` if that fails."""

    def probe(self, job: Job) -> Report:
        """Wait until the port accepts connections, then run the probe with ``job``.

        Raises :class:`CellError` if the server exited or did not open its port in time.
        """

    def started(self) -> float:
        """When its first process started, in seconds since the epoch, by the probe's clock."""

    def memory(self) -> int | None:
        """Octets of anonymous memory of all its processes; ``None``: it has exited, or this engine
        cannot measure it. Page cache and mapped files do not count; they are not the server's own.
        """

    def zombies(self) -> int | None:
        """Number of zombie processes in the cell; ``None``: the server has exited."""

    def stop(self, grace: float) -> Stopped:
        """Send the stop signal, wait ``grace`` seconds, kill. May be called once."""


class Engine(Protocol):
    """Prepares what cells need, and opens them."""

    name: str
    version: str
    where: str
    """One line for reports: containers of which engine, or that the cells are processes."""

    def prepare(self, cells: Sequence[Cell], phase: Callable[[str, str], None]) -> None:
        """Make images and bundles for ``cells``. ``phase(name, detail)`` reports progress.

        Raises :class:`SetupError`. Partly made images and bundles are never used.
        """

    def open(self, cell: Cell) -> AbstractContextManager[Running]:
        """Start the server of ``cell``. On exit, everything of the cell is removed."""

    def check(self, cell: Cell, words: Sequence[str]) -> tuple[int | None, str]:
        """Run a command instead of the server in ``cell``, which has been prepared.

        The word ``{python}`` is the cell's interpreter. Returns the exit status and the output.
        Raises :class:`CellError` if the cell cannot be set up.
        """

    def baseline(self, cell: Cell) -> dict[str, float]:
        """The minimum times of a cell like ``cell`` on this host, in seconds: ``container`` (run
        the image with an entry point that does nothing) and ``import`` (import the app in it).
        Empty for engines where they have no meaning (processes).
        """

    def skip_reason(self, cell: Cell) -> str:
        """Why this engine cannot run ``cell`` on this host; empty if it can."""

    def identity(self, cell: Cell) -> tuple[str, ...]:
        """Digests of what ``cell`` consists of: image, bundle, what runs the probe.

        Requires :meth:`prepare`. Equal for two cells that would run the same.
        """

    def installed(self, cell: Cell) -> dict[str, str]:
        """The versions of the distributions that the app of ``cell`` runs with, by name.

        Requires :meth:`prepare`.
        """

    def findings(self, python: Python, phase: Callable[[str, str], None]) -> Iterator[Finding]:
        """Test each property that cells rely on, one after another, and read it back.

        ``python``: for an image to test with; ``phase(name, detail)`` reports progress.
        """

    def gone(self) -> str:
        """Why the engine is unavailable; empty while it is available."""

    def keep_only(self, cells: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Remove what was preserved, except for the ``cells`` with these ids; return what is left.

        By id: containers or directories. For an engine that was made with ``keep``.
        """

    def abort(self) -> None:
        """Kill all open cells, from another thread, so that their probes end.

        For an interrupted run, which must not wait for deadlines.
        """

    def clean(self) -> int:
        """Remove leftover and preserved cells of earlier runs, by label; return their number."""

    def clean_cache(self) -> int:
        """Remove cached images, bundles and volumes; return the number of octets.

        Raises :class:`BlockingIOError` while a run uses the cache.
        """

    def close(self) -> None:
        """Wait for background work to end. The engine cannot be used afterwards."""


class MakeEngine(Protocol):
    """Makes an engine."""

    def __call__(self, build: Path, *, keep: bool) -> Engine:
        """``build``: directory for caches and results. ``keep``: preserve cells until
        :meth:`Engine.keep_only` or :meth:`Engine.clean`. Raises :class:`EngineError`.
        """


@dataclass(frozen=True, kw_only=True)
class EngineType:
    """What is known about an engine before it is made; importing it must be cheap."""

    name: str
    """The name for ``--engine``."""
    cells: str
    """What its cells are, for messages: ``containers``."""
    containers: bool
    """Whether its cells are containers, which have images. If containers are required
    (WSGI_MATRIX_REQUIRE_DOCKER=1), other engines are rejected."""
    make: MakeEngine
    look: Callable[[Sequence[str]], str]
    """Where a preserved cell is, or the commands that show it, in one line."""
    inspect: Callable[[Sequence[str]], str]
    """All details of a preserved cell, in several lines. Raises :class:`EngineError`."""
