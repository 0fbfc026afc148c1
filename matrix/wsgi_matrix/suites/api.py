"""The interface of suites: what a run sends to cells, and how results are checked and compared.

Each suite is a package next to this module, or in another distribution, and has a
:class:`SuiteType` that :mod:`wsgi_matrix.suites.registry` finds. No other module knows its name:
what is specific to a suite is a field here.
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
"""The entry-point group of suites."""


def alone(results: Sequence[CellResult]) -> tuple[CellResult, ...]:
    """The comparison of a suite that only checks each cell by itself."""
    return tuple(results)


@dataclass(frozen=True, kw_only=True)
class Suite:
    """What is sent and checked. The command or the pytest plugin builds one for the runner."""

    name: str
    requests: Mapping[str, bytes] = field(default_factory=dict)
    """By name, in the order in which they are sent; clients of the burst send the first."""
    sessions: tuple[Session, ...] = ()
    """Requests that share cookies and captured values; sent after ``requests``."""
    largest: int = LARGEST
    """Maximum octets of one response in a session."""
    scenarios: tuple[Scenario, ...] = ()
    """Tests that need more than a request and its response; run concurrently."""
    cases: tuple[Case, ...] = ()
    compare: Callable[[Sequence[CellResult]], tuple[CellResult, ...]] = alone
    """Adds the checks that need several cells."""
    added: Callable[[Sequence[Cell]], Sequence[str]] | None = None
    """Ids of the checks that ``compare`` adds to each of these cells; ``None``: unknown before a
    run."""
    sources: tuple[Path, ...] = ()
    """Files that verdicts depend on in addition to what is sent; a change invalidates results."""
    repeat: int | None = None
    """How many times to send each request; ``None``: set by the matrix."""
    burst: bool = False
    """Whether a burst of the first request ends the cell."""
    baseline: bool = True
    """Whether its apps can be imported by themselves, to measure the cost of an empty cell."""
    patience: float | None = None
    """Seconds for one exchange; ``None``: a share of the cell's deadline."""
    waits: bool = False
    """Whether its cells mostly wait, so that they run in addition to the jobs."""
    skip_reason: Callable[[Cell], str] = lambda _cell: ""
    """Why a cell makes no sense for its server; empty if it does."""
    deadline: float | None = None
    """Seconds for a cell; ``None``: set by the matrix."""
    notes: tuple[str, ...] = ()
    """Notes for reports, such as how responses were normalised."""

    def of(self, cell: Cell) -> Suite:
        """The part for ``cell``: scenarios and cases of its app, filled in for its server."""
        mine = ("", cell.app.name)
        return replace(
            self,
            scenarios=tuple(
                scenario.to(cell.server) for scenario in self.scenarios if scenario.app in mine
            ),
            cases=tuple(case for case in self.cases if case.app in mine),
        )


class Layout(Enum):
    """How ``docs/results/grid.md`` shows a suite's results; servers are rows, except for rules."""

    CELLS_BY_APP = auto()
    """Apps as columns, cells by outcome."""
    CHECKS_BY_APP = auto()
    """Apps as columns, checks by outcome."""
    RULES = auto()
    """A row for each check with a citation, servers as columns."""
    MEASURED_RULES = auto()
    """The same, with measurements for checks that passed."""
    COST_BY_LIMITS = auto()
    """Limits as columns, seconds and memory of each cell."""


@dataclass(frozen=True, kw_only=True)
class SuiteType:
    """What is known about a suite without a matrix."""

    name: str
    """The name for ``--suite``, without hyphens, which separate the parts of cell ids."""
    former_name: str = ""
    """Its name before version 0.2; empty if it was the same, or the suite is new."""
    about: str
    """One sentence for help and documentation."""
    title: str
    """A heading for documentation."""
    caption: str = ""
    """A caption for its table in ``docs/results/grid.md``."""
    layout: Layout = Layout.CHECKS_BY_APP
    build: Callable[[Config], Suite]
    """Builds the suite for a matrix.

    Raises :class:`~wsgi_matrix.errors.UserError` for one that lacks what the suite needs.
    """
    settings: type[SuiteSettings] = SuiteSettings
    """The options in its table ``[suites.NAME]``: a frozen dataclass derived from
    :class:`SuiteSettings`, with a type and a ``doc`` for each field
    (:mod:`wsgi_matrix.util.schema_types`)."""
    apps: tuple[App, ...] = ()
    """Its own apps, which replace those of the matrix; a cell for each."""
    one_worker: bool = False
    """Whether servers run with one worker: its apps record events, and all of a scenario must reach
    the same process."""
    optional: bool = False
    """Whether the suite only exists if the matrix has its table, which says what is sent."""
    private_tmp: bool = False
    """Whether each cell has its own TMPDIR, because apps are the user's."""
    cross_run: bool = False
    """Whether its responses are compared with those of other runs of the same images."""
    tallied: bool = True
    """Whether reports count its checks by server, because its cells have many."""
    reads: Callable[[Config], Iterable[Path]] = lambda _config: ()
    """Files that ``build`` reads, which may take a while."""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError(f"name {self.name!r}: use lower-case letters, digits and underscores")
