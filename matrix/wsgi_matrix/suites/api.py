"""What a suite is: what a run sends to its cells, how that is judged, and compared across them.

Each suite is a package beside this module, or in another distribution, and has a
:class:`SuiteType` that :mod:`wsgi_matrix.suites.registry` finds. Nothing else knows its name: what
is particular to a suite is a field here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from pathlib import Path

from wsgi_matrix.model.axes import App, Cell
from wsgi_matrix.model.http_session import Session
from wsgi_matrix.model.matrix_config import Config, SuiteSettings
from wsgi_matrix.model.results import CellResult
from wsgi_matrix.model.wire import Scenario
from wsgi_matrix.probe.agent.response_reader import LARGEST
from wsgi_matrix.suites.case import Case

NAME = re.compile(r"[a-z][a-z0-9_]*")
"""Of suites."""


def alone(results: Sequence[CellResult]) -> tuple[CellResult, ...]:
    """The comparison of a suite that compares nothing."""
    return tuple(results)


@dataclass(frozen=True, kw_only=True)
class Suite:
    """What is sent and judged. A front door makes one and hands it to the runner."""

    name: str
    requests: Mapping[str, bytes] = field(default_factory=dict)
    """By name, in the order in which they are sent; the first is what the burst sends."""
    sessions: tuple[Session, ...] = ()
    """Requests with cookies and values from one answer to the next; after ``requests``."""
    largest: int = LARGEST
    """Octets of one answer of a session, after which it is given up."""
    scenarios: tuple[Scenario, ...] = ()
    """What needs more than a request and its response; run concurrently."""
    cases: tuple[Case, ...] = ()
    compare: Callable[[Sequence[CellResult]], tuple[CellResult, ...]] = alone
    """Adds what only several cells together can tell."""
    added: Callable[[Sequence[Cell]], Sequence[str]] | None = None
    """Ids of the checks that ``compare`` adds to each of these cells; ``None``: they are not known
    before a run."""
    sources: tuple[Path, ...] = ()
    """Files that verdicts follow from, and not only what is sent: no result outlives a change."""
    repeat: int | None = None
    """How often each request is sent; ``None``: as the matrix says."""
    burst: bool = False
    """Whether a burst of the first request ends the cell."""
    baseline: bool = True
    """Whether its apps can be imported by themselves, to measure what an empty cell costs."""
    patience: float | None = None
    """Seconds for one exchange; ``None``: a share of the cell's deadline."""
    waits: bool = False
    """Its cells do little but wait: they run beside the jobs and take no slot of theirs."""
    skip_reason: Callable[[Cell], str] = lambda _cell: ""
    """Why a cell makes no sense for its server; empty where it does."""
    deadline: float | None = None
    """Seconds for a cell; ``None``: as the matrix says."""
    notes: tuple[str, ...] = ()
    """Lines for people under the result: what answers were normalised by, say."""

    def of(self, cell: Cell) -> Suite:
        """What of it ``cell`` gets: scenarios and cases of its app, filled in for its server."""
        mine = ("", cell.app.name)
        return replace(
            self,
            scenarios=tuple(
                scenario.to(cell.server) for scenario in self.scenarios if scenario.app in mine
            ),
            cases=tuple(case for case in self.cases if case.app in mine),
        )


class Layout(Enum):
    """How ``docs/results/grid.md`` shows a suite's results; servers are down but for the rules."""

    CELLS_BY_APP = auto()
    """Apps across, cells by their outcome."""
    CHECKS_BY_APP = auto()
    """Apps across, checks by their outcome."""
    RULES = auto()
    """A row for each check with a citation, servers across."""
    MEASURED_RULES = auto()
    """The same, with what was measured where the check passed."""
    COST_BY_LIMITS = auto()
    """Limits across, seconds and memory of each cell."""


@dataclass(frozen=True, kw_only=True)
class SuiteType:
    """What is known of a suite without a matrix."""

    name: str
    """As ``--suite`` takes it. No hyphen: ids of cells are made of names."""
    former_name: str = ""
    """As it was called before version 0.2; empty: as now, or it was not there."""
    about: str
    """One sentence for people."""
    title: str
    """What it is about, as a heading."""
    caption: str = ""
    """How its table in ``docs/results/grid.md`` is to be read."""
    layout: Layout = Layout.CHECKS_BY_APP
    build: Callable[[Config], Suite]
    """Makes the suite for a matrix.

    Raises :class:`~wsgi_matrix.errors.UserError` for one that lacks what the suite needs.
    """
    settings: type[SuiteSettings] = SuiteSettings
    """What its table ``[suites.NAME]`` may say: a frozen dataclass of :class:`SuiteSettings`, each
    field with its type and ``doc`` as :mod:`wsgi_matrix.util.schema_types` has them."""
    apps: tuple[App, ...] = ()
    """Applications of its own, which stand for the axis of apps; a cell for each."""
    one_worker: bool = False
    """Its apps remember what happened, so that one process has to see all of it; or it would be
    chance which process gets which client."""
    optional: bool = False
    """There is such a suite only where the matrix has its table: somebody brings what is sent."""
    private_tmp: bool = False
    """TMPDIR is a directory of each cell's own: its apps are not ours."""
    cross_run: bool = False
    """Its responses are compared with those of other runs of the same images."""
    tallied: bool = True
    """Reports count its checks by server, since its cells have many."""
    reads: Callable[[Config], Iterable[Path]] = lambda _config: ()
    """Files that ``build`` reads and that may take a while."""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError(f"name {self.name!r}: lower-case letters, digits and underscores only")
