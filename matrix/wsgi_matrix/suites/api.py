"""Suites: what a run sends to its cells, how that is judged, and compared across them.

``hello`` is the matrix of limits: two requests and a burst. ``contract`` is all that an app has to
answer. The others ask servers, with apps of our own, for the rules of PEP 3333 and HTTP/1.1
(``rules``), for what slow clients do to them (``slow``), for how they stop (``stop``), and
whether they grow with the descriptors that they may have (``limits``).
``traffic`` sends what people bring for an app of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from wsgi_matrix.model.axes import App, Cell
from wsgi_matrix.model.results import CellResult
from wsgi_matrix.model.session import Session
from wsgi_matrix.model.settings import Config
from wsgi_matrix.model.wire import Talk
from wsgi_matrix.probe.agent.response_reader import LARGEST
from wsgi_matrix.suites import judge
from wsgi_matrix.suites.case import REQUESTS, Case
from wsgi_matrix.suites.hello.comparison import compare

HELLO = "hello"
CONTRACT = "contract"
RULES = "rules"
SLOW = "slow"
STOP = "stop"
LIMITS = "limits"
TRAFFIC = "traffic"
NAMES = (HELLO, CONTRACT, RULES, SLOW, STOP, LIMITS, TRAFFIC)

APPS = Path(__file__).parents[1] / "apps"


BAD_CLIENTS = (
    "silent",
    "half_head",
    "trickled_head",
    "half_body",
    "trickled_body",
    "idle",
    "slow_reader",
)
"""Kinds of bad clients. A cell for each: who starves a server must not spoil another's verdict."""


def _own(folder: str, *names: str) -> tuple[App, ...]:
    return tuple(App(name=name, path=APPS / folder) for name in names or (folder,))


OWN_APPS: Mapping[str, tuple[App, ...]] = {
    RULES: _own("rules"),
    SLOW: _own("slow", *BAD_CLIENTS),
    STOP: _own("stop", "stop", "reload"),
    LIMITS: _own("limits"),
}
"""Apps of a suite that brings its own: they stand for the axis of apps. A cell for each."""

ONE_WORKER = frozenset({RULES, SLOW, STOP})
"""Suites whose apps remember what happened, so that one process has to see all of it, and those
where it would be chance which process gets whom."""


@dataclass(frozen=True, kw_only=True)
class Suite:
    """What is sent and judged. A front door makes one and hands it to the runner."""

    name: str = HELLO
    requests: Mapping[str, bytes] = field(default_factory=lambda: REQUESTS)
    """By name, in the order in which they are sent; the first is what the burst sends."""
    sessions: tuple[Session, ...] = ()
    """Requests with cookies and values from one answer to the next; after ``requests``."""
    largest: int = LARGEST
    """Octets of one answer of a session, after which it is given up."""
    talks: tuple[Talk, ...] = ()
    """Conversations that need more than a request and its answer; had side by side."""
    cases: tuple[Case, ...] = judge.CASES
    compare: Callable[[Sequence[CellResult]], tuple[CellResult, ...]] = compare
    """Adds what only several cells together can tell."""
    repeat: int | None = None
    """How often each request is sent; ``None``: as the matrix says."""
    burst: bool = True
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
        """What of it ``cell`` gets: the talks and cases of its app, filled in for its server."""
        mine = ("", cell.app.name)
        return replace(
            self,
            talks=tuple(talk.to(cell.server) for talk in self.talks if talk.app in mine),
            cases=tuple(case for case in self.cases if case.app in mine),
        )


def alone(results: Sequence[CellResult]) -> tuple[CellResult, ...]:
    """The comparison of a suite that compares nothing."""
    return tuple(results)


def choose(config: Config, name: str) -> Suite:
    """The suite ``name`` of ``config``.

    Raises :class:`~wsgi_matrix.errors.ConfigError` for one that needs a table which is not there.
    """
    # Late: they read files by the rules of the configuration, which knows the names of suites.
    from wsgi_matrix.suites.conformance import suite as conformance  # noqa: PLC0415
    from wsgi_matrix.suites.contract import suite as contract  # noqa: PLC0415
    from wsgi_matrix.suites.fd_scaling import suite as growth  # noqa: PLC0415
    from wsgi_matrix.suites.traffic import suite  # noqa: PLC0415

    match name:
        case "hello":
            return Suite()
        case "contract":
            return contract.suite(config)
        case "traffic":
            return suite.of_config(config)
        case "limits":
            return growth.suite()
        case _:
            return conformance.suite(name)
