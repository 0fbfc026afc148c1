"""What a suite is: what a run sends to its cells, how that is judged, and compared across them.

Each suite is a package beside this module, and has a :class:`SuiteType` that
:mod:`wsgi_matrix.suites.registry` finds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from wsgi_matrix.model.axes import App, Cell
from wsgi_matrix.model.results import CellResult
from wsgi_matrix.model.session import Session
from wsgi_matrix.model.settings import Config
from wsgi_matrix.model.wire import Scenario
from wsgi_matrix.probe.agent.response_reader import LARGEST
from wsgi_matrix.suites.case import Case


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


@dataclass(frozen=True, kw_only=True)
class SuiteType:
    """What is known of a suite without a matrix."""

    name: str
    """As ``--suite`` takes it."""
    about: str
    """One sentence for people."""
    build: Callable[[Config], Suite]
    """Makes the suite for a matrix.

    Raises :class:`~wsgi_matrix.errors.UserError` for one that lacks what the suite needs.
    """
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
